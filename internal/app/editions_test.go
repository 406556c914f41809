package app_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/programs"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
)

// edition is a program of three courses that is sold as a whole, beside the sessions in which each is sold alone.
type edition struct {
	programs.Edition
	sessions []catalog.Session
	offer    offers.Offer
}

// program makes a program of three sessions whose QUALIFYING formula has these list prices in euro cents (0: none), and an
// edition of it with an offer at a price.
func (w *world) program(key string, capacity *int, price money.Amount, quota *int, list ...int64) (e edition) {
	w.t.Helper()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		content := programs.Content{Title: catalog.Text{EN: "Networks basics", FR: "Bases des réseaux"}, Language: "fr"}
		plan := programs.EditionPlan{Program: key, Version: 1, Title: catalog.Text{EN: "Networks basics, Dakar"}, Lang: "fr", Capacity: capacity}
		for i, minor := range list {
			s, err := catalog.CreateSessionTx(ctx, tx, catalog.NewSession{
				Key: fmt.Sprintf("%s-S%d", key, i), CourseKey: fmt.Sprintf("%s-C%d", key, i), Title: catalog.Text{EN: "Course"}, Platform: "fun", ThresholdPPM: 500_000,
			})
			if err != nil {
				return err
			}
			if minor > 0 {
				if _, err := offers.CreateTx(ctx, tx, offers.NewOffer{Session: s.ID, Formula: offers.Qualifying, Price: money.Of(minor, price.Currency)}); err != nil {
					return err
				}
			}
			e.sessions = append(e.sessions, s)
			content.Parts = append(content.Parts, programs.Node{Course: &programs.CourseRule{Key: s.CourseKey}})
			plan.Sessions = append(plan.Sessions, programs.SessionPlan{Session: s.Key, Opening: programs.AtOnce})
		}
		if _, err := programs.SaveDraftTx(ctx, tx, key, content, programs.New); err != nil {
			return err
		}
		for _, to := range []catalog.Publication{catalog.InReview, catalog.Published} {
			if _, err := programs.MoveProgramTx(ctx, tx, key, to, "", 0); err != nil {
				return err
			}
		}
		if _, err := programs.PutEditionTx(ctx, tx, key+"-2026", plan, programs.New); err != nil {
			return err
		}
		for _, to := range []catalog.Publication{catalog.InReview, catalog.Published} {
			if _, err := programs.MoveEditionTx(ctx, tx, key+"-2026", to, "", 0); err != nil {
				return err
			}
		}
		var err error
		if e.Edition, err = programs.EditionTx(ctx, tx, key+"-2026"); err != nil {
			return err
		}
		e.offer, err = offers.CreateTx(ctx, tx, offers.NewOffer{Edition: e.Key, Formula: offers.Qualifying, Price: price, Quota: quota})
		return err
	})
	return e
}

func (w *world) parts(o sales.Order) (parts []sales.Part) {
	w.t.Helper()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		parts, err = sales.PartsTx(ctx, tx, o.ID)
		return err
	})
	return parts
}

// An order on an edition makes a member, enrols in every session, splits the money to the cent, and gives all of it back.
func TestAnEditionIsSoldAsAWhole(t *testing.T) {
	w := newWorld(t)
	e := w.program("NET", nil, money.Of(9999, "EUR"), nil, 10000, 5000, 3700)
	zoe := w.person("zoe@example.org", "Zoé")
	o := w.order(zoe.ID, e.offer, "k1")
	if l := o.Lines[0]; l.EditionKey != "NET-2026" || l.SessionID != "" || o.PayURL == "" || l.Version != 1 || o.Title().EN != "Networks basics, Dakar" {
		t.Fatalf("the order: %+v", o)
	}
	w.pay(o, visa)
	o = w.becomes(o, sales.Paid)
	parts := w.parts(o)
	var sold []int64
	for _, p := range parts {
		sold = append(sold, p.Sold)
	}
	if !slices.Equal(sold, []int64{5347, 2674, 1978}) { // 9999 × 10000, 5000, 3700 / 18700, the largest remainders up
		t.Error("the shares are", sold)
	}
	members, enrolments := w.membership(zoe, e)
	if len(members) != 1 || members[0].ID != o.Lines[0].MembershipID || members[0].Version != 1 || !members[0].Qualifying || len(enrolments) != 3 {
		t.Errorf("%d memberships %+v, %d enrolments", len(members), members, len(enrolments))
	}
	for _, x := range enrolments {
		if !x.Qualifying || !x.Has(offers.ProctoredExam) || x.Revoked {
			t.Errorf("an enrolment of the program: %+v", x)
		}
	}
	if _, err := w.h.Sales.PlaceOrder(context.Background(), sales.PlaceOrder{BuyerID: zoe.ID, OfferID: e.offer.ID, Lang: "en", IdempotencyKey: "k2"}); code(err) != "already-enrolled" {
		t.Error("sold twice to one:", err)
	}
	w.verify()
	w.refund(o, 1000)
	w.until("a part went back", func() bool { return w.state(o).Credited.Minor == 1000 })
	w.verify()
	w.refund(o, 0)
	o = w.becomes(o, sales.Refunded)
	for _, p := range w.parts(o) {
		if p.Credited != p.Sold {
			t.Errorf("of a refunded order something is left: %+v", p)
		}
	}
	if members, enrolments = w.membership(zoe, e); len(members) != 0 || len(enrolments) != 3 || !enrolments[0].Revoked {
		t.Errorf("after the refund: %d memberships, %+v", len(members), enrolments)
	}
	w.verify()
}

