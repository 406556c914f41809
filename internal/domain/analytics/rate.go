package analytics

import "math"

// Rate is a share of people. Tenths are tenths of a per cent, half up on integers; they and the interval are nil when
// there is nobody to take a share of.
type Rate struct {
	Count  int64  `json:"count"`
	Of     int64  `json:"of"`
	Tenths *int64 `json:"tenths_of_percent"`
	Low    *int64 `json:"wilson95_low_tenths"`
	High   *int64 `json:"wilson95_high_tenths"`
}

// z is the 97.5 % quantile of the normal distribution, for a two-sided 95 % interval.
const z = 1.959963984540054

// NewRate gives count / of with its Wilson 95 % interval. A ratio of counts that are not parts of each other (diligent
// success may exceed 100 %) has no interval.
func NewRate(count, of int64) Rate {
	r := Rate{Count: count, Of: of}
	if of <= 0 {
		return r
	}
	n := new([3]int64) // together: a report has thousands of rates
	n[0] = (2*1000*count + of) / (2 * of)
	r.Tenths = &n[0]
	if count > of {
		return r
	}
	from, to := wilson(count, of)
	n[1], n[2] = int64(math.Round(1000*from)), int64(math.Round(1000*to))
	r.Low, r.High = &n[1], &n[2]
	return r
}

// wilson gives the 95 % interval of a share, 0 to 1.
func wilson(count, of int64) (low, high float64) {
	n, p := float64(of), float64(count)/float64(of)
	centre := (p + z*z/(2*n)) / (1 + z*z/n)
	half := z / (1 + z*z/n) * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	return centre - half, centre + half
}
