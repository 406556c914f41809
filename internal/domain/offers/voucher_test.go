package offers_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/offers"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/money"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

var staff = postgres.WithActor(context.Background(), "staff:per_1")

// market is a database with one offer.
type market struct {
	*testing.T
	db    *postgres.DB
	offer offers.Offer
}

func newMarket(t *testing.T) *market {
	m := &market{T: t, db: testkit.DB(t)}
	m.do(staff, func(ctx context.Context, tx *postgres.Tx) error {
		exercises, err := catalog.ReadExerciseMap(strings.NewReader("exercise,week\nHomework 1: Week 1,1\n"))
		if err != nil {
			return err
		}
		s, err := catalog.CreateSessionTx(ctx, tx, catalog.NewSession{Key: "PRD-9", CourseKey: "PRD", Title: catalog.Text{EN: "Networks"}, Platform: "fun", Exercises: exercises})
		if err != nil {
			return err
		}
		m.offer, err = offers.CreateTx(ctx, tx, offers.NewOffer{Session: s.ID, Formula: offers.Qualifying, Price: money.Of(15000, "EUR")})
		return err
	})
	return m
}

func (m *market) try(ctx context.Context, fn func(ctx context.Context, tx *postgres.Tx) error) error {
	return m.db.InTx(ctx, "test", fn)
}

func (m *market) do(ctx context.Context, fn func(ctx context.Context, tx *postgres.Tx) error) {
	m.Helper()
	if err := m.try(ctx, fn); err != nil {
		m.Fatal(err)
	}
}

func codeOf(err error) string {
	if err == nil {
		return ""
	}
	return fault.From(err).Code
}

func tenth(name string) offers.NewVoucher {
	return offers.NewVoucher{Voucher: offers.Voucher{Name: name, PercentPPM: pointer(100_000)}}
}

// A batch has as many different codes as were asked for, and each is found however it is typed. Learners cannot list them.
func TestABatchOfTenThousandCodes(t *testing.T) {
	m := newMarket(t)
	n := tenth("fair")
	n.Count = offers.MaxBatch
	m.do(staff, func(ctx context.Context, tx *postgres.Tx) error {
		v, err := offers.CreateVoucherTx(ctx, tx, n)
		if err != nil {
			return err
		}
		var codes []string
		err = tx.Select(ctx, &codes, postgres.Query{Name: "test", SQL: "select shown from offers.codes where voucher_id = $1 order by position"}, v.ID)
		if err != nil || len(codes) != offers.MaxBatch || v.Codes != offers.MaxBatch || v.Kind != offers.Batch || v.Code != "" {
			t.Fatal(len(codes), v, err)
		}
		seen := map[string]bool{}
		for _, c := range codes {
			if seen[c] || len(c) != 14 || strings.ContainsAny(c, "ILOU") {
				t.Fatal(c, "is there twice, or is ambiguous")
			}
			seen[c] = true
		}
		for _, typed := range []string{codes[0], strings.ToLower(codes[9999]), strings.ReplaceAll(codes[17], "-", " ")} {
			if found, shown, err := offers.CodeTx(ctx, tx, typed); err != nil || found.ID != v.ID || !seen[shown] {
				t.Error(typed, found.ID, shown, err)
			}
		}
		n.Count++
		if _, err := offers.CreateVoucherTx(ctx, tx, n); codeOf(err) != "invalid-input" {
			t.Error("more codes than there may be:", err)
		}
		return nil
	})
	m.do(postgres.WithActor(context.Background(), "learner:per_2"), func(ctx context.Context, tx *postgres.Tx) error {
		if all, _, err := offers.VouchersTx(ctx, tx, offers.VoucherFilter{}, page.Request{Limit: 10}); err != nil || len(all) != 0 {
			t.Error("a learner sees", len(all), "vouchers", err)
		}
		return nil
	})
}

