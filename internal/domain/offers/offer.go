package offers

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/lib/pq"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/programs"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/kernel/lifecycle"
	"cursus/internal/kernel/money"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// Offer is a formula of a session, or of an edition of a program, at a price. The keys are those of what it is on; the other
// pair is empty. Its entitlements are those of its formula now.
type Offer struct {
	ID           string
	SessionID    string
	SessionKey   string
	EditionID    string
	EditionKey   string
	Formula      string
	Price        money.Amount
	Entitlements []string
	Qualifying   bool
	ValidFrom    *time.Time
	ValidUntil   *time.Time
	Audience     string // key of the organisation whose members it is for; empty: the public
	Quota        *int   // how many can be sold; nil: no limit
	Call         catalog.Text
	Withdrawal   string // the right of its buyers to leave the contract: consumer, vocational or none
	Publication  catalog.Publication
	WithdrawnAt  *time.Time
	CreatedAt    time.Time
	Capacity     *int // of the session; an edition's is asked of programs
}

// WithdrawalRights are the rights to leave a contract that an offer can be sold with.
var WithdrawalRights = []string{"consumer", "vocational", "none"}

// States of an offer at an instant.
const (
	Drafted   = "draft"   // it is being prepared: the public does not see it
	InReview  = "review"  // somebody else reads it
	Waiting   = "waiting" // its time has not come
	Standing  = "standing"
	Ended     = "ended"
	Withdrawn = "withdrawn"
)

// Life is every move of an offer's publication. What was on sale does not become a draft again, and what was withdrawn stays so: an
// offer is a promise, another price is another offer.
var Life = lifecycle.Table[catalog.Publication]{Name: "offer", Start: catalog.Drafted, Moves: map[catalog.Publication][]catalog.Publication{
	catalog.Drafted:   {catalog.InReview, catalog.Archived},
	catalog.InReview:  {catalog.Drafted, catalog.Published},
	catalog.Published: {catalog.Archived},
	catalog.Archived:  nil,
}}

// StateAt says what an offer is at an instant. Both ends of its window belong to what comes after.
func (o Offer) StateAt(t time.Time) string {
	switch {
	case o.Publication == catalog.Archived:
		return Withdrawn
	case o.Publication != catalog.Published:
		return string(o.Publication)
	case o.ValidFrom != nil && t.Before(*o.ValidFrom):
		return Waiting
	case o.ValidUntil != nil && !t.Before(*o.ValidUntil):
		return Ended
	}
	return Standing
}

// Retake says whether the offer is a further attempt at an exam: the public is not shown it, and it takes no place.
func (o Offer) Retake() bool { return slices.Contains(o.Entitlements, ExamRetake) }

// ValidAt says why an offer cannot be taken at an instant; nil when it can.
func (o Offer) ValidAt(t time.Time) error {
	if o.StateAt(t) != Standing {
		return ErrNotValid
	}
	return nil
}

type row struct {
	ID           string         `db:"id"`
	SessionID    string         `db:"session_id"`
	SessionKey   string         `db:"session_key"`
	EditionID    string         `db:"edition_id"`
	EditionKey   string         `db:"edition_key"`
	Formula      string         `db:"formula"`
	PriceMinor   int64          `db:"price_minor"`
	Currency     string         `db:"currency"`
	Entitlements pq.StringArray `db:"entitlements"`
	Qualifying   bool           `db:"qualifying"`
	ValidFrom    *time.Time     `db:"valid_from"`
	ValidUntil   *time.Time     `db:"valid_until"`
	Audience     string         `db:"audience"`
	Quota        *int           `db:"quota"`
	CallEN       string         `db:"call_en"`
	CallFR       string         `db:"call_fr"`
	Publication  string         `db:"publication"`
	WithdrawnAt  *time.Time     `db:"withdrawn_at"`
	CreatedAt    time.Time      `db:"created_at"`
	Capacity     *int           `db:"capacity"`
	Withdrawal   string         `db:"withdrawal"`
}

