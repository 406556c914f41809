package app_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"cursus/internal/app"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/invoicing"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/payments"
	"cursus/internal/domain/sales"
	"cursus/internal/gateways/mail"
	"cursus/internal/gateways/stripegate"
	"cursus/internal/gateways/stripesandbox"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

// trade plays random commerce on a house whose workers it drives itself: what the provider tells is carried by hand, in any order, late, again
// or not at all, and what a worker or a request does is torn at some point of its way and then done again, as after a crash.
type trade struct {
	w        *world
	r        *rand.Rand
	seed     uint64
	steps    []string
	splits   bool            // it plays instalments
	applied  map[string]bool // events
	about    map[int]string  // by step: the orders that it is about
	goods    []*good
	orders   []*bought
	people   []string
	row      []waiter
	post     []*told1          // on its way to us
	parked   []*told1          // told before what it is about
	lost     []*told1          // only the provider's list has them
	sent     map[string]string // refunds that the provider has made for us, and what became of them there
	last     string            // event of the provider that was seen last
	vouchers map[string]string
	limits   map[string]int
	cash     map[string]int64 // what cashiers and the bank hold, by holder and currency
	slips    []slip           // money at the bank that named no order
	desk     []slip           // money at the desk
	staff    [2]string
	sweptAt  time.Time

	installed map[string]offers.Plan // by offer
	methods   map[string]*kept       // cards that the provider keeps
	leaves1   []*leaf
	mails     *mailed
	seen      map[string]int
	boss      string // manager of the organisation that buys seats
	seats     []*good
}

// told1 is an event of the provider.
type told1 struct {
	id, kind string
	raw      []byte
	page     *payPage
	captures bool
	card     *kept   // that it says was left,
	leaf     *bought // and for which order, where nothing was paid
}

// slip is money that somebody recorded.
type slip struct {
	id    string
	minor int64
	c     money.Currency
	order *bought
	asked bool
}

// still is a house beside a sandbox that tells nothing by itself, and without a worker.
func still(t *testing.T, mails mail.Sender, fees stripesandbox.Fees) *world {
	t.Helper()
	w := &world{t: t, clock: testkit.Clock(), dsn: testkit.OwnerDSN(t)}
	var err error
	if w.sandbox, err = stripesandbox.Open(stripesandbox.Config{PublicURL: "http://pay.test", Folder: t.TempDir(), SecretKey: stripeKey, Clock: w.clock, Fees: fees}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.sandbox.Close() })
	stripe := httptest.NewServer(w.sandbox)
	t.Cleanup(stripe.Close)
	w.stripe = stripe.URL
	w.cfg = testConfig(w.dsn, w.stripe, t.TempDir())
	w.cfg.BaseURL = "http://cursus.test"
	if w.h, err = app.Open(context.Background(), w.cfg, app.Options{Clock: w.clock, Mail: mails}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.h.Close() })
	w.furnish()
	return w
}

func newTrade(t *testing.T, seed uint64) *trade {
	t.Helper()
	mails := &mailed{n: map[string]int{}}
	m := &trade{
		mails: mails, seen: map[string]int{}, methods: map[string]*kept{}, w: still(t, mails, stripesandbox.Fees{RatePPM: 15_000, Fixed: map[string]int64{"eur": 25}, Dispute: map[string]int64{"eur": 2000}}), seed: seed, r: rand.New(rand.NewPCG(seed, 1)), about: map[int]string{}, sent: map[string]string{}, applied: map[string]bool{}, //nolint:gosec // a test
		vouchers: map[string]string{}, limits: map[string]int{}, cash: map[string]int64{},
	}
	w := m.w
	w.bank()
	ann, bob := w.desk()
	m.staff = [2]string{ann.ID, bob.ID}
	m.goods = append(m.goods, &good{w.free, 1}, &good{w.paid, 1})
	for i, price := range []money.Amount{money.Of(60_000, "EUR"), money.Of(9_001, "EUR"), money.Of(400_000, "XOF"), money.Of(50_003, "XOF")} {
		m.goods = append(m.goods, &good{m.course(fmt.Sprint("M-", i), price, nil), 1})
	}
	m.goods = append(m.goods, &good{m.course("M-FEW", money.Of(10_000, "USD"), ptr(3)), 1}, &good{m.course("M-FEWER", money.Of(7_000, "EUR"), ptr(2)), 1})
	m.goods = append(m.goods, &good{w.program("M-PRO", nil, money.Of(20_000, "EUR"), nil, 7_000, 5_000, 1).offer, 3})
	for code, v := range map[string]offers.Voucher{
		"FIFTH": {PercentPPM: ptr(200_000), Limit: ptr(6), Code: "FIFTH", Scope: offers.Scope{Offers: []string{w.paid.ID}}},
		"WHOLE": {PercentPPM: ptr(1_000_000), Limit: ptr(4), Code: "WHOLE", Scope: offers.Scope{Offers: []string{m.goods[3].ID}}},
	} {
		m.vouchers[code], m.limits[code] = w.voucher(v, 0).ID, *v.Limit
	}
	m.plans()
	m.boss = w.managed("ACME").ID
	m.seats = append(m.seats, &good{m.course("M-SEATS", money.Of(3_333, "EUR"), nil), 1}, &good{m.course("M-SEATS-2", money.Of(40_001, "XOF"), nil), 1})
	m.sweptAt = w.clock.Now()
	return m
}

// course is a session that always runs, with an offer on it.
func (m *trade) course(key string, price money.Amount, quota *int) (o offers.Offer) {
	m.w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		s, err := catalog.CreateSessionTx(ctx, tx, catalog.NewSession{Key: key, CourseKey: key, Title: catalog.Text{EN: key}, Platform: "fun", ThresholdPPM: 500_000})
		if err != nil {
			return err
		}
		o, err = offers.CreateTx(ctx, tx, offers.NewOffer{Session: s.ID, Formula: offers.Qualifying, Price: price, Quota: quota})
		return err
	})
	return o
}

