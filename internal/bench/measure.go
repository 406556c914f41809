package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"cursus/internal/books/journey"
	"cursus/internal/kernel/clock"
	"cursus/internal/platform/postgres"
)

// Result is how fast one question was answered. Its limit is the time in which the processor reads as many bytes from memory as the database
// touched for it, by the bandwidth that was measured in the same run.
type Result struct {
	Name     string
	Aim      time.Duration // of P99; zero: none
	P50, P99 time.Duration
	Bytes    int64 // of pages that the database touched for one answer, on the average
	Limit    time.Duration
	Failed   string // why there is no answer; else empty
}

// Share is the limit as thousandths of the median: 1000 is as fast as memory.
func (r Result) Share() int64 {
	if r.P50 == 0 {
		return 0
	}
	return int64(r.Limit * 1000 / r.P50)
}

// question is a path of the API for a session, or for several.
type question struct {
	name string
	aim  time.Duration
	path func(keys []string) string
}

func figure(id, asOf string, with ...string) string {
	ask := url.Values{}
	if len(with) > 0 {
		ask.Set("parameters", strings.Join(with, ";"))
	}
	if asOf != "" {
		ask.Set("as_of", asOf)
	}
	return "/v1/figures/" + id + "?" + ask.Encode()
}

const (
	ofOne  = 10 * time.Millisecond
	ofMany = 50 * time.Millisecond
	ofPage = 20 * time.Millisecond
)

// questions are what is measured. The instant is one at which some sessions are over, one is on its way, and others have not begun.
func questions(at time.Time) []question {
	past := at.Format(time.RFC3339)
	session := func(k []string) string { return "session:" + k[0] }
	several := func(k []string) string { return "sessions:" + strings.Join(k, ",") }
	return []question{
		{"funnel of a session", ofOne, func(k []string) string { return "/v1/sessions/" + k[0] + "/indicators" }},
		{"funnel of a session, as of", ofOne, func(k []string) string { return "/v1/sessions/" + k[0] + "/indicators?as_of=" + past }},
		{"bubbles of a session", ofOne, func(k []string) string { return figure("temporal_progression", "", session(k)) }},
		{"bubbles of a session, as of", ofOne, func(k []string) string { return figure("temporal_progression", past, session(k)) }},
		{"bands of a session", ofOne, func(k []string) string { return figure("exercise_quality", "", session(k)) }},
		{"first page of a list", ofPage, func([]string) string { return "/v1/certificate-lists/eligible_not_booked/learners?of=all" }},
		{"first page of a list, as of", ofPage, func([]string) string {
			return "/v1/certificate-lists/eligible_not_booked/learners?of=all&as_of=" + past
		}},
		{"lists and their sizes, open sessions, as of", ofMany, func([]string) string { return figure("certificate_lists", past) }},
		{"comparison of all sessions", ofMany, func([]string) string { return figure("comparison", "") }},
		{"comparison of all sessions, as of", ofMany, func([]string) string { return figure("comparison", past) }},
		{"QUALIFYING, all sessions", ofMany, func([]string) string { return figure("qualifying", "") }},
		{"QUALIFYING, all sessions, as of", ofMany, func([]string) string { return figure("qualifying", past) }},
		{"QUALIFYING, 5 sessions", ofMany, func(k []string) string { return figure("qualifying", "", several(k)) }},
		{"cube by session", ofMany, func([]string) string { return figure("outcome_cube", "", "by:session") }},
		{"cube by month and session", ofMany, func([]string) string { return figure("outcome_cube", "", "by:month,session") }},
		{"cube by month and country, as of", ofMany, func([]string) string { return figure("outcome_cube", past, "by:month,country") }},
		{"cube by offer, money of the certified", ofMany, func([]string) string { return figure("outcome_cube", "", "by:offer;money_of:certified") }},
		{"waterfall of all", ofMany, func([]string) string { return figure("waterfall", "") }},
		{"waterfall of all, as of", ofMany, func([]string) string { return figure("waterfall", past) }},
		{"share of partners", ofMany, func([]string) string { return figure("partner_share", "") }},
		{"break-even of a session", ofOne, func(k []string) string { return figure("break_even", "", session(k)) }},
		{"price points of a session", ofOne, func(k []string) string { return figure("price_points", "", session(k)) }},
		{"cohorts by month, all sessions", ofMany, func([]string) string { return figure("cohort_heat", "") }},
		{"cohorts by month, all sessions, as of", ofMany, func([]string) string { return figure("cohort_heat", past) }},
		{"dual enrolment with all sessions", ofMany, func(k []string) string { return figure("dual_enrolment", "", session(k)) }},
		{"dual enrolment with all sessions, as of", ofMany, func(k []string) string { return figure("dual_enrolment", past, session(k)) }},
		{"dual matrix, 5 sessions", ofMany, func(k []string) string { return figure("dual_matrix", "", several(k)) }},
		{"common enrolments, 5 sessions", ofMany, func(k []string) string { return figure("common_enrolment", "", several(k)) }},
		{"common enrolments, 5 sessions, as of", ofMany, func(k []string) string { return figure("common_enrolment", past, several(k)) }},
		{"started in sequence, 5 sessions", ofMany, func(k []string) string { return figure("started_sequence", "", several(k)) }},
		{"started in sequence, 5 sessions, as of", ofMany, func(k []string) string { return figure("started_sequence", past, several(k)) }},
	}
}

