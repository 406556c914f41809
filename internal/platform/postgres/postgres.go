// Package postgres is the only room that speaks to PostgreSQL's driver.
//
// Every write is inside InTx, and so is every read that must obey row-level security: a transaction starts by telling the
// database who acts (WithActor) and has one frozen Now. With lib/pq an autocommit write whose reply is lost may be executed
// twice, therefore this package offers no way to write outside a transaction: Look reads alone, and the connections are read-only
// until a transaction says otherwise.
package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jmoiron/sqlx"

	"cursus/internal/kernel/clock"
	"cursus/internal/kernel/fault"
)

// AppRole is the role under which the application works; it owns no table.
const AppRole = "cursus_app"

// HouseRole is the role under which the transactions of "system" work where the others work under AppRole. It is a member of that role
// and sees every row without being asked who it is, which keeps plans short. It owns no table either.
const HouseRole = "cursus_house"

// maxTries bounds the repetition of a transaction that lost a race (SQLSTATE 40001 and 40P01).
const maxTries = 5

// Faults of this room.
var (
	ErrUnavailable = fault.New(fault.Unavailable, "database-unavailable", "The database cannot be reached at the moment. Nothing was changed; please try again.")
	ErrBusy        = fault.New(fault.Unavailable, "database-busy", "Too many people change the same thing at once. Nothing was changed; please try again.")
	ErrUnknown     = fault.New(fault.Unavailable, "outcome-unknown", "The answer of the database was lost. Please look whether the change is there before you repeat it.")
	errNotTheHouse = fault.New(fault.Internal, "not-the-house", "Only the house itself looks without a transaction.")
	errNested      = fault.New(fault.Internal, "nested-transaction", "A transaction was opened inside another one.")
)

// Options of Open. The zero value is usable.
type Options struct {
	MaxConns int         // default 16; with AppRole those of the house, beside half as many for everybody else
	Clock    clock.Clock // default clock.System
	Role     string      // SET ROLE for every connection; AppRole in the application, empty for owners
}

// DB is what connects to one database: a pool of connections for what the house does, and one for everybody else. Without AppRole they
// are the same.
type DB struct {
	clock         clock.Clock
	dsn           string // with our settings; for Listen
	others, house *pool
}

// Open connects and pings.
func Open(ctx context.Context, dsn string, o Options) (*DB, error) {
	if o.MaxConns == 0 {
		o.MaxConns = 16
	}
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	ours, err := withSettings(dsn, o.Role)
	if err != nil {
		return nil, err
	}
	db := &DB{clock: o.Clock, dsn: ours}
	if o.Role != AppRole {
		db.others, err = openPool(ctx, ours, o.MaxConns, false)
		db.house = db.others
		return db, err
	}
	if db.others, err = openPool(ctx, ours, max(2, o.MaxConns/2), false); err != nil {
		return nil, err
	}
	if ours, err = withSettings(dsn, HouseRole); err == nil {
		db.house, err = openPool(ctx, ours, o.MaxConns, true)
	}
	if err != nil {
		return nil, errors.Join(err, db.others.x.Close())
	}
	return db, nil
}

// pool gives the one for who acts.
func (db *DB) pool(ctx context.Context) *pool {
	if Actor(ctx) == "system" {
		return db.house
	}
	return db.others
}

// Close closes every connection.
func (db *DB) Close() error {
	err := db.others.x.Close()
	if db.house != db.others {
		err = errors.Join(err, db.house.x.Close())
	}
	return err
}

// SQL is the pool of everybody, for libraries that want one. Do not write with it.
func (db *DB) SQL() *sql.DB { return db.others.x.DB }

// Now is the clock's time.
func (db *DB) Now() time.Time { return db.clock.Now() }

type actorKey struct{}
type authorKey struct{}
type insideKey struct{}

// WithActor says on whose behalf the transactions of this context act; row-level security reads it.
// "system", "staff:<id>", "learner:<person id>"; nobody is "public".
//
// Where a room lets the house itself do what somebody asked for, who asked is remembered: see Author.
func WithActor(ctx context.Context, actor string) context.Context {
	if before := Actor(ctx); actor == "system" && before != "public" && before != "system" {
		ctx = context.WithValue(ctx, authorKey{}, before)
	}
	return context.WithValue(ctx, actorKey{}, actor)
}

