package badges

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"encoding/base64"
	"math/big"
	"strconv"
	"time"

	"cursus/internal/platform/postgres"
)

// places is the length of a list in bits: the least that Bitstring Status List allows (131,072), so that a reader who asks for a list does not
// tell whose badge she looks at.
const places = 131_072

// listLives is how long a list that was read may be believed.
const listLives = 24 * time.Hour

// place is a bit of a list.
type place struct{ list, index int }

// draw gives a place that is likely to be free.
func draw(ctx context.Context, tx *postgres.Tx) (p place, err error) {
	if err := tx.Get(ctx, &p.list, q.Q("List"), places/2); err != nil {
		return p, err
	}
	n, err := rand.Int(rand.Reader, big.NewInt(places))
	if err == nil {
		p.index = int(n.Int64())
	}
	return p, err
}

func (s *Service) listAt(list int) string { return s.at("statuses/" + strconv.Itoa(list)) }

// status is the entry of a credential (Bitstring Status List 1.0, 2.1).
func (s *Service) status(p place) status {
	at, index := s.listAt(p.list), strconv.Itoa(p.index)
	return status{ID: at + "#" + index, Type: "BitstringStatusListEntry", Purpose: "revocation", Index: index, List: at}
}

// listing is a BitstringStatusListCredential (2.2).
type listing struct {
	claims
	Context    []string  `json:"@context"`
	At         string    `json:"id"`
	Type       []string  `json:"type"`
	By         Profile   `json:"issuer"`
	ValidFrom  time.Time `json:"validFrom"`
	ValidUntil time.Time `json:"validUntil"`
	Of         bits      `json:"credentialSubject"`
}

type bits struct {
	ID      string `json:"id"`
	Type    string `json:"type"`
	Purpose string `json:"statusPurpose"`
	Encoded string `json:"encodedList"`
}

func (s *Service) statusList(list int, revoked []int, now time.Time) (listing, error) {
	encoded, err := encode(revoked)
	at, now := s.listAt(list), now.UTC().Truncate(time.Second)
	l := listing{
		Context: []string{contextVC}, At: at, Type: []string{"VerifiableCredential", "BitstringStatusListCredential"}, By: s.Issuer(), ValidFrom: now, ValidUntil: now.Add(listLives),
		Of: bits{ID: at + "#list", Type: "BitstringStatusList", Purpose: "revocation", Encoded: encoded},
	}
	l.claims = claims{Issuer: l.By.ID, ID: at, Subject: l.Of.ID, NotBefore: now.Unix(), Expires: l.ValidUntil.Unix()}
	return l, err
}

// encode is multibase (u), base64url without padding, of the bits, compressed with gzip. The first bit is the highest of the first byte (3.3).
func encode(set []int) (string, error) {
	raw := make([]byte, places/8)
	for _, i := range set {
		raw[i/8] |= 0x80 >> (i % 8)
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(raw); err != nil {
		return "", err
	}
	err := z.Close()
	return "u" + base64.RawURLEncoding.EncodeToString(b.Bytes()), err
}
