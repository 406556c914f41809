package progress

import (
	"context"
	"errors"
	"time"

	"cursus/internal/kernel/failpoint"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/platform/postgres"
)

// Outcome is what became of a mail that was handed over.
type Outcome string

// The outcomes.
const (
	Delivered Outcome = "delivered" // the mail server took it
	Dead      Outcome = "dead"      // it refuses the address for good
	Refused   Outcome = "refused"   // it refuses the mail for good
	Later     Outcome = "later"     // nothing was handed over; try again later
	Unknown   Outcome = "unknown"   // it was handed over and no answer came
)

// Letter is a digest to one reader; how it looks is decided where it is sent.
type Letter struct {
	ID             string // which makes the Message-ID
	To, Name, Lang string
	Digest         Digest
	PDF            []byte
	Unsubscribe    string // token
}

// Post is the way out of the house. It is asked outside of transactions, and never fails: what went wrong is its outcome.
type Post interface {
	SendDigest(ctx context.Context, l Letter) Outcome
}

// DigestDue says that a digest is to be mailed.
type DigestDue struct {
	DigestID string `json:"digest_id"`
}

// Kind names the job.
func (DigestDue) Kind() string { return "progress.digest_due" }

// Rank lets what people wait for go first.
func (DigestDue) Rank() int { return 2 }

// ErrLater asks for the same mail again: the mail server took nothing.
var ErrLater = fault.New(fault.Unavailable, "mail-later", "The mail server took nothing; the digest is sent later.")

// hour is when on Monday, UTC, the digest of the week before goes out: after what the night brought in.
const hour = 6

// AskDigests has the digests of the week that is over mailed to those who want them, each once, and gives how many were asked for. A week in
// which no worker ran is left out.
func (s *Service) AskDigests(ctx context.Context) (n int, err error) {
	ctx = asSystem(ctx)
	var groups []string
	var week Week
	if err := s.db.View(ctx, "digests to ask for", func(ctx context.Context, tx *postgres.Tx) error {
		groups = nil
		if week = WeekOf(tx.Now()).Before(); tx.Now().Before(week.Until().Add(hour * time.Hour)) {
			return nil
		}
		return tx.Select(ctx, &groups, q.Q("GroupsToTell"), week.monday, week.Until())
	}); err != nil {
		return 0, err
	}
	var errs []error
	for _, id := range groups {
		asked := 0
		errs = append(errs, s.db.InTx(ctx, "ask for digests", func(ctx context.Context, tx *postgres.Tx) (err error) {
			asked, err = s.askTx(ctx, tx, id, week)
			return err
		}))
		n += asked
	}
	return n, errors.Join(errs...)
}

