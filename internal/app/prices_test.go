package app_test

import (
	"strings"
	"testing"

	"cursus/internal/transport/api/apitest"
)

// pricesStory makes a price and a voucher through the API, rewrites both over the version that was read, and leaves their ids to the
// walker.
func (w *world) pricesStory(t *testing.T, walker *apitest.Walker, token string) {
	t.Helper()
	ask := func(operation string, status int, change func(r *apitest.Request)) (a apitest.Answer) {
		t.Helper()
		r := walker.Example(operation)
		r.Token = token
		if change != nil {
			change(&r)
		}
		if a = walker.Do(t, r); a.Status != status {
			t.Errorf("%s: %d, not %d\n%.500s", operation, a.Status, status, a.Body)
		}
		return a
	}
	var made struct{ ID, Code, Kind string }
	var page struct {
		Prices   []struct{ ID string }
		Vouchers []struct {
			ID    string
			Codes int
		}
	}
	match := func(tag string) func(*apitest.Request) {
		return func(r *apitest.Request) { r.Header.Set("If-Match", tag) }
	}
	tag := ask("addPrice", 201, func(r *apitest.Request) { r.Header.Set("Idempotency-Key", "story-price") })
	again := ask("addPrice", 201, func(r *apitest.Request) { r.Header.Set("Idempotency-Key", "story-price") })
	if tag.JSON(t, &made); string(tag.Body) != string(again.Body) {
		t.Errorf("a repeated key made another price:\n%s\n%s", tag.Body, again.Body)
	}
	walker.Values["price_id"] = made.ID
	ask("putPrice", 200, match(tag.Header.Get("ETag")))
	ask("putPrice", 412, match(tag.Header.Get("ETag")))
	ask("putPrice", 404, func(r *apitest.Request) { match("*")(r); r.Path["offer"] = w.paid.ID })
	if ask("listPrices", 200, nil).JSON(t, &page); len(page.Prices) != 1 || page.Prices[0].ID != made.ID {
		t.Errorf("%+v", page)
	}

	tag = ask("createVoucher", 201, func(r *apitest.Request) { r.Header.Set("Idempotency-Key", "story-batch") })
	if tag.JSON(t, &made); made.Kind != "batch" || made.Code != "" {
		t.Errorf("%+v", made)
	}
	walker.Values["voucher_id"] = made.ID
	file := string(ask("exportVoucherCodes", 200, nil).Body)
	if lines := strings.Split(strings.TrimSpace(file), "\n"); len(lines) != 4 || lines[0] != "code,state,order" || !strings.HasSuffix(lines[3], ",free,") {
		t.Errorf("the file of the codes is\n%s", file)
	}
	own := func(r *apitest.Request) {
		r.Header.Set("Idempotency-Key", "story-code")
		r.Body = []byte(`{"name":"Welcome","amounts":[{"amount_minor":1000,"currency":"EUR"}],"code":"welcome 26","scope":{"sessions":["PRD-9"]}}`)
	}
	if ask("createVoucher", 201, own).JSON(t, &made); made.Code != "WELCOME 26" {
		t.Errorf("%+v", made)
	}
	ask("createVoucher", 409, func(r *apitest.Request) { own(r); r.Header.Set("Idempotency-Key", "story-code-2") })
	ask("createVoucher", 422, func(r *apitest.Request) {
		own(r)
		r.Header.Set("Idempotency-Key", "story-code-3")
		r.Body = []byte(strings.Replace(string(r.Body), "PRD-9", "PRD-NO", 1))
	})
	ask("getVoucher", 200, nil)
	ask("putVoucher", 200, match(tag.Header.Get("ETag")))
	ask("putVoucher", 412, match(tag.Header.Get("ETag")))
	ask("listVoucherUses", 200, nil)
	if ask("listVouchers", 200, func(r *apitest.Request) { r.Query = "q=WELC0ME26" }).JSON(t, &page); len(page.Vouchers) != 1 || page.Vouchers[0].ID != made.ID {
		t.Errorf("a voucher is not found by its code: %+v", page)
	}
}
