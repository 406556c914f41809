package programs_test

import (
	"fmt"
	"math/bits"
	"math/rand"
	"reflect"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"cursus/internal/domain/programs"
)

var noon = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

// chance draws true in about p of 100 cases.
func chance(t *rapid.T, p int, label string) bool { return rapid.IntRange(0, 99).Draw(t, label) < p }

func bar(t *rapid.T, p int, label string) *int {
	if !chance(t, p, label+"?") {
		return nil
	}
	n := rapid.IntRange(1, 10).Draw(t, label) * 100_000
	return &n
}

const outsiders = 7

func outside(i int) string { return fmt.Sprintf("X%d", i) }

// drawContent draws a program of up to 40 courses in nested groups, whose rules the validator accepts.
func drawContent(t *rapid.T, most int) programs.Content {
	n := rapid.IntRange(1, most).Draw(t, "courses")
	bars := make([]programs.Equivalence, outsiders)
	for i := range bars {
		bars[i] = programs.Equivalence{Key: outside(i), Certified: chance(t, 30, "certified"), MinGradePPM: bar(t, 30, "outside grade")}
	}
	next := 0
	var parts func(count, depth int) []programs.Node
	parts = func(count, depth int) (out []programs.Node) {
		for count > 0 {
			if size := rapid.IntRange(2, 6).Draw(t, "size"); depth < 3 && count >= size && chance(t, 30, "group") {
				inner := parts(size, depth+1)
				count -= size
				able := 0
				for _, p := range inner {
					if p.Group != nil || p.Course != nil && !p.Course.Optional {
						able++
					}
				}
				if able == 0 {
					inner[0].Course.Optional, able = false, 1
				}
				out = append(out, programs.Node{Group: &programs.Group{Need: rapid.IntRange(1, able).Draw(t, "need"), Parts: inner}})
				continue
			}
			count--
			out = append(out, programs.Node{Course: drawCourse(t, next, n, bars)})
			next++
		}
		return out
	}
	c := programs.Content{Language: "fr", Parts: parts(n, 0)}
	c.Title.EN = "A program"
	if err := c.Validate(func(string) bool { return true }); err != nil {
		t.Fatalf("the generator makes what the validator refuses: %+v", err)
	}
	return c
}

func course(i int) string { return fmt.Sprintf("C%02d", i) }

func drawCourse(t *rapid.T, i, n int, bars []programs.Equivalence) *programs.CourseRule {
	c := &programs.CourseRule{
		Key: course(i), Optional: chance(t, 15, "optional"), MinGradePPM: bar(t, 30, "grade"), WorkloadHours: rapid.IntRange(0, 30).Draw(t, "hours"),
	}
	for j := range n {
		switch {
		case j < i && chance(t, 4, "after"):
			c.After = append(c.After, course(j))
		case j != i && i > 0 && chance(t, 2, "any"):
			c.AfterAny = append(c.AfterAny, course(j))
		}
	}
	if len(c.AfterAny) > 0 && c.AfterAny[0] > c.Key {
		c.AfterAny = append(c.AfterAny, course(0))
	}
	for _, e := range bars {
		if chance(t, 20, "equivalent") {
			c.Equivalents = append(c.Equivalents, e)
		}
	}
	return c
}

func drawEdition(t *rapid.T, c programs.Content) programs.Edition {
	day := func(label string, p int) *time.Time {
		if !chance(t, p, label+"?") {
			return nil
		}
		at := noon.AddDate(0, 0, rapid.IntRange(-100, 100).Draw(t, label))
		return &at
	}
	e := programs.Edition{StartsAt: day("start", 80)}
	if end := day("end", 20); end != nil && (e.StartsAt == nil || end.After(*e.StartsAt)) {
		e.EndsAt = end
	}
	for _, x := range c.Courses() {
		if x.Optional && chance(t, 30, "no session") {
			continue
		}
		s := programs.EditionSession{CourseKey: x.Key, SessionKey: x.Key + "-1", Opening: rapid.SampledFrom(programs.Openings).Draw(t, "opening"), StartsAt: day("session", 20)}
		if s.Opening == programs.OnDate {
			at := noon.AddDate(0, 0, rapid.IntRange(-50, 50).Draw(t, "on"))
			s.OpensAt = &at
		}
		s.EndsAt = day("session end", 5)
		e.Sessions = append(e.Sessions, s)
	}
	return e
}

