package app_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"
	standard "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"cursus/internal/domain/identity"
	hooks "cursus/internal/domain/webhooks"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
)

func init() {
	walks = append(walks, func(w *world, staff string) map[string]string {
		by := hooks.By{PersonID: staff, Any: true}
		at := map[string]string{}
		w.managed("HOOKS")
		w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
			return identity.PutManagerTx(ctx, tx, "HOOKS", staff)
		})
		for root, organisation := range map[string]string{"/organisation/webhooks": "HOOKS", "/console/webhooks": ""} {
			e, err := w.h.Webhooks.Create(system, by, "walk "+root, hooks.NewEndpoint{Organisation: organisation, URL: "https://hooks.example.org/", Types: []string{hooks.OrderPaid}})
			if err != nil {
				w.t.Fatal(err)
			}
			sent, err := w.h.Webhooks.Test(system, by, e.ID, "walk test "+root)
			if err != nil {
				w.t.Fatal(err)
			}
			at[root+"/:id"], at[root+"/:id/deliveries/:delivery"] = root+"/"+e.ID, root+"/"+e.ID+"/deliveries/"+sent.ID
		}
		return at
	})
}

// heeds is a partner's server: it keeps what came with the signatures that it carried, and answers as it is told.
type heeds struct {
	*httptest.Server
	mu     sync.Mutex
	status int
	ids    []string
	heads  []http.Header
	bodies [][]byte
}

func newHeeds(t *testing.T) *heeds {
	t.Helper()
	h := &heeds{status: http.StatusOK}
	h.Server = httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		h.ids, h.heads, h.bodies = append(h.ids, r.Header.Get("webhook-id")), append(h.heads, r.Header), append(h.bodies, body)
		out.WriteHeader(h.status)
		_, _ = out.Write([]byte("<b>said the receiver</b>"))
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *heeds) answers(status int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.status = status
}

func (h *heeds) heard() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.ids)
}

// last says whether a secret verifies what came last.
func (h *heeds) last(t *testing.T, secret string) error {
	t.Helper()
	judge, err := standard.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return judge.VerifyIgnoringTimestamp(h.bodies[len(h.bodies)-1], h.heads[len(h.heads)-1])
}

var whsec = regexp.MustCompile(`whsec_[A-Za-z0-9+/=]+`)

// A manager makes a webhook with the keyboard alone, sees its secret once, tests it, reads the answer of her receiver, sends again and
// disables it; what the receiver answers is text on her page.
func TestAManagerLooksAfterAWebhookInABrowser(t *testing.T) {
	h := newHeeds(t)
	w, mails := newSite(t, h.Listener.Addr().String())
	boss := w.managed("ACME")
	b := newTab(t)
	w.signIn(b, mails, boss.Email)
	b.open(w.cfg.BaseURL + "/organisation?lang=en")
	b.press("a[href='/organisation/webhooks']", "#url")
	b.shows("There is no webhook.", "Tick some", "order.paid")
	b.seen("webhooks")
	b.axeEverywhere("webhooks")
	b.types("#url", "https://10.0.0.1/")
	b.reach("form[action='/organisation/webhooks'] button")
	b.follow(kb.Enter, "#faults")
	b.set("url", h.URL)
	b.types("#description", "Registrar")
	b.reach("form[action='/organisation/webhooks'] button")
	b.follow(kb.Enter, "#secret")
	b.shows("Registrar", "It is shown this once.", "everything", "Nothing was sent.")
	secret := whsec.FindString(b.text())
	b.seen("webhook-made")
	b.axeEverywhere("a webhook that was just made")
	b.reach("button[value=test]")
	b.follow(kb.Enter, "#delivery")
	w.quiet()
	b.press("a[href*='/deliveries/']", "#delivery[data-state=delivered]")
	b.shows("webhook.test", "Answered 200", "<b>said the receiver</b>", hooks.Test)
	if err := h.last(t, secret); err != nil {
		t.Error("the secret of the page does not verify:", err)
	}
	b.seen("webhook-delivery")
	b.axeEverywhere("a delivery")
	h.answers(http.StatusInternalServerError)
	b.press("form[action*='/deliveries/'] button", "#delivery")
	w.until("it is sent again", func() bool { return len(h.heard()) == 2 })
	w.quiet()
	b.press("a[href*='/deliveries/']", "#delivery[data-state=pending]")
	b.shows("Answered 500", "Answered 200", "waiting", "Next attempt")
	if ids := h.heard(); ids[0] != ids[1] {
		t.Error("sent again under another id:", ids)
	}
	b.press("nav.crumbs a[href^='/organisation/webhooks/']", "#log")
	b.shows("Nothing was taken since", "webhook.test", "500")
	if strings.Contains(b.text(), secret) {
		t.Error("the secret is shown twice")
	}
	b.press("button[value=disable]", "button[value=enable]")
	b.shows("It was disabled by hand.", "held")
	b.seen("webhook-disabled")
	b.axeEverywhere("a webhook that is disabled")
	b.open(w.cfg.BaseURL + "/organisation/webhooks?lang=fr")
	b.shows("Créer un webhook", "désactivé")
	w.verify()
}