// fail prints the steps: those about an order where it is about one, and all of them into a file.
func (m *trade) fail(b *bought, format string, args ...any) {
	m.w.t.Helper()
	var s strings.Builder
	mine := ""
	if b != nil {
		mine = fmt.Sprintf(" o%d ", b.n)
	}
	for i, step := range m.steps {
		if b == nil && i < len(m.steps)-40 || !strings.Contains(" "+step+" ", mine) && !strings.HasPrefix(step, "clock") {
			continue
		}
		fmt.Fprintf(&s, "%5d %s\n", i, step)
	}
	file, _ := os.CreateTemp("", "commerce-*.txt")
	_, _ = io.WriteString(file, strings.Join(m.steps, "\n"))
	_ = file.Close()
	m.w.t.Fatalf("CURSUS_SEED=%d, step %d: %s\nthe steps about it (all of them: %s):\n%s", m.seed, len(m.steps), fmt.Sprintf(format, args...), file.Name(), s.String())
}

func (m *trade) note(format string, args ...any) {
	m.steps = append(m.steps, fmt.Sprintf(format, args...))
}

// torn is a context that ends at the n-th look at it: somewhere in the middle of what is done under it.
type torn struct {
	context.Context //nolint:containedctx // it is one
	mu              sync.Mutex
	left            int
	end             chan struct{}
}

func (c *torn) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left--; c.left == 0 {
		close(c.end)
	}
	return c.end
}

func (c *torn) Err() error {
	select {
	case <-c.end:
		return context.Canceled
	default:
		return nil
	}
}

// do does something of the house; now and then it is torn first, and done again, as whoever asked for it would.
func (m *trade) do(ctx context.Context, act func(ctx context.Context) error) error {
	if m.r.IntN(12) == 0 {
		half := &torn{Context: ctx, left: 1 + m.r.IntN(60), end: make(chan struct{})}
		err := act(half)
		m.note("  torn: %v", err)
	}
	err := act(ctx)
	for code(err) == "idempotency-key-in-flight" { // what was torn is being rolled back
		time.Sleep(time.Millisecond)
		err = act(ctx)
	}
	return err
}

// pick draws one of those that fit.
func pick[T any](m *trade, all []T, fits func(T) bool) (x T, ok bool) {
	if len(all) == 0 {
		return x, false
	}
	at := m.r.IntN(len(all))
	for i := range all { // from somewhere on, so that the latest are not the only ones
		if x = all[(at+i)%len(all)]; fits(x) {
			return x, true
		}
	}
	return x, false
}

// recent draws an order that fits, mostly one of the last.
func (m *trade) recent(fits func(*bought) bool) (*bought, bool) {
	from := 0
	if m.r.IntN(5) > 0 {
		from = max(0, len(m.orders)-60)
	}
	return pick(m, m.orders[from:], fits)
}

// look reads what the house says of an order, and holds its move against the table.
func (m *trade) look(b *bought) payments.Payment {
	before := b.is.State
	o, err := m.w.h.Sales.Order(system, b.id)
	if err != nil {
		m.fail(b, "%v", err)
	}
	b.is = o
	m.returns(b)
	if before != "" && before != o.State && !reaches(before, o.State, nil) {
		m.fail(b, "it went from %s to %s", before, o.State)
	}
	if o.PaymentID == "" {
		m.ends(b)
		return payments.Payment{}
	}
	p := m.w.payment(o)
	b.pending = p.State == payments.Pending
	m.ends(b)
	return p
}

func reaches(from, to sales.State, seen []sales.State) bool {
	for _, next := range sales.Life.Moves[from] {
		if next == to || !slices.Contains(seen, next) && reaches(next, to, append(seen, next)) {
			return true
		}
	}
	return false
}

// allowed fails where an answer is none of those that are expected; it says whether it was success.
func (m *trade) allowed(b *bought, err error, codes ...string) bool {
	if err != nil && !slices.Contains(codes, code(err)) {
		m.fail(b, "%v (%s)", err, code(err))
	}
	return err == nil
}

// order places an order of somebody new or known, for one thing or for several in a currency.
func (m *trade) order() {
	buyer, known := pick(m, m.people, func(string) bool { return true })
	if !known || m.r.IntN(5) < 3 {
		buyer = m.w.person(fmt.Sprintf("b%d@example.org", len(m.people)), "B").ID
		m.people = append(m.people, buyer)
	}
	goods := []*good{m.goods[m.r.IntN(len(m.goods))]}
	if m.r.IntN(4) == 0 {
		for _, g := range m.goods[2:6] {
			if g.Price.Currency == goods[0].Price.Currency && g.SessionID != goods[0].SessionID && goods[0].Quota == nil && goods[0].Price.Minor > 0 {
				goods = append(goods, g)
			}
		}
	}
	c := sales.PlaceOrder{BuyerID: buyer, Lang: "en", IdempotencyKey: fmt.Sprint("o", len(m.steps))}
	for _, g := range goods {
		c.Items = append(c.Items, sales.Item{OfferID: g.ID, Quantity: 1})
	}
	if len(goods) == 1 && m.r.IntN(3) == 0 {
		c.Voucher = map[string]string{m.goods[1].ID: "FIFTH", m.goods[3].ID: "WHOLE"}[goods[0].ID]
	}
	for _, x := range m.orders { // who has one open for the same would change its voucher, which is another story
		if x.buyer == buyer && x.is.State == sales.AwaitingPayment && slices.ContainsFunc(goods, func(g *good) bool { return x.opens(g) }) {
			return
		}
	}
	if m.splits && m.r.IntN(3) > 0 && slices.ContainsFunc(goods, func(g *good) bool { return m.installed[g.ID].OfferID != "" }) {
		c.Way = sales.Instalments
	}
	refusals := []string{"already-enrolled"}
	free, limited := 1, goods[0].Quota != nil
	if limited {
		var waiting int
		if free, waiting = m.free(goods[0], nil, buyer); free <= waiting {
			refusals = append(refusals, "offer-quota-reached")
		}
	}
	if c.Voucher != "" && m.usesLeft(c.Voucher, nil) < 1 {
		refusals = append(refusals, "voucher-used-up")
	}
	if c.Way != "" {
		refusals = append(refusals, "no-instalments")
	}
	n := len(m.orders)
	m.note("order o%d of %d things %s %s", n, len(goods), c.Voucher, c.Way)
	var o sales.Order
	err := m.do(context.Background(), func(ctx context.Context) (err error) { o, err = m.w.h.Sales.PlaceOrder(ctx, c); return err })
	b := &bought{id: o.ID, buyer: buyer, n: n, goods: goods, voucher: c.Voucher, total: o.Total}
	if !m.allowed(nil, err, refusals...) {
		if _, planned := m.planOf(goods, m.costs(goods, c.Voucher)); code(err) == "no-instalments" && planned {
			m.fail(nil, "there is a plan, and the order is refused")
		}
		m.note("  refused: %s", code(err))
		return
	}
	if limited && free <= 0 || c.Voucher != "" && slices.Contains(refusals, "voucher-used-up") {
		m.fail(nil, "o%d took what was not there: %d free, %v", n, free, refusals)
	}
	m.orders = append(m.orders, b)
	m.billed(b)
	if m.look(b); c.Way == sales.Instalments && !b.total.IsZero() {
		m.agreed(b, m.w.clock.Now())
	}
	m.open(b)
}

