package app

import (
	"context"
	"slices"
	"sort"
	"strconv"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/paths"
	"cursus/internal/domain/programs"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api"
)

func editionNow(e programs.Edition, tx *postgres.Tx) api.Edition {
	return api.Edition{Edition: e, Now: e.StateAt(tx.Now())}
}

func editionsNow(all []programs.Edition, tx *postgres.Tx) []api.Edition {
	out := make([]api.Edition, len(all))
	for i, e := range all {
		out[i] = editionNow(e, tx)
	}
	return out
}

func publicProgram(p programs.Program, editions []api.Edition) api.PublicProgram {
	out := api.PublicProgram{Key: p.Key, Number: p.Current, Content: *p.Published, Totals: p.Published.Totals(), PublishedAt: *p.PublishedAt, Editions: []api.Edition{}}
	for _, e := range editions {
		if e.ProgramID == p.ID {
			out.Editions = append(out.Editions, e)
		}
	}
	return out
}

// Programs lists what the public sees.
func (r Rooms) Programs(ctx context.Context, p page.Request) (out []api.PublicProgram, next string, err error) {
	err = r.h.DB.View(ctx, "list programs", func(ctx context.Context, tx *postgres.Tx) (err error) {
		var all []programs.Program
		if all, next, err = programs.PublicProgramsTx(ctx, tx, p); err != nil {
			return err
		}
		out, err = withEditions(ctx, tx, all...)
		return err
	})
	return out, next, err
}

func withEditions(ctx context.Context, tx *postgres.Tx, all ...programs.Program) ([]api.PublicProgram, error) {
	ids := make([]string, len(all))
	for i, p := range all {
		ids[i] = p.ID
	}
	editions, err := programs.PublishedEditionsOfTx(ctx, tx, ids...)
	now, out := editionsNow(editions, tx), make([]api.PublicProgram, len(all))
	for i, p := range all {
		out[i] = publicProgram(p, now)
	}
	return out, err
}

// Program finds a program that the public sees.
func (r Rooms) Program(ctx context.Context, key string) (out api.PublicProgram, err error) {
	err = r.h.DB.View(ctx, "program", func(ctx context.Context, tx *postgres.Tx) error {
		p, err := programs.PublicProgramTx(ctx, tx, key)
		if err != nil {
			return err
		}
		all, err := withEditions(ctx, tx, p)
		out = all[0]
		return err
	})
	return out, err
}

func programDraft(ctx context.Context, tx *postgres.Tx, p programs.Program) (api.ProgramDraft, error) {
	moves, err := programs.HistoryTx(ctx, tx, "program", p.ID)
	return api.ProgramDraft{
		ID: p.ID, Key: p.Key, Version: p.Version, State: p.State, Current: p.Current, Visible: p.Visible, Draft: p.Draft, Totals: p.Draft.Totals(),
		ChangedAt: p.ChangedAt, ChangedBy: p.ChangedBy, Moves: moves,
	}, err
}

// ProgramDraft finds the working copy of a program.
func (r Rooms) ProgramDraft(ctx context.Context, key string) (out api.ProgramDraft, err error) {
	err = r.h.DB.View(ctx, "program draft", func(ctx context.Context, tx *postgres.Tx) error {
		p, err := programs.ProgramTx(ctx, tx, key)
		if err != nil {
			return err
		}
		out, err = programDraft(ctx, tx, p)
		return err
	})
	return out, err
}

// PutProgramDraft writes the working copy of a program.
func (r Rooms) PutProgramDraft(ctx context.Context, _ api.Principal, key string, c programs.Content, version int) (out api.ProgramDraft, err error) {
	err = r.h.DB.InTx(ctx, "save program", func(ctx context.Context, tx *postgres.Tx) error {
		p, err := programs.SaveDraftTx(ctx, tx, key, c, version)
		if err != nil {
			return err
		}
		out, err = programDraft(ctx, tx, p)
		return err
	})
	return out, err
}

// MoveProgram takes a working copy to another state of publication.
func (r Rooms) MoveProgram(ctx context.Context, _ api.Principal, key string, m api.Move, version int) (out api.ProgramDraft, err error) {
	err = r.h.DB.InTx(ctx, "move program", func(ctx context.Context, tx *postgres.Tx) error {
		p, err := programs.MoveProgramTx(ctx, tx, key, m.To, m.Note, version)
		if err != nil {
			return err
		}
		out, err = programDraft(ctx, tx, p)
		return err
	})
	return out, err
}

