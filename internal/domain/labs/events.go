package labs

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"cursus/internal/books/ledger"
	"cursus/internal/kernel/ident"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// payable is what is owed to providers of labs.
const payable = "payable:lab"

// Delivery is an event as a provider sends it: a body, and the headers of Standard Webhooks.
type Delivery struct {
	ID, Timestamp, Signature string
	Body                     []byte
}

// skew is how far the clock of a provider may be from ours.
const skew = 5 * time.Minute

// sign signs as Standard Webhooks wants it.
func sign(secret []byte, id, timestamp string, body []byte) string {
	m := hmac.New(sha256.New, secret)
	_, _ = fmt.Fprintf(m, "%s.%s.%s", id, timestamp, body) // a hash takes everything
	return "v1," + base64.StdEncoding.EncodeToString(m.Sum(nil))
}

func (d Delivery) signedWith(secret []byte, now time.Time) bool {
	at, err := strconv.ParseInt(d.Timestamp, 10, 64)
	if err != nil || now.Sub(time.Unix(at, 0)).Abs() > skew {
		return false
	}
	want := []byte(sign(secret, d.ID, d.Timestamp, d.Body))
	for one := range strings.FieldsSeq(d.Signature) {
		if hmac.Equal(want, []byte(one)) {
			return true
		}
	}
	return false
}

// told is the body of an event.
type told struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Data      struct {
		Launch string `json:"launch"`
	} `json:"data"`
}

// Why an event is kept and not applied.
const (
	unreadable    = "unreadable"
	unknownKind   = "unknown-kind"
	unknownLaunch = "unknown-launch"
	outOfTime     = "out-of-time" // before the launch, or in the future
)

// Receive stores an event of a provider, once, and applies it. nil means that it is durably stored; what cannot be applied is kept with the
// reason. Errors: ErrNoProvider, ErrSignature.
func (s *Service) Receive(ctx context.Context, provider string, d Delivery) error {
	ctx = asSystem(ctx)
	var p Provider
	if err := s.db.View(ctx, "lab provider", func(ctx context.Context, tx *postgres.Tx) (err error) {
		p, err = ProviderTx(ctx, tx, provider)
		return err
	}); err != nil {
		return err
	}
	secrets, err := s.secrets(p, s.db.Now())
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(secrets, func(secret []byte) bool { return d.signedWith(secret, s.db.Now()) }) {
		return ErrSignature
	}
	var said told
	problem := ""
	if err := json.Unmarshal(d.Body, &said); err != nil || strings.ContainsRune(said.Data.Launch, 0) {
		problem, said = unreadable, told{}
	}
	kind := kinds[said.Type]
	if problem == "" && kind == "" {
		problem = unknownKind
	}
	return s.db.InTx(ctx, "lab event", func(ctx context.Context, tx *postgres.Tx) error {
		problem := problem // of this attempt
		if problem == "" {
			l, err := lockTx(ctx, tx, said.Data.Launch)
			switch {
			case errors.Is(err, ErrNoLaunch), err == nil && l.Provider != p.Key:
				problem = unknownLaunch
			case err != nil:
				return err
			case said.Timestamp.Before(l.IssuedAt.Add(-skew)), said.Timestamp.After(tx.Now().Add(skew)):
				problem = outOfTime
			default:
				return s.applyTx(ctx, tx, l, Event{kind, said.Timestamp}, p.Key, d.ID, "provider:"+p.Key, d.Body)
			}
		}
		_, err := tx.Exec(ctx, q.Q("AddEvent"), p.Key, d.ID, nil, nil, "", nil, "provider:"+p.Key, problem, d.Body, tx.Now())
		return err
	})
}

// applyTx stores an event of a launch that is held, once, and sums up anew.
func (s *Service) applyTx(ctx context.Context, tx *postgres.Tx, l Launch, e Event, provider, id, by string, raw []byte) error {
	n, err := tx.Exec(ctx, q.Q("AddEvent"), provider, id, l.ID, l.LearnerID, e.Kind, e.At, by, "", raw, tx.Now())
	if err != nil || n == 0 {
		return err
	}
	_, err = s.settleTx(ctx, tx, l)
	return err
}