// billed says, of most orders, in which country their invoice goes.
func (m *trade) billed(b *bought) {
	country := []string{"FR", "SN", "US", ""}[m.r.IntN(4)]
	if country == "" || b.total.IsZero() { // of what is free the document is made at once
		return
	}
	m.note("the invoice of o%d goes to %s", b.n, country)
	m.w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := invoicing.PutBillingTx(ctx, tx, b.id, b.buyer, invoicing.Buyer{Name: "B", Address: invoicing.Address{Country: country}}, 0)
		return err
	})
}

// costs is what things cost with a voucher.
func (m *trade) costs(goods []*good, voucher string) (minor int64) {
	for _, g := range goods {
		minor += g.Price.Minor
	}
	return minor * map[string]int64{"": 5, "FIFTH": 4, "WHOLE": 0}[voucher] / 5
}

// open notes the pay page that an order has now.
func (m *trade) open(b *bought) {
	p := m.look(b)
	if p.CheckoutID == "" || slices.ContainsFunc(b.pages, func(x *payPage) bool { return x.id == p.ID }) {
		return
	}
	x := &payPage{order: b, id: p.ID, session: p.CheckoutID, expires: p.ExpiresAt, state: "open", minor: b.total.Minor}
	if len(b.parts) > 0 {
		x.n, x.minor = 1, b.parts[0].minor
	}
	b.pages = append(b.pages, x)
}

func (m *trade) page(fits func(*payPage) bool) (*payPage, bool) {
	b, ok := m.recent(func(b *bought) bool { return slices.ContainsFunc(b.pages, fits) })
	if !ok {
		return nil, false
	}
	return pick(m, b.pages, fits)
}

