package stripegate

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"cursus/internal/kernel/money"
)

// Stripe's lists of currencies whose smallest unit is not a hundredth (docs.stripe.com/currencies). Every other currency has two decimals at
// Stripe, as it has in ISO 4217 but for those that are converted. Any other disagreement is refused: a price of 150 would become 15 000.
var (
	zeroDecimals  = []money.Currency{"BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"}
	threeDecimals = []money.Currency{"BHD", "JOD", "KWD", "OMR", "TND"}
)

// converted are the currencies that Stripe counts in another unit than ISO 4217 ("special cases" of the same page): Icelandic crowns and
// Ugandan shillings have no hundredths and are sent with two zeros; ariarys are sent whole. (HUF and TWD are special in payouts only.)
var converted = []money.Currency{"ISK", "UGX", "MGA"}

func stripeExponent(c money.Currency) int {
	switch {
	case slices.Contains(zeroDecimals, c):
		return 0
	case slices.Contains(threeDecimals, c):
		return 3
	}
	return 2
}

// toStripe gives the number and the code that Stripe wants: our minor units, unchanged but for the currencies that are converted.
func toStripe(a money.Amount) (int64, string, error) {
	ours, theirs := a.Currency.Exponent(), stripeExponent(a.Currency)
	code := strings.ToLower(string(a.Currency))
	switch {
	case !a.Currency.Known() || ours != theirs && !slices.Contains(converted, a.Currency):
		return 0, "", ErrCurrency
	case a.Minor <= 0:
		return 0, "", ErrAmount.Detailf("A payment by Stripe is more than nothing.")
	case theirs == 3 && a.Minor%10 != 0:
		return 0, "", ErrAmount.Detailf("Stripe wants the last digit of amounts in %s to be zero.", a.Currency)
	case theirs > ours && a.Minor > math.MaxInt64/100:
		return 0, "", ErrAmount
	case theirs > ours:
		return a.Minor * 100, code, nil
	case theirs < ours && a.Minor%100 != 0:
		return 0, "", ErrAmount.Detailf("Stripe takes %s without decimals.", a.Currency)
	case theirs < ours:
		return a.Minor / 100, code, nil
	}
	return a.Minor, code, nil
}

// fromStripe reads Stripe's number. It is not ours in a currency that Stripe counts as we do not.
func fromStripe(minor int64, code string) (money.Amount, error) {
	c, err := money.ParseCurrency(code)
	if err != nil {
		return money.Amount{}, err
	}
	switch ours, theirs := c.Exponent(), stripeExponent(c); {
	case ours == theirs:
		return money.Of(minor, c), nil
	case !slices.Contains(converted, c):
		return money.Amount{}, money.ErrCurrency
	case theirs < ours && minor > math.MaxInt64/100, theirs > ours && minor%100 != 0:
		return money.Amount{}, ErrAmount.Because(fmt.Errorf("stripe: %d of %s", minor, code))
	case theirs < ours:
		return money.Of(minor*100, c), nil
	}
	return money.Of(minor/100, c), nil
}