func drawResult(t *rapid.T, c programs.Content) programs.Result {
	key := outside(rapid.IntRange(0, outsiders-1).Draw(t, "outsider"))
	if all := c.Courses(); chance(t, 70, "inside") {
		key = all[rapid.IntRange(0, len(all)-1).Draw(t, "of")].Key
	}
	r := programs.Result{
		Course: key, Session: fmt.Sprintf("%s-%d", key, rapid.IntRange(1, 3).Draw(t, "session")), Passed: chance(t, 60, "passed"), Certified: chance(t, 30, "certified"),
		At: noon.Add(-time.Duration(rapid.IntRange(0, 9).Draw(t, "hours ago")) * time.Hour),
	}
	r.GradePPM = bar(t, 70, "result grade")
	return r
}

func drawFacts(t *rapid.T, c programs.Content) programs.Facts {
	f := programs.Facts{Enrolled: map[string]bool{}}
	for range rapid.IntRange(0, 40).Draw(t, "results") {
		f.Results = append(f.Results, drawResult(t, c))
	}
	for _, x := range c.Courses() {
		f.Enrolled[x.Key] = chance(t, 90, "enrolled")
	}
	return f
}

// oracle judges a path in another way than the engine: by the definitions, course by course, with Hall's condition over all sets of
// outside courses in place of augmenting paths.
type oracle struct {
	c       programs.Content
	e       programs.Edition
	f       programs.Facts
	courses []programs.CourseRule
	done    map[string]bool
}

func newOracle(c programs.Content, e programs.Edition, f programs.Facts) oracle {
	o := oracle{c: c, e: e, f: f, courses: c.Courses(), done: map[string]bool{}}
	accepted := map[string]bool{}
	for _, r := range f.Results {
		for _, x := range o.courses {
			if r.Course == x.Key && (x.MinGradePPM == nil && (r.Passed || r.Certified) || x.MinGradePPM != nil && r.GradePPM != nil && *r.GradePPM >= *x.MinGradePPM) {
				o.done[x.Key] = true
			}
			for _, q := range x.Equivalents {
				grade := q.MinGradePPM != nil && r.GradePPM != nil && *r.GradePPM >= *q.MinGradePPM
				if r.Course == q.Key && (!q.Certified || r.Certified) && (grade || q.MinGradePPM == nil && (q.Certified || r.Passed || r.Certified)) {
					accepted[q.Key] = true
				}
			}
		}
	}
	var basis []programs.CourseRule
	for _, optional := range []bool{false, true} {
		for _, x := range o.courses {
			if x.Optional == optional && !o.done[x.Key] && hall(append(slices.Clone(basis), x), accepted) {
				basis = append(basis, x)
			}
		}
	}
	for _, x := range basis {
		o.done[x.Key] = true
	}
	return o
}

// hall says whether all of these courses can have an outside course each: no set of outside courses is the only hope of more courses
// than it has members.
func hall(of []programs.CourseRule, accepted map[string]bool) bool {
	for set := range 1 << outsiders {
		only := 0
		for _, x := range of {
			inside := true
			for _, q := range x.Equivalents {
				inside = inside && (!accepted[q.Key] || set>>int(q.Key[1]-'0')&1 == 1)
			}
			if inside {
				only++
			}
		}
		usable := set
		for i := range outsiders {
			if !accepted[outside(i)] {
				usable &^= 1 << i
			}
		}
		if only > bits.OnesCount(uint(usable)) {
			return false
		}
	}
	return true
}

func (o oracle) kept(n programs.Node) bool {
	if n.Course != nil {
		return o.done[n.Course.Key]
	}
	return o.count(n.Group.Parts) >= n.Group.Need
}

func (o oracle) count(parts []programs.Node) (have int) {
	for _, n := range parts {
		if (n.Course == nil || !n.Course.Optional) && o.kept(n) {
			have++
		}
	}
	return have
}

func (o oracle) complete() bool {
	for _, n := range o.c.Parts {
		if (n.Course == nil || !n.Course.Optional) && !o.kept(n) {
			return false
		}
	}
	return true
}

