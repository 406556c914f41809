package app_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	client "cursus/api"
	"cursus/api/contract"
	"cursus/internal/app"
	"cursus/internal/kernel/clock"
	"cursus/internal/testkit"
	"cursus/internal/transport"
	"cursus/internal/transport/api"
)

// How many courses a large catalogue has, and how the server is asked: this many connections for this long, each always busy.
const (
	manyCourses = 2000
	connections = 16
	loadFor     = 2 * time.Second
)

// largeCatalogue is a house with 2,000 courses of three sessions each.
func largeCatalogue(b *testing.B) *app.House {
	b.Helper()
	dsn := testkit.OwnerDSN(b)
	cfg := testConfig(dsn, "http://127.0.0.1:1", b.TempDir())
	cfg.BaseURL = "http://bench.test"
	h, err := app.Open(context.Background(), cfg, app.Options{Clock: clock.System{}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = h.Close() })
	owner := testkit.Owner(b, dsn)
	for _, s := range []string{
		`with made as (insert into catalog.collections (id, key, version, state, visible, published_version, published_at)
		               select 'cln_' || n, 'COL-' || n, 1, 'published', true, 1, now() from generate_series(1, 20) n returning id, key)
		 insert into catalog.collection_versions (collection_id, version, title_en, title_fr, summary_en, summary_fr, written_by, written_at)
		 select id, 1, 'Collection ' || key, '', '', '', 'system', now() from made`,
		`insert into catalog.courses (id, key, collection_id, position, title_en, title_fr, summary_en, level, workload_hours, language, created_at)
		 select 'crs_' || n, 'C-' || n, 'cln_' || (n % 20 + 1), n, (array['Routing','Fibre','Radio','Security','Sensors','Queues','Light'])[n % 7 + 1] || ' of networks ' || n,
		        'Réseaux ' || n, 'What course ' || n || ' is about, in a sentence or two for those who choose.', (array['pre_bachelor','bachelor','post_bachelor'])[n % 3 + 1], 25,
		        (array['fr','en'])[n % 2 + 1], now() from generate_series(1, 2000) n`,
		`insert into catalog.sessions (id, key, course_id, number, title_en, platform, threshold_ppm, starts_at, ends_at, created_at)
		 select 'ses_' || n, 'S-' || n, 'crs_' || (n % 2000 + 1), n % 3 + 1, 'Session ' || n, 'fun', 500000, now() + (n % 300) * interval '1 day', now() + (n % 300 + 50) * interval '1 day', now()
		   from generate_series(1, 6000) n`,
		`analyze catalog.courses`, `analyze catalog.sessions`,
	} {
		if _, err := owner.Exec(s); err != nil {
			b.Fatal(err)
		}
	}
	return h
}

// BenchmarkCatalogue asks a catalogue of 2,000 courses over TCP: uncached for the latency of lists, filters and searches, cached
// for the throughput beside a bare Fiber endpoint that encodes the same answer, under the same load in the same run. The load is a
// Go client on raw connections that are kept; it shares the processors with the server.
func BenchmarkCatalogue(b *testing.B) {
	h := largeCatalogue(b)
	cold := serveBench(b, coldServer(b, h))
	for name, query := range map[string]string{"list": "limit=50", "filter": "limit=50&level=bachelor&language=fr", "search": "limit=50&q=fibre%20net"} {
		latencies, status := oneByOne(b, cold, "/v1/courses?"+query, 300)
		if status != http.StatusOK {
			b.Errorf("%s: status %d", name, status)
		}
		b.ReportMetric(float64(latencies[150].Microseconds())/1000, name+"-p50-ms")
		b.ReportMetric(float64(latencies[296].Microseconds())/1000, name+"-p99-ms")
	}
	warm, err := app.NewServer(h, contract.YAML, nil)
	if err != nil {
		b.Fatal(err)
	}
	cached := serveBench(b, warm)
	address := "/v1/courses?limit=10"
	for h.Kept() == 0 {
		body(b, cached, address)
	}
	same := body(b, cached, address)
	var page client.CoursePage
	if err := unmarshal(same, &page); err != nil {
		b.Fatal(err)
	}
	bare := fiber.New(fiber.Config{DisableStartupMessage: true})
	bare.Get("/bare", func(c *fiber.Ctx) error { return c.JSON(page) })
	bareAt := listen(b)
	go func() { _ = bare.Listener(bareAt) }()
	b.Cleanup(func() { _ = bare.Shutdown() })
	for range b.N {
		var ours, theirs float64
		for range 3 { // in turns, so that both have the same weather
			ours += throughput(b, cached, address)
			theirs += throughput(b, bareAt.Addr().String(), "/bare")
		}
		b.ReportMetric(float64(len(same)), "answer-bytes")
		b.ReportMetric(ours/3, "cached-GET/s")
		b.ReportMetric(theirs/3, "bare-fiber-GET/s")
		b.ReportMetric(ours/theirs, "of-bare-fiber")
	}
}

