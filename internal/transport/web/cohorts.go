package web

import (
	"net/url"
	"strconv"
	"strings"

	"cursus/internal/domain/cohorts"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/fault"
	paging "cursus/internal/kernel/page"
)

// cohortRoutes are the addresses of who enrols for a school, or follows its learners, and of whom it invites. Staff see every school there.
func (w *Web) cohortRoutes() []route {
	return []route{
		{method: "GET", path: "/cohorts", who: signedIn, handle: w.cohorts},
		{method: "POST", path: "/cohorts", who: signedIn, handle: w.makeCohort},
		{method: "GET", path: "/cohorts/:id", who: signedIn, handle: w.cohort},
		{method: "POST", path: "/cohorts/:id", who: signedIn, handle: w.changeCohort},
		{method: "GET", path: "/invitations/:token", who: signedIn, handle: w.invitation},
		{method: "POST", path: "/invitations/:token", who: signedIn, handle: w.takeUpInvitation},
		{method: "GET", path: "/reminders/:token", who: anybody, handle: w.reminders},
		{method: "POST", path: "/reminders/:token", who: anybody, handle: w.stopReminders, oneClick: true},
	}
}

var cohortFields = []string{"do", "organisation", "key", "name", "offer", "agreement", "order", "line", "seats", "due_days", "closed", "version", "student", "status", "email", "given_name", "family_name", "lang", "to"}

func cohortForm(r *request) map[string]string {
	in := map[string]string{}
	for _, f := range cohortFields {
		in[f] = strings.TrimSpace(r.form(f))
	}
	return in
}

// cohortsPage lists cohorts, and makes one for an organisation that was chosen.
type cohortsPage struct {
	Cohorts []cohorts.Cohort
	Next    string // cursor
	Makes   []identity.Managed
	For     string
	Offers  []sales.SeatOffer
	Written map[string]string
	Wrong   *fault.Fault
}

func (w *Web) cohorts(r *request) (reply, error) { return w.cohortsWith(r, r.query("for"), nil, nil) }

func (w *Web) cohortsWith(r *request, organisation string, written map[string]string, wrong *fault.Fault) (out reply, err error) {
	p, err := paging.Parse(0, r.query("after"))
	if err != nil {
		return reply{}, err
	}
	d := cohortsPage{Written: written, Wrong: wrong}
	if d.Cohorts, d.Makes, d.Next, err = w.house.Cohorts(r.ctx, r.viewer, p); err != nil {
		return reply{}, err
	}
	d.Next = paging.Cursor(d.Next)
	for _, m := range d.Makes {
		if m.Key == organisation || len(d.Makes) == 1 {
			d.For = m.Key
		}
	}
	if d.For != "" {
		d.Offers, err = w.house.CohortOffers(r.ctx, r.viewer, d.For)
	}
	return reply{page: "cohorts", title: "cohorts.title", data: d, status: refusedAs(wrong)}, err
}

// wholeField reads a number; nothing where the field is empty.
func wholeField(pointer, s string) (*int, error) {
	if s == "" {
		return nil, nil //nolint:nilnil // nothing is a legal number here
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		return nil, fault.InvalidInput(fault.Field{Pointer: pointer, Code: "bad-number", Detail: "A whole number."})
	}
	return &n, nil
}

func (w *Web) makeCohort(r *request) (reply, error) {
	in := cohortForm(r)
	n := cohorts.NewCohort{Organisation: in["organisation"], Key: in["key"], Name: in["name"], OfferID: in["offer"], Agreement: cohorts.Agreement(in["agreement"]), OrderID: in["order"]}
	var err error
	var c cohorts.Cohort
	if n.Seats, err = wholeField("/seats", in["seats"]); err == nil && n.Agreement == cohorts.InvoicedMonthly {
		n.DueDays, err = wholeField("/due_days", in["due_days"])
	}
	if err == nil {
		if n.OrderID != "" {
			n.Line = 1
			if line, _ := strconv.Atoi(in["line"]); line > 0 {
				n.Line = line
			}
		}
		c, err = w.house.MakeCohort(r.ctx, r.viewer, r.form("once"), n)
	}
	if f := refusal(err); f != nil {
		return w.cohortsWith(r, in["organisation"], in, f)
	}
	return reply{redirect: "/cohorts/" + url.PathEscape(c.ID)}, err
}

// cohortPage is a cohort with its members. Done says what became of the last act; Link is an invitation that was just made.
type cohortPage struct {
	CohortShown
	Next    string // cursor
	State   string
	Search  string
	States  []cohorts.State
	Done    *cohorts.Outcome
	Link    string
	Base    string // what a link begins with
	Mailed  bool
	Written map[string]string
	Wrong   *fault.Fault
}