// ask sends the sandbox a request and gives its answer; nil where it refuses.
func (m *trade) ask(method, path string, form url.Values, body any) map[string]any {
	r := httptest.NewRequest(method, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if body != nil {
		b, _ := json.Marshal(body)
		r = httptest.NewRequest(method, path, strings.NewReader(string(b)))
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("Authorization", "Bearer "+stripeKey)
	rw := httptest.NewRecorder()
	m.w.sandbox.ServeHTTP(rw, r)
	if rw.Code != http.StatusOK {
		return nil
	}
	out := map[string]any{}
	if err := json.Unmarshal(rw.Body.Bytes(), &out); err != nil {
		m.fail(nil, "%s %s: %v", method, path, err)
	}
	return out
}

// fetch reads what the provider has to tell since the last time: most of it is posted, some is lost.
func (m *trade) fetch() {
	answer := m.ask(http.MethodGet, "/v1/events?limit=100", nil, nil)
	fresh := []map[string]any{}
	for _, x := range answer["data"].([]any) {
		e := x.(map[string]any)
		if e["id"] == m.last {
			break
		}
		fresh = append(fresh, e)
	}
	if len(fresh) == 100 {
		m.fail(nil, "more happened at once than is looked at")
	}
	for _, e := range slices.Backward(fresh) {
		m.last = fmt.Sprint(e["id"])
		if !slices.Contains(stripegate.Types, fmt.Sprint(e["type"])) {
			continue
		}
		raw, _ := json.Marshal(e)
		x := &told1{id: m.last, kind: fmt.Sprint(e["type"]), raw: raw}
		object := e["data"].(map[string]any)["object"].(map[string]any)
		intent, _ := object["payment_intent"].(string)
		if object["object"] == "payment_intent" {
			intent, _ = object["id"].(string)
		}
		meta, _ := object["metadata"].(map[string]any)
		for _, b := range slices.Backward(m.orders) {
			for _, p := range b.pages {
				if object["id"] == p.session || intent != "" && intent == p.intent || p.n > 0 && meta["payment_id"] == p.id {
					if x.page = p; p.intent == "" {
						p.intent = intent
					}
				}
			}
			if x.page != nil {
				break
			}
		}
		x.captures = object["payment_status"] == "paid" && strings.HasPrefix(x.kind, "checkout.session")
		m.ofCards(x, object)
		if m.r.IntN(25) == 0 {
			m.lost = append(m.lost, x) // until the house asks
			continue
		}
		m.post = append(m.post, x)
	}
}

// pays goes to an open page with a card, an account or nothing good.
func (m *trade) pays() {
	p, ok := m.page(func(p *payPage) bool { return p.state == "open" })
	if !ok {
		return
	}
	card := []string{visa, visa, visa, visa, visa, declined, threeD, threeD, "4000000000000259"}[m.r.IntN(9)]
	switch {
	case p.n > 0 && m.r.IntN(3) == 0: // a card is kept, and may say something else later
		card = []string{wantsOwner, runsDry}[m.r.IntN(2)]
	case p.n == 0 && p.order.total.Currency == "EUR" && m.r.IntN(5) == 0:
		card = iban
	}
	p.card = card
	body := map[string]any{"card": card}
	if card == threeD || card == wantsOwner || card == runsDry {
		body["authenticate"] = []string{"complete", "complete", "fail"}[m.r.IntN(3)]
	}
	answer := m.ask(http.MethodPost, "/sandbox/pay/"+p.session, nil, body)
	m.note("pay o%d by %s: %v", p.order.n, card, answer["status"])
	if answer == nil {
		p.state = "expired" // its time was over
	}
	if answer["status"] == "complete" {
		if p.state = "pending"; card != iban {
			p.state, p.captured = "complete", p.minor
		}
		p.intent = answer["session"].(map[string]any)["payment_intent"].(string)
	}
	if card == "4000000000000259" && p.state == "complete" {
		p.turn, p.disputed = "opened", p.captured
		list := m.ask(http.MethodGet, "/v1/disputes?limit=1&payment_intent="+p.intent, nil, nil)["data"].([]any)
		p.dispute = list[0].(map[string]any)["id"].(string)
	}
	m.fetch()
}

func (m *trade) settles() {
	p, ok := m.page(func(p *payPage) bool { return p.state == "pending" })
	if !ok {
		return
	}
	outcome := []string{"succeed", "succeed", "fail"}[m.r.IntN(3)]
	m.note("the bank lets o%d %s", p.order.n, outcome)
	m.ask(http.MethodPost, "/sandbox/settle/"+p.session, nil, map[string]any{"outcome": outcome})
	if p.state = "failed"; outcome == "succeed" {
		p.state, p.captured = "complete", p.minor
	}
	m.fetch()
}

// carries brings one event, any that is on its way, sometimes one more time.
func (m *trade) carries() {
	if len(m.post) == 0 {
		return
	}
	at := m.r.IntN(len(m.post))
	if m.r.IntN(3) > 0 {
		at = 0
	}
	x := m.post[at]
	if m.r.IntN(6) > 0 {
		m.post = slices.Delete(m.post, at, at+1)
	}
	m.hear(x)
}

// hear delivers an event, and has it applied at once, or later where it came too early.
func (m *trade) hear(x *told1) {
	b := &bought{n: -1}
	if x.page != nil {
		b = x.page.order
	}
	m.note("told of o%d : %s", b.n, x.kind)
	if err := m.do(context.Background(), func(ctx context.Context) error {
		return m.w.h.Payments.Receive(ctx, x.raw, stripegate.Sign(x.raw, hookSecret, m.w.clock.Now()))
	}); err != nil {
		m.fail(nil, "%v", err)
	}
	if !m.apply(x) {
		m.parked = append(m.parked, x)
	}
}

func (m *trade) apply(x *told1) bool {
	var before payments.Payment
	own, surplus := false, false
	if x.page != nil && x.captures {
		held := m.look(x.page.order)
		m.w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
			before, err = payments.OneTx(ctx, tx, x.page.id)
			return err
		})
		if own, surplus = m.taken(x.page.order, before, held.ByHand && held.CapturedMinor > 0); x.page.n > 0 {
			own, surplus = m.takenPart(x.page.order, x.page)
		}
	}
	err := m.do(system, func(ctx context.Context) error { return m.w.h.Sales.Apply(ctx, x.id) })
	if errors.Is(err, payments.ErrUnknownPayment) || errors.Is(err, payments.ErrTooMuch) { // something else has to be told first
		return false
	}
	if err != nil {
		m.fail(nil, "%s: %v", x.kind, err)
	}
	m.toldOfCard(x)
	if x.page == nil {
		return true
	}
	if x.captures || strings.HasPrefix(x.kind, "checkout.session") {
		x.page.told = true
	}
	m.look(x.page.order)
	if !x.captures || before.State.Paid() {
		return true
	}
	var after payments.Payment
	m.w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		after, err = payments.OneTx(ctx, tx, x.page.id)
		return err
	})
	if after.State == payments.Captured && !own || after.State == payments.Surplus && !surplus || !after.State.Paid() {
		m.fail(x.page.order, "the money became %s; the model allows its own: %v, a surplus: %v", after.State, own, surplus)
	}
	switch b := x.page.order; {
	case after.State != payments.Captured:
	case x.page.n > 0:
		m.paidPart(b, x.page)
		m.look(b)
	default: // all of it, on a page that was open when the plan was made
		b.leftPlan()
	}
	m.agrees(x.page.order)
	return true
}

// works does what waits for a worker: events that came too early, refunds that were asked for.
func (m *trade) works() {
	m.parked = slices.DeleteFunc(m.parked, m.apply)
	m.charges(false)
	var ids []string
	m.w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Select(ctx, &ids, postgres.Query{Name: "asked", SQL: `select r.id from payments.refunds r join payments.payments p on p.id = r.payment_id
			where r.state in ('requested', 'pending') and not p.by_hand order by r.id limit 20`})
	})
	for _, id := range ids {
		m.sends(id)
	}
	m.fetch()
}

