package money

import (
	"slices"
	"strings"
)

// iso are the currencies of ISO 4217 (list one, 2026) by the digits of their minor unit. What nobody pays in is left out: metals, codes for
// tests, and units of account without a minor unit.
var iso = [...]string{
	0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
	2: `AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK
		DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR
		LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR
		SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR
		ZMW ZWG`,
	3: "BHD IQD JOD KWD LYD OMR TND",
	4: "CLF UYW",
}

// usual are the currencies that a form offers first.
var usual = []Currency{"EUR", "XOF", "USD", "CAD", "CHF", "GBP", "JPY", "KWD", "MAD", "TND", "XAF"}

var exponents, currencies = table()

func table() (digits map[Currency]int, all []Currency) {
	digits = map[Currency]int{}
	var others []Currency
	for exponent, codes := range iso {
		for _, code := range strings.Fields(codes) {
			c := Currency(code)
			digits[c] = exponent
			if !slices.Contains(usual, c) {
				others = append(others, c)
			}
		}
	}
	slices.Sort(others)
	return digits, append(slices.Clone(usual), others...)
}

// Currencies lists all of them: those that a form offers first, then the others by their code.
func Currencies() []Currency { return slices.Clone(currencies) }
