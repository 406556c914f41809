package app_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/intakes"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

// foundByFuzzing is what is kept of every parser of files of a learning platform, by a name each.
func foundByFuzzing(t *testing.T) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for fuzz, room := range map[string]string{"FuzzIntakes": "gradebook", "FuzzStatements": "gradebook", "FuzzSurvey": "surveys", "FuzzForum": "surveys"} {
		for name, raw := range testkit.CorpusOf(t, "../domain/"+room, fuzz) {
			all[strings.TrimPrefix(fuzz, "Fuzz")+"-"+name] = raw
		}
	}
	// Beside what is odd, one that each door takes: where nothing is taken, nothing is shown.
	all["Survey-plain"] = []byte("email,routing before,routing after\nann@example.org,3,8\n")
	return all
}

// What fuzzing found goes through the doors of a whole house: each file to each operation that takes one, dry and in earnest, and at the page, as files
// that come together. Each is taken in or refused for what stands in it: no answer says that something broke, and no job that it caused fails.
func TestWhatFuzzingFoundAtEveryDoor(t *testing.T) {
	w, mails := newSite(t)
	w.aSurvey()
	walker := w.walk(w.h)
	d := w.newDesk(t, mails, "ann@example.org")
	officer := w.person("ann@example.org", "Staff Member")
	token := w.token(officer.ID)
	files := foundByFuzzing(t)
	names := slices.Sorted(maps.Keys(files))
	said := map[string]int{}
	put := func(name, operation string, path map[string]string, q, kind string) {
		t.Helper()
		r := walker.Example(operation)
		r.Token, r.Body, r.Query = token, files[name], q
		maps.Copy(r.Path, path)
		r.Header.Set("Content-Type", kind)
		if r.Header.Get("Idempotency-Key") != "" {
			r.Header.Set("Idempotency-Key", operation+name+q)
		}
		got := walker.Do(t, r)
		if said[fmt.Sprint(operation, " ", got.Status)]++; got.Status >= http.StatusInternalServerError || got.Status == http.StatusTooManyRequests {
			t.Errorf("%s of %s %s: %d %.300s\n%.300q", operation, name, q, got.Status, got.Body, files[name])
		}
	}
	session := map[string]string{"session": w.session.Key}
	for i, name := range names {
		kind := "text/csv"
		if text := strings.TrimLeft(string(files[name]), " \t\r\n"); strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[") {
			kind = "application/x-ndjson"
		}
		for _, dry := range []string{"&dry_run=true", ""} {
			named := "file_name=" + url.QueryEscape(fmt.Sprintf("%s_2026-01-%02d-%02d00.csv", name, 1+i/24, i%24)) + dry
			put(name, "importGrades", session, named, kind)
			put(name, "importForum", session, named, kind)
			put(name, "importSurvey", map[string]string{"session": w.session.Key, "moment": "closing"}, named, "text/csv")
			put(name, "importExamResults", session, named, "text/csv")
		}
		put(name, "recordStatements", session, "", []string{"application/x-ndjson", "application/json"}[i%2])
	}
	for _, operation := range []string{"importGrades 201", "importForum 201", "importSurvey 201", "recordStatements 200", "importGrades 400"} {
		if said[operation] == 0 {
			t.Error("never: ", operation, " of ", said)
		}
	}
	if n := said["recordStatements 415"]; n > 0 {
		t.Error(n, " batches of statements are of a type that is not taken")
	}
	for some := range slices.Chunk(names, 40) {
		w.batchOf(d, files, some)
	}
	w.quiet()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		var failed []string
		err := tx.Select(ctx, &failed, postgres.Query{Name: "test", SQL: "select kind || ': ' || failure from jobs.queue where failure <> ''"})
		for _, f := range failed {
			t.Error("a job that fails: ", f)
		}
		return err
	})
	w.verify()
}

// batchOf sends files to the page, waits until they are tried, has them applied, and waits for that.
func (w *world) batchOf(d *desk, files map[string][]byte, names []string) {
	w.t.Helper()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error { // where no file was before
		_, err := catalog.CreateSessionTx(ctx, tx, catalog.NewSession{Key: "FZ-" + strconv.Itoa(len(names)), CourseKey: "PRD", Title: catalog.Text{EN: "Found by fuzzing"}, Platform: "fun", ThresholdPPM: 500_000})
		return err
	})
	d.open("/console/imports?session=FZ-" + strconv.Itoa(len(names)))
	f := d.form("/console/imports")
	for i, name := range names {
		f.files = append(f.files, [2]string{fmt.Sprintf("%s_2026-01-%02d-%02d00.csv", name, 1+i/24, i%24), string(files[name])})
	}
	f.press("", "")
	at := d.at
	if !strings.HasPrefix(at, "/console/files/") {
		w.t.Fatal("the files are not taken: ", at)
	}
	id := strings.TrimPrefix(at, "/console/files/")
	for _, then := range []string{"apply", ""} {
		w.until("the files are done", func() bool {
			b, err := w.h.Intakes.Batch(system, id)
			return err == nil && !b.Runs()
		})
		d.open(at)
		if then != "" {
			d.form(at).press("do", then)
		}
	}
	b, err := w.h.Intakes.Batch(system, id)
	if err != nil {
		w.t.Fatal(err)
	}
	states := map[string]int{}
	for _, file := range b.Files {
		if states[file.State]++; file.Problem != nil && file.Problem.Code == "internal" {
			w.t.Errorf("%s: %+v", file.Name, file.Problem)
		}
	}
	w.t.Log(b.State, states)
	if states[intakes.FileTaken] == 0 || states[intakes.FileRefused] == 0 {
		w.t.Error("of the files that came together: ", b.State, states)
	}
}
