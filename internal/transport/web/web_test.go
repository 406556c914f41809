package web

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/net/html"

	openapi "cursus/api/contract"
	"cursus/internal/domain/analytics"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/money"
	"cursus/templates/pages"
)

var secret = []byte("a secret for tests that is long enough")

func open(t *testing.T, house House, base string) (*fiber.App, *Web) {
	t.Helper()
	w, err := New(Options{House: house, BaseURL: base, Secret: secret, PayOrigins: []string{"https://checkout.stripe.com"}, Demo: true, Contract: openapi.YAML})
	if err != nil {
		t.Fatal(err)
	}
	app := fiber.New(fiber.Config{Immutable: true, DisableStartupMessage: true})
	w.Mount(app)
	app.Use(w.NotFound)
	return app, w
}

// browser keeps cookies from one request to the next.
type browser struct {
	t   *testing.T
	app *fiber.App
	jar map[string]string
}

func (b *browser) send(method, path, body string, headers ...string) (*http.Response, string) {
	b.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if method == "POST" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	for name, value := range b.jar {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	answer, err := b.app.Test(r, 10000)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	content, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, c := range answer.Cookies() {
		b.jar[c.Name] = c.Value
		if c.Value == "" {
			delete(b.jar, c.Name)
		}
	}
	return answer, string(content)
}

func visitor(t *testing.T, app *fiber.App, session string) *browser {
	b := &browser{t, app, map[string]string{}}
	if session != "" {
		b.jar["cursus"] = session
	}
	return b
}

var formField = regexp.MustCompile(`name="form" value="([^"]+)"`)

// post sends a form with the token of a page that the browser has read.
func (b *browser) post(page, action string, values url.Values) (*http.Response, string) {
	_, body := b.send("GET", page, "")
	m := formField.FindStringSubmatch(body)
	if m == nil {
		b.t.Fatalf("%s has no form", page)
	}
	values.Set("form", m[1])
	return b.send("POST", action, values.Encode())
}

var everyPage = []struct {
	path, session string
	status        int
}{
	{"/", "", 200}, {"/courses/PRD", "", 200}, {"/courses/RO", "", 200}, {"/courses/none", "", 404}, {"/sessions/PRD-8", "", 200}, {"/sessions/PRD-8", "learner-link", 200},
	{"/sign-in", "", 200}, {"/sign-in/abc", "", 200}, {"/verify", "", 200}, {"/verify/7QX4-PM2K", "", 200}, {"/verify/REVOKED", "", 200}, {"/verify/NOTHING", "", 404},
	{"/orders/ord_1", "learner-link", 200}, {"/orders/ord_2", "learner-link", 404}, {"/learning", "learner-link", 200}, {"/staff", "staff-link", 200}, {"/staff", "learner-link", 403},
	{"/docs", "", 200}, {"/docs/orders", "", 200}, {"/docs/nothing", "", 404}, {"/nowhere", "", 404},
}

func TestEveryPageInBothLanguages(t *testing.T) {
	app, _ := open(t, newFake(), "http://127.0.0.1:8080")
	for _, p := range everyPage {
		for _, lang := range languages {
			b := visitor(t, app, p.session)
			answer, body := b.send("GET", p.path+"?lang="+lang, "")
			if answer.StatusCode != p.status {
				t.Errorf("%s (%s): status %d, want %d\n%.400s", p.path, lang, answer.StatusCode, p.status, body)
			}
			if b.jar["lang"] != lang || answer.Header.Get("Content-Language") != lang || !strings.Contains(body, `<html lang="`+lang+`">`) {
				t.Errorf("%s is not in %s", p.path, lang)
			}
			csp := answer.Header.Get("Content-Security-Policy")
			if !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") || answer.Header.Get("X-Request-Id") == "" || answer.Header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s lacks a header: %v", p.path, answer.Header)
			}
			if !strings.Contains(body, `class="demo"`) {
				t.Errorf("%s does not say that it is a demonstration", p.path)
			}
			if strings.Contains(body, "{0}") || strings.Contains(body, "ZgotmplZ") || strings.Contains(body, "&lt;nil&gt;") {
				t.Errorf("%s has a hole", p.path)
			}
			for _, bad := range wrongIn(t, body) {
				t.Errorf("%s (%s): %s", p.path, lang, bad)
			}
		}
	}
}