// needed looks for the way from the root to a course that meets no group which is kept.
func (o oracle) needed(key string) bool {
	var find func(parts []programs.Node) bool
	find = func(parts []programs.Node) bool {
		for _, n := range parts {
			if n.Course != nil && n.Course.Key == key {
				return !n.Course.Optional && !o.done[key]
			}
			if n.Group != nil && !o.kept(n) && find(n.Group.Parts) {
				return true
			}
		}
		return false
	}
	return !o.complete() && find(o.c.Parts)
}

// whyNot lists, as text, what keeps a course closed at noon.
func (o oracle) whyNot(i int) (all []string) {
	x, s, months, offered := o.courses[i], programs.EditionSession{}, 0, false
	for _, candidate := range o.e.Sessions {
		if candidate.CourseKey == x.Key {
			s, offered = candidate, true
			break
		}
		if candidate.Opening == programs.Monthly {
			months++
		}
	}
	if !offered {
		return []string{"no_session"}
	}
	if o.e.EndsAt != nil && !noon.Before(*o.e.EndsAt) || s.EndsAt != nil && !noon.Before(*s.EndsAt) {
		return []string{"over"}
	}
	if !o.f.Enrolled[x.Key] {
		all = append(all, "not_enrolled")
	}
	for _, key := range x.After {
		if !o.done[key] {
			all = append(all, "needs_passed "+key)
		}
	}
	if met := 0; len(x.AfterAny) > 0 {
		for _, key := range x.AfterAny {
			if o.done[key] {
				met++
			}
		}
		if met == 0 {
			all = append(all, "needs_one_of "+strings.Join(x.AfterAny, " "))
		}
	}
	if s.Opening == programs.AfterPrevious {
		for j := i - 1; j >= 0; j-- {
			before := o.courses[j]
			if o.done[before.Key] && !before.Optional {
				break
			}
			if o.needed(before.Key) {
				all = append(all, "needs_previous "+before.Key)
				break
			}
		}
	}
	dates := []*time.Time{o.e.StartsAt, s.StartsAt, s.OpensAt}
	if s.Opening == programs.Monthly && o.e.StartsAt != nil {
		day := *o.e.StartsAt
		for range months { // month by month: step to its first day, then to the day of the start, or the last there is
			day = time.Date(day.Year(), day.Month(), 1, day.Hour(), 0, 0, 0, time.UTC).AddDate(0, 1, 0)
		}
		for months > 0 && day.Day() < o.e.StartsAt.Day() && day.AddDate(0, 0, 1).Month() == day.Month() {
			day = day.AddDate(0, 0, 1)
		}
		dates = append(dates, &day)
	}
	for _, at := range dates {
		if at != nil && at.After(noon) {
			return append(all, "opens_on")
		}
	}
	return all
}

func said(reasons []programs.Reason) (all []string) {
	for _, r := range reasons {
		all = append(all, strings.TrimSpace(r.Code+" "+strings.Join(r.Courses, " ")))
	}
	return all
}

// What breaks: a learner reads "open" of a course that a rule still closes, or is kept out of one that no rule closes, or is told
// another reason than the one that holds.
func TestNoLockedCourseIsOpenAndNoOpenOneLocked(t *testing.T) {
	seen := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		c := drawContent(t, 40)
		e, f := drawEdition(t, c), drawFacts(t, c)
		p, o := programs.PathOf(c, e, f, noon), newOracle(c, e, f)
		for i, x := range p.Courses {
			why := o.whyNot(i)
			want := programs.Open
			switch {
			case o.done[x.Course]:
				want, why = programs.Done, nil
			case reflect.DeepEqual(why, []string{"opens_on"}):
				want = programs.Upcoming
			case why != nil:
				want = programs.Locked
			}
			got := said(x.Reasons)
			sort.Strings(got)
			sort.Strings(why)
			if x.Standing != want || !slices.Equal(got, why) {
				t.Fatalf("%s is %s because of %v; it ought to be %s because of %v", x.Course, x.Standing, got, want, why)
			}
			if x.Needed != o.needed(x.Course) {
				t.Fatalf("%s: needed %t", x.Course, x.Needed)
			}
			seen[string(want)]++
			for _, r := range x.Reasons {
				seen[r.Code]++
			}
		}
		if p.Complete != o.complete() {
			t.Fatalf("complete %t", p.Complete)
		}
		if p.Complete != (len(p.Next) == 0) {
			t.Fatalf("complete %t, next %v", p.Complete, p.Next)
		}
		for _, s := range p.Next {
			if s.Code == "follow" && (o.done[s.Course] || !o.needed(s.Course) && !unlocks(p, s.Course)) {
				t.Fatalf("next is %s, which is not needed and unlocks nothing", s.Course)
			}
		}
		if p.Complete && (p.HoursLeft != 0 || p.ECTSLeft != 0) {
			t.Fatalf("complete with %d hours left", p.HoursLeft)
		}
	})
	for _, what := range []string{"open", "upcoming", "locked", "done", "needs_passed", "needs_one_of", "needs_previous", "not_enrolled", "no_session", "over", "opens_on"} {
		if seen[what] < 5 {
			t.Errorf("%q was met %d times: the generator does not try it", what, seen[what])
		}
	}
}

