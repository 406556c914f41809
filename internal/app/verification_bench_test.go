package app_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"cursus/api/contract"
	"cursus/internal/app"
	"cursus/internal/kernel/ident"
	"cursus/internal/testkit"
)

// verifiable is how many certificates there are to ask for: more than anything keeps.
const verifiable = 10_000

// verifiableCodes copies the certificate of somebody to as many other people, and gives the codes.
func (w *world) verifiableCodes(b *testing.B) []string {
	b.Helper()
	made := w.certified(w.person("zoe@example.org", "Zoé O’Hara").ID)
	owner := testkit.Owner(b, w.dsn)
	for _, s := range []string{
		fmt.Sprintf(`insert into identity.people (id, email, full_name, created_at) select 'per_b' || n, 'b' || n || '@example.org', 'Aïcha N’Diaye ' || n, now() from generate_series(1, %d) n`, verifiable),
		fmt.Sprintf(`insert into certificates.certificates (id, kind, stage, entitlement, enrolment_id, learner_id, session_id, code, facts, issued_at)
		  select 'cer_b' || n, 'attestation', 'succeeded', '', c.enrolment_id, 'per_b' || n, c.session_id, md5(random()::text), c.facts || jsonb_build_object('holder_name', 'Aïcha N’Diaye ' || n), c.issued_at
		    from certificates.certificates c, generate_series(1, %d) n where c.id = '%s'`, verifiable, made["certificate"]),
		`insert into certificates.documents (certificate_id, pdf, sha256, rendered_at) select id, convert_to(id, 'UTF8'), sha256(convert_to(id, 'UTF8')), issued_at from certificates.certificates where id like 'cer\_b%'`,
		`analyze certificates.certificates`, `analyze certificates.documents`,
	} {
		if _, err := owner.Exec(s); err != nil {
			b.Fatal(err)
		}
	}
	rows, err := owner.Query(`select code from certificates.certificates where id like 'cer\_b%'`)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var codes []string
	for rows.Next() {
		var code string
		if err := rows.Scan(&code); err != nil {
			b.Fatal(err)
		}
		codes = append(codes, code)
	}
	if err := rows.Err(); err != nil || len(codes) != verifiable {
		b.Fatal(len(codes), err)
	}
	return codes
}

// BenchmarkVerification asks for certificates at random, each of 10,000 as likely, over TCP on connections that are always busy: the JSON and the page,
// and in the same run, in turns, a bare Fiber endpoint that answers the same bytes. The load is a Go client in this process; it shares the processors
// with the server and with PostgreSQL, and its time is a part of our own. Codes that are not there are asked for too: from one address few are answered.
func BenchmarkVerification(b *testing.B) {
	w := newWorld(b)
	codes := w.verifiableCodes(b)
	s, err := app.NewServer(w.h, contract.YAML, nil)
	if err != nil {
		b.Fatal(err)
	}
	at := serveBench(b, s)
	for _, door := range []struct{ name, path string }{{"JSON", "/v1/verifications/"}, {"page", "/verify/"}} {
		b.Run(door.name, func(b *testing.B) {
			same, kind := body(b, at, door.path+codes[0]), fiber.MIMEApplicationJSON
			if door.name == "page" {
				kind = fiber.MIMETextHTMLCharsetUTF8
			}
			bare := fiber.New(fiber.Config{DisableStartupMessage: true})
			bare.Get(door.path+":code", func(c *fiber.Ctx) error { c.Set(fiber.HeaderContentType, kind); return c.Send(same) })
			bareAt := listen(b)
			go func() { _ = bare.Listener(bareAt) }()
			b.Cleanup(func() { _ = bare.Shutdown() })
			for range b.N {
				var ours, theirs float64
				var server, database time.Duration
				var took []time.Duration
				for range 3 { // in turns, so that both have the same weather
					before := w.spent(b)
					n, each := asked(b, at, door.path, codes)
					after := w.spent(b)
					server, database = server+after.ours-before.ours, database+after.postgres-before.postgres
					ours, took = ours+n, append(took, each...)
					n, _ = asked(b, bareAt.Addr().String(), door.path, codes)
					theirs += n
				}
				slices.Sort(took)
				b.ReportMetric(float64(len(same)), "answer-bytes")
				b.ReportMetric(ours/3, "verified/s")
				b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
				b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
				b.ReportMetric(float64(server.Microseconds())/float64(len(took)), "our-cpu-us/answer")
				b.ReportMetric(float64(database.Microseconds())/float64(len(took)), "postgres-cpu-us/answer")
				b.ReportMetric(theirs/3, "bare-fiber/s")
				b.ReportMetric(ours/theirs, "of-bare-fiber")
			}
		})
	}
	// Whoever guesses is held up soon.
	refused := 0
	for range 100 {
		guess := dial(b, at, "/v1/verifications/"+ident.Secret(16))
		status, err := guess.get(nil)
		_ = guess.c.Close()
		if err != nil {
			b.Fatal(err)
		}
		if status == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused < 60 {
		b.Error("of 100 guesses only", refused, "were held up")
	}
}

// asked asks for the certificates of codes on all connections at once, at random, and gives the answers per second and how long each took.
func asked(b *testing.B, at, path string, codes []string) (perSecond float64, took []time.Duration) {
	b.Helper()
	var mu sync.Mutex
	var group sync.WaitGroup
	end := time.Now().Add(loadFor)
	for range connections {
		w := dial(b, at, path)
		group.Go(func() {
			defer func() { _ = w.c.Close() }()
			var mine []time.Duration
			for began := time.Now(); began.Before(end); began = time.Now() {
				w.request = []byte("GET " + path + codes[rand.IntN(len(codes))] + " HTTP/1.1\r\nHost: bench\r\n\r\n") //nolint:gosec // no secret
				if status, err := w.get(nil); err != nil || status != http.StatusOK {
					b.Error(status, err)
					return
				}
				mine = append(mine, time.Since(began))
			}
			mu.Lock()
			defer mu.Unlock()
			took = append(took, mine...)
		})
	}
	group.Wait()
	return float64(len(took)) / loadFor.Seconds(), took
}
