package app_test

import (
	"bytes"
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

// caller is one column of the matrix. own and foreign are things by the name that they have in a path. role is what she is for a partner, where
// that alone decides what she may there; empty: nothing, or all that a school's system may be.
type caller struct {
	name, token  string
	scopes       []string
	staff        bool
	own, foreign map[string]string
	role         string
	system       bool // it speaks by a key, and cannot sign in
}

// holders are the roles at a partner that its things ask for, beyond the scope; a kind of thing that is not named asks for the scope alone.
var holders = map[string][]string{
	"webhook": {identity.RoleOwner, identity.RoleManager}, "slot": {identity.RoleOwner, identity.RoleTeacher}, "listOrganisationOrders": {identity.RoleManager}, "order": {identity.RoleManager},
}

// holds says whether what she is for the partner is enough for a thing of it.
func (c caller) holds(operation, kind string) bool {
	roles := holders[kind]
	if of, is := holders[operation]; is {
		roles = of
	}
	return c.role == "" || roles == nil || slices.Contains(roles, c.role)
}

// Every operation of the contract, by everybody, for her own things and for those of others. The rule, in this order: who has no token is
// refused (401); who has not the scope is refused (403), whatever the thing; a thing of somebody else is not there (404) and nothing
// changes; her own is, and so is everybody's for staff whose scopes say so. What writes is asked for with a parameter that nobody knows,
// where it would succeed: it is refused for that (400), after the scope and before anything is done, so that the whole matrix changes
// nothing. What is read shows nothing of others. No cell passes because the thing is nowhere: each thing that is not there for somebody
// was seen by somebody else, and each address with a name in it was read by somebody (or is in shownByTheHouse). An operation without a row in
// testdata/access.txt fails.
func TestTheAccessMatrix(t *testing.T) {
	w := newWorld(t)
	walker := w.walk(w.h)
	callers := w.callers(walker)
	rules := guards(t)
	for _, c := range callers {
		if c.name == "admin" {
			w.furnished(walker, c.token, w.person("zoe@example.org", "").ID)
		}
		if c.system { // when a key is used first is written down
			me := walker.Example("getMe")
			me.Token = c.token
			walker.Do(t, me)
		}
	}
	w.told()
	rows := everyRow(t, testkit.Owner(t, w.dsn))
	before, cells, at := rows(), 0, 0
	hidden, seen, read := map[string]string{}, map[string]bool{}, map[string]bool{} // cells by thing that was not there; things that were; operations
	open, shut := map[string]bool{}, map[string]bool{}                              // operations that somebody may, and that are not there for somebody
	kinds := map[string]string{}
	for _, o := range walker.Operations() {
		kind := rules[o.ID]
		kinds[o.ID] = kind
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
				owned := !slices.Contains([]string{"public", "staff", "self"}, kind)
				if owned && things[kind] == "" || !owned && whose == "foreign" {
					continue // she has none of these, or there is none of anybody else, or it is the same for everybody
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
				if want == notThere && !c.staff {
					hidden[things[kind]], shut[o.ID] = o.ID+" by "+c.name, true
				}
				open[o.ID] = open[o.ID] || whose == "own" && want != forbidden && want != notHers && want != noToken
				if o.Method == http.MethodGet && a.Status < 300 {
					read[o.ID] = true
					c.sees(t, o, kind, r, a, seen)
				}
				now := rows()
				if free := o.Method == http.MethodGet && (want == letIn || want == notKept); now != before && !free { // that evidence was read is audited
					t.Errorf("%s by %s, %s: the house was changed", o.ID, c.name, whose)
				}
				before = now
			}
		}
	}
	for thing, cell := range hidden {
		if !seen[thing] {
			t.Errorf("%s, %s: nobody sees this thing: is it there at all?", cell, thing)
		}
	}
	for id, kind := range kinds {
		if !slices.Contains([]string{"", "public", "staff", "self"}, kind) && (!open[id] || !shut[id]) {
			t.Errorf("%s: somebody may: %v; for somebody it is not there: %v: no column has such a %s", id, open[id], shut[id], kind)
		}
	}
	addresses := 0
	for _, o := range walker.Operations() {
		if o.Method != http.MethodGet || !strings.Contains(o.Path, "{") {
			continue
		}
		if addresses++; read[o.ID] == (shownByTheHouse[o.ID] != "") {
			t.Errorf("%s was read by somebody: %v; why not: %q", o.ID, read[o.ID], shownByTheHouse[o.ID])
		}
	}
	for name := range rules {
		t.Errorf("testdata/access.txt names %s, which the contract does not know", name)
	}
	if cells < 2000 {
		t.Error("only", cells, "cells")
	}
	t.Logf("%d cells, %d callers; %d things hidden from some and seen by others; %d of %d addresses with a name read by somebody", cells, len(callers), len(hidden), addresses-len(shownByTheHouse), addresses)
	w.verify()
}

