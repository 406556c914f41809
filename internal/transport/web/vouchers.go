package web

import (
	"strconv"
	"strings"

	"cursus/internal/domain/identity"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/money"
	paging "cursus/internal/kernel/page"
)

// vouchersPage lists vouchers, with the form of a new one. Written is a form that was refused, with Wrong.
type vouchersPage struct {
	Vouchers []sales.VoucherStanding
	Filter   offers.VoucherFilter
	Next     string
	Form     voucherForm
}

// voucherForm is the form of a voucher. One is the voucher that is written; nil for a new one. Now says that it was changed meanwhile.
type voucherForm struct {
	One           *sales.VoucherStanding
	Uses          []sales.Use
	Organisations []identity.Organisation
	Written       map[string]string
	Archived      bool
	Version       int
	Wrong         *fault.Fault
	Now           bool
}

var voucherFields = []string{"name", "percent", "amounts", "limit", "per_person", "from", "until", "offers", "sessions", "editions", "formulas", "organisation", "code", "count"}

func (w *Web) voucherList(r *request) (reply, error) { return w.vouchersWith(r, voucherForm{}) }

func (w *Web) vouchersWith(r *request, form voucherForm) (reply, error) {
	p, err := paging.Parse(0, r.query("after"))
	if err != nil {
		return reply{}, err
	}
	data := vouchersPage{Filter: offers.VoucherFilter{Words: strings.TrimSpace(r.query("q")), State: r.query("state")}, Form: form}
	all, next, err := w.house.Vouchers(r.ctx, r.viewer, data.Filter, p)
	if err != nil {
		return reply{}, err
	}
	data.Vouchers, data.Next = all, paging.Cursor(next)
	if data.Form.Organisations, err = w.house.Organisations(r.ctx, r.viewer); err != nil {
		return reply{}, err
	}
	return reply{page: "vouchers", title: "vouchers.title", data: data, status: refusedAs(form.Wrong)}, nil
}

func voucherWritten(r *request) voucherForm {
	form := voucherForm{Written: map[string]string{}, Archived: r.form("archived") != ""}
	form.Version, _ = strconv.Atoi(r.form("version"))
	for _, f := range voucherFields {
		form.Written[f] = strings.TrimSpace(r.form(f))
	}
	return form
}

func (w *Web) makeVoucher(r *request) (reply, error) {
	form := voucherWritten(r)
	n, err := voucherOf(form.Written)
	var id string
	if err == nil {
		id, err = w.house.MakeVoucher(r.ctx, r.viewer, r.form("key"), n)
	}
	if f := refusal(err); f != nil {
		form.Wrong = f
		return w.vouchersWith(r, form)
	}
	return reply{redirect: "/console/vouchers/" + id}, err
}

func (w *Web) voucher(r *request) (reply, error) { return w.voucherWith(r, nil) }

func (w *Web) voucherWith(r *request, refused *voucherForm) (reply, error) {
	v, uses, err := w.house.Voucher(r.ctx, r.viewer, r.param("id"))
	if err != nil {
		return reply{}, err
	}
	data, out := voucherForm{Written: writtenVoucher(v.Voucher), Archived: v.Archived, Version: v.Version}, reply{page: "voucher", title: v.Name}
	if refused != nil {
		data, out.status = *refused, kinds[refused.Wrong.Kind].status
		if refused.Wrong.Kind == fault.Precondition {
			data.Now, data.Version = true, v.Version // to save again is to decide
		}
	}
	data.One, data.Uses = &v, uses
	data.Organisations, err = w.house.Organisations(r.ctx, r.viewer)
	out.data = data
	return out, err
}

func writtenVoucher(v offers.Voucher) map[string]string {
	return map[string]string{
		"name": v.Name, "limit": optional(v.Limit), "per_person": optional(v.PerPerson), "from": timeField(v.ValidFrom), "until": timeField(v.ValidUntil),
		"offers": strings.Join(v.Scope.Offers, " "), "sessions": strings.Join(v.Scope.Sessions, " "), "editions": strings.Join(v.Scope.Editions, " "),
		"formulas": strings.Join(v.Scope.Formulas, " "), "organisation": v.Scope.Organisation,
	}
}

