package cohorts

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"time"
	"unicode/utf8"

	"cursus/internal/domain/identity"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/kernel/money"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/idempotency"
	"cursus/internal/platform/postgres"
)

// Agreement is how the places of a cohort are paid.
type Agreement string

// The agreements.
const (
	Prepaid         Agreement = "prepaid"          // out of seats that the organisation bought
	PayAtSchool     Agreement = "pay_at_school"    // each learner has an order of her own, which she pays at the school's desk
	InvoicedMonthly Agreement = "invoiced_monthly" // the school takes each place on its account, and pays one invoice for those of a month
)

// Cohort is a partner organisation's group in a session or in an edition of a program.
type Cohort struct {
	ID           string    `json:"id" db:"id"`
	Organisation string    `json:"organisation" db:"organisation"`
	Key          string    `json:"key" db:"key"` // the organisation's own
	Name         string    `json:"name" db:"name"`
	OfferID      string    `json:"offer" db:"offer_id"`
	Session      string    `json:"session,omitempty" db:"session_key"` // what the offer is on: this or the edition
	Edition      string    `json:"edition,omitempty" db:"edition_key"`
	TitleEN      string    `json:"-" db:"title_en"`
	TitleFR      string    `json:"-" db:"title_fr"`
	Formula      string    `json:"formula" db:"formula"`
	Agreement    Agreement `json:"agreement" db:"agreement"`
	OrderID      string    `json:"order,omitempty" db:"order_id"` // prepaid: whose seats are given
	Line         int       `json:"line,omitempty" db:"line"`
	Seats        *int      `json:"seats,omitempty" db:"seats"` // none: without limit

	// Invoiced monthly: what was agreed on.
	PriceMinor *int64         `json:"price_minor,omitempty" db:"price_minor"` // of a place
	Currency   money.Currency `json:"currency,omitempty" db:"price_currency"`
	DueDays    *int           `json:"due_days,omitempty" db:"due_days"` // in which an invoice is to be paid

	Waiting   int        `json:"waiting" db:"waiting"`
	Enrolled  int        `json:"enrolled" db:"enrolled"`
	Suspended int        `json:"suspended" db:"suspended"`
	Left      int        `json:"left" db:"gone"` // withdrawn or transferred
	Version   int        `json:"version" db:"version"`
	MadeAt    time.Time  `json:"made_at" db:"made_at"`
	ClosedAt  *time.Time `json:"closed_at,omitempty" db:"closed_at"`
	ThingID   string     `json:"-" db:"thing_id"`
}

// Title is that of what the cohort follows.
func (c Cohort) Title(lang string) string {
	if lang == "fr" && c.TitleFR != "" {
		return c.TitleFR
	}
	return c.TitleEN
}

// NewCohort is what a cohort is made of. OrderID and Line name the seats of a prepaid one. Seats nil: as many as the line has, or without limit.
type NewCohort struct {
	Organisation string    `json:"organisation"`
	Key          string    `json:"key"`
	Name         string    `json:"name"`
	OfferID      string    `json:"offer"`
	Agreement    Agreement `json:"agreement"`
	OrderID      string    `json:"order,omitempty"`
	Line         int       `json:"line,omitempty"`
	Seats        *int      `json:"seats,omitempty"`
	DueDays      *int      `json:"due_days,omitempty"` // invoiced monthly: in how many days an invoice is due; nil: 30
}

// In how many days an invoice of a month is to be paid: as is usual, and at most.
const (
	usualDue = 30
	mostDue  = 120
)

// Edit is what of a cohort can be written anew. Closed says that nobody comes in any more.
type Edit struct {
	Key    string `json:"key"`
	Name   string `json:"name"`
	Seats  *int   `json:"seats,omitempty"`
	Closed bool   `json:"closed"`
}

const maxSeats = 1_000_000