// sends has a refund sent, and knows what the provider says to it.
func (m *trade) sends(id string) {
	var r payments.Refund
	m.w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		r, err = payments.RefundTx(ctx, tx, id)
		return err
	})
	var p *payPage
	for _, b := range m.orders {
		for _, x := range b.pages {
			if x.id == r.PaymentID {
				p = x
			}
		}
	}
	want := "failed"
	if made := m.sent[id]; made != "" {
		want = made
	} else if p.left() >= r.AmountMinor {
		want, m.sent[id] = "succeeded", "succeeded"
		p.returned += r.AmountMinor
	}
	m.note("send o%d back %d: %s", p.order.n, r.AmountMinor, want)
	err := m.do(system, func(ctx context.Context) error { return m.w.h.Sales.BookRefund(ctx, id) })
	if errors.Is(err, payments.ErrTooMuch) { // it went, and has to be told first that another one came back
		return
	}
	m.allowed(p.order, err)
	if r = m.refundOf(id); r.State != want {
		m.fail(p.order, "the refund is %s, the provider says %s", r.State, want)
	}
	m.look(p.order)
}

// gives has staff give money back: all, a part, or of a line; and a second person agree to what is much.
func (m *trade) gives() {
	b, ok := m.recent(func(b *bought) bool { return b.sold() && !b.total.IsZero() })
	if !ok {
		return
	}
	c := sales.RefundOrder{OrderID: b.id, Reason: "a gesture", IdempotencyKey: fmt.Sprint("r", len(m.steps))}
	switch m.r.IntN(3) {
	case 0:
		c.AmountMinor = ptr(1 + m.r.Int64N(b.total.Minor))
	case 1:
		l := b.is.Lines[m.r.IntN(len(b.is.Lines))]
		c.Lines = []sales.RefundLine{{Line: l.N, Minor: 1 + m.r.Int64N(max(1, l.Total.Minor))}}
	}
	m.note("staff gives o%d back %v %v", b.n, c.AmountMinor != nil, c.Lines)
	err := m.do(staffCtx(m.staff[0]), func(ctx context.Context) error { _, err := m.w.h.Sales.Refund(ctx, c); return err })
	m.allowed(b, err, "refund-exceeds-payment", "order-not-paid", "bad-amount")
}

func (m *trade) decides() {
	var id string
	m.w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Get(ctx, &id, postgres.Query{Name: "proposed", SQL: `select coalesce((select id from payments.refunds where state = 'proposed' and not reversal order by id desc limit 1), '')`})
	})
	if id == "" {
		return
	}
	agree := m.r.IntN(4) > 0
	key := fmt.Sprint("z", len(m.steps))
	m.note("a second person says %v", agree)
	if _, err := m.w.h.Sales.DecideRefund(staffCtx(m.staff[0]), id, agree, key); code(err) != "second-person-needed" {
		m.fail(nil, "one person decided alone: %v", err)
	}
	err := m.do(staffCtx(m.staff[1]), func(ctx context.Context) error { _, err := m.w.h.Sales.DecideRefund(ctx, id, agree, key); return err })
	m.allowed(nil, err)
}

// dashboard gives back at the provider, without the house.
func (m *trade) dashboard() {
	p, ok := m.page(func(p *payPage) bool { return p.left() > 0 })
	if !ok {
		return
	}
	minor := 1 + m.r.Int64N(p.left())
	m.note("the dashboard gives o%d back %d", p.order.n, minor)
	if m.ask(http.MethodPost, "/v1/refunds", url.Values{"payment_intent": {p.intent}, "amount": {strconv.FormatInt(minor, 10)}}, nil) == nil {
		m.fail(p.order, "refused")
	}
	p.returned += minor
	m.fetch()
}

// bounces has a bank send a refund back.
func (m *trade) bounces() {
	p, ok := m.page(func(p *payPage) bool { return p.returned > 0 && p.turn == "" })
	if !ok {
		return
	}
	for _, x := range m.ask(http.MethodGet, "/v1/refunds?limit=10&payment_intent="+p.intent, nil, nil)["data"].([]any) {
		r := x.(map[string]any)
		if r["status"] != "succeeded" {
			continue
		}
		minor := int64(r["amount"].(float64))
		m.note("the bank sends back what o%d was given: %d", p.order.n, minor)
		m.ask(http.MethodPost, fmt.Sprintf("/sandbox/refunds/%s/fail", r["id"]), nil, map[string]any{})
		p.returned, p.failed = p.returned-minor, p.failed+minor
		if id, ours := r["metadata"].(map[string]any)["refund_id"].(string); ours { // which may not have been booked yet
			m.sent[id] = "failed"
		}
		break
	}
	m.fetch()
}

func (m *trade) disputes() {
	if p, ok := m.page(func(p *payPage) bool { return p.turn == "opened" }); ok && m.r.IntN(2) == 0 {
		p.turn = []string{"won", "lost"}[m.r.IntN(2)]
		m.note("the dispute about o%d is %s", p.order.n, p.turn)
		m.ask(http.MethodPost, "/sandbox/disputes/"+p.dispute, nil, map[string]any{"outcome": p.turn})
		m.fetch()
		return
	}
	p, ok := m.page(func(p *payPage) bool { return p.left() > 0 && p.turn == "" })
	if !ok {
		return
	}
	p.disputed = 1 + m.r.Int64N(p.left())
	if m.r.IntN(2) == 0 {
		p.disputed = p.left()
	}
	m.note("o%d is disputed: %d", p.order.n, p.disputed)
	d := m.ask(http.MethodPost, "/sandbox/disputes", nil, map[string]any{"payment_intent": p.intent, "amount": p.disputed})
	p.dispute, p.turn = fmt.Sprint(d["id"]), "opened"
	m.fetch()
}

func (m *trade) leaves() {
	b, ok := m.recent(func(b *bought) bool { return b.sold() || b.is.State == sales.AwaitingPayment })
	if !ok {
		return
	}
	l, err := m.w.h.Sales.Withdrawal(system, b.id)
	m.allowed(b, err)
	m.note("the buyer of o%d withdraws: %v %s", b.n, l.Allowed, l.Reason)
	key := fmt.Sprint("w", len(m.steps))
	err = m.do(context.Background(), func(ctx context.Context) error {
		_, err := m.w.h.Sales.Withdraw(ctx, sales.WithdrawOrder{OrderID: b.id, BuyerID: b.buyer, Name: "B", Email: "b@example.org", IdempotencyKey: key})
		return err
	})
	if m.allowed(b, err, "no-withdrawal", "payment-under-way") != l.Allowed && code(err) != "payment-under-way" {
		m.fail(b, "allowed: %v, and %v", l.Allowed, err)
	}
	if m.look(b); err == nil && b.is.PaidAt != nil {
		b.withdrawn = true
	}
	m.agrees(b)
}

