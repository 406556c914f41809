package programs

import (
	"context"
	"fmt"
	"slices"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/platform/postgres"
)

func (e Edition) over(now time.Time) bool { return e.EndsAt != nil && !now.Before(*e.EndsAt) }

// possible refuses an edition in which a course could open for nobody, or that is joined after its end. What dates say is known before
// anything is sold; what a learner passes is not.
func (e Edition) possible(c Content, now time.Time) error {
	out := ErrImpossible
	if e.EndsAt != nil {
		if e.EnrolFrom != nil && !e.EnrolFrom.Before(*e.EndsAt) {
			out = out.At("/enrol_from", "after-end", "Enrolment begins when the edition is over.")
		}
		if e.EnrolUntil != nil && e.EnrolUntil.After(*e.EndsAt) {
			out = out.At("/enrol_until", "after-end", "Enrolment goes on when the edition is over.")
		}
	}
	opens := e.opens(c)
	for i, s := range e.Sessions {
		if w := e.shut(s, opens[s.CourseKey], now); w != nil {
			out = out.At(fmt.Sprintf("/sessions/%d/%s", i, w.member), w.code, w.detail)
		}
	}
	if len(out.Fields) > 0 {
		return out
	}
	return nil
}

// opens says when each course opens at the earliest, whatever a learner passes; nil is at once.
func (e Edition) opens(c Content) map[string]*time.Time {
	out := map[string]*time.Time{}
	for _, x := range PathOf(c, e, Facts{}, time.Time{}).Courses {
		out[x.Course] = x.OpensAt
	}
	return out
}

// why a course opens for nobody: the member of the edition's session and the one of the session that say so.
type why struct{ member, own, code, detail string }

// shut says why the course of a session, which opens at a time, opens for nobody; nil where it does.
func (e Edition) shut(s EditionSession, opens *time.Time, now time.Time) *why {
	closed := func(from *time.Time) bool {
		return from != nil && (s.EndsAt != nil && !from.Before(*s.EndsAt) || e.EndsAt != nil && !from.Before(*e.EndsAt))
	}
	switch {
	case s.Closed && (s.EndsAt == nil || now.Before(*s.EndsAt)):
		return &why{"session", "closed", "session-closed", s.SessionKey + " is closed by hand, before its end."}
	case e.EndsAt != nil && s.StartsAt != nil && !s.StartsAt.Before(*e.EndsAt):
		return &why{"session", "starts_at", "begins-after-end", s.SessionKey + " begins when the edition is over."}
	case e.StartsAt != nil && s.EndsAt != nil && !e.StartsAt.Before(*s.EndsAt):
		return &why{"session", "ends_at", "over-before-start", s.SessionKey + " is over when the edition begins."}
	case s.Opening == OnDate && closed(s.OpensAt):
		return &why{"opens_at", "ends_at", "opens-after-end", "It opens when its session or the edition is over."}
	case closed(opens):
		return &why{"opening", "ends_at", "opens-after-end", "It opens when its session or the edition is over."}
	}
	return nil
}

// whole refuses an edition that has no session for a course that its version asks for.
func (e Edition) whole(ctx context.Context, tx *postgres.Tx) error {
	v, err := VersionTx(ctx, tx, e.ProgramID, e.Version)
	if err != nil {
		return err
	}
	out := ErrIncomplete
	for _, c := range v.Content.Courses() {
		if _, ok := e.SessionOf(c.Key); !ok && !c.Optional {
			out = out.At("/sessions", "no-session", c.Key+" has no session.")
		}
	}
	if len(out.Fields) > 0 {
		return out
	}
	return nil
}

// seen refuses an edition whose sessions the public does not see, whose program is archived, or that nobody could follow. It holds program
// and sessions, so that none is taken away meanwhile.
func (e Edition) seen(ctx context.Context, tx *postgres.Tx) error {
	if _, err := lock(ctx, tx, "LockProgram", e.ProgramID); err != nil {
		return err
	}
	p, err := ProgramTx(ctx, tx, e.ProgramID)
	if err != nil {
		return err
	}
	if p.State == catalog.Archived {
		return ErrProgramHidden.At("/program", ErrProgramHidden.Code, p.Key+" is archived.")
	}
	v, err := VersionTx(ctx, tx, e.ProgramID, e.Version)
	if err != nil {
		return err
	}
	sessions, err := e.holdSessions(ctx, tx)
	if err != nil {
		return err
	}
	if e, err = EditionTx(ctx, tx, e.ID); err != nil { // as its sessions are now that nobody else edits them
		return err
	}
	if err := e.possible(v.Content, tx.Now()); err != nil {
		return err
	}
	out := ErrHidden
	for i, x := range e.Sessions {
		if s := sessions[x.SessionID]; !s.Public() {
			out = out.At(fmt.Sprintf("/sessions/%d/session", i), "not-published", fmt.Sprintf("%s is in the state %s.", s.Key, s.Publication))
		}
	}
	if len(out.Fields) > 0 {
		return out
	}
	return nil
}

// holdSessions keeps others from the sessions of an edition until the transaction ends, in one order for all, so that two editions do not
// wait for each other. It gives them by id.
func (e Edition) holdSessions(ctx context.Context, tx *postgres.Tx) (map[string]catalog.Session, error) {
	ids := make([]string, 0, len(e.Sessions))
	for _, s := range e.Sessions {
		ids = append(ids, s.SessionID)
	}
	slices.Sort(ids)
	out := map[string]catalog.Session{}
	for _, id := range ids {
		s, err := catalog.LockSessionTx(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		out[id] = s
	}
	return out, nil
}
