package web

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"cursus/internal/domain/identity"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/fault"
	paging "cursus/internal/kernel/page"
)

// poolRoutes are the addresses of who manages an organisation, of who claims a seat, and of staff who order for others.
func (w *Web) poolRoutes() []route {
	return []route{
		{method: "GET", path: "/organisation", who: signedIn, handle: w.organisation},
		{method: "POST", path: "/organisation", who: signedIn, handle: w.orderSeats},
		{method: "GET", path: "/orders/:id/seats", who: signedIn, handle: w.seatsOfOrder},
		{method: "POST", path: "/orders/:id/seats", who: signedIn, handle: w.changeSeats, large: true, slow: true, fresh: does("giveback")},
		{method: "GET", path: "/claim/:token", who: signedIn, handle: w.claim},
		{method: "POST", path: "/claim/:token", who: signedIn, handle: w.claimSeat},
		{method: "GET", path: "/orders/:id/transfer", who: signedIn, handle: w.transfer},
		{method: "POST", path: "/orders/:id/transfer", who: signedIn, handle: w.changeTransfer},
		{method: "GET", path: "/transfers", who: signedIn, handle: w.transfers},
		{method: "POST", path: "/transfers", who: signedIn, handle: w.takeTransfer},
		{method: "GET", path: "/console/behalf", who: staff, handle: w.organisations},
		{method: "POST", path: "/console/behalf", who: staff, handle: w.changeOrganisations, fresh: does("put", "drop")},
	}
}

// shopPage is what a manager sees of her organisation.
type shopPage struct {
	Organisations []identity.Managed
	Homes         []PartnerHome
	Key           string
	Offers        []sales.SeatOffer
	Orders        []Order
	Next          string // cursor
	Written       map[string]string
	Wrong         *fault.Fault
}

func (w *Web) organisation(r *request) (reply, error) {
	return w.organisationWith(r, r.query("of"), nil, nil)
}

func (w *Web) organisationWith(r *request, key string, written map[string]string, wrong *fault.Fault) (out reply, err error) {
	p, err := paging.Parse(0, r.query("after"))
	if err != nil {
		return reply{}, err
	}
	d := shopPage{Key: key, Written: written, Wrong: wrong}
	if d.Organisations, err = w.house.Managed(r.ctx, r.viewer); err != nil {
		return reply{}, err
	}
	if d.Homes, err = w.house.PartnerHomes(r.ctx, r.viewer); err != nil {
		return reply{}, err
	}
	if d.Key == "" && len(d.Organisations) > 0 {
		d.Key = d.Organisations[0].Key
	}
	if d.Key != "" {
		d.Offers, d.Orders, d.Next, err = w.house.Shop(r.ctx, r.viewer, d.Key, p)
		d.Next = paging.Cursor(d.Next)
	}
	return reply{page: "organisation", title: "pool.organisation", data: d, status: refusedAs(wrong), wait: waitOf(wrong)}, err
}

var seatFields = []string{"do", "of", "offer", "quantity", "voucher", "email", "name", "organisation", "person", "lang", "seat", "back", "reason", "link", "line", "uses", "until", "list"}

func seatForm(r *request) map[string]string {
	written := map[string]string{}
	for _, f := range seatFields {
		written[f] = strings.TrimSpace(r.form(f))
	}
	return written
}

// seatsWanted reads what a form orders.
func seatsWanted(r *request, in map[string]string) (sales.PlaceOrder, error) {
	n, err := strconv.Atoi(in["quantity"])
	if err != nil {
		err = fault.InvalidInput(fault.Field{Pointer: "/quantity", Code: "bad-number", Detail: "A whole number."})
	}
	return sales.PlaceOrder{Items: []sales.Item{{OfferID: in["offer"], Quantity: n}}, Voucher: in["voucher"], Lang: r.lang, IdempotencyKey: r.form("key")}, err
}

func (w *Web) orderSeats(r *request) (reply, error) {
	in := seatForm(r)
	c, err := seatsWanted(r, in)
	var id string
	if c.Organisation = in["of"]; err == nil {
		id, err = w.house.OrderSeats(r.ctx, r.viewer, c)
	}
	if f := refusal(err); f != nil {
		return w.organisationWith(r, in["of"], in, f)
	}
	return reply{redirect: "/orders/" + url.PathEscape(id)}, err
}

