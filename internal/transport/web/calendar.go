package web

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/kernel/fault"
)

// The drawing's measures, in its own units.
const (
	calendarWidth = 1000
	calendarLeft  = 150
	calendarRow   = 30
	calendarTop   = 28
)

// calendarPage is a year, drawn and in words.
type calendarPage struct {
	Calendar
	Height int
	Months []calendarMonth
	Groups []calendarGroup
	Bars   []calendarBar
}

type calendarMonth struct {
	X     int
	First time.Time
	Bars  []calendarBar // of the sessions that are broadcast in it: the drawing in words, for a narrow screen
}

type calendarGroup struct {
	Audience string
	Y        int
}

type calendarBar struct {
	Session catalog.Session
	X, W, Y int
	Marks   []calendarMark // where it overlaps another one of its audience
}

type calendarMark struct{ X, W int }

func (w *Web) calendarOf(r *request) (Calendar, error) {
	year := w.clock.Now().UTC().Year()
	if text := r.query("year"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1990 || n > 2200 {
			return Calendar{}, fault.InvalidInput(fault.Field{Pointer: "/year", Code: "out-of-range", Detail: "1990 to 2200."})
		}
		year = n
	}
	return w.house.Calendar(r.ctx, r.viewer, year, r.query("collection"))
}

func (w *Web) calendar(r *request) (reply, error) {
	c, err := w.calendarOf(r)
	if err != nil {
		return reply{}, err
	}
	return reply{page: "calendar", title: "sessions.calendar", data: drawCalendar(c)}, nil
}

// drawCalendar places a bar for each session in the year, under its audience, and a mark wherever it overlaps another one.
func drawCalendar(c Calendar) calendarPage {
	from, to := time.Date(c.Year, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(c.Year+1, 1, 1, 0, 0, 0, 0, time.UTC)
	x := func(t time.Time) int {
		if t.Before(from) {
			t = from
		}
		if t.After(to) {
			t = to
		}
		return calendarLeft + int(t.Sub(from)/time.Minute*(calendarWidth-calendarLeft)/(to.Sub(from)/time.Minute))
	}
	p := calendarPage{Calendar: c}
	for m := time.January; m <= time.December; m++ {
		first := time.Date(c.Year, m, 1, 0, 0, 0, 0, time.UTC)
		p.Months = append(p.Months, calendarMonth{X: x(first), First: first})
	}
	y := calendarTop
	for i, s := range c.Sessions {
		if i == 0 || s.For() != c.Sessions[i-1].For() {
			p.Groups = append(p.Groups, calendarGroup{s.For(), y})
			y += calendarRow
		}
		b := calendarBar{Session: s, X: x(*s.StartsAt), Y: y}
		b.W = max(x(*s.EndsAt)-b.X, 3)
		for _, o := range c.Overlaps {
			if o.A == s.Key || o.B == s.Key {
				if left, right := x(o.From), x(o.Until); right > left {
					b.Marks = append(b.Marks, calendarMark{left, right - left})
				}
			}
		}
		p.Bars = append(p.Bars, b)
		for i := range p.Months {
			if m := &p.Months[i]; s.StartsAt.Before(m.First.AddDate(0, 1, 0)) && s.EndsAt.After(m.First) {
				m.Bars = append(m.Bars, b)
			}
		}
		y += calendarRow
	}
	p.Height = y + 8
	return p
}

// TextX is where the key of a bar stands: beside it, on the side where there is room.
func (b calendarBar) TextX() int {
	if b.X+b.W > calendarWidth-120 {
		return b.X - 6
	}
	return b.X + b.W + 6
}

// Anchor is the end of the key that stands at TextX.
func (b calendarBar) Anchor() string {
	if b.X+b.W > calendarWidth-120 {
		return "end"
	}
	return "start"
}

func (w *Web) calendarFile(r *request) (reply, error) {
	c, err := w.calendarOf(r)
	if err != nil {
		return reply{}, err
	}
	name := "calendar-" + strconv.Itoa(c.Year)
	against := map[string][]string{}
	for _, o := range c.Overlaps {
		against[o.A], against[o.B] = append(against[o.A], o.B), append(against[o.B], o.A)
	}
	switch r.param("format") {
	case "json":
		type line struct {
			Key      string    `json:"session"`
			Course   string    `json:"course"`
			Audience string    `json:"audience"`
			Kind     string    `json:"kind"`
			State    string    `json:"publication"`
			Starts   time.Time `json:"starts_at"`
			Ends     time.Time `json:"ends_at"`
			Overlaps []string  `json:"overlaps"`
		}
		lines := []line{}
		for _, s := range c.Sessions {
			lines = append(lines, line{s.Key, s.CourseKey, s.For(), string(s.Kind), string(s.Publication), s.StartsAt.UTC(), s.EndsAt.UTC(), append([]string{}, against[s.Key]...)})
		}
		b, err := json.MarshalIndent(map[string]any{"year": c.Year, "collection": c.Collection, "sessions": lines}, "", "  ")
		return reply{file: &File{Name: name + ".json", ContentType: "application/json", Content: append(b, '\n')}}, err
	case "csv":
		lines := [][]string{{"session", "course", "audience", "kind", "publication", "starts_at", "ends_at", "overlaps"}}
		for _, s := range c.Sessions {
			lines = append(lines, []string{s.Key, s.CourseKey, s.For(), string(s.Kind), string(s.Publication), s.StartsAt.UTC().Format(time.RFC3339), s.EndsAt.UTC().Format(time.RFC3339), strings.Join(against[s.Key], " ")})
		}
		var b bytes.Buffer
		err := csv.NewWriter(&b).WriteAll(lines)
		return reply{file: &File{Name: name + ".csv", ContentType: "text/csv; charset=utf-8", Content: b.Bytes()}}, err
	}
	return reply{}, fault.New(fault.NotFound, "no-such-page", "There is no such page.")
}
