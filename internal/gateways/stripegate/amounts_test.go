package stripegate

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"cursus/internal/domain/payments"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/money"
)

// wire says what Stripe's documentation wants for an amount that people write as a decimal number, worked out on its digits and not from
// our units; false where Stripe takes no such amount.
func wire(a money.Amount) (number string, taken bool) {
	whole, decimals, _ := strings.Cut(a.Decimal(), ".")
	c := string(a.Currency)
	switch {
	case a.Minor <= 0, strings.Contains("IQD LYD CLF UYW UYI", c): // Stripe has none of these, or counts them as nobody does
		return "", false
	case strings.Contains("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF", c):
		return whole, strings.Trim(decimals, "0") == ""
	case strings.Contains("ISK UGX", c):
		return whole + "00", len(whole) <= 17
	case strings.Contains("BHD JOD KWD OMR TND", c):
		return strings.TrimLeft(whole+decimals, "0"), strings.HasSuffix(decimals, "0")
	}
	return strings.TrimLeft(whole+decimals, "0"), len(decimals) == 2
}

// Every currency of ISO 4217: what goes to Stripe is the number that its documentation wants for that decimal amount, or nothing goes;
// what comes back is what went. Nothing is multiplied by 100 but crowns of Iceland and shillings of Uganda, which Stripe wants so.
func TestEveryCurrencyReachesStripeInItsUnits(t *testing.T) {
	holds := func(a money.Amount) error {
		minor, code, err := toStripe(a)
		want, taken := wire(a)
		if taken != (err == nil) {
			return fmt.Errorf("%v, for Stripe %q, is refused, or should be: %w", a, want, err)
		}
		if !taken {
			if fault.From(err).Kind != fault.Unprocessable {
				return err
			}
			return nil
		}
		if strconv.FormatInt(minor, 10) != want || code != strings.ToLower(string(a.Currency)) {
			return fmt.Errorf("%v reaches Stripe as %d %s, want %s", a, minor, code, want)
		}
		if back, err := fromStripe(minor, code); err != nil || back != a {
			return fmt.Errorf("%v goes as %d %s and comes back as %v, %w", a, minor, code, back, err)
		}
		return nil
	}
	for _, c := range money.Currencies() { // each of them, not only those that are drawn
		for _, minor := range []int64{-1, 0, 1, 5, 10, 99, 100, 150, 1000, 10_000, 15_000, 100_000, 99_999_999, 92_233_720_368_547_758, 1<<63 - 1} {
			if err := holds(money.Of(minor, c)); err != nil {
				t.Error(err)
			}
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		if err := holds(money.Of(rapid.Int64().Draw(t, "minor"), rapid.SampledFrom(money.Currencies()).Draw(t, "currency"))); err != nil {
			t.Fatal(err)
		}
	})
	for want, a := range map[int64]money.Amount{
		100_000: money.Of(100_000, "XOF"), 15_000: money.Of(15_000, "EUR"), 500: money.Of(5, "ISK"), 700: money.Of(7, "UGX"), 150: money.Of(15_000, "MGA"),
		5_120: money.Of(5_120, "KWD"), 1_045: money.Of(1_045, "HUF"), 80_045: money.Of(80_045, "TWD"),
	} {
		if got, _, err := toStripe(a); got != want || err != nil {
			t.Errorf("%v reaches Stripe as %d, want %d: %v", a, got, want, err)
		}
	}
	for _, c := range []money.Currency{"ZZZ", "IQD", "LYD", "CLF", "UYW", "UYI"} {
		if _, _, err := toStripe(money.Of(10_000, c)); !errors.Is(err, ErrCurrency) {
			t.Errorf("%s, which Stripe does not count as we do: %v", c, err)
		}
		if _, err := fromStripe(10_000, string(c)); !errors.Is(err, money.ErrCurrency) {
			t.Errorf("%s, which we never sent: %v", c, err)
		}
	}
	if _, err := fromStripe(150, "isk"); !errors.Is(err, ErrAmount) {
		t.Error("a fraction of an Icelandic crown came:", err)
	}
}

// The number is that on the wire: in the form of a pay page and of a refund, and in the events and the book that come back.
func TestEveryCurrencyOnTheWire(t *testing.T) {
	var sent []string // amount and currency of each form
	var book string   // what the provider lists
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		switch {
		case r.Method == http.MethodGet:
			_, _ = w.Write([]byte(book))
		case r.URL.Path == "/v1/checkout/sessions":
			sent = append(sent, r.Form.Get("line_items[0][price_data][unit_amount]")+" "+r.Form.Get("line_items[0][price_data][currency]"))
			_, _ = w.Write([]byte(`{"id":"cs_1","url":"https://stripe.test/cs_1"}`))
		default:
			sent = append(sent, r.Form.Get("amount"))
			_, _ = w.Write([]byte(`{"id":"re_1","status":"succeeded"}`))
		}
	}))
	defer server.Close()
	g, ctx := testGate(t, server.URL), context.Background()
	n := 0
	for _, c := range money.Currencies() {
		a := money.Of(123_000, c)
		number, taken := wire(a)
		if !taken {
			if !slices.Contains([]money.Currency{"IQD", "LYD", "CLF", "UYW", "UYI"}, c) {
				t.Error(a, "is not sent")
			}
			continue
		}
		n++
		sent = nil
		_, err := g.OpenCheckout(ctx, payments.CheckoutRequest{PaymentID: "pay_1", Amount: a, IdempotencyKey: "k"})
		_, err2 := g.Refund(ctx, payments.RefundRequest{RefundID: "ref_1", PaymentIntentID: "pi_1", Amount: a, IdempotencyKey: "k"})
		code := strings.ToLower(string(c))
		if err := errors.Join(err, err2); err != nil || !slices.Equal(sent, []string{number + " " + code, number}) {
			t.Errorf("%v goes as %q, want %s: %v", a, sent, number, err)
		}
		for kind, object := range map[string]string{
			"checkout.session.completed": `{"id":"cs_1","mode":"payment","payment_status":"paid","client_reference_id":"pay_1","amount_total":` + number + `,"currency":"` + code + `"}`,
			"refund.created":             `{"id":"re_1","status":"succeeded","amount":` + number + `,"currency":"` + code + `"}`,
			"charge.dispute.created":     `{"id":"dp_1","status":"needs_response","amount":` + number + `,"currency":"` + code + `"}`,
		} {
			f, ok, err := g.Fact(payments.ProviderEvent{Type: kind, APIVersion: APIVersion, Raw: []byte(`{"data":{"object":` + object + `}}`)})
			if f.Amount != a || !ok || err != nil {
				t.Errorf("%s of %s %s says %v, want %v: %v", kind, number, code, f.Amount, a, err)
			}
		}
		book = `{"object":"list","url":"/v1/charges","data":[{"id":"ch_1","status":"succeeded","charge":"ch_9","metadata":{"payment_id":"pay_1"},"amount_captured":` + number +
			`,"amount_refunded":` + number + `,"currency":"` + code + `"}]}`
		all, err := g.Book(ctx)
		if want := (payments.Charge{PaymentID: "pay_1", Currency: c, CapturedMinor: a.Minor, RefundedMinor: a.Minor}); err != nil || len(all) != 1 || all[0] != want {
			t.Errorf("the book says %+v, want %+v: %v", all, want, err)
		}
	}
	if n < 140 {
		t.Error("only", n, "currencies were sent")
	}
}
