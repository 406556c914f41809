package exams

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/lti"
	"cursus/internal/platform/postgres"
)

// launchLife is how long a browser has from our page to the answer of the provider's login.
const launchLife = 5 * time.Minute

// Faults of launches.
var (
	ErrNoLaunch    = fault.New(fault.NotFound, "no-such-launch", "There is no such launch.")
	ErrLaunchSpent = fault.New(fault.Conflict, "launch-spent", "This way to the provider was used already, or its minutes are over. Open it again from the page of your exam.")
)

// proctorLaunch is a way of a browser to a provider of lti, which is gone once.
type proctorLaunch struct {
	ID         string     `db:"id"`
	AttemptID  string     `db:"attempt_id"`
	LearnerID  string     `db:"learner_id"`
	Provider   string     `db:"provider"`
	Ends       bool       `db:"ends"`
	ExpiresAt  time.Time  `db:"expires_at"`
	RedeemedAt *time.Time `db:"redeemed_at"`
}

// Ticket is what the browser of who sits posts to a provider of lti.
type Ticket struct {
	lti.Post
	Provider    string // as people call it
	EnrolmentID string
	Ends        bool // the exam is over
}

func toolOf(a ProctorAccess) lti.Tool {
	return lti.Tool{Issuer: a.Audience, LoginURL: a.BaseURL, LaunchURL: a.TargetURL, ClientID: a.ClientID, DeploymentID: a.Deployment}
}

// launched is what a launch is about.
type launched struct {
	access   ProctorAccess
	provider Provider
	sitting  Sitting
	attempt  Attempt
	exam     ExamCard
}

// launchableTx finds what a launch of the latest attempt of a sitting is about, and holds its enrolment. To the set-up leads one while the attempt is
// not over; to the end one of an attempt that is over, where the provider asked for it. Errors: ErrNoSitting, ErrNoAttempt, ErrNoLaunch where no
// provider of lti watches, ErrDecided, ErrAttemptOver, ErrNotYet.
func (s *Service) launchableTx(ctx context.Context, tx *postgres.Tx, sittingID, learnerID string, ends bool) (l launched, err error) {
	if l.sitting, _, err = lockedSitting(ctx, tx, sittingID, learnerID); err != nil {
		return l, err
	}
	var found bool
	if l.attempt, found, err = lastAttemptTx(ctx, tx, sittingID); err != nil {
		return l, err
	}
	if !found {
		return l, ErrNoAttempt
	}
	g, watched, err := ProctoringTx(ctx, tx, l.attempt.ID)
	if err == nil && (!watched || g.Language != ProctorLTI || ends && !g.WantsEnd) {
		err = ErrNoLaunch
	}
	if err != nil {
		return l, err
	}
	over := rank[l.attempt.State] > rank[Started]
	switch {
	case !ends && l.sitting.State != Booked:
		return l, ErrDecided
	case !ends && over:
		return l, ErrAttemptOver
	case ends && !over:
		return l, ErrNotYet
	}
	if l.access, l.provider, err = s.accessTx(ctx, tx, g.Provider); err == nil && !l.provider.Enabled {
		err = ErrNoProvider
	}
	if err != nil {
		return l, err
	}
	l.exam, err = cardTx(ctx, tx, l.sitting)
	return l, err
}

// LaunchTx begins the way of the browser of who sits to the provider of lti that watches over her attempt: to its set-up, or, where the provider asked for
// it, to the end. Errors: those of launchableTx.
func (s *Service) LaunchTx(ctx context.Context, tx *postgres.Tx, sittingID, learnerID string, ends bool) (Ticket, error) {
	l, err := s.launchableTx(ctx, tx, sittingID, learnerID, ends)
	if err != nil {
		return Ticket{}, err
	}
	id := ident.New("pln")
	if _, err := tx.Exec(ctx, q.Q("AddProctorLaunch"), id, l.attempt.ID, learnerID, l.provider.Key, ends, tx.Now(), tx.Now().Add(launchLife)); err != nil {
		return Ticket{}, err
	}
	return l.ticket(toolOf(l.access).Begin(id, l.attempt.ID), ends), nil
}

