package analytics

import (
	"cmp"
	"context"
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"time"

	"cursus/internal/books/journey"
	"cursus/internal/domain/catalog"
	"cursus/internal/platform/postgres"
)

var (
	sequence  = Param{ID: "sessions", Title: catalog.Text{EN: "Sessions, in their order", FR: "Sessions, dans l’ordre"}, Many: true, Ordered: true, Required: true}
	withThese = Param{ID: "sessions", Title: catalog.Text{EN: "With (none: all)", FR: "Avec (aucune : toutes)"}, Many: true}
	byStage   = Param{ID: "stage", Title: catalog.Text{EN: "Stage", FR: "Étape"}, Of: []string{"enrolled", "started", "succeeded", "certified"}, Default: "enrolled"}
)

func commonFigures() []Definition {
	return []Definition{{
		ID: "dual_enrolment", Paper: "9", Version: 2, Times: true, Params: []Param{ofSession, withThese, byStage, byBasis}, answer: dualTx,
		Title: catalog.Text{EN: "Dual enrolment", FR: "Doubles inscriptions"},
		Says: catalog.Text{
			EN: "Of the learners of one session, those who are in another session too: distinct learners in both, over the learners of the session that is asked for. Of all sessions those with nobody in common are left out.",
			FR: "Des apprenants d’une session, ceux qui sont aussi dans une autre : apprenants distincts dans les deux, sur les apprenants de la session demandée. De toutes les sessions, celles sans personne en commun ne sont pas montrées.",
		},
	}, {
		ID: "dual_matrix", Paper: "9", Version: 1, Times: true, Params: []Param{ofSessions, byStage, byBasis}, answer: matrixTx,
		Title: catalog.Text{EN: "Dual enrolment of all with all", FR: "Doubles inscriptions de toutes avec toutes"},
		Says: catalog.Text{
			EN: "For each pair of sessions, the distinct learners who are in both, over the learners of the session of the row.",
			FR: "Pour chaque paire de sessions, les apprenants distincts qui sont dans les deux, sur les apprenants de la session de la ligne.",
		},
	}, {
		ID: "common_enrolment", Paper: "11", Version: 1, Times: true, Params: []Param{sequence, byStage, byBasis}, answer: combinationsTx,
		Title: catalog.Text{EN: "Common enrolments of a sequence", FR: "Inscriptions communes d’une séquence"},
		Says: catalog.Text{
			EN: "For each combination of the sessions, the distinct learners who are in exactly these of them, and those who are in these whatever else. The shares are of the learners of the first session, for combinations that it is in.",
			FR: "Pour chaque combinaison des sessions, les apprenants distincts qui sont exactement dans celles-ci, et ceux qui sont dans celles-ci, quoi qu’ils suivent d’autre. Les parts sont des apprenants de la première session, pour les combinaisons dont elle est.",
		},
	}, {
		ID: "started_sequence", Paper: "12", Version: 1, Times: true, Params: []Param{sequence, byBasis}, answer: startedTx,
		Title: catalog.Text{EN: "Started in sequence", FR: "Ont commencé, en séquence"},
		Says: catalog.Text{
			EN: "For each session of a sequence: those who started, of its enrolled; and those who started both in it and in the first one, of those who started in the first one.",
			FR: "Pour chaque session d’une séquence : ceux qui ont commencé, de ses inscrits ; et ceux qui ont commencé à la fois dans celle-ci et dans la première, de ceux qui ont commencé dans la première.",
		},
	}}
}

// SetsTx says which learners of sessions are in which of them, as journey.SetsTx does, from who is coupled and from sums.
func SetsTx(ctx context.Context, tx *postgres.Tx, sessions []string, stage journey.Stage, basis string, asOf, knownAt time.Time) (journey.Sets, error) {
	var rows []struct {
		Sets     int64 `db:"sets"`
		Learners int64 `db:"learners"`
	}
	statement, args := "Sets", []any{array(sessions), journey.Mask(stage), basis == "ever", orEnd(asOf)}
	if !knownAt.IsZero() {
		statement, args[1] = "SetsAsKnown", maskOf(stage, basis)
		args = append(args, knownAt)
	}
	err := tx.Select(ctx, &rows, q.Q(statement), args...)
	out := journey.Sets{}
	for _, r := range rows {
		out[uint64(r.Sets)] = r.Learners //nolint:gosec // 62 bits at most
	}
	return out, err
}