// sees notes the things that an answer shows, and fails where one of them is somebody else's.
func (c caller) sees(t *testing.T, o *apitest.Operation, kind string, r apitest.Request, a apitest.Answer, seen map[string]bool) {
	t.Helper()
	for _, v := range r.Path {
		seen[v] = true
	}
	if kind == "public" {
		return
	}
	mine := map[string]bool{}
	for _, v := range c.own {
		mine[v] = true
		seen[v] = seen[v] || strings.Contains(v, "_") && bytes.Contains(a.Body, []byte(v))
	}
	for name, v := range c.foreign {
		if !c.staff && !mine[v] && strings.Contains(v, "_") && bytes.Contains(a.Body, []byte(v)) {
			t.Errorf("%s by %s shows the %s of somebody else", o.ID, c.name, name)
		}
	}
}

// shownByTheHouse are the addresses with a name at which nothing is in this house, with the reason: that somebody reads them is shown where the
// whole contract is walked (TestTheWholeHouseKeepsTheContract).
var shownByTheHouse = map[string]string{
	"getAttendance": "no day of a workshop is held here", "getBadgeKey": "no badge is signed here", "investigateDifference": "nothing differs here",
	"exportCohortDigest": "the week of its example is not over here", "getFigure": "the figure of its example asks for a session by its key", "exportFigure": "the same",
	"listExerciseLearners": "no grade report here has the exercise of its example",
}

// outcome is what a cell of the matrix wants.
type outcome string

const (
	noToken   outcome = "401"
	forbidden outcome = "403"
	notThere  outcome = "404"
	notHers   outcome = "403 or 404: her role there is another one"
	letIn     outcome = "to be let in"
	notKept   outcome = "to be let in, or 404: there may be no such thing"
)

func (o outcome) holds(status int) bool {
	switch o {
	case notHers:
		return status == http.StatusForbidden || status == http.StatusNotFound
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
	case c.system && o.StepUp == "person":
		return forbidden
	case kind == "staff" || kind == "self":
		return mine
	case whose == "own" && !c.holds(o.ID, kind):
		return notHers
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
	w.aSurvey()
	edition, price := w.networks()
	w.follows(zoe.ID, price, "k-edition")
	o := w.order(ben.ID, w.paid, "ben")
	w.pay(o, visa)
	w.becomes(o, sales.Paid)
	o = w.state(o)
	hers := map[string]string{"order": walker.Values["order"], "enrolment": walker.Values["enrolment"], "sitting": walker.Values["sitting"], "certificate": walker.Values["certificate"], "edition": edition.Key}
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
	gift := w.order(zoe.ID, w.later("MATRIX"), "gift")
	w.pay(gift, visa)
	w.becomes(gift, sales.Paid)
	offered, err := w.h.Sales.OfferTransfer(context.Background(), gift.ID, 1, zoe.ID, ben.Email)
	if err != nil {
		w.t.Fatal(err)
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
		all = append(all, caller{name, token, scopes, len(roles) > 0 && roles[0] != "cashier", own, foreign, "", false})
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
			all = append(all, w.keyOf(key, identity.RoleManager, theirs))
			continue
		}
		scopes := []string{"cohorts:read", "cohorts:write", "desk:write", "orders:read", "orders:write", "learning:read", "webhooks:write"}
		var secret, registrar, client, clientKey string
		w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
			c, err := identity.CreateClientTx(ctx, tx, identity.NewClient{Organisation: key, Name: key, Roles: []string{"cashier", "manager", "registrar"}, Scopes: scopes, PerMinute: 100_000})
			if client, registrar = c.ID, c.PersonID; err != nil {
				return err
			}
			var k identity.Key
			k, secret, err = identity.AddKeyTx(ctx, tx, c.ID, identity.KeyLife)
			clientKey = k.ID
			return err
		})
		group, err := w.h.Cohorts.Create(system, cohorts.By{PersonID: registrar}, "group", cohorts.NewCohort{Organisation: key, Key: "G", Name: "Group", OfferID: w.paid.ID, Agreement: cohorts.PayAtSchool})
		if err != nil {
			w.t.Fatal(err)
		}
		theirs["cohort"] = group.ID
		theirs["slot"] = w.heldBy(key, w.elsewhere(walker)).ID
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
		all = append(all, caller{"school " + key, secret, scopes, false, theirs, hers, "", true})
		theirs["client"], theirs["key"] = client, clientKey
		w.rosterOf(walker, theirs, secret)
		all = append(all, w.rolesAtSchool(key, theirs)...)
	}
	delete(partners["ACME"], "partner") // no desk of it
	for i, c := range all {
		others := maps.Clone(hers)
		if c.own["organisation"] == "ESP" {
			others = maps.Clone(partners["UCAD"])
		} else {
			maps.Copy(others, ofSchool(partners["ESP"]))
		}
		others["sitting"] = hers["sitting"]
		others["enrolment"], others["certificate"], others["document"], others["edition"], others["transfer"] = hers["enrolment"], hers["certificate"], hers["document"], edition.Key, offered.ID
		all[i].foreign = others
	}
	theirs := maps.Clone(hers)
	maps.Copy(theirs, ofSchool(partners["ESP"]))
	theirs["transfer"] = offered.ID
	add("learner A", zoe, hers, his)
	taken := maps.Clone(his)
	taken["transfer"] = offered.ID
	foreign := maps.Clone(theirs)
	delete(foreign, "transfer")
	add("learner B", ben, taken, foreign)
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

