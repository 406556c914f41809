// Package offers holds the formulas in which a session or a program can be followed and the prices at which they are sold.
//
// A formula is data: the entitlements that it opens, and its words. An offer is a formula of one session or of one edition of
// a program at a price, in a time window, for an audience, perhaps for a limited number of buyers. It is never edited: a new
// price is a new offer, and what an order froze does not move.
package offers

import (
	_ "embed"

	"cursus/internal/kernel/fault"
	"cursus/internal/platform/postgres"
)

//go:embed queries.sql
var queriesSQL string

var q = postgres.MustLoad("offers", queriesSQL)

// The formulas of the paper. Others are rows of offers.formulas.
const (
	Discovery  = "DISCOVERY"
	Qualifying = "QUALIFYING"
)

// Entitlements, in the order of the pedagogical framework.
const (
	Knowledge     = "knowledge"
	Practice      = "practice"
	KnowHow       = "know_how"
	Labs          = "labs"
	ExtraContent  = "extra_content"
	ProctoredExam = "proctored_exam"
	Certificate   = "certificate"
	Workshop      = "workshop"
	ManagerReport = "manager_report"
	Coaching      = "coaching"
)

// Entitlements lists all of them in the order to show.
var Entitlements = []string{Knowledge, Practice, KnowHow, Labs, ExtraContent, Workshop, Coaching, ManagerReport, ProctoredExam, Certificate}

// Every fault of this room.
var (
	ErrNoOffer        = fault.New(fault.NotFound, "no-such-offer", "There is no such offer.")
	ErrFormula        = fault.New(fault.Invalid, "no-such-formula", "There is no such formula.")
	ErrNoFormula      = fault.New(fault.NotFound, "no-such-formula", "There is no such formula.")
	ErrArchived       = fault.New(fault.Unprocessable, "formula-archived", "This formula is archived: it is not offered anew.")
	ErrFormulaTaken   = fault.New(fault.Conflict, "formula-exists", "There is a formula with this key already.")
	ErrFormulaChanged = fault.New(fault.Precondition, "changed-meanwhile", "The formula was changed since you read it. Read it again and decide again.")
	ErrTaken          = fault.New(fault.Conflict, "offer-exists", "This formula has a price in this currency for this audience already. Withdraw it first.")
	ErrNotValid       = fault.New(fault.Unprocessable, "offer-not-valid", "This offer cannot be taken now: its time has not come or is over.")
	ErrPrice          = fault.New(fault.Invalid, "bad-price", "A price is zero or more, and below a hundred million minor units.")
	ErrAudience       = fault.New(fault.Invalid, "no-such-organisation", "There is no organisation with this key.")
	ErrEntitlements   = fault.InvalidInput(fault.Field{Pointer: "/entitlements", Code: "bad-entitlements", Detail: "One at least, each of the known ones, none twice."})
	errQuota          = fault.InvalidInput(fault.Field{Pointer: "/quota", Code: "out-of-range", Detail: "1 to 1,000,000; leave it out for no limit."})
	errWindow         = fault.New(fault.Invalid, "bad-window", "The offer ends before it begins.")
)

func init() {
	postgres.RegisterConstraint("offer_formula_known", ErrFormula)
	postgres.RegisterConstraint("one_offer_per_formula_and_currency", ErrTaken)
	postgres.RegisterConstraint("offer_window_ordered", errWindow)
	postgres.RegisterConstraint("offer_quota", errQuota)
	postgres.RegisterConstraint("offer_audience_known", ErrAudience)
	postgres.RegisterConstraint("entitlements_known", ErrEntitlements)
}
