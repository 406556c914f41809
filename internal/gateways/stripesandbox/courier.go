package stripesandbox

import (
	"bytes"
	"container/heap"
	"context"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"cursus/internal/kernel/clock"
)

// giveUp is how long Stripe goes on trying to deliver.
const giveUp = 3 * 24 * time.Hour

// mischief is what the tests may ask of the deliveries.
type mischief struct {
	Duplicate int           // each event is posted this many times, at once
	Reorder   bool          // deliveries are mixed within a window
	Delay     time.Duration // before the first attempt
	Drop      int           // this many of the next events are never posted; −1: none is
	Hold      bool          // deliveries wait until they are released
}

// delivery is one attempt that is due.
type delivery struct {
	event   string
	due     time.Time
	first   time.Time
	attempt int
	seq     int64
}

type queue []delivery

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	return q[i].due.Before(q[j].due) || q[i].due.Equal(q[j].due) && q[i].seq < q[j].seq
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(delivery)) }
func (q *queue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

// courier posts events to the endpoint until it says 2xx. It keeps real time, whatever the clock of the book says.
type courier struct {
	cfg    Config
	book   *book
	client *http.Client
	wake   chan struct{}
	work   chan delivery
	group  sync.WaitGroup

	mu      sync.Mutex
	queue   queue
	seq     int64
	tricks  mischief
	held    []string
	posted  int64
	refused int64
}

const reorderWindow = 250 * time.Millisecond

func newCourier(cfg Config, b *book) *courier {
	return &courier{
		cfg: cfg, book: b, wake: make(chan struct{}, 1), work: make(chan delivery),
		client: &http.Client{
			Timeout:       10 * time.Second,
			Transport:     &http.Transport{MaxIdleConns: 2 * cfg.Workers, MaxIdleConnsPerHost: 2 * cfg.Workers, IdleConnTimeout: time.Minute},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

func (p *courier) start(ctx context.Context) {
	p.group.Add(1 + p.cfg.Workers)
	go func() { defer p.group.Done(); p.schedule(ctx) }()
	for range p.cfg.Workers {
		go func() {
			defer p.group.Done()
			for d := range p.work {
				p.deliver(ctx, d)
			}
		}()
	}
}

func (p *courier) wait() { p.group.Wait() }

// enqueue makes an event due, with whatever mischief is on.
func (p *courier) enqueue(id string) {
	if p.drops() {
		p.book.delivered(id) // as far as the book knows: a restart does not bring it back
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.tricks.Hold {
		p.held = append(p.held, id)
		return
	}
	p.push(id, max(p.tricks.Duplicate, 1))
}

// drops says whether the next event is one that is never posted.
func (p *courier) drops() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.tricks.Drop > 0 {
		p.tricks.Drop--
		return true
	}
	return p.tricks.Drop < 0
}

// push adds copies of an event to the queue. The caller holds the lock.
func (p *courier) push(id string, copies int) {
	now := clock.System{}.Now()
	due := now.Add(p.tricks.Delay)
	for range copies {
		at := due
		if p.tricks.Reorder {
			at = due.Add(rand.N(reorderWindow))
		}
		p.seq++
		heap.Push(&p.queue, delivery{event: id, due: at, first: now, seq: p.seq})
	}
	p.poke()
}

func (p *courier) poke() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// set changes the mischief and lets go what was held; with Reorder, the last first.
func (p *courier) set(m mischief) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tricks = m
	if m.Hold {
		return
	}
	held := p.held
	p.held = nil
	for i := range held {
		id := held[i]
		if m.Reorder {
			id = held[len(held)-1-i]
		}
		p.push(id, max(m.Duplicate, 1))
	}
}

func (p *courier) resend(ids []string, copies int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, id := range ids {
		p.push(id, max(copies, 1))
	}
}

// schedule hands what is due to the workers.
func (p *courier) schedule(ctx context.Context) {
	defer close(p.work)
	for {
		p.mu.Lock()
		wait := time.Hour
		var next *delivery
		if len(p.queue) > 0 {
			if wait = p.queue[0].due.Sub(clock.System{}.Now()); wait <= 0 {
				d := heap.Pop(&p.queue).(delivery)
				next = &d
			}
		}
		p.mu.Unlock()
		if next != nil {
			select {
			case p.work <- *next:
			case <-ctx.Done():
				return
			}
			continue
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-p.wake:
			timer.Stop()
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

func (p *courier) deliver(ctx context.Context, d delivery) {
	p.book.mu.Lock()
	row, ok := p.book.events.get(d.event)
	var shape event
	if ok {
		shape = row.shape()
	}
	p.book.mu.Unlock()
	if !ok {
		return
	}
	body, err := json.Marshal(shape)
	if err != nil {
		p.cfg.Log.Error("stripe sandbox event", "event", d.event, "error", err)
		return
	}
	if err := p.postOnce(ctx, body); err != nil {
		p.again(ctx, d, err)
		return
	}
	p.mu.Lock()
	p.posted++
	p.mu.Unlock()
	p.book.delivered(d.event)
}

func (p *courier) postOnce(ctx context.Context, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.cfg.WebhookURL, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("User-Agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks; sandbox)")
	req.Header.Set("Stripe-Signature", p.cfg.Sign(body, p.cfg.WebhookSecret, p.cfg.Clock.Now()))
	res, err := p.client.Do(req)
	if err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, maxBody)) // an answer that is read leaves the connection usable
	_ = res.Body.Close()
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return &refusal{res.Status}
	}
	return nil
}

type refusal struct{ status string }

func (r *refusal) Error() string { return "the endpoint answered " + r.status }

// again puts a refused delivery back with a longer wait.
func (p *courier) again(ctx context.Context, d delivery, why error) {
	if ctx.Err() != nil {
		return // still undelivered in the book: the next start goes on
	}
	p.cfg.Log.Warn("stripe sandbox delivery", "event", d.event, "attempt", d.attempt+1, "error", why)
	now := clock.System{}.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refused++
	if now.Sub(d.first) > giveUp {
		return
	}
	wait := min(p.cfg.RetryBase<<min(d.attempt, 20), p.cfg.RetryMax)
	d.attempt++
	p.seq++
	d.due, d.seq = now.Add(wait), p.seq
	heap.Push(&p.queue, d)
	p.poke()
}

// delivered notes that the endpoint has an event. It is not forced to the disk: a repeated delivery does no harm.
func (b *book) delivered(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e, ok := b.events.get(id)
	if !ok || e.Pending == 0 || b.broken != nil {
		return
	}
	e.Pending = 0
	if _, err := b.journal.append([]record{{Kind: "delivered", ID: id, Value: json.RawMessage("null")}}); err != nil {
		b.broken = err
	}
}
