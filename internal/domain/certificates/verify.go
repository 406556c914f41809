package certificates

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/origin"
	"cursus/internal/platform/postgres"
)

// StateAltered is how a file stands that carries the code of a certificate and is not its document.
const StateAltered = "altered"

// ErrGuesses answers an address that asked for too much that is not there.
var ErrGuesses = fault.New(fault.TooMany, "too-many-unknown-codes", "Too many unknown codes were asked for from your address. Please wait a minute.")

// Whoever reads codes from papers mistypes some; whoever guesses them is held up long before 128 bits are tried.
const (
	missesPerMinute = 30
	mostAddresses   = 20_000
)

// misses count what was asked for and is not there, per network address, in this process. What is there may be asked for as often as one likes.
type misses struct {
	mu  sync.Mutex
	all map[string]*rate.Limiter
}

// of gives what an address has left; nil: the house asks itself.
func (m *misses) of(ctx context.Context) *rate.Limiter {
	address := origin.Of(ctx)
	if address == "" {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	l, ok := m.all[address]
	if !ok {
		if m.all == nil || len(m.all) >= mostAddresses { // forgotten together: an address costs its owner more than a map costs us
			m.all = map[string]*rate.Limiter{}
		}
		l = rate.NewLimiter(rate.Every(time.Minute/missesPerMinute), missesPerMinute)
		m.all[address] = l
	}
	return l
}

// guarded asks, unless the address asked for too much that is not there, and counts it where this is not there either.
func (s *Service) guarded(ctx context.Context, ask func(ctx context.Context) error) error {
	l, now := s.misses.of(ctx), s.db.Now()
	if l != nil && l.TokensAt(now) < 1 {
		return ErrGuesses.After(int(time.Minute.Seconds()))
	}
	err := ask(postgres.WithActor(ctx, "system"))
	if l != nil && errors.Is(err, ErrNoCertificate) {
		l.AllowN(now, 1)
	}
	return err
}

// normal is a code without what people add to it: case, spaces and hyphens do not matter.
func normal(code string) string {
	return strings.ToLower(strings.ReplaceAll(strings.Join(strings.Fields(code), ""), "-", ""))
}

// look finds a certificate for the house, in one round trip: how a certificate stands has to be asked for each time.
func (s *Service) look(ctx context.Context, statement string, by any) (Certificate, error) {
	var r row
	err := s.db.Look(ctx, &r, q.Q(statement), by)
	if errors.Is(err, sql.ErrNoRows) {
		return Certificate{}, ErrNoCertificate
	}
	if err != nil {
		return Certificate{}, err
	}
	return r.certificate()
}

// Verify finds a certificate by its code, for anybody: whoever holds the paper may know what is on it. Errors: ErrNoCertificate, ErrGuesses.
func (s *Service) Verify(ctx context.Context, code string) (c Certificate, err error) {
	err = s.guarded(ctx, func(ctx context.Context) error {
		c, err = s.look(ctx, "ByCode", normal(code))
		return err
	})
	return c, err
}

// Examine says what a file is, of which its holder tells the SHA-256 and, where she knows it, the code: the document of a certificate, which is
// valid, replaced or revoked, or an altered one of it. Errors: ErrNoCertificate where neither is ours, ErrGuesses.
func (s *Service) Examine(ctx context.Context, sum, code string) (c Certificate, state string, err error) {
	hash, err := hex.DecodeString(strings.ToLower(sum))
	if err != nil || len(hash) != 32 {
		return c, "", fault.InvalidInput(fault.Field{Pointer: "/sha256", Code: "bad-hash", Detail: "64 hexadecimal digits."})
	}
	err = s.guarded(ctx, func(ctx context.Context) error {
		if c, err = s.look(ctx, "ByHash", hash); err == nil {
			state = c.State()
			return nil
		}
		if !errors.Is(err, ErrNoCertificate) || code == "" {
			return err
		}
		state = StateAltered
		c, err = s.look(ctx, "ByCode", normal(code))
		return err
	})
	return c, state, err
}
