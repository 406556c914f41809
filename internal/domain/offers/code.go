package offers

import (
	"crypto/rand"
	"strings"
)

// codeAlphabet has no two signs that look alike: no I, L, O and U.
const codeAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// codeGroups × 4 signs of 5 bits: nobody guesses one of 10,000 codes among 2^60.
const codeGroups = 3

// newCode makes a code as it is printed, "7QK2-9FXM-3TBV".
func newCode() string {
	raw := make([]byte, 4*codeGroups)
	_, _ = rand.Read(raw) // crypto/rand.Read never returns an error; it ends the process instead
	var b strings.Builder
	for i, x := range raw {
		if i > 0 && i%4 == 0 {
			b.WriteByte('-')
		}
		b.WriteByte(codeAlphabet[x&31])
	}
	return b.String()
}

// FoldCode gives the form under which a code is kept: case, blanks and hyphens do not count, and what looks alike is the same
// (O and 0, I, L and 1, U and V). False when it cannot be a code.
func FoldCode(s string) (string, bool) {
	if len(s) > 100 {
		return "", false
	}
	var b strings.Builder
	for _, r := range strings.ToUpper(s) {
		switch r {
		case ' ', '-', '\t', '\u00a0':
			continue
		case 'O':
			r = '0'
		case 'I', 'L':
			r = '1'
		case 'U':
			r = 'V'
		}
		if !strings.ContainsRune(codeAlphabet, r) {
			return "", false
		}
		b.WriteRune(r)
	}
	return b.String(), b.Len() >= 4 && b.Len() <= 32
}