// heldPage is what a manager sees of the seats of an order. Token is of the link that was just made: it is shown once.
type heldPage struct {
	SeatsOfOrder
	Next    string // cursor
	Token   string
	Roster  *sales.RosterResult
	Written map[string]string
	Wrong   *fault.Fault
	Base    string // of this site, for links to pass on
}

func (w *Web) seatsOfOrder(r *request) (reply, error) { return w.seatsWith(r, heldPage{}) }

func (w *Web) seatsWith(r *request, d heldPage) (out reply, err error) {
	p, err := paging.Parse(0, r.query("after"))
	if err != nil {
		return reply{}, err
	}
	d.SeatsOfOrder, err = w.house.OrderSeatsOf(r.ctx, r.viewer, r.param("id"), p)
	d.Base, d.Next = w.base, paging.Cursor(d.SeatsOfOrder.Next)
	return reply{page: "order_seats", title: "pool.seats", data: d, status: refusedAs(d.Wrong)}, err
}

// errUnsure refuses to give a seat back that nobody confirmed.
var errUnsure = fault.New(fault.Unprocessable, "not-confirmed", "Nothing was given back: say that you are sure.")

func (w *Web) changeSeats(r *request) (reply, error) {
	in, order := seatForm(r), r.param("id")
	d := heldPage{Written: in}
	line, _ := strconv.Atoi(in["line"])
	var err error
	switch in["do"] {
	case "release":
		err = w.house.ReleaseSeat(r.ctx, r.viewer, order, in["seat"])
	case "move":
		err = w.house.MoveSeat(r.ctx, r.viewer, order, in["seat"], in["email"], in["name"])
	case "giveback":
		in["back"] = in["seat"]
		if r.form("confirm") != "1" {
			err = errUnsure
			break
		}
		if err = w.house.GiveBack(r.ctx, r.viewer, sales.RefundOrder{
			OrderID: order, Lines: []sales.RefundLine{{Line: line, SeatID: in["seat"]}}, Reason: in["reason"], IdempotencyKey: r.form("key"),
		}); err == nil {
			return reply{redirect: "/console/orders/" + url.PathEscape(order)}, nil // where the refund stands
		}
	case "revoke":
		err = w.house.RevokeClaimLink(r.ctx, r.viewer, order, in["link"])
	case "link":
		var k sales.ClaimLink
		n := sales.NewClaimLink{OrderID: order, Line: line, IdempotencyKey: r.form("key")}
		if n.MaxUses, err = strconv.Atoi(in["uses"]); err != nil {
			err = fault.InvalidInput(fault.Field{Pointer: "/uses", Code: "bad-number", Detail: "A whole number."})
			break
		}
		var day *time.Time
		if day, err = dayField("/until", in["until"]); err != nil {
			break
		}
		if day != nil { // the day itself counts
			n.ExpiresAt = day.AddDate(0, 0, 1)
		}
		if k, err = w.house.MakeClaimLink(r.ctx, r.viewer, n); err == nil {
			return w.seatsWith(r, heldPage{Token: k.Token})
		}
	default:
		var result sales.RosterResult
		c := sales.Roster{OrderID: order, Line: line, File: []byte(in["list"]), DryRun: in["do"] != "apply"}
		if result, err = w.house.ApplyRoster(r.ctx, r.viewer, c); err == nil {
			return w.seatsWith(r, heldPage{Roster: &result, Written: in})
		}
	}
	if f := refusal(err); f != nil && (f.Kind != fault.NotFound || in["seat"] != "" || in["link"] != "") {
		d.Wrong = f
		return w.seatsWith(r, d)
	}
	return reply{redirect: "/orders/" + url.PathEscape(order) + "/seats"}, err
}

// claimPage is a claim, with whether who looks lets companies see how far she is.
type claimPage struct {
	Claim
	Given bool
}

func (w *Web) claim(r *request) (reply, error) {
	c, err := w.house.SeeClaim(r.ctx, r.viewer, r.param("token"))
	if err != nil {
		return reply{}, err
	}
	f, err := w.house.Followed(r.ctx, r.viewer)
	return reply{page: "claim", title: "pool.claim", data: claimPage{c, f.Consent.Given}}, err
}