func (l launched) ticket(p lti.Post, ends bool) Ticket {
	return Ticket{Post: p, Provider: l.provider.Name, EnrolmentID: l.sitting.EnrolmentID, Ends: ends}
}

// AnswerLogin gives a provider of lti the message of a launch, once, by the browser that began it. Errors: lti.ErrLogin, ErrNoLaunch where it is not hers,
// ErrLaunchSpent, and those of launchableTx.
func (s *Service) AnswerLogin(ctx context.Context, learnerID string, a lti.Login) (Ticket, error) {
	var l launched
	var one proctorLaunch
	if err := s.db.InTx(asHouse(ctx), "answer login of provider", func(ctx context.Context, tx *postgres.Tx) error {
		err := tx.Get(ctx, &one, q.Q("LockProctorLaunch"), a.LoginHint)
		if errors.Is(err, sql.ErrNoRows) || err == nil && one.LearnerID != learnerID {
			return ErrNoLaunch
		}
		if err != nil {
			return err
		}
		if one.RedeemedAt != nil || !tx.Now().Before(one.ExpiresAt) {
			return ErrLaunchSpent
		}
		attempt, err := AttemptTx(ctx, tx, one.AttemptID)
		if err != nil {
			return err
		}
		if l, err = s.launchableTx(ctx, tx, attempt.SittingID, learnerID, one.Ends); err != nil {
			return err
		}
		if l.attempt.ID != one.AttemptID || l.provider.Key != one.Provider { // she went on to another attempt
			return ErrLaunchSpent
		}
		if err := a.Check(toolOf(l.access), one.AttemptID); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, q.Q("RedeemProctorLaunch"), one.ID, tx.Now()); err != nil {
			return err
		}
		if one.Ends {
			if _, err := tx.Exec(ctx, q.Q("Ended"), one.AttemptID, tx.Now()); err != nil {
				return err
			}
		}
		return audit.AppendTx(ctx, tx, audit.Entry{Action: "attempt.launched", Object: one.AttemptID, Detail: map[string]any{"launch": one.ID, "provider": one.Provider, "ends": one.Ends}})
	}); err != nil {
		return Ticket{}, err
	}
	token, err := s.proctor.Launch(l.access, ProctorLaunch{
		End: one.Ends, ID: one.ID, Nonce: a.Nonce, User: obscured(one.Provider, learnerID), Sitting: l.sitting.ID, Attempt: l.attempt.N, Title: l.exam.Title,
		StartURL: s.startURL(one.Provider), ControlURL: l.access.Audience + "/control", ReturnURL: s.base + "/learning/" + l.sitting.EnrolmentID + "/exam",
	})
	return l.ticket(a.Answer(toolOf(l.access), token), one.Ends), err
}

// startURL is where the browser of who sits brings LtiStartAssessment.
func (s *Service) startURL(provider string) string {
	return s.base + "/exams/lti/" + provider + "/start"
}

// ComeBack takes in LtiStartAssessment, which the browser of who sits brings from the provider of lti that set her up, and gives her enrolment. It may be
// anybody's browser: the message moves the attempt that it is about, and whoever starts that has to be who sits. Errors: those of HearProctor.
func (s *Service) ComeBack(ctx context.Context, provider, token string) (enrolmentID string, err error) {
	ctx = asHouse(ctx)
	h, event, err := s.hear(ctx, provider, ProctorMessage{Call: "start", Body: []byte(token)})
	if err != nil {
		return "", err
	}
	if event != "" { // now, so that the page to which she comes says so; the job finds it done
		if err := s.WorkOnProctorEvent(ctx, event); err != nil {
			return "", err
		}
	}
	sitting, _, _ := strings.Cut(h.Attempt, "/")
	err = s.db.View(ctx, "sitting of launch", func(ctx context.Context, tx *postgres.Tx) error {
		x, err := SittingTx(ctx, tx, sitting)
		enrolmentID = x.EnrolmentID
		return err
	})
	return enrolmentID, err
}