func (s *Service) askTx(ctx context.Context, tx *postgres.Tx, groupID string, week Week) (n int, err error) {
	g, err := groupTx(ctx, tx, groupID)
	if err != nil {
		return 0, err
	}
	sessions, err := sessionsTx(ctx, tx, g)
	if err != nil || !runs(sessions, week) {
		return 0, err
	}
	var readers []string
	if err := tx.Select(ctx, &readers, q.Q("Readers"), g.ID, week.monday, week.Until()); err != nil {
		return 0, err
	}
	for _, person := range readers {
		id := ident.New("dig")
		added, err := tx.Exec(ctx, q.Q("AddDigest"), id, g.ID, person, week.monday, tx.Now())
		if err != nil {
			return 0, err
		}
		if added == 0 {
			continue // another worker was here
		}
		n++
		if err := s.jobs.EnqueueTx(ctx, tx, DigestDue{DigestID: id}); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// mailing is a mail to a reader.
type mailing struct {
	ID       string    `db:"id"`
	GroupID  string    `db:"group_id"`
	PersonID string    `db:"person_id"`
	Week     time.Time `db:"week"`
	State    string    `db:"state"`
	Wanted   bool      `db:"wanted"`
	Email    string    `db:"email"`
	Name     string    `db:"full_name"`
	Lang     string    `db:"lang"`
}

func mailTx(ctx context.Context, tx *postgres.Tx, statement, id string) (m mailing, err error) {
	var all []mailing
	if err := tx.Select(ctx, &all, q.Q(statement), id); err != nil {
		return m, err
	}
	if len(all) == 0 {
		return m, ErrNoLink
	}
	return all[0], nil
}

// Mail sends one digest, at most once: the row says that it is about to be sent before the mail server is asked, and what a process that died
// left so is uncertain and sent no more. Who said no meanwhile, or may not follow any more, gets nothing. Error: ErrLater, with which the job comes
// again.
func (s *Service) Mail(ctx context.Context, digestID string) error {
	ctx = asSystem(ctx)
	m, d, err := s.due(ctx, digestID)
	if err != nil || m.State != "waiting" {
		return err
	}
	l := Letter{ID: m.ID, To: m.Email, Name: m.Name, Lang: m.Lang, Digest: d, Unsubscribe: s.token(m.ID)}
	if l.PDF, err = s.printer.Digest(ctx, d, l.Lang, s.demo); err != nil {
		return err
	}
	taken := false
	if err := s.db.InTx(ctx, "try digest", func(ctx context.Context, tx *postgres.Tx) error {
		now, err := mailTx(ctx, tx, "Mailing", digestID)
		if taken = now.State == "waiting" && now.Wanted; err != nil || !taken {
			return err
		}
		_, err = tx.Exec(ctx, q.Q("TryDigest"), digestID, tx.Now())
		return err
	}); err != nil || !taken {
		return err
	}
	failpoint.Here("digest intended")
	outcome := s.post.SendDigest(ctx, l)
	failpoint.Here("digest handed over")
	return s.ended(context.WithoutCancel(ctx), m, outcome)
}

// due reads a mail with what it says. One that needs no sending any more is ended.
func (s *Service) due(ctx context.Context, digestID string) (m mailing, d Digest, err error) {
	err = s.db.InTx(ctx, "digest due", func(ctx context.Context, tx *postgres.Tx) error {
		if m, err = mailTx(ctx, tx, "Mailing", digestID); err != nil {
			return err
		}
		end := func(state string) error {
			m.State = state
			_, err := tx.Exec(ctx, q.Q("EndDigest"), m.ID, state, tx.Now())
			return err
		}
		switch {
		case m.State == "sending": // a process died with it in its hands
			return end("uncertain")
		case m.State != "waiting":
			return nil
		case !m.Wanted || m.Email == "":
			return end("skipped")
		}
		g, staff, err := openTx(ctx, tx, m.PersonID, m.GroupID)
		if k := fault.From(err).Kind; err != nil && (k == fault.NotFound || k == fault.Forbidden) {
			return end("skipped") // she is nothing there any more
		}
		if err != nil {
			return err
		}
		d, err = digestTx(ctx, tx, g, WeekOf(m.Week), !staff)
		return err
	})
	return m, d, err
}

// ended writes down what became of a mail.
func (s *Service) ended(ctx context.Context, m mailing, outcome Outcome) error {
	state := map[Outcome]string{Delivered: "sent", Dead: "failed", Refused: "failed", Unknown: "uncertain"}[outcome]
	if err := s.db.InTx(ctx, "digest ended", func(ctx context.Context, tx *postgres.Tx) error {
		if outcome == Later {
			_, err := tx.Exec(ctx, q.Q("WaitDigest"), m.ID)
			return err
		}
		if outcome == Dead { // it takes no mail, and will not next week
			if err := readTx(ctx, tx, m.GroupID, m.PersonID, false); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, q.Q("EndDigest"), m.ID, state, tx.Now())
		return err
	}); err != nil {
		return err
	}
	if outcome == Later {
		return ErrLater
	}
	return nil
}

// Checks are this room's invariants.
func Checks() []postgres.Check {
	return []postgres.Check{{Invariant: "23", Name: "no digest goes to who had said no", Query: q.Q("CheckDigests")}}
}
