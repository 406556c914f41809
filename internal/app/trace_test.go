package app_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"cursus/internal/domain/identity"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
	"cursus/internal/transport/api/apitest"
)

// unaudited are the operations that change something, or are POSTs, and leave no row of who did what, each with the reason.
var unaudited = map[string]string{
	"quoteOrder":               "it asks for a price and keeps nothing",
	"previewCertificateLayout": "it shows what would be printed and keeps nothing",
	"previewProgram":           "it asks what a draft would be and keeps nothing",
	"payOrder":                 "it opens the provider's pay page; what is paid there is audited when the provider says so",
	"payInstalment":            "it opens the provider's pay page; what is paid there is audited when the provider says so",
	"leaveCard":                "it opens the provider's page; the card is audited (order.card_left) when the provider says so",
	"grantToken":               "a token of an hour, for a key whose making was audited and which notes its last use",
	"receiveLabEvent":          "the event itself is kept as it came; a cost that follows is audited by the house",
	"receiveProctoringReady":   "the message itself is kept as it came; what follows from it is audited by the job that works on it",
	"receiveProctoringReview":  "the message itself is kept as it came; what follows from it is audited by the job that works on it",
	"controlProctoring":        "the call itself is kept as it came; what follows from it is audited by the job that works on it",
	"grantProctoringToken":     "a token of an hour, for a provider whose making was audited",
	"receiveStripeEvent":       "the event itself is kept as it came; what follows from it is audited by the job that applies it",
}

// alsoDone are the operations that the walk of the whole house does not do, or does where nothing is left to change, each with the act that
// the same door of its room leaves when the walk goes another way to it.
var alsoDone = map[string]string{
	"bookSitting": "sitting.booked", "recordResult": "sitting.passed", "createOffer": "offer.made", "importGrades": "grades.imported", "recordStatements": "grades.imported",
	"uploadRoster": "seat.reserved", "replayWebhooks": "webhook.replayed",
}

// notEdits are the operations of the contract that are PUT or PATCH and change nothing that stood there before, each with the reason.
var notEdits = map[string]string{
	"waitForExamSlot": "it puts somebody on a list on which she was not; where she is, it does nothing",
	"joinWaiting":     "it puts somebody on a list on which she was not; where she is, it does nothing",
	"putAnswers":      "what she said is no business of who reads the audit; each time that she said it is kept",
	"offerTransfer":   "it offers what was not offered; a second offer ends the first, which leaves a row of its own",
}

// everyWriteIsAudited watches the operations of the contract that are not GET: each that succeeded must have left, at least once, an audit
// row of the one who asked, and one that edits, one that says before and after. What it gives says which did not, and which exception is none.
func everyWriteIsAudited(t *testing.T, walker *apitest.Walker, owner *sql.DB) (judge func()) {
	t.Helper()
	left, worked, compared := map[string]bool{}, map[string]bool{}, map[string]bool{}
	head := func() (seq int64) {
		if err := owner.QueryRow(`SELECT seq FROM platform.audit_head`).Scan(&seq); err != nil {
			t.Fatal(err)
		}
		return seq
	}
	walker.Watch = func(o *apitest.Operation) func(int) {
		if o.Method == http.MethodGet {
			return func(int) {}
		}
		before := head()
		return func(status int) {
			if status >= 300 || left[o.ID] && compared[o.ID] {
				return
			}
			var n, both int
			if err := owner.QueryRow(`SELECT count(*), count(*) FILTER (WHERE jsonb_exists_all(detail, '{before,after}')) FROM platform.audit WHERE seq > $1 AND actor <> 'system'`, before).
				Scan(&n, &both); err != nil {
				t.Fatal(err)
			}
			worked[o.ID], left[o.ID], compared[o.ID] = true, left[o.ID] || n > 0, compared[o.ID] || both > 0
		}
	}
	return func() {
		for _, o := range walker.Operations() {
			if o.Method == http.MethodGet {
				continue
			}
			if action := alsoDone[o.ID]; action != "" && !left[o.ID] {
				var n int
				if err := owner.QueryRow(`SELECT count(*) FROM platform.audit WHERE action = $1`, action).Scan(&n); err != nil || n == 0 {
					t.Errorf("%s: no %s in the audit (%v)", o.ID, action, err)
				}
				continue
			}
			switch why := unaudited[o.ID]; {
			case why != "" && left[o.ID]:
				t.Errorf("%s is excused from the audit (%s) and left a row: take it off the list", o.ID, why)
			case why != "":
			case !worked[o.ID]:
				t.Errorf("%s never succeeded: nobody knows whether it is audited; let a story of the whole house do it", o.ID)
			case !left[o.ID]:
				t.Errorf("%s succeeded and left no row of who did it: have its room call audit.AppendTx in the transaction that changes something, "+
					"or add it to unaudited in trace_test.go with the reason", o.ID)
			}
			if why := notEdits[o.ID]; (o.Method == http.MethodPut || o.Method == http.MethodPatch) && worked[o.ID] && compared[o.ID] == (why != "") {
				t.Errorf("%s edits: %v, excused: %q. Have its room give the whole of what it was and of what it is as Before and After of its audit.Entry, "+
					"or add it to notEdits in trace_test.go with the reason", o.ID, compared[o.ID], why)
			}
		}
	}
}