// wrongIn looks at a page as a browser and a screen reader do: balance, ids, labels, names, no inline script or style.
func wrongIn(t *testing.T, page string) (wrong []string) {
	t.Helper()
	void := map[string]bool{"meta": true, "link": true, "img": true, "input": true, "br": true}
	var stack []string
	ids, labels, inputs, h1 := map[string]int{}, map[string]bool{}, []string{}, 0
	z := html.NewTokenizer(strings.NewReader(page))
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			break
		}
		token := z.Token()
		attr := map[string]string{}
		for _, a := range token.Attr {
			attr[a.Key] = a.Val
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" {
				wrong = append(wrong, "an inline "+a.Key)
			}
		}
		switch kind {
		case html.StartTagToken:
			if attr["id"] != "" {
				ids[attr["id"]]++
			}
			if token.Data == "label" {
				labels[attr["for"]] = true
			}
			if token.Data == "input" && attr["type"] != "hidden" {
				inputs = append(inputs, attr["id"])
			}
			if token.Data == "h1" {
				h1++
			}
			if _, alt := attr["alt"]; token.Data == "img" && !alt {
				wrong = append(wrong, "an image without words")
			}
			if token.Data == "script" && attr["src"] == "" && !slices.Contains([]string{"application/ld+json", "application/json"}, attr["type"]) { // data, which no browser runs
				wrong = append(wrong, "an inline script")
			}
			for _, a := range []string{"src", "href"} {
				if strings.HasPrefix(attr[a], "http") && token.Data != "a" && attr["rel"] != "canonical" {
					wrong = append(wrong, token.Data+" from elsewhere: "+attr[a])
				}
			}
			if !void[token.Data] {
				stack = append(stack, token.Data)
			}
		case html.EndTagToken:
			if len(stack) == 0 || stack[len(stack)-1] != token.Data {
				wrong = append(wrong, "</"+token.Data+"> closes "+strings.Join(stack, " "))
				return wrong
			}
			stack = stack[:len(stack)-1]
		}
	}
	if len(stack) > 0 {
		wrong = append(wrong, "never closed: "+strings.Join(stack, " "))
	}
	if h1 != 1 {
		wrong = append(wrong, "not one h1")
	}
	for id, n := range ids {
		if n > 1 {
			wrong = append(wrong, "twice the id "+id)
		}
	}
	for _, i := range inputs {
		if !labels[i] {
			wrong = append(wrong, "no label for "+i)
		}
	}
	return wrong
}

// Every word that a page or the code names is there in every language, and no catalogue has words of its own.
func TestNoWordIsMissing(t *testing.T) {
	w, err := readWords(pages.FS)
	if err != nil {
		t.Fatal(err)
	}
	for key, text := range w["en"] {
		other, ok := w["fr"][key]
		if !ok || other == "" || text == "" {
			t.Errorf("%s is missing in French or empty", key)
		}
		for _, hole := range []string{"{0}", "{1}"} {
			if strings.Contains(text, hole) != strings.Contains(other, hole) {
				t.Errorf("%s: %s stands in one language only", key, hole)
			}
		}
	}
	for key, text := range w["fr"] {
		if strings.Contains(text, "%s") || strings.Contains(w["en"][key], "%s") {
			t.Errorf("%s has a hole that nothing fills", key)
		}
		if !w.has("en", key) {
			t.Errorf("%s is missing in English", key)
		}
	}
	for _, place := range (View{}).Places() {
		for _, key := range []string{place.Words, place.Words + ".about"} {
			if !w.has("en", key) {
				t.Errorf("%s, of the console's menu, is missing", key)
			}
		}
	}
	said := regexp.MustCompile(`\.T "([a-zA-Z0-9_.-]+)"|s\.text\("([a-zA-Z0-9_.-]+)"|title: "([a-z_.]+[a-z])"`)
	seen := 0
	for _, folder := range []string{"../../../templates/pages/html", "."} {
		entries, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if e.IsDir() || strings.HasSuffix(e.Name(), "_test.go") {
				continue
			}
			b, err := os.ReadFile(folder + "/" + e.Name())
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range said.FindAllStringSubmatch(string(b), -1) {
				seen++
				if key := m[1] + m[2] + m[3]; !w.has("en", key) {
					t.Errorf("%s says %q, which no catalogue has", e.Name(), key)
				}
			}
		}
	}
	if seen < 100 {
		t.Error("only", seen, "words were looked for")
	}
	for _, k := range kinds {
		if !w.has("en", "error."+k.key) || !w.has("en", "error."+k.key+".title") {
			t.Error("no words for faults of kind", k.key)
		}
	}
	for _, s := range []string{"awaiting_payment", "paid", "expired", "canceled", "payment_mismatch", "partially_refunded", "refunded", "disputed", "lost", "accruing", "billed"} {
		if !w.has("en", "order.state."+s) || !w.has("en", "order.next."+s) {
			t.Error("no words for orders that are", s)
		}
	}
	for _, e := range everything {
		if !w.has("en", "entitlement."+e) {
			t.Error("no words for", e)
		}
	}
}