func (m *trade) cancels() {
	b, ok := m.recent(func(b *bought) bool { return b.is.State == sales.AwaitingPayment })
	if !ok {
		return
	}
	m.note("o%d is cancelled", b.n)
	err := m.do(system, func(ctx context.Context) error { _, err := m.w.h.Sales.CancelOrder(ctx, b.id); return err })
	m.allowed(b, err, "payment-under-way")
	m.look(b)
}

// chooses has a buyer change how she pays.
func (m *trade) chooses() {
	b, ok := m.recent(func(b *bought) bool { return b.is.State == sales.AwaitingPayment })
	if !ok {
		return
	}
	ways := []sales.Way{sales.Card, sales.Transfer, sales.PurchaseOrder}
	if m.splits {
		ways = append(ways, sales.Instalments)
	}
	way := ways[m.r.IntN(len(ways))]
	c := sales.ChooseWay{OrderID: b.id, BuyerID: b.buyer, Way: way, IdempotencyKey: fmt.Sprint("way", len(m.steps))}
	if way == sales.PurchaseOrder {
		c.Reference = "PO-1"
	}
	before := b.is.Way
	m.note("o%d is to be paid by %s", b.n, way)
	err := m.do(system, func(ctx context.Context) error { _, err := m.w.h.ChooseWay(ctx, c); return err })
	codes := []string{"payment-begun", "payment-under-way", "order-not-payable"}
	if _, planned := m.planOf(b.goods, b.total.Minor); !planned && way == sales.Instalments {
		codes = append(codes, "no-instalments")
	}
	ok = m.allowed(b, err, codes...)
	if m.look(b); ok && way != before {
		if b.parts = nil; way == sales.Instalments {
			m.agreed(b, m.w.clock.Now())
		}
		for _, p := range b.pages { // which the house closes
			p.told = p.told || p.id != b.is.PaymentID
		}
	}
	m.agrees(b)
	m.open(b)
}

// comes has money come to the bank or the desk, for an order or for none.
func (m *trade) comes() {
	b, ok := m.recent(func(b *bought) bool { return !b.total.IsZero() && (b.is.Way.ByHand() || m.r.IntN(30) == 0) })
	if !ok {
		return
	}
	reference := fmt.Sprint("T", len(m.steps))
	c := sales.Receive{Amount: b.total, Reference: reference, OrderID: b.id, Payer: "A. Diop", ReceivedAt: m.w.clock.Now(), IdempotencyKey: reference}
	holder := "bank"
	switch m.r.IntN(8) {
	case 0, 1:
		c.Amount.Minor = 1 + m.r.Int64N(b.total.Minor)
	case 2:
		c.Amount.Minor += 1 + m.r.Int64N(b.total.Minor)
	case 3:
		c.OrderID, b = "", nil
	case 4:
		holder, c.Desk = "desk:esp", sales.DeskOf{Organisation: "ESP", Holder: "desk:esp"}
	}
	n := -1
	if b != nil {
		n = b.n
	}
	m.note("%v comes for o%d at the %s", c.Amount, n, holder)
	var r sales.Received
	err := m.do(staffCtx(m.staff[0]), func(ctx context.Context) (err error) { r, err = m.w.h.Sales.Receive(ctx, c); return err })
	if !m.allowed(b, err) {
		return
	}
	m.cash[holder+r.Currency] += r.AmountMinor
	s := slip{id: r.ID, minor: r.AmountMinor, c: money.Currency(r.Currency), order: b}
	if b == nil {
		m.slips = append(m.slips, s)
		return
	}
	if b.byHand += r.AmountMinor; holder != "bank" {
		m.desk = append(m.desk, s)
	}
	m.look(b)
	b.leftPlan()
	m.agrees(b)
}

// clerk finds the order of money that named none, or sends it back; pays back by hand what is asked; and reverses at the desk.
func (m *trade) clerk() {
	if len(m.slips) > 0 {
		s := m.slips[0]
		m.slips = m.slips[1:]
		key := fmt.Sprint("s", len(m.steps))
		b, ok := m.recent(func(b *bought) bool { return b.total.Currency == s.c && !b.total.IsZero() })
		if !ok || m.r.IntN(2) == 0 {
			m.note("%d are sent back", s.minor)
			m.allowed(nil, m.do(staffCtx(m.staff[0]), func(ctx context.Context) error { _, err := m.w.h.Sales.SendBack(ctx, s.id, "S-"+s.id, key); return err }))
			m.cash["bank"+string(s.c)] -= s.minor
			return
		}
		m.note("%d are matched to o%d", s.minor, b.n)
		m.allowed(b, m.do(staffCtx(m.staff[0]), func(ctx context.Context) error { _, err := m.w.h.Sales.Match(ctx, s.id, b.id, key); return err }))
		b.byHand += s.minor
		m.look(b)
		b.leftPlan()
		m.agrees(b)
	}
	m.paysBack(5)
	if len(m.desk) > 0 {
		s := &m.desk[m.r.IntN(len(m.desk))]
		if !s.asked {
			m.note("a reversal of o%d is asked", s.order.n)
			key := fmt.Sprint("a", len(m.steps))
			err := m.do(staffCtx(m.staff[0]), func(ctx context.Context) error {
				return m.w.h.AskReversal(ctx, m.staff[0], "ESP", s.id, "typed wrong", key)
			})
			s.asked = m.allowed(s.order, err, "not-reversible", "refund-exceeds-payment")
			return
		}
		agree := m.r.IntN(4) > 0
		m.note("the reversal of o%d : %v", s.order.n, agree)
		before := m.w.balance("clearing:desk:esp", s.c)
		key := fmt.Sprint("d", len(m.steps))
		err := m.do(staffCtx(m.staff[1]), func(ctx context.Context) error { return m.w.h.DecideReversal(ctx, m.staff[1], "ESP", s.id, agree, key) })
		if m.allowed(s.order, err, "refund-decided") {
			if after := m.w.balance("clearing:desk:esp", s.c); agree && after != before {
				took := before - after // what was not given back yet
				if took > s.minor {
					m.fail(s.order, "the reversal took %d of %d", took, s.minor)
				}
				m.cash["desk:esp"+string(s.c)] -= took
				s.order.backHand += took
			}
		}
		s.asked = false
		m.look(s.order)
	}
}

