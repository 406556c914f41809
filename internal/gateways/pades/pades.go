// Package pades signs PDF documents as PAdES baseline signatures (ETSI EN 319 142-1, B-B; B-T with a time stamp), with a certificate that the
// institution has from its provider.
//
// The signature is an update at the end of the file: the document before it stays byte for byte what was rendered. The libraries that are kept and
// can be had sign as adbe.pkcs7.detached, which is not PAdES; the CMS structure is small, and the standard library has what it is made of.
package pades

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"time"

	"cursus/internal/kernel/fault"
)

// Faults of signing.
var (
	ErrConfig = fault.New(fault.Internal, "bad-signing-certificate", "The certificate that signs documents, or its key, cannot be used.")
	ErrSign   = fault.New(fault.Unavailable, "document-not-signed", "The document could not be signed now. It will be tried again.")
)

// Options name the certificate. Without a certificate nothing is signed.
type Options struct {
	Certificate string // path of a PEM file: the certificate, then those that lead to its root
	Key         string // path of a PEM file: its private key, RSA or ECDSA
	TimeStamps  string // address of a time stamp authority (RFC 3161); empty: the time is our own claim
	Client      *http.Client
}

// Signer signs documents.
type Signer struct {
	chain  []*x509.Certificate
	key    crypto.Signer
	stamps string
	client *http.Client
}

// New reads the certificate; nil where none is named. Error: ErrConfig.
func New(o Options) (*Signer, error) {
	if o.Certificate == "" {
		return nil, nil //nolint:nilnil // no certificate is a legal state: documents are then unsigned, and say so
	}
	s := &Signer{stamps: o.TimeStamps, client: o.Client}
	if s.client == nil {
		s.client = &http.Client{Timeout: 10 * time.Second}
	}
	raw, err := os.ReadFile(o.Certificate)
	if err != nil {
		return nil, ErrConfig.Because(err)
	}
	for b, rest := pem.Decode(raw); b != nil; b, rest = pem.Decode(rest) {
		c, err := x509.ParseCertificate(b.Bytes)
		if err != nil {
			return nil, ErrConfig.Because(err)
		}
		s.chain = append(s.chain, c)
	}
	if raw, err = os.ReadFile(o.Key); err != nil {
		return nil, ErrConfig.Because(err)
	}
	if s.key, err = keyOf(raw); err != nil {
		return nil, ErrConfig.Because(err)
	}
	if len(s.chain) == 0 || !samePublic(s.chain[0].PublicKey, s.key.Public()) {
		return nil, ErrConfig.Detailf("The key is not that of the certificate.")
	}
	return s, nil
}

func keyOf(raw []byte) (crypto.Signer, error) {
	b, _ := pem.Decode(raw)
	if b == nil {
		return nil, errors.New("no PEM block")
	}
	if k, err := x509.ParsePKCS1PrivateKey(b.Bytes); err == nil {
		return k, nil
	}
	if k, err := x509.ParseECPrivateKey(b.Bytes); err == nil {
		return k, nil
	}
	k, err := x509.ParsePKCS8PrivateKey(b.Bytes)
	if err != nil {
		return nil, err
	}
	switch k := k.(type) {
	case *rsa.PrivateKey:
		return k, nil
	case *ecdsa.PrivateKey:
		return k, nil
	}
	return nil, fmt.Errorf("a key of type %T", k)
}

func samePublic(a, b crypto.PublicKey) bool {
	e, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && e.Equal(b)
}

var (
	startOf = regexp.MustCompile(`startxref\s+(\d+)\s+%%EOF\s*$`)
	sizeOf  = regexp.MustCompile(`/Size (\d+)`)
	rootOf  = regexp.MustCompile(`/Root (\d+) 0 R`)
	infoOf  = regexp.MustCompile(`/Info (\d+) 0 R`)
	pageOf  = regexp.MustCompile(`(?m)^(\d+) 0 obj\s*<<\s*/Type /Page\s`)
)

// object gives what stands between the angle brackets of an object that our renderer wrote.
func object(doc []byte, number int) ([]byte, error) {
	from := bytes.Index(doc, fmt.Appendf(nil, "\n%d 0 obj", number))
	if from < 0 {
		return nil, fmt.Errorf("object %d is not there", number)
	}
	rest := doc[from:]
	open, end := bytes.Index(rest, []byte("<<")), bytes.Index(rest, []byte("endobj"))
	if open < 0 || end < open {
		return nil, fmt.Errorf("object %d is no dictionary", number)
	}
	last := bytes.LastIndex(rest[:end], []byte(">>"))
	return rest[open+2 : last], nil
}