var cohortKey = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$`)

func (e Edit) check() (wrong []fault.Field) {
	if !cohortKey.MatchString(e.Key) {
		wrong = append(wrong, fault.Field{Pointer: "/key", Code: "bad-key", Detail: "1 to 60 letters, digits, dots, hyphens and underscores; the first is a letter or a digit."})
	}
	if n := utf8.RuneCountInString(e.Name); n < 1 || n > 200 || !plain(e.Name) {
		wrong = append(wrong, fault.Field{Pointer: "/name", Code: "bad-length", Detail: "1 to 200 characters."})
	}
	if e.Seats != nil && (*e.Seats < 1 || *e.Seats > maxSeats) {
		wrong = append(wrong, fault.Field{Pointer: "/seats", Code: "out-of-range", Detail: "1 to 1,000,000 seats, or none said."})
	}
	return wrong
}

// mustTx refuses who may not do at an organisation what a scope names; who has nothing to do with it does not learn that there is a cohort.
// Errors: ErrNoCohort, identity.ErrNoPartnerRole.
func (by By) mustTx(ctx context.Context, tx *postgres.Tx, organisation, scope string) error {
	err := identity.MustHoldTx(ctx, tx, organisation, by.PersonID, scope)
	if err != nil && fault.From(err).Code == identity.ErrNoOrganisation.Code {
		return ErrNoCohort
	}
	return err
}

// Create makes a cohort, once per key. One that is invoiced monthly agrees on the price of a place as it is for the organisation now. Errors: identity.ErrNoOrganisation, offers.ErrNoOffer, ErrPool, ErrPoolTaken, ErrKey, invalid fields,
// those of idempotency.
func (s *Service) Create(ctx context.Context, by By, key string, n NewCohort) (c Cohort, err error) {
	wrong := Edit{Key: n.Key, Name: n.Name, Seats: n.Seats}.check()
	if n.Agreement != Prepaid && n.Agreement != PayAtSchool && n.Agreement != InvoicedMonthly {
		wrong = append(wrong, fault.Field{Pointer: "/agreement", Code: "unknown", Detail: "prepaid, pay_at_school or invoiced_monthly."})
	}
	if (n.Agreement == Prepaid) != (n.OrderID != "" && n.Line > 0) {
		wrong = append(wrong, fault.Field{Pointer: "/order", Code: "prepaid-alone", Detail: "A prepaid cohort names an order and its line, and no other one does."})
	}
	if n.DueDays != nil && (n.Agreement != InvoicedMonthly || *n.DueDays < 0 || *n.DueDays > mostDue) {
		wrong = append(wrong, fault.Field{Pointer: "/due_days", Code: "out-of-range", Detail: "0 to 120 days, of a cohort that is invoiced monthly."})
	}
	if wrong != nil {
		return c, fault.InvalidInput(wrong...)
	}
	return once(ctx, s, by, key, "create cohort", n, func(ctx context.Context, tx *postgres.Tx) (Cohort, error) {
		if err := by.mustTx(ctx, tx, n.Organisation, mayWrite); err != nil {
			return Cohort{}, orNoOrganisation(err)
		}
		if _, err := identity.OrganisationTx(ctx, tx, n.Organisation); err != nil {
			return Cohort{}, err
		}
		offer, err := offers.OfferTx(ctx, tx, n.OfferID)
		if err == nil && offer.Audience != "" && offer.Audience != n.Organisation {
			err = offers.ErrNoOffer
		}
		if err != nil {
			return Cohort{}, err
		}
		if n.Agreement == Prepaid {
			most, err := poolSeats(ctx, tx, n)
			if err != nil {
				return Cohort{}, err
			}
			if n.Seats == nil || *n.Seats > most {
				n.Seats = &most
			}
		}
		var terms struct {
			minor *int64
			in    *string
			due   *int
		}
		if n.Agreement == InvoicedMonthly {
			price, err := sales.AgreedPriceTx(ctx, tx, n.Organisation, n.OfferID)
			if err != nil {
				return Cohort{}, err
			}
			due, currency := usualDue, string(price.Currency)
			if n.DueDays != nil {
				due = *n.DueDays
			}
			terms.minor, terms.in, terms.due = &price.Minor, &currency, &due
		}
		id := ident.New("coh")
		if _, err := tx.Exec(ctx, q.Q("AddCohort"), id, n.Organisation, n.Key, n.Name, offer.ID, offer.SessionID+offer.EditionID, n.Agreement, n.OrderID, n.Line, n.Seats,
			by.PersonID, tx.Now(), terms.minor, terms.in, terms.due); err != nil {
			return Cohort{}, err
		}
		if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "cohort.made", Object: id, Detail: map[string]any{"cohort": n, "by": by.PersonID}}); err != nil {
			return Cohort{}, err
		}
		return CohortTx(ctx, tx, id)
	})
}

// poolSeats is how many seats a line has that a prepaid cohort may take. Error: ErrPool.
func poolSeats(ctx context.Context, tx *postgres.Tx, n NewCohort) (int, error) {
	o, err := sales.OrderTx(ctx, tx, n.OrderID)
	if err != nil {
		if fault.From(err).Kind == fault.NotFound {
			return 0, ErrPool
		}
		return 0, err
	}
	for _, l := range o.Lines {
		if l.N == n.Line && o.Organisation == n.Organisation && l.OfferID == n.OfferID && (o.State == sales.Paid || o.State == sales.PartiallyRefunded) {
			return l.Quantity, nil
		}
	}
	return 0, ErrPool
}

func orNoOrganisation(err error) error {
	if fault.From(err).Code == ErrNoCohort.Code {
		return identity.ErrNoOrganisation
	}
	return err
}

// Put writes a cohort anew over the version that was read; 0 takes any. Errors: ErrNoCohort, ErrChanged, ErrKey, ErrFewSeats, invalid fields.
func (s *Service) Put(ctx context.Context, by By, id string, version int, e Edit) (c Cohort, err error) {
	if wrong := e.check(); wrong != nil {
		return c, fault.InvalidInput(wrong...)
	}
	err = s.db.InTx(postgres.WithActor(ctx, "system"), "put cohort", func(ctx context.Context, tx *postgres.Tx) error {
		before, err := lockTx(ctx, tx, by, id, mayWrite)
		if err != nil {
			return err
		}
		if version != 0 && version != before.Version {
			return ErrChanged
		}
		if before.Agreement == Prepaid && e.Seats == nil {
			e.Seats = before.Seats
		}
		if e.Seats != nil && *e.Seats < before.Waiting+before.Enrolled+before.Suspended {
			return ErrFewSeats
		}
		if _, err := tx.Exec(ctx, q.Q("PutCohort"), id, e.Key, e.Name, e.Seats, e.Closed, tx.Now()); err != nil {
			return err
		}
		if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "cohort.put", Object: id, Detail: map[string]any{"by": by.PersonID},
			Before: Edit{before.Key, before.Name, before.Seats, before.ClosedAt != nil}, After: e}); err != nil {
			return err
		}
		c, err = CohortTx(ctx, tx, id)
		return err
	})
	return c, err
}

// lockTx finds a cohort that somebody may act on, and holds it with all cohorts of its organisation for the same, in one order: rows of one of
// them see those of the others. Error: ErrNoCohort.
func lockTx(ctx context.Context, tx *postgres.Tx, by By, id, scope string) (c Cohort, err error) {
	if c, err = CohortTx(ctx, tx, id); err != nil {
		return c, err
	}
	if err := by.mustTx(ctx, tx, c.Organisation, scope); err != nil {
		return c, err
	}
	if err := tx.Select(ctx, &[]string{}, q.Q("LockCohorts"), c.Organisation, c.ThingID); err != nil {
		return c, err
	}
	return CohortTx(ctx, tx, id) // another statement than the lock: it sees what was committed while we waited
}

// CohortTx finds a cohort, as far as the actor may see it. Error: ErrNoCohort.
func CohortTx(ctx context.Context, tx *postgres.Tx, id string) (Cohort, error) {
	return cohortBy(ctx, tx, "Cohort", id)
}

func cohortBy(ctx context.Context, tx *postgres.Tx, statement, id string) (c Cohort, err error) {
	var all []Cohort
	if err := tx.Select(ctx, &all, q.Q(statement), id); err != nil {
		return c, err
	}
	if len(all) == 0 {
		return c, ErrNoCohort
	}
	return all[0], nil
}

// Cohort finds a cohort that somebody may act on. Error: ErrNoCohort.
func (s *Service) Cohort(ctx context.Context, by By, id string) (c Cohort, err error) {
	err = s.db.View(postgres.WithActor(ctx, "system"), "cohort", func(ctx context.Context, tx *postgres.Tx) error {
		if c, err = CohortTx(ctx, tx, id); err != nil {
			return err
		}
		return by.mustTx(ctx, tx, c.Organisation, mayRead)
	})
	return c, err
}

// Cohorts lists those that somebody may act on, of one organisation or of all, the newest first, and the key after which the list goes on.
func (s *Service) Cohorts(ctx context.Context, by By, organisation string, r page.Request) (all []Cohort, next string, err error) {
	actor := "learner:" + by.PersonID // row-level security shows her those of her organisations
	if err := s.db.View(postgres.WithActor(ctx, "system"), "who lists cohorts", func(ctx context.Context, tx *postgres.Tx) error {
		may, err := identity.MayTx(ctx, tx, by.PersonID, mayRead)
		if may {
			actor = "system"
		}
		return err
	}); err != nil {
		return nil, "", err
	}
	err = s.db.View(postgres.WithActor(ctx, actor), "cohorts", func(ctx context.Context, tx *postgres.Tx) error {
		all, next = []Cohort{}, ""
		if err := tx.Select(ctx, &all, q.Q("Cohorts"), organisation, r.After, r.Limit+1); err != nil {
			return err
		}
		if len(all) > r.Limit {
			all, next = all[:r.Limit], all[r.Limit-1].ID
		}
		return nil
	})
	return all, next, err
}

// Members lists who is in a cohort, in the order in which they came, and the key after which the list goes on. state and search choose some: an
// empty state is any, search is a part of the key, the address or the name. Error: ErrNoCohort.
func (s *Service) Members(ctx context.Context, by By, id, state, search string, r page.Request) (all []Member, next string, err error) {
	err = s.db.View(postgres.WithActor(ctx, "system"), "members of a cohort", func(ctx context.Context, tx *postgres.Tx) error {
		c, err := CohortTx(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := by.mustTx(ctx, tx, c.Organisation, mayRead); err != nil {
			return err
		}
		all, next = []Member{}, ""
		if err := tx.Select(ctx, &all, q.Q("Members"), id, state, search, r.After, r.Limit+1); err != nil {
			return err
		}
		if len(all) > r.Limit {
			all, next = all[:r.Limit], all[r.Limit-1].ID
		}
		return nil
	})
	return all, next, err
}

// once does something once per principal and key, in a transaction, and gives ever after what it gave then.
func once[T any](ctx context.Context, s *Service, by By, key, name string, command any, do func(ctx context.Context, tx *postgres.Tx) (T, error)) (out T, err error) {
	reply, _, err := s.replies.Do(postgres.WithActor(ctx, "system"), "cohort:"+by.PersonID, key, requestHash(name, command),
		func(ctx context.Context, tx *postgres.Tx) (idempotency.Reply, error) {
			x, err := do(ctx, tx)
			if err != nil {
				return idempotency.Reply{}, err
			}
			b, err := json.Marshal(x)
			return idempotency.Reply{Status: http.StatusOK, Body: b}, err
		})
	if err != nil {
		return out, err
	}
	return out, json.Unmarshal(reply.Body, &out)
}
