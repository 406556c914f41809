package gradebook

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"unicode"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/identity"
	"cursus/internal/platform/postgres"
)

// What an intake can change of a learner beside her scores.
const (
	IsNew    = "new"
	IsBack   = "back"
	HasLeft  = "left"
	IsScored = "scores" // her scores alone
)

// LearnerChange is what an intake changes of one learner: whether she is there, and how many of her scores went which way.
type LearnerChange struct {
	EnrolmentID string `json:"enrolment"`
	Line        int    `json:"line"`    // of the file; 0: it does not name her
	Learner     string `json:"learner"` // as the file calls her; her name where it does not
	Change      string `json:"change"`
	First       int    `json:"first"` // where there was none
	Raised      int    `json:"raised"`
	Lowered     int    `json:"lowered"`
	Dropped     int    `json:"dropped"` // to nought, or taken back
}

// tell gives what is said of an enrolment.
func (k *intake) tell(id string) *LearnerChange {
	if k.told[id] == nil {
		k.told[id] = &LearnerChange{EnrolmentID: id, Change: IsScored}
	}
	return k.told[id]
}

// differences lists of whom the intake changes something: who left first, then whose scores dropped, as somebody has to look at these.
func (k *intake) differences(ctx context.Context) ([]LearnerChange, error) {
	for id := range k.fresh {
		k.tell(id).Change = IsNew
	}
	name := func(id, learner string, line int) {
		if d := k.told[id]; d != nil && d.Learner == "" {
			d.Learner, d.Line = learner, line
		}
	}
	for i, id := range k.rows {
		name(id, k.report.Rows[i].key(), k.report.Rows[i].line)
	}
	for i, id := range k.events {
		name(id, k.report.Events[i].Key, k.report.Events[i].line)
	}
	var unnamed []string
	for person, id := range k.enrolments {
		if d := k.told[id]; d != nil && d.Learner == "" {
			unnamed = append(unnamed, person)
		}
	}
	names, err := identity.NamesTx(ctx, k.tx, unnamed)
	if err != nil {
		return nil, err
	}
	for person, n := range names {
		name(k.enrolments[person], n, 0)
	}
	all := make([]LearnerChange, 0, len(k.told))
	for _, d := range k.told {
		all = append(all, *d)
	}
	order := []string{HasLeft, IsBack, IsNew, IsScored}
	slices.SortFunc(all, func(a, b LearnerChange) int {
		return cmp.Or(min(b.Dropped, 1)-min(a.Dropped, 1), slices.Index(order, a.Change)-slices.Index(order, b.Change), a.Line-b.Line, cmp.Compare(a.EnrolmentID, b.EnrolmentID))
	})
	return all, nil
}

// Question asks what a column is that neither the map of the session nor anybody knows. Suggested is the exercise that it seems to be; it may be empty.
type Question struct {
	Label      string   `json:"label"`
	Occurrence int      `json:"occurrence"`
	Suggested  string   `json:"suggested"`
	Choices    []string `json:"choices"` // exercises that the file has not

	after string // the exercise before it in the file
}

// undecided are the columns of a report that ask. A session without a map asks nothing: its map is made of the header of a report.
func undecided(said Mappings, r Report, exercises []catalog.Exercise) (all []Question) {
	if len(exercises) == 0 {
		return nil
	}
	before := ""
	for _, c := range r.Columns {
		if c.Kind != "exercise" {
			continue
		}
		mapped := slices.ContainsFunc(exercises, func(e catalog.Exercise) bool { return e.Label == c.Label })
		if !mapped && !slices.ContainsFunc(said.Current, func(m Mapping) bool { return m.column() == c }) {
			all = append(all, Question{Label: c.Label, Occurrence: c.Occurrence, after: before})
		}
		before = c.Label
	}
	return all
}

// UndecidedTx lists the columns of earlier intakes of which neither the map of a session nor anybody says what they are.
func UndecidedTx(ctx context.Context, tx *postgres.Tx, sessionID string) ([]Question, error) {
	said, err := mappingsTx(ctx, tx, sessionID)
	if err != nil {
		return nil, err
	}
	kept, err := columnsTx(ctx, tx, sessionID)
	if err != nil {
		return nil, err
	}
	exercises, err := catalog.ExercisesTx(ctx, tx, sessionID)
	if err != nil {
		return nil, err
	}
	var r Report
	for _, c := range kept {
		r.Columns = append(r.Columns, c.key())
	}
	labels := make([]string, len(exercises))
	for i, e := range exercises {
		labels[i] = e.Label
	}
	all := undecided(said, r, exercises)
	for i := range all {
		all[i].Choices, all[i].Suggested = labels, likest(all[i].Label, labels)
	}
	return all, nil
}

// likest is the name that is most like one; empty: none is like it.
func likest(label string, of []string) (is string) {
	best := 0
	for _, other := range of {
		if n := likeness(label, other); n > best {
			best, is = n, other
		}
	}
	return is
}

// questions proposes what the columns may be: the exercise with the likest name of those that the file has not, or the one that stands at this
// place in the map. Nobody is taken at the word of a proposal: a person decides.
func (k *intake) questions(all []Question) []Question {
	left := slices.Clone(k.missing)
	for i := range all {
		all[i].Choices = k.missing
		if all[i].Suggested = likest(all[i].Label, left); all[i].Suggested == "" {
			if next := 1 + slices.IndexFunc(k.exercises, func(e catalog.Exercise) bool { return e.Label == all[i].after }); (next > 0 || all[i].after == "") && next < len(k.exercises) && slices.Contains(left, k.exercises[next].Label) {
				all[i].Suggested = k.exercises[next].Label
			}
		}
		left = slices.DeleteFunc(left, func(l string) bool { return l == all[i].Suggested })
	}
	return all
}

// likeness says in per cent how like two names are, 0 where it is less than half: by the pairs of letters that they share, where their numbers are the same.
func likeness(a, b string) int {
	x, of := taken(a)
	y, other := taken(b)
	if !slices.Equal(of, other) || len(x)+len(y) == 0 {
		return 0
	}
	shared := 0
	for _, pair := range x {
		if i := slices.Index(y, pair); i >= 0 {
			y = slices.Delete(slices.Clone(y), i, i+1)
			shared += 2
		}
	}
	if n := 100 * shared / (len(x) + len(y) + shared/2); n >= 50 {
		return n
	}
	return 0
}

// taken apart, a name is its pairs of letters and its numbers without the noughts before them.
func taken(label string) (pairs, numbers []string) {
	for _, word := range strings.FieldsFunc(strings.ToLower(label), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		if strings.Trim(word, "0123456789") == "" {
			numbers = append(numbers, strings.TrimLeft(word, "0"))
			continue
		}
		letters := []rune(" " + word)
		for i := 1; i < len(letters); i++ {
			pairs = append(pairs, string(letters[i-1:i+1]))
		}
	}
	return pairs, numbers
}