func (w *Web) claimSeat(r *request) (reply, error) {
	err := w.house.ClaimSeat(r.ctx, r.viewer, r.param("token"))
	if err == nil {
		err = w.shareToo(r)
	}
	return reply{redirect: "/learning"}, err
}

// behalfPage is where staff name managers and order for others.
type behalfPage struct {
	Behalf
	Written map[string]string
	Wrong   *fault.Fault
}

func (w *Web) organisations(r *request) (reply, error) { return w.organisationsWith(r, nil, nil) }

func (w *Web) organisationsWith(r *request, written map[string]string, wrong *fault.Fault) (reply, error) {
	all, err := w.house.Behalf(r.ctx, r.viewer)
	return reply{page: "console_behalf", title: "pool.organisations", data: behalfPage{all, written, wrong}, status: refusedAs(wrong)}, err
}

func (w *Web) changeOrganisations(r *request) (reply, error) {
	in := seatForm(r)
	to := "/console/behalf"
	var err error
	switch in["do"] {
	case "put":
		err = w.house.PutManager(r.ctx, r.viewer, in["organisation"], in["email"])
	case "drop":
		err = w.house.DropManager(r.ctx, r.viewer, in["organisation"], in["person"])
	case "order":
		var c sales.PlaceOrder
		if c, err = seatsWanted(r, in); err == nil {
			c.Organisation, c.BuyerEmail, c.BuyerName = in["organisation"], in["email"], in["name"]
			if in["lang"] != "" {
				c.Lang = in["lang"]
			}
			var id string
			id, err = w.house.OrderOnBehalf(r.ctx, r.viewer, c)
			to = "/console/orders/" + url.PathEscape(id)
		}
	default:
		err = fault.InvalidInput(fault.Field{Pointer: "do", Code: "unknown", Detail: fmt.Sprintf("%q", in["do"])})
	}
	if f := refusal(err); f != nil {
		return w.organisationsWith(r, in, f)
	}
	return reply{redirect: to}, err
}

// transferPage is where a buyer gives places of an order to somebody else.
type transferPage struct {
	Order   string
	Lines   []sales.Movable
	Written map[string]string
	Wrong   *fault.Fault
}

func (w *Web) transfer(r *request) (reply, error) { return w.transferWith(r, nil, nil) }

func (w *Web) transferWith(r *request, written map[string]string, wrong *fault.Fault) (reply, error) {
	lines, err := w.house.Transfers(r.ctx, r.viewer, r.param("id"))
	return reply{page: "transfer", title: "transfer.title", data: transferPage{r.param("id"), lines, written, wrong}, status: refusedAs(wrong)}, err
}

func (w *Web) changeTransfer(r *request) (reply, error) {
	in := seatForm(r)
	line, _ := strconv.Atoi(in["line"])
	var err error
	if in["do"] == "withdraw" {
		err = w.house.WithdrawTransfer(r.ctx, r.viewer, r.param("id"), line)
	} else {
		err = w.house.OfferTransfer(r.ctx, r.viewer, r.param("id"), line, in["email"])
	}
	if f := refusal(err); f != nil && f.Kind != fault.NotFound {
		return w.transferWith(r, in, f)
	}
	return reply{redirect: "/orders/" + url.PathEscape(r.param("id")) + "/transfer"}, err
}

// offeredPage is what is offered to the viewer.
type offeredPage struct {
	Offers []sales.Handover
	Wrong  *fault.Fault
}

func (w *Web) transfers(r *request) (reply, error) { return w.transfersWith(r, nil) }

func (w *Web) transfersWith(r *request, wrong *fault.Fault) (reply, error) {
	all, err := w.house.OfferedTo(r.ctx, r.viewer)
	return reply{page: "transfers", title: "transfer.offered", data: offeredPage{all, wrong}, status: refusedAs(wrong)}, err
}

func (w *Web) takeTransfer(r *request) (reply, error) {
	err := w.house.AcceptTransfer(r.ctx, r.viewer, strings.TrimSpace(r.form("transfer")))
	if f := refusal(err); f != nil {
		return w.transfersWith(r, f)
	}
	return reply{redirect: "/learning"}, err
}
