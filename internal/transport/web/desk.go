package web

import (
	"fmt"
	"html/template"
	"net/url"
	"strconv"
	"strings"

	"cursus/internal/domain/invoicing"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/money"
	paging "cursus/internal/kernel/page"
)

// deskOrdersPage is what the list of all orders shows.
type deskOrdersPage struct {
	Orders      []sales.Listed
	Filter      sales.OrderFilter
	From, Until string // days, both within
	States      []sales.State
	Ways        []sales.Way
	Query       template.URL // of this list without its cursor, for the file and the next page
	Next        string       // cursor
}

// orderStates are those of an order in the order of its life.
var orderStates = []sales.State{
	sales.AwaitingPayment, sales.Accruing, sales.Billed, sales.Paid, sales.PartiallyRefunded, sales.Withdrawn, sales.Refunded, sales.Disputed, sales.Lost, sales.Defaulted, sales.PaymentMismatch, sales.Expired, sales.Canceled,
}

// ordersFiltered reads the filter of a list of orders. A state or way that is none chooses nothing, as a filter does.
func ordersFiltered(r *request) (p deskOrdersPage, err error) {
	p = deskOrdersPage{From: r.query("from"), Until: r.query("until"), States: orderStates, Ways: sales.AllWays}
	p.Filter = sales.OrderFilter{
		State: r.query("state"), Way: r.query("way"), Buyer: strings.TrimSpace(r.query("buyer")), Key: strings.ToUpper(strings.TrimSpace(r.query("key"))),
	}
	if p.Filter.From, err = dayField("query/from", p.From); err != nil {
		return p, err
	}
	if p.Filter.Until, err = dayField("query/until", p.Until); err != nil {
		return p, err
	}
	if p.Filter.Until != nil {
		next := p.Filter.Until.AddDate(0, 0, 1) // people name the last day
		p.Filter.Until = &next
	}
	said := url.Values{}
	for _, name := range []string{"state", "way", "buyer", "key", "from", "until"} {
		if v := r.query(name); v != "" {
			said.Set(name, v)
		}
	}
	p.Query = template.URL(said.Encode()) //nolint:gosec // encoded just now
	return p, nil
}

func (w *Web) deskOrders(r *request) (reply, error) {
	at, err := paging.Parse(0, r.query("after"))
	if err != nil {
		return reply{}, err
	}
	data, err := ordersFiltered(r)
	if err != nil {
		return reply{}, err
	}
	all, next, err := w.house.DeskOrders(r.ctx, r.viewer, data.Filter, at)
	data.Orders, data.Next = all, paging.Cursor(next)
	return reply{page: "desk_orders", title: "console.orders", data: data}, err
}

func (w *Web) deskOrdersFile(r *request) (reply, error) {
	data, err := ordersFiltered(r)
	if err != nil {
		return reply{}, err
	}
	f, err := w.house.DeskOrdersFile(r.ctx, r.viewer, data.Filter)
	return reply{file: &f}, err
}

func (w *Web) orderEvidence(r *request) (reply, error) {
	f, err := w.house.OrderEvidence(r.ctx, r.viewer, r.param("id"), r.lang)
	return reply{file: &f}, err
}

// deskOrderPage is what staff sees of an order, with the form that gives money back. Written is one that was refused, with Wrong.
type deskOrderPage struct {
	sales.Case
	Documents []invoicing.Full
	Written   map[string]string
	Wrong     *fault.Fault
	MayRefund bool // by her scopes and by the order
}

func (w *Web) deskOrder(r *request) (reply, error) { return w.deskOrderWith(r, deskOrderPage{}) }

func (w *Web) deskOrderWith(r *request, data deskOrderPage) (out reply, err error) {
	if data.Case, data.Documents, err = w.house.DeskOrder(r.ctx, r.viewer, r.param("id")); err != nil {
		return reply{}, err
	}
	for _, a := range data.Order.Actions {
		if a.Action == sales.ActRefund {
			data.MayRefund = a.Allowed && r.viewer.May("refunds:write")
		}
	}
	return reply{page: "desk_order", title: "desk.order", data: data, status: refusedAs(data.Wrong)}, nil
}

