package app_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"cursus/internal/domain/identity"
	"cursus/internal/domain/sales"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
	"cursus/internal/transport/web"
)

// visitor is somebody with a browser that follows no redirect.
type visitor struct {
	t    *testing.T
	w    *world
	http *http.Client
	form string // the token of her forms
}

var formToken = regexp.MustCompile(`name="form" value="([^"]+)"`)

// visit opens a browser for somebody who signed in; nobody for "".
func (w *world) visit(t *testing.T, mails, email string) *visitor {
	t.Helper()
	v := &visitor{t: t, w: w, http: &http.Client{}}
	if email != "" {
		v.http.Jar = w.signedIn(t, mails, email).http.Jar
	} else if jar, err := cookiejar.New(nil); err == nil {
		v.http.Jar = jar
	}
	v.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for _, path := range []string{"/learning", "/sign-in"} {
		if _, body, _ := v.get(path); formToken.MatchString(body) {
			v.form = formToken.FindStringSubmatch(body)[1]
			return v
		}
	}
	t.Fatal("no form at /learning")
	return nil
}

func (v *visitor) get(path string) (status int, body, to string) {
	v.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, v.w.cfg.BaseURL+path, nil)
	if err != nil {
		v.t.Fatal(err)
	}
	return v.do(r)
}

// post sends a form with nothing in it but what every form has.
func (v *visitor) post(path string) (status int, body, to string) {
	v.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, v.w.cfg.BaseURL+path, strings.NewReader(url.Values{"form": {v.form}, "key": {"matrix"}}.Encode()))
	if err != nil {
		v.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if status, body, to = v.do(r); status != http.StatusBadRequest {
		return status, body, to
	}
	var b bytes.Buffer // a form that carries a file
	parts := multipart.NewWriter(&b)
	for name, value := range map[string]string{"form": v.form, "key": "matrix"} {
		if err := parts.WriteField(name, value); err != nil {
			v.t.Fatal(err)
		}
	}
	if err := parts.Close(); err != nil {
		v.t.Fatal(err)
	}
	if r, err = http.NewRequestWithContext(context.Background(), http.MethodPost, v.w.cfg.BaseURL+path, &b); err != nil {
		v.t.Fatal(err)
	}
	r.Header.Set("Content-Type", parts.FormDataContentType())
	if again, body, to := v.do(r); again != http.StatusUnsupportedMediaType {
		return again, body, to
	}
	return status, body, to
}

