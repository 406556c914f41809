package app

import (
	"context"
	"io"
	"slices"

	"cursus/internal/domain/gradebook"
	"cursus/internal/domain/intakes"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api"
)

var errNoMap = fault.New(fault.Forbidden, "scope-missing", "A new exercise needs the scope catalog:write: it becomes part of the session's map.")

// placesNew says whether decisions put exercises into the map of a session, which is of the catalogue.
func placesNew(decisions []gradebook.Mapping) bool {
	return slices.ContainsFunc(decisions, func(m gradebook.Mapping) bool { return m.Meaning == gradebook.NewExercise })
}

// ColumnMapping gives what was decided of columns of reports.
func (r Rooms) ColumnMapping(ctx context.Context, _ api.Principal, session string) (gradebook.Mappings, error) {
	return r.h.columnMapping(ctx, session)
}

// MapColumns decides what columns are.
func (r Rooms) MapColumns(ctx context.Context, who api.Principal, session string, decisions []gradebook.Mapping, version int) (all gradebook.Mappings, err error) {
	if placesNew(decisions) && !slices.Contains(who.Scopes, writesCatalogue) {
		return all, errNoMap
	}
	return r.h.mapColumns(ctx, session, decisions, version)
}

func (h *House) columnMapping(ctx context.Context, session string) (gradebook.Mappings, error) {
	return view(ctx, h, "column mapping", func(ctx context.Context, tx *postgres.Tx) (gradebook.Mappings, error) {
		return gradebook.MappingsTx(ctx, tx, session)
	})
}

func (h *House) mapColumns(ctx context.Context, session string, decisions []gradebook.Mapping, version int) (all gradebook.Mappings, err error) {
	err = h.DB.InTx(postgres.WithOwnPlans(ctx), "map columns", func(ctx context.Context, tx *postgres.Tx) error {
		all, err = gradebook.MapColumnsTx(ctx, tx, session, decisions, version)
		return err
	})
	return all, err
}

// Intakes lists what was taken in for a session.
func (r Rooms) Intakes(ctx context.Context, _ api.Principal, session string, p page.Request) (all []intakes.Intake, next string, err error) {
	err = r.h.DB.View(postgres.WithActor(ctx, "system"), "intakes", func(ctx context.Context, tx *postgres.Tx) (err error) {
		all, next, err = intakes.HistoryTx(ctx, tx, session, p)
		return err
	})
	return all, next, err
}

// IntakeOutcomes are what became of the rows of an intake.
func (r Rooms) IntakeOutcomes(ctx context.Context, _ api.Principal, session, intake string, p page.Request) (some []intakes.Outcome, next string, err error) {
	err = r.h.DB.View(postgres.WithActor(ctx, "system"), "outcomes of an intake", func(ctx context.Context, tx *postgres.Tx) (err error) {
		some, next, err = intakes.OutcomesTx(ctx, tx, session, intake, p)
		return err
	})
	return some, next, err
}

// IntakeFile gives the bytes of an intake as they came.
func (r Rooms) IntakeFile(ctx context.Context, who api.Principal, session, intake string) (intakes.Intake, io.Reader, error) {
	if intakes.OfExams(intake) && !slices.Contains(who.Scopes, "exams:write") {
		return intakes.Intake{}, nil, intakes.ErrNotExams
	}
	return r.h.Intakes.Open(ctx, session, intake)
}
