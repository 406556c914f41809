package surveys

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"
	"unicode/utf8"

	"cursus/internal/domain/catalog"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// Choice is one of the answers that a question offers.
type Choice struct {
	Code  string       `json:"code"`
	Title catalog.Text `json:"title"`
}

// Question is asked under its code, which is the same in both questionnaires of a session: by it the answers before and after find each other.
type Question struct {
	Code    string       `json:"code"`
	Kind    Kind         `json:"kind"`
	Title   catalog.Text `json:"title"`
	Choices []Choice     `json:"choices,omitempty"` // of single and multiple alone
}

func (q Question) choice(code string) bool {
	return slices.ContainsFunc(q.Choices, func(c Choice) bool { return c.Code == code })
}

// Content is what a questionnaire asks and when it is open; nil is without a bound. Times are UTC.
type Content struct {
	OpensAt   *time.Time `json:"opens_at,omitempty"`
	ClosesAt  *time.Time `json:"closes_at,omitempty"`
	Questions []Question `json:"questions"`
}

func (c Content) question(code string) (Question, bool) {
	i := slices.IndexFunc(c.Questions, func(q Question) bool { return q.Code == code })
	if i < 0 {
		return Question{}, false
	}
	return c.Questions[i], true
}

// OpenAt says whether it can be answered at a time.
func (c Content) OpenAt(t time.Time) bool {
	return (c.OpensAt == nil || !t.Before(*c.OpensAt)) && (c.ClosesAt == nil || t.Before(*c.ClosesAt))
}

// Questionnaire is the working copy of one. A version of 0 was never written.
type Questionnaire struct {
	ID        string `json:"-"`
	SessionID string `json:"-"`
	Session   string `json:"session"` // key
	Moment    Moment `json:"moment"`
	Content
	Version   int `json:"version"`
	Published int `json:"published_version"` // 0: none
}

// Parts are what of a question is answered at a moment: the two sides of a skill, or the question as a whole.
func (q Question) Parts(m Moment) []string {
	switch {
	case q.Kind != Skill:
		return []string{""}
	case m == Opening:
		return []string{Before}
	}
	return []string{Before, After}
}

var codeForm = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)

const (
	maxQuestions = 60
	maxChoices   = 40
)

func (c Content) validate() error {
	var wrong []fault.Field
	refuse := func(bad bool, pointer, code, detail string) {
		if bad {
			wrong = append(wrong, fault.Field{Pointer: pointer, Code: code, Detail: detail})
		}
	}
	titled := func(pointer string, t catalog.Text) {
		refuse(t == (catalog.Text{}), pointer, "missing", "A text in English, in French, or in both.")
		refuse(utf8.RuneCountInString(t.EN) > 500 || utf8.RuneCountInString(t.FR) > 500, pointer, "too-long", "At most 500 characters.")
	}
	refuse(c.OpensAt != nil && c.ClosesAt != nil && !c.ClosesAt.After(*c.OpensAt), "/closes_at", "before-start", "It closes after it opens.")
	refuse(len(c.Questions) > maxQuestions, "/questions", "too-many", fmt.Sprintf("At most %d questions.", maxQuestions))
	codes := map[string]bool{}
	for i, x := range c.Questions {
		at := fmt.Sprintf("/questions/%d", i)
		refuse(!codeForm.MatchString(x.Code), at+"/code", "bad-code", "A small letter, then small letters, digits and underscores; at most 40.")
		refuse(codes[x.Code], at+"/code", "twice", "Another question has this code.")
		codes[x.Code] = true
		refuse(!slices.Contains(Kinds(), x.Kind), at+"/kind", "unknown-kind", "skill, satisfaction, recommend, single, multiple or text.")
		titled(at+"/title", x.Title)
		chosen := x.Kind == Single || x.Kind == Multiple
		refuse(chosen && len(x.Choices) < 2, at+"/choices", "too-few", "Two choices at least.")
		refuse(!chosen && len(x.Choices) > 0, at+"/choices", "no-choices", "A question of this kind offers no choices.")
		refuse(len(x.Choices) > maxChoices, at+"/choices", "too-many", fmt.Sprintf("At most %d choices.", maxChoices))
		offered := map[string]bool{}
		for k, choice := range x.Choices {
			below := fmt.Sprintf("%s/choices/%d", at, k)
			refuse(!codeForm.MatchString(choice.Code), below+"/code", "bad-code", "A small letter, then small letters, digits and underscores; at most 40.")
			refuse(offered[choice.Code], below+"/code", "twice", "Another choice has this code.")
			offered[choice.Code] = true
			titled(below+"/title", choice.Title)
		}
	}
	if wrong != nil {
		return fault.InvalidInput(wrong...)
	}
	return nil
}

type questionnaireRow struct {
	ID        string `db:"id"`
	SessionID string `db:"session_id"`
	Session   string `db:"session"`
	Moment    Moment `db:"moment"`
	Content   []byte `db:"content"`
	Version   int    `db:"version"`
	Published int    `db:"published"`
}

func (r questionnaireRow) questionnaire() (out Questionnaire, err error) {
	out = Questionnaire{ID: r.ID, SessionID: r.SessionID, Session: r.Session, Moment: r.Moment, Version: r.Version, Published: r.Published}
	err = json.Unmarshal(r.Content, &out.Content)
	return out, err
}

func one(ctx context.Context, tx *postgres.Tx, statement string, args ...any) (Questionnaire, error) {
	var r questionnaireRow
	err := tx.Get(ctx, &r, q.Q(statement), args...)
	if errors.Is(err, sql.ErrNoRows) {
		return Questionnaire{}, ErrNone
	}
	if err != nil {
		return Questionnaire{}, err
	}
	return r.questionnaire()
}

