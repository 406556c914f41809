package web

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"

	"cursus/internal/kernel/fault"
)

// errStaleForm answers a form that this browser was not given, or whose session has changed since.
var errStaleForm = fault.New(fault.Forbidden, "stale-form", "The form was too old or came from another browser. Please send it once more.")

// formToken signs a browser's nonce together with its session, so that a form is of use to that browser and session alone.
func (w *Web) formToken(nonce, session string) string {
	m := hmac.New(sha256.New, w.secret[:])
	m.Write([]byte(nonce + "\x00" + session))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

func (w *Web) formHolds(r *request, token string) bool {
	return r.nonce != "" && hmac.Equal([]byte(token), []byte(w.formToken(r.nonce, r.secret)))
}

// random gives 128 bits, for nonces and for the keys of forms.
func random() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails: the runtime ends the process instead
	return hex.EncodeToString(b[:])
}

func tagOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}
