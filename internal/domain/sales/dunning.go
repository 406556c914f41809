package sales

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/payments"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// Dunning says how an instalment that was not paid is asked for again.
type Dunning struct {
	RetryDays  []int // after it was due, growing; after the last it is in default
	RemindDays int   // before it is due
}

func (d Dunning) orUsual() Dunning {
	if len(d.RetryDays) == 0 {
		d.RetryDays = []int{3, 5, 7}
	}
	return Dunning{d.RetryDays, cmp.Or(d.RemindDays, 3)}
}

// again is when an instalment is tried after so many attempts; false: no more. What was late already is not tried twice in a day.
func (d Dunning) again(i Instalment, now time.Time) (time.Time, bool) {
	if i.Attempts > len(d.RetryDays) {
		return time.Time{}, false
	}
	at := i.DueAt.AddDate(0, 0, d.RetryDays[max(i.Attempts, 1)-1])
	if soonest := now.AddDate(0, 0, 1); at.Before(soonest) {
		at = soonest
	}
	return at, true
}

// AccessRestored says that an order in default was paid up, so that what waited for that can go on.
type AccessRestored struct {
	OrderID    string   `json:"order_id"`
	Enrolments []string `json:"enrolments"`
}

// Kind names the job.
func (AccessRestored) Kind() string { return "sales.access_restored" }

// tellOf tells the buyer of an order something about an instalment.
func (s *Service) tellOf(ctx context.Context, tx *postgres.Tx, o Order, news string, i Instalment, until *time.Time) error {
	return s.jobs.EnqueueTx(ctx, tx, OrderNews{
		OrderID: o.ID, News: news, About: fmt.Sprintf("%s.%d.%d", o.ID, i.N, i.Attempts), Minor: i.Amount.Minor, Currency: i.Amount.Currency, Instalment: i.N, Until: until,
	})
}

// RemindOfDue tells buyers of instalments that will be due soon, once each. It gives how many.
func (s *Service) RemindOfDue(ctx context.Context) (int, error) {
	return s.eachInstalled(ctx, "remind of instalments", "ToRemind", s.db.Now().AddDate(0, 0, s.dunning.RemindDays), func(ctx context.Context, tx *postgres.Tx, o *Order) (bool, error) {
		did := false
		for _, i := range o.Schedule.Instalments {
			if i.State != Planned || !o.State.inForce() || i.DueAt.After(tx.Now().AddDate(0, 0, s.dunning.RemindDays)) {
				continue
			}
			n, err := tx.Exec(ctx, q.Q("Reminded"), o.ID, i.N, tx.Now())
			if err != nil {
				return false, err
			}
			if n == 0 || !tx.Now().Before(i.DueAt) {
				continue
			}
			did = true
			if err := s.tellOf(ctx, tx, *o, "instalment_reminder", i, &i.DueAt); err != nil {
				return false, err
			}
		}
		return did, nil
	})
}

// notPaid notes that an instalment was not paid, tells the buyer, and says when it is tried again; after the last time it is in default.
func (s *Service) notPaid(ctx context.Context, tx *postgres.Tx, o *Order, i *Instalment, why string) error {
	i.Why = why
	if i.State != Charging { // nothing was charged, and the time counts all the same
		i.Attempts++
	}
	at, more := s.dunning.again(*i, tx.Now())
	if !more && o.State != AwaitingPayment {
		return s.inDefault(ctx, tx, o, i)
	}
	i.NextAt = &at
	to, news := Refused, "instalment_refused"
	if why == payments.NeedsOwner {
		to, news = NeedsOwner, "instalment_authenticate"
	}
	if !more { // an order of which nothing was paid yet ends by itself
		i.NextAt = nil
	}
	if err := moveInstalment(ctx, tx, *o, i, to); err != nil {
		return err
	}
	if err := s.tellOf(ctx, tx, *o, news, *i, i.NextAt); err != nil {
		return err
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "instalment.refused", Object: o.ID, Detail: map[string]any{"n": i.N, "why": why, "attempts": i.Attempts}})
}

// instalmentRefused takes that a charge without its owner was refused, once per attempt. What fails on a pay page says nothing: another
// card can be tried on it.
func (s *Service) instalmentRefused(ctx context.Context, tx *postgres.Tx, o Order, p payments.Payment, why string) error {
	if err := o.schedule(ctx, tx); err != nil || o.Schedule == nil {
		return err
	}
	i := o.Schedule.number(p.Instalment)
	if i == nil || i.State != Charging || i.paymentID != p.ID {
		return nil
	}
	return s.notPaid(ctx, tx, &o, i, cmp.Or(why, "declined"))
}

// inDefault holds back what the order opened, as its plan says, until the instalment is paid.
func (s *Service) inDefault(ctx context.Context, tx *postgres.Tx, o *Order, i *Instalment) error {
	hold, news := enrolment.HoldAll, "access_suspended"
	if o.Schedule.OnDefault == offers.KeepAccess {
		hold, news = enrolment.HoldCertificate, "last_notice"
	}
	if i.NextAt = nil; o.Schedule.OnDefault == offers.EndAccess {
		end := tx.Now().AddDate(0, 0, *o.Schedule.EndAfterDays)
		i.NextAt = &end
	}
	if err := moveInstalment(ctx, tx, *o, i, InDefault); err != nil {
		return err
	}
	if _, err := enrolment.HoldTx(ctx, tx, o.ID, hold); err != nil {
		return err
	}
	if err := s.tellOf(ctx, tx, *o, news, *i, i.NextAt); err != nil {
		return err
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "order.in_default", Object: o.ID, Detail: map[string]any{"n": i.N, "why": i.Why, "hold": hold}})
}

// restore lets go what was held back while an instalment was in default.
func (s *Service) restore(ctx context.Context, tx *postgres.Tx, o Order, i Instalment) error {
	enrolments, err := enrolment.HoldTx(ctx, tx, o.ID, enrolment.NoHold)
	if err != nil {
		return err
	}
	if err := s.tellOf(ctx, tx, o, "access_restored", i, nil); err != nil {
		return err
	}
	if err := s.jobs.EnqueueTx(ctx, tx, AccessRestored{o.ID, enrolments}); err != nil {
		return err
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "order.restored", Object: o.ID, Detail: map[string]any{"n": i.N}})
}
