package app_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/labs"
	"cursus/internal/gateways/labdouble"
	"cursus/internal/kernel/ident"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api/apitest"
)

// willing is a way to providers of labs that all take what they are asked for.
type willing struct{}

func (willing) Check(string) error                       { return nil }
func (willing) Stop(context.Context, labs.Message) error { return nil }

// labSecret is what the example of the contract shares with its provider.
const labSecret = "cursus and a provider of labs"

// inLab gives a learner a place with labs in the session of the world.
func (w *world) inLab(p identity.Person, order string, opens ...string) (enrolmentID string) {
	w.t.Helper()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		enrolmentID, err = enrolment.GrantTx(ctx, tx, enrolment.Grant{LearnerID: p.ID, SessionID: w.session.ID, OrderID: order, Formula: "QUALIFYING", Entitlements: opens, Qualifying: true})
		return err
	})
	return enrolmentID
}

// provided makes a provider and a lab of it; at is its address.
func (w *world) provided(at string) (lab labs.Lab) {
	w.t.Helper()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		if _, err = w.h.Labs.PutProviderTx(ctx, tx, "procan", labs.NewProvider{Title: "Procan", Shape: labs.JWT, LaunchURL: at + "/launch", ClientID: "cursus", StopURL: at + "/stop",
			Secret: "whsec_" + base64.StdEncoding.EncodeToString([]byte(labSecret))}, 0); err != nil {
			return err
		}
		lab, err = labs.CreateLabTx(ctx, tx, w.session.Key, labs.NewLab{Title: catalog.Text{EN: "Routing", FR: "Routage"}, Week: 2, Provider: "procan", Resource: "routing", QuotaMinutes: 120, IdleMinutes: 15,
			Currency: "EUR", CostMilli: 1250, Open: true})
		return err
	})
	return lab
}

// happens tells an event of a launch, as its provider does.
func (w *world) happens(launch, kind string) {
	w.t.Helper()
	at := w.h.Clock.Now()
	body, stamp, id := fmt.Sprintf(`{"type":"lab.%s","timestamp":%q,"data":{"launch":%q}}`, kind, at.UTC().Format(time.RFC3339), launch), fmt.Sprint(at.Unix()), ident.New("msg")
	m := hmac.New(sha256.New, []byte(labSecret))
	m.Write([]byte(id + "." + stamp + "." + body))
	if err := w.h.Labs.Receive(system, "procan", labs.Delivery{ID: id, Timestamp: stamp, Signature: "v1," + base64.StdEncoding.EncodeToString(m.Sum(nil)), Body: []byte(body)}); err != nil {
		w.t.Fatal(err)
	}
}

// inLabs lets people who are enrolled in the session of the world come into a lab of it, the first of them as who asks for help.
func (w *world) inLabs(people ...identity.Person) {
	w.t.Helper()
	lab := w.provided("https://labs.procan.example.org")
	for i, p := range people {
		var l labs.Launch
		w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
			e, found, err := enrolment.FindTx(ctx, tx, p.ID, w.session.ID)
			if err != nil || !found {
				return errors.Join(err, errors.New("not enrolled: "+p.FullName))
			}
			l, err = labs.LaunchTx(ctx, tx, lab.ID, e.ID, p.ID)
			return err
		})
		w.happens(l.ID, "started")
		if i == 0 {
			w.happens(l.ID, "help_asked")
		}
	}
}

func init() {
	elsewhere["/labs/lti"] = "leads to a provider of labs, from where it comes"
	walks = append(walks, func(w *world, staff string) map[string]string {
		lab, awa := w.provided("https://labs.procan.example.org"), w.person("awa.walks@example.org", "Awa Walks")
		enrolled := w.inLab(awa, "ord_lab_walk", "labs")
		var l labs.Launch
		w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
			l, err = labs.LaunchTx(ctx, tx, lab.ID, enrolled, awa.ID)
			return err
		})
		w.happens(l.ID, "started")
		w.happens(l.ID, "help_asked")
		return map[string]string{
			"/labs/launches/:id": "/labs/launches/" + l.ID, "/console/sessions/:key/labs": "/console/sessions/PRD-9/labs /console/sessions/PRD-9/labs?lab=" + lab.ID,
			"/console/sessions/:key/labs/board": "/console/sessions/PRD-9/labs/board",
			"/console/lab-providers/:key":       "/console/lab-providers/procan",
		}
	})
}

