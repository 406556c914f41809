package web

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/gradebook"
	"cursus/internal/kernel/fault"
	paging "cursus/internal/kernel/page"
)

// collectingRoutes are the addresses of what is collected from learning platforms.
func (w *Web) collectingRoutes() []route {
	return []route{
		{method: "GET", path: "/console/sessions/:key/collecting", who: staff, handle: w.collecting},
		{method: "POST", path: "/console/sessions/:key/collecting", who: staff, handle: w.workOnCollecting},
		{method: "GET", path: "/console/stage-checks", who: staff, handle: w.stageChecks},
	}
}

// collectingForm is what is collected of a session with what was written of its schedule, and what was wrong with it.
type collectingForm struct {
	Collecting
	Written map[string]string
	Wrong   *fault.Fault
	Done    string
}

var (
	collectingFields = []string{"version", "every_days", "next_at", "enabled", "cohorts"}
	collectingDoings = []string{"save", "collect", "check", "rebuild"}
)

func collectingValues(s *gradebook.Schedule) map[string]string {
	if s == nil {
		return map[string]string{"version": "0", "every_days": "7", "enabled": "1"}
	}
	v := map[string]string{"version": strconv.Itoa(s.Version), "every_days": strconv.Itoa(s.EveryDays), "next_at": localTime(&s.NextAt, zone)}
	if s.Enabled {
		v["enabled"] = "1"
	}
	for _, c := range s.Cohorts {
		v["cohorts"] += fmt.Sprintf("%d; %s\n", c.ID, c.Name)
	}
	return v
}

func (w *Web) collecting(r *request) (reply, error) {
	c, err := w.house.Collecting(r.ctx, r.viewer, r.param("key"))
	f := collectingForm{Collecting: c, Written: collectingValues(c.Schedule)}
	if done := r.query("done"); slices.Contains(collectingDoings, done) {
		f.Done = done
	}
	return reply{page: "collecting", title: "collecting.title", data: f}, err
}

// cohorts reads a group of learners a line: its number on the platform; its name.
func (f *formReader) cohorts(name string) (all []gradebook.PullCohort) {
	for line := range strings.Lines(f.text(name)) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		number, called, _ := strings.Cut(line, ";")
		id, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
		if err != nil {
			f.refuse(name, "not-a-number", "A group a line: its number on the platform; its name.")
			return nil
		}
		all = append(all, gradebook.PullCohort{ID: id, Name: strings.TrimSpace(called)})
	}
	return all
}

func (w *Web) workOnCollecting(r *request) (reply, error) {
	do, key := r.form("do"), r.param("key")
	if !slices.Contains(collectingDoings, do) {
		return reply{}, errStaleForm
	}
	var err error
	if do != "save" {
		err = w.house.WorkOnCollecting(r.ctx, r.viewer, key, do)
	} else {
		f := &formReader{r: r}
		on := r.form("enabled") == "1"
		n := gradebook.NewSchedule{EveryDays: f.number("every_days"), Enabled: &on, Cohorts: f.cohorts("cohorts")}
		if at := f.time("next_at", zone); at != nil {
			n.NextAt = *at
		}
		version := f.number("version")
		if err = f.fault(); err == nil {
			err = w.house.PutCollecting(r.ctx, r.viewer, key, version, n)
		}
	}
	wrong := refusedOrChanged(err, catalog.ErrChanged)
	if wrong == nil || wrong.Kind == fault.NotFound {
		return reply{redirect: "/console/sessions/" + url.PathEscape(key) + "/collecting?done=" + do}, err
	}
	c, found := w.house.Collecting(r.ctx, r.viewer, key)
	form := collectingForm{Collecting: c, Written: collectingValues(c.Schedule), Wrong: wrong}
	if do == "save" {
		form.Written = written(r, collectingFields)
	}
	return reply{status: refusedAs(wrong), page: "collecting", title: "collecting.title", data: form}, found
}

// stageChecksPage is when the stages of sessions were checked.
type stageChecksPage struct {
	Checks []gradebook.Recheck
	Next   string
}

func (w *Web) stageChecks(r *request) (reply, error) {
	all, next, err := w.house.StageChecks(r.ctx, r.viewer, paging.Request{After: r.query("after"), Limit: 100})
	return reply{page: "stagechecks", title: "checks.title", data: stageChecksPage{all, next}}, err
}