func (r row) offer() Offer {
	return Offer{
		ID: r.ID, SessionID: r.SessionID, SessionKey: r.SessionKey, EditionID: r.EditionID, EditionKey: r.EditionKey, Formula: r.Formula,
		Price: money.Of(r.PriceMinor, money.Currency(r.Currency)), Entitlements: inOrder(r.Entitlements), Qualifying: r.Qualifying, ValidFrom: r.ValidFrom,
		ValidUntil: r.ValidUntil, Audience: r.Audience, Quota: r.Quota, Call: catalog.Text{EN: r.CallEN, FR: r.CallFR},
		Withdrawal: r.Withdrawal, Publication: catalog.Publication(r.Publication),
		WithdrawnAt: r.WithdrawnAt, CreatedAt: r.CreatedAt, Capacity: r.Capacity,
	}
}

// NewOffer is what CreateTx needs. Session and Edition are an id or a key; exactly one of them is given.
type NewOffer struct {
	Session    string
	Edition    string
	Formula    string
	Price      money.Amount
	ValidFrom  *time.Time
	ValidUntil *time.Time
	Audience   string // key of an organisation; empty: the public
	Quota      *int
	Call       catalog.Text
	Withdrawal string // consumer, vocational or none; empty: consumer
	// Publication is where it begins: Drafted, or Published (also when empty) for what was read elsewhere, such as a file that is brought in.
	Publication catalog.Publication
}

func (n NewOffer) validate() error {
	if (n.Session == "") == (n.Edition == "") {
		return fault.InvalidInput(fault.Field{Pointer: "/session", Code: "one-of", Detail: "An offer is on a session or on an edition."})
	}
	if !n.Price.Currency.Known() {
		return money.ErrCurrency
	}
	if n.Price.Minor < 0 || n.Price.Minor > 99_999_999 {
		return ErrPrice
	}
	if n.Quota != nil && (*n.Quota < 1 || *n.Quota > 1_000_000) {
		return errQuota
	}
	if n.Withdrawal != "" && !slices.Contains(WithdrawalRights, n.Withdrawal) {
		return fault.InvalidInput(fault.Field{Pointer: "/withdrawal", Code: "unknown", Detail: "consumer, vocational or none."})
	}
	if p := n.Publication; p != "" && p != catalog.Drafted && p != catalog.Published {
		return fault.InvalidInput(fault.Field{Pointer: "/publication", Code: "unknown", Detail: "draft or published."})
	}
	if utf8.RuneCountInString(n.Call.EN) > 80 || utf8.RuneCountInString(n.Call.FR) > 80 {
		return fault.InvalidInput(fault.Field{Pointer: "/call", Code: "too-long", Detail: "At most 80 characters."})
	}
	return nil
}

// CreateTx makes an offer. Errors: catalog.ErrNoSession, programs.ErrNoEdition and the faults of this room.
func CreateTx(ctx context.Context, tx *postgres.Tx, n NewOffer) (Offer, error) {
	if err := n.validate(); err != nil {
		return Offer{}, err
	}
	on, err := target(ctx, tx, n.Session, n.Edition)
	if err == nil && cmp.Or(n.Publication, catalog.Published) == catalog.Published {
		err = on.seen()
	}
	if err != nil {
		return Offer{}, err
	}
	f, err := FormulaTx(ctx, tx, n.Formula)
	switch {
	case errors.Is(err, ErrNoFormula):
		return Offer{}, ErrFormula
	case err != nil:
		return Offer{}, err
	case f.Archived:
		return Offer{}, ErrArchived
	case f.Has(ExamRetake) && on.edition.ID != "":
		return Offer{}, ErrRetakeOffer
	}
	id, publication := ident.New("off"), cmp.Or(n.Publication, catalog.Published)
	if _, err := tx.Exec(ctx, q.Q("Add"), id, nullable(on.session.ID), nullable(on.edition.ID), n.Formula, n.Price.Minor, n.Price.Currency, n.ValidFrom, n.ValidUntil,
		nullable(n.Audience), n.Quota, n.Call.EN, n.Call.FR, tx.Now(), cmp.Or(n.Withdrawal, "consumer"), publication); err != nil {
		return Offer{}, err
	}
	detail := map[string]any{"on": on.session.Key + on.edition.Key, "formula": n.Formula, "price": n.Price, "audience": n.Audience, "quota": n.Quota, "publication": publication}
	if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "offer.made", Object: id, Detail: detail}); err != nil {
		return Offer{}, err
	}
	return OfferTx(ctx, tx, id)
}