// Author tells on whose behalf something is done, also where the house does it for her because the database lets nobody else: what
// records who did what asks for it. Row-level security goes by Actor.
func Author(ctx context.Context) string {
	if a, ok := ctx.Value(authorKey{}).(string); ok && Actor(ctx) == "system" {
		return a
	}
	return Actor(ctx)
}

// Actor tells what WithActor said.
func Actor(ctx context.Context) string {
	if a, ok := ctx.Value(actorKey{}).(string); ok {
		return a
	}
	return "public"
}

type genericKey struct{}

// WithGenericPlans has the transactions of this context use one plan of each prepared statement for ever, whatever its parameters.
// For statements that find a few rows by key: to plan a long one anew takes longer than to run it, and the server does so whenever
// it believes that to know the parameters helps. Not for lists, reports and imports, where that is true.
func WithGenericPlans(ctx context.Context) context.Context {
	return context.WithValue(ctx, genericKey{}, true)
}

type ownKey struct{}

// WithOwnPlans has the transactions of this context plan each statement anew, for what it is given. For statements over thousands of
// rows: a plan that was kept since the tables were small would go through them row by row. What the database keeps for itself, as the
// plans of foreign keys, it goes on keeping.
func WithOwnPlans(ctx context.Context) context.Context { return context.WithValue(ctx, ownKey{}, true) }

// Tx is a transaction with one instant.
type Tx struct {
	pool   *pool
	own    bool // nothing is prepared
	x      *sqlx.Tx
	now    time.Time
	missed []string // statements that were not prepared
	after  []func()
}

// Now is the same instant for the whole transaction.
func (tx *Tx) Now() time.Time { return tx.now }

// Committed has something done once the transaction is committed, and not otherwise. It must be quick and cannot fail: the
// process may end before it.
func (tx *Tx) Committed(do func()) { tx.after = append(tx.after, do) }

// Raw is for libraries that join our transaction.
func (tx *Tx) Raw() *sql.Tx { return tx.x.Tx }

// InTx runs fn in a READ COMMITTED transaction and commits when it returns nil. It repeats fn at most 5 times when the
// database chose it as the victim of a race, so fn must not touch the outside world. A commit whose answer is lost gives
// ErrUnknown: re-read by key. It does not nest; use the XTx twin of a method inside a transaction.
func (db *DB) InTx(ctx context.Context, name string, fn func(ctx context.Context, tx *Tx) error) error {
	return db.run(ctx, name, sql.TxOptions{Isolation: sql.LevelReadCommitted}, fn)
}

// View is InTx for reading.
func (db *DB) View(ctx context.Context, name string, fn func(ctx context.Context, tx *Tx) error) error {
	return db.run(ctx, name, sql.TxOptions{Isolation: sql.LevelReadCommitted, ReadOnly: true}, fn)
}

// Snapshot is View where every statement sees the same moment, however long they take.
func (db *DB) Snapshot(ctx context.Context, name string, fn func(ctx context.Context, tx *Tx) error) error {
	return db.run(ctx, name, sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}, fn)
}

// Look reads one row of what the house sees, outside a transaction: one round trip instead of three. The context acts as "system";
// sql.ErrNoRows when there is none. Its plan is a generic one: it is for what is found by key. Several reads that have to agree with each other belong into one View.
func (db *DB) Look(ctx context.Context, dest any, q Query, args ...any) error {
	return db.look(ctx, q, func(s *sqlx.Stmt) error {
		if s == nil {
			return db.house.x.GetContext(ctx, dest, q.SQL, args...)
		}
		return s.GetContext(ctx, dest, args...)
	})
}

// LookAll is Look for all rows, into the slice that dest points to.
func (db *DB) LookAll(ctx context.Context, dest any, q Query, args ...any) error {
	return db.look(ctx, q, func(s *sqlx.Stmt) error {
		if s == nil {
			return db.house.x.SelectContext(ctx, dest, q.SQL, args...)
		}
		return s.SelectContext(ctx, dest, args...)
	})
}

func (db *DB) look(ctx context.Context, q Query, read func(*sqlx.Stmt) error) error {
	if outer, ok := ctx.Value(insideKey{}).(string); ok {
		return errNested.Because(fmt.Errorf("%s inside %s", q.Name, outer))
	}
	if Actor(ctx) != "system" {
		return errNotTheHouse.Because(fmt.Errorf("%s for %q", q.Name, Actor(ctx)))
	}
	s := db.house.find(q) //nolint:sqlclosecheck // it lives as long as the pool
	err := read(s)
	if s == nil {
		db.house.learn(ctx, []string{q.SQL})
	}
	return mapError(ctx, wrap(q, err))
}

