package app_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"cursus/internal/transport/api/apitest"
)

// badgeStory rotates the key that signs, and reads everything that a reader of badges reads.
func badgeStory(t *testing.T, walker *apitest.Walker, admin, code string) {
	t.Helper()
	a := &asker{t: t, w: walker, token: admin}
	key := a.ask(201, "rotateBadgeKey", nil, nil)
	id := key["kid"].(string)[strings.LastIndex(key["kid"].(string), "/")+1:]
	a.ask(200, "getBadgeKey", map[string]string{"badge_key": id}, nil)
	a.ask(404, "getBadgeKey", map[string]string{"badge_key": "bky_01kb5t8kz9e0qv4m3r2x7nwhjd"}, nil)
	if keys := a.ask(200, "listBadgeKeys", nil, nil)["keys"].([]any); len(keys) != 2 {
		t.Error("keys that sign, or did:", len(keys))
	}
	a.ask(200, "getBadgeIssuer", nil, nil)
	for operation, at := range map[string]map[string]string{"getBadge": {"code": code}, "getBadgeStatus": {"status_list": "1"}} {
		r := walker.Example(operation)
		r.Path = at
		if got := walker.Do(t, r); got.Status != 200 || strings.Count(string(got.Body), ".") != 2 {
			t.Errorf("%s: %d %s", operation, got.Status, got.Body)
		}
	}
}

// badge is what a stranger reads of a badge.
type badge struct {
	Iss, Jti, Sub string
	Nbf, Exp      int64
	ID            string
	Type          []string
	Name          string
	Issuer        struct{ ID, Name string }
	ValidFrom     time.Time
	Subject       struct {
		ID          string
		Identifier  []struct{ IdentityHash, IdentityType string }
		EncodedList string
		Result      []struct{ Value string }
	} `json:"credentialSubject"`
	Status struct{ StatusListIndex, StatusListCredential, StatusPurpose string } `json:"credentialStatus"`
}

// stranger verifies what a house publishes with another program's implementation of signatures, over HTTP, as a reader of badges does.
type stranger struct {
	t    *testing.T
	base string
	w    *apitest.Walker
}

func (s stranger) get(address string) []byte {
	s.t.Helper()
	path, ours := strings.CutPrefix(address, s.base+"/v1/badges/")
	if !ours {
		s.t.Fatal("not an address of the house:", address)
	}
	kind, id, _ := strings.Cut(path, "/")
	r := s.w.Example("getBadge")
	switch {
	case path == "keys":
		r = s.w.Example("listBadgeKeys")
	case kind == "keys":
		r = s.w.Example("getBadgeKey")
		r.Path["badge_key"] = id
	case kind == "statuses":
		r = s.w.Example("getBadgeStatus")
		r.Path["status_list"] = id
	default:
		r.Path["code"] = id
	}
	a := s.w.Do(s.t, r)
	if a.Status != 200 {
		s.t.Fatalf("%s: %d %s", address, a.Status, a.Body)
	}
	return a.Body
}

// read follows the kid of a token, verifies it, and checks what Open Badges 3.0 (8.2.5) asks of its claims.
func (s stranger) read(token string) (b badge, payload []byte) {
	s.t.Helper()
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		s.t.Fatal(err)
	}
	var key jose.JSONWebKey
	if err := json.Unmarshal(s.get(signed.Signatures[0].Protected.KeyID), &key); err != nil || !key.IsPublic() || !key.Valid() {
		s.t.Fatal(err, key)
	}
	if payload, err = signed.Verify(&key); err != nil {
		s.t.Fatal(err)
	}
	if err := json.Unmarshal(payload, &b); err != nil {
		s.t.Fatal(err)
	}
	if b.Iss != b.Issuer.ID || b.Jti != b.ID || b.Sub != b.Subject.ID || b.Nbf != b.ValidFrom.Unix() || b.Sub == "" {
		s.t.Errorf("the claims are not the credential's: %s", payload)
	}
	return b, payload
}