func TestTheLanguageIsChosen(t *testing.T) {
	for _, c := range [][4]string{
		{"fr", "en", "en", "fr"}, {"", "fr", "en", "fr"}, {"xx", "", "fr-CA,fr;q=0.9,en;q=0.8", "fr"}, {"", "", "de;q=1,en;q=0.2,fr;q=0.3", "fr"},
		{"", "", "fr;q=0,en", "en"}, {"", "", "", "en"}, {"", "", "fr;q=x", "en"}, {"", "", "fr;q=0", "en"},
	} {
		if got := choose(c[0], c[1], c[2]); got != c[3] {
			t.Errorf("%v gives %s", c, got)
		}
	}
}

func TestAFormIsOfUseToItsBrowserAlone(t *testing.T) {
	house := newFake()
	app, _ := open(t, house, "http://127.0.0.1:8080")
	b, other := visitor(t, app, ""), visitor(t, app, "")
	mail := url.Values{"email": {"zoe@example.org"}, "next": {"/sessions/PRD-8"}}
	if answer, _ := b.send("POST", "/sign-in", mail.Encode()); answer.StatusCode != http.StatusForbidden {
		t.Error("a form without its field was taken:", answer.StatusCode)
	}
	_, page := other.send("GET", "/sign-in", "")
	mail.Set("form", formField.FindStringSubmatch(page)[1])
	if answer, _ := b.send("POST", "/sign-in", mail.Encode()); answer.StatusCode != http.StatusForbidden {
		t.Error("the form of another browser was taken")
	}
	if answer, _ := other.send("POST", "/sign-in", mail.Encode(), "Sec-Fetch-Site", "cross-site"); answer.StatusCode != http.StatusForbidden {
		t.Error("a form from another site was taken")
	}
	if len(house.mails) != 0 {
		t.Fatal("a mail went out:", house.mails)
	}
	if answer, body := b.post("/sign-in?next=/sessions/PRD-8", "/sign-in", url.Values{"email": {"zoe@example.org"}, "next": {"//evil.example/x"}}); answer.StatusCode != http.StatusOK || !strings.Contains(body, "zoe@example.org") {
		t.Error(answer.StatusCode, body)
	}
	if len(house.mails) != 1 || house.mails[0] != "zoe@example.org /" {
		t.Error("where the link leads was not looked at:", house.mails)
	}
}