func (w *Web) cohort(r *request) (reply, error) { return w.cohortWith(r, cohortPage{}) }

func (w *Web) cohortWith(r *request, d cohortPage) (out reply, err error) {
	p, err := paging.Parse(0, r.query("after"))
	if err != nil {
		return reply{}, err
	}
	d.State, d.Search, d.States = r.query("state"), strings.TrimSpace(r.query("q")), cohorts.Life.States()
	if d.CohortShown, err = w.house.Cohort(r.ctx, r.viewer, r.param("id"), d.State, d.Search, p); err != nil {
		return reply{}, err
	}
	d.Next = paging.Cursor(d.CohortShown.Next)
	status := refusedAs(d.Wrong)
	if d.Done != nil && !d.Done.Code.Done() {
		status = 422
	}
	d.Base = w.base + "/invitations/"
	return reply{page: "cohort", title: d.Cohort.Name, data: d, status: status}, nil
}

func (w *Web) changeCohort(r *request) (reply, error) {
	in, id := cohortForm(r), r.param("id")
	d := cohortPage{Written: in}
	var done cohorts.Outcome
	var err error
	switch in["do"] {
	case "edit":
		var e cohorts.Edit
		version, _ := strconv.Atoi(in["version"])
		if e.Seats, err = wholeField("/seats", in["seats"]); err == nil {
			e.Key, e.Name, e.Closed = in["key"], in["name"], in["closed"] == "1"
			err = w.house.PutCohort(r.ctx, r.viewer, id, version, e)
		}
	case "enrolled", "suspended", "withdrawn":
		done, err = w.house.ChangeInCohort(r.ctx, r.viewer, id, cohorts.Row{StudentKey: in["student"], Status: in["do"]})
	case "transfer":
		done, err = w.house.TransferInCohort(r.ctx, r.viewer, id, in["to"], r.form("once"), in["student"])
	case "invite":
		var i cohorts.Invitation
		if i, err = w.house.InviteToCohort(r.ctx, r.viewer, id, r.form("once"), in["student"]); err == nil {
			if i.Code == cohorts.Created {
				return w.cohortWith(r, cohortPage{Link: w.base + "/invitations/" + i.Token, Mailed: i.Mailed})
			}
			done = cohorts.Outcome{StudentKey: i.StudentKey, Code: i.Code}
		}
	default:
		done, err = w.house.EnrolInCohort(r.ctx, r.viewer, id, r.form("once"), cohorts.Row{
			StudentKey: in["student"], Status: in["status"], Email: in["email"], GivenName: in["given_name"], FamilyName: in["family_name"], Lang: in["lang"],
		})
	}
	if f := refusal(err); f != nil && f.Kind != fault.NotFound {
		d.Wrong = f
		return w.cohortWith(r, d)
	}
	if err == nil && done.Code != "" && !done.Code.Done() {
		d.Done = &done
		return w.cohortWith(r, d)
	}
	return reply{redirect: "/cohorts/" + url.PathEscape(id)}, err
}

// invitationPage is an invitation, with whether who looks lets her schools see how far she is.
type invitationPage struct {
	cohorts.Letter
	Given bool
}

func (w *Web) invitation(r *request) (reply, error) {
	l, err := w.house.SeeInvitation(r.ctx, r.viewer, r.param("token"))
	if err != nil {
		return reply{}, err
	}
	f, err := w.house.Followed(r.ctx, r.viewer)
	return reply{page: "invitation", title: "cohorts.invitation", data: invitationPage{l, f.Consent.Given}}, err
}

// remindersPage is where the reminders of an invitation end.
type remindersPage struct {
	cohorts.Letter
	Ended bool
}

func (w *Web) reminders(r *request) (reply, error) {
	l, ended, err := w.house.SeeReminders(r.ctx, r.param("token"))
	return reply{page: "reminders", title: "cohorts.reminders", data: remindersPage{l, ended}}, err
}

func (w *Web) stopReminders(r *request) (reply, error) {
	l, err := w.house.StopReminders(r.ctx, r.param("token"))
	return reply{page: "reminders", title: "cohorts.reminders", data: remindersPage{l, true}}, err
}

func (w *Web) takeUpInvitation(r *request) (reply, error) {
	m, err := w.house.TakeUpInvitation(r.ctx, r.viewer, r.param("token"))
	if err == nil {
		err = w.shareToo(r)
	}
	if err == nil && m.OrderID != "" && m.State == cohorts.Waiting { // she pays at the desk of her school
		return reply{redirect: "/orders/" + url.PathEscape(m.OrderID)}, nil
	}
	return reply{redirect: "/learning"}, err
}