// on is what an offer is on: one of the two; the other is zero.
type on struct {
	session catalog.Session
	edition programs.Edition
}

// target finds what an offer is to be on, by ids or keys.
func target(ctx context.Context, tx *postgres.Tx, session, edition string) (o on, err error) {
	if edition != "" {
		o.edition, err = programs.EditionTx(ctx, tx, edition)
	} else {
		o.session, err = catalog.SessionTx(ctx, tx, session)
	}
	return o, err
}

// seen refuses to sell what the public does not see: an offer on it may be a draft (ErrUnseen).
func (o on) seen() error {
	switch {
	case o.edition.ID != "" && o.edition.State != catalog.Published:
		return ErrUnseen.At("/edition", "not-published", o.edition.Key+" is in the state "+string(o.edition.State)+".")
	case o.session.ID != "" && !o.session.Public():
		return ErrUnseen.At("/session", "not-published", o.session.Key+" is in the state "+string(o.session.Publication)+".")
	}
	return nil
}

// moved is the kind of the moves of offers.
const moved = "offer"

// MoveTx takes an offer to another state of its publication, with what there is to say. Errors: ErrNoOffer; catalog.ErrMove for an
// arrow that Life does not have; ErrTaken where another one like it is on sale; ErrArchived where its formula is no longer
// offered; ErrUnseen where what it is on is not published.
func MoveTx(ctx context.Context, tx *postgres.Tx, id string, to catalog.Publication, note string) (Offer, error) {
	if _, err := tx.Exec(ctx, q.Q("LockOffer"), id); err != nil {
		return Offer{}, err
	}
	o, err := OfferTx(ctx, tx, id)
	if err != nil {
		return o, err
	}
	if !Life.Allows(o.Publication, to) {
		return o, catalog.ErrMove.Detailf("From %s nothing goes to %s.", o.Publication, to)
	}
	if to == catalog.Published {
		f, err := FormulaTx(ctx, tx, o.Formula)
		if err == nil && f.Archived {
			err = ErrArchived
		}
		if err != nil {
			return o, err
		}
		thing, err := target(ctx, tx, o.SessionID, o.EditionID)
		if err == nil {
			err = thing.seen()
		}
		if err != nil {
			return o, err
		}
	}
	if err := catalog.MoveTx(ctx, tx, moved, id, 0, o.Publication, to, note); err != nil {
		return o, err
	}
	if _, err := tx.Exec(ctx, q.Q("Move"), id, to, tx.Now()); err != nil {
		return o, err
	}
	return OfferTx(ctx, tx, id)
}

// MovesTx lists who moved each of some offers, and when, the newest first, by id.
func MovesTx(ctx context.Context, tx *postgres.Tx, ids []string) (map[string][]catalog.Move, error) {
	return catalog.MovesOfTx(ctx, tx, moved, ids)
}

// WithdrawTx takes an offer back, for good; what was ordered stays. Withdrawing it again does nothing.
func WithdrawTx(ctx context.Context, tx *postgres.Tx, id string) (Offer, error) {
	o, err := OfferTx(ctx, tx, id)
	if err == nil && o.Publication == catalog.InReview {
		o, err = MoveTx(ctx, tx, id, catalog.Drafted, "")
	}
	if err != nil || o.Publication == catalog.Archived {
		return o, err
	}
	return MoveTx(ctx, tx, id, catalog.Archived, "")
}

