// Package ident makes prefixed, sortable identifiers: "ord_" + 26 characters of Crockford base 32 over a UUIDv7.
package ident

import (
	"crypto/rand"
	"encoding/base32"
	"strings"

	"github.com/google/uuid"
)

var crockford = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// New makes an identifier with a prefix such as "ord". Identifiers of one process sort by the time of their making.
func New(prefix string) string {
	u := uuid.Must(uuid.NewV7())
	return prefix + "_" + crockford.EncodeToString(u[:])
}

// Secret makes n random bytes as base 32 text, for tokens and certificate codes (16 bytes = 128 bits).
func Secret(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // crypto/rand.Read never returns an error; it ends the process instead
	return crockford.EncodeToString(b)
}

// Has says whether id has the prefix and the length of an identifier.
func Has(id, prefix string) bool {
	return strings.HasPrefix(id, prefix+"_") && len(id) == len(prefix)+27
}