// From the page of her course a learner comes into a machine, by a form that may lead to its provider and nowhere else; whoever teaches sees that
// she asks for help, says that it was given, and has the machine stopped; who has another formula reads why not.
func TestALabFromTheCourseToTheBoard(t *testing.T) {
	theirs := listen(t)
	at := "http://" + theirs.Addr().String()
	w, mails := newSite(t, theirs.Addr().String())
	double, err := labdouble.New(labdouble.Config{PublicURL: at, Issuer: w.cfg.BaseURL, KeysURL: w.cfg.BaseURL + "/v1/badges/keys", ClientID: "cursus", Secret: "whsec_" + base64.StdEncoding.EncodeToString([]byte(labSecret))})
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: double, ReadHeaderTimeout: time.Second}
	go func() { _ = server.Serve(theirs) }()
	t.Cleanup(func() { _ = server.Close() })
	lab, awa, ben := w.provided(at), w.person("awa@example.org", "Awa"), w.person("ben@example.org", "Ben")
	own := w.inLab(awa, "ord_lab_awa", "labs")
	w.inLab(ben, "ord_lab_ben", "knowledge")
	officer := w.person("officer@example.org", "Officer")
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return identity.GrantRoleTx(ctx, tx, officer.ID, "exams")
	})

	if _, body, _ := w.visit(t, mails, "ben@example.org").get("/learning"); !strings.Contains(body, "Your formula does not open the labs.") || strings.Contains(body, "Open the lab") {
		t.Error("he does not read why not")
	}
	her := w.visit(t, mails, "awa@example.org")
	if _, body, _ := her.get("/learning"); !strings.Contains(body, "0 minutes used, 120 left") {
		t.Error("she does not read how many minutes are left")
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.cfg.BaseURL+"/learning/"+own+"/labs", strings.NewReader(url.Values{"form": {her.form}, "lab": {lab.ID}}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	a, err := her.http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(a.Body)
	_ = a.Body.Close()
	token := regexp.MustCompile(`name="token" value="([^"]+)"`).FindSubmatch(raw)
	if err != nil || token == nil || !strings.Contains(a.Header.Get("Content-Security-Policy"), "form-action 'self' "+at+" ") {
		t.Fatalf("%d %q %s", a.StatusCode, a.Header.Get("Content-Security-Policy"), raw)
	}
	if a, err = http.PostForm(at+"/launch", url.Values{"token": {string(token[1])}}); err != nil || a.StatusCode != http.StatusOK { //nolint:noctx // a test
		t.Fatal("the provider refuses her token:", a, err)
	}
	_ = a.Body.Close()
	launch := double.Machines()[0].Launch
	if err := double.Tell(t.Context(), launch, "help_asked"); err != nil {
		t.Fatal(err)
	}
	staff := w.visit(t, mails, "officer@example.org")
	board := "/console/sessions/PRD-9/labs/board"
	if _, body, _ := staff.get(board); !strings.Contains(body, "<strong>Awa</strong>") || !strings.Contains(body, "asks for help since") {
		t.Errorf("she is not seen: %s", body)
	}
	does := func(do string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.cfg.BaseURL+board, strings.NewReader(url.Values{"form": {staff.form}, "launch": {launch}, "do": {do}}.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if status, body, _ := staff.do(r); status != 303 {
			t.Errorf("%s: %d %s", do, status, body)
		}
	}
	if status, body, _ := staff.get("/console/lab-providers/procan"); status != 200 || !strings.Contains(body, "Routing") || strings.Contains(body, `name="secret"`) {
		t.Error("who looks after exams may write what only keys:write may:", status)
	}
	does("help")
	if _, body, _ := staff.get(board); strings.Contains(body, "asks for help since") {
		t.Error("helped, and still asking")
	}
	does("stop")
	w.until("the provider stops the machine", func() bool { return !double.Machines()[0].Running })
	w.until("nobody is in", func() bool { _, body, _ := staff.get(board); return strings.Contains(body, "Nobody is in a lab.") })
	if _, body, _ := her.get("/learning"); !strings.Contains(body, "1 minutes used, 119 left") {
		t.Error("the minute that began is not counted")
	}
	w.verify()
}

// labStory makes a lab, has a learner ask for a link, be seen on the board, be helped and stopped, through the API: every answer is as documented.
func (w *world) labStory(t *testing.T, walker *apitest.Walker, staff string) {
	t.Helper()
	awa, ben := w.person("awa.labs@example.org", "Awa Labs"), w.person("ben.labs@example.org", "Ben Labs")
	own, his := w.inLab(awa, "ord_lab_awa", "labs"), w.inLab(ben, "ord_lab_ben", "knowledge")
	s := &asker{t: t, w: walker, token: staff}
	a, b := &asker{t: t, w: walker, token: w.tokens(awa)("learning:read", "exams:book")}, &asker{t: t, w: walker, token: w.tokens(ben)("learning:read", "exams:book")}
	over := func(tag string) func(*apitest.Request) {
		return func(r *apitest.Request) { r.Header.Set("If-Match", tag) }
	}
	if p := s.ask(200, "putLabProvider", nil, nil); p["secret"] != nil || p["version"] != 1.0 {
		t.Error("a provider:", p)
	}
	s.ask(200, "putLabProvider", nil, nil, over(`"1"`))
	s.ask(412, "putLabProvider", nil, nil, over(`"1"`))
	s.ask(200, "getLabProvider", nil, nil)
	if all := s.ask(200, "listLabProviders", nil, nil)["providers"].([]any); len(all) != 1 {
		t.Error(all)
	}
	lab := s.ask(201, "createLab", nil, nil)
	at := map[string]string{"lab": lab["id"].(string)}
	s.ask(200, "putLab", at, nil)
	s.ask(412, "putLab", at, nil, over(`"1"`))
	s.ask(200, "getLab", at, nil)
	s.ask(200, "listLabs", nil, nil)

	mine, free := map[string]string{"enrolment": own, "lab": at["lab"]}, map[string]string{"enrolment": his, "lab": at["lab"]}
	if l := a.ask(200, "getMyLabs", mine, nil)["labs"].([]any)[0].(map[string]any); l["can_open"] != true || l["minutes_left"] != 120.0 {
		t.Error(l)
	}
	if l := b.ask(200, "getMyLabs", free, nil)["labs"].([]any)[0].(map[string]any); l["can_open"] != false || l["reason"] != "formula-without-labs" {
		t.Error(l)
	}
	if refused := b.ask(422, "launchLab", free, nil); refused["code"] != "formula-without-labs" {
		t.Error(refused)
	}
	b.ask(404, "launchLab", mine, nil)
	link := a.ask(201, "launchLab", mine, nil)
	launch := map[string]string{"lab_launch": link["launch"].(string)}
	if link["url"] != w.cfg.BaseURL+"/labs/launches/"+launch["lab_launch"] {
		t.Error(link)
	}
	s.ask(409, "stopLab", launch, nil)
	tell := func(id, kind string) {
		t.Helper()
		body := fmt.Sprintf(`{"type":"lab.%s","timestamp":%q,"data":{"launch":%q}}`, kind, w.clock.Now().UTC().Format(time.RFC3339), launch["lab_launch"])
		stamp := fmt.Sprint(w.clock.Now().Unix())
		m := hmac.New(sha256.New, []byte(labSecret))
		m.Write([]byte(id + "." + stamp + "." + body))
		r := walker.Example("receiveLabEvent")
		r.Body = []byte(body)
		for name, value := range map[string]string{"webhook-id": id, "webhook-timestamp": stamp, "webhook-signature": "v1," + base64.StdEncoding.EncodeToString(m.Sum(nil))} {
			r.Header.Set(name, value)
		}
		if got := walker.Do(t, r); got.Status != 204 {
			t.Error(kind, got.Status, string(got.Body))
		}
		r.Body = append(r.Body, ' ')
		if got := walker.Do(t, r); got.Status != 401 {
			t.Error("altered:", got.Status)
		}
	}
	tell("m1", "started")
	w.clock.Advance(10 * time.Minute)
	tell("m2", "help_asked")
	row := s.ask(200, "getLabBoard", nil, nil)["launches"].([]any)[0].(map[string]any)
	if row["help_since"] == nil || row["full_name"] != "Awa Labs" || row["minutes"] != 10.0 || row["minutes_left"] != 110.0 {
		t.Error(row)
	}
	officer := w.person("catalogue.labs@example.org", "Catalogue")
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return identity.GrantRoleTx(ctx, tx, officer.ID, "catalogue")
	})
	catalogue := &asker{t: t, w: walker, token: w.tokens(officer)("labs:read")}
	if row := catalogue.ask(200, "getLabBoard", nil, nil)["launches"].([]any)[0].(map[string]any); row["full_name"] != nil {
		t.Error("a name for who reads no results:", row)
	}
	catalogue.ask(403, "giveLabHelp", launch, nil)
	s.ask(204, "giveLabHelp", launch, nil)
	if row := s.ask(200, "getLabBoard", nil, nil)["launches"].([]any)[0].(map[string]any); row["help_since"] != nil {
		t.Error("helped, and still asking:", row)
	}
	books := func() map[string]float64 { // of who has the formula, in EUR
		all := map[string]float64{}
		for _, r := range s.ask(200, "getOutcomes", nil, nil)["revenue"].([]any) {
			for _, m := range r.(map[string]any)["metrics"].([]any) {
				if m := m.(map[string]any); r.(map[string]any)["currency"] == "EUR" && m["amount"] != nil {
					all[m["id"].(string)] = m["amount"].(map[string]any)["amount_minor"].(float64)
				}
			}
		}
		return all
	}
	was := books()
	s.ask(204, "stopLab", launch, nil)
	w.quiet()
	tell("m3", "stopped")
	row = s.ask(200, "listLabLaunches", nil, nil)["launches"].([]any)[0].(map[string]any)
	if cost := row["cost"].(map[string]any); row["state"] != "ended" || row["stop_reason"] != "teacher" || cost["amount_minor"] != 13.0 {
		t.Error("10 minutes at 1.25 cents are 12.5:", row)
	}
	if is := books(); is["cost"] != was["cost"]+13 || is["contribution"] != is["net_revenue"]-is["cost"] {
		t.Error("what the lab cost is not in the outcomes:", was, is)
	}
	walker.Values["lab"], walker.Values["lab_launch"] = at["lab"], launch["lab_launch"]
}
