package app_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"cursus/api/contract"
	"cursus/internal/app"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/exchange"
	"cursus/internal/domain/paths"
	"cursus/internal/domain/programs"
	"cursus/internal/domain/sales"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/web"
)

// The page of an edition tells search engines what it is, in the words of schema.org: a program in a period, its courses with the session of
// each, its price.
func TestAnEditionIsDescribedForSearchEngines(t *testing.T) {
	w, mails := bareSite(t)
	w.catalogue()
	d := w.newDesk(t, mails, "officer@example.org")
	d.offer(exchange.Offer{Edition: "NETWORKS-BASICS-2019", Formula: "QUALIFYING", PriceMinor: 15_245, Currency: "EUR"}) // that of the file ended in 2019
	type described struct {
		Type        string `json:"@type"`
		Name, URL   string
		Identifier  string
		StartDate   string
		Maximum     int                              `json:"maximumEnrollment"`
		Credits     struct{ Value, UnitText string } `json:"numberOfCredits"`
		Provider    []struct{ Name string }
		Description string
		Courses     []struct {
			Type, CourseCode, Name string
			Instance               struct{ Identifier, URL, StartDate, EndDate, CourseWorkload string } `json:"hasCourseInstance"`
		} `json:"hasCourse"`
		Offers []struct {
			Type                                string `json:"@type"`
			Price, PriceCurrency, Category, URL string
		}
	}
	for path, name := range map[string]string{"/editions/NETWORKS-BASICS-2019": "Networks basics with ESP, spring 2019", "/programs/NETWORKS-BASICS": "Networks basics"} {
		d.open(path + "?lang=en")
		script := d.all(func(n *html.Node) bool { return n.Data == "script" && attr(n, "type") == "application/ld+json" })
		if len(script) != 1 {
			t.Fatal(path, "has", len(script), "descriptions")
		}
		var x described
		if err := json.Unmarshal([]byte(text(script[0])), &x); err != nil {
			t.Fatal(err)
		}
		if x.Type != "EducationalOccupationalProgram" || x.Name != name || x.URL != w.cfg.BaseURL+path || x.Description == "" || len(x.Courses) != 4 || x.Courses[1].CourseCode != "PRD" ||
			x.Courses[1].Name != "Principles of data networks" || x.Credits.UnitText != "ECTS" || x.Credits.Value != "6" || x.Provider[0].Name != "IMT" {
			t.Errorf("%s: %+v", path, x)
		}
		if !strings.HasPrefix(path, "/editions") {
			continue
		}
		run := x.Courses[1].Instance
		if run.Identifier != "PRD-ESP-2019" || run.CourseWorkload != "PT50H" || run.StartDate != "2019-02-04T08:00:00Z" || run.EndDate != "2019-07-12T22:00:00Z" || run.URL != w.cfg.BaseURL+"/sessions/PRD-ESP-2019" {
			t.Errorf("%+v", run)
		}
		if x.Identifier != "NETWORKS-BASICS-2019" || x.StartDate != "2019-02-04T08:00:00Z" || x.Maximum != 200 || len(x.Provider) != 3 || len(x.Offers) != 1 {
			t.Fatalf("%+v", x)
		}
		if o := x.Offers[0]; o.Type != "Offer" || o.Price != "152.45" || o.PriceCurrency != "EUR" || o.Category != "QUALIFYING" || o.URL != w.cfg.BaseURL+path {
			t.Errorf("%+v", o)
		}
	}
	w.verify()
}

// The public sees a published program with its path, its edition and what that costs.
func TestThePublicSeesAProgramWithItsPath(t *testing.T) {
	w := newWorld(t)
	w.networks()
	server, err := app.NewServer(w.h, contract.YAML, nil)
	if err != nil {
		t.Fatal(err)
	}
	for path, said := range map[string][]string{
		"/programs": {"Networks basics", "PRD → LAN"}, "/programs/NETB": {"EducationalOccupationalProgram", "after PRD", "NETB-1", "100", "ESP Dakar", "all of these:"},
		"/sitemap.xml": {"/programs/NETB</loc>", "/editions/NETB-1</loc>"},
	} {
		r, err := http.NewRequest(http.MethodGet, "http://cursus.test"+path+"?lang=en", nil)
		if err != nil {
			t.Fatal(err)
		}
		a, err := server.Test(r)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(a.Body)
		if err := a.Body.Close(); err != nil {
			t.Error(err)
		}
		for _, s := range said {
			if a.StatusCode != http.StatusOK || err != nil || !strings.Contains(string(b), s) {
				t.Errorf("%s: %d, does not say %q\n%.3000s", path, a.StatusCode, s, b)
			}
		}
		if strings.Contains(string(b), "not passed") {
			t.Errorf("%s tells somebody who follows nothing what she did not pass", path)
		}
	}
}

// A learner who tried and did not pass reads what her grade is and what is needed, and the titles of the courses.
func TestAPathSaysTheGradeAndWhatIsNeeded(t *testing.T) {
	w := newWorld(t)
	e, o := w.networks()
	zoe := w.person("zoe@example.org", "Zoe")
	w.follows(zoe.ID, o, "k-zoe")
	who := web.Viewer{PersonID: zoe.ID}
	path := func() web.ShownPath {
		p, err := app.NewPages(w.h).LearnerPath(context.Background(), who, e.Key)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	if p := path(); len(p.Called.Marks) != 0 || p.Called.Names["LAN"].EN == "" {
		t.Errorf("before any grade: %+v", p.Called)
	}
	w.grades(w.clock.Now(), "42,zoe@example.org,zoe,0.36,1.0,0.5,0.75,,honor,N/A,N,N,N/A,enrolled")
	if got := path().Called.Marks; len(got) != 1 || got["PRD"] != (web.Mark{GradePPM: 360_000, NeedPPM: w.session.ThresholdPPM}) {
		t.Errorf("at 36 %%: %+v", got)
	}
}

// What breaks: an edition that was archived is gone from the API and stands on its page with its prices, or is gone for those who paid.
func TestAnArchivedEditionIsGoneForAllButItsMembers(t *testing.T) {
	w := newWorld(t)
	e, o := w.networks()
	member := w.person("member@example.org", "Member").ID
	w.follows(member, o, "member")
	server, err := app.NewServer(w.h, contract.YAML, nil)
	if err != nil {
		t.Fatal(err)
	}
	seen := func(path string) int {
		r, err := http.NewRequest(http.MethodGet, "http://cursus.test"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		a, err := server.Test(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Body.Close(); err != nil {
			t.Error(err)
		}
		return a.StatusCode
	}
	public := []string{"/editions/NETB-1", "/v1/editions/NETB-1"}
	for _, path := range public {
		if is := seen(path); is != http.StatusOK {
			t.Error(path, is)
		}
	}
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		_, err := programs.MoveEditionTx(ctx, tx, e.ID, catalog.Archived, "", 0)
		return err
	})
	for _, path := range public {
		if is := seen(path); is != http.StatusNotFound {
			t.Errorf("%s: %d where nothing is", path, is)
		}
	}
	other := w.person("other@example.org", "Other").ID
	if _, err := w.h.Sales.PlaceOrder(context.Background(), sales.PlaceOrder{BuyerID: other, OfferID: o.ID, Lang: "en", IdempotencyKey: "other"}); !errors.Is(err, sales.ErrEditionClosed) {
		t.Error("it is sold:", err)
	}
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		a, err := paths.OfLearnerTx(ctx, tx, member, "NETB-1")
		if err == nil && len(a.Path.Courses) != 2 {
			t.Errorf("%+v", a.Path)
		}
		return err
	})
}