func (w *Web) saveVoucher(r *request) (reply, error) {
	form := voucherWritten(r)
	n, err := voucherTerms(form.Written)
	if err == nil {
		n.ID, n.Archived, n.Version = r.param("id"), form.Archived, form.Version
		err = w.house.SaveVoucher(r.ctx, r.viewer, n.Voucher)
	}
	if f := refusedOrChanged(err, offers.ErrVoucherChanged); f != nil {
		form.Wrong = f
		return w.voucherWith(r, &form)
	}
	return reply{redirect: "/console/vouchers/" + r.param("id")}, err
}

func (w *Web) voucherFile(r *request) (reply, error) {
	f, err := w.house.VoucherFile(r.ctx, r.viewer, r.param("id"))
	return reply{file: &f}, err
}

// voucherTerms reads what can be changed of a voucher.
func voucherTerms(in map[string]string) (n offers.NewVoucher, err error) {
	n.Name = in["name"]
	n.Scope = offers.Scope{Offers: wordsOf(in["offers"]), Sessions: wordsOf(in["sessions"]), Editions: wordsOf(in["editions"]), Formulas: wordsOf(in["formulas"]), Organisation: in["organisation"]}
	if n.Limit, err = numberOf("/limit", in["limit"]); err != nil {
		return n, err
	}
	if n.PerPerson, err = numberOf("/per_person", in["per_person"]); err != nil {
		return n, err
	}
	if n.ValidFrom, err = whenOf("/valid_from", in["from"]); err != nil {
		return n, err
	}
	n.ValidUntil, err = whenOf("/valid_until", in["until"])
	return n, err
}

// voucherOf reads a new voucher.
func voucherOf(in map[string]string) (n offers.NewVoucher, err error) {
	if n, err = voucherTerms(in); err != nil {
		return n, err
	}
	n.Code = in["code"]
	if in["percent"] != "" {
		ppm, ok := ppmOf(in["percent"])
		if !ok {
			return n, fault.InvalidInput(fault.Field{Pointer: "/percent_ppm", Code: "not-a-share", Detail: "Such as 10 or 33.3333, with at most four decimals."})
		}
		n.PercentPPM = &ppm
	}
	for line := range strings.Lines(in["amounts"]) {
		number, code, _ := strings.Cut(strings.TrimSpace(line), " ")
		if number == "" {
			continue
		}
		c, err := money.ParseCurrency(strings.TrimSpace(code))
		if err != nil {
			return n, err
		}
		a, err := money.ParseDecimal(strings.ReplaceAll(number, ",", "."), c)
		if err != nil {
			return n, err
		}
		n.Amounts = append(n.Amounts, a)
	}
	count, err := numberOf("/count", in["count"])
	if count != nil {
		n.Count = *count
	}
	return n, err
}

func wordsOf(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == ',' || r == ';' || r == '\n' || r == '\r' || r == '\t' })
}

// ppmOf reads a percentage with at most four decimals as millionths.
func ppmOf(s string) (int, bool) {
	whole, part, _ := strings.Cut(strings.TrimSpace(strings.TrimSuffix(strings.ReplaceAll(s, ",", "."), "%")), ".")
	if len(part) > 4 || len(whole) > 3 {
		return 0, false
	}
	n, err := strconv.ParseUint(whole+part+"0000"[len(part):], 10, 32)
	return int(n), err == nil
}

// Percent writes millionths as a percentage.
func (v View) Percent(ppm int) string {
	s := strings.TrimRight(strings.TrimRight(strconv.Itoa(ppm/10_000)+"."+strconv.Itoa(1_000_000 + ppm%10_000)[3:], "0"), ".")
	if v.Lang == "fr" {
		return strings.ReplaceAll(s, ".", ",") + "\u00a0%"
	}
	return s + "%"
}
