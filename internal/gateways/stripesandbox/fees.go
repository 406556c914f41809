package stripesandbox

// Fees are what the sandbox keeps of payments, as an account's plan at Stripe does. The zero value keeps nothing. Fixed parts are by
// currency, in Stripe's code and minor units; a currency that has none pays the rate alone.
type Fees struct {
	RatePPM int64            // of a charge, rounded to the nearest minor unit
	Fixed   map[string]int64 // of a charge beside its rate
	Dispute map[string]int64 // of a dispute that takes the money
}

// of is the fee of a balance transaction. What is given back of a charge gives back nothing of its fee, nor does a dispute that is won.
func (f Fees) of(category, currency string, amount int64) int64 {
	switch category {
	case "charge":
		return (amount*f.RatePPM+500_000)/1_000_000 + f.Fixed[currency]
	case "dispute":
		return f.Dispute[currency]
	}
	return 0
}