// unlocks says whether a course that is not done is locked for want of this one.
func unlocks(p programs.Path, key string) bool {
	return slices.ContainsFunc(p.Courses, func(x programs.CoursePath) bool {
		return slices.ContainsFunc(x.Reasons, func(r programs.Reason) bool { return slices.Contains(r.Courses, key) })
	})
}

// What breaks: a learner is told that nothing can be done, while an open course would unlock what her certificate asks for.
func TestNobodyIsBlockedWhoCouldUnlockTheWay(t *testing.T) {
	blocked := 0
	rapid.Check(t, func(t *rapid.T) {
		c := drawContent(t, 40)
		e, f := drawEdition(t, c), drawFacts(t, c)
		for i := range e.Sessions {
			if e.Sessions[i].Opening == programs.AfterPrevious { // there, a pass changes which course is the one before
				e.Sessions[i].Opening = programs.AtOnce
			}
		}
		p := programs.PathOf(c, e, f, noon)
		if len(p.Next) == 0 || p.Next[0].Code != "blocked" {
			return
		}
		blocked++
		best, later := 1_000_000, p
		for grown := true; grown; {
			grown = false
			for _, x := range later.Courses {
				if x.Standing == programs.Open {
					f.Results, grown = append(f.Results, programs.Result{Course: x.Course, Session: x.Session, Passed: true, GradePPM: &best, At: noon}), true
				}
			}
			later = programs.PathOf(c, e, f, noon)
		}
		for i, x := range p.Courses {
			if x.Needed && later.Courses[i].Standing != programs.Locked {
				t.Fatalf("blocked by %s, which is %s when the open courses are passed", x.Course, later.Courses[i].Standing)
			}
		}
	})
	if blocked < 3 {
		t.Errorf("%d were blocked: the generator does not try it", blocked)
	}
}

// What breaks: the same, as an officer meets it: a course after an optional one, and one after the course of a choice that was made otherwise.
func TestNextNamesWhatUnlocks(t *testing.T) {
	rule := func(key string, after ...string) programs.Node {
		return programs.Node{Course: &programs.CourseRule{Key: key, After: after}}
	}
	optional, choice := rule("A"), programs.Group{Need: 1, Parts: []programs.Node{rule("A"), rule("B")}}
	optional.Course.Optional = true
	either := rule("C")
	either.Course.AfterAny = []string{"A", "B"}
	passedB := []programs.Result{{Course: "B", Session: "B-1", Passed: true, At: noon}}
	for name, x := range map[string]struct {
		parts   []programs.Node
		results []programs.Result
		want    []string
	}{
		"after an optional one":              {[]programs.Node{optional, rule("C", "A")}, nil, []string{"A"}},
		"after the other one of a choice":    {[]programs.Node{{Group: &choice}, rule("C", "A")}, passedB, []string{"A"}},
		"after one that is needed, or other": {[]programs.Node{optional, rule("B"), either}, nil, []string{"B"}},
	} {
		c, e, f := programs.Content{Parts: x.parts}, programs.Edition{}, programs.Facts{Results: x.results, Enrolled: map[string]bool{}}
		for _, r := range c.Courses() {
			e.Sessions = append(e.Sessions, programs.EditionSession{CourseKey: r.Key, SessionKey: r.Key + "-1", Opening: programs.AtOnce})
			f.Enrolled[r.Key] = true
		}
		var got []string
		for _, s := range programs.PathOf(c, e, f, noon).Next {
			if s.Code == "follow" {
				got = append(got, s.Course)
			}
		}
		if !slices.Equal(got, x.want) {
			t.Errorf("%s: next is %v, not %v", name, got, x.want)
		}
	}
}