// QuestionnaireTx finds the working copy. Errors: catalog.ErrNoSession, ErrNone.
func QuestionnaireTx(ctx context.Context, tx *postgres.Tx, sessionRef string, m Moment) (Questionnaire, error) {
	s, err := session(ctx, tx, sessionRef)
	if err != nil {
		return Questionnaire{}, err
	}
	return one(ctx, tx, "Questionnaire", s.ID, m)
}

// PublishedTx is what people answer: the published version, with the number of that version. Errors: catalog.ErrNoSession, ErrNone,
// ErrNotPublished.
func PublishedTx(ctx context.Context, tx *postgres.Tx, sessionRef string, m Moment) (Questionnaire, error) {
	x, err := QuestionnaireTx(ctx, tx, sessionRef, m)
	if err != nil {
		return x, err
	}
	return publishedTx(ctx, tx, x)
}

func publishedTx(ctx context.Context, tx *postgres.Tx, x Questionnaire) (Questionnaire, error) {
	if x.Published == 0 {
		return x, ErrNotPublished
	}
	var content []byte
	if err := tx.Get(ctx, &content, q.Q("Version"), x.ID, x.Published); err != nil {
		return x, err
	}
	x.Content = Content{}
	return x, json.Unmarshal(content, &x.Content)
}

// PutTx writes the working copy; expected is the version that the caller read, 0 for any. Errors: catalog.ErrNoSession, ErrChanged, a fault of
// input.
func (s *Service) PutTx(ctx context.Context, tx *postgres.Tx, sessionRef string, m Moment, c Content, expected int) (Questionnaire, error) {
	if !slices.Contains(Moments(), m) {
		return Questionnaire{}, ErrNone
	}
	of, err := catalog.LockSessionTx(ctx, tx, sessionRef)
	if err != nil {
		return Questionnaire{}, err
	}
	if err := c.validate(); err != nil {
		return Questionnaire{}, err
	}
	old, err := one(ctx, tx, "Questionnaire", of.ID, m)
	if err != nil && !errors.Is(err, ErrNone) {
		return old, err
	}
	if expected != 0 && expected != old.Version {
		return old, ErrChanged
	}
	if err := s.keepsKinds(ctx, tx, of.ID, c); err != nil {
		return old, err
	}
	if c.Questions == nil {
		c.Questions = []Question{}
	}
	written, err := json.Marshal(c)
	if err != nil {
		return old, err
	}
	if _, err := tx.Exec(ctx, q.Q("Put"), ident.New("qst"), of.ID, m, string(written), tx.Now()); err != nil {
		return old, err
	}
	x, err := one(ctx, tx, "Questionnaire", of.ID, m)
	if err != nil {
		return x, err
	}
	return x, audit.AppendTx(ctx, tx, audit.Entry{Action: "questionnaire.written", Object: x.ID, Detail: map[string]any{"session": of.ID, "moment": m, "version": x.Version},
		Before: audit.Was(old.Version > 0, old.Content), After: c})
}

// keepsKinds holds that a code that people were asked under asks for the same ever after: what was said of a skill is not taken for a mood.
func (s *Service) keepsKinds(ctx context.Context, tx *postgres.Tx, sessionID string, c Content) error {
	var asked []struct {
		Code string `db:"code"`
		Kind Kind   `db:"kind"`
	}
	if err := tx.Select(ctx, &asked, q.Q("Asked"), sessionID); err != nil {
		return err
	}
	var wrong []fault.Field
	for _, a := range asked {
		for i, x := range c.Questions {
			if x.Code == a.Code && x.Kind != a.Kind {
				wrong = append(wrong, fault.Field{Pointer: fmt.Sprintf("/questions/%d/kind", i), Code: "kind-is-kept", Detail: fmt.Sprintf("Under %s people were asked for %s; another question takes another code.", a.Code, a.Kind)})
			}
		}
	}
	if wrong != nil {
		return fault.InvalidInput(wrong...)
	}
	return nil
}

// PublishTx freezes the working copy as the version that people answer from now on. What is published already stays the version that it is.
// Errors: catalog.ErrNoSession, ErrNone, ErrChanged, ErrEmpty.
func (s *Service) PublishTx(ctx context.Context, tx *postgres.Tx, sessionRef string, m Moment, expected int) (Questionnaire, error) {
	of, err := catalog.LockSessionTx(ctx, tx, sessionRef)
	if err != nil {
		return Questionnaire{}, err
	}
	x, err := one(ctx, tx, "Questionnaire", of.ID, m)
	switch {
	case err != nil:
		return x, err
	case expected != 0 && expected != x.Version:
		return x, ErrChanged
	case len(x.Questions) == 0:
		return x, ErrEmpty
	}
	if x.Published > 0 {
		live, err := publishedTx(ctx, tx, x)
		if err != nil {
			return x, err
		}
		if same(live.Content, x.Content) {
			return x, nil
		}
	}
	if err := s.keepsKinds(ctx, tx, of.ID, x.Content); err != nil { // the other questionnaire was published meanwhile
		return x, err
	}
	content, err := json.Marshal(x.Content)
	if err != nil {
		return x, err
	}
	if _, err := tx.Exec(ctx, q.Q("Publish"), x.ID, x.Published+1, string(content), tx.Now()); err != nil {
		return x, err
	}
	if _, err := tx.Exec(ctx, q.Q("SetPublished"), x.ID, x.Published+1); err != nil {
		return x, err
	}
	x.Published++
	return x, audit.AppendTx(ctx, tx, audit.Entry{Action: "questionnaire.published", Object: x.ID, Detail: map[string]any{"session": of.ID, "moment": m, "published": x.Published}})
}

func same(a, b Content) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}
