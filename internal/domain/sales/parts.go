package sales

import (
	"context"
	"slices"

	"github.com/lib/pq"

	"cursus/internal/books/ledger"
	"cursus/internal/domain/invoicing"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/programs"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
)

// Part is one session of a line. Weight is its list price when the order was placed; Sold its share of the line and Credited
// what was given back of it, in minor units of the order's currency. Seat 0 is the line itself: what its buyer follows, or what of
// an organisation's seats nobody has claimed; the others are seats that somebody claimed.
type Part struct {
	Line        int    `db:"line"`
	Seat        int    `db:"seat"`
	Position    int    `db:"position"`
	SessionID   string `db:"session_id"`
	Weight      int64  `db:"weight"`
	EnrolmentID string `db:"enrolment_id"`
	Sold        int64  `db:"sold_minor"`
	Credited    int64  `db:"credited_minor"`
}

// promise splits a line over the sessions that it promises: one, or those of its edition, weighted by the list price of each: that
// of its QUALIFYING offer to the public in the currency of the order. Where one of them has none the parts are equal, because a
// course without a list price is not without worth.
func promise(ctx context.Context, tx *postgres.Tx, l Line, e programs.Edition) ([]Part, error) {
	if l.EditionID == "" {
		return []Part{{Line: l.N, Position: 1, SessionID: l.SessionID, Weight: 1, Sold: l.Total.Minor}}, nil
	}
	ids, weights := make([]string, len(e.Sessions)), make([]int64, len(e.Sessions))
	for i, s := range e.Sessions {
		ids[i] = s.SessionID
	}
	prices, err := offers.ListPricesTx(ctx, tx, ids, l.Total.Currency)
	if err != nil {
		return nil, err
	}
	for i, id := range ids {
		weights[i] = prices[id]
	}
	if len(prices) < len(ids) {
		clear(weights)
	}
	return split(l, ids, weights)
}

// split shares the total of a line out over sessions, to the cent.
func split(l Line, sessions []string, weights []int64) ([]Part, error) {
	sold, err := l.Total.Allocate(weights)
	if err != nil {
		return nil, err
	}
	parts := make([]Part, len(sessions))
	for i, id := range sessions {
		parts[i] = Part{Line: l.N, Position: i + 1, SessionID: id, Weight: weights[i], Sold: sold[i].Minor}
	}
	return parts, nil
}

// PartsTx gives all parts of an order, those of claimed seats too, as far as the actor may see them.
func PartsTx(ctx context.Context, tx *postgres.Tx, orderID string) (parts []Part, err error) {
	err = tx.Select(ctx, &parts, q.Q("Parts"), orderID)
	return parts, err
}

// creditParts takes an amount that goes back from the parts of an order, each in proportion to what is left of it: none gives
// more than it had, and when all went back nothing is left of any. Where the refund was for some lines, it is they that give, as far
// as they have it. It gives the shares of the enrolments, and what its credit note takes back of which line, so that papers and parts
// say the same. The order is locked.
func creditParts(ctx context.Context, tx *postgres.Tx, o Order, a money.Amount, refundID string) (shares []share, paper []invoicing.CreditLine, err error) {
	parts, err := PartsTx(ctx, tx, o.ID)
	if err != nil {
		return nil, nil, err
	}
	var of []RefundLine
	if refundID != "" && (len(o.Lines) > 1 || o.Pool()) {
		if err := tx.Select(ctx, &of, q.Q("RefundLines"), refundID); err != nil {
			return nil, nil, err
		}
	}
	minors, err := creditsOf(parts, a, of)
	if err != nil {
		return nil, nil, err
	}
	var lines, seats, positions []int64
	for i, p := range parts {
		lines, seats, positions = append(lines, int64(p.Line)), append(seats, int64(p.Seat)), append(positions, int64(p.Position))
		shares = append(shares, share{p.EnrolmentID, minors[i]})
		if n := len(paper); n > 0 && paper[n-1].Position == p.Line {
			paper[n-1].Minor += minors[i]
		} else {
			paper = append(paper, invoicing.CreditLine{Position: p.Line, Minor: minors[i]})
		}
	}
	_, err = tx.Exec(ctx, q.Q("Credit"), o.ID, pq.Array(lines), pq.Array(seats), pq.Array(positions), pq.Array(minors))
	return shares, paper, err
}

// creditsOf is credits for an amount that is some lines' own. What a line has no longer, because something else took it meanwhile,
// comes from all.
func creditsOf(parts []Part, a money.Amount, of []RefundLine) ([]int64, error) {
	out := make([]int64, len(parts))
	rest := a.Minor
	for _, l := range of {
		var mine []Part
		var at []int
		var left int64
		for i, p := range parts {
			if p.Line == l.Line && (l.Seat == 0 || p.Seat == l.Seat) {
				mine, at, left = append(mine, p), append(at, i), left+p.Sold-p.Credited
			}
		}
		take := min(l.Minor, left, rest)
		if take <= 0 {
			continue
		}
		some, err := credits(mine, money.Of(take, a.Currency))
		if err != nil {
			return nil, err
		}
		for i, minor := range some {
			out[at[i]] = minor
		}
		rest -= take
	}
	if rest == 0 {
		return out, nil
	}
	after := slices.Clone(parts)
	for i := range after {
		after[i].Credited += out[i]
	}
	some, err := credits(after, money.Of(rest, a.Currency))
	for i, minor := range some {
		out[i] += minor
	}
	return out, err
}

// credits says how much of an amount that goes back each part gives.
func credits(parts []Part, a money.Amount) ([]int64, error) {
	left := make([]int64, len(parts))
	for i, p := range parts {
		left[i] = p.Sold - p.Credited
	}
	given, err := a.Allocate(left)
	minors := make([]int64, len(given))
	for i, g := range given {
		minors[i] = g.Minor
	}
	return minors, err
}

// share is the part of an amount that concerns one enrolment; an empty one is a seat that nobody has claimed.
type share struct {
	enrolmentID string
	minor       int64
}

// shares are what each part of the order was sold for.
func (o Order) shares() (out []share) {
	for _, l := range o.Lines {
		for _, p := range l.Parts {
			out = append(out, share{p.EnrolmentID, p.Sold})
		}
	}
	return out
}

// ofEnrolments are the accounts whose sums are asked for by enrolment: an entry there is one enrolment's, or of no one yet.
var ofEnrolments = []string{ledger.Revenue, ledger.Refunds, ledger.Disputes}

// side is one side of a posting, sign +1 debit or −1 credit: an entry, or, where enrolments are told apart, one for each share
// that is not nothing.
func (o Order) side(account string, sign int64, a money.Amount, shares []share) (out []ledger.Entry) {
	if !slices.Contains(ofEnrolments, account) {
		return []ledger.Entry{{Account: account, Minor: sign * a.Minor, OrderID: o.ID}}
	}
	for _, x := range shares {
		if x.minor != 0 {
			out = append(out, ledger.Entry{Account: account, Minor: sign * x.minor, OrderID: o.ID, EnrolmentID: x.enrolmentID})
		}
	}
	return out
}
