package web

import (
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/workshops"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/money"
)

var dayFields = []string{"title_en", "title_fr", "place", "zone", "starts_at", "ends_at", "capacity", "currency", "cost", "per_head"}

func dayValues(d workshops.Day) map[string]string {
	amount := func(a money.Amount) string {
		if a.IsZero() {
			return ""
		}
		return a.Decimal()
	}
	at := d.Location()
	return map[string]string{
		"title_en": d.TitleEN, "title_fr": d.TitleFR, "place": d.Place, "zone": d.Zone, "starts_at": d.StartsAt.In(at).Format(localForm),
		"ends_at": d.EndsAt.In(at).Format(localForm), "capacity": strconv.Itoa(d.Capacity), "currency": string(d.Currency), "cost": amount(d.Cost()),
		"per_head": amount(d.PerHead()),
	}
}

// day reads a workshop day; its times are by the clock of its place.
func (f *formReader) day() workshops.NewDay {
	place := zone
	if name := f.text("zone"); name != "" {
		l, err := time.LoadLocation(name)
		if err != nil {
			f.refuse("zone", "unknown-zone", "A name such as Europe/Paris.")
		} else {
			place = l
		}
	}
	n := workshops.NewDay{
		Title: catalog.Text{EN: f.text("title_en"), FR: f.text("title_fr")}, Place: f.text("place"), Zone: place.String(), Capacity: f.number("capacity"),
		Currency: money.Currency(strings.ToUpper(f.text("currency"))),
	}
	if starts, ends := f.time("starts_at", place), f.time("ends_at", place); starts != nil && ends != nil {
		n.StartsAt, n.EndsAt = *starts, *ends
	}
	for name, into := range map[string]*int64{"cost": &n.CostMinor, "per_head": &n.PerHeadMinor} {
		if said := strings.ReplaceAll(f.text(name), ",", "."); said != "" {
			a, err := money.ParseDecimal(said, n.Currency)
			if err != nil {
				f.refuse(name, "bad-amount", "An amount such as 1300.00.")
			}
			*into = a.Minor
		}
	}
	return n
}

func (w *Web) planDay(r *request) (reply, error) {
	f := &formReader{r: r}
	n := f.day()
	err := f.fault()
	if err == nil {
		err = w.house.PlanDay(r.ctx, r.viewer, r.param("key"), n)
	}
	if err == nil {
		return back(r, "planned"), nil
	}
	out, err := w.unsaved(r, err, nil)
	if form, ok := out.data.(sessionForm); ok {
		form.Day = written(r, dayFields)
		out.data = form
	}
	return out, err
}

// dayForm is the page of a workshop day.
type dayForm struct {
	DayDesk
	Fault   *fault.Fault
	Values  map[string]string
	Version int // that the form was read with
	Changed []changedField
}

// Clock prints a time by the clock of the place.
func (f dayForm) Clock(t time.Time) string { return t.In(f.Day.Location()).Format("15:04") }

func (w *Web) dayOf(r *request) (dayForm, error) {
	d, err := w.house.DayDesk(r.ctx, r.viewer, r.param("id"))
	return dayForm{DayDesk: d, Values: dayValues(d.Day), Version: d.Day.Version}, err
}

func (w *Web) dayDesk(r *request) (reply, error) {
	d, err := w.dayOf(r)
	return reply{page: "console-day", title: "sessions.day", data: d}, err
}

func (w *Web) workOnDay(r *request) (reply, error) {
	f, work := &formReader{r: r}, DayWork{Seat: r.form("seat"), Hold: r.form("hold") != "", Cancel: r.form("cancel") != ""}
	edit := r.form("edit") != ""
	if edit {
		n := f.day()
		work.Edit = &n
		if work.Version = f.number("version"); work.Version < 1 {
			return reply{}, errStaleForm
		}
	}
	for _, id := range r.forms("enrolment") {
		if status := r.form("status." + id); status != "" {
			work.Marks = append(work.Marks, workshops.Mark{EnrolmentID: id, Status: status})
		}
		if grade := f.text("production." + id); grade != "" {
			work.Productions = append(work.Productions, workshops.Production{EnrolmentID: id, GradePPM: f.ppm("production", grade)})
		}
	}
	err := f.fault()
	if err == nil {
		err = w.house.WorkOnDay(r.ctx, r.viewer, r.param("id"), work)
	}
	if err == nil {
		return reply{redirect: "/console/workshop-days/" + url.PathEscape(r.param("id"))}, nil
	}
	k := fault.From(err)
	if kinds[k.Kind].status >= 500 || k.Kind == fault.NotFound && len(k.Fields) == 0 {
		return reply{}, err
	}
	d, found := w.dayOf(r)
	d.Fault = k
	if edit {
		theirs := d.Values
		d.Values = written(r, dayFields)
		if errors.Is(err, workshops.ErrChanged) {
			d.Changed = differences(theirs, d.Values, dayFields)
		} else {
			d.Version = work.Version
		}
	}
	return reply{status: kinds[k.Kind].status, page: "console-day", title: "sessions.day", data: d}, found
}