func (db *DB) run(ctx context.Context, name string, o sql.TxOptions, fn func(context.Context, *Tx) error) error {
	if outer, ok := ctx.Value(insideKey{}).(string); ok {
		return errNested.Because(fmt.Errorf("%s inside %s", name, outer))
	}
	inside := context.WithValue(ctx, insideKey{}, name)
	for try := 1; ; try++ {
		err := db.once(inside, o, fn)
		if err == nil || !lostRace(err) {
			return mapError(ctx, err)
		}
		if try == maxTries {
			return ErrBusy.Because(fmt.Errorf("%s: %w", name, err))
		}
		pause := time.Duration(1<<try) * time.Millisecond
		select {
		case <-time.After(pause/2 + rand.N(pause)):
		case <-ctx.Done():
			return ErrUnavailable.Because(ctx.Err())
		}
	}
}

func (db *DB) once(ctx context.Context, o sql.TxOptions, fn func(context.Context, *Tx) error) error {
	p := db.pool(ctx)
	x, err := p.x.BeginTxx(ctx, &o)
	if err != nil {
		return ErrUnavailable.Because(err)
	}
	tx := &Tx{pool: p, own: ctx.Value(ownKey{}) != nil, x: x, now: db.clock.Now()}
	defer func() {
		_ = x.Rollback() // after a commit this does nothing; after a panic it frees the connection
		p.learn(ctx, tx.missed)
	}()
	if err := fn(ctx, tx); err != nil {
		return err
	}
	if err := x.Commit(); err != nil {
		if o.ReadOnly || lostRace(err) || constraintOf(err) != "" {
			return err
		}
		return ErrUnknown.Because(err)
	}
	for _, do := range tx.after {
		do()
	}
	return nil
}

// Get scans one row into dest; sql.ErrNoRows when there is none.
func (tx *Tx) Get(ctx context.Context, dest any, q Query, args ...any) error {
	if s, ok := tx.statement(ctx, q); ok { //nolint:sqlclosecheck // it ends with the transaction
		return wrap(q, s.GetContext(ctx, dest, args...))
	}
	return wrap(q, tx.x.GetContext(ctx, dest, q.SQL, args...))
}

// Select scans all rows into the slice that dest points to.
func (tx *Tx) Select(ctx context.Context, dest any, q Query, args ...any) error {
	if s, ok := tx.statement(ctx, q); ok { //nolint:sqlclosecheck // it ends with the transaction
		return wrap(q, s.SelectContext(ctx, dest, args...))
	}
	return wrap(q, tx.x.SelectContext(ctx, dest, q.SQL, args...))
}

// Each gives the rows of a statement one by one, as they arrive, so that no more than one is held. The statement is not
// prepared, and row asks nothing else of the transaction.
func (tx *Tx) Each(ctx context.Context, q Query, row func(*sql.Rows) error, args ...any) (err error) {
	rows, err := tx.x.QueryContext(ctx, q.SQL, args...)
	if err != nil {
		return wrap(q, err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	return wrap(q, rows.Err())
}

// Exec runs a statement and tells how many rows it touched.
func (tx *Tx) Exec(ctx context.Context, q Query, args ...any) (int64, error) {
	var r sql.Result
	var err error
	if s, ok := tx.statement(ctx, q); ok { //nolint:sqlclosecheck // it ends with the transaction
		r, err = s.ExecContext(ctx, args...)
	} else {
		r, err = tx.x.ExecContext(ctx, q.SQL, args...)
	}
	if err != nil {
		return 0, wrap(q, err)
	}
	return r.RowsAffected()
}

// statement gives the prepared statement of a query on the connection of the transaction, where there is one. Preparing
// halves the round trips and saves the planning; the texts are those of the rooms' files, so there are few of them. What is
// not prepared yet is noted, and prepared when the transaction has let go of its connection: to take a second one here
// could wait for ever on a pool that is spent.
func (tx *Tx) statement(ctx context.Context, q Query) (*sqlx.Stmt, bool) {
	if tx.own {
		return nil, false
	}
	s := tx.pool.find(q)
	if s == nil {
		tx.missed = append(tx.missed, q.SQL)
		return nil, false
	}
	return tx.x.StmtxContext(ctx, s), true
}

func wrap(q Query, err error) error {
	if err == nil || errors.Is(err, sql.ErrNoRows) {
		return err
	}
	return fmt.Errorf("%s: %w", q.Name, err)
}
