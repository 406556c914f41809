package surveys

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lib/pq"

	"cursus/internal/domain/enrolment"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// Answer is what somebody says to one question; what she leaves out is nil or empty. A scale goes from 0 to 10.
type Answer struct {
	Question string   `json:"question"`
	Before   *int     `json:"before,omitempty"` // of a skill
	After    *int     `json:"after,omitempty"`
	Value    *int     `json:"value,omitempty"`   // of satisfaction and recommend
	Choices  []string `json:"choices,omitempty"` // codes; one at most of single
	Text     string   `json:"text,omitempty"`
}

// Sheet is a published questionnaire with what a learner said last. AnsweredAt is nil while she said nothing.
type Sheet struct {
	Questionnaire Questionnaire `json:"questionnaire"`
	EnrolmentID   string        `json:"enrolment_id"`
	Open          bool          `json:"open"`
	Answers       []Answer      `json:"answers"`
	AnsweredAt    *time.Time    `json:"answered_at,omitempty"`
}

// Of finds what was said to a question.
func (s Sheet) Of(code string) Answer {
	for _, a := range s.Answers {
		if a.Question == code {
			return a
		}
	}
	return Answer{Question: code}
}

// said is one row of surveys.answers.
type said struct {
	Question string `db:"question"`
	Part     string `db:"part"`
	Kind     Kind   `db:"kind"`
	Value    int    `db:"value"`
	Words    string `db:"words"`
}

// compare is the order in which rows are kept and hashed.
func (a said) compare(b said) int {
	return cmp.Or(cmp.Compare(a.Question, b.Question), cmp.Compare(a.Part, b.Part))
}

// hash tells whether anything but free text changed; of text it says how long it is, which a hash of it would tell of who guesses.
func hash(all []said) []byte {
	h := sha256.New()
	for _, a := range all {
		fmt.Fprintf(h, "%s\x00%s\x00%d\x00%d\n", a.Question, a.Part, a.Value, utf8.RuneCountInString(a.Words))
	}
	return h.Sum(nil)
}

// rows checks answers against a questionnaire and gives them as they are kept, in the order of questions.
func (x Questionnaire) rows(answers []Answer) ([]said, error) {
	var out []said
	var wrong []fault.Field
	seen := map[string]bool{}
	for i, a := range answers {
		at := fmt.Sprintf("/answers/%d", i)
		refuse := func(member, code, detail string) {
			wrong = append(wrong, fault.Field{Pointer: at + member, Code: code, Detail: detail})
		}
		asked, known := x.question(a.Question)
		if !known || seen[a.Question] {
			refuse("/question", "not-asked", "The questionnaire does not ask this, or it stands here twice.")
			continue
		}
		seen[a.Question] = true
		scale := func(member, part string, v *int, may bool) {
			switch {
			case v == nil:
			case !may:
				refuse(member, "not-asked", "This question is not answered so.")
			case *v < 0 || *v > Scale:
				refuse(member, "out-of-range", "0 to 10.")
			default:
				out = append(out, said{Question: a.Question, Part: part, Kind: asked.Kind, Value: *v})
			}
		}
		parts := asked.Parts(x.Moment)
		scale("/before", Before, a.Before, slices.Contains(parts, Before))
		scale("/after", After, a.After, slices.Contains(parts, After))
		scale("/value", "", a.Value, asked.Kind == Satisfaction || asked.Kind == Recommend)
		if len(a.Choices) > 1 && asked.Kind == Single {
			refuse("/choices", "too-many", "One choice.")
		}
		chosen := slices.Clone(a.Choices)
		slices.Sort(chosen)
		for k, c := range chosen {
			if !asked.choice(c) || k > 0 && chosen[k-1] == c {
				refuse("/choices", "no-such-choice", "The question does not offer this, or it stands here twice.")
				break
			}
			out = append(out, said{Question: a.Question, Part: c, Kind: asked.Kind, Value: 1})
		}
		switch text := strings.TrimSpace(a.Text); {
		case text == "":
		case asked.Kind != Words:
			refuse("/text", "not-asked", "This question is not answered so.")
		case utf8.RuneCountInString(text) > maxWords || strings.ContainsRune(text, 0):
			refuse("/text", "too-long", "At most 4,000 characters.")
		default:
			out = append(out, said{Question: a.Question, Kind: Words, Value: 1, Words: text})
		}
	}
	if wrong != nil {
		return nil, fault.InvalidInput(wrong...)
	}
	slices.SortFunc(out, said.compare)
	return out, nil
}

// answersOf puts rows together again.
func answersOf(all []said) (out []Answer) {
	for _, r := range all {
		if len(out) == 0 || out[len(out)-1].Question != r.Question {
			out = append(out, Answer{Question: r.Question})
		}
		a, v := &out[len(out)-1], r.Value
		switch {
		case r.Kind == Skill && r.Part == Before:
			a.Before = &v
		case r.Kind == Skill:
			a.After = &v
		case r.Kind == Words:
			a.Text = r.Words
		case r.Kind == Single || r.Kind == Multiple:
			a.Choices = append(a.Choices, r.Part)
		default:
			a.Value = &v
		}
	}
	return out
}

// response is one time that somebody answered.
type response struct {
	ID, Respondent, EnrolmentID, LearnerID string
	At                                     time.Time
	Rows                                   []said
}

