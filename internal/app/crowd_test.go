package app_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"cursus/internal/domain/certificates"
	"cursus/internal/platform/postgres"
)

// crowd is how many learners are certified at once while the process dies twice.
func crowd() int {
	if os.Getenv("CURSUS_LONG") != "" {
		return 10_000
	}
	return 150
}

// scripts are what the names of a crowd are made of: some that PDF's own fonts have, some for which a face is embedded.
var scripts = []string{"Zoé O’Hara", "Aïcha N’Diaye", "Ọláyínká Adébáyọ̀", "Łukasz Żółć", "محمد عبد السلام", "王小明", "Юлия Қайратова", "さくら 山田"}

// certifiesThrough issues certificates to a crowd with distinct names while the process is killed from outside, once while it awards and once while it
// prints: in the end each has one certificate, one document, one badge and one mail. The memory of the last process is looked at on its way.
func (p *program) certifiesThrough(n int) {
	p.t.Helper()
	rows := make([]string, n)
	for i := range rows {
		rows[i] = fmt.Sprintf("%d,crowd%d@example.org,crowd%d,0.9,1.0,0.5,0.75,,honor,N/A,Y,N,N/A,enrolled", 100_000+i, i, i)
	}
	p.imported(time.Now().UTC().Add(time.Minute), rows...)
	p.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		names, subjects := make([]string, n), make([]string, n)
		for i := range names {
			names[i], subjects[i] = fmt.Sprint(scripts[i%len(scripts)], " ", i), strconv.Itoa(100_000+i)
		}
		_, err := tx.Exec(ctx, postgres.Query{Name: "test", SQL: `update identity.people p set full_name = x.name, email = 'crowd' || x.subject || '@example.org'
		  from unnest(string_to_array($1, ';'), string_to_array($2, ';')) x(subject, name) join identity.external_ids e on e.subject = x.subject where e.person_id = p.id`},
			strings.Join(subjects, ";"), strings.Join(names, ";"))
		return err
	})
	b, err := p.h.Certificates.Issue(system, "crowd", certificates.NewBatch{Kind: "attestation", Session: p.session.Key})
	if err != nil || b.Total < n {
		p.t.Fatalf("%+v %v", b, err)
	}
	now := func() certificates.Batch {
		x, err := p.h.Certificates.Batch(system, b.ID)
		if err != nil {
			p.t.Fatal(err)
		}
		return x
	}
	began := time.Now()
	wait := func(what string, holds func(certificates.Batch) bool, seen func(certificates.Batch)) {
		p.t.Helper()
		for end := time.Now().Add(time.Minute + time.Duration(n)*100*time.Millisecond); ; time.Sleep(20 * time.Millisecond) {
			x := now()
			if seen(x); holds(x) {
				return
			}
			if time.Now().After(end) {
				p.t.Fatalf("in vain waited until %s: %+v", what, x)
			}
		}
	}
	unseen := func(certificates.Batch) {}
	p.start("certificate batch worked")
	p.dies("certificate batch worked")
	for _, kill := range []struct {
		what  string
		holds func(certificates.Batch) bool
	}{
		{"some are awarded", func(x certificates.Batch) bool { return x.Issued > rand.IntN(n/2) }},      //nolint:gosec // any moment will do
		{"some are printed", func(x certificates.Batch) bool { return x.Printed > n/3+rand.IntN(n/3) }}, //nolint:gosec // as above
	} {
		p.start("")
		wait(kill.what, kill.holds, unseen)
		if err := p.child.Process.Kill(); err != nil {
			p.t.Fatal(err)
		}
		<-p.ended
		x := now()
		p.t.Logf("killed when %s: of %d %d awarded, %d printed", kill.what, x.Total, x.Issued, x.Printed)
		if x.State == "done" {
			p.t.Error("it was done before it was killed")
		}
	}
	p.start("")
	var memory []int
	wait("all is printed", func(x certificates.Batch) bool { return x.State == "done" }, func(certificates.Batch) { memory = append(memory, resident(p.child.Process.Pid)) })
	took := time.Since(began)
	wait("the queue is empty", func(certificates.Batch) bool {
		c, err := p.h.Jobs.Count(context.Background())
		return err == nil && c.Ready == 0
	}, unseen)
	p.t.Logf("%d certificates awarded, printed, badged and mailed in %.1f s: %.0f/s", b.Total, took.Seconds(), float64(b.Total)/took.Seconds())
	if third := len(memory) / 3; third > 0 && memory[0] > 0 {
		first, last := slices.Max(memory[:third]), slices.Max(memory[2*third:])
		p.t.Logf("resident memory of the last process: at most %d MiB in the first third of its way, %d MiB in the last", first>>10, last>>10)
		if n >= 10_000 && last > first+64<<10 {
			p.t.Error("its memory grew")
		}
	}
	p.counts(map[string]int{
		"select count(*) from certificates.batch_items where batch_id = '" + b.ID + "' and state = 'issued'":                                                                      b.Total,
		"select count(*) from certificates.certificates where kind = 'attestation'":                                                                                               b.Total,
		"select count(distinct learner_id) from certificates.certificates where kind = 'attestation'":                                                                             b.Total,
		"select count(distinct code) from certificates.certificates where kind = 'attestation'":                                                                                   b.Total,
		"select count(distinct d.sha256) from certificates.documents d join certificates.certificates c on c.id = d.certificate_id where c.kind = 'attestation'":                  b.Total,
		"select count(*) from badges.credentials d join certificates.certificates c on c.id = d.certificate_id where c.kind = 'attestation'":                                      b.Total,
		"select count(distinct facts ->> 'holder_name') from certificates.certificates c join identity.people p on p.id = c.learner_id where p.email like 'crowd%'":               n,
		"select count(*) from certificates.certificates c join identity.people p on p.id = c.learner_id where p.email like 'crowd%' and c.facts ->> 'holder_name' <> p.full_name": 0,
	})
	p.stop()
}

// resident is the memory that a process holds, in KiB; 0 where /proc is not there to ask.
func resident(pid int) int {
	status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(status), "VmRSS:")
	cells := strings.Fields(after)
	if len(cells) == 0 {
		return 0
	}
	n, _ := strconv.Atoi(cells[0])
	return n
}
