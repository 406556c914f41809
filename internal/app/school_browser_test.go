package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"cursus/internal/domain/identity"
	"cursus/internal/domain/progress"
	"cursus/internal/platform/postgres"
)

// adversary is somebody of a school who puts together all that she is told: how many of those whom she does not know by name are in which groups, by how
// far somebody is at the most.
type adversary struct {
	groups int
	told   [][]*big.Rat // of each thing she is told: which groups it is of, and how many people these are
	what   []string
}

func (a *adversary) learns(what string, people int64, from, to int) {
	row := make([]*big.Rat, a.groups+1)
	for i := range row {
		row[i] = new(big.Rat)
	}
	for i := from; i < to; i++ {
		row[i].SetInt64(1)
	}
	row[a.groups].SetInt64(people)
	a.told, a.what = append(a.told, row), append(a.what, what)
}

// worksOut says whether sums and differences of what she is told give how many are in some groups that are next to each other, and how many that is.
func (a *adversary) worksOut(from, to int) (people int64, does bool) {
	rows := make([][]*big.Rat, 0, len(a.told)+1)
	for _, r := range a.told {
		c := make([]*big.Rat, len(r))
		for i := range r {
			c[i] = new(big.Rat).Set(r[i])
		}
		rows = append(rows, c)
	}
	target := make([]*big.Rat, a.groups+1)
	for i := range target {
		target[i] = new(big.Rat)
		if i >= from && i < to {
			target[i].SetInt64(1)
		}
	}
	less := func(row, by []*big.Rat, times *big.Rat) {
		for i := range row {
			row[i].Sub(row[i], new(big.Rat).Mul(by[i], times))
		}
	}
	for column := range a.groups {
		pivot := slices.IndexFunc(rows, func(r []*big.Rat) bool { return r[column].Sign() != 0 })
		if pivot < 0 {
			continue
		}
		by := rows[pivot]
		rows = slices.Delete(rows, pivot, pivot+1)
		for _, r := range append([][]*big.Rat{target}, rows...) {
			less(r, by, new(big.Rat).Quo(r[column], by[column]))
		}
	}
	for _, x := range target[:a.groups] {
		if x.Sign() != 0 {
			return 0, false
		}
	}
	return -target[a.groups].Num().Int64(), true // what was taken away until nothing of it was left
}

// A school signs in and puts everything together that it can get of its cohort: its figures, drawn and as a table, the numbers of the cohort on the
// page, in the files, and those of candidates for the exam, beside the names of who agrees. Nothing says, and no sum or difference of what is said
// gives, that some group has 1 to 9 people whom it does not know by name.
func TestASchoolWorksOutNobody(t *testing.T) {
	w, mails := newSite(t)
	c, people := w.followed(64, 15)
	teacher := w.person("teacher@esp.example.org", "Teacher")
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		if err := identity.PutPartnerRoleTx(ctx, tx, "ESP", teacher.ID, identity.RoleTeacher); err != nil {
			return err
		}
		return identity.PutPartnerRoleTx(ctx, tx, "ESP", teacher.ID, identity.RoleOwner)
	})
	b := newTabFor(t, 5*time.Minute)
	w.signIn(b, mails, teacher.Email)
	shown := 0
	for n, round := range []struct {
		at    [4]int // enrolled, started, diligent, succeeded
		agree [4]int // of each
	}{
		{[4]int{20, 14, 12, 18}, [4]int{0, 0, 0, 0}},
		{[4]int{30, 4, 12, 18}, [4]int{0, 0, 0, 0}},
		{[4]int{22, 13, 14, 15}, [4]int{4, 0, 0, 12}},
		{[4]int{40, 0, 12, 12}, [4]int{0, 0, 0, 0}},
		{[4]int{25, 13, 12, 14}, [4]int{24, 12, 11, 13}},
		{[4]int{53, 0, 0, 11}, [4]int{1, 0, 0, 1}},
		{[4]int{41, 11, 3, 9}, [4]int{10, 0, 0, 0}},
	} {
		var rows []string
		i := 0
		for stage, many := range round.at {
			for k := range many {
				w.agrees(people[i], k < round.agree[stage])
				rows = append(rows, fmt.Sprintf("%d,%s,l%d,%s,,honor,N/A,%s,N,N/A,enrolled", 500+i, people[i].Email, i, []string{"0.0,Not Attempted,Not Attempted,0.0", "0.1,1.0,Not Attempted,0.5", "0.3,1.0,0.5,0.75", "0.8,1.0,0.5,0.75"}[stage], map[bool]string{true: "Y", false: "N"}[stage == 3]))
				i++
			}
		}
		w.grades(w.h.Clock.Now(), rows...)
		w.quiet()
		told := len(w.schoolReads(b, c.ID, fmt.Sprintf("round %d, %v of whom %v agree", n, round.at, round.agree)))
		shown += told
	}
	if shown < 20 {
		t.Error("it is told next to nothing: ", shown)
	}
	w.verify()
}