// recordTx writes responses, in a few statements however many they are.
func recordTx(ctx context.Context, tx *postgres.Tx, x Questionnaire, importID *string, all []response) error {
	if len(all) == 0 {
		return nil
	}
	var ids, respondents, enrolments, learners, of, whose, questions, parts, kinds, words []string
	var times []time.Time
	var hashes [][]byte
	var values []int64
	for _, r := range all {
		ids, respondents, enrolments, learners = append(ids, r.ID), append(respondents, r.Respondent), append(enrolments, r.EnrolmentID), append(learners, r.LearnerID)
		times, hashes = append(times, r.At.UTC()), append(hashes, hash(r.Rows))
		for _, a := range r.Rows {
			of, whose, questions, parts, kinds = append(of, r.ID), append(whose, r.LearnerID), append(questions, a.Question), append(parts, a.Part), append(kinds, string(a.Kind))
			values, words = append(values, int64(a.Value)), append(words, a.Words)
		}
	}
	if _, err := tx.Exec(ctx, q.Q("AddResponses"), x.ID, x.Published, x.SessionID, tx.Now(), importID, pq.Array(ids), pq.Array(respondents), pq.Array(enrolments),
		pq.Array(learners), pq.Array(times), pq.Array(hashes)); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, q.Q("AddAnswers"), pq.Array(of), pq.Array(whose), pq.Array(questions), pq.Array(parts), pq.Array(kinds), pq.Array(values), pq.Array(words))
	return err
}

// SheetTx is the questionnaire of one of her enrolments with what she said last; of another learner's there is none. An empty learner is
// staff, who may see whose it is. Errors: enrolment.ErrNoEnrolment, ErrNone.
func SheetTx(ctx context.Context, tx *postgres.Tx, enrolmentID, learnerID string, m Moment) (out Sheet, err error) {
	e, err := enrolment.OneTx(ctx, tx, enrolmentID)
	if err == nil && learnerID != "" && e.LearnerID != learnerID {
		err = enrolment.ErrNoEnrolment
	}
	if err != nil {
		return out, err
	}
	out.EnrolmentID = e.ID
	if out.Questionnaire, err = PublishedTx(ctx, tx, e.SessionID, m); errors.Is(err, ErrNotPublished) { // what is not published is not there for her
		err = ErrNone
	}
	if err != nil {
		return out, err
	}
	out.Open = out.Questionnaire.OpenAt(tx.Now()) && !e.Revoked
	var last []struct {
		At *time.Time `db:"at"`
		said
	}
	if err := tx.Select(ctx, &last, q.Q("LastAnswers"), out.Questionnaire.ID, e.ID); err != nil {
		return out, err
	}
	var rows []said
	for _, r := range last {
		out.AnsweredAt = r.At
		if _, asked := out.Questionnaire.question(r.Question); asked { // of an earlier version nothing is shown that is asked no more
			rows = append(rows, r.said)
		}
	}
	out.Answers = answersOf(rows)
	return out, nil
}

// AnswerTx takes what a learner says: all of it, over what she said before. The same again changes nothing. Errors: those of SheetTx, ErrNotOpen, a
// fault of input.
func (s *Service) AnswerTx(ctx context.Context, tx *postgres.Tx, enrolmentID, learnerID string, m Moment, answers []Answer) (Sheet, error) {
	e, err := enrolment.LockTx(ctx, tx, enrolmentID)
	if err != nil {
		return Sheet{}, err
	}
	old, err := SheetTx(ctx, tx, enrolmentID, learnerID, m)
	if err != nil {
		return old, err
	}
	if !old.Open {
		return old, ErrNotOpen
	}
	x := old.Questionnaire
	rows, err := x.rows(answers)
	if err != nil {
		return old, err
	}
	before, err := x.rows(old.Answers)
	if err == nil && old.AnsweredAt != nil && slices.Equal(rows, before) {
		return old, nil
	}
	r := response{ID: ident.New("rsp"), Respondent: e.ID, EnrolmentID: e.ID, LearnerID: e.LearnerID, At: tx.Now(), Rows: rows}
	if err := recordTx(ctx, tx, x, nil, []response{r}); err != nil {
		return old, err
	}
	if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "questionnaire.answered", Object: x.ID, Detail: map[string]any{"enrolment": e.ID, "moment": m, "version": x.Published}}); err != nil {
		return old, err
	}
	return SheetTx(ctx, tx, enrolmentID, learnerID, m)
}

// Waiting is a questionnaire that somebody can answer.
type Waiting struct {
	EnrolmentID string `db:"enrolment_id"`
	Moment      Moment `db:"moment"`
	Answered    bool   `db:"answered"`
}

// OpenTx lists the questionnaires that a learner can answer now, by enrolment.
func OpenTx(ctx context.Context, tx *postgres.Tx, learnerID string) (map[string][]Waiting, error) {
	var rows []struct {
		Waiting
		Content []byte `db:"content"`
	}
	if err := tx.Select(ctx, &rows, q.Q("OpenOf"), learnerID); err != nil {
		return nil, err
	}
	mine, err := enrolment.OfLearnerTx(ctx, tx, learnerID)
	if err != nil {
		return nil, err
	}
	revoked := map[string]bool{}
	for _, e := range mine {
		revoked[e.ID] = e.Revoked
	}
	out := map[string][]Waiting{}
	for _, r := range rows {
		x, err := questionnaireRow{Content: r.Content}.questionnaire()
		if err != nil {
			return nil, err
		}
		if x.OpenAt(tx.Now()) && !revoked[r.EnrolmentID] {
			out[r.EnrolmentID] = append(out[r.EnrolmentID], r.Waiting)
		}
	}
	return out, nil
}