// settleTx brings a launch that is held, and the ledger, to what its events say now. What was posted and holds no more is taken back by a posting of its own.
func (s *Service) settleTx(ctx context.Context, tx *postgres.Tx, l Launch) (Launch, error) {
	var events []Event
	if err := tx.Select(ctx, &events, q.Q("EventsOf"), l.ID); err != nil {
		return l, err
	}
	sum := Fold(events)
	if sum.StartedAt == nil {
		return l, nil
	}
	end := sum.End(l.idle(), tx.Now())
	if end == nil && l.State == Ended { // events that came late: she may be in another machine by now, and then she is not in this one
		var other bool
		if err := tx.Get(ctx, &other, q.Q("HasOpen"), l.LabID, l.EnrolmentID); err != nil {
			return l, err
		}
		if other {
			t := sum.LastAt.Add(l.idle())
			end = &t
		}
	}
	next := l
	next.State, next.StartedAt, next.LastAt, next.EndedAt, next.HelpSince, next.Minutes = Running, sum.StartedAt, &sum.LastAt, end, sum.HelpSince, 0
	cost := CostOf(0, l.CostMilli, l.Currency)
	if end != nil {
		next.State, next.HelpSince, next.Minutes = Ended, nil, Minutes(end.Sub(*sum.StartedAt))
		cost = CostOf(next.Minutes, l.CostMilli, l.Currency)
	}
	if next.CostMinor = cost.Minor; next.CostMinor != l.CostMinor {
		if err := repostTx(ctx, tx, l, &next); err != nil {
			return l, err
		}
	}
	_, err := tx.Exec(ctx, q.Q("Settle"), l.ID, next.State, next.StartedAt, next.LastAt, next.EndedAt, next.HelpSince, next.Minutes, next.CostMinor, next.Costing)
	return next, err
}

// repostTx takes the cost of a launch back from the ledger, where it is there, and posts what it is now.
func repostTx(ctx context.Context, tx *postgres.Tx, was Launch, is *Launch) error {
	var all []ledger.Posting
	posting := func(n int, suffix, kind string, minor int64) ledger.Posting {
		return ledger.Posting{
			Reference: fmt.Sprintf("%s:cost:%d%s", was.ID, n, suffix), Kind: kind, Currency: was.Currency, OccurredAt: tx.Now(),
			Entries: []ledger.Entry{{Account: ledger.LabCost, Minor: minor, EnrolmentID: was.EnrolmentID}, {Account: payable, Minor: -minor, EnrolmentID: was.EnrolmentID}},
		}
	}
	if was.CostMinor != 0 {
		all = append(all, posting(was.Costing, ":back", "lab_cost_back", -was.CostMinor))
	}
	if is.CostMinor != 0 {
		is.Costing++
		all = append(all, posting(is.Costing, "", "lab_cost", is.CostMinor))
	}
	if err := ledger.PostTx(ctx, tx, all...); err != nil {
		return err
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "lab_launch.costed", Object: was.ID, Detail: map[string]any{"minutes": is.Minutes, "was": was.Cost(), "is": is.Cost()}})
}

// HelpGivenTx says that the learner of a running launch was helped. Errors: ErrNoLaunch, ErrNotRunning.
func (s *Service) HelpGivenTx(ctx context.Context, tx *postgres.Tx, id string) error {
	l, err := lockTx(ctx, tx, id)
	if err != nil {
		return err
	}
	if l.State != Running {
		return ErrNotRunning
	}
	if l.HelpSince == nil {
		return nil
	}
	at := tx.Now()
	if at.Before(*l.HelpSince) { // the clock of the provider is ahead of ours
		at = *l.HelpSince
	}
	if err := s.applyTx(ctx, tx, l, Event{HelpGiven, at}, l.Provider, "house."+ident.New("hlp"), postgres.Actor(ctx), []byte{}); err != nil {
		return err
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "lab_launch.helped", Object: l.ID})
}
