package app_test

import (
	"context"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"cursus/internal/domain/exams"
	"cursus/internal/gateways/proctordouble"
	"cursus/internal/platform/postgres"
)

func init() {
	elsewhere["/exams/lti"] = "leads to a provider of proctoring, from where it comes"
	walks = append(walks, func(w *world, _ string) map[string]string {
		if _, err := w.h.Exams.PutProvider(system, "walked", -1, exams.NewProvider{Name: "Walked", Kind: exams.ProctorREST, BaseURL: "https://proctor.example.org", ClientID: "cursus", Secret: "x"}); err != nil {
			w.t.Fatal(err)
		}
		return map[string]string{"/console/proctors/:key": "/console/proctors/walked"}
	})
}

// Staff write a provider that speaks LTI in the console and give it an exam. In a browser a learner is led to it, set up there, and led back; she starts, gives her exam in, and the provider, which learns so
// at once, finds nothing: her attempt is verified, and staff record its score.
// A second message of one launch is refused.
func TestAnExamIsProctoredByLTIInABrowser(t *testing.T) {
	theirs := listen(t)
	at := "http://" + theirs.Addr().String()
	w, mails := newSite(t, theirs.Addr().String())
	tool, err := proctordouble.NewTool(proctordouble.ToolConfig{PublicURL: at, Issuer: w.cfg.BaseURL + "/v1/proctoring-providers/tool", LoginURL: w.cfg.BaseURL + "/exams/lti", ClientID: "client-7", Deployment: "d"})
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: tool, ReadHeaderTimeout: time.Second}
	go func() { _ = server.Serve(theirs) }()
	t.Cleanup(func() { _ = server.Close() })
	// Staff write it, test it, and give it the exam.
	d := newTab(t)
	w.staffTab(d, mails, "admin@example.org")
	d.open(w.cfg.BaseURL + "/console/proctors")
	d.do(chromedp.SetValue(chromedp.CSS("#kind"), "lti"))
	for field, text := range map[string]string{"key": "tool", "name": "Watchful", "client_id": "client-7", "base_url": at + "/login", "target_url": at + "/launch", "keys_url": at + "/jwks"} {
		d.fill("#"+field, text)
	}
	d.press("section[aria-labelledby=make] button", "#faults")
	d.shows("/deployment")
	d.fill("#deployment", "d")
	d.press("section[aria-labelledby=make] button", "#addresses")
	d.shows(w.cfg.BaseURL+"/exams/lti", w.cfg.BaseURL+"/v1/proctoring-providers/tool/keys")
	d.axe("proctoring provider")
	d.seen("proctoring provider")
	d.press("button[value=test]", "#tested")
	d.shows("It answers: 1 keys")
	d.press("#turn", "#turned")
	d.press("button[value=watch]", "#watch")
	d.shows("It watches over 1 exams.")
	d.fill("#guide_en", "Install it first.")
	d.press("#save", "#edit")
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		p, err := exams.ProviderTx(ctx, tx, "tool")
		if p.Version != 2 || p.GuideEN != "Install it first." || !p.Enabled || p.Deployment != "d" {
			t.Errorf("%+v", p)
		}
		return err
	})
	ana := w.person("ana@example.org", "Ana")
	own := w.fit(ana, "ord_ana", "42")
	sitting, err := w.h.Exams.Book(system, exams.BookSitting{LearnerID: ana.ID, EnrolmentID: own, IdempotencyKey: "b"})
	if err != nil {
		t.Fatal(err)
	}
	page := w.cfg.BaseURL + "/learning/" + own + "/exam"
	b := newTab(t)
	w.signIn(b, mails, "ana@example.org")
	b.open(page)
	b.press("button[value=download]", "button[value=launch]")
	b.shows("Install it first.")
	b.axe("exam watched over")
	b.press("button[value=launch]", "#set")
	b.press("#set", "button[value=start]")
	b.shows("The provider is ready.")
	b.press("button[value=start]", "button[value=submit]")
	b.press("button[value=submit]", "button[value=clean]")
	b.shows("The recording has ended.")
	b.press("button[value=clean]", "#booked")
	w.until("her attempt is verified", func() bool {
		var all []exams.Attempt
		w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
			all, err = exams.AttemptsTx(ctx, tx, sitting.ID)
			return err
		})
		return len(all) == 1 && all[0].State == exams.Verified
	})
	d.open(w.cfg.BaseURL + "/console/exams")
	d.fill("#score-"+sitting.ID, "80")
	d.press("button[value=score]", "#reviews")
	if x := w.sittingOf(sitting.ID); x.State != exams.Passed || *x.ScorePPM != 800_000 {
		t.Errorf("%+v", x)
	}
	message, err := tool.Sign(tool.StartAssessment(tool.Sessions()[0]))
	if err != nil {
		t.Fatal(err)
	}
	a, err := http.PostForm(w.cfg.BaseURL+"/exams/lti/tool/start", url.Values{"JWT": {message}}) //nolint:noctx // a test
	if err != nil || a.StatusCode != http.StatusUnauthorized {
		t.Error("a second message of one launch:", a, err)
	}
	_ = a.Body.Close()
	w.verify()
}