// What is written of vouchers is read back, over the version that was read; bad terms are refused and leave nothing.
func TestVouchersAreWrittenAndRewritten(t *testing.T) {
	m := newMarket(t)
	var v offers.Voucher
	until := m.db.Now().Add(time.Hour)
	m.do(staff, func(ctx context.Context, tx *postgres.Tx) (err error) {
		v, err = offers.CreateVoucherTx(ctx, tx, offers.NewVoucher{Voucher: offers.Voucher{
			Name: "Welcome 10 %", Code: "wel-come 10", Amounts: []money.Amount{money.Of(5000, "XOF"), money.Of(1000, "EUR")}, Limit: pointer(5), PerPerson: pointer(1), ValidUntil: &until,
			Scope: offers.Scope{Offers: []string{m.offer.ID}, Sessions: []string{"PRD-9"}, Formulas: []string{offers.Qualifying}},
		}})
		return err
	})
	if v.Code != "WEL-COME 10" || v.Codes != 1 || len(v.Amounts) != 2 || v.Scope.Sessions[0] != "PRD-9" || v.Scope.Offers[0] != m.offer.ID || v.Version != 1 {
		t.Fatalf("%+v", v)
	}
	twice := tenth("again")
	twice.Code = "WELC0ME-1O"
	for want, change := range map[string]func(n *offers.NewVoucher){
		"scope-unknown":        func(n *offers.NewVoucher) { n.Scope.Editions = []string{"NOWHERE"} },
		"no-such-organisation": func(n *offers.NewVoucher) { n.Scope.Organisation = "NOBODY" },
		"bad-window":           func(n *offers.NewVoucher) { n.ValidFrom, n.ValidUntil = &until, &until },
		"code-exists":          func(n *offers.NewVoucher) { *n = twice },
		"invalid-input":        func(n *offers.NewVoucher) { n.Amounts = []money.Amount{money.Of(1, "EUR")} },
	} {
		n := tenth("x")
		change(&n)
		if err := m.try(staff, func(ctx context.Context, tx *postgres.Tx) error {
			_, err := offers.CreateVoucherTx(ctx, tx, n)
			return err
		}); codeOf(err) != want {
			t.Errorf("%s: %v", want, err)
		}
	}
	edit := v
	edit.Name, edit.Archived, edit.Scope, edit.Limit = "Welcome", true, offers.Scope{}, nil
	m.do(staff, func(ctx context.Context, tx *postgres.Tx) (err error) {
		v, err = offers.PutVoucherTx(ctx, tx, edit, 1)
		return err
	})
	if v.Version != 2 || !v.Archived || v.Limit != nil || len(v.Scope.Sessions) != 0 || len(v.Amounts) != 2 || v.Name != "Welcome" {
		t.Errorf("%+v", v)
	}
	if err := m.try(staff, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := offers.PutVoucherTx(ctx, tx, edit, 1)
		return err
	}); !errors.Is(err, offers.ErrVoucherChanged) {
		t.Error("an older version was written over:", err)
	}
	m.do(staff, func(ctx context.Context, tx *postgres.Tx) error {
		for f, want := range map[offers.VoucherFilter]int{{}: 1, {State: "active"}: 0, {State: "archived"}: 1, {Words: "welc0me-10"}: 1, {Words: "lcom"}: 1, {Words: "l_om"}: 0, {Words: "%"}: 0} {
			if all, _, err := offers.VouchersTx(ctx, tx, f, page.Request{Limit: 10}); err != nil || len(all) != want {
				t.Errorf("%+v finds %d, %v", f, len(all), err)
			}
		}
		return nil
	})
}

