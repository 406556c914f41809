package certificates

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"time"

	"github.com/lib/pq"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/paths"
	"cursus/internal/domain/programs"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/idempotency"
	"cursus/internal/platform/postgres"
)

// TranscriptKind is the kind of transcripts: of an edition, for everybody who follows it.
const TranscriptKind = "transcript"

// How a learner stands with a part of a program on a transcript.
const (
	RecordPassed     = "passed"
	RecordNotPassed  = "not_passed" // it was tried, or is over
	RecordInProgress = "in_progress"
	RecordNotBegun   = "not_begun"
)

// Transcript is what a transcript says beside its holder and its issuer, in both languages: each part of the program as it stood that day, also what
// was not passed.
type Transcript struct {
	Heading    catalog.Text `json:"heading"`
	Title      catalog.Text `json:"title"` // of the program
	Records    []Record     `json:"records"`
	Complete   bool         `json:"complete"`             // nothing is missing for the certificate of the program
	ECTSDone   int          `json:"ects_done_hundredths"` // of what is passed
	ECTSNeeded int          `json:"ects_hundredths"`      // of the required part, at least
}

// Record is a course of the program, or the workshops of one.
type Record struct {
	Course         string       `json:"course"` // its key
	Title          catalog.Text `json:"title"`
	Workshop       bool         `json:"workshop"`
	Optional       bool         `json:"optional"`
	Session        string       `json:"session,omitempty"` // key of the session that it was passed in, or is followed in
	By             string       `json:"by,omitempty"`      // key of the other course that it was passed by
	WorkloadHours  int          `json:"workload_hours"`
	ECTSHundredths int          `json:"ects_hundredths"`
	GradePPM       *int         `json:"grade_ppm,omitempty"` // of what it was passed by, otherwise the best so far, in millionths
	State          string       `json:"state"`
	PassedAt       *time.Time   `json:"passed_at,omitempty"`
}

// Transcribe gives a learner the transcript of an edition (id or key) that she follows, as it stands now, once per key. Where one says the same it is
// that one; one that says something else is replaced. Errors: paths.ErrNotMember; of no such edition, that of programs.
func (s *Service) Transcribe(ctx context.Context, key, learnerID, edition string) (Certificate, error) {
	by := postgres.Actor(ctx)
	return s.give(postgres.WithActor(ctx, "system"), by, key, Earned{Kind: TranscriptKind, LearnerID: learnerID, Edition: edition})
}

// give awards once per key of somebody.
func (s *Service) give(ctx context.Context, by, key string, e Earned) (Certificate, error) {
	request, err := json.Marshal(e)
	if err != nil {
		return Certificate{}, err
	}
	reply, _, err := s.replies.Do(ctx, by, key, "award certificate "+string(request), func(ctx context.Context, tx *postgres.Tx) (idempotency.Reply, error) {
		what, err := subjectTx(ctx, tx, e)
		if err != nil {
			return idempotency.Reply{}, err
		}
		var c Certificate
		if what.kind.Stage == Followed {
			c, err = s.transcribeTx(ctx, tx, what)
		} else {
			c, err = s.awardTx(ctx, tx, what, false)
		}
		return idempotency.Reply{Status: http.StatusCreated, Body: []byte(c.ID)}, err
	})
	if err != nil {
		return Certificate{}, err
	}
	return s.Certificate(ctx, string(reply.Body))
}

// transcribeTx gives the transcript that says how things stand: the live one where it does, otherwise a new one in its place.
func (s *Service) transcribeTx(ctx context.Context, tx *postgres.Tx, what subject) (Certificate, error) {
	c, err := s.draftTx(ctx, tx, what)
	if err != nil {
		return c, err
	}
	var live []string
	if err := tx.Select(ctx, &live, q.Q("Live"), c.LearnerID, c.Kind, c.EditionID); err != nil {
		return c, err
	}
	for _, id := range live {
		old, err := lockTx(ctx, tx, id)
		if err != nil {
			return c, err
		}
		if old.State() != StateValid { // another one was faster
			continue
		}
		if says(old.Facts, c.Facts) {
			return old, nil
		}
		c.ReplacesID = old.ID
		return c, s.replaceTx(ctx, tx, c, what.kind, "as it stands now")
	}
	return c, s.keepTx(ctx, tx, c, what.kind, "", false)
}

// says tells whether two transcripts say the same: all but when they were issued, and under which code.
func says(a, b CertificateFacts) bool {
	a.IssuedAt, a.Code, a.VerificationURL, a.ReissuedAt = b.IssuedAt, b.Code, b.VerificationURL, b.ReissuedAt
	return reflect.DeepEqual(asKept(a), asKept(b))
}

// asKept are facts as they come back from where they are kept.
func asKept(f CertificateFacts) (out any) {
	raw, err := json.Marshal(f)
	if err != nil || json.Unmarshal(raw, &out) != nil {
		return nil // never: facts are kept as JSON
	}
	return out
}

// replaceTx keeps a certificate in the place of the one that it replaces.
func (s *Service) replaceTx(ctx context.Context, tx *postgres.Tx, c Certificate, k Kind, reason string) error {
	if _, err := tx.Exec(ctx, q.Q("Replace"), c.ReplacesID, tx.Now()); err != nil {
		return err
	}
	if err := changeTx(ctx, tx, c.ReplacesID, "replaced", reason); err != nil {
		return err
	}
	if err := s.keepTx(ctx, tx, c, k, reason, false); err != nil {
		return err
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "certificate.replaced", Object: c.ReplacesID, Detail: map[string]string{"by": c.ID, "reason": reason}, Before: map[string]string{"state": StateValid}, After: map[string]string{"state": StateReplaced}})
}

