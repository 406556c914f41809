package app_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"cursus/internal/domain/sales"
)

// Two replicas answer and one worker works, on one database, all started at once. The worker is told to end while it has
// work: it ends well, and the next one finishes.
func TestReplicasAndAWorkerThatEnds(t *testing.T) {
	p := newProgram(t)
	other := listen(t)
	second := other.Addr().String()
	_ = other.Close()
	a, b, worker := p.run("", p.addr, "serve", "--no-worker"), p.run("", second, "serve", "--no-worker"), p.run("", "", "serve", "--no-api")
	p.answers(p.addr)
	p.answers(second)
	who := p.become("a@example.org")
	if status, _ := p.post("/v1/orders", "k", fmt.Sprintf(`{"offer_id":%q,"lang":"en"}`, p.paid.ID)); status != http.StatusCreated {
		t.Fatal(status)
	}
	first := p.onlyOrder(who.ID)
	p.pay(first, visa)
	p.becomes(first, sales.Paid)
	metrics, err := http.Get("http://" + p.addr + "/metrics") //nolint:noctx // a test
	if err != nil {
		t.Fatal(err)
	}
	numbers, err := io.ReadAll(metrics.Body)
	if err = errors.Join(err, metrics.Body.Close()); err != nil || !strings.Contains(string(numbers), `cursus_http_requests_total{route="POST /v1/orders",status="201"} 1`) {
		t.Errorf("an order is not counted: %v\n%s", err, numbers)
	}
	var paying []sales.Order
	for i := range 20 {
		who := p.become(fmt.Sprintf("b%d@example.org", i))
		p.post("/v1/orders", "k", fmt.Sprintf(`{"offer_id":%q,"lang":"en"}`, p.paid.ID))
		o := p.onlyOrder(who.ID)
		p.pay(o, visa)
		paying = append(paying, o)
	}
	for name, child := range map[string]*exec.Cmd{"worker": worker, "first replica": a, "second replica": b} {
		_ = child.Process.Signal(syscall.SIGTERM)
		if err := child.Wait(); err != nil {
			t.Errorf("the %s ended with %v", name, err)
		}
	}
	p.start("")
	for _, o := range paying {
		p.becomes(o, sales.Paid)
	}
	p.quiet()
	p.stop()
	p.verify()
}

// Without a payment provider a server sells nothing and says so; what is free goes on.
func TestAServerWithoutAProviderSellsNothing(t *testing.T) {
	p := newProgram(t)
	p.cfg.StripeKey, p.cfg.StripeWebhookSecret, p.cfg.StripeURL = "", "", ""
	p.become("a@example.org")
	p.start("")
	defer p.stop()
	status, answer := p.post("/v1/orders", "k", fmt.Sprintf(`{"offer_id":%q,"lang":"en"}`, p.paid.ID))
	if status != http.StatusServiceUnavailable || answer["code"] != "no-payment-provider" {
		t.Error(status, answer)
	}
	if status, answer := p.post("/v1/orders", "k2", fmt.Sprintf(`{"offer_id":%q,"lang":"en"}`, p.free.ID)); status != http.StatusCreated || answer["state"] != "paid" {
		t.Error(status, answer)
	}
}

// A server with weak settings does not start, and names each of them.
func TestAServerWithWeakSettingsDoesNotStart(t *testing.T) {
	p := newProgram(t)
	c := exec.Command(p.binary, "serve") //nolint:noctx,gosec // our own program
	c.Env = append(os.Environ(), "CURSUS_DATABASE_URL="+p.dsn, "CURSUS_SECRET=short", "CURSUS_BASE_URL=http://example.org", "CURSUS_STRIPE_KEY=sk_live_x")
	var said bytes.Buffer
	c.Stderr = &said
	if err := c.Run(); err == nil || c.ProcessState.ExitCode() != 1 {
		t.Error("it started:", err)
	}
	for _, name := range []string{"CURSUS_SECRET", "CURSUS_BASE_URL", "CURSUS_STRIPE_WEBHOOK_SECRET"} {
		if !strings.Contains(said.String(), name) {
			t.Errorf("%s is not named in %s", name, said.String())
		}
	}
}