// maskOf is what somebody must have who is counted: with the basis current she has not left.
func maskOf(stage journey.Stage, basis string) int {
	if basis == "ever" {
		return journey.Mask(stage)
	}
	return journey.Mask(stage, journey.Enrolled)
}

// asked are some sessions with what holds of their learners.
type asked struct {
	keys []string
	open []bool // who is in them may still change
	sets journey.Sets
}

func (a asked) of(i ...int) (mask uint64) {
	for _, x := range i {
		mask |= 1 << x
	}
	return mask
}

// setsTx asks which learners of sessions are in which of them. Who is in so many sessions that they cannot be told apart is asked for fewer.
func (f *Figure) setsTx(ctx context.Context, tx *postgres.Tx, sessions []catalog.Glimpse, stage journey.Stage) (a asked, err error) {
	var ids []string
	for _, s := range sessions {
		if slices.Contains(ids, s.ID) {
			return a, badParam("sessions", "Each session once.")
		}
		ids, a.keys, a.open = append(ids, s.ID), append(a.keys, s.Key), append(a.open, openAt(tx, s, f.Ask.AsOf))
		f.Open = f.Open || a.open[len(a.open)-1]
	}
	if len(ids) > journey.MaxSets {
		return a, badParam("sessions", fmt.Sprintf("At most %d sessions at once.", journey.MaxSets))
	}
	f.Basis = f.Ask.Params["basis"]
	a.sets, err = SetsTx(ctx, tx, ids, stage, f.Basis, f.Ask.AsOf, f.Ask.KnownAt)
	return a, err
}

func (f *Figure) stage() journey.Stage { return journey.Stage(f.Ask.Params["stage"]) }

func dualTx(ctx context.Context, tx *postgres.Tx, _ Ask, f *Figure) error {
	s, err := f.sessionTx(ctx, tx, "session")
	if err != nil {
		return err
	}
	with, err := f.sessionsTx(ctx, tx)
	if err != nil {
		return err
	}
	f.Columns = []Column{col("session", Text, "Also in", "Aussi dans"), col("learners", Count, "Learners there", "Apprenants là"), col("common", Share, "In both", "Dans les deux")}
	f.Charts = []Chart{{Kind: "bars", Y: "session", Values: []string{"common"}}}
	f.Basis = f.Ask.Params["basis"]
	if len(slices.Compact(slices.Sorted(slices.Values(idsOf(with))))) < len(with) {
		return badParam("sessions", "Each session once.")
	}
	var shared []struct {
		SessionID string `db:"session_id"`
		Learners  int64  `db:"learners"`
		Common    int64  `db:"common"`
	}
	statement, args := "Shared", []any{s.ID, array(idsOf(with)), journey.Mask(f.stage()), f.Basis == "ever", orEnd(f.Ask.AsOf)}
	if !f.Ask.KnownAt.IsZero() {
		args[2] = maskOf(f.stage(), f.Basis)
		statement, args = "SharedAsKnown", append(args, f.Ask.KnownAt)
	}
	if err := tx.Select(ctx, &shared, q.Q(statement), args...); err != nil {
		return err
	}
	there := map[string][2]int64{}
	for _, x := range shared {
		there[x.SessionID] = [2]int64{x.Learners, x.Common}
	}
	n, all := there[s.ID][0], f.Ask.Params["sessions"] == ""
	f.Open = openAt(tx, s, f.Ask.AsOf)
	for _, x := range with {
		learners := there[x.ID]
		if x.ID == s.ID || learners[0] == 0 || all && learners[1] == 0 { // of all, those that share nobody would hide those that do
			continue
		}
		row := Row{Open: openAt(tx, s, f.Ask.AsOf) || openAt(tx, x, f.Ask.AsOf), Cells: []Cell{textCell(x.Key), countCell(learners[0]), shareCell(learners[1], n)}}
		f.Open = f.Open || row.Open
		f.Rows = append(f.Rows, row)
	}
	slices.SortStableFunc(f.Rows, func(x, y Row) int { return cmp.Compare(y.Cells[2].Rate.Count, x.Cells[2].Rate.Count) })
	f.base("learners", "learners of "+s.Key, "apprenants de "+s.Key, n)
	return nil
}

