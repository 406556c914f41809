package app_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"cursus/internal/domain/identity"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
)

func init() {
	walks = append(walks, func(w *world, staff string) map[string]string {
		w.desk()
		w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
			return identity.PutPartnerRoleTx(ctx, tx, "ESP", staff, identity.RoleOwner)
		})
		at := "/partners/ESP/statement"
		return map[string]string{"/partners/:key/statement": at, "/partners/:key/statement.csv": at + ".csv", "/partners/:key/statement.pdf": at + ".pdf"}
	})
}

// download fetches a file as the browser of a desk does.
func (d *desk) download(path string) []byte {
	d.t.Helper()
	a, err := d.http.Get(d.w.cfg.BaseURL + path) //nolint:noctx // a test
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = a.Body.Close() }()
	b, err := io.ReadAll(a.Body)
	if err != nil || a.StatusCode != http.StatusOK {
		d.t.Fatalf("%s: %d %v", path, a.StatusCode, err)
	}
	return b
}

// A school's own system records what was paid at its desk under the school's references, each once, and reads what is due: the same numbers
// as its page, its CSV and its paper. Another school's system finds nothing there and changes nothing.
func TestASchoolRecordsMoneyAndReadsWhatIsDue(t *testing.T) {
	w, mails := newSite(t)
	awa, binta := w.person("awa@example.org", "Awa"), w.person("binta@example.org", "Binta")
	w.desk(awa, binta)
	offer := w.run("PRD-1", "", 15000)
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		if err := identity.PutOrganisationTx(ctx, tx, "ENS", "ENS Dakar"); err != nil {
			return err
		}
		_, err := offers.AddPriceTx(ctx, tx, offers.Price{OfferID: offer.ID, Price: money.Of(100000, "XOF")})
		return err
	})
	var placed []sales.Order
	for _, p := range []identity.Person{awa, binta} {
		o, err := w.h.Sales.PlaceOrder(system, sales.PlaceOrder{BuyerID: p.ID, OfferID: offer.ID, Currency: "XOF", IdempotencyKey: "k" + p.ID})
		if err != nil {
			t.Fatal(err)
		}
		placed = append(placed, o)
	}
	walker := w.walk(w.h)
	by := func(organisation string) *asker {
		return &asker{t: t, w: walker, token: w.partnerKey(organisation, []string{"cashier"}, []string{"desk:write", "statements:read"})}
	}
	own, foreign := by("ESP"), by("ENS")
	esp := map[string]string{"partner": "ESP"}
	receipt := func(o sales.Order, reference string, minor int64, currency string) map[string]any {
		return map[string]any{"order": o.ID, "amount_minor": minor, "currency": currency, "reference": reference, "received_at": w.h.Clock.Now().Add(-time.Minute)}
	}
	foreign.ask(404, "recordDeskReceipt", esp, receipt(placed[0], "QUIT-1", 100000, "XOF"))
	foreign.ask(404, "listDeskReceipts", esp, nil)
	own.ask(422, "recordDeskReceipt", esp, receipt(placed[0], "QUIT-1", 15245, "EUR"))
	first := own.ask(201, "recordDeskReceipt", esp, receipt(placed[0], "QUIT-1", 100000, "XOF"))
	if again := own.ask(201, "recordDeskReceipt", esp, receipt(placed[0], "QUIT-1", 100000, "XOF")); again["id"] != first["id"] {
		t.Error("one reference is two receipts")
	}
	own.ask(409, "recordDeskReceipt", esp, receipt(placed[1], "QUIT-1", 100000, "XOF"))
	own.ask(201, "recordDeskReceipt", esp, receipt(placed[1], "QUIT-2", 100000, "XOF"))
	for _, o := range placed {
		w.becomes(o, sales.Paid)
	}
	w.counts(map[string]int{"select count(*) from payments.receipts": 2})

	now := w.h.Clock.Now().UTC()
	day := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, time.UTC)
	period := query(fmt.Sprintf("from=%s&until=%s&currency=XOF", day.Format(time.RFC3339), day.AddDate(0, 0, 1).Format(time.RFC3339)))
	foreign.ask(404, "getPartnerStatement", esp, nil, period)
	s := own.ask(200, "getPartnerStatement", esp, nil, period)
	line := s["lines"].([]any)[0].(map[string]any)
	if line["collected_minor"] != 200000. || line["share_minor"] != 60000. || line["orders"] != 2. || s["closing_minor"] != 140000. {
		t.Fatalf("%v", s)
	}
	r := walker.Example("exportPartnerStatement")
	r.Token, r.Path["partner"] = own.token, "ESP"
	period(&r)
	file := string(walker.Do(t, r).Body)
	if !strings.Contains(file, "collected by partner,esp-XOF,,2,200000,60000,140000,XOF") {
		t.Errorf("the CSV says %s", file)
	}
	ann := w.newDeskOf(t, mails, "ann@esp.example.org", "cashier")
	at, of := "/partners/ESP/statement", "?from="+day.Format(time.DateOnly)+"&until="+day.Format(time.DateOnly)+"&currency=XOF"
	ann.open(at + of)
	ann.says("200,000 XOF", "60,000 XOF", "140,000 XOF")
	if same := string(ann.download(at + ".csv" + of)); same != file {
		t.Errorf("the page's CSV says %s", same)
	}
	for _, sum := range []string{"200,000", "60,000", "140,000"} {
		if paper := onPaper(t, ann.download(at+".pdf"+of)); !strings.Contains(paper, sum) {
			t.Errorf("the paper does not say %s: %s", sum, paper)
		}
	}
	ann.want = 404
	ann.open("/partners/ENS/statement")
	w.verify()
}
