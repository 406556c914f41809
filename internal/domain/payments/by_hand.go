package payments

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/kernel/money"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
)

// Bank is the holder of what is transferred to the institute's bank account.
const Bank = "bank"

// The ways in which money comes without a provider.
const (
	ByDesk     = "desk"
	ByTransfer = "transfer"
)

// Faults of money that comes without a provider.
var (
	ErrReceiptUsed = fault.New(fault.Conflict, "reference-used", "Money with this reference was recorded already, and it was another one.")
	ErrNoReceipt   = fault.New(fault.NotFound, "no-such-receipt", "No such money was recorded.")
	ErrMatched     = fault.New(fault.Conflict, "receipt-settled", "This money was matched or sent back already.")
	ErrProof       = fault.New(fault.Invalid, "bad-receipt-file", "A receipt file is a PDF, PNG or JPEG of 2 MiB at most, with a name of 1 to 200 characters.")
	ErrPaidBack    = fault.New(fault.Conflict, "reference-of-refund-used", "Another refund was paid back under this reference.")
	ErrNotByHand   = fault.New(fault.Conflict, "refund-not-by-hand", "This refund is not one that a person pays back now.")
)

func init() {
	postgres.RegisterConstraint("received_once", ErrReceiptUsed)
	postgres.RegisterConstraint("provider_refund_once", ErrPaidBack)
}

// NewByHand is what CreateByHandTx needs. The holder names the clearing account: Bank, or that of a school's desk.
type NewByHand struct {
	OrderID, Holder string
	Amount          money.Amount
	Description     string
	Email, Lang     string
	BuyerReference  string // such as the number of a purchase order
	Demo            bool
	ExpiresAt       time.Time
}

// CreateByHandTx notes that an order is to be paid without the provider, under a new reference for the buyer to quote.
func CreateByHandTx(ctx context.Context, tx *postgres.Tx, n NewByHand) (Payment, error) {
	var number int64
	if err := tx.Get(ctx, &number, q.Q("NextPayReference")); err != nil {
		return Payment{}, err
	}
	p := Payment{
		ID: ident.New("pay"), OrderID: n.OrderID, Provider: n.Holder, Demo: n.Demo, AmountMinor: n.Amount.Minor, Currency: string(n.Amount.Currency), State: Open, Description: n.Description,
		Email: n.Email, Lang: n.Lang, ExpiresAt: n.ExpiresAt, ByHand: true, PayReference: PayReference(number), BuyerReference: n.BuyerReference,
	}
	_, err := tx.Exec(ctx, q.Q("AddByHand"), p.ID, n.OrderID, n.Holder, n.Demo, n.Amount.Minor, n.Amount.Currency, n.Description, n.Email, n.Lang, n.ExpiresAt, tx.Now(),
		p.PayReference, n.BuyerReference)
	return p, err
}

// PayReference is a creditor reference (ISO 11649) of a number: RF, two check digits by ISO 7064 mod 97-10, and eight digits.
func PayReference(number int64) string {
	digits := fmt.Sprintf("%08d", number)
	return fmt.Sprintf("RF%02d%s", 98-mod97(digits+"271500"), digits)
}

func mod97(digits string) (rest int) {
	for _, d := range digits {
		rest = (rest*10 + int(d-'0')) % 97
	}
	return rest
}

var payReference = regexp.MustCompile(`RF([0-9]{2})([0-9]{8})`)

// FindPayReference finds the reference of ours in what somebody wrote on a transfer, however she spaced it. One whose check digits
// are wrong is none.
func FindPayReference(text string) (string, bool) {
	plain := strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9', r >= 'A' && r <= 'Z':
			return r
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		}
		return -1
	}, text)
	for _, m := range payReference.FindAllStringSubmatch(plain, -1) {
		if mod97(m[2]+"2715"+m[1]) == 1 {
			return m[0], true
		}
	}
	return "", false
}

// OfReferenceTx finds the payment that has a reference of ours. Error: ErrUnknownPayment.
func OfReferenceTx(ctx context.Context, tx *postgres.Tx, reference string) (Payment, error) {
	return one(ctx, tx, "OfReference", reference)
}

// CollectTx adds money that came by hand to a payment that was locked, and says what it is then: captured when the sum is there.
func CollectTx(ctx context.Context, tx *postgres.Tx, p Payment, minor int64, way string) (Payment, error) {
	p.CapturedMinor, p.CapturedCurrency, p.Method = p.CapturedMinor+minor, p.Currency, way
	if p.CapturedMinor == p.AmountMinor {
		now := tx.Now()
		p.State, p.CapturedAt = Captured, &now
	}
	_, err := tx.Exec(ctx, q.Q("Collect"), p.ID, p.State, p.CapturedMinor, p.CapturedCurrency, way, p.CapturedAt)
	return p, err
}

