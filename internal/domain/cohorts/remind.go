package cohorts

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/lib/pq"

	"cursus/internal/domain/sales"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// Reminded says that an invitation is to be recalled by mail, for a step of the ladder.
type Reminded struct {
	InvitationID string `json:"invitation_id"`
	Step         int    `json:"step"`
}

// Kind names the job.
func (Reminded) Kind() string { return "cohorts.reminded" }

// Sent is what became of a mail of an invitation.
type Sent string

// The outcomes of a mail.
const (
	MailTaken     Sent = "sent"
	MailRefused   Sent = "refused"   // for good
	MailUncertain Sent = "uncertain" // it was handed over and no answer came
	MailLater     Sent = "due"       // nothing was handed over; try again later
)

// RemindAfter sets the ladder: in how many days after an invitation it is recalled, and, below nothing, how many days before one can join no
// more. Without a ladder nobody is reminded.
func (s *Service) RemindAfter(days []int) { s.ladder = days }

// RemindInvited has those reminded who did not take up their invitation and for whom a step of the ladder has come, each step once. Of several
// steps that came while nobody looked it is the last one alone. Who took it up, was withdrawn, wants no reminders or has a dead address is not
// reminded any more. It gives how many.
func (s *Service) RemindInvited(ctx context.Context) (n int, err error) {
	if len(s.ladder) == 0 {
		return 0, nil
	}
	ctx = postgres.WithActor(ctx, "system")
	var inviting []struct {
		CohortID string `db:"cohort_id"`
		OfferID  string `db:"offer_id"`
	}
	if err := s.db.View(ctx, "cohorts that invite", func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Select(ctx, &inviting, q.Q("Inviting"), tx.Now())
	}); err != nil {
		return 0, err
	}
	for _, c := range inviting {
		for more := true; more; {
			var some int
			if err := s.db.InTx(ctx, "remind invited", func(ctx context.Context, tx *postgres.Tx) (err error) {
				some, err = s.remindTx(ctx, tx, c.CohortID, c.OfferID)
				return err
			}); err != nil {
				return n, err
			}
			n, more = n+some, some == inOneGo
		}
	}
	return n, nil
}

// remindTx notes the steps that have come for some invitations of a cohort, and enqueues their mails.
func (s *Service) remindTx(ctx context.Context, tx *postgres.Tx, cohortID, offerID string) (int, error) {
	ends, err := sales.JoinUntilTx(ctx, tx, offerID)
	if err != nil {
		return 0, err
	}
	if ends != nil && !tx.Now().Before(*ends) { // nobody could take it up any more
		return 0, nil
	}
	var steps []int64
	var befores []time.Time // who was invited until then is due for the step
	for _, d := range s.ladder {
		before := tx.Now().AddDate(0, 0, -d)
		if d < 0 {
			if ends == nil {
				continue
			}
			if before = ends.AddDate(0, 0, d); tx.Now().Before(before) {
				continue
			}
		}
		steps, befores = append(steps, int64(d)), append(befores, before)
	}
	var due []struct {
		ID   string `db:"id"`
		Step int    `db:"step"`
	}
	if err := tx.Select(ctx, &due, q.Q("ToRemind"), cohortID, tx.Now(), pq.Array(steps), pq.Array(befores), inOneGo); err != nil {
		return 0, err
	}
	for _, x := range due {
		if err := s.jobs.EnqueueTx(ctx, tx, Reminded{x.ID, x.Step}); err != nil {
			return 0, err
		}
	}
	if len(due) == 0 {
		return 0, nil
	}
	return len(due), audit.AppendTx(ctx, tx, audit.Entry{Action: "invitations.reminded", Object: cohortID, Detail: map[string]any{"students": len(due)}})
}

// Recall gives the letter of a reminder and notes that it is about to be sent; false where it was sent, or may have been, or nobody waits for it
// any more. Say what became of it with NoteReminder.
func (s *Service) Recall(ctx context.Context, e Reminded) (l Letter, live bool, err error) {
	ctx = postgres.WithActor(ctx, "system")
	err = s.db.InTx(ctx, "recall invitation", func(ctx context.Context, tx *postgres.Tx) error {
		live = false
		var state string
		if err := tx.Get(ctx, &state, q.Q("LockReminder"), e.InvitationID, e.Step); errors.Is(err, sql.ErrNoRows) || err == nil && state != string(MailLater) {
			return nil
		} else if err != nil {
			return err
		}
		i, found, err := s.letterTx(ctx, tx, s.token(e.InvitationID))
		if err != nil {
			return err
		}
		l = found
		l.Token, l.Stop = s.token(i.ID), s.stopToken(i.ID)
		state = "skipped"
		if live = i.remindable(tx.Now()) && l.wanted(); live {
			state = "sending"
		}
		_, err = tx.Exec(ctx, q.Q("MoveReminder"), e.InvitationID, e.Step, state, nil)
		return err
	})
	return l, live, err
}