// What breaks: a learner passes one more course, or gets a better grade or a certificate, and something that was done is not done any
// more, or an open course closes, or her certificate goes away.
func TestNewPassesTakeNothingAway(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawContent(t, 40)
		e, f := drawEdition(t, c), drawFacts(t, c)
		before := programs.PathOf(c, e, f, noon)
		for range rapid.IntRange(1, 6).Draw(t, "more") {
			f.Results = append(f.Results, drawResult(t, c))
			after := programs.PathOf(c, e, f, noon)
			if before.Complete && !after.Complete {
				t.Fatal("the certificate went away with", f.Results[len(f.Results)-1])
			}
			for i := range after.Courses {
				was, is := before.Courses[i], after.Courses[i]
				if was.Standing == programs.Done && is.Standing != programs.Done || was.Standing == programs.Open && is.Standing != programs.Open && is.Standing != programs.Done {
					t.Fatalf("%s was %s and is %s with %+v", is.Course, was.Standing, is.Standing, f.Results[len(f.Results)-1])
				}
			}
			if after.HoursLeft > before.HoursLeft {
				t.Fatalf("%d hours were left, now %d", before.HoursLeft, after.HoursLeft)
			}
			before = after
		}
	})
}

// What breaks: one result opens two doors, and a certificate is given for less work than it says.
func TestAnEquivalenceCountsOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawContent(t, 40)
		e, f := drawEdition(t, c), drawFacts(t, c)
		used := map[string]string{}
		for i, x := range programs.PathOf(c, e, f, noon).Courses {
			if x.Credit == nil {
				continue
			}
			if other := used[x.Credit.Course]; other != "" {
				t.Fatalf("%s counts for %s and for %s", x.Credit.Course, other, x.Course)
			}
			used[x.Credit.Course] = x.Course
			there := slices.ContainsFunc(f.Results, func(r programs.Result) bool { return r.Course == x.Credit.Course && r.Session == x.Credit.Session })
			named := slices.ContainsFunc(c.Courses()[i].Equivalents, func(q programs.Equivalence) bool { return q.Key == x.Credit.Course })
			if !there || x.Credit.Equivalent != named || x.Credit.Equivalent == (x.Credit.Course == x.Course) {
				t.Fatalf("%s counts by %+v", x.Course, *x.Credit)
			}
		}
	})
}

// What breaks: of two ways to use the outside courses the engine takes one that leaves an earlier required course undone.
func TestTheMatchingIsTheBestOfAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawContent(t, 7)
		f := drawFacts(t, c)
		courses := c.Courses()
		order := make([]int, 0, len(courses))
		for _, optional := range []bool{false, true} {
			for i, x := range courses {
				if x.Optional == optional {
					order = append(order, i)
				}
			}
		}
		got := ""
		path := programs.PathOf(c, drawEdition(t, c), f, noon)
		for _, i := range order {
			got += map[bool]string{true: "1", false: "0"}[path.Courses[i].Standing == programs.Done]
		}
		// Every way to give each outside course to one course or to none, the best as a number of bits.
		best := ""
		var give func(x int, done map[string]bool)
		give = func(x int, done map[string]bool) {
			if x == outsiders {
				word := ""
				for _, i := range order {
					word += map[bool]string{true: "1", false: "0"}[done[courses[i].Key]]
				}
				best = max(best, word)
				return
			}
			give(x+1, done)
			for _, k := range courses {
				alone := k
				alone.Equivalents = slices.DeleteFunc(slices.Clone(k.Equivalents), func(q programs.Equivalence) bool { return q.Key != outside(x) })
				single := programs.Content{Parts: []programs.Node{{Course: &alone}}}
				if !done[k.Key] && programs.PathOf(single, programs.Edition{}, f, noon).Courses[0].Standing == programs.Done {
					more := map[string]bool{k.Key: true}
					for d := range done {
						more[d] = true
					}
					give(x+1, more)
				}
			}
		}
		own := map[string]bool{}
		for _, k := range courses {
			alone := k
			alone.Equivalents = nil
			single := programs.Content{Parts: []programs.Node{{Course: &alone}}}
			if programs.PathOf(single, programs.Edition{}, f, noon).Courses[0].Standing == programs.Done {
				own[k.Key] = true
			}
		}
		if give(0, own); got != best {
			t.Fatalf("%s is done, %s could be", got, best)
		}
	})
}

