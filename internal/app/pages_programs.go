package app

import (
	"context"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/certificates"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/paths"
	"cursus/internal/domain/programs"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api"
	"cursus/internal/transport/web"
)

const writesPrograms = "programs:write"

// fresh is a path as somebody sees it who has passed nothing and for whom everything is offered.
func fresh(c programs.Content, tx *postgres.Tx) programs.Path {
	e, f := programs.Edition{}, programs.Facts{Enrolled: map[string]bool{}}
	for _, x := range c.Courses() {
		e.Sessions = append(e.Sessions, programs.EditionSession{CourseKey: x.Key, Opening: programs.AtOnce})
		f.Enrolled[x.Key] = true
	}
	return programs.PathOf(c, e, f, tx.Now())
}

// PublicPrograms shows every program that the public sees.
func (p Pages) PublicPrograms(ctx context.Context) (out []web.ShownProgram, err error) {
	err = p.h.DB.View(ctx, "public programs", func(ctx context.Context, tx *postgres.Tx) error {
		out = nil
		all, err := programs.ProgramsTx(ctx, tx)
		if err != nil {
			return err
		}
		names, err := courseNames(ctx, tx)
		if err != nil {
			return err
		}
		for _, x := range all {
			if x.Visible && x.Published != nil {
				out = append(out, web.ShownProgram{Program: x, Path: fresh(*x.Published, tx), Names: names})
			}
		}
		return nil
	})
	return out, err
}

// PublicProgram shows one with its path and its editions.
func (p Pages) PublicProgram(ctx context.Context, key string) (out web.ShownProgram, err error) {
	err = p.h.DB.View(ctx, "public program", func(ctx context.Context, tx *postgres.Tx) error {
		x, err := programs.PublicProgramTx(ctx, tx, key)
		if err != nil {
			return err
		}
		out = web.ShownProgram{Program: x, Path: fresh(*x.Published, tx)}
		if out.Names, err = courseNames(ctx, tx); err != nil {
			return err
		}
		editions, err := programs.EditionsTx(ctx, tx, x.ID)
		for _, e := range editions {
			if e.State != catalog.Published || err != nil {
				continue
			}
			shown := web.ShownEdition{Edition: e, Now: e.StateAt(tx.Now())}
			standing, err := offers.ForTx(ctx, tx, e.ID, "")
			if err != nil {
				return err
			}
			for _, o := range standing {
				if o.Audience == "" && o.ValidAt(tx.Now()) == nil {
					shown.Prices = append(shown.Prices, o.Price)
				}
			}
			out.Editions = append(out.Editions, shown)
		}
		return err
	})
	return out, err
}

// PublicEdition shows an edition with what it promises.
func (p Pages) PublicEdition(ctx context.Context, key string) (out web.PublicEdition, err error) {
	err = p.h.DB.View(ctx, "public edition", func(ctx context.Context, tx *postgres.Tx) error {
		e, err := programs.EditionTx(ctx, tx, key)
		if err != nil {
			return err
		}
		if e.State != catalog.Published {
			return programs.ErrNoEdition
		}
		v, err := programs.VersionTx(ctx, tx, e.ProgramID, e.Version)
		if err != nil {
			return err
		}
		out = web.PublicEdition{Edition: e, Now: e.StateAt(tx.Now()), Content: v.Content}
		out.Names, err = courseNames(ctx, tx)
		return err
	})
	return out, err
}

// courseNames are the titles of the courses that the public sees, by their keys.
func courseNames(ctx context.Context, tx *postgres.Tx) (map[string]web.Text, error) {
	courses, err := catalog.CoursesTx(ctx, tx)
	names := map[string]web.Text{}
	for _, c := range courses {
		names[c.Key] = text(c.Title)
	}
	return names, err
}

// LearnerPaths shows a learner the programs that she follows.
func (p Pages) LearnerPaths(ctx context.Context, who web.Viewer) ([]paths.Answer, error) {
	return view(hers(ctx, who, "learning:read"), p.h, "my programs", func(ctx context.Context, tx *postgres.Tx) ([]paths.Answer, error) {
		return paths.AllOfLearnerTx(ctx, tx, who.PersonID)
	})
}

