package web

import (
	"context"
	"net/url"

	"cursus/internal/domain/exams"
	"cursus/internal/kernel/fault"
)

// ProctorHouse is what the pages ask of the rooms for who proctors at a school. A slot of another school is not there for her.
type ProctorHouse interface {
	ProctoredSlots(ctx context.Context, who Viewer) ([]exams.Slot, error)
	ProctoredSlot(ctx context.Context, who Viewer, slot string) (exams.ProctoredSlot, error)
	// Proctor does one thing with a candidate, once per key.
	Proctor(ctx context.Context, who Viewer, key, slot string, w ProctorWork) error
}

// ProctorWork is what who proctors does: identity or doubt (of who came), start, submit, fail, incident, verify or reject (proposals).
type ProctorWork struct {
	Do, Sitting, Note, Kind string
	Severity                int
	ScorePPM                *int
}

func (w *Web) proctorRoutes() []route {
	return []route{
		{method: "GET", path: "/proctoring", who: signedIn, handle: w.proctoring},
		{method: "GET", path: "/proctoring/:slot", who: signedIn, handle: w.proctoredSlot},
		{method: "POST", path: "/proctoring/:slot", who: signedIn, handle: w.proctor},
	}
}

func (w *Web) proctoring(r *request) (reply, error) {
	all, err := w.house.ProctoredSlots(r.ctx, r.viewer)
	slots := make([]ExamSlot, len(all))
	for i, x := range all {
		slots[i] = ExamSlot{Slot: x}
	}
	return reply{page: "proctoring", title: "proctoring.title", data: slots}, err
}

// proctoredPage is a slot with its candidates. Of names the candidate at whose form something was wrong.
type proctoredPage struct {
	exams.ProctoredSlot
	At        ExamSlot
	Incidents []string
	Of        string
	Wrong     *fault.Fault
}

// Reviewing says whether the attempt of a candidate waits for what it is worth.
func (proctoredPage) Reviewing(c exams.Candidate) bool {
	return c.Attempt == exams.Submitted || c.Attempt == exams.TimedOut
}

// Sits says whether she sits now.
func (proctoredPage) Sits(c exams.Candidate) bool {
	return c.Attempt == exams.Started || c.Attempt == exams.ReadyToSubmit
}

// Waits says whether she has not begun.
func (proctoredPage) Waits(c exams.Candidate) bool {
	return c.State == exams.Booked && (c.Attempt == "" || c.Attempt == exams.Created || c.Attempt == exams.ReadyToStart || c.Attempt == exams.ReadyToResume)
}

func (w *Web) proctoredSlot(r *request) (reply, error) { return w.proctoredWith(r, "", nil, 0) }

func (w *Web) proctoredWith(r *request, of string, wrong *fault.Fault, status int) (reply, error) {
	p, err := w.house.ProctoredSlot(r.ctx, r.viewer, r.param("slot"))
	d := proctoredPage{ProctoredSlot: p, At: ExamSlot{Slot: p.Slot}, Incidents: exams.IncidentKinds(), Of: of, Wrong: wrong}
	return reply{page: "proctored_slot", title: "proctoring.title", data: d, status: status}, err
}

func (w *Web) proctor(r *request) (reply, error) {
	f := &formReader{r: r}
	work := ProctorWork{Do: r.form("do"), Sitting: r.form("sitting"), Note: f.text("note"), Kind: r.form("kind")}
	if work.Do == "incident" {
		work.Severity = f.number("severity")
	}
	if said := f.text("score"); said != "" && work.Do == "verify" {
		ppm := f.ppm("score", said)
		work.ScorePPM = &ppm
	}
	err := f.fault()
	if err == nil {
		err = w.house.Proctor(r.ctx, r.viewer, r.form("key"), r.param("slot"), work)
	}
	if err == nil {
		return reply{redirect: "/proctoring/" + url.PathEscape(r.param("slot")) + "#" + url.PathEscape(work.Sitting)}, nil
	}
	k := shownAgain(err)
	if k == nil {
		return reply{}, err
	}
	return w.proctoredWith(r, work.Sitting, k, kinds[k.Kind].status)
}