// Measure asks each question whose name has the text only in it so many times, one after the other, of sessions drawn at random, over HTTP. at is where
// the house listens.
func Measure(ctx context.Context, owner *postgres.DB, at, token string, sessions int64, times int, only string, told func(done, of int, what string)) (all []Result, bandwidth int64, err error) {
	bandwidth = memory()
	debug.FreeOSMemory() // or what it read would count as in use, and the house would let so much more garbage grow
	asked := questions(time.Date(2015, 3, 2, 0, 0, 0, 0, time.UTC).AddDate(5, 0, 0))
	asked = slices.DeleteFunc(asked, func(q question) bool { return !strings.Contains(q.name, only) })
	luck := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same at each call
	var clock clock.System
	for i, question := range asked {
		told(i, len(asked), question.name)
		r := Result{Name: question.name, Aim: question.aim}
		took := make([]time.Duration, 0, times)
		var before, after int64
		for k := -3; k < times && r.Failed == ""; k++ { // three to warm up
			if k == 0 {
				if before, err = touched(ctx, owner); err != nil {
					return nil, 0, err
				}
			}
			keys := make([]string, 5)
			for j := range keys {
				for keys[j] == "" || slices.Contains(keys[:j], keys[j]) {
					keys[j] = fmt.Sprint("S", 1+luck.Int64N(sessions))
				}
			}
			began := clock.Now()
			if err := get(ctx, at+question.path(keys), token); ctx.Err() != nil {
				return nil, 0, err
			} else if err != nil {
				r.Failed = err.Error()
			}
			if k >= 0 {
				took = append(took, clock.Now().Sub(began))
			}
		}
		if after, err = touched(ctx, owner); err != nil {
			return nil, 0, err
		}
		if slices.Sort(took); r.Failed == "" {
			r.P50, r.P99, r.Bytes = took[len(took)/2], took[len(took)*99/100], (after-before)*8192/int64(times)
			r.Limit = time.Duration(r.Bytes * int64(time.Second) / bandwidth)
		}
		all = append(all, r)
	}
	told(len(asked), len(asked), "")
	return all, bandwidth, nil
}

func get(ctx context.Context, address, token string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = a.Body.Close() }()
	if a.StatusCode != http.StatusOK {
		var problem struct{ Detail string }
		_ = json.NewDecoder(a.Body).Decode(&problem)
		return fmt.Errorf("%s answers %d: %s", address, a.StatusCode, problem.Detail)
	}
	_, err = io.Copy(io.Discard, a.Body) // read to its end, and not kept: this process is the house, too
	return err
}

// touched waits until the server's connections have told what they read: they do so once a second.
func touched(ctx context.Context, owner *postgres.DB) (pages int64, err error) {
	select {
	case <-time.After(1200 * time.Millisecond):
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	err = owner.View(ctx, "touched", func(ctx context.Context, tx *postgres.Tx) error { return tx.Get(ctx, &pages, q.Q("Read")) })
	return pages, err
}

// memory is how many bytes one core reads in a second, from more than its caches hold.
func memory() int64 {
	words, sum := make([]uint64, 32<<20), uint64(0) // 256 MiB
	for i := range words {
		words[i] = uint64(i) //nolint:gosec // so that the pages are there
	}
	var clock clock.System
	began := clock.Now()
	for range 4 {
		for i := 0; i+8 <= len(words); i += 8 { // a line of the cache
			sum += words[i] + words[i+1] + words[i+2] + words[i+3] + words[i+4] + words[i+5] + words[i+6] + words[i+7]
		}
	}
	took := clock.Now().Sub(began)
	if sum == 0 {
		return 1
	}
	return int64(4*len(words)*8) * int64(time.Second) / int64(took)
}

// Writes is how many changes of stages a second are written, in batches as an import has them, and read exactly after each.
func Writes(ctx context.Context, db *postgres.DB, sessions int64, batches int) (perSecond int64, err error) {
	const batch = 2000
	var clock clock.System
	var took time.Duration
	written := 0
	for i := range batches {
		session := fmt.Sprint("ses_", 1+int64(i)%sessions)
		var before, after journey.Counts
		var changes []journey.Change
		count := func(into *journey.Counts) error {
			return db.View(ctx, "count", func(ctx context.Context, tx *postgres.Tx) (err error) {
				*into, err = journey.CountsTx(ctx, tx, journey.Question{SessionID: session, Basis: "ever"})
				return err
			})
		}
		if err := count(&before); err != nil {
			return 0, err
		}
		err := db.View(ctx, "who has not started", func(ctx context.Context, tx *postgres.Tx) error {
			changes = nil
			var ids []string
			err := tx.Select(ctx, &ids, q.Q("Enrolled"), session, batch)
			for _, id := range ids {
				changes = append(changes, journey.Change{EnrolmentID: id, Stage: journey.Started, At: tx.Now(), Reached: true, Cause: "bench"})
			}
			return err
		})
		if err != nil {
			return 0, err
		}
		began := clock.Now()
		if err := db.InTx(ctx, "write", func(ctx context.Context, tx *postgres.Tx) error { return journey.RecordTx(ctx, tx, changes) }); err != nil {
			return 0, err
		}
		took += clock.Now().Sub(began)
		written += len(changes)
		if err := count(&after); err != nil {
			return 0, err
		}
		if after.Started != before.Started+int64(len(changes)) {
			return 0, fmt.Errorf("of %s %d had started, %d did now, and the count says %d", session, before.Started, len(changes), after.Started)
		}
	}
	if took == 0 {
		return 0, nil
	}
	return int64(written) * int64(time.Second) / int64(took), nil
}