func TestBadFormsAreRefused(t *testing.T) {
	app, _ := open(t, newFake(), "http://127.0.0.1:8080")
	b := visitor(t, app, "")
	for _, email := range []string{"", "zoe", "zoe@", "Zoe <zoe@example.org>", "a@b\r\nBcc: c@d", strings.Repeat("a", 300) + "@b.c", "zoe@example.org\x00"} {
		if answer, _ := b.post("/sign-in", "/sign-in", url.Values{"email": {email}}); answer.StatusCode != http.StatusBadRequest {
			t.Errorf("%q: %d", email, answer.StatusCode)
		}
	}
	for _, c := range []struct {
		body, header, value string
		want                int
	}{
		{"{}", "Content-Type", "application/json", 415}, {"x=1", "Content-Encoding", "gzip", 415}, {strings.Repeat("x", maxForm+1), "X", "y", 413},
		{"form=a&form=b", "X", "y", 400}, {"%zz", "X", "y", 303},
	} {
		if answer, _ := b.send("POST", "/checkout", c.body, c.header, c.value); answer.StatusCode != c.want {
			t.Errorf("%.20s: %d, want %d", c.body, answer.StatusCode, c.want)
		}
	}
}

func TestSignInBuyAndLearn(t *testing.T) {
	house := newFake()
	house.payURL = "https://checkout.stripe.com/c/pay/1"
	app, _ := open(t, house, "http://127.0.0.1:8080")
	b := visitor(t, app, "")
	order := url.Values{"offer": {"off_2"}, "key": {"k1"}, "back": {"/sessions/PRD-8"}}
	if answer, _ := b.post("/sessions/PRD-8", "/checkout", order); answer.StatusCode != http.StatusSeeOther || answer.Header.Get("Location") != "/sign-in?next=%2Fsessions%2FPRD-8" {
		t.Fatal("who buys must sign in:", answer.Header)
	}
	if answer, _ := b.send("GET", "/sign-in/learner-link", ""); answer.StatusCode != http.StatusOK || b.jar["cursus"] != "" {
		t.Fatal("looking at a link spent it")
	}
	if answer, _ := b.post("/sign-in/learner-link", "/sign-in/learner-link", url.Values{}); answer.Header.Get("Location") != "/sessions/PRD-8" || b.jar["cursus"] != "learner-link" {
		t.Fatal("not signed in:", answer.Header)
	}
	if answer, _ := b.post("/sessions/PRD-8", "/checkout", order); answer.Header.Get("Location") != house.payURL {
		t.Fatal("not led to the pay page:", answer.Header)
	}
	if answer, body := b.send("GET", "/orders/ord_1/state", ""); answer.StatusCode != http.StatusOK || body != `{"state":"awaiting_payment"}` {
		t.Error(body)
	}
	if answer, _ := b.post("/sessions/PRD-8", "/checkout", url.Values{"offer": {"off_1"}, "key": {"k2"}}); answer.Header.Get("Location") != "/orders/ord_1" {
		t.Error("a free offer enrols at once:", answer.Header)
	}
	if answer, _ := b.post("/learning", "/learning/enr_2/exam", url.Values{"key": {"k3"}}); answer.StatusCode != http.StatusSeeOther || house.booked != 1 {
		t.Error("the exam was not booked")
	}
	if answer, body := b.send("GET", "/certificates/crt_1.pdf", ""); body != string(thePDF) || !strings.Contains(answer.Header.Get("Content-Disposition"), "crt_1.pdf") {
		t.Error("no certificate")
	}
	if _, body := b.send("GET", "/learning", ""); !strings.Contains(body, "A condition that is newer than this page") {
		t.Error("a condition without words of the pages is lost")
	} else {
		for link, want := range map[string]bool{
			`href="/v1/badges/credentials/7QX4-PM2K" download`: true, `href="/v1/badges/credentials/7QX4-PM2L" download`: true, // for wallets
			`href="https://www.linkedin.com/profile/add?certId=7QX4-PM2L"`: true, `href="https://www.linkedin.com/profile/add?certId=7QX4-PM2K"`: false, // one of a demonstration is shown to nobody
		} {
			if strings.Contains(body, link) != want {
				t.Errorf("%s is there: %v", link, !want)
			}
		}
	}
	if _, _ = b.post("/learning", "/sign-out", url.Values{}); b.jar["cursus"] != "" {
		t.Error("still signed in")
	}
	if answer, _ := b.send("GET", "/learning", ""); answer.Header.Get("Location") != "/sign-in?next=%2Flearning" {
		t.Error("the page of a learner was shown to nobody in particular")
	}
}