// schoolReads reads everything in a tab and gives what it is told of whom it does not know.
func (w *world) schoolReads(b tab, cohort, when string) []string {
	t := w.t
	t.Helper()
	a := &adversary{groups: len(progress.Stages)}
	at := w.cfg.BaseURL + "/cohorts/" + cohort
	var file struct {
		Counts   progress.Counts
		Learners []struct {
			Shared  bool
			Courses []struct{ Session, Stage string }
		}
	}
	b.open(at + "/progress")
	tables := func() (all [][][]string) {
		if err := json.Unmarshal([]byte(ask[string](b, `JSON.stringify(Array.from(document.querySelectorAll("table")).map((t) => Array.from(t.rows).map((r) => Array.from(r.cells).map((c) => c.textContent.trim()))))`)), &all); err != nil {
			t.Fatal(err)
		}
		return all
	}
	page := tables()
	fetched := func(end string) string {
		return ask[string](b, `(() => { const x = new XMLHttpRequest(); x.open("GET", location.pathname + "`+end+`", false); x.send(); return x.responseText })()`)
	}
	if err := json.Unmarshal([]byte(fetched(".json")), &file); err != nil {
		t.Fatal(err)
	}
	csv := fetched(".csv")
	named := make([]int64, a.groups+1) // the last: all
	members := int64(0)
	for _, l := range file.Learners {
		if members++; l.Shared {
			for _, c := range l.Courses {
				named[slices.Index(progress.Stages, c.Stage)]++
				named[a.groups]++
			}
		}
	}
	if n := int64(strings.Count(csv, ",enrolled,true,")); n != named[a.groups] {
		t.Errorf("%s: the table names %d, the file for programs %d", when, n, named[a.groups])
	}
	of := func(from, to int) (n int64) {
		for _, x := range named[from:to] {
			n += x
		}
		return n
	}
	learns := func(what string, people int64, from, to int) {
		if people > 0 && people < 10 {
			t.Errorf("%s: %s tells of %d", when, what, people)
		}
		a.learns(what, people-of(from, to), from, to)
	}
	learns("the members", members, 0, a.groups)
	for _, s := range file.Counts.Sessions {
		if s.Learners != nil {
			learns("the total of "+s.Session, int64(*s.Learners), 0, a.groups)
		}
		var numbers []string
		for k, cell := range slices.Concat(s.Furthest, s.Pace) {
			text := "kept back"
			if cell.Count != nil {
				text = strconv.Itoa(*cell.Count)
				if k < len(s.Furthest) {
					learns("furthest "+cell.Name, int64(*cell.Count), k, k+1)
				} else if *cell.Count > 0 && *cell.Count < 10 {
					t.Errorf("%s: pace %s of %d", when, cell.Name, *cell.Count)
				}
				switch cell.Name { // who did not start is silent, who succeeded is on time; in these files nobody else is
				case string(progress.Silent):
					learns("silent", int64(*cell.Count), 0, 1)
				case string(progress.Behind):
					learns("behind", int64(*cell.Count), 1, 2)
				case string(progress.OnTime):
					learns("on time", int64(*cell.Count), 2, a.groups)
				}
			}
			numbers = append(numbers, text)
		}
		var onPage []string
		for _, rows := range page[:2] {
			onPage = append(onPage, rows[len(rows)-1]...)
		}
		if !slices.Equal(onPage, numbers) {
			t.Errorf("%s: the page says %q, the file %q", when, onPage, numbers)
		}
	}
	b.open(at + "/candidates")
	if cells := tables()[0]; len(cells) == 2 {
		groups := [][2]int{{0, 3}, {3, 4}, {4, 5}, {5, 6}, {6, 7}, {7, 8}}
		for k, text := range cells[1] {
			if n, err := strconv.ParseInt(text, 10, 64); err == nil {
				learns("candidates "+cells[0][k], n, groups[k][0], groups[k][1])
			}
		}
	}
	b.open(w.cfg.BaseURL + "/partners/ESP/figures")
	from := map[string]int{"Enrolled": 0, "Paying": 0, "Started": 1, "Diligent": 2, "Succeeded": 3, "Eligible": 3, "Booked": 4, "Sat": 5, "Passed": 6, "Certified": 7}
	figure := tables()
	if len(figure) != 1 || len(figure[0]) != 2 {
		t.Fatalf("%s: the figures are %q", when, figure)
	}
	for k, head := range figure[0][0] {
		text := figure[0][1][k]
		if first, ok := from[head]; ok {
			if n, err := strconv.ParseInt(text, 10, 64); err == nil {
				learns("the figure's "+head, n, first, a.groups)
			}
		} else if head == "Net" && text != "" && text != "–" && text != "—" { // at 150.00 each
			digits := strings.Map(func(r rune) rune {
				if r >= '0' && r <= '9' {
					return r
				}
				return -1
			}, text)
			if n, err := strconv.ParseInt(digits, 10, 64); err == nil {
				learns("the net", n/15000, 0, a.groups)
			}
		}
	}
	for from := range a.groups {
		for to := from + 1; to <= a.groups; to++ {
			if n, does := a.worksOut(from, to); does && n != 0 && n > -10 && n < 10 && (from > 0 || to < a.groups) { // who did not agree is no secret
				t.Errorf("%s: of those whom it does not know by name %d are %s, by %q", when, n, strings.Join(progress.Stages[from:to], " or "), a.what)
			}
		}
	}
	return a.what
}
