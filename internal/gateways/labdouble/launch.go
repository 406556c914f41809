package labdouble

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"net/http"
	"strings"
)

// claims are what the double reads of a token.
type claims struct {
	Issuer    string `json:"iss"`
	Subject   string `json:"sub"`
	Audience  string `json:"aud"`
	ID        string `json:"jti"`
	IssuedAt  int64  `json:"iat"`
	Expires   int64  `json:"exp"`
	Nonce     string `json:"nonce"`
	Launch    string `json:"launch"`
	Resource  string `json:"resource"`
	EventsURL string `json:"events_url"`
	ReturnURL string `json:"return_url"`

	MessageType  string                     `json:"https://purl.imsglobal.org/spec/lti/claim/message_type"`
	Version      string                     `json:"https://purl.imsglobal.org/spec/lti/claim/version"`
	Deployment   string                     `json:"https://purl.imsglobal.org/spec/lti/claim/deployment_id"`
	Link         struct{ ID, Title string } `json:"https://purl.imsglobal.org/spec/lti/claim/resource_link"`
	Roles        []string                   `json:"https://purl.imsglobal.org/spec/lti/claim/roles"`
	Presentation struct {
		Return string `json:"return_url"`
	} `json:"https://purl.imsglobal.org/spec/lti/claim/launch_presentation"`
	Custom struct {
		Launch    string `json:"launch"`
		EventsURL string `json:"events_url"`
	} `json:"https://purl.imsglobal.org/spec/lti/claim/custom"`
}

var errToken = errors.New("the token is not good")

// verify reads a token that the issuer signed for us, that is in time and was not used before.
func (d *Double) verify(ctx context.Context, token string) (c claims, err error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return c, errToken
	}
	var raw [3][]byte
	for i, p := range parts {
		if raw[i], err = base64.RawURLEncoding.DecodeString(p); err != nil {
			return c, errToken
		}
	}
	var header struct{ Alg, Kid string }
	if json.Unmarshal(raw[0], &header) != nil || header.Alg != "RS256" || json.Unmarshal(raw[1], &c) != nil {
		return c, errToken
	}
	key, err := d.key(ctx, header.Kid)
	if err != nil {
		return c, err
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], raw[2]) != nil {
		return c, errToken
	}
	now := d.c.Clock.Now().Unix()
	if c.Issuer != d.c.Issuer || c.Audience != d.c.ClientID || c.ID == "" || c.Expires <= now || c.IssuedAt > now+60 || c.Expires-c.IssuedAt > 60 {
		return c, errToken
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.spent[c.ID] {
		return c, errToken
	}
	d.spent[c.ID] = true
	return c, nil
}

func (d *Double) key(ctx context.Context, kid string) (*rsa.PublicKey, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, d.c.KeysURL, nil)
	if err != nil {
		return nil, err
	}
	answer, err := d.c.Client.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	var set struct{ Keys []struct{ Kid, N, E string } }
	if err := json.NewDecoder(io.LimitReader(answer.Body, 1<<20)).Decode(&set); err != nil {
		return nil, err
	}
	for _, k := range set.Keys {
		n, err := base64.RawURLEncoding.DecodeString(k.N)
		e, err2 := base64.RawURLEncoding.DecodeString(k.E)
		if k.Kid == kid && err == nil && err2 == nil {
			return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}, nil
		}
	}
	return nil, errToken
}

func refuse(w http.ResponseWriter, err error) { http.Error(w, err.Error(), http.StatusForbidden) }

func (d *Double) launch(w http.ResponseWriter, r *http.Request) {
	c, err := d.verify(r.Context(), r.FormValue("token"))
	if err == nil && c.Launch == "" {
		err = errToken
	}
	if err != nil {
		refuse(w, err)
		return
	}
	d.open(w, r, Machine{Launch: c.Launch, Subject: c.Subject, Shape: "jwt", Title: c.Resource, events: c.EventsURL, back: c.ReturnURL})
}

func (d *Double) ltiLaunch(w http.ResponseWriter, r *http.Request) {
	nonce := d.logins.Nonce(r)
	c, err := d.verify(r.Context(), r.FormValue("id_token"))
	if err == nil && (nonce == "" || c.Nonce != nonce || c.MessageType != "LtiResourceLinkRequest" || c.Version != "1.3.0" || c.Deployment != d.c.DeploymentID || c.Link.ID == "" || len(c.Roles) == 0 || c.Custom.Launch == "") {
		err = errToken
	}
	if err != nil {
		refuse(w, err)
		return
	}
	d.open(w, r, Machine{Launch: c.Custom.Launch, Subject: c.Subject, Shape: "lti", Title: c.Link.Title, events: c.Custom.EventsURL, back: c.Presentation.Return})
}
