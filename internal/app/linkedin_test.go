package app

import (
	"net/url"
	"testing"
	"time"

	"cursus/internal/domain/certificates"
)

// The link with which somebody adds a certificate to her profile says what is printed on it, and nothing of her: a name or an address in it would be told
// to others by a click.
func TestTheLinkToAProfileSaysWhatIsPrinted(t *testing.T) {
	c := certificates.Certificate{Code: "7qx4-pm2k", IssuedAt: time.Date(2026, 3, 1, 0, 30, 0, 0, time.FixedZone("", 3600)), Facts: certificates.CertificateFacts{
		HolderName: "Zoé N’Diaye", CourseTitle: "Réseaux & données", Issuer: "IMT", VerificationURL: "https://cursus.test/verify/7qx4-pm2k",
	}}
	u, err := url.Parse(linkedIn(c))
	if err != nil || u.Scheme != "https" || u.Host != "www.linkedin.com" || u.Path != "/profile/add" {
		t.Fatal(u, err)
	}
	want := url.Values{
		"startTask": {"CERTIFICATION_NAME"}, "name": {"Réseaux & données"}, "organizationName": {"IMT"}, "certId": {"7qx4-pm2k"}, "certUrl": {"https://cursus.test/verify/7qx4-pm2k"},
		"issueYear": {"2026"}, "issueMonth": {"2"},
	}
	if got := u.Query().Encode(); got != want.Encode() {
		t.Errorf("%s, want %s", got, want.Encode())
	}
}
