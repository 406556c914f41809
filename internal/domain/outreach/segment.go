package outreach

import (
	"context"
	"slices"
	"strings"

	"cursus/internal/books/journey"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/privacy"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/platform/postgres"

	"github.com/lib/pq"
)

// Segment says who an announcement goes to: those who were enrolled in a session of a collection, of a course, or in one session, and, where
// it is said, how far they came in it and by which formula. All that is said must hold of the same enrolment.
type Segment struct {
	Collection string `json:"collection,omitempty"` // key
	Course     string `json:"course,omitempty"`     // key
	Session    string `json:"session,omitempty"`    // key
	Stage      string `json:"stage,omitempty"`      // of the journey, which she reached at some time
	Formula    string `json:"formula,omitempty"`    // by which she was enrolled
}

// masks are the stages that a segment can ask for, as the journey keeps them. Diligent is by the first exercise of week 1 and of week 2.
var masks = map[string]journey.State{
	"started":     journey.State(0).With(journey.Started, true),
	"diligent":    journey.State(0).With(journey.Week1First, true).With(journey.Week2First, true),
	"succeeded":   journey.State(0).With(journey.Succeeded, true),
	"qualifying":  journey.State(0).With(journey.Qualifying, true),
	"exam_passed": journey.State(0).With(journey.ExamPassed, true),
	"certified":   journey.State(0).With(journey.Certified, true),
}

// Stages are those that a segment can ask for, in the order of a journey.
func Stages() []string {
	return []string{"started", "diligent", "succeeded", "qualifying", "exam_passed", "certified"}
}

func (g Segment) checkTx(ctx context.Context, tx *postgres.Tx, refuse func(pointer, code, detail string)) error {
	if g.Collection == "" && g.Course == "" && g.Session == "" {
		refuse("/segment", "too-wide", "A collection, a course or a session.")
	}
	if g.Stage != "" && !slices.Contains(Stages(), g.Stage) {
		refuse("/segment/stage", "unknown-stage", "One of "+strings.Join(Stages(), ", ")+".")
	}
	var known struct {
		Collection bool `db:"collection"`
		Formula    bool `db:"formula"`
	}
	if err := tx.Get(ctx, &known, q.Q("SegmentKnown"), g.Collection, g.Formula); err != nil {
		return err
	}
	if !known.Collection {
		refuse("/segment/collection", "no-such-collection", "There is no such collection.")
	}
	if !known.Formula {
		refuse("/segment/formula", "no-such-formula", "There is no such formula.")
	}
	missing := func(pointer string, err error) error {
		if f := fault.From(err); err != nil && f.Kind == fault.NotFound {
			refuse(pointer, f.Code, f.Detail)
			return nil
		}
		return err
	}
	if g.Course != "" {
		_, err := catalog.CourseTx(ctx, tx, g.Course)
		if err := missing("/segment/course", err); err != nil {
			return err
		}
	}
	if g.Session != "" {
		_, err := catalog.SessionTx(ctx, tx, g.Session)
		return missing("/segment/session", err)
	}
	return nil
}

// candidate is somebody whom a campaign may write to.
type candidate struct {
	PersonID string `db:"person_id"`
	Email    string `db:"email"`
	Customer bool   `db:"customer"` // she ordered something here, free or not
	Dead     bool   `db:"dead"`     // her address was refused for good
	Standing string `db:"-"`
	facts    string
	heldOut  bool
}

// Why somebody is skipped.
const (
	noAddress   = "no_address"
	deadAddress = "dead_address"
	noConsent   = "no_consent"
	refusal     = "refused"
	settled     = "settled" // of an exam or a questionnaire: she booked or answered it meanwhile, or can do so no more
)

// verdict says why somebody is not written to; empty: she is. Her last word counts. Where she never said any, a customer may be written to:
// the address came with her order, what is announced is of the same kind, and each mail lets her refuse (the README says by which law).
// Who came with a grade report of another platform is no customer, and is written to only if she said yes.
func (c candidate) verdict(words map[string]bool) string {
	yes, said := words[c.PersonID]
	switch {
	case c.Email == "":
		return noAddress
	case c.Dead:
		return deadAddress
	case said && !yes:
		return refusal
	case !said && !c.Customer:
		return noConsent
	}
	return ""
}

// audienceTx finds out about people whom a campaign may write to.
func audienceTx(ctx context.Context, tx *postgres.Tx, people []string) (all []candidate, err error) {
	return all, tx.Select(ctx, &all, q.Q("Audience"), pq.Array(people))
}

// snapshotTx writes down the recipients of a campaign that begins. Who is found twice, or was before, is one.
func snapshotTx(ctx context.Context, tx *postgres.Tx, campaignID string, kind Kind, people []candidate) error {
	ids := make([]string, len(people))
	for i, c := range people {
		ids[i] = c.PersonID
	}
	words, err := privacy.WordsTx(ctx, tx, kind.purpose(), ids...)
	if err != nil {
		return err
	}
	n := len(people)
	rows, states, because, standings, facts := make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	for i, c := range people {
		rows[i], standings[i], states[i], facts[i] = ident.New("rcp"), c.Standing, waiting, "{}"
		if c.facts != "" {
			facts[i] = c.facts
		}
		switch because[i] = c.verdict(words); {
		case because[i] != "":
			states[i] = skipped
		case c.heldOut:
			states[i] = heldOut
		}
	}
	_, err = tx.Exec(ctx, q.Q("AddRecipients"), campaignID, tx.Now(), pq.Array(rows), pq.Array(ids), pq.Array(states), pq.Array(because), pq.Array(standings), pq.Array(facts))
	return err
}