// LearnerPath shows her one of them.
func (p Pages) LearnerPath(ctx context.Context, who web.Viewer, edition string) (web.ShownPath, error) {
	return view(hers(ctx, who, "learning:read"), p.h, "my path", func(ctx context.Context, tx *postgres.Tx) (out web.ShownPath, err error) {
		if out.Answer, err = paths.OfLearnerTx(ctx, tx, who.PersonID, edition); err != nil {
			return out, err
		}
		if out.Called.Names, err = courseNames(ctx, tx); err != nil {
			return out, err
		}
		mine, err := certificates.OfLearnerTx(ctx, tx, who.PersonID)
		if err != nil {
			return out, err
		}
		for _, c := range mine {
			if c.Kind == certificates.TranscriptKind && c.EditionID == out.Edition.ID && c.State() == certificates.StateValid {
				out.Transcript = &web.Certificate{ID: c.ID, Code: c.Code, IssuedAt: c.IssuedAt, Transcript: true}
			}
		}
		out.Called.Marks, err = marks(ctx, tx, out.Path)
		return out, err
	})
}

// IssueTranscript gives a learner the transcript of a program that she follows.
func (p Pages) IssueTranscript(ctx context.Context, who web.Viewer, edition, key string) error {
	_, err := p.h.Certificates.Transcribe(hers(ctx, who, "learning:read"), key, who.PersonID, edition)
	return err
}

// marks are the grades of courses that were tried and are not passed, against the threshold of the session in which each is followed. A
// grade that reaches it waits for the report that says so, and is no reason.
func marks(ctx context.Context, tx *postgres.Tx, path programs.Path) (map[string]web.Mark, error) {
	out := map[string]web.Mark{}
	for _, c := range path.Courses {
		if c.Credit != nil || c.GradePPM == nil || c.Session == "" {
			continue
		}
		s, err := catalog.SessionTx(ctx, tx, c.Session)
		if err != nil {
			return nil, err
		}
		if *c.GradePPM < s.ThresholdPPM {
			out[c.Course] = web.Mark{GradePPM: *c.GradePPM, NeedPPM: s.ThresholdPPM}
		}
	}
	return out, nil
}

// AllPrograms lists every program for staff.
func (p Pages) AllPrograms(ctx context.Context, who web.Viewer) ([]programs.Program, error) {
	return view(as(ctx, who), p.h, "programs", programs.ProgramsTx)
}

// WrittenProgram finds a program with its history.
func (p Pages) WrittenProgram(ctx context.Context, who web.Viewer, key string) (out web.WrittenProgram, err error) {
	err = p.h.DB.View(as(ctx, who), "program", func(ctx context.Context, tx *postgres.Tx) (err error) {
		if out.Program, err = programs.ProgramTx(ctx, tx, key); err != nil {
			return err
		}
		if out.Versions, err = programs.VersionsTx(ctx, tx, out.ID); err != nil {
			return err
		}
		if out.Moves, err = movesTx(ctx, tx, "program", out.ID); err != nil {
			return err
		}
		out.ChangedBy, err = named(ctx, tx, out.ChangedBy)
		return err
	})
	return out, err
}

// movesTx lists moves with the names of those who made them.
func movesTx(ctx context.Context, tx *postgres.Tx, kind, id string) ([]catalog.Move, error) {
	moves, err := programs.HistoryTx(ctx, tx, kind, id)
	if err != nil {
		return nil, err
	}
	return namedMoves(ctx, tx, moves)
}

// namedMoves says the names of those who made the moves.
func namedMoves(ctx context.Context, tx *postgres.Tx, moves []catalog.Move) (_ []catalog.Move, err error) {
	for i := range moves {
		if moves[i].By, err = named(ctx, tx, moves[i].By); err != nil {
			return nil, err
		}
	}
	return moves, nil
}

// ProgramCourses lists the courses that a program can name.
func (p Pages) ProgramCourses(ctx context.Context, who web.Viewer) ([]catalog.Course, error) {
	return view(as(ctx, who), p.h, "courses of programs", catalog.CoursesTx)
}

func init() {
	publicPaths = append(publicPaths, func(ctx context.Context, tx *postgres.Tx) ([]string, error) {
		all, err := programs.ProgramsTx(ctx, tx)
		out := []string{"/programs"}
		for _, x := range all {
			if x.Visible && x.Published != nil {
				out = append(out, "/programs/"+x.Key)
			}
		}
		if err != nil {
			return nil, err
		}
		editions, err := programs.EditionsTx(ctx, tx, "")
		for _, e := range editions {
			if e.State == catalog.Published {
				out = append(out, "/editions/"+e.Key)
			}
		}
		return out, err
	})
}

