package web

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"strings"

	"cursus/internal/domain/payments"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/money"
	paging "cursus/internal/kernel/page"
)

// WayHouse is what the pages ask of the rooms about ways to pay without the provider. Who may not do a thing is Forbidden.
type WayHouse interface {
	// ChooseWay chooses how an order of the viewer is paid, and gives the address of the pay page, if that is the way.
	ChooseWay(ctx context.Context, who Viewer, c sales.ChooseWay) (string, error)
	// ByHand gives money that waits for an order, what was recorded last, and what is to be paid back.
	ByHand(ctx context.Context, who Viewer) (ByHand, error)
	RecordTransfer(ctx context.Context, who Viewer, c sales.Receive) error
	// TakeStatement records a statement of the bank, or says what would become of it.
	TakeStatement(ctx context.Context, who Viewer, c sales.TakeStatement) (sales.Statement, error)
	MatchReceipt(ctx context.Context, who Viewer, receipt, order, key string) error
	SendReceiptBack(ctx context.Context, who Viewer, receipt, reference, key string) error
	MarkPaidBack(ctx context.Context, who Viewer, refund, reference, key string) error
	// Desks gives the schools at whose desk the viewer takes money, and what was recorded at one of them.
	Desks(ctx context.Context, who Viewer, partner string, p paging.Request) (desks []string, all []payments.Receipt, next string, err error)
	RecordDeskReceipt(ctx context.Context, who Viewer, partner string, c sales.Receive) error
	AskReversal(ctx context.Context, who Viewer, partner, receipt, reason, key string) error
	DecideReversal(ctx context.Context, who Viewer, partner, receipt string, agree bool, key string) error
	// DeskFile is the paper of a receipt, for cashiers of its school and for who reads the accounts.
	DeskFile(ctx context.Context, who Viewer, receipt string) (File, error)
}

// ByHand is what waits for a person, and what was recorded last.
type ByHand struct {
	Unmatched, Last []payments.Receipt
	PayBacks        []payments.PayBack
}

func (w *Web) wayRoutes() []route {
	return []route{
		{method: "POST", path: "/orders/:id/way", who: signedIn, handle: w.chooseWay},
		{method: "GET", path: "/console/money", who: staff, handle: w.byHand},
		{method: "POST", path: "/console/money", who: staff, handle: w.changeByHand, fresh: does("return", "paid")},
		{method: "POST", path: "/console/money/statement", who: staff, handle: w.statement, upload: true},
		{method: "GET", path: "/console/desk", who: staff, handle: w.desk},
		{method: "POST", path: "/console/desk", who: staff, handle: w.recordAtDesk, upload: true},
		{method: "POST", path: "/console/desk/reversal", who: staff, handle: w.reverseAtDesk, fresh: always},
		{method: "GET", path: "/console/money/:id/file", who: staff, handle: w.deskFile},
	}
}

func (w *Web) chooseWay(r *request) (reply, error) {
	way, partner, _ := strings.Cut(r.form("way"), ":")
	page, err := w.house.ChooseWay(r.ctx, r.viewer, sales.ChooseWay{
		OrderID: r.param("id"), Way: sales.Way(way), Desk: sales.DeskOf{Organisation: partner}, Reference: strings.TrimSpace(r.form("reference")),
		IdempotencyKey: r.form("key"),
	})
	return reply{redirect: cmp.Or(page, "/orders/"+url.PathEscape(r.param("id")))}, err
}

// moneyPage is what the page of money without the provider shows; Written was refused, with Wrong.
type moneyPage struct {
	ByHand
	Currencies []money.Currency
	Written    map[string]string
	Wrong      *fault.Fault
	Statement  *sales.Statement // that was looked at or recorded just now
	Kept       string           // the file of one that was looked at
}

// statement looks at a statement of the bank, and records it in a second step.
func (w *Web) statement(r *request) (reply, error) {
	content, err := given(r)
	currency := money.Currency(cmp.Or(r.form("currency"), "EUR"))
	var out sales.Statement
	if err == nil {
		out, err = w.house.TakeStatement(r.ctx, r.viewer, sales.TakeStatement{Content: content, Currency: currency, DryRun: r.form("do") != "record", IdempotencyKey: r.form("key")})
	}
	if f := refusal(err); f != nil {
		return w.byHandWith(r, map[string]string{}, f)
	}
	if err != nil {
		return reply{}, err
	}
	all, err := w.house.ByHand(r.ctx, r.viewer)
	if err != nil {
		return reply{}, err
	}
	data := moneyPage{ByHand: all, Currencies: money.Currencies(), Statement: &out}
	if data.Written = map[string]string{"currency": string(currency)}; out.DryRun {
		data.Kept, err = pack(content)
	}
	return reply{page: "money", title: "money.title", data: data}, err
}

func (w *Web) byHand(r *request) (reply, error) { return w.byHandWith(r, nil, nil) }

