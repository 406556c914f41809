package labs

import (
	"context"
	"strconv"

	"cursus/internal/platform/postgres"
)

// Login is what a provider that speaks LTI 1.3 sends a browser back with, after a login that we initiated (OpenID Connect, implicit flow).
type Login struct {
	Scope, ResponseType, ResponseMode, Prompt            string
	ClientID, RedirectURI, LoginHint, Hint, State, Nonce string
}

const maxOpaque = 1000 // of a state or a nonce

// Answer gives the id_token of a launch to the tool that asked for it, once. Errors: ErrLogin, ErrNoLaunch where it is not hers, ErrSpent, and why she cannot open it any more.
func (s *Service) Answer(ctx context.Context, learnerID string, a Login) (Ticket, error) {
	if a.Scope != "openid" || a.ResponseType != "id_token" || a.ResponseMode != "form_post" || a.Prompt != "none" || a.Nonce == "" || len(a.Nonce) > maxOpaque || a.State == "" || len(a.State) > maxOpaque {
		return Ticket{}, ErrLogin
	}
	ctx = asSystem(ctx)
	var l Launch
	var p Provider
	var stands Standing
	err := s.db.InTx(ctx, "answer lti login", func(ctx context.Context, tx *postgres.Tx) (err error) {
		if l, p, stands, err = s.openTx(ctx, tx, a.LoginHint, learnerID); err != nil {
			return err
		}
		// A token goes to the address that was registered and to no other, whatever the request says.
		if p.Shape != LTI || a.ClientID != p.ClientID || a.RedirectURI != p.LaunchURL || a.Hint != strconv.Itoa(l.Tokens) {
			return ErrLogin
		}
		return redeemTx(ctx, tx, l)
	})
	if err != nil {
		return Ticket{}, err
	}
	claims := s.launchClaims(l, p, stands)
	custom := map[string]any{}
	for _, own := range []string{"launch", "minutes_left", "idle_minutes", "events_url"} {
		custom[own] = claims[own]
		delete(claims, own)
	}
	for _, own := range []string{"resource", "session", "return_url"} {
		delete(claims, own)
	}
	title := stands.Title()
	name := title.EN
	if name == "" {
		name = title.FR
	}
	const spec = "https://purl.imsglobal.org/spec/lti/claim/"
	claims["nonce"], claims["azp"] = a.Nonce, p.ClientID
	claims[spec+"message_type"], claims[spec+"version"], claims[spec+"deployment_id"] = "LtiResourceLinkRequest", "1.3.0", p.DeploymentID
	claims[spec+"target_link_uri"] = p.LaunchURL
	claims[spec+"resource_link"] = map[string]string{"id": stands.Resource, "title": name}
	claims[spec+"roles"] = []string{"http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"}
	claims[spec+"context"] = map[string]any{"id": stands.SessionID, "label": stands.SessionKey, "type": []string{"http://purl.imsglobal.org/vocab/lis/v2/course#CourseSection"}}
	claims[spec+"launch_presentation"] = map[string]string{"document_target": "window", "return_url": s.returnURL(l)}
	claims[spec+"custom"] = custom
	token, err := s.signer.SignToken(ctx, claims)
	return Ticket{URL: p.LaunchURL, Fields: [][2]string{{"id_token", token}, {"state", a.State}}, Title: title, Key: stands.SessionKey}, err
}
