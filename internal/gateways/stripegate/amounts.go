package stripegate

import (
	"slices"
	"strings"

	"cursus/internal/kernel/money"
)

// Stripe's lists of currencies whose smallest unit is not a hundredth (docs.stripe.com/currencies). Every other currency
// has two decimals at Stripe. They must agree with ISO 4217 for the currencies that are sold in; where they would not, a
// price of 150 would become 15 000, so such a currency is refused.
var (
	zeroDecimals  = []money.Currency{"BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"}
	threeDecimals = []money.Currency{"BHD", "JOD", "KWD", "OMR", "TND"}
)

func stripeExponent(c money.Currency) int {
	switch {
	case slices.Contains(zeroDecimals, c):
		return 0
	case slices.Contains(threeDecimals, c):
		return 3
	}
	return 2
}

// toStripe gives the number and the code that Stripe wants: our minor units, unchanged.
func toStripe(a money.Amount) (int64, string, error) {
	switch {
	case !a.Currency.Known() || a.Currency.Exponent() != stripeExponent(a.Currency):
		return 0, "", ErrCurrency
	case a.Minor <= 0:
		return 0, "", ErrAmount.Detailf("A payment by Stripe is more than nothing.")
	case a.Currency.Exponent() == 3 && a.Minor%10 != 0:
		return 0, "", ErrAmount.Detailf("Stripe wants the last digit of amounts in %s to be zero.", a.Currency)
	}
	return a.Minor, strings.ToLower(string(a.Currency)), nil
}

// fromStripe reads Stripe's number in a currency that we sell in.
func fromStripe(minor int64, code string) (money.Amount, error) {
	c, err := money.ParseCurrency(code)
	if err != nil {
		return money.Amount{}, err
	}
	return money.Of(minor, c), nil
}
