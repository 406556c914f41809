// Package offers holds the formulas in which a session or a program can be followed and the prices at which they are sold.
//
// A formula is data: the entitlements that it opens, and its words. An offer is a formula of one session or of one edition of
// a program at a price, in a time window, for an audience, perhaps for a limited number of buyers. It is never edited: a new
// price is a new offer, and what an order froze does not move. Beside its own price, which always holds, an offer may have further
// ones, and vouchers take something off: Quote says what all of them come to.
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
	ExamRetake    = "exam_retake" // a further attempt at an exam; it is sold alone, on a session
)

// Entitlements lists all of them in the order to show.
var Entitlements = []string{Knowledge, Practice, KnowHow, Labs, ExtraContent, Workshop, Coaching, ManagerReport, ProctoredExam, Certificate, ExamRetake}

// Every fault of this room.
var (
	ErrNoOffer        = fault.New(fault.NotFound, "no-such-offer", "There is no such offer.")
	ErrFormula        = fault.New(fault.Invalid, "no-such-formula", "There is no such formula.")
	ErrNoFormula      = fault.New(fault.NotFound, "no-such-formula", "There is no such formula.")
	ErrArchived       = fault.New(fault.Unprocessable, "formula-archived", "This formula is archived: it is not offered anew.")
	ErrFormulaTaken   = fault.New(fault.Conflict, "formula-exists", "There is a formula with this key already.")
	ErrFormulaChanged = fault.New(fault.Precondition, "changed-meanwhile", "The formula was changed since you read it. Read it again and decide again.")
	ErrRetakeOffer    = fault.New(fault.Unprocessable, "retake-of-a-session", "A retake of an exam is offered on a session.")
	ErrUnseen         = fault.New(fault.Unprocessable, "not-published", "An offer is published when the session or the edition that it is on is. Until then it may be a draft.")
	ErrTaken          = fault.New(fault.Conflict, "offer-exists", "This formula has a price in this currency for this audience already. Withdraw it first.")
	ErrNotValid       = fault.New(fault.Unprocessable, "offer-not-valid", "This offer cannot be taken now: its time has not come or is over.")
	ErrPrice          = fault.New(fault.Invalid, "bad-price", "A price is zero or more, and below a hundred million minor units.")
	ErrAudience       = fault.New(fault.Invalid, "no-such-organisation", "There is no organisation with this key.")
	ErrEntitlements   = fault.InvalidInput(fault.Field{Pointer: "/entitlements", Code: "bad-entitlements", Detail: "One at least, each of the known ones, none twice."})
	errQuota          = fault.InvalidInput(fault.Field{Pointer: "/quota", Code: "out-of-range", Detail: "1 to 1,000,000; leave it out for no limit."})
	errWindow         = fault.New(fault.Invalid, "bad-window", "It ends before it begins.")
	ErrNoPrice        = fault.New(fault.NotFound, "no-such-price", "This offer has no such price.")
	ErrPriceChanged   = fault.New(fault.Precondition, "changed-meanwhile", "The price was changed since you read it. Read it again and decide again.")
	ErrQuantity       = fault.New(fault.Invalid, "bad-quantity", "From 1 to 10,000 of an offer can be asked for.")
	ErrOtherCurrency  = fault.New(fault.Unprocessable, "not-in-this-currency", "This offer has no price in this currency now.")
	errEarly          = fault.InvalidInput(fault.Field{Pointer: "/early_until", Code: "out-of-range", Detail: "1 to 1,000,000; leave it out for no limit."})
)

// Every fault of vouchers. Those from ErrNoCode on say why a code that was given takes nothing off.
var (
	ErrNoVoucher        = fault.New(fault.NotFound, "no-such-voucher", "There is no such voucher.")
	ErrVoucherChanged   = fault.New(fault.Precondition, "changed-meanwhile", "The voucher was changed since you read it. Read it again and decide again.")
	ErrCodeTaken        = fault.New(fault.Conflict, "code-exists", "There is a voucher with this code, or one that looks like it, already.")
	ErrScope            = fault.New(fault.Unprocessable, "scope-unknown", "A voucher is for what exists.")
	errCode             = fault.InvalidInput(fault.Field{Pointer: "/code", Code: "bad-code", Detail: "4 to 32 letters and digits; hyphens and blanks do not count."})
	errCount            = fault.InvalidInput(fault.Field{Pointer: "/count", Code: "out-of-range", Detail: "1 to 10,000 codes, or one code of your own."})
	errVoucherLimit     = fault.InvalidInput(fault.Field{Pointer: "/limit", Code: "out-of-range", Detail: "1 to 1,000,000; leave it out for no limit."})
	ErrNoCode           = fault.New(fault.Unprocessable, "voucher-unknown", "There is no voucher with this code.")
	ErrVoucherArchived  = fault.New(fault.Unprocessable, "voucher-archived", "This voucher was taken back.")
	ErrVoucherEarly     = fault.New(fault.Unprocessable, "voucher-not-yet", "The time of this voucher has not come.")
	ErrVoucherOver      = fault.New(fault.Unprocessable, "voucher-over", "The time of this voucher is over.")
	ErrVoucherNotYours  = fault.New(fault.Unprocessable, "voucher-for-members", "This voucher is for the members of an organisation.")
	ErrVoucherElsewhere = fault.New(fault.Unprocessable, "voucher-elsewhere", "This voucher is for something else.")
	ErrVoucherFormula   = fault.New(fault.Unprocessable, "voucher-other-formula", "This voucher is for another formula.")
	ErrVoucherCurrency  = fault.New(fault.Unprocessable, "voucher-other-currency", "This voucher does not hold in this currency.")
	ErrCodeUsed         = fault.New(fault.Unprocessable, "voucher-code-used", "This code works once, and was used or is held by an order that waits for its payment.")
	ErrVoucherUsedUp    = fault.New(fault.Unprocessable, "voucher-used-up", "This voucher was used as often as it can be.")
	ErrVoucherUsedByYou = fault.New(fault.Unprocessable, "voucher-used-by-you", "You have used this voucher as often as one person can.")
	ErrVoucherNothing   = fault.New(fault.Unprocessable, "voucher-takes-nothing-off", "There is nothing that this voucher could take off.")
)

func init() {
	postgres.RegisterConstraint("offer_formula_known", ErrFormula)
	postgres.RegisterConstraint("one_offer_per_formula_and_currency", ErrTaken)
	postgres.RegisterConstraint("offer_window_ordered", errWindow)
	postgres.RegisterConstraint("offer_quota", errQuota)
	postgres.RegisterConstraint("offer_audience_known", ErrAudience)
	postgres.RegisterConstraint("entitlements_known", ErrEntitlements)
	postgres.RegisterConstraint("price_audience_known", ErrAudience)
	postgres.RegisterConstraint("price_early", errEarly)
	postgres.RegisterConstraint("price_window_ordered", errWindow)
	postgres.RegisterConstraint("voucher_window_ordered", errWindow)
	postgres.RegisterConstraint("voucher_organisation_known", ErrAudience)
	postgres.RegisterConstraint("voucher_limit", errVoucherLimit)
	postgres.RegisterConstraint("voucher_per_person", errVoucherLimit)
}
