package webhookgate_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cursus/internal/domain/webhooks"
	"cursus/internal/gateways/webhookgate"
)

// names is a resolver that answers what a test wants; a name may have several answers, one after the other.
type names struct {
	mu    sync.Mutex
	known map[string][][]string
	asked map[string]int
}

func (n *names) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	answers := n.known[host]
	if len(answers) == 0 {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	answer := answers[min(n.asked[host], len(answers)-1)]
	n.asked[host]++
	var out []netip.Addr
	for _, a := range answer {
		out = append(out, netip.MustParseAddr(a))
	}
	return out, nil
}

// canary listens inside and counts who comes.
type canary struct {
	port uint16
	hits atomic.Int64
}

func newCanary(t *testing.T) *canary {
	c := &canary{}
	listen := func(network, address string) net.Listener {
		l, err := (&net.ListenConfig{}).Listen(t.Context(), network, address)
		if err != nil {
			t.Logf("%s is not listened on: %v", address, err)
			return nil
		}
		t.Cleanup(func() { _ = l.Close() })
		go func() {
			for {
				connection, err := l.Accept()
				if err != nil {
					return
				}
				c.hits.Add(1)
				_, _ = fmt.Fprint(connection, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
				_ = connection.Close()
			}
		}()
		return l
	}
	l := listen("tcp4", "0.0.0.0:0") // all that is this machine, by whatever address
	c.port = netip.MustParseAddrPort(l.Addr().String()).Port()
	listen("tcp6", fmt.Sprintf("[::1]:%d", c.port))
	return c
}

// insideAddresses are written as anybody would; they stand behind names too.
var insideAddresses = []string{
	"127.0.0.1", "127.0.0.2", "127.1.2.3", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200", "100.127.255.254",
	"169.254.0.1", "169.254.169.254", "169.254.170.2", "172.16.0.1", "172.17.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.192", "192.0.2.1", "192.88.99.1",
	"192.168.0.1", "192.168.1.1", "192.168.255.255", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
	"168.63.129.16", "192.31.196.1", "192.52.193.1", "192.175.48.1",
	"::", "::1", "::2", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1",
	"100::1", "2001::1", "2001:0:7f00:1::", "2001:10::1", "2001:20::1", "2001:db8::1", "2002:7f00:1::1", "2002:a00:1::", "2002:a9fe:a9fe::1", "2620:4f:8000::1", "3fff::1",
	"2a00:1450::5efe:7f00:1", "2a00:1450::200:5efe:a00:1", "5f00::1", "fc00::1", "fd00::1", "fd00:ec2::254", "fd12:3456:789a::1", "fe80::1", "fec0::1", "ff02::1", "ff05::2", "4000::1",
}

func hostileTargets(p uint16) (all []string) {
	add := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	for _, a := range insideAddresses {
		host := a
		if strings.Contains(a, ":") {
			host = "[" + a + "]"
		}
		add("https://%s:%d/", host, p)
	}
	for _, host := range []string{ // this machine, as some parsers write it
		"2130706433", "017700000001", "0x7f000001", "0x7f.1", "0x7f.0.0.1", "127.1", "127.0.1", "0177.0.0.1", "0177.0.0.01", "127.0.0.0x1", "00000127.0.0.1", "127.0.0.1.", "1.0.0.127.in-addr.arpa",
		"3232235777", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.254.43518", "10.1", "0", "0.0", "00", "0x0", "256.256.256.256", "127.0.0.256", "4294967296",
		"localhost", "LOCALHOST", "localhost.", "localhost.localdomain", "a.localhost", "ip6-localhost", "metadata", "metadata.google.internal", "instance-data", "db", "postgres", "kubernetes.default.svc",
		"router.lan", "nas.local", "wiki.corp", "intra.home", "server.intranet", "x.internal", "host.docker.internal", "consul.service.consul", "a.test", "b.invalid", "c.onion", "d.example", "e.private",
		"①②⑦.⓪.⓪.①", "127。0。0。1", "ｌｏｃａｌｈｏｓｔ", "ⓛocalhost", "loc\u00adalhost", "exam\u200bple.com", "xn--", "-a.example.com", "a..example.com", ".example.com", "a_b.example.com", "%6c%6fcalhost", "127%2e0%2e0%2e1",
		"[::1%25lo]", "[fe80::1%25eth0]", "[::ffff:7f00:1]", "[0:0:0:0:0:0:0:1]", "[0:0:0:0:0:ffff:127.0.0.1]", "[::1", "::1", "[127.0.0.1]", "[localhost]",
	} {
		add("https://%s:%d/", host, p)
	}
	for _, target := range []string{ // who is asked is not who is written first
		"https://user@127.0.0.1:%d/", "https://user:pass@hooks.school.org:%d/", "https://hooks.school.org@127.0.0.1:%d/", "https://hooks.school.org:443@127.0.0.1:%d/", `https://hooks.school.org\@127.0.0.1:%d/`,
		"https://127.0.0.1:%d#@hooks.school.org/", "https://127.0.0.1:%d?@hooks.school.org/", "https://127.0.0.1:%d/@hooks.school.org", "https://hooks.school.org#@127.0.0.1:%d/", "https:///127.0.0.1:%d/", "https:127.0.0.1:%d", "//127.0.0.1:%d/",
		"https://hooks.school.org:%d/#x", "https:// 127.0.0.1:%d/", "https://127.0.0.1\t:%d/", "https://127.0.0.1:%d/\r\nHost: x", "\thttps://127.0.0.1:%d/", "https://127.0.0.1\x00.school.org:%d/", "https://@127.0.0.1:%d/", "https://:@127.0.0.1:%d/",
		// over something else
		"http://127.0.0.1:%d/", "http://hooks.school.org:%d/", "HTTP://127.0.0.1:%d/", "ftp://127.0.0.1:%d/", "gopher://127.0.0.1:%d/", "file://127.0.0.1:%d/etc/passwd", "file:///etc/passwd?%d", "ws://127.0.0.1:%d/", "wss://127.0.0.1:%d/", "unix:///run/postgresql:%d",
		"dict://127.0.0.1:%d/", "ldap://127.0.0.1:%d/", "javascript:alert(%d)", "data:text/plain,%d", "127.0.0.1:%d", "tcp://127.0.0.1:%d", "jar:https://127.0.0.1:%d!/", "netdoc://127.0.0.1:%d/",
	} {
		add(target, p)
	}
	for _, port := range []string{"22", "25", "80", "5432", "6379", "8080", "9200", "11211", "2375", "65536", "-1", "0", "0443", "443x", " 443", "", "+443", "4e2", "99999999999"} { // ports that are for something else
		add("https://hooks.school.org:%s/", port)
	}
	add("")
	add("https://")
	add("https://hooks.school.org/%s", strings.Repeat("a", 500))
	return all
}

// No way of writing an inside address, and no name that stands for one, now or a moment later, leads to it.
func TestHostileTargets(t *testing.T) {
	c := newCanary(t)
	resolver := &names{known: map[string][][]string{}, asked: map[string]int{}}
	targets := hostileTargets(c.port)
	behind := 0 // targets that are good to read, and stand for what is inside
	for i, a := range insideAddresses {
		host := fmt.Sprintf("h%d.school.org", i)
		resolver.known[host] = [][]string{{a}}
		targets = append(targets, fmt.Sprintf("https://%s:%d/", host, c.port))
		behind++
	}
	for host, answers := range map[string][][]string{ // "2d00::1" is public, and nobody's
		"both.school.org": {{"2d00::1", "127.0.0.1"}}, "first.school.org": {{"127.0.0.1", "2d00::1"}}, "rebinds.school.org": {{"2d00::1"}, {"127.0.0.1"}}, "changes.school.org": {{"127.0.0.1"}, {"2d00::1"}, {"::1"}},
		"turns.school.org": {{"2d00::1"}, {"::1"}}, "mapped.school.org": {{"2d00::1", "::ffff:127.0.0.1"}}, "nobody.school.org": {{}},
	} {
		resolver.known[host] = answers
		targets = append(targets, fmt.Sprintf("https://%s:%d/", host, c.port))
		behind++
	}
	g, err := webhookgate.New(webhookgate.Options{Resolver: resolver, Ports: []uint16{443, 8443, c.port}, Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("HTTPS_PROXY", fmt.Sprintf("http://127.0.0.1:%d", c.port)) // a proxy would dial for us
	passed := 0
	for _, target := range targets {
		if g.Check(target) == nil {
			passed++
		}
		for range 3 { // a name may change its mind
			if a := g.Send(t.Context(), webhooks.Message{URL: target, ID: "evt_x", Body: "{}"}); a.Status != 0 || a.Failure == "" {
				t.Errorf("%q was answered: %+v", target, a)
			}
		}
		if n := c.hits.Load(); n > 0 {
			t.Fatalf("%q reached the inside", target)
		}
	}
	if passed != behind {
		t.Errorf("%d targets are good to read, not the %d names", passed, behind)
	}
	if len(targets) < 150 {
		t.Error("only", len(targets), "targets")
	}
	t.Logf("%d hostile targets, %d inside hits", len(targets), c.hits.Load())

	// The canary would be heard: where an operator named it, it is.
	open, err := webhookgate.New(webhookgate.Options{Inside: []string{fmt.Sprintf("127.0.0.1:%d", c.port)}})
	if err != nil {
		t.Fatal(err)
	}
	if a := open.Send(t.Context(), webhooks.Message{URL: fmt.Sprintf("http://127.0.0.1:%d/", c.port), ID: "evt_x", Body: "{}"}); a.Status != 200 || c.hits.Load() != 1 {
		t.Errorf("the canary is deaf: %+v, %d hits", a, c.hits.Load())
	}
}

// A receiver that may be spoken to cannot send us on to one that may not.
func TestRedirectsAreNotFollowed(t *testing.T) {
	c := newCanary(t)
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, to := range []string{"http://127.0.0.1:%d/", "https://127.0.0.1:%d/", "//127.0.0.1:%d/", "http://[::1]:%d/", "http://localhost:%d/"} {
			receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", fmt.Sprintf(to, c.port))
				w.WriteHeader(status)
			}))
			g, err := webhookgate.New(webhookgate.Options{Inside: []string{strings.TrimPrefix(receiver.URL, "http://")}})
			if err != nil {
				t.Fatal(err)
			}
			if a := g.Send(t.Context(), webhooks.Message{URL: receiver.URL, ID: "evt_x", Body: "{}"}); a.Status != status {
				t.Errorf("%d to %s: %+v", status, to, a)
			}
			receiver.Close()
		}
	}
	if n := c.hits.Load(); n != 0 {
		t.Error(n, "redirects were followed to the inside")
	}
}

