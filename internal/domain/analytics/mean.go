package analytics

import (
	"fmt"
	"math"
)

// Mean is a mean of values of a scale, in hundredths of a point, half up on integers. N is of how many people it is; the ends of the 95 %
// interval, by the t distribution, are nil for fewer than two.
type Mean struct {
	Hundredths int64  `json:"hundredths"`
	N          int64  `json:"n"`
	Low        *int64 `json:"t95_low_hundredths"`
	High       *int64 `json:"t95_high_hundredths"`
}

// hundredths writes a number of hundredths with its point.
func hundredths(n int64) string {
	sign := ""
	if n < 0 {
		sign, n = "−", -n
	}
	return fmt.Sprintf("%s%d.%02d", sign, n/100, n%100)
}

func (m Mean) String() string {
	if m.Low == nil {
		return fmt.Sprintf("%s (n = %d)", hundredths(m.Hundredths), m.N)
	}
	return fmt.Sprintf("%s (n = %d; %s to %s)", hundredths(m.Hundredths), m.N, hundredths(*m.Low), hundredths(*m.High))
}

// sample is what people said who said alike: each of Times people gave Values values, whose sum is Sum.
type sample struct{ Times, Values, Sum int64 }

// halfUp is a / b to the nearest whole number, halves up, b > 0.
func halfUp(a, b int64) int64 {
	n, d := 2*a+b, 2*b
	if n < 0 && n%d != 0 {
		return n/d - 1
	}
	return n / d
}

// meanOf is the mean of all values; nil of none. The values of one person are not independent of each other, so the interval is that of
// people: its variance is G/(G−1) · Σ (Σ values − mean · number of values)² / (number of all values)², which for one value each is s²/n.
func meanOf(samples []sample) *Mean {
	var people, values, sum int64
	for _, s := range samples {
		people, values, sum = people+s.Times, values+s.Times*s.Values, sum+s.Times*s.Sum
	}
	if values == 0 {
		return nil
	}
	m := &Mean{Hundredths: halfUp(100*sum, values), N: people}
	if people < 2 {
		return m
	}
	mean, squares := float64(sum)/float64(values), 0.0
	for _, s := range samples {
		off := float64(s.Sum) - mean*float64(s.Values)
		squares += float64(s.Times) * off * off
	}
	g := float64(people)
	half := quantile(people-1) * math.Sqrt(g/(g-1)*squares) / float64(values)
	low, high := int64(math.Floor(100*(mean-half)+0.5)), int64(math.Floor(100*(mean+half)+0.5))
	m.Low, m.High = &low, &high
	return m
}

// PlainMean is the mean of shares, in tenths of a per cent, half up on integers; sessions without the share do not count.
// The mean of printed shares is what the paper prints.
func PlainMean(shares []*int64) *int64 {
	var sum, n int64
	for _, s := range shares {
		if s != nil {
			sum += *s
			n++
		}
	}
	if n == 0 {
		return nil
	}
	mean := (2*sum + n) / (2 * n)
	return &mean
}

// small are the 97.5 % quantiles of Student's t for 1 to 30 degrees of freedom, as printed in every table of it.
var small = [...]float64{
	12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281, 2.2010, 2.1788, 2.1604, 2.1448, 2.1314,
	2.1199, 2.1098, 2.1009, 2.0930, 2.0860, 2.0796, 2.0739, 2.0687, 2.0639, 2.0595, 2.0555, 2.0518, 2.0484, 2.0452, 2.0423,
}

// quantile is the 97.5 % quantile of Student's t; above the table by its expansion in 1/df (Abramowitz and Stegun, 26.7.5), which is right to
// four decimals there.
func quantile(df int64) float64 {
	if df <= int64(len(small)) {
		return small[df-1]
	}
	n := float64(df)
	z3 := z * z * z
	z5 := z3 * z * z
	return z + (z3+z)/(4*n) + (5*z5+16*z3+3*z)/(96*n*n)
}