func TestCookiesAreSecureOverHTTPS(t *testing.T) {
	app, _ := open(t, newFake(), "https://cursus.example")
	b := visitor(t, app, "")
	b.send("GET", "/sign-in/learner-link", "")
	answer, _ := b.post("/sign-in/learner-link", "/sign-in/learner-link", url.Values{})
	found := false
	for _, c := range answer.Cookies() {
		if c.Name == "__Host-cursus" {
			found = c.Secure && c.HttpOnly && c.SameSite == http.SameSiteLaxMode && c.Path == "/" && c.Domain == ""
		}
	}
	if !found || answer.Header.Get("Strict-Transport-Security") == "" {
		t.Error("the session's cookie can leak:", answer.Header)
	}
}

func TestOurFailureSaysNothingOfItsCause(t *testing.T) {
	house := newFake()
	house.failing = errors.New("pq: secret of the database")
	app, _ := open(t, house, "http://127.0.0.1:8080")
	answer, body := visitor(t, app, "").send("GET", "/", "")
	if answer.StatusCode != http.StatusInternalServerError || strings.Contains(body, "secret of the database") || !strings.Contains(body, answer.Header.Get("X-Request-Id")) {
		t.Error(answer.StatusCode, body)
	}
	if wait := answer.Header.Get("Retry-After"); wait != "" {
		t.Error("our failure says when it is over:", wait)
	}
}

// A page that asks to wait says for how long, as the API does: what is known, a few seconds otherwise.
func TestWhoHasToWaitIsToldHowLong(t *testing.T) {
	house := newFake()
	app, _ := open(t, house, "http://127.0.0.1:8080")
	for _, x := range []struct {
		failing error
		status  int
		wait    string
	}{
		{fault.New(fault.Unavailable, "no-payment-provider", "x"), http.StatusServiceUnavailable, "5"},
		{fault.New(fault.TooMany, "too-many-guesses", "x"), http.StatusTooManyRequests, "5"},
		{fault.New(fault.TooMany, "too-many-guesses", "x").After(890), http.StatusTooManyRequests, "890"},
	} {
		house.failing = x.failing
		if answer, _ := visitor(t, app, "").send("GET", "/?lang=fr", ""); answer.StatusCode != x.status || answer.Header.Get("Retry-After") != x.wait {
			t.Error(x.failing, answer.StatusCode, answer.Header.Get("Retry-After"))
		}
	}
}

