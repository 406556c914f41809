// Package seal keeps secrets that have to be read again, such as those that sign or sign in elsewhere: a hash could do neither. Who has
// the database alone cannot read them.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"

	"cursus/internal/kernel/fault"
)

// minKey is the length of the secret that seals, in bytes.
const minKey = 32

// Faults of sealing.
var (
	ErrWeak        = fault.New(fault.Internal, "weak-secret", "The secret has fewer than 32 bytes.")
	ErrNotReadable = fault.New(fault.Internal, "secret-not-readable", "A sealed secret cannot be read with the key of this server.")
)

// Sealer seals and opens under one key.
type Sealer struct{ aead cipher.AEAD }

// New makes a sealer of a secret, of 32 bytes or more, for one purpose: what was sealed for another is not opened. Error: ErrWeak.
func New(secret []byte, purpose string) (Sealer, error) {
	if len(secret) < minKey {
		return Sealer{}, ErrWeak
	}
	key, err := hkdf.Key(sha256.New, secret, nil, purpose, 32)
	if err != nil {
		return Sealer{}, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return Sealer{}, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return Sealer{aead}, err
}

// Seal binds a secret to its place, so that one row cannot stand in for another.
func (s Sealer) Seal(plain []byte, place string) []byte {
	return s.aead.Seal(nil, nil, plain, []byte(place))
}

// Open reads what was sealed for a place. Error: ErrNotReadable.
func (s Sealer) Open(sealed []byte, place string) ([]byte, error) {
	plain, err := s.aead.Open(nil, nil, sealed, []byte(place))
	if err != nil {
		return nil, ErrNotReadable.Because(err)
	}
	return plain, nil
}
