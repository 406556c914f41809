package postgres

import (
	"context"
	"database/sql"
	"net/url"
	"sync"

	"github.com/jmoiron/sqlx"

	"cursus/internal/kernel/fault"
)

// pool is connections under one role.
type pool struct {
	x        *sqlx.DB
	mu       sync.RWMutex
	prepared map[string]*sqlx.Stmt // by text; database/sql prepares each on every connection that meets it, once
	uses     map[string]int        // of texts that are not prepared yet
}

func openPool(ctx context.Context, dsn string, conns int, house bool) (*pool, error) {
	c, err := newConnector(dsn)
	if err != nil {
		return nil, ErrUnavailable.Because(err)
	}
	c.house = house
	x := sqlx.NewDb(sql.OpenDB(c), "postgres")
	x.SetMaxOpenConns(conns)
	x.SetMaxIdleConns(conns)
	if err := x.PingContext(ctx); err != nil {
		_ = x.Close()
		return nil, ErrUnavailable.Because(err)
	}
	return &pool{x: x, prepared: map[string]*sqlx.Stmt{}, uses: map[string]int{}}, nil
}

// withSettings adds to a postgres:// URL what every connection of ours needs: UTC, the role, an explicit sslmode, and no compiling of statements: it takes
// half a second, ten times as long as the slowest answer, and is begun by estimates of what is asked for.
func withSettings(dsn, role string) (string, error) {
	u, err := url.Parse(dsn)
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") {
		return "", fault.New(fault.Invalid, "bad-database-url", "The database address must be a postgres:// URL.")
	}
	q := u.Query()
	if q.Get("sslmode") == "" {
		q.Set("sslmode", "prefer")
		if h := q.Get("host"); h != "" || u.Hostname() == "localhost" || u.Hostname() == "127.0.0.1" {
			q.Set("sslmode", "disable") // a socket or the loopback
		}
	}
	options := "-c TimeZone=UTC -c jit=off"
	if role != "" {
		options += " -c default_transaction_read_only=on -c role=" + role
	}
	if role == HouseRole { // who acts, and the plans of nearly all that it does
		options += " -c cursus.actor=system -c plan_cache_mode=force_generic_plan"
	}
	q.Set("options", options)
	u.RawQuery = q.Encode()
	return u.String(), nil
}

func (p *pool) find(q Query) *sqlx.Stmt {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.prepared[q.SQL]
}

// usedOften is how many uses make a statement worth preparing.
const usedOften = 3

// learn prepares what a transaction missed. A failure is not told: the statement works unprepared.
func (p *pool) learn(ctx context.Context, missed []string) {
	for _, text := range missed {
		p.mu.Lock()
		p.uses[text]++
		due := p.uses[text] == usedOften
		p.mu.Unlock()
		if !due {
			continue
		}
		if s, err := p.x.PreparexContext(context.WithoutCancel(ctx), text); err == nil { //nolint:sqlclosecheck // it lives as long as the pool
			p.mu.Lock()
			p.prepared[text] = s
			p.mu.Unlock()
		}
	}
}
