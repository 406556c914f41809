package sales

import (
	"context"
	"slices"
	"strings"

	"github.com/lib/pq"

	"cursus/internal/books/ledger"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/programs"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
)

// Part is one session of an order on an edition. Weight is its list price when the order was placed; Sold its share of the
// total and Credited what was given back of it, in minor units of the order's currency.
type Part struct {
	Position    int    `db:"position"`
	SessionID   string `db:"session_id"`
	Weight      int64  `db:"weight"`
	EnrolmentID string `db:"enrolment_id"`
	Sold        int64  `db:"sold_minor"`
	Credited    int64  `db:"credited_minor"`
}

// addParts freezes the sessions that an order promises, weighted by the list price of each: that of its QUALIFYING offer to the
// public in the currency of the order. Where one of them has none the parts are equal, because a course without a list price is
// not without worth.
func addParts(ctx context.Context, tx *postgres.Tx, o Order, e programs.Edition) error {
	ids, weights := make([]string, len(e.Sessions)), make([]int64, len(e.Sessions))
	for i, s := range e.Sessions {
		ids[i] = s.SessionID
	}
	prices, err := offers.ListPricesTx(ctx, tx, ids, o.Total.Currency)
	if err != nil {
		return err
	}
	for i, id := range ids {
		weights[i] = prices[id]
	}
	if len(prices) < len(ids) {
		clear(weights)
	}
	_, err = tx.Exec(ctx, q.Q("AddParts"), o.ID, pq.Array(ids), pq.Array(weights))
	return err
}

// PartsTx gives the parts of an order on an edition, as far as the actor may see them; none of an order on a session.
func PartsTx(ctx context.Context, tx *postgres.Tx, orderID string) (parts []Part, err error) {
	err = tx.Select(ctx, &parts, q.Q("Parts"), orderID)
	return parts, err
}

// Enrolments lists the enrolments that an order opened.
func (s *Service) Enrolments(ctx context.Context, o Order) (ids []string, err error) {
	if o.EditionID == "" {
		return []string{o.EnrolmentID}, nil
	}
	err = s.db.View(ctx, "enrolments of an order", func(ctx context.Context, tx *postgres.Tx) error {
		parts, err := PartsTx(ctx, tx, o.ID)
		ids = nil
		for _, p := range parts {
			ids = append(ids, p.EnrolmentID)
		}
		return err
	})
	return ids, err
}

// admit makes the buyer a member of the edition, grants in each of its sessions, and gives each enrolment its share of the price.
func admit(ctx context.Context, tx *postgres.Tx, o *Order) (shares []share, err error) {
	o.MembershipID, err = enrolment.AdmitTx(ctx, tx, enrolment.Membership{
		LearnerID: o.BuyerID, EditionID: o.EditionID, Version: o.Version, OrderID: o.ID, Formula: o.Formula, Entitlements: o.Entitlements, Qualifying: o.paidFor(),
	})
	if err != nil {
		return nil, err
	}
	parts, err := PartsTx(ctx, tx, o.ID)
	if err != nil {
		return nil, err
	}
	weights := make([]int64, len(parts))
	for i, p := range parts {
		weights[i] = p.Weight
	}
	sold, err := o.Total.Allocate(weights)
	if err != nil {
		return nil, err
	}
	order := make([]int, len(parts)) // enrolments are locked in one order, whatever that of the program
	for i := range parts {
		order[i], parts[i].Sold = i, sold[i].Minor
	}
	slices.SortFunc(order, func(a, b int) int { return strings.Compare(parts[a].SessionID, parts[b].SessionID) })
	for _, i := range order {
		g := o.grant(parts[i].SessionID)
		if parts[i].EnrolmentID, err = enrolment.GrantTx(ctx, tx, g); err != nil {
			return nil, err
		}
	}
	for _, p := range parts {
		shares = append(shares, share{p.EnrolmentID, p.Sold})
	}
	return shares, setParts(ctx, tx, o.ID, parts)
}

// creditParts takes an amount that goes back from the parts of an order, each in proportion to what is left of it: none gives
// more than it had, and when all went back nothing is left of any.
func creditParts(ctx context.Context, tx *postgres.Tx, o Order, a money.Amount) (shares []share, err error) {
	if o.EditionID == "" {
		return nil, nil
	}
	parts, err := PartsTx(ctx, tx, o.ID)
	if err != nil {
		return nil, err
	}
	left := make([]int64, len(parts))
	for i, p := range parts {
		left[i] = p.Sold - p.Credited
	}
	credited, err := a.Allocate(left)
	if err != nil {
		return nil, err
	}
	for i := range parts {
		parts[i].Credited += credited[i].Minor
		shares = append(shares, share{parts[i].EnrolmentID, credited[i].Minor})
	}
	return shares, setParts(ctx, tx, o.ID, parts)
}

func setParts(ctx context.Context, tx *postgres.Tx, orderID string, parts []Part) error {
	var positions, sold, credited []int64
	var enrolments []string
	for _, p := range parts {
		positions, enrolments = append(positions, int64(p.Position)), append(enrolments, p.EnrolmentID)
		sold, credited = append(sold, p.Sold), append(credited, p.Credited)
	}
	_, err := tx.Exec(ctx, q.Q("SetParts"), orderID, pq.Array(positions), pq.Array(enrolments), pq.Array(sold), pq.Array(credited))
	return err
}

// share is the part of an amount that concerns one enrolment.
type share struct {
	enrolmentID string
	minor       int64
}

// ofEnrolments are the accounts whose sums are asked for by enrolment; they are split where an order has several.
var ofEnrolments = []string{ledger.Revenue, ledger.Refunds, ledger.Disputes}

// side is one side of a posting, sign +1 debit or −1 credit: an entry, or one for each share that is not nothing.
func (o Order) side(account string, sign int64, a money.Amount, shares []share) (out []ledger.Entry) {
	if len(shares) == 0 || !slices.Contains(ofEnrolments, account) {
		return []ledger.Entry{{Account: account, Minor: sign * a.Minor, OrderID: o.ID, EnrolmentID: o.EnrolmentID}}
	}
	for _, x := range shares {
		if x.minor != 0 {
			out = append(out, ledger.Entry{Account: account, Minor: sign * x.minor, OrderID: o.ID, EnrolmentID: x.enrolmentID})
		}
	}
	return out
}
