package web

import (
	"errors"
	"strings"
	"time"

	"cursus/internal/domain/catalog"
)

// changedField is a field of which two texts are compared: what stood there, what somebody else saved, what stands in the form.
type changedField struct{ Name, Before, Theirs, Yours string }

// sessionEdit is one version of a session beside the one before it. A published session is in force as it stands; this says who made it say
// what, and what it said until then.
type sessionEdit struct {
	Version int
	By      string
	At      time.Time
	Fields  []changedField // Before, and Yours: since
	First   bool           // nothing is known of what stood there before
	Made    bool           // nothing stood there before
}

// SessionVersions is how many versions the page of a session is shown with.
const SessionVersions = 30

// History compares each version with the one before it, the newest first.
func (f sessionForm) History() (all []sessionEdit) {
	for i, v := range f.Versions {
		e := sessionEdit{Version: v.Version, By: v.By, At: v.At, First: i == len(f.Versions)-1}
		if v.Version == 1 {
			e.First, e.Made = false, true
		} else if !e.First {
			e.Fields = differences(allOf(f.Versions[i+1].Says), allOf(v.Says), append(sessionFields, "publication", "map"))
		}
		all = append(all, e)
	}
	if len(all) == SessionVersions {
		all = all[:SessionVersions-1] // the oldest one is there to compare with
	}
	return all
}

// allOf is what a version says, with its state of publication and its map.
func allOf(n catalog.NewSession) map[string]string {
	v := sessionValues(n)
	v["publication"], v["map"] = string(n.Publication), mapCSV(n.Exercises)
	return v
}

// differences are the fields that say something else since.
func differences(before, since map[string]string, fields []string) (all []changedField) {
	for _, name := range fields {
		if strings.TrimSpace(before[name]) != strings.TrimSpace(since[name]) {
			all = append(all, changedField{Name: name, Before: before[name], Theirs: before[name], Yours: since[name]})
		}
	}
	return all
}

// meanwhile brings a form together with what somebody else saved since it was read: what only she changed is taken over, what was written
// stays. It says what she changed. Where nobody knows what the form was made of, all that differs is shown, and what was written stays.
func (w *Web) meanwhile(r *request, read int, theirs, mine map[string]string, fields []string) (changed []changedField, together map[string]string, err error) {
	v, err := w.house.SessionVersion(r.ctx, r.viewer, r.param("key"), read)
	if errors.Is(err, catalog.ErrNoVersion) {
		return differences(theirs, mine, fields), mine, nil
	}
	if err != nil {
		return nil, nil, err
	}
	before, together := sessionValues(v.Says), map[string]string{}
	said := func(values map[string]string, name string) string { return strings.TrimSpace(values[name]) }
	for _, name := range fields {
		together[name] = mine[name]
		if said(before, name) == said(theirs, name) {
			continue
		}
		if said(before, name) == said(mine, name) {
			together[name] = theirs[name]
		}
		changed = append(changed, changedField{name, before[name], theirs[name], together[name]})
	}
	return changed, together, nil
}