// transcriptTx says how each part of a program stands for a learner.
func transcriptTx(ctx context.Context, tx *postgres.Tx, k Kind, way paths.Answer) (*Transcript, error) {
	t := &Transcript{Heading: k.Heading, Title: way.Content.Title, Complete: way.Path.Complete, ECTSDone: way.Path.ECTSDone, ECTSNeeded: way.Path.Totals.ECTSHundredths.Min, Records: []Record{}}
	courses := map[string]programs.CoursePath{}
	keys := make([]string, len(way.Path.Courses))
	for i, c := range way.Path.Courses {
		courses[c.Course], keys[i] = c, c.Course
	}
	t.note(way.Content.Parts, way.Path.Requirements.Parts, courses)
	for _, r := range t.Records {
		keys = append(keys, r.Course) // workshops may be of courses that the program does not ask for
	}
	var rows []struct {
		Key string `db:"key"`
		EN  string `db:"title_en"`
		FR  string `db:"title_fr"`
	}
	if err := tx.Select(ctx, &rows, q.Q("CourseTitles"), pq.Array(keys)); err != nil {
		return nil, err
	}
	titles := map[string]catalog.Text{}
	for _, r := range rows {
		titles[r.Key] = catalog.Text{EN: r.EN, FR: r.FR}
	}
	for i, r := range t.Records {
		if t.Records[i].Title = titles[r.Course]; titles[r.Course] == (catalog.Text{}) {
			t.Records[i].Title = catalog.Text{EN: r.Course, FR: r.Course}
		}
	}
	return t, nil
}

// note writes a record for each part, in the order of the program; the requirements stand in the same order.
func (t *Transcript) note(parts []programs.Node, kept []programs.Requirement, courses map[string]programs.CoursePath) {
	for i, n := range parts {
		switch {
		case n.Group != nil:
			t.note(n.Group.Parts, kept[i].Parts, courses)
		case n.Course != nil:
			t.Records = append(t.Records, recordOf(courses[n.Course.Key]))
		case n.Workshop != nil:
			r := Record{Course: n.Workshop.Key, Workshop: true, Optional: n.Workshop.Optional, WorkloadHours: n.Workshop.WorkloadHours, ECTSHundredths: n.Workshop.ECTSHundredths, State: RecordNotPassed}
			if kept[i].Done {
				r.State = RecordPassed
			}
			t.Records = append(t.Records, r)
		}
	}
}

// recordOf says how a course stands. One that was tried and is not open any more was not passed, and so was one that is over.
func recordOf(c programs.CoursePath) Record {
	r := Record{Course: c.Course, Optional: c.Optional, Session: c.Session, WorkloadHours: c.WorkloadHours, ECTSHundredths: c.ECTSHundredths, GradePPM: c.GradePPM}
	switch {
	case c.Credit != nil:
		r.State, r.Session, r.GradePPM = RecordPassed, c.Credit.Session, c.Credit.Result.GradePPM
		if c.Credit.Equivalent {
			r.By = c.Credit.Course
		}
		if at := c.Credit.Result.At.UTC(); c.Credit.Result.Passed {
			r.PassedAt = &at
		}
	case c.Standing == programs.Open:
		r.State = RecordInProgress
	case c.GradePPM != nil || over(c.Reasons):
		r.State = RecordNotPassed
	default:
		r.State = RecordNotBegun
	}
	return r
}

func over(reasons []programs.Reason) bool {
	return slices.ContainsFunc(reasons, func(r programs.Reason) bool { return r.Code == programs.Over })
}

// example is a transcript with made-up records, for a preview.
func (k Kind) example() *Transcript {
	grade, low, at := 870_000, 410_000, time.Date(2026, 2, 27, 9, 0, 0, 0, time.UTC)
	return &Transcript{
		Heading: k.Heading, Title: catalog.Text{EN: "Principles of data networks", FR: "Principes des réseaux de données"}, ECTSDone: 600, ECTSNeeded: 1200,
		Records: []Record{
			{Course: "PRD", Title: catalog.Text{EN: "Data networks", FR: "Réseaux de données"}, Session: "PRD-9", WorkloadHours: 150, ECTSHundredths: 600, GradePPM: &grade, State: RecordPassed, PassedAt: &at},
			{Course: "FTTH", Title: catalog.Text{EN: "Optical access", FR: "Accès optique"}, Session: "FTTH-2", WorkloadHours: 150, ECTSHundredths: 600, GradePPM: &low, State: RecordNotPassed},
		},
	}
}

// stillTrue says whether everything that a transcript calls passed is passed still.
func (t *Transcript) stillTrue(now *Transcript) bool {
	passed := map[string]bool{}
	for _, r := range now.Records {
		passed[r.key()] = r.State == RecordPassed
	}
	for _, r := range t.Records {
		if r.State == RecordPassed && !passed[r.key()] {
			return false
		}
	}
	return true
}

func (r Record) key() string {
	if r.Workshop {
		return r.Course + " workshops"
	}
	return r.Course
}
