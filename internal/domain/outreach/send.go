package outreach

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"sync"
	"time"

	"cursus/internal/domain/confidence"
	"cursus/internal/domain/privacy"
	"cursus/internal/domain/surveys"
	"cursus/internal/kernel/failpoint"
	"cursus/internal/kernel/lifecycle"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// The states of a recipient.
const (
	waiting   = "waiting"
	sending   = "sending" // the mail server is being asked, or was when the process died
	sent      = "sent"
	uncertain = "uncertain" // nobody knows, and nobody tries again
	bounced   = "bounced"   // her address was refused, at once or later
	failed    = "failed"    // the mail was refused, or nobody took it for a day
	skipped   = "skipped"
	heldOut   = "held_out"
	canceled  = "canceled"
)

// RecipientState is where a recipient stands.
type RecipientState string

// RecipientLife is every move of a recipient. Nothing leads from sending back but the certainty that nothing was handed over. Who is skipped,
// or held out, may be so from the start.
var RecipientLife = lifecycle.Table[RecipientState]{Name: "recipient", Start: waiting, Moves: map[RecipientState][]RecipientState{
	waiting: {sending, skipped, canceled}, sending: {sent, uncertain, bounced, failed, waiting}, sent: {bounced}, uncertain: {bounced},
}}

// RecipientStates are all of them, in the order to show.
func RecipientStates() []string {
	return []string{waiting, sending, sent, uncertain, bounced, failed, skipped, heldOut, canceled}
}

// backOff is how long after so many tries in vain the next one is made. After the last the mail is given up: its news is old.
var backOff = []time.Duration{5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 6 * time.Hour, 14 * time.Hour}

const (
	atOnce   = 4                // mails that one process hands over at the same time
	turn     = 20 * time.Second // then others have the hands of the queue
	forsaken = 2 * time.Minute  // after which a mail that is being sent is nobody's: longer than the mail server is given
	again    = 5 * time.Second  // between two askings
)

// Facts are what a mail says of a learner.
type Facts struct {
	Week    int      `json:"week,omitempty"`
	Next    []string `json:"next,omitempty"`    // exercises to do next
	Missing int      `json:"missing,omitempty"` // exercises of weeks that are over

	// Of a reminder of an exam: whose booking it leads to, and until when she can book.
	Enrolment string     `json:"enrolment,omitempty"`
	Until     *time.Time `json:"until,omitempty"`

	Moment surveys.Moment `json:"moment,omitempty"` // of an invitation: which questionnaire of the enrolment
}

type toSend struct {
	ID         string `db:"id"`
	PersonID   string `db:"person_id"`
	CampaignID string `db:"campaign_id"`
	Standing   string `db:"standing"`
	Facts      []byte `db:"facts"`
	Tries      int    `db:"tries"`
	Email      string `db:"email"`
	Name       string `db:"full_name"`
	Lang       string `db:"lang"`
	Dead       bool   `db:"dead"`
	Customer   bool   `db:"customer"`
}

// Serve sends what is due, a few mails at a time, for twenty seconds at most; what is left is asked for anew. Where this process does so
// already it does nothing.
func (s *Service) Serve(ctx context.Context) error {
	select {
	case s.hands <- struct{}{}:
		defer func() { <-s.hands }()
	default:
		return nil
	}
	ctx = asSystem(ctx)
	if err := s.begin(ctx); err != nil {
		return err
	}
	for over := time.After(turn); ; {
		letters, err := s.take(ctx)
		if err != nil || len(letters) == 0 {
			return err
		}
		failpoint.Here("mail intended")
		errs := make([]error, len(letters))
		var group sync.WaitGroup
		for i, l := range letters {
			group.Go(func() { errs[i] = s.one(ctx, l) })
		}
		group.Wait()
		for _, err := range errs {
			if err != nil {
				return err
			}
		}
		select {
		case <-over:
			return nil
		default:
		}
	}
}

// one hands over a mail and writes down what became of it, also where the process was asked to end meanwhile.
func (s *Service) one(ctx context.Context, l letterOf) error {
	outcome := s.post.Send(ctx, l.Letter)
	failpoint.Here("mail handed over")
	return s.record(context.WithoutCancel(ctx), l, outcome)
}

type letterOf struct {
	Letter
	tries int
}

// take writes down that some mails are about to be sent, as many as the rate leaves, and gives them. Who refuses by now is skipped.
func (s *Service) take(ctx context.Context) (letters []letterOf, err error) {
	err = s.db.InTx(ctx, "take mails", func(ctx context.Context, tx *postgres.Tx) error {
		letters = nil
		var spent int
		if _, err := tx.Exec(ctx, q.Q("LockPace")); err != nil {
			return err
		}
		if err := tx.Get(ctx, &spent, q.Q("Spent"), tx.Now().Add(-time.Minute)); err != nil {
			return err
		}
		most := min(atOnce, s.perMinute-spent)
		campaigns := map[string]Campaign{}
		for most > len(letters) {
			var rows []toSend
			if err := tx.Select(ctx, &rows, q.Q("Take"), tx.Now(), most-len(letters)); err != nil || len(rows) == 0 {
				return err
			}
			for _, r := range rows {
				l, err := s.intend(ctx, tx, campaigns, r)
				if err != nil {
					return err
				}
				if l != nil {
					letters = append(letters, *l)
				}
			}
		}
		return nil
	})
	return letters, err
}