// LeaveTx makes a surplus of what a payment collected and its order needs no more. The payment must be locked by the caller.
func LeaveTx(ctx context.Context, tx *postgres.Tx, p Payment) (Payment, error) {
	now := tx.Now()
	p.State, p.CapturedAt = Surplus, &now
	_, err := tx.Exec(ctx, q.Q("Collect"), p.ID, p.State, p.CapturedMinor, p.CapturedCurrency, p.Method, p.CapturedAt)
	return p, err
}

// KnownTx says whether money was recorded under a reference of a holder.
func KnownTx(ctx context.Context, tx *postgres.Tx, holder, reference string) (known bool, err error) {
	err = tx.Get(ctx, &known, q.Q("KnownReceipt"), holder, reference)
	return known, err
}

// Receipt is money that somebody saw come, and what became of it.
type Receipt struct {
	ID           string     `json:"id" db:"id"`
	Way          string     `json:"way" db:"way"`
	Holder       string     `json:"-" db:"holder"`
	Organisation string     `json:"partner,omitempty" db:"organisation"`
	Reference    string     `json:"reference" db:"reference"`
	AmountMinor  int64      `json:"amount_minor" db:"amount_minor"`
	Currency     string     `json:"currency" db:"currency"`
	Payer        string     `json:"payer,omitempty" db:"payer"`
	Label        string     `json:"label,omitempty" db:"label"`
	ReceivedAt   time.Time  `json:"received_at" db:"received_at"`
	RecordedBy   string     `json:"recorded_by" db:"recorded_by"`
	RecordedAt   time.Time  `json:"recorded_at" db:"recorded_at"`
	OrderID      string     `json:"order,omitempty" db:"order_id"`
	PaymentID    string     `json:"-" db:"payment_id"`
	SurplusID    string     `json:"-" db:"surplus_id"`
	Surplus      int64      `json:"surplus_minor,omitempty" db:"surplus_minor"` // what of it is to be paid back
	State        string     `json:"state" db:"state"`                           // unmatched, counted, sent_back
	SentBack     string     `json:"sent_back,omitempty" db:"sent_back"`         // reference
	SettledAt    *time.Time `json:"settled_at,omitempty" db:"settled_at"`
	Reversal     string     `json:"reversal,omitempty" db:"reversal"` // id of the last one that was asked
	ReversalIs   string     `json:"reversal_state,omitempty" db:"reversal_state"`
	ProofName    string     `json:"file_name,omitempty" db:"proof_name"`
	ProofSHA256  string     `json:"file_sha256,omitempty" db:"proof_sha256"`
}

// Amount is what came.
func (r Receipt) Amount() money.Amount { return money.Of(r.AmountMinor, money.Currency(r.Currency)) }

// Proof is the paper that proves a receipt.
type Proof struct {
	Name    string
	Content []byte
}

// maxProof is how large a receipt file may be: a photograph from a telephone, made smaller, or a scanned page.
const maxProof = 2 << 20

func (p Proof) mediaType() (string, error) {
	is := http.DetectContentType(p.Content)
	if n := utf8.RuneCountInString(p.Name); n < 1 || n > 200 || len(p.Content) == 0 || len(p.Content) > maxProof || is != "application/pdf" && is != "image/png" && is != "image/jpeg" {
		return "", ErrProof
	}
	return is, nil
}

// AddReceiptTx notes money that came, once: the same reference of the same holder with the same amount gives what was noted, and
// fresh is false. Errors: ErrReceiptUsed, ErrProof.
func AddReceiptTx(ctx context.Context, tx *postgres.Tx, r Receipt, proof *Proof) (Receipt, bool, error) {
	if _, err := tx.Exec(ctx, q.Q("LockReceived"), r.Holder, r.Reference); err != nil {
		return r, false, err
	}
	var known Receipt
	err := tx.Get(ctx, &known, q.Q("ReceiptOf"), r.Holder, r.Reference)
	if err == nil {
		if known.Amount() != r.Amount() || r.OrderID != "" && known.OrderID != "" && known.OrderID != r.OrderID {
			return known, false, ErrReceiptUsed
		}
		return known, false, nil
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return r, false, err
	}
	r.ID, r.State, r.OrderID, r.RecordedBy, r.RecordedAt = ident.New("rcv"), "unmatched", "", postgres.Actor(ctx), tx.Now()
	if _, err := tx.Exec(ctx, q.Q("AddReceipt"), r.ID, r.Holder, r.Organisation, r.Way, r.Reference, r.AmountMinor, r.Currency, r.Payer, r.Label, r.ReceivedAt, r.RecordedBy,
		r.RecordedAt); err != nil || proof == nil {
		return r, true, err
	}
	media, err := proof.mediaType()
	if err != nil {
		return r, false, err
	}
	sum := sha256.Sum256(proof.Content)
	r.ProofName, r.ProofSHA256 = proof.Name, fmt.Sprintf("%x", sum)
	_, err = tx.Exec(ctx, q.Q("AddProof"), r.ID, proof.Name, media, sum[:], proof.Content)
	return r, true, err
}

