package pades

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
)

// Names of what a signature is made of (RFC 5652, RFC 5035, RFC 3161).
var (
	oidData          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidSignedData    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidContentType   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	oidMessageDigest = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	oidSigningCertV2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
	oidStampToken    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 14}
	oidSHA256        = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidRSA           = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}
	oidECDSA         = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}
)

type attribute struct {
	Type   asn1.ObjectIdentifier
	Values []asn1.RawValue `asn1:"set"`
}

type issuerAndSerial struct {
	Issuer asn1.RawValue
	Serial *big.Int
}

type signerInfo struct {
	Version            int
	SID                issuerAndSerial
	DigestAlgorithm    pkix.AlgorithmIdentifier
	SignedAttrs        asn1.RawValue
	SignatureAlgorithm pkix.AlgorithmIdentifier
	Signature          []byte
	UnsignedAttrs      []attribute `asn1:"optional,set,omitempty,tag:1"`
}

type signedData struct {
	Version          int
	DigestAlgorithms []pkix.AlgorithmIdentifier `asn1:"set"`
	Content          struct{ Type asn1.ObjectIdentifier }
	Certificates     asn1.RawValue
	SignerInfos      []signerInfo `asn1:"set"`
}

type contentInfo struct {
	Type    asn1.ObjectIdentifier
	Content signedData `asn1:"explicit,tag:0"`
}

func attributeOf(kind asn1.ObjectIdentifier, value any) (attribute, error) {
	raw, err := asn1.Marshal(value)
	return attribute{kind, []asn1.RawValue{{FullBytes: raw}}}, err
}

// cms is a detached SignedData over a digest.
func (s *Signer) cms(ctx context.Context, digest []byte) ([]byte, error) {
	hash := sha256.Sum256(s.chain[0].Raw)
	kind, e1 := attributeOf(oidContentType, oidData)
	message, e2 := attributeOf(oidMessageDigest, digest)
	type certID struct{ Hash []byte } // with SHA-256, which is the default and left out
	type signingCertificate struct{ Certs []certID }
	by, e3 := attributeOf(oidSigningCertV2, signingCertificate{[]certID{{hash[:]}}})
	if err := errors.Join(e1, e2, e3); err != nil {
		return nil, err
	}
	signed, err := asn1.MarshalWithParams([]attribute{kind, message, by}, "set") // sorts them, as DER asks
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(signed)
	signature, err := s.key.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	sha := pkix.AlgorithmIdentifier{Algorithm: oidSHA256}
	info := signerInfo{
		Version: 1, SID: issuerAndSerial{asn1.RawValue{FullBytes: s.chain[0].RawIssuer}, s.chain[0].SerialNumber}, DigestAlgorithm: sha,
		SignatureAlgorithm: pkix.AlgorithmIdentifier{Algorithm: oidRSA, Parameters: asn1.NullRawValue}, Signature: signature,
	}
	if _, ok := s.key.(*ecdsa.PrivateKey); ok {
		info.SignatureAlgorithm = pkix.AlgorithmIdentifier{Algorithm: oidECDSA}
	}
	implicit := bytes.Clone(signed)
	implicit[0] = 0xA0 // the set that was signed, under its tag
	info.SignedAttrs = asn1.RawValue{FullBytes: implicit}
	if s.stamps != "" {
		token, err := s.stamp(ctx, signature)
		if err != nil {
			return nil, err
		}
		info.UnsignedAttrs = []attribute{{oidStampToken, []asn1.RawValue{{FullBytes: token}}}}
	}
	var chain []byte
	for _, c := range s.chain {
		chain = append(chain, c.Raw...)
	}
	d := signedData{Version: 1, DigestAlgorithms: []pkix.AlgorithmIdentifier{sha}, Certificates: asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: chain}, SignerInfos: []signerInfo{info}}
	d.Content.Type = oidData
	return asn1.Marshal(contentInfo{oidSignedData, d})
}

type imprint struct {
	Algorithm pkix.AlgorithmIdentifier
	Hash      []byte
}

type stampRequest struct {
	Version int
	Imprint imprint
	Nonce   *big.Int
	CertReq bool
}

type stampResponse struct {
	Status struct {
		Status  int
		Strings asn1.RawValue  `asn1:"optional"`
		Failure asn1.BitString `asn1:"optional"`
	}
	Token asn1.RawValue `asn1:"optional"`
}

// stamp has an authority say that a signature was there at its time, and gives its token.
func (s *Signer) stamp(ctx context.Context, signature []byte) ([]byte, error) {
	hash := sha256.Sum256(signature)
	nonce, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 63))
	if err != nil {
		return nil, err
	}
	body, err := asn1.Marshal(stampRequest{1, imprint{pkix.AlgorithmIdentifier{Algorithm: oidSHA256, Parameters: asn1.NullRawValue}, hash[:]}, nonce, true})
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.stamps, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/timestamp-query")
	a, err := s.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = a.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(a.Body, stampRoom))
	if err != nil || a.StatusCode != http.StatusOK {
		return nil, errors.Join(fmt.Errorf("the time stamp authority answered %d", a.StatusCode), err)
	}
	var said stampResponse
	if _, err := asn1.Unmarshal(raw, &said); err != nil {
		return nil, err
	}
	number, err := asn1.Marshal(nonce)
	if err != nil {
		return nil, err
	}
	// 0 is granted, 1 granted with changes. Its answer is about this signature and this request, or it is none.
	if said.Status.Status > 1 || !bytes.Contains(said.Token.FullBytes, hash[:]) || !bytes.Contains(said.Token.FullBytes, number) {
		return nil, fmt.Errorf("the time stamp authority refused (status %d), or stamped something else", said.Status.Status)
	}
	return said.Token.FullBytes, nil
}