func (v *visitor) do(r *http.Request) (status int, body, to string) {
	v.t.Helper()
	a, err := v.http.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	defer func() { _ = a.Body.Close() }()
	raw, err := io.ReadAll(a.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return a.StatusCode, string(raw), a.Header.Get("Location")
}

// ofALearner says what stands in the addresses that name something of one learner.
var ofALearner = map[string]string{"/orders/:id": "order", "/learning/:id": "enrolment", "/documents/:id": "document", "/certificates/:id": "certificate", "/learning/programs/:edition": "edition"}

// ofASchool says what stands in the addresses that name something of one school.
var ofASchool = map[string]string{"/cohorts/:id": "cohort", "/partners/:key": "school", "/proctoring/:slot": "slot"}

// Every page and every form that is there for who signed in, by nobody, by another learner, by every role at another school, by the manager of
// a company and by every role of staff, for the things of a learner and of a school; and every page of the console by who is no staff. Who is
// nobody is led to sign in; what is somebody else's is not there (404), also for staff whose scopes do not say otherwise; the console is closed (403) to others; and nothing changes.
func TestTheAccessMatrixOfPages(t *testing.T) {
	w, mails := newSite(t)
	zoe := w.person("zoe@example.org", "Zoé")
	things := w.certified(zoe.ID)
	edition, price := w.networks()
	w.follows(zoe.ID, price, "k-edition")
	things["edition"], things["document"] = edition.Key, w.documents(things["order"])[0].ID
	ben := w.person("ben@example.org", "Ben")
	o := w.order(ben.ID, w.paid, "ben")
	w.pay(o, visa)
	w.becomes(o, sales.Paid)
	owner := w.person("owner@a.example", "Owner")
	things["cohort"], things["school"] = w.cohortOf("SCHOOLA", owner.ID).ID, "SCHOOLA"
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return identity.PutPartnerRoleTx(ctx, tx, "SCHOOLA", owner.ID, identity.RoleOwner)
	})
	things["slot"] = w.heldBy("SCHOOLA", w.session.ID).ID
	type column struct {
		*visitor
		name   string
		scopes []string
		staff  bool
	}
	columns := []column{{w.visit(t, mails, ""), "nobody", nil, false}, {w.visit(t, mails, "ben@example.org"), "learner B", identity.ScopesOf(nil), false}}
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return errors.Join(identity.PutOrganisationTx(ctx, tx, "SCHOOLB", "School B"), identity.PutOrganisationTx(ctx, tx, "COMPANY", "Company"))
	})
	for _, role := range []string{identity.RoleOwner, identity.RoleRegistrar, identity.RoleTeacher, identity.RoleCashier, identity.RoleManager} {
		p, organisation := w.person(role+"@b.example", role), "SCHOOLB"
		if role == identity.RoleManager {
			organisation = "COMPANY"
		}
		w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
			return identity.PutPartnerRoleTx(ctx, tx, organisation, p.ID, role)
		})
		c := column{w.visit(t, mails, p.Email), role + " of " + organisation, identity.ScopesOf(nil), role == identity.RoleCashier} // whose desk is in the console
		columns = append(columns, c)
		if c.staff { // what is not for her is not in her menu either
			if _, body, _ := c.get("/console/desk"); !strings.Contains(body, `href="/console/desk"`) || strings.Contains(body, `href="/console/courses"`) || strings.Contains(body, `href="/staff"`) {
				t.Error("the menu of a school's desk:", body)
			}
		}
	}
	a := w.visit(t, mails, owner.Email)
	for prefix, kind := range ofASchool { // what nobody else sees is there
		if status, _, _ := a.get(strings.SplitN(prefix, ":", 2)[0] + things[kind]); status != http.StatusOK {
			t.Errorf("%s of her own: %d", prefix, status)
		}
	}
	for _, role := range []string{"catalogue", "refund", "exams", "certificates", "analytics", "cashier"} {
		p := w.person(role+"@example.org", role)
		w.inTx(func(ctx context.Context, tx *postgres.Tx) error { return identity.GrantRoleTx(ctx, tx, p.ID, role) })
		columns = append(columns, column{w.visit(t, mails, p.Email), role, identity.ScopesOf([]string{role}), true})
	}
	w.told()
	rows, cells := everyRow(t, testkit.Owner(t, w.dsn)), 0
	before, of := rows(), maps.Clone(ofALearner)
	maps.Copy(of, ofASchool)
	for _, route := range web.Addresses() {
		method, path, _ := strings.Cut(route, " ")
		console := path == "/staff" || strings.HasPrefix(path, "/staff/") || path == "/console" || strings.HasPrefix(path, "/console/")
		kind, address := "", path
		for prefix, k := range of {
			if rest, ok := strings.CutPrefix(path, prefix); ok && (rest == "" || rest[0] == '/' || rest[0] == '.') {
				kind, address = k, strings.SplitN(strings.TrimPrefix(prefix, "/"), ":", 2)[0]+things[k]+strings.NewReplacer(":n", "1", ":format", "pdf", ":id", "cli_00000000000000000000000000", ":upload", "upl_00000000000000000000000000").Replace(rest)
				address = "/" + address
			}
		}
		address = strings.NewReplacer(":figure", "waterfall", ":format", "csv").Replace(address)
		if !console && kind == "" {
			continue // it is about the visitor herself, or for everybody
		}
		for _, c := range columns {
			var status int
			var to string
			if method == http.MethodGet {
				status, _, to = c.get(address)
			} else {
				status, _, to = c.post(address)
			}
			cells++
			reach := map[string]string{"order": "orders:read", "document": "orders:read", "enrolment": "learning:read", "certificate": "learning:read", "edition": ""}[kind]
			signIn := status == http.StatusSeeOther && strings.HasPrefix(to, "/sign-in")
			var bad bool
			switch {
			case c.name == "nobody":
				bad = !signIn
			case path == "/staff":
				bad = c.name == "analytics" && status != http.StatusOK || c.staff && c.name != "analytics" && (status != http.StatusSeeOther || to != "/console") || !c.staff && status != http.StatusForbidden
			case strings.HasPrefix(path, "/staff/") && !slices.Contains(c.scopes, "analytics:read") && (path != "/staff/figures/learners" || !slices.Contains(c.scopes, "grades:read")):
				bad = status != http.StatusForbidden
			case console:
				bad = !c.staff && status != http.StatusForbidden || status >= 500
			case strings.HasPrefix(path, "/partners/:key/systems") && status == http.StatusForbidden:
				bad = c.name == "owner of SCHOOLB" // who looks after no keys anywhere is told so, whatever is there
			case kind == "document" || !wider(c.scopes, reach):
				bad = status != http.StatusNotFound && (method == http.MethodGet || status != http.StatusBadRequest)
			default:
				bad = status >= 500
			}
			if bad {
				t.Errorf("%s %s by %s: %d %s", method, address, c.name, status, to)
			}
			now := rows()
			if now != before && method == http.MethodPost && (!console || !c.staff) {
				t.Errorf("%s %s by %s: the house was changed", method, address, c.name)
			}
			before = now
		}
	}
	t.Log(cells, "cells")
	if cells < 500 {
		t.Error("only", cells, "cells")
	}
}