// Staff see the webhooks of every organisation, a manager her own; rotated, both secrets sign; what happened since a time is sent again;
// an old version is refused; who manages nothing and who may not act for others gets nowhere.
func TestThePagesOfWebhooks(t *testing.T) {
	h := newHeeds(t)
	w, mails := newSite(t, h.Listener.Addr().String())
	w.managed("ACME")
	w.managed("OTHER")
	staff := w.newDeskOf(t, mails, "sales@example.org", "sales")
	staff.open("/console/webhooks")
	f := staff.form("/console/webhooks")
	f.set("organisation", "ACME")
	f.set("url", "ftp://example.org/")
	staff.want = 400
	f.press("", "")
	f = staff.form("/console/webhooks")
	f.set("url", h.URL)
	f.tick("type", hooks.OrderPaid)
	f.press("", "")
	first := whsec.FindString(words(staff.page))
	all, _, err := w.h.Webhooks.Endpoints(system, hooks.By{Any: true}, "", page.Request{Limit: 10})
	if err != nil || len(all) != 1 || all[0].Organisation != "ACME" || !slices.Equal(all[0].Types, []string{hooks.OrderPaid}) {
		t.Fatalf("%+v %v", all, err)
	}
	id := all[0].ID
	at := "/console/webhooks/" + id
	staff.open(at)
	staff.formWith(at, "test").press("do", "test")
	w.quiet()
	staff.form(staff.at).press("", "") // the delivery again
	w.until("it is sent again", func() bool { return len(h.heard()) == 2 })
	w.quiet()
	staff.open(at)
	staff.formWith(at, "rotate").press("do", "rotate")
	second := whsec.FindString(words(staff.page))
	staff.formWith(at, "test").press("do", "test")
	w.quiet()
	for _, s := range []string{first, second} {
		if err := h.last(t, s); first == second || err != nil {
			t.Error(err)
		}
	}

	// What was delivered since yesterday comes again under the same ids.
	staff.open(at)
	f = staff.formWith(at, "since")
	f.set("since", w.h.Clock.Now().Add(48*time.Hour).Format("2006-01-02T15:04"))
	staff.want = 400
	f.press("do", "replay")
	staff.says("/since")
	f = staff.formWith(at, "since")
	f.set("since", w.h.Clock.Now().Add(-48*time.Hour).Format("2006-01-02T15:04"))
	f.tick("delivered", "1")
	f.press("do", "replay")
	w.until("both come again", func() bool { return len(h.heard()) == 5 })
	w.quiet()
	if ids := h.heard(); !slices.Equal(slices.Compact(slices.Sorted(slices.Values(ids[3:]))), slices.Compact(slices.Sorted(slices.Values(ids[:3])))) {
		t.Error(ids)
	}

	// Two change it: the second one decides again.
	staff.open(at)
	late := staff.formWith(at, "description")
	f = staff.formWith(at, "description")
	f.set("description", "Registrar")
	f.press("do", "save")
	late.set("description", "Library")
	staff.want = 412
	late.press("do", "save")
	staff.says("changed")
	staff.formWith(at, "disable").press("do", "disable")
	staff.says("disabled")
	staff.formWith(at, "enable").press("do", "enable")

	// Others.
	other := w.newDeskOf(t, mails, "boss@other.example.org", "cashier")
	for _, path := range []string{"/organisation/webhooks/" + id, "/organisation/webhooks/" + id + "/deliveries/whd_01kb5t8kz9e0qv4m3r2x7nwhjd"} {
		other.want = 404
		other.open(path)
	}
	other.want = 403
	other.open(at)
	other.open("/organisation/webhooks")
	f = other.form("/organisation/webhooks")
	if n := len(f.controls); n == 0 || strings.Contains(words(other.page), "ACME") {
		t.Error("the manager of another organisation sees ACME")
	}
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return identity.PutPartnerRoleTx(ctx, tx, "ACME", w.person("exams@example.org", "").ID, identity.RoleTeacher)
	})
	nobody := w.newDeskOf(t, mails, "exams@example.org", "exams")
	nobody.want = 403
	nobody.open("/console/webhooks")
	nobody.open("/organisation/webhooks")
	nobody.says("You look after no organisation.")

	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return identity.PutPartnerRoleTx(ctx, tx, "ACME", w.person("owner@acme.example.org", "").ID, identity.RoleOwner)
	})
	owner := w.newDeskOf(t, mails, "owner@acme.example.org", "cashier")
	owner.open("/organisation/webhooks/" + id)
	owner.says("Registrar", hooks.Test)
	staff.open(at)
	staff.formWith(at, "delete").press("do", "delete")
	staff.says("There is no webhook.")
	w.verify()
}