func matrixTx(ctx context.Context, tx *postgres.Tx, _ Ask, f *Figure) error {
	sessions, err := f.sessionsTx(ctx, tx)
	if err != nil {
		return err
	}
	a, err := f.setsTx(ctx, tx, sessions, f.stage())
	if err != nil {
		return err
	}
	f.Columns = []Column{col("session", Text, "Of the learners of", "Des apprenants de"), col("other", Text, "Also in", "Aussi dans"), col("common", Share, "In both", "Dans les deux")}
	f.Charts = []Chart{{Kind: "matrix", Y: "session", X: "other", Values: []string{"common"}, Pivot: true}}
	var all int64
	for _, learners := range a.sets {
		all += learners
	}
	f.base("learners", "distinct learners", "apprenants distincts", all)
	for i, row := range a.keys {
		n := a.sets.In(a.of(i))
		for j, other := range a.keys {
			if i != j && n > 0 && a.sets.In(a.of(j)) > 0 {
				f.Rows = append(f.Rows, Row{Open: a.open[i] || a.open[j], Cells: []Cell{textCell(row), textCell(other), shareCell(a.sets.In(a.of(i, j)), n)}})
			}
		}
	}
	return nil
}

func combinationsTx(ctx context.Context, tx *postgres.Tx, _ Ask, f *Figure) error {
	sessions, err := f.sessionsTx(ctx, tx)
	if err != nil {
		return err
	}
	if len(sessions) > 6 {
		return badParam("sessions", "At most six sessions: more have too many combinations to read.")
	}
	a, err := f.setsTx(ctx, tx, sessions, f.stage())
	if err != nil {
		return err
	}
	f.Columns = []Column{
		col("combination", Text, "In", "Dans"), col("exactly", Count, "In exactly these", "Exactement dans celles-ci"), col("at_least", Count, "In these at least", "Au moins dans celles-ci"),
		col("of_first", Share, "Of the first session", "De la première session"),
	}
	f.Charts = []Chart{{Kind: "sets", Y: "combination", Values: []string{"exactly"}}}
	first := a.sets.In(a.of(0))
	f.base("learners", "learners of "+a.keys[0], "apprenants de "+a.keys[0], first)
	masks := make([]uint64, 0, 1<<len(a.keys))
	for m := uint64(1); m < 1<<len(a.keys); m++ {
		masks = append(masks, m)
	}
	slices.SortStableFunc(masks, func(x, y uint64) int { return bits.OnesCount64(x) - bits.OnesCount64(y) })
	for _, m := range masks {
		var names []string
		open := false
		for i, key := range a.keys {
			if m&(1<<i) != 0 {
				names, open = append(names, key), open || a.open[i]
			}
		}
		row := Row{Open: open, Cells: []Cell{textCell(strings.Join(names, " & ")), countCell(a.sets[m]), countCell(a.sets.In(m)), {}}}
		if m&1 != 0 {
			row.Cells[3] = shareCell(a.sets.In(m), first)
		}
		f.Rows = append(f.Rows, row)
	}
	return nil
}

func startedTx(ctx context.Context, tx *postgres.Tx, ask Ask, f *Figure) error {
	sessions, err := f.sessionsTx(ctx, tx)
	if err != nil {
		return err
	}
	a, err := f.setsTx(ctx, tx, sessions, journey.Started)
	if err != nil {
		return err
	}
	f.Columns = []Column{
		col("session", Text, "Session", "Session"), col("started", Share, "Started, of its enrolled", "Ont commencé, de ses inscrits"),
		col("common", Share, "Started in common with the first", "Ont commencé en commun avec la première"),
	}
	f.Charts = []Chart{{Kind: "bars", Y: "session", Values: []string{"started"}}, {Kind: "bars", Y: "session", Values: []string{"common"}}}
	first := a.sets.In(a.of(0))
	f.base("started", "started in "+a.keys[0], "ont commencé dans "+a.keys[0], first)
	counts, err := journey.CountsOfTx(ctx, tx, journey.Question{AsOf: ask.AsOf, KnownAt: ask.KnownAt, Basis: f.Basis}, idsOf(sessions)...)
	if err != nil {
		return err
	}
	for i, s := range sessions {
		n := counts[s.ID]
		f.Rows = append(f.Rows, Row{Open: openAt(tx, s, ask.AsOf), Cells: []Cell{textCell(s.Key), shareCell(n.Started, n.Enrolled), shareCell(a.sets.In(a.of(0, i)), first)}})
	}
	return nil
}
