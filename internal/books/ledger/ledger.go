// Package ledger is the book of where money stands: double entry, integer minor units, one currency per transaction.
//
// The database holds the rules: the entries of a transaction arrive in one statement and sum to zero, and nothing is ever
// changed or taken out. A correction is a new transaction. The book knows nothing of the rooms that write in it; it carries
// their order and enrolment ids so that every sum can be asked by either.
package ledger

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/lib/pq"

	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
)

//go:embed queries.sql
var queriesSQL string

var q = postgres.MustLoad("ledger", queriesSQL)

// Accounts. Debits are positive: what we are owed or hold is positive, what we earned is negative.
const (
	Receivable = "receivable"  // owed to us by buyers
	Revenue    = "revenue"     // what was sold
	Refunds    = "refunds"     // what was given back, contra revenue
	Disputes   = "disputes"    // what banks took back
	RevenueTax = "revenue:tax" // what of the revenue is tax, contra revenue
	Tax        = "tax"         // owed to the state

	WorkshopCost = "cost:workshop" // what workshop days cost; every account below cost: is a cost
	LabCost      = "cost:lab"      // what the minutes of labs cost
)

// Clearing is the account of the money that a payment provider or a partner's desk holds for us.
func Clearing(holder string) string { return "clearing:" + holder }

// Fee is the account of what a payment provider keeps for itself.
func Fee(provider string) string { return "cost:fee:" + provider }

// AccountFee is the account of what a payment provider takes of our account with it, and not of a payment. It is of no order and no enrolment.
func AccountFee(provider string) string { return Fee(provider) + ":account" }

// Others is the account of money of other systems that share our account with a provider: it holds it, and it is not ours.
func Others(provider string) string { return "others:" + provider }

// PartnerShare is the account of what is a partner school's by an agreement, of what was sold: a cost, as fees are, that comes with each sale.
func PartnerShare(organisation string) string { return Fee("partner:" + strings.ToLower(organisation)) }

// Faults of this book.
var (
	ErrUnbalanced = fault.New(fault.Internal, "ledger-unbalanced", "The entries of a transaction do not sum to zero.")
	ErrReused     = fault.New(fault.Conflict, "ledger-reference-reused", "Another transaction was posted under this reference.")
	ErrAppendOnly = fault.New(fault.Internal, "append-only", "What is written in this table stays as it is.")
)

func init() {
	postgres.RegisterConstraint("ledger_balanced", ErrUnbalanced)
	postgres.RegisterConstraint("append_only", ErrAppendOnly)
}

// Entry is one line of a transaction, debit positive, credit negative, in minor units of the transaction's currency.
type Entry struct {
	Account     string
	Minor       int64
	OrderID     string
	EnrolmentID string
}

// Posting is a whole transaction. The reference is unique in the book: posting it again does nothing.
type Posting struct {
	Reference  string
	Kind       string
	Currency   money.Currency
	OccurredAt time.Time
	Entries    []Entry
}

// PostTx writes transactions, each once, in one statement. The same reference with the same content is a no-op, with other
// content ErrReused.
func PostTx(ctx context.Context, tx *postgres.Tx, postings ...Posting) error {
	var ids, references, kinds, currencies, occurred []string
	var digests [][]byte
	var owners, accounts, orders, enrolments []string
	var minors []int64
	for _, p := range postings {
		if !p.Currency.Known() {
			return money.ErrCurrency
		}
		if len(p.Entries) < 2 {
			return ErrUnbalanced
		}
		id := ident.New("ltx")
		ids, references, kinds, currencies = append(ids, id), append(references, p.Reference), append(kinds, p.Kind), append(currencies, string(p.Currency))
		digests, occurred = append(digests, p.digest()), append(occurred, p.OccurredAt.UTC().Format(time.RFC3339Nano))
		for _, e := range p.Entries {
			owners, accounts, minors = append(owners, id), append(accounts, e.Account), append(minors, e.Minor)
			orders, enrolments = append(orders, e.OrderID), append(enrolments, e.EnrolmentID)
		}
	}
	n, err := tx.Exec(ctx, q.Q("Post"), pq.Array(ids), pq.Array(references), pq.Array(kinds), pq.Array(currencies), pq.Array(digests), pq.Array(occurred), tx.Now(),
		pq.Array(owners), pq.Array(accounts), pq.Array(minors), pq.Array(orders), pq.Array(enrolments))
	if err != nil || n == int64(len(owners)) {
		return err
	}
	for i, p := range postings { // one of them was there already, or all
		var known []byte
		if err := tx.Get(ctx, &known, q.Q("Digest"), p.Reference); err != nil {
			return fmt.Errorf("posting %s: %w", p.Reference, err)
		}
		if !bytes.Equal(known, digests[i]) {
			return ErrReused
		}
	}
	return nil
}

// digest identifies the content of a posting beyond its reference.
func (p Posting) digest() []byte {
	b, err := json.Marshal([]any{p.Kind, p.Currency, p.OccurredAt.UTC(), p.Entries})
	if err != nil {
		panic(err) // strings, integers and a time always marshal
	}
	sum := sha256.Sum256(b)
	return sum[:]
}

// HoldKeptTx lets nobody else say until the end of the transaction to whom orders were sold, or what was kept of them: who posts what was kept reads to
// whom it was sold, and who moves what was sold takes along what was kept.
func HoldKeptTx(ctx context.Context, tx *postgres.Tx, orders ...string) error {
	_, err := tx.Exec(ctx, q.Q("HoldKept"), pq.Array(orders))
	return err
}

// BalanceTx is the sum of an account in one currency, in minor units.
func BalanceTx(ctx context.Context, tx *postgres.Tx, account string, c money.Currency) (int64, error) {
	var minor int64
	err := tx.Get(ctx, &minor, q.Q("Balance"), account, c)
	return minor, err
}

// Checks are this book's invariants.
func Checks() []postgres.Check {
	return []postgres.Check{
		{Invariant: "1", Name: "every ledger transaction sums to zero", Query: q.Q("CheckTransactionsBalance")},
		{Invariant: "1", Name: "every ledger transaction has its entries", Query: q.Q("CheckTransactionsHaveEntries")},
		{Invariant: "1", Name: "the whole ledger sums to zero per currency", Query: q.Q("CheckBookBalances")},
	}
}
