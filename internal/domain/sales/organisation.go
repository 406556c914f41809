package sales

import (
	"context"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/invoicing"
	"cursus/internal/domain/offers"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/money"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
)

// behalfOpen is how long an order can be paid that staff placed for somebody: she hears of it by mail.
const behalfOpen = 7 * 24 * time.Hour

// maxSeats is how many seats one item of an organisation's order may have.
const maxSeats = 10000

// ErrNoContact refuses an order on behalf of an organisation by somebody who could not manage it afterwards.
var ErrNoContact = fault.New(fault.Unprocessable, "contact-not-manager", "The person to whom the order is given is no manager of this organisation.")

// OrderPlaced says that an order was placed whose buyer was not at a pay page: an organisation's, or one that staff placed.
type OrderPlaced struct {
	OrderID string `json:"order_id"`
}

// Kind names the job.
func (OrderPlaced) Kind() string { return "sales.order_placed" }

// quantityOf says why an item cannot be ordered so often.
func (c PlaceOrder) quantityOf(x Item) (code, detail string) {
	switch {
	case c.Organisation == "" && x.Quantity != 1:
		return "one-place", "A learner buys one place for herself."
	case x.Quantity < 1 || x.Quantity > maxSeats:
		return "bad-quantity", "1 to 10,000 seats."
	}
	return "", ""
}

// principal is who the key of the command belongs to.
func (c PlaceOrder) principal() string {
	if c.PlacedBy != "" {
		return "behalf:" + c.PlacedBy
	}
	return "buyer:" + c.BuyerID
}

// resolve finds the buyer of an order: the person herself, one who is known by her address and made where she is new, or, of an
// organisation, one of its managers. Errors: identity.ErrNoOrganisation, ErrNoContact, identity.ErrEmail, identity.ErrNoPerson.
func (c *PlaceOrder) resolve(ctx context.Context, tx *postgres.Tx) error {
	if c.BuyerID == "" {
		if c.Organisation != "" {
			if _, err := identity.OrganisationTx(ctx, tx, c.Organisation); err != nil {
				return err
			}
			email, err := identity.NormalEmail(c.BuyerEmail)
			if err != nil {
				return err
			}
			p, found, err := identity.FindByEmailTx(ctx, tx, email)
			if err != nil || !found {
				return orElse(err, ErrNoContact)
			}
			c.BuyerID = p.ID
		} else {
			p, err := identity.PutPersonTx(ctx, tx, c.BuyerEmail, c.BuyerName, c.Lang)
			if err != nil {
				return err
			}
			c.BuyerID = p.ID
		}
	}
	if c.Organisation == "" {
		return nil
	}
	err := identity.MustManageTx(ctx, tx, c.Organisation, c.BuyerID)
	if c.PlacedBy != "" && fault.From(err).Code == identity.ErrNoOrganisation.Code && err != nil {
		return ErrNoContact
	}
	return err
}

func orElse(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// mayTake says ErrNoOffer where an offer is for others: an organisation takes what is for the public and what is for itself.
func (c PlaceOrder) mayTake(ctx context.Context, tx *postgres.Tx, o offers.Offer) error {
	if c.Organisation == "" {
		return offers.MayTakeTx(ctx, tx, o, c.BuyerID)
	}
	if o.Audience != "" && o.Audience != c.Organisation {
		return offers.ErrNoOffer
	}
	return nil
}

// organisations are those whose prices and vouchers hold for the order: of a learner all that she is a member of, of an organisation
// itself alone.
func (c PlaceOrder) organisations(ctx context.Context, tx *postgres.Tx) ([]string, error) {
	if c.Organisation != "" {
		return []string{c.Organisation}, nil
	}
	return identity.OrganisationsOfTx(ctx, tx, c.BuyerID)
}

// told says whether the buyer is written to when the order is placed.
func (o Order) told() bool { return o.Pool() || o.PlacedBy != "" }

// MustOwnTx refuses who may not act for the buyer of an order: she herself, or a manager of the organisation that buys. Error: ErrNoOrder.
func (o Order) mustOwnTx(ctx context.Context, tx *postgres.Tx, personID string) error {
	if !o.Pool() {
		if o.BuyerID != personID {
			return ErrNoOrder
		}
		return nil
	}
	if identity.MustManageTx(ctx, tx, o.Organisation, personID) != nil {
		return ErrNoOrder
	}
	return nil
}

// buyerTx is to whom the documents of an order are made out: where an organisation buys, to it.
func (o Order) buyerTx(ctx context.Context, tx *postgres.Tx) (b invoicing.Buyer, err error) {
	p, err := identity.PersonTx(ctx, tx, o.BuyerID)
	if err != nil {
		return b, err
	}
	b = invoicing.Buyer{ID: p.ID, Name: p.FullName, Email: p.Email}
	if o.Pool() {
		org, err := identity.OrganisationTx(ctx, tx, o.Organisation)
		if err != nil {
			return b, err
		}
		b.Company = org.Name
	}
	return b, nil
}

// OrganisationOrders lists the orders of an organisation for one of its managers, the newest first, and the key after which the list goes
// on. Errors: identity.ErrNoOrganisation.
func (s *Service) OrganisationOrders(ctx context.Context, organisation, managerID string, r page.Request) (out []Order, next string, err error) {
	if err := s.db.View(postgres.WithActor(ctx, "system"), "manager", func(ctx context.Context, tx *postgres.Tx) error {
		return identity.MustManageTx(ctx, tx, organisation, managerID)
	}); err != nil {
		return nil, "", err
	}
	return s.list(ctx, "ListOfOrganisation", organisation, r)
}

// SeatOffer is an offer as an organisation may take it: what it is on, and the price of one seat.
type SeatOffer struct {
	ID       string
	Title    catalog.Text
	Key      string // of the session or edition
	Formula  string
	Audience string // whom else than the public it is for
	Price    money.Amount
}

// SeatOffers lists what an organisation may order now, at its prices; an empty one stands for staff, who see what is for anybody. At
// most as many as a page has.
func (s *Service) SeatOffers(ctx context.Context, organisation string) (out []SeatOffer, err error) {
	err = s.db.View(postgres.WithActor(ctx, "system"), "seat offers", func(ctx context.Context, tx *postgres.Tx) error {
		all, _, err := offers.ListTx(ctx, tx, offers.Filter{State: offers.Standing}, page.Request{Limit: page.MaxLimit})
		if err != nil {
			return err
		}
		out = nil
		for _, o := range all {
			if organisation != "" && o.Audience != "" && o.Audience != organisation {
				continue
			}
			on, err := thingOf(ctx, tx, o)
			if err != nil {
				return err
			}
			if on.openAt(tx.Now()) != nil {
				continue
			}
			items := []wanted{{Item: Item{o.ID, 1}, offer: o, on: on}}
			p, err := pricingOf(ctx, tx, PlaceOrder{Organisation: organisation}, items)
			if err == nil {
				err = p.count(ctx, tx, "", "")
			}
			if err != nil {
				return err
			}
			quoted, err := p.quote(tx, items)
			if err != nil {
				return err
			}
			out = append(out, SeatOffer{ID: o.ID, Title: on.title(), Key: o.SessionKey + o.EditionKey, Formula: o.Formula, Audience: o.Audience, Price: quoted.Total})
		}
		return nil
	})
	return out, err
}
