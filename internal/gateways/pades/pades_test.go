package pades_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cursus/internal/domain/certificates"
	"cursus/internal/gateways/pades"
	"cursus/internal/gateways/pdf"
	"cursus/internal/kernel/fault"
)

var at = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func document(t testing.TB) []byte {
	t.Helper()
	r, err := pdf.New()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := r.Certificate(context.Background(), certificates.CertificateFacts{HolderName: "محمد Zoé 王", CourseTitle: "Networks", Issuer: "IMT", IssuedAt: at, Code: "0123456789abcdefghjkmnpqrs", VerificationURL: "https://cursus.test/verify/0", Language: "fr"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// identity writes a certificate and its key into files.
func identity(t testing.TB, key crypto.Signer) (certificate, private string) {
	t.Helper()
	folder := t.TempDir()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(42), Subject: pkix.Name{CommonName: "Institut Mines-Telecom, seal", Organization: []string{"IMT"}, Country: []string{"FR"}}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment | x509.KeyUsageCertSign, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, private = filepath.Join(folder, "c.pem"), filepath.Join(folder, "k.pem")
	for path, b := range map[string]*pem.Block{certificate: {Type: "CERTIFICATE", Bytes: der}, private: {Type: "PRIVATE KEY", Bytes: pkcs8}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(b), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certificate, private
}

// judge asks poppler what it thinks of the signatures of a file.
func judge(t *testing.T, doc []byte) string {
	t.Helper()
	path, err := exec.LookPath("pdfsig")
	if err != nil {
		t.Fatal("pdfsig is missing; install poppler-utils")
	}
	file := filepath.Join(t.TempDir(), "s.pdf")
	if err := os.WriteFile(file, doc, 0o600); err != nil {
		t.Fatal(err)
	}
	out, _ := exec.Command(path, "-nocert", file).CombinedOutput() //nolint:gosec,noctx // a test; it exits with 1 where something is not valid
	return string(out)
}

func keys(t *testing.T) map[string]crypto.Signer {
	t.Helper()
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	e, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]crypto.Signer{"RSA": r, "ECDSA": e}
}

func TestAnotherProgramAcceptsTheSignature(t *testing.T) {
	doc := document(t)
	for name, key := range keys(t) {
		certificate, private := identity(t, key)
		s, err := pades.New(pades.Options{Certificate: certificate, Key: private})
		if err != nil {
			t.Fatal(name, err)
		}
		signed, err := s.Sign(context.Background(), doc, at)
		if err != nil {
			t.Fatal(name, err)
		}
		if !bytes.HasPrefix(signed, doc) {
			t.Error(name, "the document before the signature was changed")
		}
		said := judge(t, signed)
		for _, want := range []string{"Signature is Valid", "ETSI.CAdES.detached", "Institut Mines-Telecom, seal", "Total document signed"} {
			if !strings.Contains(said, want) {
				t.Errorf("%s: %q is not in\n%s", name, want, said)
			}
		}
		signed[len(doc)/2] ^= 1
		if said := judge(t, signed); strings.Contains(said, "Signature is Valid") {
			t.Errorf("%s: a changed file is accepted:\n%s", name, said)
		}
	}
	if said := judge(t, doc); !strings.Contains(said, "does not contain any signatures") {
		t.Error(said)
	}
}

// A transcript has several pages; its signature is accepted too.
func TestATranscriptIsSigned(t *testing.T) {
	r, err := pdf.New()
	if err != nil {
		t.Fatal(err)
	}
	f := certificates.CertificateFacts{
		HolderName: "محمد Zoé 王", Issuer: "IMT", IssuedAt: at, Code: "0123456789abcdefghjkmnpqrs", VerificationURL: "https://cursus.test/verify/0", Language: "fr",
		Transcript: &certificates.Transcript{Records: make([]certificates.Record, 90)},
	}
	doc, err := r.Certificate(context.Background(), f, nil)
	if err != nil {
		t.Fatal(err)
	}
	certificate, private := identity(t, keys(t)["ECDSA"])
	s, err := pades.New(pades.Options{Certificate: certificate, Key: private})
	if err != nil {
		t.Fatal(err)
	}
	signed, err := s.Sign(context.Background(), doc, at)
	if err != nil {
		t.Fatal(err)
	}
	if said := judge(t, signed); !strings.Contains(said, "Signature is Valid") || !strings.Contains(said, "Total document signed") {
		t.Error(said)
	}
}

func TestAKeyOfSomebodyElseIsRefused(t *testing.T) {
	all := keys(t)
	certificate, _ := identity(t, all["RSA"])
	_, private := identity(t, all["ECDSA"])
	for name, o := range map[string]pades.Options{"another key": {Certificate: certificate, Key: private}, "no key": {Certificate: certificate}, "no file": {Certificate: "nowhere.pem", Key: private}} {
		if _, err := pades.New(o); fault.From(err).Code != "bad-signing-certificate" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if s, err := pades.New(pades.Options{}); s != nil || err != nil {
		t.Error("nothing is configured:", s, err)
	}
}

// The authority of this test stamps what it is asked to; its token has the form of one and is signed by nobody.
func TestTheTimeIsStamped(t *testing.T) {
	certificate, private := identity(t, keys(t)["RSA"])
	answer := "granted"
	authority := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked, _ := io.ReadAll(r.Body)
		var q struct {
			Version int
			Imprint asn1.RawValue
			Nonce   *big.Int
			CertReq bool
		}
		if _, err := asn1.Unmarshal(asked, &q); err != nil || r.Header.Get("Content-Type") != "application/timestamp-query" || !q.CertReq {
			t.Errorf("%v %x", err, asked)
		}
		type status struct{ Status int }
		type token struct {
			Imprint asn1.RawValue
			Nonce   *big.Int
		}
		out := struct {
			Status status
			Token  token
		}{Token: token{q.Imprint, q.Nonce}}
		switch answer {
		case "refused":
			out.Status.Status = 2
		case "another":
			out.Token.Nonce = big.NewInt(7)
		case "dark":
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		raw, _ := asn1.Marshal(out)
		_, _ = w.Write(raw)
	}))
	defer authority.Close()
	s, err := pades.New(pades.Options{Certificate: certificate, Key: private, TimeStamps: authority.URL})
	if err != nil {
		t.Fatal(err)
	}
	signed, err := s.Sign(context.Background(), document(t), at)
	if err != nil || !strings.Contains(judge(t, signed), "Signature is Valid") || !bytes.Contains(signed, []byte("060b2a864886f70d010910020e")) { // the token's name
		t.Error("a stamped signature:", err)
	}
	for _, answer = range []string{"refused", "another", "dark"} {
		if _, err := s.Sign(context.Background(), document(t), at); fault.From(err).Code != "document-not-signed" {
			t.Errorf("%s: %v", answer, err)
		}
	}
}

// BenchmarkSign prints a certificate and signs it, on one core (-cpu 1), with a key of each kind.
func BenchmarkSign(b *testing.B) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		b.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	printer, err := pdf.New()
	if err != nil {
		b.Fatal(err)
	}
	facts := certificates.CertificateFacts{HolderName: "Zoé Ndiaye", CourseTitle: "Networks", Issuer: "IMT", IssuedAt: at, Code: "0123456789abcdefghjkmnpqrs", VerificationURL: "https://cursus.test/verify/0", Language: "fr"}
	for name, key := range map[string]crypto.Signer{"rsa-2048": rsaKey, "ecdsa-p256": ecKey} {
		certificate, private := identity(b, key)
		s, err := pades.New(pades.Options{Certificate: certificate, Key: private})
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				doc, err := printer.Certificate(context.Background(), facts, nil)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := s.Sign(context.Background(), doc, at); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "printed-and-signed/s")
		})
	}
}