// ProgramVersions lists what was published.
func (r Rooms) ProgramVersions(ctx context.Context, key string, p page.Request) (out []programs.Version, next string, err error) {
	err = r.h.DB.View(ctx, "program versions", func(ctx context.Context, tx *postgres.Tx) error {
		x, err := programs.ProgramTx(ctx, tx, key)
		if err != nil {
			return err
		}
		out, err = programs.VersionsTx(ctx, tx, x.ID)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	out, next = cut(out, p, func(v programs.Version) string { return strconv.Itoa(v.Number) })
	return out, next, nil
}

// ProgramVersion finds one version.
func (r Rooms) ProgramVersion(ctx context.Context, key string, number int) (out programs.Version, err error) {
	err = r.h.DB.View(ctx, "program version", func(ctx context.Context, tx *postgres.Tx) error {
		p, err := programs.ProgramTx(ctx, tx, key)
		if err != nil {
			return err
		}
		out, err = programs.VersionTx(ctx, tx, p.ID, number)
		return err
	})
	return out, err
}

// PreviewProgram says what a content would mean. Nothing is stored.
func (r Rooms) PreviewProgram(ctx context.Context, t api.ProgramTrial) (out api.ProgramPreview, err error) {
	err = r.h.DB.View(ctx, "preview program", func(ctx context.Context, tx *postgres.Tx) error {
		out, err = preview(ctx, tx, t)
		return err
	})
	return out, err
}

// preview judges a content as if each course were offered and open from the start.
func preview(ctx context.Context, tx *postgres.Tx, t api.ProgramTrial) (out api.ProgramPreview, err error) {
	if err := programs.CheckTx(ctx, tx, t.Content); err != nil {
		return out, err
	}
	e, f := programs.Edition{}, programs.Facts{Results: t.Results, Workshops: t.Workshops, Enrolled: map[string]bool{}}
	courses := t.Content.Courses()
	for _, c := range courses {
		e.Sessions = append(e.Sessions, programs.EditionSession{CourseKey: c.Key, Opening: programs.AtOnce})
		f.Enrolled[c.Key] = true
	}
	out.Path = programs.PathOf(t.Content, e, f, tx.Now())
	out.Prices, out.Unpriced, err = priceSpans(ctx, tx, t.Content)
	return out, err
}

// priceSpans adds up what the courses of a content cost one by one: each in the cheapest paid offer that stands for one of its sessions. A
// currency in which a course that is asked for has no price is left out.
func priceSpans(ctx context.Context, tx *postgres.Tx, c programs.Content) ([]api.PriceSpan, []string, error) {
	sessions, err := catalog.SessionsTx(ctx, tx)
	if err != nil {
		return nil, nil, err
	}
	cheapest, unpriced := map[string]map[string]int{}, []string{} // currency → course → minor units
	rules := c.Courses()
	for _, rule := range rules {
		sold := false
		for _, s := range sessions {
			if s.CourseKey != rule.Key || s.StateAt(tx.Now()) == catalog.Closed {
				continue
			}
			standing, err := offers.OfSessionTx(ctx, tx, s.ID)
			if err != nil {
				return nil, nil, err
			}
			for _, o := range standing {
				if o.Price.Minor == 0 || o.ValidAt(tx.Now()) != nil {
					continue
				}
				in := cheapest[string(o.Price.Currency)]
				if in == nil {
					in = map[string]int{}
					cheapest[string(o.Price.Currency)] = in
				}
				if before, ok := in[rule.Key]; !ok || int(o.Price.Minor) < before {
					in[rule.Key] = int(o.Price.Minor)
				}
				sold = true
			}
		}
		if !sold {
			unpriced = append(unpriced, rule.Key)
		}
	}
	out := []api.PriceSpan{}
	for currency, of := range cheapest {
		if !slices.ContainsFunc(rules, func(x programs.CourseRule) bool { _, ok := of[x.Key]; return !ok && !x.Optional }) {
			out = append(out, api.PriceSpan{Currency: currency, Minor: c.Span(func(course string) int { return of[course] })})
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Currency < out[j].Currency })
	return out, unpriced, nil
}

// Editions lists what the public sees, of one program or of all.
func (r Rooms) Editions(ctx context.Context, program string, p page.Request) (out []api.Edition, next string, err error) {
	err = r.h.DB.View(ctx, "list editions", func(ctx context.Context, tx *postgres.Tx) (err error) {
		var all []programs.Edition
		all, next, err = programs.PublicEditionsTx(ctx, tx, program, p)
		out = editionsNow(all, tx)
		return err
	})
	return out, next, err
}

// Edition finds a published edition.
func (r Rooms) Edition(ctx context.Context, key string) (api.Edition, error) {
	e, err := r.EditionDraft(ctx, key)
	if err == nil && e.State != catalog.Published {
		return api.Edition{}, programs.ErrNoEdition
	}
	return e, err
}

// EditionDraft finds an edition, whatever its state.
func (r Rooms) EditionDraft(ctx context.Context, key string) (out api.Edition, err error) {
	err = r.h.DB.View(ctx, "edition", func(ctx context.Context, tx *postgres.Tx) error {
		e, err := programs.EditionTx(ctx, tx, key)
		out = editionNow(e, tx)
		return err
	})
	return out, err
}

// PutEdition writes an edition.
func (r Rooms) PutEdition(ctx context.Context, _ api.Principal, key string, n programs.EditionPlan, version int) (out api.Edition, err error) {
	err = r.h.DB.InTx(ctx, "save edition", func(ctx context.Context, tx *postgres.Tx) error {
		e, err := sales.PutEditionTx(ctx, tx, key, n, version)
		out = editionNow(e, tx)
		return err
	})
	return out, err
}

// MoveEdition takes an edition to another state of publication.
func (r Rooms) MoveEdition(ctx context.Context, _ api.Principal, key string, m api.Move, version int) (out api.Edition, err error) {
	err = r.h.DB.InTx(ctx, "move edition", func(ctx context.Context, tx *postgres.Tx) error {
		e, err := programs.MoveEditionTx(ctx, tx, key, m.To, m.Note, version)
		out = editionNow(e, tx)
		return err
	})
	return out, err
}

// Cohort says where the members of an edition stand.
func (r Rooms) Cohort(ctx context.Context, key string) (out paths.Cohort, err error) {
	err = r.h.DB.View(ctx, "cohort", func(ctx context.Context, tx *postgres.Tx) error {
		e, err := programs.EditionTx(ctx, tx, key)
		if err != nil {
			return err
		}
		out, err = paths.CohortTx(ctx, tx, e)
		return err
	})
	return out, err
}

func pathAnswer(a paths.Answer, tx *postgres.Tx) api.PathAnswer {
	return api.PathAnswer{Learner: a.LearnerID, Edition: editionNow(a.Edition, tx), Content: a.Content, Path: a.Path}
}

// MyPaths lists the editions of the principal, with her path in each.
func (r Rooms) MyPaths(ctx context.Context, who api.Principal, p page.Request) (out []api.PathAnswer, next string, err error) {
	err = r.h.DB.View(ctx, "my paths", func(ctx context.Context, tx *postgres.Tx) error {
		all, err := paths.AllOfLearnerTx(ctx, tx, who.PersonID)
		out = []api.PathAnswer{}
		for _, a := range all {
			out = append(out, pathAnswer(a, tx))
		}
		return err
	})
	if err != nil {
		return nil, "", err
	}
	out, next = cut(out, p, func(a api.PathAnswer) string { return a.Edition.ID })
	return out, next, nil
}

// MyPath is the path of the principal.
func (r Rooms) MyPath(ctx context.Context, who api.Principal, edition string) (api.PathAnswer, error) {
	return r.LearnerPath(ctx, edition, who.PersonID)
}

// LearnerPath is the path of a member of an edition whom the actor may see.
func (r Rooms) LearnerPath(ctx context.Context, edition, person string) (out api.PathAnswer, err error) {
	err = r.h.DB.View(ctx, "path", func(ctx context.Context, tx *postgres.Tx) error {
		a, err := paths.OfLearnerTx(ctx, tx, person, edition)
		out = pathAnswer(a, tx)
		return err
	})
	return out, err
}