func number(re *regexp.Regexp, in []byte) (int, error) {
	m := re.FindSubmatch(in)
	if m == nil {
		return 0, fmt.Errorf("%s is not there", re)
	}
	return strconv.Atoi(string(m[1]))
}

// The length of the byte range in the file, with room for any numbers, and what a signature takes beside its certificates: the time stamp has its own.
const (
	rangeRoom = "[0 0000000000 0000000000 0000000000]"
	baseRoom  = 3000
	stampRoom = 12000
)

// Sign appends a signature to a document of our renderer. at is when it was issued, which the signature claims; a time stamp authority says when it
// was made. Error: ErrSign.
func (s *Signer) Sign(ctx context.Context, doc []byte, at time.Time) ([]byte, error) {
	out, hole, err := s.prepared(doc, at)
	if err != nil {
		return nil, ErrSign.Because(err)
	}
	from, to := hole, hole+2*s.room()+2
	said := fmt.Sprintf("[0 %d %d %d]", from, to, len(out)-to)
	place := bytes.LastIndex(out, []byte(rangeRoom))
	copy(out[place:], fmt.Sprintf("%-*s", len(rangeRoom), said))
	h := sha256.New()
	h.Write(out[:from])
	h.Write(out[to:])
	cms, err := s.cms(ctx, h.Sum(nil))
	if err != nil {
		return nil, ErrSign.Because(err)
	}
	if len(cms) > s.room() {
		return nil, ErrSign.Because(fmt.Errorf("the signature takes %d bytes of %d", len(cms), s.room()))
	}
	hex.Encode(out[from+1:], cms)
	return out, nil
}

func (s *Signer) room() int {
	n := baseRoom
	for _, c := range s.chain {
		n += len(c.Raw)
	}
	if s.stamps != "" {
		n += stampRoom
	}
	return n
}

// prepared appends the signature's objects with a hole for it, and says where the hole begins.
func (s *Signer) prepared(doc []byte, at time.Time) (out []byte, hole int, err error) {
	start, e1 := number(startOf, doc)
	trailer := doc[bytes.LastIndex(doc, []byte("trailer"))+1:]
	size, e2 := number(sizeOf, trailer)
	root, e3 := number(rootOf, trailer)
	info, e4 := number(infoOf, trailer)
	page, e5 := number(pageOf, doc)
	if err := errors.Join(e1, e2, e3, e4, e5); err != nil {
		return nil, 0, err
	}
	catalog, e1 := object(doc, root)
	sheet, e2 := object(doc, page)
	if err := errors.Join(e1, e2); err != nil {
		return nil, 0, err
	}
	b := bytes.NewBuffer(append(make([]byte, 0, len(doc)+2*s.room()+4096), doc...))
	if !bytes.HasSuffix(doc, []byte("\n")) {
		b.WriteByte('\n')
	}
	places := map[int]int{}
	put := func(n int, format string, args ...any) {
		places[n] = b.Len()
		fmt.Fprintf(b, "%d 0 obj\n", n)
		fmt.Fprintf(b, format, args...)
		b.WriteString("\nendobj\n")
	}
	signature, field := size, size+1
	places[signature] = b.Len()
	fmt.Fprintf(b, "%d 0 obj\n<</Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached /M (D:%s) /ByteRange %s /Contents ", signature, at.UTC().Format("20060102150405Z"), rangeRoom)
	hole = b.Len()
	b.WriteByte('<')
	b.Write(bytes.Repeat([]byte("0"), 2*s.room()))
	b.WriteString(">>>\nendobj\n")
	put(field, "<</Type /Annot /Subtype /Widget /FT /Sig /T (Signature) /V %d 0 R /Rect [0 0 0 0] /F 132 /P %d 0 R>>", signature, page)
	put(root, "<<%s\n/AcroForm <</Fields [%d 0 R] /SigFlags 3>>>>", bytes.TrimSpace(catalog), field)
	put(page, "<<%s\n/Annots [%d 0 R]>>", bytes.TrimSpace(sheet), field)
	table := b.Len()
	b.WriteString("xref\n")
	for _, n := range []int{page, root} {
		fmt.Fprintf(b, "%d 1\n%010d 00000 n \n", n, places[n])
	}
	fmt.Fprintf(b, "%d 2\n%010d 00000 n \n%010d 00000 n \n", signature, places[signature], places[field])
	fmt.Fprintf(b, "trailer\n<</Size %d /Root %d 0 R /Info %d 0 R /Prev %d>>\nstartxref\n%d\n%%%%EOF\n", size+2, root, info, start, table)
	return b.Bytes(), hole, nil
}