// intend decides on one recipient: she is skipped, or her mail is about to be sent.
func (s *Service) intend(ctx context.Context, tx *postgres.Tx, campaigns map[string]Campaign, r toSend) (*letterOf, error) {
	c, known := campaigns[r.CampaignID]
	if !known {
		var err error
		if c, err = CampaignTx(ctx, tx, r.CampaignID); err != nil {
			return nil, err
		}
		campaigns[c.ID] = c
	}
	words, err := privacy.WordsTx(ctx, tx, c.Kind.purpose(), r.PersonID)
	if err != nil {
		return nil, err
	}
	who := candidate{PersonID: r.PersonID, Email: r.Email, Customer: r.Customer, Dead: r.Dead}
	if because := who.verdict(words); because != "" {
		_, err := tx.Exec(ctx, q.Q("Skip"), r.ID, because, tx.Now())
		return nil, err
	}
	var facts Facts
	if err := json.Unmarshal(r.Facts, &facts); err != nil {
		return nil, err
	}
	waits := true
	switch c.Kind {
	case Exam:
		waits, err = confidence.StillWaitsTx(ctx, tx, facts.Enrolment)
	case Survey:
		waits, err = stillAskedTx(ctx, tx, facts.Enrolment, facts.Moment)
	}
	if err != nil {
		return nil, err
	}
	if !waits {
		_, err := tx.Exec(ctx, q.Q("Skip"), r.ID, settled, tx.Now())
		return nil, err
	}
	l, err := s.letterTx(ctx, tx, c, r, facts)
	if err != nil {
		return nil, err
	}
	_, err = tx.Exec(ctx, q.Q("Intend"), r.ID, tx.Now())
	return &letterOf{l, r.Tries + 1}, err
}

// letterTx is a mail in words.
func (s *Service) letterTx(ctx context.Context, tx *postgres.Tx, c Campaign, r toSend, facts Facts) (Letter, error) {
	about, err := subjectTx(ctx, tx, c.About)
	if err != nil {
		return Letter{}, err
	}
	about.path = c.path(about.path, facts)
	l := Letter{ID: r.ID, To: r.Email, Lang: r.Lang, Kind: c.Kind, Path: about.path, Unsubscribe: s.token(r.ID)}
	l.Subject, l.Paragraphs, l.Button = c.texts[r.Standing].In(r.Lang).fill(about.values(r.Name, r.Lang, facts))
	return l, nil
}

// record writes down what became of a mail.
func (s *Service) record(ctx context.Context, l letterOf, outcome Outcome) error {
	return s.db.InTx(ctx, "record mail", func(ctx context.Context, tx *postgres.Tx) error {
		state, because, due := map[Outcome]string{Delivered: sent, Dead: bounced, Refused: failed, Unknown: uncertain}[outcome], "", (*time.Time)(nil)
		switch {
		case outcome == Later && l.tries > len(backOff):
			state, because = failed, "given_up"
		case outcome == Later:
			at := tx.Now().Add(backOff[l.tries-1])
			state, due = waiting, &at
		case outcome != Delivered:
			because = string(outcome)
		}
		n, err := tx.Exec(ctx, q.Q("Record"), l.ID, l.tries, state, because, due, tx.Now())
		if err != nil || n == 0 {
			return err // somebody thought this process dead, and the mail uncertain
		}
		if outcome == Dead {
			return deadTx(ctx, tx, l.To, "refused")
		}
		return nil
	})
}

// deadTx notes that an address takes no mail.
func deadTx(ctx context.Context, tx *postgres.Tx, address, status string) error {
	sum := sha256.Sum256([]byte(address))
	_, err := tx.Exec(ctx, q.Q("AddDead"), sum[:], status, tx.Now())
	return err
}

// begin starts the campaigns whose time has come, one transaction each.
func (s *Service) begin(ctx context.Context) error {
	for {
		var id string
		if err := s.db.InTx(ctx, "begin campaign", func(ctx context.Context, tx *postgres.Tx) error {
			id = ""
			var due []string
			if err := tx.Select(ctx, &due, q.Q("ToBegin"), tx.Now()); err != nil || len(due) == 0 {
				return err
			}
			id = due[0]
			c, err := CampaignTx(ctx, tx, id)
			if err != nil {
				return err
			}
			var people []string
			if err := tx.Select(ctx, &people, q.Q("Segment"), c.Segment.Collection, c.Segment.Course, c.Segment.Session, int(masks[c.Segment.Stage]), c.Segment.Formula, c.sessionID, c.editionID); err != nil {
				return err
			}
			audience, err := audienceTx(ctx, tx, people)
			if err != nil {
				return err
			}
			if err := snapshotTx(ctx, tx, id, c.Kind, audience); err != nil {
				return err
			}
			_, err = tx.Exec(ctx, q.Q("Begin"), id, tx.Now())
			return err
		}); err != nil || id == "" {
			return err
		}
	}
}

// AskDue has sent what waits, and gives whether anything does. It ends what is over, and says of mails that a dead process had in hand that
// nobody knows whether they left.
func (s *Service) AskDue(ctx context.Context) (asked bool, err error) {
	err = s.db.InTx(asSystem(ctx), "mails due", func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := tx.Exec(ctx, q.Q("Forsake"), tx.Now().Add(-forsaken), tx.Now()); err != nil {
			return err
		}
		var over []string
		if err := tx.Select(ctx, &over, q.Q("Finish"), tx.Now()); err != nil {
			return err
		}
		for _, id := range over {
			if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "campaign.done", Object: id}); err != nil {
				return err
			}
		}
		n, err := tx.Exec(ctx, q.Q("Ask"), tx.Now(), tx.Now().Add(-again))
		if asked = n > 0; err != nil || !asked {
			return err
		}
		return s.jobs.EnqueueTx(ctx, tx, Due{})
	})
	return asked, err
}