// ofSchool are the things that only schools have.
func ofSchool(all map[string]string) map[string]string {
	some := map[string]string{}
	for _, name := range []string{"organisation", "partner", "webhook", "delivery", "cohort", "upload", "client", "key", "slot"} {
		some[name] = all[name]
	}
	return some
}

// rolesAtSchool are the columns of those who are something for a school: each as a person, and as a system where a system can be it.
func (w *world) rolesAtSchool(key string, own map[string]string) (all []caller) {
	for _, role := range []string{identity.RoleOwner, identity.RoleRegistrar, identity.RoleTeacher, identity.RoleCashier} {
		p := w.person(role+"@"+strings.ToLower(key)+".example.org", role)
		w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
			return identity.PutPartnerRoleTx(ctx, tx, key, p.ID, role)
		})
		things := maps.Clone(own)
		delete(things, "order") // the pool is its manager's
		all = append(all, caller{name: role + " of " + key, token: w.token(p.ID), scopes: identity.ScopesOf([]string{role}), own: things, role: role})
		if slices.Contains(identity.ClientRoles(key), role) {
			all = append(all, w.keyOf(key, role, things))
		}
	}
	return all
}

// keyOf is the column of a system that is one thing for an organisation.
func (w *world) keyOf(key, role string, own map[string]string) caller {
	scopes, secret := identity.ScopesOf([]string{role}), ""
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		c, err := identity.CreateClientTx(ctx, tx, identity.NewClient{Organisation: key, Name: role, Roles: []string{role}, Scopes: scopes, PerMinute: 100_000})
		if err == nil {
			_, secret, err = identity.AddKeyTx(ctx, tx, c.ID, identity.KeyLife)
		}
		return err
	})
	return caller{name: role + " of " + key + " by key", token: secret, scopes: scopes, own: own, role: role, system: true}
}

// rosterOf has a school send a roster and apply it, so that there is one with an outcome.
func (w *world) rosterOf(walker *apitest.Walker, school map[string]string, secret string) {
	at := map[string]string{"cohort": school["cohort"]}
	a := &asker{t: w.t, w: walker, token: secret}
	school["upload"], _ = a.ask(202, "uploadCohortRoster", at, []byte("student_key,status\nk1,enrolled\n"), query("file_name=a.csv"))["id"].(string)
	at["upload"] = school["upload"]
	w.quiet()
	d, _ := a.ask(200, "getRosterUpload", at, nil)["difference"].(map[string]any)
	a.ask(202, "applyRosterUpload", at, map[string]any{"difference": d["sha256"]})
	w.scheduled()
	w.quiet()
}

// furnished makes what the addresses of staff name, as staff make it.
func (w *world) furnished(walker *apitest.Walker, admin string, learner string) {
	w.catalogue()
	maps.Copy(walker.Values, map[string]string{"collection": "FLIRT", "offer": w.paid.ID, "person": learner})
	s := &asker{t: w.t, w: walker, token: admin}
	walker.Values["voucher_id"], _ = s.ask(201, "createVoucher", nil, nil)["id"].(string)
	walker.Values["campaign"], _ = s.ask(201, "createCampaign", nil, nil)["id"].(string)
	walker.Values["reconciliation"], _ = s.ask(202, "startReconciliation", nil, nil)["id"].(string)
	walker.Values["certificate_layout"], _ = s.ask(201, "createCertificateLayout", nil, nil)["id"].(string)
	walker.Values["certificate_batch"], _ = s.ask(201, "createCertificateBatch", nil, nil)["id"].(string)
	s.intake()
	s.ask(200, "putLMSPlatform", nil, nil)
	s.ask(200, "putLabProvider", nil, nil)
	walker.Values["lab"], _ = s.ask(201, "createLab", nil, nil)["id"].(string)
	s.ask(200, "putProctoringProvider", nil, nil)
	walker.Values["data_export"], _ = s.ask(202, "createDataExport", nil, nil)["id"].(string)
	w.quiet()
}
