// Package certificates owns what a certificate says; the renderer only sets it on paper.
package certificates

import (
	"context"
	"time"
)

// CertificateFacts is everything that is printed. It is stored before anything is rendered, so that the same certificate
// can be printed again, byte for byte, after a name or a title has changed elsewhere.
type CertificateFacts struct {
	Kind            string    `json:"kind"` // what is certified; only "achievement" is printed so far
	HolderName      string    `json:"holder_name"`
	CourseTitle     string    `json:"course_title"`
	Session         string    `json:"session"`
	Formula         string    `json:"formula"`
	Issuer          string    `json:"issuer"`
	Grade           string    `json:"grade"` // as printed, such as "87 %"; empty prints no grade line
	IssuedAt        time.Time `json:"issued_at"`
	Code            string    `json:"code"`
	VerificationURL string    `json:"verification_url"`
	Signatory       string    `json:"signatory"`
	Language        string    `json:"language"` // en or fr; anything else is printed in English
	Demo            bool      `json:"demo"`
}

// Renderer sets facts on paper. The same facts give the same bytes.
type Renderer interface {
	Certificate(ctx context.Context, f CertificateFacts) ([]byte, error)
}
