package flows

import (
	"context"
	"encoding/json"
	"errors"

	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/gradebook"
	"cursus/internal/domain/lms"
	"cursus/internal/platform/postgres"
)

// enrolmentChanged has the learning platform of a session say what the grants of an enrolment say now.
func (h *House) enrolmentChanged(ctx context.Context, e enrolment.Changed) error {
	return h.LMS.Ask(ctx, e.EnrolmentID)
}

// platformListDue reads what a learning platform lists of a session.
func (h *House) platformListDue(ctx context.Context, e lms.ListDue) error {
	return h.LMS.List(ctx, e)
}

// collectDue reads what the platform of a session says of its learners.
func (h *House) collectDue(ctx context.Context, e gradebook.CollectDue) error {
	return h.Gradebook.Collect(ctx, e, PageOf(h.LMS))
}

// recheckDue compares the stages of a session with its facts.
func (h *House) recheckDue(ctx context.Context, e gradebook.RecheckDue) error {
	_, err := h.Gradebook.Recheck(postgres.WithActor(ctx, "system"), e.SessionID)
	return err
}

// passes are the troubles with a platform that may be over another time.
var passes = map[string]bool{lms.Throttled: true, lms.ServerError: true, lms.BrokenAnswer: true, lms.Timeout: true, "no_such_host": true, "no_connection": true, "bad_tls": true}

// PageOf has learning platforms say what they know of a session.
func PageOf(l *lms.Service) gradebook.PageOf {
	return func(ctx context.Context, sessionID, part string, cohort int64, cursor string) (results json.RawMessage, next string, err error) {
		if part == gradebook.PartEnrolments {
			results, next, err = listPage(ctx, l, sessionID, cursor)
		} else {
			results, next, err = l.GradesPage(ctx, sessionID, part == gradebook.PartGrades, cohort, cursor)
		}
		if t := (*lms.Trouble)(nil); errors.As(err, &t) {
			err = &gradebook.Refusal{Code: t.Code, Shut: t.Code == lms.NotPermitted, Passes: passes[t.Code], Later: t.Later}
		}
		return results, next, err
	}
}

// listPage writes a page of a list of enrolments as the platform does.
func listPage(ctx context.Context, l *lms.Service, sessionID, cursor string) (results json.RawMessage, next string, err error) {
	rows, next, err := l.ListPage(ctx, sessionID, cursor)
	if err != nil {
		return nil, "", err
	}
	type line struct {
		User   string `json:"user"`
		Mode   string `json:"mode"`
		Active bool   `json:"is_active"`
	}
	out := make([]line, 0, len(rows))
	for _, r := range rows {
		out = append(out, line{r.Username, r.Mode, r.Active})
	}
	results, err = json.Marshal(out)
	return results, next, err
}

// platformDue tells a learning platform what is due.
func (h *House) platformDue(ctx context.Context, e lms.Due) error {
	return h.LMS.Serve(ctx, e.Platform)
}
