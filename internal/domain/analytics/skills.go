package analytics

import (
	"context"
	"fmt"
	"slices"

	"cursus/internal/platform/postgres"
)

// pairs are learners who said alike of how well they mastered Values skills before and after.
type pairs struct {
	SessionID string `db:"session_id"`
	Question  string `db:"question"` // empty: of all skills
	Values    int64  `db:"pairs"`
	Before    int64  `db:"before"`
	After     int64  `db:"after"`
	Learners  int64  `db:"learners"`
}

// three are the means of before, after and gain.
func three(all []pairs) (before, after, gain Cell, people int64) {
	var b, a, g []sample
	for _, p := range all {
		b, a, g = append(b, sample{p.Learners, p.Values, p.Before}), append(a, sample{p.Learners, p.Values, p.After}), append(g, sample{p.Learners, p.Values, p.After - p.Before})
		people += p.Learners
	}
	return Cell{Points: meanOf(b)}, Cell{Points: meanOf(a)}, Cell{Points: meanOf(g)}, people
}

// pairsTx asks what learners said of their skills, of each skill or of all together, and how many answers have no other half.
func (f *Figure) pairsTx(ctx context.Context, tx *postgres.Tx, each bool, sessions ...string) (all []pairs, unpaired map[string]int64, err error) {
	if err = tx.Select(ctx, &all, q.Q("SkillPairs"), array(sessions), given(f.Ask.AsOf), given(f.Ask.KnownAt), each); err != nil {
		return nil, nil, err
	}
	unpaired = map[string]int64{}
	for _, p := range all {
		if p.Values == 0 {
			unpaired[p.SessionID+" "+p.Question] += p.Learners
		}
	}
	return slices.DeleteFunc(all, func(p pairs) bool { return p.Values == 0 }), unpaired, nil
}

func scaleTx(ctx context.Context, tx *postgres.Tx, ask Ask, f *Figure) error {
	s, err := f.sessionTx(ctx, tx, "session")
	if err != nil {
		return err
	}
	all, unpaired, err := f.pairsTx(ctx, tx, true, s.ID)
	if err != nil {
		return err
	}
	called, err := titlesTx(ctx, tx, ask.KnownAt, s.ID)
	if err != nil {
		return err
	}
	f.Columns = []Column{
		col("skill", Text, "Skill", "Compétence"), col("value", Text, "Scale", "Échelle"), col("before", Count, "Before", "Avant"), col("after", Count, "After", "Après"),
		col("mean_before", Points, "Mean before", "Moyenne avant"), col("mean_after", Points, "Mean after", "Moyenne après"), col("gain", Points, "Gain", "Gain"),
	}
	f.Charts = []Chart{{Kind: "columns", X: "value", Values: []string{"before", "after"}, Facet: "skill"}}
	skills := []string{}
	for _, p := range all {
		if !slices.Contains(skills, p.Question) && (ask.Params["skill"] == "" || ask.Params["skill"] == p.Question) {
			skills = append(skills, p.Question)
		}
	}
	slices.SortStableFunc(skills, func(a, b string) int { return called.place(s.ID, a, "") - called.place(s.ID, b, "") })
	kept, partner := false, ask.forPartner()
	for _, skill := range skills {
		mine := slices.DeleteFunc(slices.Clone(all), func(p pairs) bool { return p.Question != skill })
		before, after, gain, n := three(mine)
		var bars [2][11]int64
		for _, p := range mine {
			bars[0][p.Before] += p.Learners
			bars[1][p.After] += p.Learners
		}
		if partner && few(n) {
			kept = true
			continue
		}
		f.base("paired_"+skill, called.cell(s.ID, skill, "").in("en")+": before and after", called.cell(s.ID, skill, "").in("fr")+" : avant et après", n)
		if u := unpaired[s.ID+" "+skill]; !partner {
			f.base("unpaired_"+skill, "only one of both", "l’un des deux seulement", u)
		}
		if partner && tells(bars) { // with the means, counts that are kept back could be worked out
			kept = true
		} else {
			for v := range bars[0] {
				f.Rows = append(f.Rows, Row{Cells: []Cell{called.cell(s.ID, skill, ""), textCell(fmt.Sprint(v)), countCell(bars[0][v]), countCell(bars[1][v]), {}, {}, {}}})
			}
		}
		f.Rows = append(f.Rows, Row{Summary: true, Cells: []Cell{called.cell(s.ID, skill, ""), saidCell("mean", "Mean", "Moyenne"), {}, {}, before, after, gain}})
	}
	f.keptBack(kept)
	return nil
}

