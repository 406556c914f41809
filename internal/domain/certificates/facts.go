package certificates

import (
	"context"
	"time"
)

// CertificateFacts is everything that is printed. It is stored before anything is rendered, so that the same certificate
// can be printed again, byte for byte, after a name, a title or a layout has changed elsewhere.
type CertificateFacts struct {
	Kind            string     `json:"kind"`              // what is certified; "achievement" is what "qualifying" was called first
	Heading         string     `json:"heading,omitempty"` // empty: that of the layout in templates/
	Reason          string     `json:"reason,omitempty"`  // the line over the title; empty: as above
	HolderName      string     `json:"holder_name"`
	CourseTitle     string     `json:"course_title"` // or the title of the program
	Session         string     `json:"session"`      // its key, or that of the edition
	Formula         string     `json:"formula"`
	Issuer          string     `json:"issuer"`
	Partners        []string   `json:"partners,omitempty"` // who certifies together with the issuer
	Grade           string     `json:"grade"`              // as printed, such as "87 %"; empty prints no grade line
	Hours           int        `json:"hours,omitempty"`    // of work
	ECTSHundredths  int        `json:"ects_hundredths,omitempty"`
	IssuedAt        time.Time  `json:"issued_at"`
	ReissuedAt      *time.Time `json:"reissued_at,omitempty"` // when it took the place of another one
	Code            string     `json:"code"`
	VerificationURL string     `json:"verification_url"`
	Signatory       string     `json:"signatory"` // of the house, where the look names nobody
	Language        string     `json:"language"`  // en or fr; anything else is printed in English
	Demo            bool       `json:"demo"`
	Look            Look       `json:"look,omitzero"`

	Transcript *Transcript `json:"transcript,omitempty"` // where it is one
}

// Look is the part of a layout that is printed, in the language of the certificate. The zero value is the house's own.
type Look struct {
	Accent     string   `json:"accent,omitempty"` // "#rrggbb"
	Line       string   `json:"line,omitempty"`
	Logos      []string `json:"logos,omitempty"` // hashes of images
	Signatures []Signed `json:"signatures,omitempty"`
}

// Signed is one signature.
type Signed struct {
	Name         string `json:"name"`
	Role         string `json:"role,omitempty"`
	Organisation string `json:"organisation,omitempty"`
	Image        string `json:"image,omitempty"` // hash
}

// images are the hashes of what a look shows.
func (l Look) images() (all []string) {
	all = append(all, l.Logos...)
	for _, s := range l.Signatures {
		if s.Image != "" {
			all = append(all, s.Image)
		}
	}
	return all
}

// Images are PNGs by their hash.
type Images map[string][]byte

// Signer signs a document. What it signed is never signed again.
type Signer interface {
	Sign(ctx context.Context, doc []byte, at time.Time) ([]byte, error)
}

// Renderer sets facts on paper. The same facts give the same bytes.
type Renderer interface {
	Certificate(ctx context.Context, f CertificateFacts, images Images) ([]byte, error)
	// Preview is the same page as an SVG, for a browser to show beside the form of a layout.
	Preview(ctx context.Context, f CertificateFacts, images Images) ([]byte, error)
}