// What public servers may have is taken; a setting that names no address is not.
func TestPublicAddressesAreTaken(t *testing.T) {
	g, err := webhookgate.New(webhookgate.Options{Inside: []string{"127.0.0.1:9000", "[::1]:9001"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{
		"https://hooks.school.org", "https://hooks.school.org/a/b?c=d&e=%20", "https://HOOKS.school.org:443/", "https://hooks.school.org:8443/x", "https://8.8.8.8/", "https://[2a00:1450:4007:80e::200e]:443/x", "https://xn--cole-9oa.fr/", "https://a.b.c.d.school.org/",
		"http://127.0.0.1:9000/x", "http://[::1]:9001/",
	} {
		if err := g.Check(target); err != nil {
			t.Errorf("%s: %v", target, err)
		}
	}
	for _, target := range []string{"http://127.0.0.1:9001/", "http://localhost:9000/", "http://user@127.0.0.1:9000/", "ftp://127.0.0.1:9000/"} {
		if g.Check(target) == nil {
			t.Errorf("%s is taken because another is named", target)
		}
	}
	for _, bad := range []string{"127.0.0.1", "localhost:9000", "x"} {
		if _, err := webhookgate.New(webhookgate.Options{Inside: []string{bad}}); err == nil {
			t.Errorf("%q is taken for an address", bad)
		}
	}
}

// Whatever a receiver answers, or does not, costs little and is told in few words.
func TestAnswersOfReceivers(t *testing.T) {
	endless := func(w http.ResponseWriter, _ *http.Request) {
		for range 1 << 20 {
			if _, err := w.Write([]byte(strings.Repeat("x", 1024))); err != nil {
				return
			}
		}
	}
	for name, c := range map[string]struct {
		answer  http.HandlerFunc
		status  int
		failure string
		longest int
		later   time.Duration
	}{
		"yes":     {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }, 204, "", 0, 0},
		"endless": {endless, 200, "", 2048, 0},
		"garbage": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("a\x00\xff\xfe")) }, 200, "", 8, 0},
		"not now": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "120")
			w.WriteHeader(http.StatusTooManyRequests)
		}, 429, "", 0, 2 * time.Minute},
		"not in time": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "-1")
			w.WriteHeader(http.StatusServiceUnavailable)
		}, 503, "", 0, 0},
		"silent":   {func(http.ResponseWriter, *http.Request) { time.Sleep(500 * time.Millisecond) }, 0, "timeout", 0, 0},
		"hangs up": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 0, "broken_answer", 0, 0},
		"breaks off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "10")
			w.WriteHeader(http.StatusOK)
			panic(http.ErrAbortHandler)
		}, 0, "broken_answer", 0, 0},
		"long head": {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("x", 64<<10)) }, 0, "broken_answer", 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			receiver := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" || r.Header.Get("webhook-id") != "evt_x" || r.Header.Get("webhook-timestamp") != "1700000000" {
					t.Errorf("%s %v", r.Method, r.Header)
				}
				c.answer(w, r)
			}))
			receiver.Config.ErrorLog = nil
			receiver.Start()
			defer receiver.Close()
			g, err := webhookgate.New(webhookgate.Options{Inside: []string{strings.TrimPrefix(receiver.URL, "http://")}, Timeout: 300 * time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			a := g.Send(t.Context(), webhooks.Message{URL: receiver.URL, ID: "evt_x", Body: "{}", At: time.Unix(1700000000, 0)})
			if a.Status != c.status || a.Failure != c.failure || len(a.Response) > c.longest || a.Later != c.later || strings.ContainsRune(a.Response, 0) {
				t.Errorf("%d %q %q %v", a.Status, a.Failure, a.Response, a.Later)
			}
		})
	}
	t.Run("nobody", func(t *testing.T) {
		receiver := httptest.NewServer(nil)
		receiver.Close()
		g, err := webhookgate.New(webhookgate.Options{Inside: []string{strings.TrimPrefix(receiver.URL, "http://")}})
		if err != nil {
			t.Fatal(err)
		}
		if a := g.Send(t.Context(), webhooks.Message{URL: receiver.URL, ID: "evt_x"}); a.Failure != "no_connection" {
			t.Error(a)
		}
	})
	t.Run("a certificate that nobody knows", func(t *testing.T) {
		receiver := httptest.NewTLSServer(nil)
		defer receiver.Close()
		g, err := webhookgate.New(webhookgate.Options{Inside: []string{strings.TrimPrefix(receiver.URL, "https://")}})
		if err != nil {
			t.Fatal(err)
		}
		if a := g.Send(t.Context(), webhooks.Message{URL: receiver.URL, ID: "evt_x"}); a.Failure != "bad_tls" {
			t.Error(a)
		}
	})
}
