package app_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"testing"

	"golang.org/x/net/html"

	"cursus/internal/domain/cohorts"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/offers"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
	"cursus/internal/transport/api/apitest"
)

// cohortsStory makes a cohort of a school and moves its learners about, as its registrar does it through the API.
func (w *world) cohortsStory(t *testing.T, walker *apitest.Walker, learner string) {
	t.Helper()
	registrar := w.person("registrar@uvs.example", "Registrar")
	var offer offers.Offer
	w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		if err := identity.PutOrganisationTx(ctx, tx, "UVS", "UVS Dakar"); err != nil {
			return err
		}
		if err := identity.PutPartnerRoleTx(ctx, tx, "UVS", registrar.ID, identity.RoleRegistrar); err != nil {
			return err
		}
		offer, err = offers.CreateTx(ctx, tx, offers.NewOffer{Session: w.session.ID, Formula: offers.Qualifying, Price: money.Of(90_000, "XOF"), Audience: "UVS"})
		return err
	})
	r := &asker{t: t, w: walker, token: w.token(registrar.ID)}
	made := func(key string) map[string]any {
		return r.ask(201, "createPartnerCohort", nil, map[string]any{"organisation": "UVS", "key": key, "name": "Group", "offer": offer.ID, "agreement": "pay_at_school", "seats": 3})
	}
	c, d := made("a"), made("b")
	at := map[string]string{"cohort": c["id"].(string)}
	r.ask(409, "createPartnerCohort", nil, map[string]any{"organisation": "UVS", "key": "a", "name": "Group", "offer": offer.ID, "agreement": "pay_at_school"})
	r.ask(404, "createPartnerCohort", nil, map[string]any{"organisation": "ESP", "key": "a", "name": "Group", "offer": offer.ID, "agreement": "pay_at_school"})
	rows := func(all ...string) map[string]any {
		out := []any{}
		for i := 0; i < len(all); i += 2 {
			out = append(out, map[string]any{"student_key": all[i], "status": all[i+1]})
		}
		return map[string]any{"rows": out}
	}
	r.ask(200, "enrolCohort", at, rows("k1", "enrolled", "k2", "", "k3", "suspended"))
	if got := r.ask(207, "enrolCohort", at, rows("k1", "enrolled", "k4", ""))["results"].([]any); got[0].(map[string]any)["code"] != "unchanged" || got[1].(map[string]any)["code"] != "no-seat-left" {
		t.Error(got)
	}
	r.ask(422, "enrolCohort", at, rows("k4", "nonsense"))
	many := make([]string, 0, 2002)
	for i := range 1001 {
		many = append(many, fmt.Sprint("m", i), "")
	}
	r.ask(413, "enrolCohort", at, rows(many...))
	r.ask(200, "changeCohortEnrolments", at, rows("k2", "withdrawn"))
	r.ask(207, "changeCohortEnrolments", at, rows("k1", "suspended", "new", ""))
	r.ask(422, "changeCohortEnrolments", at, rows("new", ""))
	move := func(keys ...string) map[string]any { return map[string]any{"to": d["id"], "student_keys": keys} }
	r.ask(200, "transferCohortEnrolments", at, move("k3"))
	r.ask(207, "transferCohortEnrolments", at, move("k3", "k1"))
	r.ask(422, "transferCohortEnrolments", at, move("k1"))
	r.ask(200, "enrolCohort", at, rows("k5", ""))
	w.quiet()
	invited := r.ask(200, "inviteCohort", at, map[string]any{"student_keys": []string{"k5", "k1"}})["invitations"].([]any)
	token := invited[0].(map[string]any)["token"]
	if invited[0].(map[string]any)["code"] != "created" || token == nil || invited[1].(map[string]any)["token"] != nil {
		t.Fatal(invited)
	}
	her := &asker{t: t, w: walker, token: learner}
	if got := her.ask(200, "takeUpInvitation", nil, map[string]any{"token": token}); got["account_exists"] != true || got["student_key"] != "k5" {
		t.Error(got)
	}
	r.ask(409, "takeUpInvitation", nil, map[string]any{"token": token})
	r.ask(404, "takeUpInvitation", nil, nil)
	if all := r.ask(200, "listCohortEnrolments", at, nil, query("state=waiting&q=k5"))["enrolments"].([]any); len(all) != 1 {
		t.Error(all)
	}
	if all := r.ask(200, "listPartnerCohorts", nil, nil, query("organisation=UVS"))["cohorts"].([]any); len(all) != 2 {
		t.Error(all)
	}
	r.ask(200, "getPartnerCohort", at, nil)
	r.ask(200, "putPartnerCohort", at, map[string]any{"key": "a", "name": "Renamed", "closed": false}, header("If-Match", `"1"`))
	r.ask(412, "putPartnerCohort", at, map[string]any{"key": "a", "name": "Renamed", "closed": false}, header("If-Match", `"1"`))
	r.ask(409, "putPartnerCohort", map[string]string{"cohort": d["id"].(string)}, map[string]any{"key": "b", "name": "Group", "seats": 1, "closed": false})
	walker.Values["cohort"], walker.Values["to"] = c["id"].(string), d["id"].(string)
}

func header(name, value string) func(*apitest.Request) {
	return func(r *apitest.Request) { r.Header.Set(name, value) }
}

