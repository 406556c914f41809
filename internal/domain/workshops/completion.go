package workshops

import (
	"context"

	"cursus/internal/platform/postgres"
)

// Completion is how far an enrolment of a hybrid session has got in its workshops. The rule is the session's: so many days attended, and a
// production that reaches a grade (in millionths; 0: none is asked for).
type Completion struct {
	EnrolmentID   string `db:"enrolment_id"`
	Days          int    `db:"days"` // of the session that were not canceled
	Attended      int    `db:"attended"`
	MinDays       int    `db:"min_days"`
	ProductionPPM *int   `db:"production_ppm"` // the latest grade; nil: none yet
	NeedsPPM      int    `db:"needs_ppm"`
}

// AsksAttendance says whether the session has workshop days and asks that some are attended.
func (c Completion) AsksAttendance() bool { return c.Days > 0 && c.MinDays > 0 }

// AsksProduction says whether the session has workshop days and asks for a production.
func (c Completion) AsksProduction() bool { return c.Days > 0 && c.NeedsPPM > 0 }

// AttendedEnough is true too where no attendance is asked for.
func (c Completion) AttendedEnough() bool { return !c.AsksAttendance() || c.Attended >= c.MinDays }

// Produced is true too where no production is asked for.
func (c Completion) Produced() bool {
	return !c.AsksProduction() || c.ProductionPPM != nil && *c.ProductionPPM >= c.NeedsPPM
}

// Complete says whether nothing of the workshops is missing.
func (c Completion) Complete() bool { return c.AttendedEnough() && c.Produced() }

// CompletionTx answers for enrolments that the actor may see, by enrolment. One of a session without workshop days is complete.
func CompletionTx(ctx context.Context, tx *postgres.Tx, enrolmentIDs ...string) (map[string]Completion, error) {
	var rows []Completion
	err := tx.Select(ctx, &rows, q.Q("Completion"), array(enrolmentIDs))
	out := make(map[string]Completion, len(rows))
	for _, r := range rows {
		out[r.EnrolmentID] = r
	}
	return out, err
}
