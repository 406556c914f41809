package progress

import (
	"context"

	"cursus/internal/books/journey"
	"cursus/internal/platform/postgres"
)

// Named are those of whom an organisation may see by name how far they are: how many hold which stage, by the key of the session. What it is told in
// counts is told to somebody who knows this.
type Named map[string]map[journey.Stage]int64

// NamedOf counts them, in all groups of an organisation, each once.
func (s *Service) NamedOf(ctx context.Context, organisation string) (out Named, err error) {
	err = s.db.View(asSystem(ctx), "named of an organisation", func(ctx context.Context, tx *postgres.Tx) error {
		out = Named{}
		var groups []string
		if err := tx.Select(ctx, &groups, q.Q("GroupsOf"), organisation); err != nil {
			return err
		}
		counted := map[[2]string]bool{}
		for _, id := range groups {
			g, err := groupTx(ctx, tx, id)
			if err != nil {
				return err
			}
			sessions, members, err := allTx(ctx, tx, g)
			if err != nil {
				return err
			}
			facts, err := factsTx(ctx, tx, sessions, members)
			if err != nil {
				return err
			}
			for _, x := range sessions {
				for _, m := range members {
					f, follows := facts.of(m, x)
					if key := [2]string{m.PersonID, x.Key}; follows && m.Shared && !counted[key] {
						counted[key] = true
						out.add(x.Key, journey.State(f.Reached))
					}
				}
			}
		}
		return nil
	})
	return out, err
}

func (n Named) add(session string, state journey.State) {
	if n[session] == nil {
		n[session] = map[journey.Stage]int64{}
	}
	for _, stage := range []journey.Stage{journey.Enrolled, journey.Started, journey.Succeeded, journey.Eligible, journey.ExamBooked, journey.ExamSat, journey.ExamPassed, journey.Certified} {
		if state.Has(stage) {
			n[session][stage]++
		}
	}
	if state.Has(journey.Week1First) && state.Has(journey.Week2First) {
		n[session][journey.Week2First]++ // who is diligent
	}
}