// traceStory asks who did what: by whom, on what, from where; as pages, as a file, and for the whole chain.
func (w *world) traceStory(t *testing.T, walker *apitest.Walker, token string) {
	t.Helper()
	s := &asker{t: t, w: walker, token: token}
	made := s.ask(201, "createClient", nil, map[string]any{"name": "Traced", "roles": []string{"analytics"}, "scopes": []string{"analytics:read"}}, key("trace-1"))
	id := made["id"].(string)
	s.ask(200, "putClient", map[string]string{"client": id}, map[string]any{"name": "Traced twice", "scopes": []string{"analytics:read"}})
	acts := s.ask(200, "listAudit", nil, nil, query("object="+id))["acts"].([]any)
	if len(acts) != 2 {
		t.Fatal(acts)
	}
	put := acts[0].(map[string]any)
	detail, _ := put["detail"].(map[string]any)
	if put["action"] != "client.put" || put["verified"] != true || put["origin"] == nil || put["name"] != "Staff Member" ||
		detail["before"].(map[string]any)["name"] != "Traced" || detail["after"].(map[string]any)["name"] != "Traced twice" {
		t.Errorf("%v", put)
	}
	first := s.ask(200, "listAudit", nil, nil, query("action=client.&limit=1"))
	second := s.ask(200, "listAudit", nil, nil, query("action=client.&limit=1&cursor="+first["next_cursor"].(string)))
	if a, b := first["acts"].([]any)[0].(map[string]any)["seq"].(float64), second["acts"].([]any)[0].(map[string]any)["seq"].(float64); a <= b {
		t.Error("the second page begins at", b, "after", a)
	}
	if all := s.ask(200, "listAudit", nil, nil, query("until=2000-01-01T00:00:00Z"))["acts"].([]any); len(all) != 0 {
		t.Error(all)
	}
	s.ask(400, "listAudit", nil, nil, query("cursor=azE6eA"))
	r := walker.Example("exportAudit")
	r.Token, r.Query = token, "object="+id
	rows, err := csv.NewReader(bytes.NewReader(walker.Do(t, r).Body)).ReadAll()
	if err != nil || len(rows) != 3 || rows[1][3] != "client.put" || rows[1][8] != "true" {
		t.Error(rows, err)
	}
	if v := s.ask(200, "verifyAudit", nil, nil); v["rows"].(float64) < 10 || len(v["broken"].([]any)) != 0 {
		t.Errorf("%v", v)
	}
}

// An administrator reads in the console who did what, and what was changed unseen is seen there; others do not read it.
func TestPagesOfTheAudit(t *testing.T) {
	w, mails := newSite(t)
	admin := w.newDesk(t, mails, "admin@example.org")
	var client identity.Client
	hers := postgres.WithActor(context.Background(), "staff:"+w.person("admin@example.org", "").ID)
	if err := w.h.DB.InTx(hers, "client", func(ctx context.Context, tx *postgres.Tx) (err error) {
		if client, err = identity.CreateClientTx(ctx, tx, identity.NewClient{Name: "Before", Roles: []string{"analytics"}, Scopes: []string{"analytics:read"}}); err != nil {
			return err
		}
		_, err = identity.PutClientTx(ctx, tx, client.ID, identity.NewClient{Name: "After", Scopes: []string{"analytics:read"}}, client.Version)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	admin.open("/console/audit?object=" + client.ID)
	admin.says("client.put", "Before", "After", "All rows shown are verified")
	if got := words(admin.page); strings.Contains(got, "role.granted") {
		t.Error("the filter lets through", got)
	}
	admin.formWith("/console/audit?object="+client.ID, "").press("", "")
	admin.says("The chain holds")
	admin.open("/console/audit.json?object=" + client.ID)
	var acts []map[string]any
	if err := json.Unmarshal([]byte(words(admin.page)), &acts); err != nil || len(acts) != 2 || !slices.ContainsFunc(acts, func(a map[string]any) bool { return a["action"] == "client.made" }) {
		t.Error(acts, err)
	}
	owner := testkit.Owner(t, w.dsn)
	if _, err := owner.Exec(`ALTER TABLE platform.audit DISABLE TRIGGER audit_append_only; UPDATE platform.audit SET actor = 'staff:somebody' WHERE action = 'client.put'`); err != nil {
		t.Fatal(err)
	}
	admin.open("/console/audit?object=" + client.ID)
	admin.says("not what was written")
	admin.formWith("/console/audit?object="+client.ID, "").press("", "")
	admin.says("The chain is broken")
	sales := w.newDeskOf(t, mails, "sales@example.org", "sales")
	sales.want = 403
	sales.open("/console/audit")
}

func init() {
	walks = append(walks, func(*world, string) map[string]string {
		return map[string]string{"/console/audit.:format": "/console/audit.csv"}
	})
}

// What was changed is read on a laptop and on a phone without pushing anything aside, however long the ids and the values are.
func TestTheAuditFitsItsWindow(t *testing.T) {
	w, mails := newSite(t)
	b := newTab(t)
	w.staffTab(b, mails, "admin@example.org")
	b.open(w.cfg.BaseURL + "/console/audit")
	for _, width := range []int64{1280, 390} {
		b.do(chromedp.EmulateViewport(width, 900))
		right, err := chromedp.Run(b.ctx, chromedp.Evaluate[float64](`Math.max(...[...document.querySelectorAll("table.trace tbody td:last-child")].map(c => c.getBoundingClientRect().right))`))
		if err != nil || right <= 0 || right > float64(width) {
			t.Errorf("what was changed ends at %v of %d pixels (%v)", right, width, err)
		}
	}
	b.seen("audit")
	b.axeEverywhere("audit")
}