func (w *world) membership(p identity.Person, e edition) (members []enrolment.Membership, all []enrolment.Enrolment) {
	w.t.Helper()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		if members, err = enrolment.MembershipsInTx(ctx, tx, p.ID, e.ID); err != nil {
			return err
		}
		all, err = enrolment.OfLearnerTx(ctx, tx, p.ID)
		return err
	})
	return members, all
}

func (w *world) refund(o sales.Order, minor int64) {
	w.t.Helper()
	c := sales.RefundOrder{OrderID: o.ID, Reason: "test", IdempotencyKey: fmt.Sprint(o.ID, o.Credited.Minor, minor)}
	if minor > 0 {
		c.AmountMinor = &minor
	}
	if _, err := w.h.Sales.Refund(system, c); err != nil {
		w.t.Fatal(err)
	}
}

// A session that is bought alone outlives the refund of a program that it is in, and where a course has no list price the shares are equal.
func TestAProgramAndOneOfItsSessions(t *testing.T) {
	w := newWorld(t)
	e := w.program("XOF", nil, money.Of(100_000, "XOF"), nil, 30_000, 0, 45_000)
	awa := w.person("awa@example.org", "Awa")
	var alone offers.Offer
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		all, err := offers.OfSessionTx(ctx, tx, e.sessions[0].ID)
		alone = all[0]
		return err
	})
	single := w.order(awa.ID, alone, "single")
	w.pay(single, visa)
	single = w.becomes(single, sales.Paid)
	o := w.order(awa.ID, e.offer, "whole")
	w.pay(o, visa)
	o = w.becomes(o, sales.Paid)
	var sold []int64
	for _, p := range w.parts(o) {
		sold = append(sold, p.Sold)
	}
	if !slices.Equal(sold, []int64{33_334, 33_333, 33_333}) {
		t.Error("the equal shares are", sold)
	}
	w.refund(o, 0)
	w.becomes(o, sales.Refunded)
	_, all := w.membership(awa, e)
	for _, x := range all {
		if (x.ID == single.Lines[0].Enrolment()) == x.Revoked {
			t.Errorf("after the refund of the program: %+v", x)
		}
	}
	w.verify()
}

// What is offered to an organisation does not exist for anybody else.
func TestAnOfferForAnOrganisation(t *testing.T) {
	w := newWorld(t)
	member, other := w.person("m@esp.example", "M"), w.person("o@example.org", "O")
	var o offers.Offer
	w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		if err := identity.PutOrganisationTx(ctx, tx, "ESP", "École supérieure polytechnique"); err != nil {
			return err
		}
		if err := identity.JoinTx(ctx, tx, "ESP", member.ID); err != nil {
			return err
		}
		o, err = offers.CreateTx(ctx, tx, offers.NewOffer{Session: w.session.Key, Formula: offers.Qualifying, Price: money.Of(9000, "EUR"), Audience: "ESP"})
		return err
	})
	if _, err := w.h.Sales.PlaceOrder(context.Background(), sales.PlaceOrder{BuyerID: other.ID, OfferID: o.ID, IdempotencyKey: "x"}); code(err) != "no-such-offer" {
		t.Error("somebody else:", err)
	}
	seen := func(person string) (n int) {
		c, err := w.h.Sales.Compare(context.Background(), w.session.Key, "", person, "")
		if err != nil {
			t.Fatal(err)
		}
		for _, column := range c.Columns {
			n += len(column.Offers)
		}
		return n
	}
	if seen("") != 2 || seen(other.ID) != 2 || seen(member.ID) != 3 {
		t.Error("offers seen by the public, another and a member:", seen(""), seen(other.ID), seen(member.ID))
	}
	w.order(member.ID, o, "y")
	err := w.h.DB.InTx(system, "unknown", func(ctx context.Context, tx *postgres.Tx) error {
		_, err := offers.CreateTx(ctx, tx, offers.NewOffer{Session: w.session.Key, Formula: offers.Qualifying, Price: money.Of(9000, "EUR"), Audience: "NOBODY"})
		return err
	})
	if code(err) != "no-such-organisation" {
		t.Error("an organisation that is not there:", err)
	}
	w.verify()
}