// Prices are rows that are written over the version that was read; what cannot be is refused.
func TestPricesAreWrittenAndRewritten(t *testing.T) {
	m := newMarket(t)
	early := offers.Price{OfferID: m.offer.ID, Label: catalog.Text{EN: "Early bird", FR: "Tarif anticipé"}, Price: money.Of(9900, "EUR"), EarlyUntil: pointer(10)}
	m.do(staff, func(ctx context.Context, tx *postgres.Tx) error {
		p, err := offers.AddPriceTx(ctx, tx, early)
		if err != nil {
			return err
		}
		p.Price.Minor, p.Archived = 8900, true
		if p, err = offers.PutPriceTx(ctx, tx, p, 1); err != nil || p.Version != 2 || p.Price.Minor != 8900 || !p.Archived || p.Label.FR != "Tarif anticipé" {
			t.Error(p, err)
		}
		if _, err = offers.PutPriceTx(ctx, tx, p, 1); !errors.Is(err, offers.ErrPriceChanged) {
			t.Error("an older version was written over:", err)
		}
		p.OfferID = "off_other"
		if _, err = offers.PutPriceTx(ctx, tx, p, 2); !errors.Is(err, offers.ErrNoPrice) {
			t.Error("a price of another offer was written:", err)
		}
		all, err := offers.PricesTx(ctx, tx, m.offer.ID)
		if len(all) != 1 || all[0].Version != 2 {
			t.Error(all)
		}
		return err
	})
	at := m.db.Now()
	for want, change := range map[string]func(p *offers.Price){
		"unknown-currency":     func(p *offers.Price) { p.Price.Currency = "XXX" },
		"bad-price":            func(p *offers.Price) { p.Price.Minor = -1 },
		"bad-window":           func(p *offers.Price) { p.ValidFrom, p.ValidUntil = &at, &at },
		"no-such-organisation": func(p *offers.Price) { p.Audience = "NOBODY" },
		"no-such-offer":        func(p *offers.Price) { p.OfferID = "off_none" },
		"invalid-input":        func(p *offers.Price) { p.EarlyUntil = pointer(0) },
	} {
		p := early
		change(&p)
		if err := m.try(staff, func(ctx context.Context, tx *postgres.Tx) error { _, err := offers.AddPriceTx(ctx, tx, p); return err }); codeOf(err) != want {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// What breaks: a price of a session or an edition that nobody sees is on sale, as a link that leads nowhere.
func TestWhatIsNotPublishedIsNotOnSale(t *testing.T) {
	m := newMarket(t)
	var draft offers.Offer
	move := func(to catalog.Publication) error {
		return m.try(staff, func(ctx context.Context, tx *postgres.Tx) error {
			_, err := catalog.MoveSessionTx(ctx, tx, "PRD-10", to, "", 0)
			return err
		})
	}
	offer := func(p catalog.Publication) error {
		return m.try(staff, func(ctx context.Context, tx *postgres.Tx) (err error) {
			o, err := offers.CreateTx(ctx, tx, offers.NewOffer{Session: "PRD-10", Formula: offers.Qualifying, Price: money.Of(15000, "EUR"), Publication: p})
			if err == nil {
				draft = o
			}
			return err
		})
	}
	publish := func() error {
		return m.try(staff, func(ctx context.Context, tx *postgres.Tx) error {
			if _, err := offers.MoveTx(ctx, tx, draft.ID, catalog.InReview, ""); err != nil {
				return err
			}
			_, err := offers.MoveTx(ctx, tx, draft.ID, catalog.Published, "")
			return err
		})
	}
	m.do(staff, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := catalog.CreateSessionTx(ctx, tx, catalog.NewSession{Key: "PRD-10", CourseKey: "PRD", Title: catalog.Text{EN: "Networks"}, Platform: "fun", Publication: catalog.Drafted})
		return err
	})
	for _, said := range []catalog.Publication{"", catalog.Published} {
		if f := fault.From(offer(said)); f.Code != "not-published" || f.Kind != fault.Unprocessable || len(f.Fields) != 1 || f.Fields[0].Pointer != "/session" {
			t.Errorf("%q: %v %+v", said, f, f.Fields)
		}
	}
	if err := offer(catalog.Drafted); err != nil {
		t.Fatal("a draft:", err)
	}
	if err := publish(); codeOf(err) != "not-published" {
		t.Error("published on a draft:", err)
	}
	for _, to := range []catalog.Publication{catalog.InReview, catalog.Published} {
		if err := move(to); err != nil {
			t.Fatal(err)
		}
	}
	if err := publish(); err != nil {
		t.Error("published on what is published:", err)
	}
}