// coldServer is the API of a house without a cache.
func coldServer(b *testing.B, h *app.House) *transport.Server {
	b.Helper()
	rooms := app.NewRooms(h)
	a, err := api.New(api.Options{Rooms: rooms, Authenticate: rooms.Authenticate, Contract: contract.YAML})
	if err != nil {
		b.Fatal(err)
	}
	s, err := transport.NewServer(transport.Options{API: a})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

func serveBench(b *testing.B, s *transport.Server) string {
	b.Helper()
	l := listen(b)
	go func() { _ = s.Serve(l) }()
	b.Cleanup(func() { _ = s.Shutdown(context.Background()) })
	return l.Addr().String()
}

// wire is a connection that is kept.
type wire struct {
	c       net.Conn
	in      *bufio.Reader
	request []byte
}

func dial(b *testing.B, at, address string) *wire {
	b.Helper()
	c, err := net.Dial("tcp", at)
	if err != nil {
		b.Fatal(err)
	}
	return &wire{c, bufio.NewReaderSize(c, 64<<10), []byte("GET " + address + " HTTP/1.1\r\nHost: bench\r\n\r\n")}
}

var lengthHeader = []byte("Content-Length: ")

// get asks once and reads the whole answer; into, where given, gets the body.
func (w *wire) get(into *[]byte) (status int, err error) {
	if _, err = w.c.Write(w.request); err != nil {
		return 0, err
	}
	length := 0
	for line := []byte{0}; len(line) > 0; {
		if line, err = w.in.ReadSlice('\n'); err != nil {
			return 0, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if status == 0 {
			status, err = strconv.Atoi(string(line[9:12]))
		} else if rest, ok := bytes.CutPrefix(line, lengthHeader); ok {
			length, err = strconv.Atoi(string(rest))
		}
		if err != nil {
			return 0, err
		}
	}
	if into == nil {
		_, err = w.in.Discard(length)
		return status, err
	}
	*into = make([]byte, length)
	_, err = io.ReadFull(w.in, *into)
	return status, err
}

func body(b *testing.B, at, address string) (out []byte) {
	b.Helper()
	w := dial(b, at, address)
	defer func() { _ = w.c.Close() }()
	if status, err := w.get(&out); err != nil || status != http.StatusOK {
		b.Fatal(status, err)
	}
	return out
}

// oneByOne asks one after the other and gives the latencies, sorted.
func oneByOne(b *testing.B, at, address string, times int) (took []time.Duration, status int) {
	b.Helper()
	w := dial(b, at, address)
	defer func() { _ = w.c.Close() }()
	for i := range times + 20 {
		began := time.Now()
		var err error
		if status, err = w.get(nil); err != nil {
			b.Fatal(err)
		}
		if i >= 20 { // the first ones prepare statements
			took = append(took, time.Since(began))
		}
	}
	slices.Sort(took)
	return took, status
}

// throughput asks on all connections at once and gives the answers per second.
func throughput(b *testing.B, at, address string) float64 {
	b.Helper()
	var answers atomic.Int64
	var group sync.WaitGroup
	end := time.Now().Add(loadFor)
	for range connections {
		w := dial(b, at, address)
		group.Go(func() {
			defer func() { _ = w.c.Close() }()
			for time.Now().Before(end) {
				if status, err := w.get(nil); err != nil || status != http.StatusOK {
					b.Error(status, err)
					return
				}
				answers.Add(1)
			}
		})
	}
	group.Wait()
	return float64(answers.Load()) / loadFor.Seconds()
}

func unmarshal(raw []byte, into any) error {
	if !strings.HasPrefix(string(raw), "{") {
		return fmt.Errorf("no JSON: %.80s", raw)
	}
	return json.Unmarshal(raw, into)
}
