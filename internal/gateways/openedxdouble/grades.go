package openedxdouble

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Grade is what the gradebook says of an active learner. Numbers are written as they are given.
type Grade struct {
	UserID   int64       `json:"user_id"`
	User     string      `json:"user"`
	Email    string      `json:"email"`
	Percent  json.Number `json:"percent"`
	Cohort   int64       `json:"cohort"`
	Sections []Section   `json:"sections"`
	Fails    bool        `json:"fails"` // the platform fails to compute it, and passes over her
}

// Section is an exercise of the gradebook.
type Section struct {
	Label     string      `json:"label"`
	Percent   json.Number `json:"percent"`
	Attempted bool        `json:"attempted"`
}

// SetGrades rewrites the gradebook of a course.
func (d *Double) SetGrades(course string, all []Grade) {
	d.mu.Lock()
	defer d.mu.Unlock()
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b Grade) int { return strings.Compare(a.User, b.User) })
	d.grades[course] = all
}

func (d *Double) staff(w http.ResponseWriter, who string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if who == "" || d.weather.NotStaff {
		answer(w, http.StatusForbidden, map[string]string{"detail": "You do not have permission to perform this action."})
		return false
	}
	return true
}

// page gives a page of the active learners of a course, the link of the next one, and how many learners there are and are asked for.
func (d *Double) page(r *http.Request) (rows []Grade, next any, total, filtered int) {
	size, _ := strconv.Atoi(r.FormValue("page_size"))
	if size < 1 || size > 500 {
		size = 50
	}
	cohort, _ := strconv.ParseInt(r.FormValue("cohort_id"), 10, 64)
	cursor := r.FormValue("cursor")
	d.mu.Lock()
	defer d.mu.Unlock()
	all := d.grades[r.PathValue("course")]
	for _, g := range all {
		if cohort > 0 && g.Cohort != cohort {
			continue
		}
		filtered++
		switch {
		case g.Fails || g.User <= cursor:
		case len(rows) < size:
			rows = append(rows, g)
		case next == nil:
			q := maps.Clone(r.URL.Query())
			q.Set("cursor", rows[size-1].User)
			next = "http://" + r.Host + r.URL.Path + "?" + q.Encode()
		}
	}
	return rows, next, len(all), filtered
}

func (d *Double) gradebook(w http.ResponseWriter, r *http.Request, who string) {
	d.mu.Lock()
	shut := d.weather.NoGradebook
	d.mu.Unlock()
	if shut {
		answer(w, http.StatusForbidden, map[string]string{"detail": "The course does not have a writable gradebook."})
		return
	}
	if !d.staff(w, who) {
		return
	}
	rows, next, total, filtered := d.page(r)
	results := make([]entry, 0, len(rows))
	for _, g := range rows {
		e := entry{UserID: g.UserID, Username: g.User, Email: g.Email, FullName: g.User, Percent: g.Percent, Sections: make([]breakdown, len(g.Sections))}
		for i, s := range g.Sections {
			e.Sections[i] = breakdown{s.Attempted, strings.Fields(s.Label + " -")[0], s.Label, "block-v1:" + strconv.Itoa(i), s.Percent, s.Percent, 1, s.Label}
		}
		results = append(results, e)
	}
	answer(w, http.StatusOK, map[string]any{"next": next, "previous": nil, "results": results, "total_users_count": total, "filtered_users_count": filtered})
}

// entry and breakdown are written as the platform writes them.
type entry struct {
	UserID   int64       `json:"user_id"`
	Username string      `json:"username"`
	Email    string      `json:"email"`
	FullName string      `json:"full_name"`
	Percent  json.Number `json:"percent"`
	Sections []breakdown `json:"section_breakdown"`
}

type breakdown struct {
	Attempted bool        `json:"attempted"`
	Category  string      `json:"category"`
	Label     string      `json:"label"`
	Module    string      `json:"module_id"`
	Percent   json.Number `json:"percent"`
	Earned    json.Number `json:"score_earned"`
	Possible  int         `json:"score_possible"`
	Name      string      `json:"subsection_name"`
}

func (d *Double) courseGrades(w http.ResponseWriter, r *http.Request, who string) {
	if !d.staff(w, who) {
		return
	}
	rows, next, _, _ := d.page(r)
	results := []map[string]any{}
	for _, g := range rows {
		results = append(results, map[string]any{"username": g.User, "email": g.Email, "course_id": r.PathValue("course"), "passed": false, "percent": g.Percent, "letter_grade": nil})
	}
	answer(w, http.StatusOK, map[string]any{"next": next, "previous": nil, "results": results})
}
