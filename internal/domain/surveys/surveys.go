// Package surveys knows what learners say of a session and what they write in its forum.
//
// A questionnaire belongs to a session: one before it (opening) and one after it (closing). Staff write it as a working copy and publish it;
// a published version never changes. Learners answer on a page of ours, or their answers come as the file of another tool. Each time that
// somebody answers is a row of its own, so that any past date can be asked again. Of the posts of a forum everything is kept but their words,
// which stand in the file as it came alone, as long as that is kept.
package surveys

import (
	"context"
	_ "embed"

	"cursus/internal/domain/catalog"
	"cursus/internal/platform/postgres"
)

//go:embed queries.sql
var queriesSQL string

var q = postgres.MustLoad("surveys", queriesSQL)

// Service is the room.
type Service struct{ db *postgres.DB }

// New opens the room.
func New(db *postgres.DB) *Service { return &Service{db: db} }

// Moment is when a questionnaire is answered.
type Moment string

// The moments.
const (
	Opening Moment = "opening"
	Closing Moment = "closing"
)

// Moments lists them.
func Moments() []Moment { return []Moment{Opening, Closing} }

// Kind is what a question asks for.
type Kind string

// The kinds. A skill is a scale of 0 to 10 for how well somebody masters it: before the session and, in a closing questionnaire, after it too.
// Satisfaction and recommend are scales of 0 to 10.
const (
	Skill        Kind = "skill"
	Satisfaction Kind = "satisfaction"
	Recommend    Kind = "recommend"
	Single       Kind = "single"
	Multiple     Kind = "multiple"
	Words        Kind = "text"
)

// Kinds lists them.
func Kinds() []Kind { return []Kind{Skill, Satisfaction, Recommend, Single, Multiple, Words} }

// The parts of a skill.
const (
	Before = "before"
	After  = "after"
)

// Scale is the largest value of a scale; the smallest is 0.
const Scale = 10

// maxWords is how many characters a free text has at most.
const maxWords = 4000

func session(ctx context.Context, tx *postgres.Tx, idOrKey string) (catalog.Session, error) {
	return catalog.SessionTx(ctx, tx, idOrKey)
}

// Checks are this room's invariants.
func Checks() []postgres.Check {
	return []postgres.Check{
		{Invariant: "18", Name: "who answers or posts is enrolled in the session that it is about", Query: q.Q("CheckTheyAreEnrolled")},
		{Invariant: "18", Name: "what people answer was asked by the version that they answered", Query: q.Q("CheckAnswersWereAsked")},
	}
}