func tells(bars [2][11]int64) bool {
	return slices.ContainsFunc(bars[0][:], few) || slices.ContainsFunc(bars[1][:], few)
}

func gainTx(ctx context.Context, tx *postgres.Tx, ask Ask, f *Figure) error {
	sessions, err := f.sessionsTx(ctx, tx)
	if err != nil {
		return err
	}
	ids := idsOf(sessions)
	each := ask.Params["by"] == "skill"
	all, unpaired, err := f.pairsTx(ctx, tx, each, ids...)
	if err != nil {
		return err
	}
	called, err := titlesTx(ctx, tx, ask.KnownAt, ids...)
	if err != nil {
		return err
	}
	f.Columns = []Column{
		col("session", Text, "Session", "Session"), targeted(), col("skill", Text, "Skill", "Compétence"), col("learners", Count, "Learners", "Apprenants"), col("unpaired", Count, "Answers left out", "Réponses laissées de côté"),
		col("before", Points, "Before", "Avant"), col("after", Points, "After", "Après"), col("gain", Points, "Gain", "Gain"),
	}
	f.Charts = []Chart{{Kind: "dumbbell", Y: "session", Values: []string{"before", "after"}, Hover: []string{"gain"}}}
	if each {
		f.Charts[0].Facet = "skill"
	}
	var pooled []pairs
	var plain [3][]int64
	kept, partner := false, ask.forPartner()
	for _, s := range sessions {
		var skills []string
		for _, p := range all {
			if p.SessionID == s.ID && !slices.Contains(skills, p.Question) {
				skills = append(skills, p.Question)
			}
		}
		slices.SortStableFunc(skills, func(a, b string) int { return called.place(s.ID, a, "") - called.place(s.ID, b, "") })
		for _, skill := range skills {
			mine := slices.DeleteFunc(slices.Clone(all), func(p pairs) bool { return p.SessionID != s.ID || p.Question != skill })
			before, after, gain, n := three(mine)
			if partner && few(n) {
				kept = true
				continue
			}
			name, left := saidCell("all", "all", "toutes"), countCell(unpaired[s.ID+" "+skill])
			if each {
				name = called.cell(s.ID, skill, "")
			}
			if partner {
				left = Cell{}
			}
			open := openAt(tx, s, ask.AsOf)
			f.Open = f.Open || open
			f.Rows = append(f.Rows, Row{Open: open, Cells: []Cell{textCell(s.Key), targetedCell(s.For), name, countCell(n), left, before, after, gain}})
			pooled = append(pooled, mine...)
			for i, c := range []Cell{before, after, gain} {
				plain[i] = append(plain[i], c.Points.Hundredths)
			}
		}
	}
	f.keptBack(kept)
	if len(f.Rows) == 0 || each || kept { // one row alone that is kept back would come out of the mean of all
		return nil
	}
	before, after, gain, n := three(pooled)
	f.base("learners", "learners who said both", "apprenants qui ont dit les deux", n)
	means := Row{Summary: true, Cells: []Cell{saidCell("plain_mean", "Plain mean", "Moyenne simple"), {}, {}, {}, {}, {}, {}, {}}}
	for i, list := range plain {
		var sum int64
		for _, h := range list {
			sum += h
		}
		means.Cells[5+i] = Cell{Points: &Mean{Hundredths: halfUp(sum, int64(len(list))), N: int64(len(list))}}
	}
	f.Rows = append(f.Rows, means, Row{Summary: true, Cells: []Cell{saidCell("weighted_mean", "Weighted mean", "Moyenne pondérée"), {}, {}, countCell(n), {}, before, after, gain}})
	f.note("The plain mean is that of the sessions, and its n is how many they are.", "La moyenne simple est celle des sessions, et son n est leur nombre.")
	return nil
}
