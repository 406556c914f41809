package app_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"cursus/internal/domain/cohorts"
	"cursus/internal/domain/dossier"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/sales"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
	"cursus/internal/transport/api"
	"cursus/internal/transport/api/apitest"
)

// guards reads what each operation asks of its caller.
func guards(t *testing.T) map[string]string {
	t.Helper()
	raw, err := os.ReadFile("testdata/access.txt")
	if err != nil {
		t.Fatal(err)
	}
	all, kind := map[string]string{}, ""
	for line := range strings.Lines(string(raw)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		for _, word := range strings.Fields(line) {
			if k, ok := strings.CutSuffix(word, ":"); ok {
				kind = k
				continue
			}
			if all[word] != "" {
				t.Errorf("testdata/access.txt names %s twice", word)
			}
			all[word] = kind
		}
	}
	return all
}

// wider says, for a scope that everybody has for her own things, with which scopes of staff it reaches everybody's.
func wider(scopes []string, scope string) bool {
	return slices.ContainsFunc(api.Wider[scope], func(s string) bool { return slices.Contains(scopes, s) })
}

// caller is one column of the matrix. own and foreign are things by the name that they have in a path.
type caller struct {
	name, token  string
	scopes       []string
	staff        bool
	own, foreign map[string]string
}

// Every operation of the contract, by everybody, for her own things and for those of others. The rule, in this order: who has no token is
// refused (401); who has not the scope is refused (403), whatever the thing; a thing of somebody else is not there (404) and nothing
// changes; her own is, and so is everybody's for staff whose scopes say so. What writes is asked for with a parameter that nobody knows,
// where it would succeed: it is refused for that (400), after the scope and before anything is done, so that the whole matrix changes
// nothing. An operation without a row in testdata/access.txt fails.
func TestTheAccessMatrix(t *testing.T) {
	w := newWorld(t)
	walker := w.walk(w.h)
	callers := w.callers(walker)
	rules := guards(t)
	w.quiet()
	rows := everyRow(t, testkit.Owner(t, w.dsn))
	before, cells, at := rows(), 0, 0
	for _, o := range walker.Operations() {
		kind := rules[o.ID]
		delete(rules, o.ID)
		if kind == "" {
			t.Errorf("%s (%s %s, scope %s) has no row in internal/app/testdata/access.txt: add its name behind public:, staff: or self:, or behind "+
				"the thing of its path that belongs to somebody (order:, organisation: …)", o.ID, o.Method, o.Path, o.Scope)
			continue
		}
		if (kind == "public") != (o.Scope == "public") {
			t.Errorf("%s stands behind %s: and its scope is %s", o.ID, kind, o.Scope)
		}
		for _, c := range callers {
			for _, whose := range []string{"own", "foreign"} {
				things := c.own
				if whose == "foreign" {
					things = c.foreign
				}
				if owned := !slices.Contains([]string{"public", "staff", "self"}, kind); owned && things[kind] == "" {
					continue // she has none of these, or there is none of anybody else
				}
				r := walker.Example(o.ID)
				r.Token = c.token
				for name := range r.Path {
					if v := things[name]; v != "" {
						r.Path[name] = v
					}
				}
				if at++; r.Header.Get("Idempotency-Key") != "" {
					r.Header.Set("Idempotency-Key", fmt.Sprint("cell-", at))
				}
				want := expected(o, kind, whose, c)
				if want == letIn && o.Method != http.MethodGet {
					r.Query = strings.Trim(r.Query+"&surplus=1", "&")
				}
				a := walker.Do(t, r)
				cells++
				if !want.holds(a.Status) {
					t.Errorf("%s by %s, %s: %d %s, want %s\n%.200s", o.ID, c.name, whose, a.Status, a.Code, want, a.Body)
				}
				now := rows()
				if read := o.Method == http.MethodGet && (want == letIn || want == notKept); now != before && !read { // that evidence was read is audited
					t.Errorf("%s by %s, %s: the house was changed", o.ID, c.name, whose)
				}
				before = now
			}
		}
	}
	for name := range rules {
		t.Errorf("testdata/access.txt names %s, which the contract does not know", name)
	}
	if cells < 2000 {
		t.Error("only", cells, "cells")
	}
	t.Log(cells, "cells,", len(callers), "callers")
	w.verify()
}