func (w *Web) byHandWith(r *request, written map[string]string, wrong *fault.Fault) (reply, error) {
	all, err := w.house.ByHand(r.ctx, r.viewer)
	return reply{page: "money", title: "money.title", data: moneyPage{ByHand: all, Currencies: money.Currencies(), Written: written, Wrong: wrong}, status: refusedAs(wrong)}, err
}

var moneyFields = []string{"do", "receipt", "refund", "order", "reference", "amount", "currency", "payer", "label", "on", "partner"}

func (w *Web) changeByHand(r *request) (reply, error) {
	in := trimmed(r, moneyFields)
	var err error
	switch in["do"] {
	case "match":
		err = w.house.MatchReceipt(r.ctx, r.viewer, in["receipt"], in["order"], r.form("key"))
	case "return":
		err = w.house.SendReceiptBack(r.ctx, r.viewer, in["receipt"], in["reference"], r.form("key"))
	case "paid":
		err = w.house.MarkPaidBack(r.ctx, r.viewer, in["refund"], in["reference"], r.form("key"))
	default:
		var c sales.Receive
		if c, err = receiveOf(in, r.form("key")); err == nil {
			err = w.house.RecordTransfer(r.ctx, r.viewer, c)
		}
	}
	if f := refusal(err); f != nil {
		return w.byHandWith(r, in, f)
	}
	return reply{redirect: "/console/money"}, err
}

// receiveOf reads money that came, as a form says it.
func receiveOf(in map[string]string, key string) (c sales.Receive, err error) {
	c = sales.Receive{OrderID: in["order"], Reference: in["reference"], Payer: in["payer"], Label: in["label"], IdempotencyKey: key}
	currency, err := money.ParseCurrency(in["currency"])
	if err != nil {
		return c, err
	}
	if c.Amount, err = money.ParseDecimal(strings.ReplaceAll(in["amount"], ",", "."), currency); err != nil {
		return c, err
	}
	day, err := dayField("/on", in["on"])
	if err == nil && day == nil {
		err = fault.InvalidInput(fault.Field{Pointer: "/on", Code: "required", Detail: "A day."})
	}
	if err == nil {
		c.ReceivedAt = *day
	}
	return c, err
}

// deskPage is what a cashier sees.
type deskPage struct {
	Desks      []string
	Partner    string
	Receipts   []payments.Receipt
	Next       string // cursor
	Currencies []money.Currency
	Written    map[string]string
	Wrong      *fault.Fault
}

func (w *Web) desk(r *request) (reply, error) { return w.deskWith(r, r.query("partner"), nil, nil) }

func (w *Web) deskWith(r *request, partner string, written map[string]string, wrong *fault.Fault) (out reply, err error) {
	p, err := paging.Parse(0, r.query("after"))
	if err != nil {
		return reply{}, err
	}
	d := deskPage{Partner: partner, Currencies: money.Currencies(), Written: written, Wrong: wrong}
	d.Desks, d.Receipts, d.Next, err = w.house.Desks(r.ctx, r.viewer, partner, p)
	if d.Next = paging.Cursor(d.Next); d.Partner == "" && len(d.Desks) > 0 {
		d.Partner = d.Desks[0]
	}
	return reply{page: "cashdesk", title: "cashdesk.title", data: d, status: refusedAs(wrong)}, err
}

func (w *Web) recordAtDesk(r *request) (reply, error) {
	in := trimmed(r, moneyFields)
	c, err := receiveOf(in, r.form("key"))
	if file := r.upload(); len(file) > 0 {
		c.Proof = &payments.Proof{Name: "receipt", Content: file}
	}
	if err == nil {
		err = w.house.RecordDeskReceipt(r.ctx, r.viewer, in["partner"], c)
	}
	return w.deskDone(r, in, err)
}

func (w *Web) deskDone(r *request, in map[string]string, err error) (reply, error) {
	f := refusal(err)
	if errors.Is(err, payments.ErrSecondPerson) { // she is in the right place
		f = fault.From(err)
	}
	if f != nil && (f.Kind != fault.Forbidden || errors.Is(f, payments.ErrSecondPerson)) {
		return w.deskWith(r, in["partner"], in, f)
	}
	return reply{redirect: "/console/desk?partner=" + url.QueryEscape(in["partner"])}, err
}

func (w *Web) reverseAtDesk(r *request) (reply, error) {
	in := trimmed(r, moneyFields)
	var err error
	if in["do"] == "ask" {
		err = w.house.AskReversal(r.ctx, r.viewer, in["partner"], in["receipt"], strings.TrimSpace(r.form("reason")), r.form("key"))
	} else {
		err = w.house.DecideReversal(r.ctx, r.viewer, in["partner"], in["receipt"], in["do"] == "agree", r.form("key"))
	}
	return w.deskDone(r, in, err)
}

func (w *Web) deskFile(r *request) (reply, error) {
	f, err := w.house.DeskFile(r.ctx, r.viewer, r.param("id"))
	return reply{file: &f}, err
}
