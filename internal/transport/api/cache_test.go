package api_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"cursus/api/contract"
	"cursus/internal/kernel/clock"
	"cursus/internal/transport"
	"cursus/internal/transport/api"
	"cursus/internal/transport/api/apitest"
)

// cachedHouse serves a fake house with a cache that hears of changes; at is the next instant at which answers change by themselves.
func cachedHouse(t *testing.T) (rooms *fake, w *apitest.Walker, cache *api.Cache, now *clock.Manual, at *time.Time) {
	t.Helper()
	rooms, now, at = &fake{}, clock.NewManual(time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)), new(time.Time)
	cache = api.NewCache(now, func(_ context.Context, after time.Time) (*time.Time, error) {
		if at.After(after) {
			return at, nil
		}
		return nil, nil //nolint:nilnil // there is none
	})
	cache.Hears(true)
	narrow, err := apitest.WithoutAreas(contract.YAML)
	if err != nil {
		t.Fatal(err)
	}
	a, err := api.New(api.Options{Rooms: rooms, Authenticate: authenticate, Contract: narrow, Clock: now, Cache: cache})
	if err != nil {
		t.Fatal(err)
	}
	s, err := transport.NewServer(transport.Options{API: a})
	if err != nil {
		t.Fatal(err)
	}
	if w, err = apitest.New(narrow, s.Test); err != nil {
		t.Fatal(err)
	}
	return rooms, w, cache, now, at
}

// asked counts how often the rooms were asked by f.
func asked(rooms *fake, f func()) int {
	before := len(rooms.calls)
	f()
	return len(rooms.calls) - before
}

func TestAPublicReadIsKept(t *testing.T) {
	rooms, w, cache, now, at := cachedHouse(t)
	get := func() apitest.Answer { return w.Do(t, w.Example("getCourse")) }
	var first apitest.Answer
	expect := func(what string, want int) {
		t.Helper()
		if n := asked(rooms, func() {
			if a := get(); first.Body != nil && (string(a.Body) != string(first.Body) || a.Header.Get("ETag") != first.Header.Get("ETag")) {
				t.Errorf("%s: another answer: %s", what, a.Body)
			}
		}); n != want {
			t.Errorf("%s: the rooms were asked %d times, want %d", what, n, want)
		}
	}
	expect("first", 1)
	first = get()
	expect("again", 0)
	cache.Drop()
	expect("after a change", 1)
	cache.Hears(false)
	expect("when nobody hears", 1)
	expect("when nobody hears, again", 1)
	cache.Hears(true)
	expect("after the silence", 1)
	expect("after the silence, again", 0)
	now.Advance(3 * time.Second)
	expect("after some seconds", 1)
	*at = now.Now().Add(time.Second)
	cache.Drop()
	expect("before a boundary", 1)
	expect("before a boundary, again", 0)
	now.Advance(time.Second)
	expect("at the boundary", 1)
	w.Do(t, with(w, "createSession"))
	expect("after a change of our own", 1)
	if answers, bytes := cache.Size(); answers != 1 || bytes < len(first.Body) {
		t.Error(answers, bytes)
	}
}

// What was read before a change is not kept after it, however late its answer was made.
func TestAnAnswerThatWasOvertakenIsNotKept(t *testing.T) {
	rooms, w, cache, _, _ := cachedHouse(t)
	rooms.before = cache.Drop
	w.Do(t, w.Example("getCourse"))
	rooms.before = nil
	if answers, _ := cache.Size(); answers != 0 {
		t.Error("it was kept")
	}
}

func TestConditionalReads(t *testing.T) {
	_, w, _, _, _ := cachedHouse(t)
	tag := w.Do(t, w.Example("getSession")).Header.Get("ETag")
	if !strings.HasPrefix(tag, `"3-`) {
		t.Fatal(tag)
	}
	for _, kept := range []bool{true, false} {
		for given, want := range map[string]int{
			tag: 304, "W/" + tag: 304, `"x", ` + tag: 304, "*": 304, `"3"`: 200, strings.Trim(tag, `"`): 200, "": 200, `"` + strings.Repeat("a", 3000) + `"`: 200,
		} {
			r := w.Example("getSession")
			r.Header.Set("If-None-Match", given)
			if !kept {
				r.Query = ""
				w.Do(t, with(w, "putExercises")) // a change: nothing is kept
			}
			a := w.Do(t, r)
			if a.Status != want || want == 304 && len(a.Body) > 0 || a.Header.Get("ETag") != tag {
				t.Errorf("If-None-Match %.40s: %d %q %s, want %d", given, a.Status, a.Body, a.Header.Get("ETag"), want)
			}
		}
	}
	address := "/v1/courses/PRD"
	for range 2 {
		if a := w.Raw(t, "HEAD", address, apitest.Request{}); a.Status != 200 || len(a.Body) > 0 || a.Header.Get("ETag") == "" || a.Header.Get("Content-Length") == "0" {
			t.Errorf("HEAD: %d %v", a.Status, a.Header)
		}
	}
	if a := w.Raw(t, "GET", address, apitest.Request{}); a.Status != 200 || len(a.Body) == 0 {
		t.Errorf("GET after HEAD: %d %q", a.Status, a.Body)
	}
	if a := w.Raw(t, "GET", address, apitest.Request{Body: []byte("x")}); a.Status != 400 {
		t.Errorf("a GET with a body: %d", a.Status)
	}
}

// A problem is not kept, nor what a principal may see alone; and a contract that asks for that does not start.
func TestWhatIsNotKept(t *testing.T) {
	rooms, w, cache, _, _ := cachedHouse(t)
	for _, o := range w.Operations() {
		w.Do(t, with(w, o.ID))
		public := o.ID == "listCourses" || o.ID == "getCourse" || o.ID == "getSession"
		if answers, _ := cache.Size(); (answers > 0) != public {
			t.Errorf("%s: %d answers are kept", o.ID, answers)
		}
		cache.Drop()
	}
	r := w.Example("getCourse")
	r.Query = "nothing=1"
	w.Do(t, r)
	rooms.failing = fmt.Errorf("broken")
	w.Do(t, w.Example("getCourse"))
	if answers, _ := cache.Size(); answers != 0 {
		t.Error("a problem is kept")
	}
	for _, wrong := range []string{"x-scope: learning:read\n      x-cache: public", "x-scope: public\n      x-cache: private"} {
		old, _, _ := strings.Cut(wrong, "\n")
		broken := strings.Replace(string(contract.YAML), old+"\n", wrong+"\n", 1)
		if _, err := api.New(api.Options{Rooms: &fake{}, Authenticate: authenticate, Contract: []byte(broken)}); err == nil {
			t.Errorf("a contract with %q starts", wrong)
		}
	}
}

// However many addresses are asked for, the memory has a bound; the answers that are used stay.
func TestTheCacheIsBounded(t *testing.T) {
	rooms, w, cache, _, _ := cachedHouse(t)
	rooms.summary = strings.Repeat("x", 1<<20)
	get := func(course string) { w.Raw(t, "GET", "/v1/courses/"+course, apitest.Request{}) }
	for i := range 60 {
		get(fmt.Sprint("C-", i))
		if n := asked(rooms, func() { get("C-0") }); n != 0 {
			t.Fatalf("what is used was forgotten after %d others", i)
		}
	}
	if answers, bytes := cache.Size(); bytes > 32<<20 || answers < 20 {
		t.Error(answers, bytes)
	}
}