// outcome is what a cell of the matrix wants.
type outcome string

const (
	noToken   outcome = "401"
	forbidden outcome = "403"
	notThere  outcome = "404"
	letIn     outcome = "to be let in"
	notKept   outcome = "to be let in, or 404: there may be no such thing"
)

func (o outcome) holds(status int) bool {
	switch o {
	case letIn:
		return status < 500 && status != http.StatusUnauthorized && status != http.StatusForbidden && status != http.StatusNotFound
	case notKept:
		return status < 500 && status != http.StatusUnauthorized && status != http.StatusForbidden
	}
	return fmt.Sprint(status) == string(o)
}

func expected(o *apitest.Operation, kind, whose string, c caller) outcome {
	mine := notKept
	if o.Method != http.MethodGet {
		mine = letIn
	}
	switch {
	case kind == "public":
		return mine
	case c.token == "":
		return noToken
	case !slices.Contains(c.scopes, o.Scope):
		return forbidden
	case kind == "staff" || kind == "self":
		return mine
	case whose == "own" && (strings.Contains(o.Path, "{upload}") || strings.HasSuffix(o.Path, "/lms")):
		return mine // of her cohort and no such file; of her enrolment, of which no platform is told
	case whose == "own":
		return letIn
	case c.staff && (len(api.Wider[o.Scope]) == 0 || wider(c.scopes, o.Scope)):
		return mine // a room may keep more to its people than the scope says
	}
	return notThere
}