// stampede lets many people order at once and counts who got a seat; everybody else must have been told the reason.
func (w *world) stampede(round string, buyers int, o offers.Offer, reason string) (got []sales.Order) {
	w.t.Helper()
	people := make([]identity.Person, buyers)
	w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		for i := range people {
			if people[i], err = identity.PutPersonTx(ctx, tx, fmt.Sprintf("%s-%d@example.org", strings.ToLower(round), i), "B", "en"); err != nil {
				return err
			}
		}
		return nil
	})
	var mu sync.Mutex
	var group sync.WaitGroup
	for i, p := range people {
		group.Go(func() {
			placed, err := w.h.Sales.PlaceOrder(context.Background(), sales.PlaceOrder{BuyerID: p.ID, OfferID: o.ID, Lang: "en", IdempotencyKey: fmt.Sprint(round, i)})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				got = append(got, placed)
			case code(err) != reason:
				w.t.Error(err)
			}
		})
	}
	group.Wait()
	return got
}

// Five hundred buyers want the one seat of an edition, or the one place of an offer, in every round: exactly one gets it, for money or for
// nothing, and everybody else is told why not. A hold that runs out gives the seat back.
func TestTheLastSeatIsSoldOnce(t *testing.T) {
	w := newWorld(t)
	people := w.crowd(500)
	inRounds(t, func(round int) {
		capacity, quota, price, refused := ptr(1), (*int)(nil), int64(1000), "sold-out"
		if round%2 == 1 {
			capacity, quota, price, refused = nil, ptr(1), 0, "offer-quota-reached"
		}
		e := w.program(fmt.Sprint("ONE-", round), capacity, money.Of(price, "EUR"), quota, 1000, 1000)
		got := w.rush(people, func(i int, p identity.Person) error {
			_, err := w.tryOrder(p.ID, e.offer, fmt.Sprint("one", round, p.ID))
			return err
		})
		if got[""] != 1 || got[refused] != 499 || len(got) != 2 {
			t.Error("round", round, got)
		}
		w.places(e.offer, 1)
	})
	seats := 3
	e := w.program("CAP", &seats, money.Of(1000, "EUR"), nil, 1000, 1000)
	got := w.stampede("cap", 40, e.offer, "sold-out")
	if len(got) != 3 {
		t.Fatal("seats sold:", len(got))
	}
	w.clock.Advance(46 * time.Minute) // the pay pages are closed by now
	again := w.stampede("again", 20, e.offer, "sold-out")
	if len(again) != 3 {
		t.Error("seats that came back:", len(again))
	}
	for _, o := range again {
		w.pay(o, visa)
		w.becomes(o, sales.Paid)
	}
	w.verify()
	if late := w.stampede("late", 5, e.offer, "sold-out"); len(late) != 0 {
		t.Error("sold beyond the last seat:", len(late))
	}
	w.refund(again[0], 0)
	w.becomes(again[0], sales.Refunded)
	if back := w.stampede("back", 10, e.offer, "sold-out"); len(back) != 1 {
		t.Error("a refunded seat was sold", len(back), "times")
	}
}

// The school in Dakar: 75 learners buy the program at 100,000 XOF; what its four courses brought in, enrolment by enrolment, is
// 7,500,000 XOF, and no franc is lost in the shares.
func TestDakarBuysAProgram(t *testing.T) {
	w := newWorld(t)
	seats := 75
	e := w.program("ESP", &seats, money.Of(100_000, "XOF"), nil, 30_000, 30_000, 35_000, 25_001)
	for _, o := range w.stampede("esp", 75, e.offer, "sold-out") {
		w.pay(o, visa)
		w.becomes(o, sales.Paid)
	}
	if late := w.stampede("late", 2, e.offer, "sold-out"); len(late) != 0 {
		t.Error("a seat too many:", len(late))
	}
	var enrolments []string
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		members, err := enrolment.MembersTx(ctx, tx, e.ID)
		if err != nil || len(members) != 75 {
			t.Error("members:", len(members), err)
		}
		for _, s := range e.sessions {
			paid, err := enrolment.QualifyingTx(ctx, tx, s.ID)
			if err != nil || len(paid) != 75 {
				t.Error("learners of a course:", len(paid), err)
			}
			for _, x := range paid {
				enrolments = append(enrolments, x.ID)
			}
		}
		var net []struct {
			Currency money.Currency `db:"currency"`
			Minor    int64          `db:"minor"`
		}
		if err := tx.Select(ctx, &net, postgres.Query{Name: "test", SQL: `
			select t.currency, -sum(e.minor)::bigint as minor from ledger.entries e join ledger.transactions t on t.id = e.transaction_id
			 where e.enrolment_id = any(string_to_array($1, ' ')) and e.account in ('revenue', 'refunds', 'disputes') group by 1`}, strings.Join(enrolments, " ")); err != nil {
			return err
		}
		if len(net) != 1 || net[0].Currency != "XOF" || net[0].Minor != 7_500_000 {
			t.Fatal("the program brought in", net)
		}
		if each, _ := money.Of(net[0].Minor, "XOF").Per(14); each.Minor != 535_714 {
			t.Error("for each who was certified it brought in", each)
		}
		return nil
	})
	w.verify()
}
