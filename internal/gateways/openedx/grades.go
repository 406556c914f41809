package openedx

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"

	"cursus/internal/domain/lms"
)

// grades are what Open edX says of a learner, in its own words, without what nobody here reads: names, links, and the scores of what was not
// attempted, which are nought. A gradebook says of each learner every exercise of the course: what is kept of it is a tenth.
type grades struct {
	UserID   json.Number `json:"user_id,omitempty"`
	Username string      `json:"username"`
	Email    string      `json:"email,omitempty"`
	Percent  json.Number `json:"percent,omitempty"`
	Sections []section   `json:"section_breakdown,omitempty"`
}

type section struct {
	Label     string      `json:"label"`
	Name      string      `json:"subsection_name,omitempty"` // read where there is no label, and not kept
	Attempted bool        `json:"attempted,omitempty"`
	Percent   json.Number `json:"percent,omitempty"`
}

// Grades gives a page of the grades of a course. See lms.Door. Learners whose grade the platform fails to compute are not in it.
func (g *Gate) Grades(ctx context.Context, a lms.Access, course string, totals bool, cohort int64, cursor string) (json.RawMessage, string, error) {
	path, query := "/api/grades/v1/gradebook/", url.Values{"page_size": {"100"}}
	if totals {
		path = "/api/grades/v1/courses/"
	}
	if cohort > 0 {
		query.Set("cohort_id", strconv.FormatInt(cohort, 10))
	}
	if cursor != "" {
		query.Set("cursor", cursor)
	}
	answer, err := g.call(ctx, a, http.MethodGet, path+url.PathEscape(course)+"/?"+query.Encode(), nil)
	if err != nil {
		return nil, "", err
	}
	var said struct {
		Next    *string  `json:"next"`
		Results []grades `json:"results"`
	}
	if json.Unmarshal(answer, &said) != nil || said.Results == nil {
		return nil, "", broken(answer)
	}
	next, ok := following(said.Next, cursor)
	if !ok {
		return nil, "", broken(answer)
	}
	for _, of := range said.Results {
		for i, s := range of.Sections {
			if s.Label == "" { // the policy has not the type of the exercise any more: the type was renamed, and the exercise not told so
				of.Sections[i].Label = s.Name
			}
			if of.Sections[i].Name = ""; !s.Attempted {
				of.Sections[i].Percent = ""
			}
		}
	}
	results, err := json.Marshal(said.Results)
	return results, next, err
}

// following reads the cursor of the next page from its link; false: it is none, or that of the page itself.
func following(link *string, cursor string) (next string, ok bool) {
	if link == nil {
		return "", true
	}
	u, err := url.Parse(*link)
	if err != nil {
		return "", false
	}
	next = u.Query().Get("cursor")
	return next, next != "" && next != cursor
}
