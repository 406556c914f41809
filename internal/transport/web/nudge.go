package web

import (
	"strconv"
	"strings"

	"cursus/internal/domain/analytics"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/outreach"
	"cursus/internal/kernel/fault"
)

// nudgeForm is a reminder of those on a list of the figures.
type nudgeForm struct {
	List     analytics.WhoDid
	Reach    outreach.Reach
	At, Back string
	Written  map[string]string
	Wrong    *fault.Fault
}

// Fields are the fields of its words.
func (f nudgeForm) Fields() wordFields { return wordFields{"", languages, f.Written} }

// Title is what a list that makes certificates is called.
func (f nudgeForm) Title() catalog.Text { return analytics.ListTitle(f.List.List) }

// Holes are what its words can say.
func (nudgeForm) Holes() string {
	return "{" + strings.Join(outreach.Placeholders(outreach.Nudge), "}, {") + "}"
}

// nudgeAt is where the learners on a list are reminded.
func nudgeAt(w analytics.WhoDid) string { return "/console/nudges?" + asked(w) }

func (w *Web) nudgePage(r *request) (reply, error) {
	return w.nudgeWith(r, nudgeForm{Written: map[string]string{"hold_out": "10"}})
}

func (w *Web) nudgeWith(r *request, f nudgeForm) (reply, error) {
	var err error
	if f.List, err = whoDid(r); err != nil {
		return reply{}, err
	}
	f.At, f.Back = nudgeAt(f.List), doersAt(f.List)
	f.Reach, err = w.house.Listed(r.ctx, r.viewer, f.List)
	return reply{page: "nudge", title: "outreach.nudge", data: f, status: refusedAs(f.Wrong)}, err
}

func (w *Web) nudge(r *request) (reply, error) {
	f := nudgeForm{Written: map[string]string{"hold_out": strings.TrimSpace(r.form("hold_out"))}}
	readText(r, f.Written, "")
	list, err := whoDid(r)
	if err != nil {
		return reply{}, err
	}
	percent, err := strconv.Atoi(f.Written["hold_out"])
	if err != nil {
		percent = -1 // the room says what is allowed
	}
	id, err := w.house.NudgeListed(r.ctx, r.viewer, r.form("key"), list, textOf(f.Written, ""), 10*percent)
	if f.Wrong = refusal(err); f.Wrong != nil {
		return w.nudgeWith(r, f)
	}
	if list.List != "" && list.Session == "" { // one for each session
		return reply{redirect: "/console/campaigns"}, err
	}
	return reply{redirect: "/console/campaigns/" + id}, err
}
