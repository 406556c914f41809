package badges

import (
	"fmt"
	"strings"
	"time"

	"cursus/internal/domain/certificates"
)

// The contexts and the schema of Open Badges 3.0.
const (
	contextVC = "https://www.w3.org/ns/credentials/v2"
	contextOB = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
	schemaOB  = "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_achievementcredential_schema.json"
)

// credential is an OpenBadgeCredential (Open Badges 3.0, B.1.1) with the claims that its JSON Web Token format asks for (8.2.4.1).
type credential struct {
	claims
	Context   []string  `json:"@context"`
	At        string    `json:"id"`
	Type      []string  `json:"type"`
	Name      string    `json:"name"`
	By        Profile   `json:"issuer"`
	ValidFrom time.Time `json:"validFrom"`
	Of        holding   `json:"credentialSubject"`
	Status    status    `json:"credentialStatus"`
	Schema    []schema  `json:"credentialSchema"`
	Evidence  []piece   `json:"evidence"`
}

type holding struct {
	ID          string      `json:"id"`
	Type        []string    `json:"type"`
	Identifier  []identity  `json:"identifier"`
	Achievement achievement `json:"achievement"`
	Result      []result    `json:"result,omitempty"`
}

// identity says who holds the badge: her name, as it is printed. No address and no id of hers is in it.
type identity struct {
	Type         string `json:"type"`
	Hashed       bool   `json:"hashed"`
	IdentityHash string `json:"identityHash"`
	IdentityType string `json:"identityType"`
}

type achievement struct {
	ID          string        `json:"id"`
	Type        []string      `json:"type"`
	Kind        string        `json:"achievementType"`
	Name        string        `json:"name"`
	Description string        `json:"description"`
	Criteria    criteria      `json:"criteria"`
	Language    string        `json:"inLanguage"`
	Results     []description `json:"resultDescription,omitempty"`
}

type criteria struct {
	Narrative string `json:"narrative"`
}

type description struct {
	ID   string   `json:"id"`
	Type []string `json:"type"`
	Name string   `json:"name"`
	Kind string   `json:"resultType"`
}

type result struct {
	Type        []string `json:"type"`
	Description string   `json:"resultDescription"`
	Value       string   `json:"value"`
}

type status struct {
	ID      string `json:"id"`
	Type    string `json:"type"`
	Purpose string `json:"statusPurpose"`
	Index   string `json:"statusListIndex"`
	List    string `json:"statusListCredential"`
}

type schema struct {
	ID   string `json:"id"`
	Type string `json:"type"`
}

type piece struct {
	ID   string   `json:"id"`
	Type []string `json:"type"`
	Name string   `json:"name"`
}

// wording is what a badge says of a kind of certificates.
type wording struct{ description, criteria string }

// said are the sentences of a badge, in the languages of certificates.
var said = map[string]struct {
	exam, course, program wording
	grade, demo, evidence string
}{
	"en": {
		wording{"%s, session %s.", "The exam of the course was passed under supervision, and what its formula %s asks for was done."},
		wording{"%s, session %s.", "The grade that the course asks for was reached, by its formula %s."},
		wording{"%s, edition %s.", "All that the program asks for was done, by its formula %s."},
		"Grade", "Demonstration, not a real certificate: ", "Verification of the certificate",
	},
	"fr": {
		wording{"%s, session %s.", "L’examen du cours a été réussi sous surveillance, et ce que demande la formule %s a été fait."},
		wording{"%s, session %s.", "La note que demande le cours a été atteinte, par la formule %s."},
		wording{"%s, édition %s.", "Tout ce que demande le programme a été fait, par la formule %s."},
		"Note", "Démonstration, pas un vrai certificat : ", "Vérification du certificat",
	},
}

// credential says of a certificate what is printed on it. p is where its list says whether it still holds.
func (s *Service) credential(c certificates.Certificate, p place) credential {
	f := c.Facts
	words, ok := said[f.Language]
	if !ok {
		f.Language, words = "en", said["en"]
	}
	says, of := words.exam, "/sessions/"
	switch {
	case c.EditionID != "":
		says, of = words.program, "/editions/"
	case c.SittingID == "":
		says = words.course
	}
	name := f.CourseTitle
	if f.Demo {
		name = words.demo + name
	}
	at, from := s.at("credentials/"+c.Code), f.IssuedAt.UTC().Truncate(time.Second)
	out := credential{
		Context: []string{contextVC, contextOB}, At: at, Type: []string{"VerifiableCredential", "OpenBadgeCredential"}, Name: name, By: s.profile(f.Issuer), ValidFrom: from,
		Of: holding{
			ID: at + "#holder", Type: []string{"AchievementSubject"},
			Identifier: []identity{{Type: "IdentityObject", IdentityHash: f.HolderName, IdentityType: "name"}},
			Achievement: achievement{
				ID: s.issuer.BaseURL + of + f.Session, Type: []string{"Achievement"}, Kind: "Certificate", Name: name, Language: f.Language,
				Description: fmt.Sprintf(says.description, name, f.Session), Criteria: criteria{fmt.Sprintf(says.criteria, f.Formula)},
			},
		},
		Status:   s.status(p),
		Schema:   []schema{{schemaOB, "1EdTechJsonSchemaValidator2019"}},
		Evidence: []piece{{f.VerificationURL, []string{"Evidence"}, words.evidence}},
	}
	if f.Grade != "" {
		of := out.Of.Achievement.ID + "#grade"
		out.Of.Achievement.Results = []description{{of, []string{"ResultDescription"}, words.grade, "Percent"}}
		out.Of.Result = []result{{[]string{"Result"}, of, strings.TrimRight(f.Grade, "\u00a0 %")}}
	}
	out.claims = claims{Issuer: out.By.ID, ID: out.At, Subject: out.Of.ID, NotBefore: from.Unix()}
	return out
}
