package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"

	"github.com/lib/pq"
)

// connector makes connections whose transactions begin and learn who acts in one round trip.
type connector struct {
	*pq.Connector
	house bool // its connections see every row: they are for the actor "system" alone
}

func newConnector(dsn string) (connector, error) {
	c, err := pq.NewConnector(dsn)
	return connector{Connector: c}, err
}

// Connect opens a connection.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	raw, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	full, ok := raw.(fullConn)
	if !ok {
		_ = raw.Close()
		return nil, fmt.Errorf("the driver's connection is a %T", raw)
	}
	return &conn{fullConn: full, house: c.house}, nil
}

// fullConn is all that the driver's connections can do. Each is also the one transaction that it may be in.
type fullConn interface {
	driver.Conn
	driver.Tx
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.NamedValueChecker
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

type conn struct {
	fullConn
	house bool // for "system" alone
	given bool // up: nobody can tell in which state it is
}

// IsValid says whether the pool may keep the connection.
func (c *conn) IsValid() bool { return !c.given && c.fullConn.IsValid() }

// BeginTx begins a transaction, READ COMMITTED unless it is to see one moment, and sets its actor, which ends with it. What a connection has no actor for is
// never run: where the second half fails the connection is given up.
func (c *conn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	if c.house && Actor(ctx) != "system" {
		return nil, fmt.Errorf("a transaction of %q on a connection of the house", Actor(ctx))
	}
	mode := "READ WRITE"
	if o.ReadOnly {
		mode = "READ ONLY"
	}
	level := "READ COMMITTED"
	if o.Isolation == driver.IsolationLevel(sql.LevelRepeatableRead) {
		level = "REPEATABLE READ"
	}
	begin := "BEGIN ISOLATION LEVEL " + level + " " + mode
	generic := ctx.Value(genericKey{}) != nil
	switch { // what the connection is for good, see withSettings, is not said again
	case !c.house && generic:
		begin += "; SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL cursus.actor = " + pq.QuoteLiteral(Actor(ctx))
	case !c.house:
		begin += "; SET LOCAL cursus.actor = " + pq.QuoteLiteral(Actor(ctx))
	case !generic:
		begin += "; SET LOCAL plan_cache_mode = auto"
	}
	if _, err := c.ExecContext(ctx, begin, nil); err != nil {
		c.given = true
		return nil, err
	}
	return c.fullConn, nil
}
