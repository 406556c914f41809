package app_test

import (
	"context"
	"net/http"
	"net/url"
	"testing"
	"time"

	"cursus/internal/domain/exams"
	"cursus/internal/gateways/proctordouble"
	"cursus/internal/platform/postgres"
)

func init() {
	elsewhere["/exams/lti"] = "leads to a provider of proctoring, from where it comes"
}

// In a browser a learner is led to a provider that speaks LTI, set up there, and led back; she starts, gives her exam in, and the provider, which learns so
// at once, finds nothing: her attempt is verified. A second message of
// one launch is refused.
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
	if _, err := w.h.Exams.PutProvider(system, "tool", -1, exams.NewProvider{Name: "Watchful", Kind: exams.ProctorLTI, BaseURL: at + "/login", TargetURL: at + "/launch", KeysURL: at + "/jwks", ClientID: "client-7", Deployment: "d"}); err != nil {
		t.Fatal(err)
	}
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return w.h.Exams.WatchTx(ctx, tx, w.session.ID, exams.Proctored, "tool")
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