// NoteReminder notes what became of the mail of a reminder.
func (s *Service) NoteReminder(ctx context.Context, e Reminded, became Sent) error {
	return s.db.InTx(postgres.WithActor(ctx, "system"), "note reminder", func(ctx context.Context, tx *postgres.Tx) error {
		now := tx.Now()
		at := &now
		if became == MailLater {
			at = nil
		}
		if _, err := tx.Exec(ctx, q.Q("MoveReminder"), e.InvitationID, e.Step, became, at); err != nil || became != MailRefused {
			return err
		}
		_, err := BouncedTx(ctx, tx, e.InvitationID)
		return err
	})
}

// NoteInvited notes what became of the first mail of an invitation.
func (s *Service) NoteInvited(ctx context.Context, invitationID string, became Sent) error {
	return s.db.InTx(postgres.WithActor(ctx, "system"), "note invitation", func(ctx context.Context, tx *postgres.Tx) error {
		statement := "Mailed"
		if became == MailRefused {
			statement = "Bounced"
		}
		_, err := tx.Exec(ctx, q.Q(statement), invitationID, tx.Now())
		return err
	})
}

// BouncedTx notes that a mail came back for good, by its Message-ID, and gives of how many invitations it was: one or none.
func BouncedTx(ctx context.Context, tx *postgres.Tx, messageID string) (int64, error) {
	id, _, _ := strings.Cut(messageID, "@")
	id, _, _ = strings.Cut(id, ".")
	return tx.Exec(ctx, q.Q("Bounced"), id, tx.Now())
}

// stopToken derives what ends the reminders of an invitation. It is another one than that which takes it up: programs of mail providers get it.
func (s *Service) stopToken(id string) string {
	m := hmac.New(sha256.New, s.secret)
	m.Write([]byte("cohort reminders\x00" + id))
	return id + "." + base32Text.EncodeToString(m.Sum(nil)[:20])
}

// SeeReminders says what the reminders are about that a link ends, and whether they were ended; it changes nothing. Error: ErrNoInvite.
func (s *Service) SeeReminders(ctx context.Context, stop string) (l Letter, ended bool, err error) {
	err = s.db.View(postgres.WithActor(ctx, "system"), "reminders", func(ctx context.Context, tx *postgres.Tx) error {
		l, ended, err = s.remindersTx(ctx, tx, stop)
		return err
	})
	return l, ended, err
}

// StopReminders ends the reminders of an invitation, which stays as it is. Again it does nothing. Error: ErrNoInvite.
func (s *Service) StopReminders(ctx context.Context, stop string) (l Letter, err error) {
	err = s.db.InTx(postgres.WithActor(ctx, "system"), "stop reminders", func(ctx context.Context, tx *postgres.Tx) error {
		var ended bool
		if l, ended, err = s.remindersTx(ctx, tx, stop); err != nil || ended {
			return err
		}
		id, _, _ := strings.Cut(stop, ".")
		if _, err := tx.Exec(ctx, q.Q("StopReminders"), id, tx.Now()); err != nil {
			return err
		}
		return audit.AppendTx(ctx, tx, audit.Entry{Action: "invitation.reminders_refused", Object: id})
	})
	return l, err
}

func (s *Service) remindersTx(ctx context.Context, tx *postgres.Tx, stop string) (l Letter, ended bool, err error) {
	id, _, _ := strings.Cut(stop, ".")
	if subtle.ConstantTimeCompare([]byte(stop), []byte(s.stopToken(id))) != 1 {
		return l, false, ErrNoInvite
	}
	i, l, err := s.letterTx(ctx, tx, s.token(id))
	l.Stop = stop
	return l, i.RefusedAt != nil, err
}

// LinkOf gives the token of the invitation that waits for a member, for who may enrol to hand out again; empty where there is none. It is not
// stored: it is made from the id.
func (s *Service) LinkOf(m Member) string {
	if m.InvitationID == "" || m.State != Waiting || m.Account || m.ClaimedAt != nil {
		return ""
	}
	return s.token(m.InvitationID)
}