// giveBack gives back what was written beside each line, or all that is left where that was ticked.
func (w *Web) giveBack(r *request) (reply, error) {
	id := r.param("id")
	written := map[string]string{"reason": strings.TrimSpace(r.form("reason")), "all": r.form("all")}
	seen, _, err := w.house.DeskOrder(r.ctx, r.viewer, id)
	if err != nil {
		return reply{}, err
	}
	c := sales.RefundOrder{OrderID: id, Reason: written["reason"], IdempotencyKey: r.form("key")}
	for _, l := range seen.Order.Lines {
		if name := fmt.Sprintf("seats_%d", l.N); strings.TrimSpace(r.form(name)) != "" {
			written[name] = strings.TrimSpace(r.form(name))
			n, wrong := strconv.Atoi(written[name])
			if wrong != nil || n < 1 {
				err = fault.InvalidInput(fault.Field{Pointer: fmt.Sprintf("/lines/%d/seats", len(c.Lines)), Code: "bad-number", Detail: "A whole number of seats."})
				break
			}
			c.Lines = append(c.Lines, sales.RefundLine{Line: l.N, Seats: n})
		}
		name := fmt.Sprintf("line_%d", l.N)
		s := strings.ReplaceAll(strings.TrimSpace(r.form(name)), ",", ".")
		if written[name] = s; s == "" {
			continue
		}
		a, wrong := money.ParseDecimal(s, l.Total.Currency)
		if wrong != nil {
			err = fault.InvalidInput(fault.Field{Pointer: fmt.Sprintf("/lines/%d/amount_minor", len(c.Lines)), Code: "bad-amount", Detail: fmt.Sprintf("%s is no amount in %s.", s, l.Total.Currency)})
			break
		}
		c.Lines = append(c.Lines, sales.RefundLine{Line: l.N, Minor: a.Minor})
	}
	if err == nil && (len(c.Lines) == 0) != (written["all"] != "") {
		err = fault.InvalidInput(fault.Field{Pointer: "/lines", Code: "one-of", Detail: "Amounts beside lines, or all that is left."})
	}
	if err == nil {
		err = w.house.GiveBack(r.ctx, r.viewer, c)
	}
	if f := refusal(err); f != nil && f.Kind != fault.NotFound {
		return w.deskOrderWith(r, deskOrderPage{Written: written, Wrong: f})
	}
	return reply{redirect: "/console/orders/" + url.PathEscape(id)}, err
}

// refundDeskPage is what the desk of refunds shows.
type refundDeskPage struct {
	sales.ToDo
	Wrong *fault.Fault
}

func (w *Web) refundDesk(r *request) (reply, error) { return w.refundDeskWith(r, nil) }

func (w *Web) refundDeskWith(r *request, wrong *fault.Fault) (reply, error) {
	d, err := w.house.Desk(r.ctx, r.viewer)
	return reply{page: "desk_refunds", title: "console.refunds", data: refundDeskPage{d, wrong}, status: refusedAs(wrong)}, err
}

// decideRefund is the second person's word. What was decided meanwhile is told on the desk itself.
func (w *Web) decideRefund(r *request) (reply, error) {
	order, err := w.house.DecideRefund(r.ctx, r.viewer, r.param("id"), r.form("do") == "agree", r.form("key")+r.form("do"))
	if f := refusal(err); f != nil && f.Kind == fault.Conflict {
		return w.refundDeskWith(r, f)
	}
	return reply{redirect: "/console/orders/" + url.PathEscape(order)}, err
}

// repay says that what is owed was paid otherwise, or is the second person's word on that. What is wrong is told on the desk itself.
func (w *Web) repay(r *request) (reply, error) {
	var err error
	if do := r.form("do"); do == "" {
		err = w.house.SayRepaid(r.ctx, r.viewer, r.param("id"), strings.TrimSpace(r.form("reference")), r.form("key"))
	} else {
		err = w.house.DecideRepaid(r.ctx, r.viewer, r.param("id"), do == "agree", r.form("key")+do)
	}
	if f := refusal(err); f != nil && f.Kind != fault.NotFound && f.Kind != fault.Forbidden {
		return w.refundDeskWith(r, f)
	}
	return reply{redirect: "/console/refunds"}, err
}