// A dashboard draws each figure, says the same in a table, and leads to the figure and to the learners behind a number; a school that looks at its
// own figures is led to neither.
func TestADashboardShowsItsFigures(t *testing.T) {
	app, _ := open(t, newFake(), "http://127.0.0.1:8080")
	_, page := visitor(t, app, "staff-link").send("GET", "/staff?lang=en", "")
	ways := []string{`href="/staff/figures/comparison?sessions=PRD-6"`, `href="/staff/figures/learners?list=at_risk&amp;session=PRD-6"`}
	for _, want := range append(ways, `href="/staff/sessions/PRD-6"`, "12.9%", "1,393 of 10,796", `data-plot="plot-0-0"`, `id="plot-0-0"`, "<caption>Comparison of sessions</caption>", "<details open>") {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if _, then := visitor(t, app, "staff-link").send("GET", "/staff?lang=en&as_of=2018-10-31", ""); !strings.Contains(then, `href="/staff/figures/comparison?as_of=2018-10-31&amp;sessions=PRD-6"`) || !strings.Contains(then, "23:59") {
		t.Error("a dashboard of another day does not say which, or leads to figures of today")
	}
	if answer, said := visitor(t, app, "staff-link").send("GET", "/staff?lang=en&as_of=yesterday", ""); answer.StatusCode != http.StatusBadRequest || !strings.Contains(said, "A day such as") {
		t.Error("a day that is none:", answer.StatusCode)
	}
	_, own := visitor(t, app, "learner-link").send("GET", "/partners/ESP/figures?lang=en&as_of=2018-10-31", "")
	if strings.Contains(own, "23:59") || strings.Contains(own, `name="as_of"`) {
		t.Error("a school compares two days, and so reads off who came between them")
	}
	if !strings.Contains(own, "12.9%") {
		t.Error("a school is not told its figures")
	}
	for _, way := range ways {
		if strings.Contains(own, way) {
			t.Errorf("a school is led to %s", way)
		}
	}
	if answer, _ := visitor(t, app, "learner-link").send("GET", "/partners/OTHER/figures", ""); answer.StatusCode != http.StatusNotFound {
		t.Error("the figures of another school:", answer.StatusCode)
	}
}

// Whatever a figure can be asked with is said in the language of the page, and not by its code.
func TestChoicesOfFiguresHaveWords(t *testing.T) {
	w, err := readWords(pages.FS)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range analytics.Definitions() {
		for _, p := range d.Params {
			for _, v := range p.Of {
				if slices.Contains(money.Currencies(), money.Currency(v)) {
					continue // a currency is its code in every language
				}
				for _, lang := range []string{"en", "fr"} {
					if !w.has(lang, "figures.value."+p.ID+"."+v) && !w.has(lang, "figures.value."+v) {
						t.Errorf("%s: %s=%s has no words in %s", d.ID, p.ID, v, lang)
					}
				}
			}
		}
	}
}

func TestNumbersForPeople(t *testing.T) {
	tenths, below, little := int64(220), int64(-233), int64(-5)
	for got, want := range map[string]string{
		share("en", &tenths): "22.0%", share("fr", &tenths): "22,0\u00a0%", share("fr", nil): "–", count("en", 1234567): "1,234,567", count("fr", 10246): "10\u202f246",
		share("en", &below): "-23.3%", share("fr", &little): "-0,5\u00a0%", count("en", 12): "12", count("en", -1234): "-1,234", count("en", -123): "-123", grade("en", 500000): "50%", grade("fr", 871999): "87,1\u00a0%",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestTheContractIsReadable(t *testing.T) {
	app, w := open(t, newFake(), "http://127.0.0.1:8080")
	_, contents := visitor(t, app, "").send("GET", "/docs", "")
	page := contents
	for _, g := range w.docs.Groups {
		_, area := visitor(t, app, "").send("GET", g.Path(), "")
		for _, link := range regexp.MustCompile(`href="#([^"]+)"`).FindAllStringSubmatch(area, -1) {
			if !strings.Contains(area, `id="`+link[1]+`"`) {
				t.Errorf("%s leads to %s, which is not there", g.Path(), link[1])
			}
		}
		page += area
	}
	for _, want := range []string{
		"getOrder", "orders:read", "Id of the order.", "maxLength 40", "array of Order", "ord_01kb5t8kz9e0qv4m3r2x7nwhjd", "string: awaiting_payment, paid",
		"<strong>Who may do what.</strong>", "<code>application/problem+json</code>", "Stripe-Signature", "text/csv", "application/gzip", "application/pdf",
		"integer (int64) or null", "Money or null", "Minor units: cents of EUR", "The version of the thing", "one can enrol", "Form.",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the documentation lacks %s", want)
		}
	}
	operations := regexp.MustCompile(`(?m)^      operationId: (\w+)$`).FindAllSubmatch(openapi.YAML, -1)
	if len(operations) < 20 {
		t.Error("only", len(operations), "operations are in the contract")
	}
	for _, o := range operations {
		if id := string(o[1]); strings.Count(page, `<article class="operation" id="`+id+`"`) != 1 || !strings.Contains(contents, "#"+id+`"`) {
			t.Errorf("the documentation lacks %s", id)
		}
	}
	for _, g := range w.docs.Groups {
		for _, o := range g.Operations {
			if o.Scope == "" || o.Summary == "" || o.Description == "" || g.Description == "" || len(o.Responses) == 0 {
				t.Errorf("%s is shown with a hole: %+v", o.ID, o)
			}
			for _, p := range o.Parameters {
				if p.Type == "" || p.Description == "" {
					t.Errorf("%s: the parameter %s is shown with a hole", o.ID, p.Name)
				}
			}
		}
	}
	for _, g := range w.docs.Groups {
		for _, s := range g.Schemas {
			for _, p := range s.Properties {
				if p.Type == "" || p.Description == "" {
					t.Errorf("%s.%s says nothing: %+v", s.Name, p.Name, p)
				}
			}
		}
	}
	if answer, body := visitor(t, app, "").send("GET", "/docs/openapi.yaml", ""); answer.StatusCode != http.StatusOK || body != string(openapi.YAML) {
		t.Error(answer.StatusCode)
	}
}

func TestProseIsEscaped(t *testing.T) {
	if got := (View{}).Prose("a **<b>** `x&y`\nc\n\n<script>"); got != "<p>a <strong>&lt;b&gt;</strong> <code>x&amp;y</code> c</p><p>&lt;script&gt;</p>" {
		t.Error(got)
	}
}

func TestWeakSettingsAreRefused(t *testing.T) {
	for _, o := range []Options{{BaseURL: "ftp://x", Secret: secret}, {BaseURL: "http://x", Secret: []byte("short")}, {BaseURL: "http://x", Secret: secret, Contract: []byte("a: [")}} {
		if _, err := New(o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
}

func TestStaticFilesAreKept(t *testing.T) {
	app, w := open(t, newFake(), "http://127.0.0.1:8080")
	b := visitor(t, app, "")
	tag := w.static["cursus.css"].tag
	if answer, body := b.send("GET", "/static/cursus.css?v="+tag, ""); answer.StatusCode != http.StatusOK || !strings.Contains(answer.Header.Get("Cache-Control"), "immutable") || len(body) < 1000 {
		t.Error(answer.StatusCode, answer.Header)
	}
	if answer, _ := b.send("GET", "/static/cursus.css", "", "If-None-Match", `"`+tag+`"`); answer.StatusCode != http.StatusNotModified {
		t.Error(answer.StatusCode)
	}
	if answer, _ := b.send("GET", "/static/..%2fpages.go", ""); answer.StatusCode != http.StatusNotFound {
		t.Error(answer.StatusCode)
	}
}

// No page takes a form that its browser was not given in this very session: every route that is posted to is tried with none, with that of
// another browser, with that from before she signed in, with a broken one, and from another site. Behind each route here is a house without
// rooms: one that were reached would fail as ours.
func TestNoFormIsTakenFromElsewhere(t *testing.T) {
	app, w := open(t, newFake(), "http://127.0.0.1:8080")
	_, page := visitor(t, app, "staff-link").send("GET", "/sign-in/abc", "")
	foreign := formField.FindStringSubmatch(page)[1]
	routes, tried := 0, 0
	for _, rt := range w.routes() {
		if rt.method != "POST" || rt.oneClick { // one click of a mail program has the token of its mail, and no session
			continue
		}
		routes++
		b := visitor(t, app, "")
		_, page := b.send("GET", "/sign-in/abc", "")
		before := formField.FindStringSubmatch(page)[1]
		b.jar["cursus"] = "staff-link"
		_, page = b.send("GET", "/learning", "")
		mine := formField.FindStringSubmatch(page)[1]
		path := regexp.MustCompile(`:[a-z]+`).ReplaceAllString(rt.path, "x")
		for name, x := range map[string][]string{
			"none": {""}, "another browser's": {foreign}, "from before she signed in": {before}, "broken": {mine[:len(mine)-1] + "."}, "from another site": {mine, "Sec-Fetch-Site", "cross-site"},
		} {
			tried++
			body, headers := url.Values{"form": {x[0]}}.Encode(), x[1:]
			if rt.upload || rt.stream {
				body = "--b\r\nContent-Disposition: form-data; name=\"form\"\r\n\r\n" + x[0] + "\r\n--b--\r\n"
				headers = append([]string{"Content-Type", "multipart/form-data; boundary=b"}, headers...)
			}
			if answer, said := b.send("POST", path, body, headers...); answer.StatusCode != http.StatusForbidden || !strings.Contains(said, w.words["en"]["fault.stale-form"]) && !strings.Contains(said, errStaleForm.Detail) {
				t.Errorf("%s with a form that is %s: %d", rt.path, name, answer.StatusCode)
			}
		}
	}
	t.Logf("%d forms on %d routes, none taken", tried, routes)
	if routes < 50 {
		t.Error("only", routes, "routes")
	}
}
