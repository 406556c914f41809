package stripesandbox

import "fmt"

// controlPayout is the schedule of payouts: {"currency":"eur","amount":…} leaves the balance for the bank; amount 0 is all of it. With "failed" the
// bank takes it not, and it comes back.
func controlPayout(c *change, _ string, body []byte) (any, *apiError) {
	var in struct {
		Currency string `json:"currency"`
		Amount   int64  `json:"amount"`
		Failed   bool   `json:"failed"`
	}
	if bad := read(body, &in); bad != nil {
		return nil, bad
	}
	held := c.balanceOf(in.Currency)
	if in.Amount == 0 {
		in.Amount = held
	}
	if in.Amount <= 0 || in.Amount > held {
		return nil, badParam("amount", "", fmt.Sprintf("The balance has %d.", held))
	}
	id := newID("po")
	t := c.post("payout", "payout", id, in.Currency, -in.Amount)
	if in.Failed {
		t = c.post("payout_failure", "payout_reversal", id, in.Currency, in.Amount)
	}
	return t, nil
}

// controlAccountFee is a fee of the account itself, as of a month: {"currency":"eur","amount":1000}.
func controlAccountFee(c *change, _ string, body []byte) (any, *apiError) {
	var in struct {
		Currency string `json:"currency"`
		Amount   int64  `json:"amount"`
	}
	if bad := read(body, &in); bad != nil {
		return nil, bad
	}
	if in.Currency == "" || in.Amount == 0 {
		return nil, badParam("amount", "", "An amount and a currency.")
	}
	return c.post("stripe_fee", "fee", "", in.Currency, -in.Amount), nil
}

// balanceOf is what is held in a currency.
func (b *book) balanceOf(currency string) (minor int64) {
	for _, t := range b.txns.rows {
		if t.Currency == currency {
			minor += t.Net
		}
	}
	return minor
}