// paysBack pays back by hand some of what is asked for.
func (m *trade) paysBack(most int) {
	var asked []struct {
		ID      string `db:"id"`
		OrderID string `db:"order_id"`
		Holder  string `db:"holder"`
		Minor   int64  `db:"minor"`
	}
	m.w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Select(ctx, &asked, postgres.Query{Name: "by hand", SQL: `select r.id, p.order_id, p.provider as holder, r.amount_minor as minor from payments.refunds r join payments.payments p on p.id = r.payment_id
			where r.state = 'requested' and p.by_hand and not r.reversal order by r.id limit $1`}, most)
	})
	for _, x := range asked {
		b := m.orders[slices.IndexFunc(m.orders, func(b *bought) bool { return b.id == x.OrderID })]
		m.note("%d of o%d are paid back by hand", x.Minor, b.n)
		err := m.do(staffCtx(m.staff[0]), func(ctx context.Context) error { return m.w.h.Sales.PaidBack(ctx, x.ID, "B-"+x.ID, "b"+x.ID) })
		if m.allowed(b, err) {
			b.backHand += x.Minor
			m.cash[x.Holder+string(b.total.Currency)] -= x.Minor
			m.look(b)
		}
	}
}

// repays transfers what a refund left owed: one person says so, and another agrees or does not.
func (m *trade) repays() {
	var x struct {
		ID      string `db:"id"`
		OrderID string `db:"order_id"`
		Minor   int64  `db:"owed_minor"`
	}
	m.w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		err := tx.Get(ctx, &x, postgres.Query{Name: "owed", SQL: `select r.id, p.order_id, r.owed_minor from payments.refunds r join payments.payments p on p.id = r.payment_id
			where r.owed_minor > 0 order by r.id desc limit 1`})
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	if x.ID == "" {
		return
	}
	b := m.orders[slices.IndexFunc(m.orders, func(b *bought) bool { return b.id == x.OrderID })]
	key, agree := fmt.Sprint("y", len(m.steps)), m.r.IntN(3) > 0
	m.note("%d owed to o%d are transferred: %v", x.Minor, b.n, agree)
	m.allowed(b, m.do(staffCtx(m.staff[0]), func(ctx context.Context) error { _, err := m.w.h.Sales.SayRepaid(ctx, x.ID, key, key); return err }))
	if _, err := m.w.h.Sales.DecideRepaid(staffCtx(m.staff[0]), x.ID, agree, "not "+key); code(err) != "second-person-needed" {
		m.fail(b, "one person decided alone: %v", err)
	}
	err := m.do(staffCtx(m.staff[1]), func(ctx context.Context) error {
		_, err := m.w.h.Sales.DecideRepaid(ctx, x.ID, agree, key)
		return err
	})
	if m.allowed(b, err) && agree {
		b.backHand, m.cash["bank"+string(b.total.Currency)] = b.backHand+x.Minor, m.cash["bank"+string(b.total.Currency)]-x.Minor
		for _, p := range b.pages {
			if m.refundOf(x.ID).PaymentID == p.id {
				p.repaid += x.Minor
			}
		}
	}
}

func (m *trade) refundOf(id string) (r payments.Refund) {
	m.w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		r, err = payments.RefundTx(ctx, tx, id)
		return err
	})
	return r
}

func (m *trade) waits() {
	g, _ := pick(m, m.goods, func(g *good) bool { return g.Quota != nil })
	if len(m.row) > 0 && m.r.IntN(3) == 0 {
		x := m.row[m.r.IntN(len(m.row))]
		m.note("somebody leaves the row")
		err := m.do(system, func(ctx context.Context) error { return m.w.h.Sales.LeaveRow(ctx, x.offer, x.person) })
		m.allowed(nil, err, "not-waiting")
		return
	}
	person, ok := pick(m, m.people, func(string) bool { return true })
	if !ok {
		return
	}
	free, waiting := m.free(g, nil, person)
	m.note("somebody joins the row, %d free, %d wait", free, waiting)
	err := m.do(system, func(ctx context.Context) error { _, err := m.w.h.Sales.Wait(ctx, g.ID, person); return err })
	codes := []string{"already-enrolled"}
	if free > 0 || slices.ContainsFunc(m.orders, func(b *bought) bool { return b.buyer == person && b.has(g.ID) && b.stands(m.w.clock.Now()) }) {
		codes = append(codes, "place-free")
	}
	if m.allowed(nil, err, codes...) && !slices.Contains(m.row, waiter{person, g.ID}) {
		m.row = append(m.row, waiter{person, g.ID})
	}
}

// sweeps is what a worker does every minute.
func (m *trade) sweeps() {
	m.note("sweep")
	for _, f := range []func(context.Context) (int, error){m.w.h.Sales.ExpireForgotten, m.w.h.Sales.ServeWaiting, m.w.h.Sales.ExpireByHand, m.w.h.Sales.ExpireUnasked} {
		if _, err := f(system); err != nil {
			m.fail(nil, "%v", err)
		}
	}
	m.reminds()
	m.chargesDue()
	m.refresh()
	m.keeps()
}