// What breaks: two imports in another order give a learner another path.
func TestTheOrderOfResultsDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawContent(t, 40)
		e, f := drawEdition(t, c), drawFacts(t, c)
		for i := range f.Results { // one result for each session: that is what a gradebook has
			f.Results[i].Session += fmt.Sprint(i)
		}
		want := programs.PathOf(c, e, f, noon)
		rand.New(rand.NewSource(rapid.Int64().Draw(t, "seed"))).Shuffle(len(f.Results), func(i, j int) { f.Results[i], f.Results[j] = f.Results[j], f.Results[i] })
		if got := programs.PathOf(c, e, f, noon); !reflect.DeepEqual(got, want) {
			t.Fatalf("%+v\n%+v", got, want)
		}
	})
}

func leaves(parts []programs.Node) (all []programs.Node) {
	for _, n := range parts {
		if n.Group != nil {
			all = append(all, leaves(n.Group.Parts)...)
		} else {
			all = append(all, n)
		}
	}
	return all
}

// A required course after an optional one that unlocks it: 20 hours were shown where 40 are needed.
func TestTheLeastHasWhatUnlocksIt(t *testing.T) {
	c := programs.Content{Parts: []programs.Node{
		{Course: &programs.CourseRule{Key: "A", Optional: true, WorkloadHours: 20}},
		{Course: &programs.CourseRule{Key: "B", After: []string{"A"}, WorkloadHours: 20}},
	}}
	p := programs.PathOf(c, programs.Edition{}, programs.Facts{}, noon)
	if want := (programs.Span{Min: 40, Max: 40}); p.Totals.WorkloadHours != want || p.HoursLeft != 40 {
		t.Errorf("%+v, %d hours left", p.Totals.WorkloadHours, p.HoursLeft)
	}
	passed := programs.Facts{Results: []programs.Result{{Course: "A", Session: "A-1", Passed: true}}}
	if p := programs.PathOf(c, programs.Edition{}, passed, noon); p.HoursLeft != 20 {
		t.Errorf("%d hours left once the way is open", p.HoursLeft)
	}
}

// What breaks: the page promises less, or more, than what a learner really has to do.
func TestWhatIsLeftIsTheLeastOfAllWays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawContent(t, 9)
		if chance(t, 70, "with prerequisites") { // more than a program has: what is optional, or one of several, unlocks what is asked for
			before := []string{}
			for _, n := range leaves(c.Parts) {
				for _, key := range before {
					if chance(t, 20, "before") {
						n.Course.After = append(n.Course.After, key)
					}
				}
				n.Course.Optional = n.Course.Optional || len(c.Parts) > 2 && n == c.Parts[0] && chance(t, 50, "optional too")
				before = append(before, n.Course.Key)
			}
		}
		f := drawFacts(t, c)
		p := programs.PathOf(c, programs.Edition{}, f, noon)
		best, courses := -1, c.Courses()
		for set := range 1 << len(courses) {
			o, cost := newOracle(c, programs.Edition{}, f), 0
			left := 0 // of the set, that nothing has opened yet
			for grown := true; grown; {
				grown, left = false, 0
				for i, x := range courses {
					switch {
					case set>>i&1 == 0 || o.done[x.Key]:
					case slices.ContainsFunc(x.After, func(k string) bool { return !o.done[k] }) ||
						len(x.AfterAny) > 0 && !slices.ContainsFunc(x.AfterAny, func(k string) bool { return o.done[k] }):
						left++
					default:
						o.done[x.Key], grown = true, true
						cost += x.WorkloadHours
					}
				}
			}
			if left == 0 && o.complete() && (best < 0 || cost < best) {
				best = cost
			}
		}
		if p.HoursLeft != best {
			t.Fatalf("%d hours are left, %d would do", p.HoursLeft, best)
		}
		if nothing := programs.PathOf(c, programs.Edition{}, programs.Facts{}, noon); nothing.HoursLeft != nothing.Totals.WorkloadHours.Min {
			t.Fatalf("%d of %d hours are left at the beginning", nothing.HoursLeft, nothing.Totals.WorkloadHours.Min)
		}
	})
}