// callers furnishes a house with two learners, two schools and a company, and gives everybody who may call it.
func (w *world) callers(walker *apitest.Walker) (all []caller) {
	w.t.Helper()
	zoe, ben := w.person("zoe@example.org", "Zoé"), w.person("ben@example.org", "Ben")
	walker.Values = w.certified(zoe.ID)
	walker.Values["If-Match"] = "*"
	edition, price := w.networks()
	w.follows(zoe.ID, price, "k-edition")
	o := w.order(ben.ID, w.paid, "ben")
	w.pay(o, visa)
	w.becomes(o, sales.Paid)
	o = w.state(o)
	hers := map[string]string{"order": walker.Values["order"], "enrolment": walker.Values["enrolment"], "certificate": walker.Values["certificate"], "edition": edition.Key}
	his := map[string]string{"order": o.ID, "enrolment": o.Lines[0].Enrolment()}
	hers["document"], his["document"] = w.documents(hers["order"])[0].ID, w.documents(his["order"])[0].ID
	for things, p := range map[*map[string]string]identity.Person{&hers: zoe, &his: ben} {
		w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
			if (*things)["export"], err = w.h.Dossier.AskExportTx(ctx, tx, dossier.By{Any: true}, p.ID); err == nil {
				(*things)["erasure"], err = w.h.Dossier.AskErasureTx(ctx, tx, dossier.By{Any: true}, p.ID)
			}
			return err
		})
	}
	tokens := func(p identity.Person, roles ...string) (string, []string) {
		for _, role := range roles {
			w.inTx(func(ctx context.Context, tx *postgres.Tx) error { return identity.GrantRoleTx(ctx, tx, p.ID, role) })
		}
		scopes := identity.ScopesOf(roles)
		return w.tokens(p)(scopes...), scopes
	}
	add := func(name string, p identity.Person, own, foreign map[string]string, roles ...string) {
		token, scopes := tokens(p, roles...)
		all = append(all, caller{name, token, scopes, len(roles) > 0 && roles[0] != "cashier", own, foreign})
	}
	partners := map[string]map[string]string{}
	for _, key := range []string{"ESP", "UCAD", "ACME"} {
		boss := w.managed(key)
		pool, err := w.seatsOf(key, boss.ID, w.free, 2, "pool-"+key)
		if err != nil {
			w.t.Fatal(err)
		}
		theirs := map[string]string{"order": pool.ID, "organisation": key, "partner": key, "line": "1"}
		partners[key] = theirs
		if key == "ACME" {
			add("company", boss, theirs, hers)
			continue
		}
		scopes := []string{"cohorts:read", "cohorts:write", "desk:write", "orders:read", "orders:write", "learning:read", "webhooks:write"}
		var secret, registrar string
		w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
			c, err := identity.CreateClientTx(ctx, tx, identity.NewClient{Organisation: key, Name: key, Roles: []string{"cashier", "manager", "registrar"}, Scopes: scopes, PerMinute: 100_000})
			if registrar = c.PersonID; err == nil {
				_, secret, err = identity.AddKeyTx(ctx, tx, c.ID, identity.KeyLife)
			}
			return err
		})
		group, err := w.h.Cohorts.Create(system, cohorts.By{PersonID: registrar}, "group", cohorts.NewCohort{Organisation: key, Key: "G", Name: "Group", OfferID: w.paid.ID, Agreement: cohorts.PayAtSchool})
		if err != nil {
			w.t.Fatal(err)
		}
		theirs["cohort"] = group.ID
		r := walker.Example("createWebhook")
		r.Token, r.Body = secret, []byte(`{"url":"https://hooks.school.org/`+key+`","description":"","types":[],"enabled":true,"organisation":"`+key+`"}`)
		var made struct{ ID string }
		walker.Do(w.t, r).JSON(w.t, &made)
		theirs["webhook"] = made.ID
		r = walker.Example("testWebhook")
		r.Token, r.Path["webhook"] = secret, made.ID
		r.Header.Set("Idempotency-Key", "test")
		a := walker.Do(w.t, r)
		if a.JSON(w.t, &made); a.Status != http.StatusCreated {
			w.t.Fatalf("%d %s", a.Status, a.Body)
		}
		theirs["delivery"] = made.ID
		all = append(all, caller{"school " + key, secret, scopes, false, theirs, hers})
	}
	delete(partners["ACME"], "partner") // no desk of it
	for i, c := range all {
		others := maps.Clone(hers)
		if key := strings.TrimPrefix(c.name, "school "); key == "ESP" {
			others = maps.Clone(partners["UCAD"])
		} else {
			maps.Copy(others, map[string]string{"organisation": "ESP", "partner": "ESP", "webhook": partners["ESP"]["webhook"], "cohort": partners["ESP"]["cohort"]})
		}
		others["enrolment"], others["certificate"], others["document"], others["edition"] = hers["enrolment"], hers["certificate"], hers["document"], ""
		all[i].foreign = others
	}
	theirs := maps.Clone(hers)
	maps.Copy(theirs, map[string]string{"organisation": "ESP", "partner": "ESP", "webhook": partners["ESP"]["webhook"], "cohort": partners["ESP"]["cohort"], "edition": ""})
	add("learner A", zoe, hers, his)
	add("learner B", ben, his, theirs)
	ann := w.person("ann@example.org", "Ann")
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error { return identity.PutCashierTx(ctx, tx, "ESP", ann.ID) })
	other := maps.Clone(theirs)
	other["partner"] = "UCAD"
	add("cashier", ann, map[string]string{"partner": "ESP"}, other, "cashier")
	for _, role := range []string{"catalogue", "sales", "refund", "exams", "certificates", "analytics", "admin"} {
		add(role, w.person(role+"@example.org", role), nil, theirs, role)
	}
	all = append(all, caller{name: "anonymous", own: hers, foreign: theirs})
	return all
}
