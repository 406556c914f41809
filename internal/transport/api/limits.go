package api

import (
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"cursus/internal/kernel/fault"
)

var errTooOften = fault.New(fault.TooMany, "too-many-requests", "This client asks more often than was agreed.")

// limits count the requests of each client in this process: with n replicas behind one address a client has n times its rate at most.
// There are as many limiters as clients that ever came, and clients are registered by hand.
type limits struct {
	mu  sync.Mutex
	all map[string]*rate.Limiter
}

// allowance is what a client has left.
type allowance struct {
	perMinute, left int
	more            int // seconds until one more request is allowed
}

// take counts one request of a client. Error: errTooOften with the time to wait.
func (l *limits) take(client string, perMinute int, now time.Time) (allowance, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all == nil {
		l.all = map[string]*rate.Limiter{}
	}
	each := rate.Every(time.Minute / time.Duration(perMinute))
	limiter, ok := l.all[client]
	if !ok {
		limiter = rate.NewLimiter(each, perMinute)
		l.all[client] = limiter
	}
	if limiter.Burst() != perMinute { // it was changed
		limiter.SetLimitAt(now, each)
		limiter.SetBurstAt(now, perMinute)
	}
	allowed := limiter.AllowN(now, 1)
	a := allowance{perMinute: perMinute, left: max(int(limiter.TokensAt(now)), 0)}
	next := limiter.ReserveN(now, a.left+1) // the first that is not there yet
	a.more = int((next.DelayFrom(now) + time.Second - 1) / time.Second)
	next.CancelAt(now)
	if !allowed {
		return a, errTooOften.Detailf("This client may ask %d times per minute.", perMinute).After(a.more)
	}
	return a, nil
}

// headers say that in the form of the IETF's draft of RateLimit fields.
func (a allowance) headers() (policy, left string) {
	return fmt.Sprintf(`"client";q=%d;w=60`, a.perMinute), fmt.Sprintf(`"client";r=%d;t=%d`, a.left, a.more)
}