func init() {
	walks = append(walks, func(w *world, staff string) map[string]string {
		c := w.cohortOf("UCAD", staff)
		if _, err := w.h.Cohorts.Enrol(system, cohorts.By{PersonID: staff}, c.ID, "walk", cohorts.Delta, []cohorts.Row{
			{StudentKey: "k1", Email: "awa@ucad.example", GivenName: "Awa", FamilyName: "Diop"}, {StudentKey: "k2"}, {StudentKey: "k3", Status: "suspended"},
		}); err != nil {
			w.t.Fatal(err)
		}
		w.quiet()
		all, err := w.h.Cohorts.Invite(system, cohorts.By{PersonID: staff}, c.ID, "walk-invite", []string{"k2"})
		if err != nil {
			w.t.Fatal(err)
		}
		if _, err := testkit.Owner(w.t, w.dsn).Exec(`insert into cohorts.reminders (invitation_id, step, state, noted_at) values ($1, 3, 'due', now())`, all[0].ID); err != nil {
			w.t.Fatal(err)
		}
		l, _, err := w.h.Cohorts.Recall(context.Background(), cohorts.Reminded{InvitationID: all[0].ID, Step: 3})
		if err != nil {
			w.t.Fatal(err)
		}
		return map[string]string{"/cohorts/:id": "/cohorts/" + c.ID, "/invitations/:token": "/invitations/" + all[0].Token, "/reminders/:token": "/reminders/" + l.Stop}
	})
}

// cohortOf makes a cohort that pays at its school, of which a person is registrar.
func (w *world) cohortOf(school, registrar string) (c cohorts.Cohort) {
	w.t.Helper()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return errors.Join(identity.PutOrganisationTx(ctx, tx, school, school+" Dakar"), identity.PutPartnerRoleTx(ctx, tx, school, registrar, identity.RoleRegistrar))
	})
	c, err := w.h.Cohorts.Create(system, cohorts.By{PersonID: registrar}, "cohort "+school, cohorts.NewCohort{Organisation: school, Key: "M1", Name: "Master 1", OfferID: w.paid.ID, Agreement: cohorts.PayAtSchool})
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// A registrar makes a cohort, adds learners, suspends, reinstates, invites and transfers them by page; a teacher follows and has no form; whoever
// has the invitation takes up her place; staff see all of it, and another school nothing.
func TestPagesOfCohorts(t *testing.T) {
	w, mails := newSite(t)
	registrar := w.person("registrar@esp.example", "Registrar")
	first := w.cohortOf("ESP", registrar.ID)
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		teacher, err := identity.PutPersonTx(ctx, tx, "teacher@esp.example", "Teacher", "fr")
		if err != nil {
			return err
		}
		return identity.PutPartnerRoleTx(ctx, tx, "ESP", teacher.ID, identity.RoleTeacher)
	})
	d := w.signedIn(t, mails, "registrar@esp.example")
	d.open("/cohorts")
	d.says("Master 1", "Paid at the school")
	f := d.form("/cohorts")
	f.set("name", "Master 2")
	f.set("key", "M2")
	f.set("offer", w.paid.ID)
	f.tick("agreement", "pay_at_school")
	f.press("", "")
	d.says("Master 2", "Nobody.")
	at := d.at
	add := func(student, email string) {
		f := d.formWith(at, "student")
		f.set("student", student)
		f.set("email", email)
		f.press("do", "add")
	}
	add("k1", "")
	add("k2", "awa@esp.example")
	w.quiet()
	d.open(at)
	d.says("k1", "k2", "Waiting", "for an account")
	d.want = 422
	add("k3", "awa@esp.example")
	d.says("in another cohort of the school for the same")
	d.open(at + "?q=k2&state=waiting")
	act := func(do string) { d.cardForm(at, do).press("do", do) }
	act("suspended")
	d.open(at + "?q=k2")
	d.says("Suspended")
	act("enrolled")
	d.open(at + "?q=k2")
	f = d.cardForm(at, "transfer")
	f.set("to", first.ID)
	f.press("do", "transfer")
	d.open("/cohorts/" + first.ID)
	d.says("k2")
	d.open(at + "?q=k1")
	act("invite")
	link := regexp.MustCompile(`/invitations/[a-z0-9_.]+`).FindString(words(d.page))

	bob := w.signedIn(t, mails, "bob@example.org")
	bob.open(link)
	bob.says("ESP Dakar", "k1", "pay at the desk of your school")
	taken := bob.form(link)
	taken.tick("share", "1")
	taken.press("", "")
	w.counts(map[string]int{"select count(*) from privacy.consents where purpose = 'school' and given": 1})
	bob.want = 404
	bob.open(at)

	teacher := w.signedIn(t, mails, "teacher@esp.example")
	teacher.open(at + "?lang=fr")
	teacher.says("Master 2", "k1")
	if n := len(teacher.all(func(n *html.Node) bool {
		return n.Data == "form" && attr(n, "method") == "post" && attr(n, "action") == at
	})); n != 0 {
		t.Error("a teacher has", n, "forms")
	}
	officer := w.newDesk(t, mails, "officer@example.org")
	officer.open("/cohorts")
	officer.says("Master 1", "Master 2", "ESP")
	w.verify()
}

// cardForm is the form of the only card that has a button.
func (d *desk) cardForm(action, button string) *filled {
	d.t.Helper()
	forms := d.all(func(n *html.Node) bool {
		return n.Data == "form" && attr(n, "action") == action && len(nodes(n, func(x *html.Node) bool { return x.Data == "button" && attr(x, "value") == button })) > 0
	})
	if len(forms) != 1 {
		d.t.Fatalf("%d forms of %s do %s", len(forms), action, button)
	}
	f := &filled{d: d, action: action}
	for _, n := range nodes(forms[0], func(n *html.Node) bool { return slices.Contains([]string{"input", "select", "button"}, n.Data) }) {
		f.add(n)
	}
	return f
}