// keeps posts what the provider kept of payments and did with the account, and what is the school's.
func (m *trade) keeps() {
	if _, err := m.w.h.Payments.SweepFees(system); err != nil {
		m.fail(nil, "%v", err)
	}
	if _, err := m.w.h.Accounting.PostShares(system); err != nil {
		m.fail(nil, "%v", err)
	}
}

// refresh looks at every order that can change by itself.
func (m *trade) refresh() {
	for _, b := range m.orders {
		if b.is.State == sales.AwaitingPayment {
			m.look(b)
		}
	}
}

// passes moves the clock; the provider closes the pages whose time is over.
func (m *trade) passes() {
	d := []time.Duration{time.Second, time.Minute, 10 * time.Minute, 40 * time.Minute, 5 * time.Hour, 30 * time.Hour, 9 * 24 * time.Hour}[m.r.IntN(7)]
	m.passed(d)
}

func (m *trade) passed(d time.Duration) {
	m.note("clock %v", d)
	m.w.clock.Advance(d)
	m.closes()
}

// account has the provider pay out some of what it holds, or take something for the account itself.
func (m *trade) account() {
	c := []money.Currency{"EUR", "XOF"}[m.r.IntN(2)]
	held := m.w.sandbox.Book().Balance[strings.ToLower(string(c))]
	if held < 100 {
		return
	}
	amount := 1 + m.r.Int64N(held)
	x := map[string]any{"currency": strings.ToLower(string(c)), "amount": amount}
	switch m.r.IntN(4) {
	case 0:
		x["amount"] = 1 + amount/100
		m.w.tell("/sandbox/account-fees", x)
	case 1:
		x["failed"] = true
		m.w.tell("/sandbox/payouts", x)
	default:
		m.w.tell("/sandbox/payouts", x)
		m.cash["bank"+string(c)] += amount
	}
	m.note("the account of the provider: %v", x)
}

func (m *trade) closes() {
	for _, b := range m.orders {
		for _, p := range b.pages {
			if p.state == "open" && !m.w.clock.Now().Before(p.expires) {
				p.state = "expired"
				m.ask(http.MethodPost, "/v1/checkout/sessions/"+p.session+"/expire", url.Values{}, nil)
				m.fetch()
			}
		}
	}
}

// rest lets everything arrive and be done, and then holds all books against each other.
func (m *trade) rest() {
	m.note("rest")
	m.passed(20 * time.Minute) // what a provider keeps of a payment waits so long for us to know of it
	for range 6 {
		m.fetch()
		for _, x := range m.post {
			m.hear(x)
		}
		m.post = nil
		if len(m.lost) > 0 {
			if _, err := m.w.h.Payments.CatchUp(system, m.sweptAt.Add(-time.Hour)); err != nil {
				m.fail(nil, "%v", err)
			}
			m.parked = append(m.parked, m.lost...)
			m.lost = nil
		}
		m.works()
		m.sweeps()
		m.charges(true)
		m.paysBack(1000)
		if err := m.w.h.Jobs.Drain(context.Background()); err != nil {
			m.fail(nil, "%v", err)
		}
	}
	m.parked = nil
	m.sweptAt = m.w.clock.Now()
	for _, b := range m.orders {
		m.look(b)
		for _, p := range b.pages {
			over := b.is.State != sales.AwaitingPayment // a worker closed it, or its order is over
			if p.n > 1 {
				over = len(b.parts) < p.n || !b.parts[p.n-1].open()
			}
			if p.state == "open" && over {
				p.state = "expired"
			}
		}
	}
	m.keeps()
	m.w.verify()
	m.compare()
	m.w.cubeHolds()
	if m.w.t.Failed() {
		m.fail(nil, "the checks above")
	}
}

func (m *trade) step() {
	acts := []struct {
		weight int
		act    func()
	}{
		{20, m.order}, {22, m.pays}, {6, m.settles}, {30, m.carries}, {6, m.works}, {7, m.gives}, {3, m.decides}, {3, m.dashboard}, {2, m.bounces}, {4, m.disputes},
		{3, m.leaves}, {3, m.cancels}, {4, m.paysPart}, {4, m.leavesCard}, {4, m.buysSeats}, {6, m.claims}, {2, m.movesSeat}, {2, m.enlists}, {3, m.returnsSeats}, {5, m.chooses}, {6, m.comes}, {4, m.clerk}, {2, m.repays}, {4, m.waits}, {4, m.sweeps}, {4, m.passes}, {2, m.account},
	}
	sum := 0
	for _, a := range acts {
		sum += a.weight
	}
	at := m.r.IntN(sum)
	for _, a := range acts {
		if at -= a.weight; at < 0 {
			a.act()
			return
		}
	}
}

// Random commerce, 5,000 steps (100,000 with CURSUS_LONG, in houses of 5,000): whatever is ordered, paid in every way, given back, disputed,
// withdrawn, cancelled, waited for, told late, twice, out of order or never, and torn on its way, each order comes to what the model says at
// every point of rest, every invariant holds, and our accounts are the books of those who hold the money. CURSUS_SEED plays one again.
func TestRandomCommerceIsWhatTheModelSays(t *testing.T) {
	seed, houses, each := rand.Uint64N(1<<32), 1, 5000
	if os.Getenv("CURSUS_LONG") != "" {
		houses = 20
	}
	if s := os.Getenv("CURSUS_SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		seed, houses = n, 1
	}
	for i := range houses {
		t.Run(fmt.Sprintf("CURSUS_SEED=%d", seed+uint64(i)), func(t *testing.T) {
			m := newTrade(t, seed+uint64(i))
			begun := time.Now()
			for n := range each {
				m.step()
				if n%500 == 499 {
					m.rest()
				}
			}
			m.w.cubeAddsUp()
			t.Log(len(m.orders), "orders,", len(m.steps), "notes,", m.seen, time.Since(begun))
		})
	}
}