// CountReceiptTx notes what money was for: the payment of an order, and the surplus of what nobody asked for; either may be empty.
func CountReceiptTx(ctx context.Context, tx *postgres.Tx, r Receipt) error {
	_, err := tx.Exec(ctx, q.Q("CountReceipt"), r.ID, r.OrderID, r.PaymentID, r.SurplusID, postgres.Actor(ctx), tx.Now())
	return err
}

// SendBackReceiptTx notes that money without an order was sent back, under the bank's reference.
func SendBackReceiptTx(ctx context.Context, tx *postgres.Tx, id, reference string) error {
	_, err := tx.Exec(ctx, q.Q("SendBackReceipt"), id, reference, postgres.Actor(ctx), tx.Now())
	return err
}

// ReceiptTx finds money that came, and holds it until the transaction ends. Error: ErrNoReceipt.
func ReceiptTx(ctx context.Context, tx *postgres.Tx, id string) (r Receipt, err error) {
	if err = tx.Get(ctx, &r, q.Q("LockReceipt"), id); errors.Is(err, sql.ErrNoRows) {
		err = ErrNoReceipt
	}
	return r, err
}

// ReceiptsTx lists money that came, of a school's desk and in a state (empty: all), the newest first, and the key after which the
// list goes on.
func ReceiptsTx(ctx context.Context, tx *postgres.Tx, organisation, state string, p page.Request) (all []Receipt, next string, err error) {
	all = []Receipt{}
	if err := tx.Select(ctx, &all, q.Q("Receipts"), organisation, state, p.After, p.Limit+1); err != nil {
		return nil, "", err
	}
	if len(all) > p.Limit {
		all, next = all[:p.Limit], all[p.Limit-1].ID
	}
	return all, next, nil
}

// Paper is the proof of a receipt as it is kept, with the school whose desk recorded it.
type Paper struct {
	Organisation string `db:"organisation"` // empty: the bank
	Name         string `db:"name"`
	MediaType    string `db:"media_type"`
	Content      []byte `db:"content"`
}

// PaperTx gives the paper of a receipt, byte for byte. Error: ErrNoReceipt.
func PaperTx(ctx context.Context, tx *postgres.Tx, receiptID string) (p Paper, err error) {
	if err = tx.Get(ctx, &p, q.Q("Paper"), receiptID); errors.Is(err, sql.ErrNoRows) {
		err = ErrNoReceipt
	}
	return p, err
}

// PayBack is a refund that a person pays back by the way the money came.
type PayBack struct {
	ID          string    `json:"id" db:"id"`
	OrderID     string    `json:"order" db:"order_id"`
	Holder      string    `json:"from" db:"provider"` // whose money it is: bank, or a desk
	AmountMinor int64     `json:"amount_minor" db:"amount_minor"`
	Currency    string    `json:"currency" db:"currency"`
	Reason      string    `json:"reason" db:"reason"`
	Payer       string    `json:"payer" db:"payer"` // who paid, as the bank or the desk called her
	Surplus     bool      `json:"surplus" db:"surplus"`
	RequestedAt time.Time `json:"requested_at" db:"requested_at"`
}

// Amount is what is to be paid back.
func (p PayBack) Amount() money.Amount { return money.Of(p.AmountMinor, money.Currency(p.Currency)) }

// PayBacksTx lists what is to be paid back by hand, the oldest first, and the key after which the list goes on.
func PayBacksTx(ctx context.Context, tx *postgres.Tx, p page.Request) (all []PayBack, next string, err error) {
	all = []PayBack{}
	if err := tx.Select(ctx, &all, q.Q("PayBacks"), p.After, p.Limit+1); err != nil {
		return nil, "", err
	}
	if len(all) > p.Limit {
		all, next = all[:p.Limit], all[p.Limit-1].ID
	}
	return all, next, nil
}

// MarkReversalTx says of a refund that it undoes what a desk recorded.
func MarkReversalTx(ctx context.Context, tx *postgres.Tx, refundID string) error {
	_, err := tx.Exec(ctx, q.Q("MarkReversal"), refundID)
	return err
}
