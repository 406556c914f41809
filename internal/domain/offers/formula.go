package offers

import (
	"context"
	"database/sql"
	"errors"
	"regexp"
	"slices"
	"unicode/utf8"

	"github.com/lib/pq"

	"cursus/internal/domain/catalog"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// Formula is a named set of entitlements. Call is what its button says; empty, the house says it. An archived formula is not
// offered anew. Version grows with each change.
type Formula struct {
	Key          string       `json:"key"`
	Title        catalog.Text `json:"title"`
	Pitch        catalog.Text `json:"pitch"`
	Call         catalog.Text `json:"call"`
	Entitlements []string     `json:"entitlements"`
	Qualifying   bool         `json:"qualifying"` // counts among the paying learners of the reports
	Position     int          `json:"position"`
	Archived     bool         `json:"archived"`
	Version      int          `json:"version"`
}

// Has says whether the formula opens something.
func (f Formula) Has(entitlement string) bool { return slices.Contains(f.Entitlements, entitlement) }

type formulaRow struct {
	Key          string         `db:"key"`
	TitleEN      string         `db:"title_en"`
	TitleFR      string         `db:"title_fr"`
	PitchEN      string         `db:"pitch_en"`
	PitchFR      string         `db:"pitch_fr"`
	CallEN       string         `db:"call_en"`
	CallFR       string         `db:"call_fr"`
	Entitlements pq.StringArray `db:"entitlements"`
	Qualifying   bool           `db:"qualifying"`
	Position     int            `db:"position"`
	Archived     bool           `db:"archived"`
	Version      int            `db:"version"`
}

func (r formulaRow) formula() Formula {
	title := catalog.Text{EN: r.TitleEN, FR: r.TitleFR}
	if title == (catalog.Text{}) {
		title = catalog.Text{EN: r.Key, FR: r.Key}
	}
	return Formula{
		Key: r.Key, Title: title, Pitch: catalog.Text{EN: r.PitchEN, FR: r.PitchFR}, Call: catalog.Text{EN: r.CallEN, FR: r.CallFR},
		Entitlements: inOrder(r.Entitlements), Qualifying: r.Qualifying, Position: r.Position, Archived: r.Archived, Version: r.Version,
	}
}

// inOrder sorts entitlements as they are shown.
func inOrder(in []string) []string {
	out := slices.Clone(in)
	slices.SortStableFunc(out, func(a, b string) int { return slices.Index(Entitlements, a) - slices.Index(Entitlements, b) })
	return out
}

var formulaKey = regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,39}$`)

func (f Formula) validate() error {
	var wrong []fault.Field
	refuse := func(pointer, code, detail string) {
		wrong = append(wrong, fault.Field{Pointer: pointer, Code: code, Detail: detail})
	}
	if !formulaKey.MatchString(f.Key) {
		refuse("/key", "bad-key", "A capital letter, then up to 39 capitals, digits and underscores.")
	}
	if f.Title == (catalog.Text{}) {
		refuse("/title", "required", "A name in one language at least.")
	}
	for _, t := range []struct {
		pointer string
		text    catalog.Text
		most    int
	}{{"/title", f.Title, 80}, {"/pitch", f.Pitch, 300}, {"/call", f.Call, 80}} {
		if utf8.RuneCountInString(t.text.EN) > t.most || utf8.RuneCountInString(t.text.FR) > t.most {
			refuse(t.pointer, "too-long", "At most 80 characters; 300 for what it is about.")
		}
	}
	seen := map[string]bool{}
	for _, e := range f.Entitlements {
		if !slices.Contains(Entitlements, e) || seen[e] {
			return ErrEntitlements
		}
		seen[e] = true
	}
	if len(f.Entitlements) == 0 {
		return ErrEntitlements
	}
	if f.Has(ExamRetake) && (len(f.Entitlements) > 1 || f.Qualifying) {
		refuse("/entitlements", "retake-alone", "A retake of an exam is sold by itself, to who has a formula that counts already.")
	}
	if f.Position < 0 || f.Position > 1000 {
		refuse("/position", "out-of-range", "0 to 1,000.")
	}
	if wrong != nil {
		return fault.InvalidInput(wrong...)
	}
	return nil
}

// PutFormulaTx makes a formula or rewrites the one with its key. version is the one that was read, 0 for whatever stands there
// (or nothing); another one is ErrFormulaChanged. What was sold keeps what it was sold with: an order froze it.
func PutFormulaTx(ctx context.Context, tx *postgres.Tx, f Formula, version int) (Formula, error) {
	if err := f.validate(); err != nil {
		return f, err
	}
	if err := audit.HoldTx(ctx, tx, "formula/"+f.Key); err != nil {
		return f, err
	}
	before, err := FormulaTx(ctx, tx, f.Key)
	if err != nil && !errors.Is(err, ErrNoFormula) {
		return f, err
	}
	n, err := tx.Exec(ctx, q.Q("PutFormula"), f.Key, f.Title.EN, f.Title.FR, f.Pitch.EN, f.Pitch.FR, f.Call.EN, f.Call.FR, pq.Array(inOrder(f.Entitlements)),
		f.Qualifying, f.Position, f.Archived, version, tx.Now())
	if err != nil {
		return f, err
	}
	if n == 0 {
		if _, err := FormulaTx(ctx, tx, f.Key); err != nil {
			return f, err
		}
		return f, ErrFormulaChanged
	}
	put, err := FormulaTx(ctx, tx, f.Key)
	if err != nil {
		return put, err
	}
	return put, audit.AppendTx(ctx, tx, audit.Entry{Action: "formula.put", Object: put.Key, Before: audit.Was(before.Key != "", before), After: put})
}

// FormulaTx finds a formula by key.
func FormulaTx(ctx context.Context, tx *postgres.Tx, key string) (Formula, error) {
	var r formulaRow
	err := tx.Get(ctx, &r, q.Q("Formula"), key)
	if errors.Is(err, sql.ErrNoRows) {
		return Formula{}, ErrNoFormula
	}
	return r.formula(), err
}

// FormulasTx lists all formulas in the order to show, the archived ones too.
func FormulasTx(ctx context.Context, tx *postgres.Tx) ([]Formula, error) {
	var rows []formulaRow
	err := tx.Select(ctx, &rows, q.Q("Formulas"))
	out := make([]Formula, len(rows))
	for i, r := range rows {
		out[i] = r.formula()
	}
	return out, err
}