// SaveProgram writes the working copy.
func (p Pages) SaveProgram(ctx context.Context, who web.Viewer, key string, c programs.Content, version int) (programs.Program, error) {
	return done(ctx, p, who, writesPrograms, "save program", func(ctx context.Context, tx *postgres.Tx) (programs.Program, error) {
		return programs.SaveDraftTx(ctx, tx, key, c, version)
	})
}

// MoveProgramOn takes a program to another state of publication.
func (p Pages) MoveProgramOn(ctx context.Context, who web.Viewer, key string, to catalog.Publication, note string, version int) error {
	_, err := done(ctx, p, who, writesPrograms, "move program", func(ctx context.Context, tx *postgres.Tx) (programs.Program, error) {
		return programs.MoveProgramTx(ctx, tx, key, to, note, version)
	})
	return err
}

// TryProgram says what a content means for somebody who has passed these courses.
func (p Pages) TryProgram(ctx context.Context, who web.Viewer, c programs.Content, passed []string) (out web.Trial, err error) {
	t := api.ProgramTrial{Content: c}
	best := 1_000_000
	for _, key := range passed {
		t.Results = append(t.Results, programs.Result{Course: key, Passed: true, Certified: true, GradePPM: &best})
	}
	err = p.h.DB.View(as(ctx, who), "try program", func(ctx context.Context, tx *postgres.Tx) error {
		x, err := preview(ctx, tx, t)
		out = web.Trial{Path: x.Path, Unpriced: x.Unpriced}
		for _, s := range x.Prices {
			currency := money.Currency(s.Currency)
			out.Prices = append(out.Prices, web.TrialPrice{Min: money.Of(int64(s.Minor.Min), currency), Max: money.Of(int64(s.Minor.Max), currency)})
		}
		return err
	})
	return out, err
}

// AllEditions lists every edition for staff.
func (p Pages) AllEditions(ctx context.Context, who web.Viewer) ([]programs.Edition, error) {
	return view(as(ctx, who), p.h, "editions", func(ctx context.Context, tx *postgres.Tx) ([]programs.Edition, error) {
		return programs.EditionsTx(ctx, tx, "")
	})
}

// WrittenEdition finds an edition with its history and where its members stand.
func (p Pages) WrittenEdition(ctx context.Context, who web.Viewer, key string) (out web.WrittenEdition, err error) {
	err = p.h.DB.View(as(ctx, who), "edition", func(ctx context.Context, tx *postgres.Tx) (err error) {
		if out.Edition, err = programs.EditionTx(ctx, tx, key); err != nil {
			return err
		}
		if out.Moves, err = movesTx(ctx, tx, "edition", out.ID); err != nil {
			return err
		}
		out.Cohort, err = paths.CohortTx(ctx, tx, out.Edition)
		return err
	})
	return out, err
}

// EditionChoices gives the courses of a version and the sessions that each can have, the newest first.
func (p Pages) EditionChoices(ctx context.Context, who web.Viewer, program string, version int) (out web.Choices, err error) {
	err = p.h.DB.View(as(ctx, who), "choices of an edition", func(ctx context.Context, tx *postgres.Tx) error {
		x, err := programs.ProgramTx(ctx, tx, program)
		if err != nil {
			return err
		}
		if version == 0 {
			version = x.Current
		}
		v, err := programs.VersionTx(ctx, tx, x.ID, version)
		if err != nil {
			return err
		}
		out = web.Choices{Program: x.Key, Version: version, Content: v.Content, Sessions: map[string][]string{}}
		sessions, err := catalog.SessionsTx(ctx, tx)
		for _, s := range sessions {
			out.Sessions[s.CourseKey] = append(out.Sessions[s.CourseKey], s.Key)
		}
		return err
	})
	return out, err
}

// SaveEdition writes an edition.
func (p Pages) SaveEdition(ctx context.Context, who web.Viewer, key string, n programs.EditionPlan, version int) (programs.Edition, error) {
	return done(ctx, p, who, writesPrograms, "save edition", func(ctx context.Context, tx *postgres.Tx) (programs.Edition, error) {
		return sales.PutEditionTx(ctx, tx, key, n, version)
	})
}

// MoveEditionOn takes an edition to another state of publication.
func (p Pages) MoveEditionOn(ctx context.Context, who web.Viewer, key string, to catalog.Publication, note string, version int) error {
	_, err := done(ctx, p, who, writesPrograms, "move edition", func(ctx context.Context, tx *postgres.Tx) (programs.Edition, error) {
		return programs.MoveEditionTx(ctx, tx, key, to, note, version)
	})
	return err
}