// OfferTx finds an offer by id.
func OfferTx(ctx context.Context, tx *postgres.Tx, id string) (Offer, error) {
	var r row
	err := tx.Get(ctx, &r, q.Q("Offer"), id)
	if errors.Is(err, sql.ErrNoRows) {
		return Offer{}, ErrNoOffer
	}
	return r.offer(), err
}

// MayTakeTx says ErrNoOffer where an offer is for an organisation that a person is no member of.
func MayTakeTx(ctx context.Context, tx *postgres.Tx, o Offer, personID string) error {
	if o.Audience == "" {
		return nil
	}
	of, err := identity.OrganisationsOfTx(ctx, tx, personID)
	if err == nil && !slices.Contains(of, o.Audience) {
		err = ErrNoOffer
	}
	return err
}

// OfSessionTx lists the offers of a session to the public that are published, the simplest formula first.
func OfSessionTx(ctx context.Context, tx *postgres.Tx, sessionID string) ([]Offer, error) {
	return list(ctx, tx, "OfSession", sessionID, pq.Array([]string{}), false)
}

// ForTx lists the offers of a session or an edition (an id) that are published and that a person may see: those for the
// public, and those for her organisations. An empty person is the public.
func ForTx(ctx context.Context, tx *postgres.Tx, onID, personID string) ([]Offer, error) {
	of, err := organisationsOf(ctx, tx, personID)
	if err != nil {
		return nil, err
	}
	if len(onID) > 4 && onID[:4] == "edn_" {
		return list(ctx, tx, "OfEdition", onID, pq.Array(of))
	}
	return list(ctx, tx, "OfSession", onID, pq.Array(of), false)
}

// RetakesTx lists the retakes of its exam that a session (an id) offers a person: published, hers to see, and on sale now.
func RetakesTx(ctx context.Context, tx *postgres.Tx, sessionID, personID string) ([]Offer, error) {
	of, err := organisationsOf(ctx, tx, personID)
	if err != nil {
		return nil, err
	}
	all, err := list(ctx, tx, "OfSession", sessionID, pq.Array(of), true)
	return slices.DeleteFunc(all, func(o Offer) bool { return o.ValidAt(tx.Now()) != nil }), err
}

func organisationsOf(ctx context.Context, tx *postgres.Tx, personID string) ([]string, error) {
	if personID == "" {
		return []string{}, nil
	}
	return identity.OrganisationsOfTx(ctx, tx, personID)
}

// Filter chooses offers; empty fields do not. Session and Edition are keys or ids, On is either, State is one of the six.
type Filter struct{ Session, Edition, On, State string }

// ListTx lists offers, the newest first, and the key after which the list goes on.
func ListTx(ctx context.Context, tx *postgres.Tx, f Filter, p page.Request) (out []Offer, next string, err error) {
	out, err = list(ctx, tx, "List", f.Session, f.Edition, f.State, p.After, p.Limit+1, tx.Now(), f.On)
	if len(out) > p.Limit {
		out, next = out[:p.Limit], out[p.Limit-1].ID
	}
	return out, next, err
}

// ListPricesTx gives the list price of each session in a currency: that of its QUALIFYING offer to the public. A session
// without one is not in the answer.
func ListPricesTx(ctx context.Context, tx *postgres.Tx, sessionIDs []string, c money.Currency) (map[string]int64, error) {
	var rows []struct {
		SessionID string `db:"session_id"`
		Minor     int64  `db:"price_minor"`
	}
	err := tx.Select(ctx, &rows, q.Q("ListPrices"), pq.Array(sessionIDs), c)
	out := map[string]int64{}
	for _, r := range rows {
		out[r.SessionID] = r.Minor
	}
	return out, err
}

func list(ctx context.Context, tx *postgres.Tx, statement string, args ...any) ([]Offer, error) {
	var rows []row
	err := tx.Select(ctx, &rows, q.Q(statement), args...)
	out := make([]Offer, len(rows))
	for i, r := range rows {
		out[i] = r.offer()
	}
	return out, err
}

func nullable(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