// revoked looks up in the list that a badge names whether it was revoked.
func (s stranger) revoked(b badge) bool {
	s.t.Helper()
	list, _ := s.read(string(s.get(b.Status.StatusListCredential)))
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(list.Subject.EncodedList, "u"))
	if err != nil || list.Subject.EncodedList[0] != 'u' || list.Exp <= list.Nbf {
		s.t.Fatal(err, list.Subject.EncodedList[:5])
	}
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		s.t.Fatal(err)
	}
	bits, err := io.ReadAll(z)
	i, bad := strconv.Atoi(b.Status.StatusListIndex)
	if err != nil || bad != nil || len(bits)*8 < 131_072 || b.Status.StatusPurpose != "revocation" {
		s.t.Fatal(err, bad, len(bits))
	}
	return bits[i/8]>>(7-i%8)&1 == 1
}

// A stranger verifies a badge with another implementation of signatures, and learns from its list when it was revoked. What was signed before a
// key was rotated stays valid, an altered token does not, and nothing of the holder is in it but the name that is printed.
func TestABadgeIsVerifiedByStrangers(t *testing.T) {
	w := newWorld(t)
	zoe := w.person("zoe@example.org", "Zoé O’Hara")
	made := w.certified(zoe.ID)
	s := stranger{t: t, base: w.cfg.BaseURL, w: w.walk(w.h)}
	token := string(s.get(w.cfg.BaseURL + "/v1/badges/credentials/" + made["code"]))
	b, payload := s.read(token)
	if b.Subject.Identifier[0].IdentityHash != "Zoé O’Hara" || b.Subject.Identifier[0].IdentityType != "name" || b.Subject.Result[0].Value != "87" || !strings.HasPrefix(b.Name, "Demonstration") {
		t.Errorf("%+v", b)
	}
	if strings.Contains(string(payload), "example.org/") != strings.Contains(w.cfg.BaseURL, "example.org") || strings.Contains(string(payload), zoe.ID) || strings.Contains(string(payload), "zoe@") {
		t.Errorf("more than is printed: %s", payload)
	}
	if file := os.Getenv("CURSUS_BADGE_FILE"); file != "" { // for a reader of schemas
		if err := os.WriteFile(file, payload, 0o600); err != nil {
			t.Error(err)
		}
	}
	if s.revoked(b) {
		t.Error("it was revoked before anybody did")
	}
	if _, err := w.h.Badges.Rotate(system, w.person("admin@example.org", "A").ID, "rotate"); err != nil {
		t.Fatal(err)
	}
	if again := string(s.get(w.cfg.BaseURL + "/v1/badges/credentials/" + strings.ToUpper(made["code"]))); again != token {
		t.Error("it was signed twice")
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(s.get(w.cfg.BaseURL+"/v1/badges/keys"), &set); err != nil || len(set.Keys) != 2 {
		t.Fatal(err, len(set.Keys))
	}
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := signed.Verify(&set.Keys[0]); err == nil {
		t.Error("the new key verifies what it did not sign")
	}
	parts := strings.Split(token, ".")
	forged := parts[0] + "." + base64.RawURLEncoding.EncodeToString(bytes.Replace(payload, []byte(`"87"`), []byte(`"97"`), 1)) + "." + parts[2]
	if x, err := jose.ParseSignedCompact(forged, []jose.SignatureAlgorithm{jose.RS256}); err != nil {
		t.Error(err)
	} else if _, err := x.Verify(&set.Keys[1]); err == nil {
		t.Error("a grade was altered, and nobody saw")
	}
	if _, err := w.h.Certificates.Revoke(system, made["certificate"], "by mistake"); err != nil {
		t.Fatal(err)
	}
	if !s.revoked(b) {
		t.Error("it was revoked, and its list does not say so")
	}
	w.counts(map[string]int{"select count(*) from badges.credentials": 1, "select count(*) from badges.keys": 2})
	w.verify()
}

// However many ask for a badge at once, one is signed; and as many badges as there are have as many places.
func TestBadgesHavePlacesOfTheirOwn(t *testing.T) {
	w := newWorld(t)
	made := w.certified(w.person("zoe@example.org", "Zoé").ID)
	c, err := w.h.Certificates.Certificate(system, made["certificate"])
	if err != nil {
		t.Fatal(err)
	}
	got := make([]string, 16)
	var group sync.WaitGroup
	for i := range got {
		group.Go(func() {
			token, err := w.h.Badges.Sign(system, c)
			if got[i] = token; err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	for _, x := range got {
		if x == "" || x != got[0] {
			t.Fatal("one certificate has two badges")
		}
	}
	w.counts(map[string]int{"select count(*) from badges.credentials": 1, "select count(*) from badges.keys": 1})
}
