package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"cursus/internal/kernel/fault"
)

// ErrSettings refuses to start; each field names a variable.
var ErrSettings = fault.New(fault.Invalid, "bad-settings", "Cursus does not start with these settings.")

// minSecret is the length of CURSUS_SECRET in bytes; minVariety is how many different ones it has at least;
// maxDrain is the longest CURSUS_DRAIN_SECONDS.
const (
	minSecret  = 32
	minVariety = 10
	maxDrain   = 60
)

// CheckServing says what is wrong with the settings of a server: secrets that are weak or missing, addresses that browsers
// cannot trust, a live key where it must not be. It gives every fault at once.
func (c Config) CheckServing() error {
	refused := ErrSettings
	refuse := func(variable, code, detail string) { refused = refused.At(variable, code, detail) }
	if len(c.Secret) < minSecret || variety(c.Secret) < minVariety {
		refuse("CURSUS_SECRET", "weak", "It must have 32 characters or more, of 10 kinds or more. For example: openssl rand -base64 36")
	}
	base, err := url.Parse(c.BaseURL)
	switch {
	case c.BaseURL == "":
		refuse("CURSUS_BASE_URL", "missing", "The address of this site, such as https://cursus.example.org, is needed for links, cookies and payments.")
	case err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" || strings.Trim(base.Path, "/") != "" || base.RawQuery != "":
		refuse("CURSUS_BASE_URL", "invalid", "It must be like https://cursus.example.org, without a path.")
	case base.Scheme == "http" && !loopback(base.Hostname()):
		refuse("CURSUS_BASE_URL", "insecure", "Browsers reach this site over http: cookies and links could be read on the way. Use https.")
	}
	live := strings.HasPrefix(c.StripeKey, "sk_live_") || strings.HasPrefix(c.StripeKey, "rk_live_")
	switch {
	case c.StripeKey == "" && c.StripeWebhookSecret != "":
		refuse("CURSUS_STRIPE_KEY", "missing", "A webhook secret is set, but no key.")
	case c.StripeKey != "" && !strings.HasPrefix(c.StripeWebhookSecret, "whsec_"):
		refuse("CURSUS_STRIPE_WEBHOOK_SECRET", "missing", "It must begin with whsec_: without it anybody could say that something was paid.")
	}
	if live && c.Demo {
		refuse("CURSUS_STRIPE_KEY", "live-demo", "A demonstration does not start beside a live key.")
	}
	if c.StripeKey != "" && !live && !c.Demo {
		refuse("CURSUS_STRIPE_KEY", "test-key", "With a test key places are given away for cards that are printed in a manual: only a demonstration has one, and marks what it sells (CURSUS_DEMO=true).")
	}
	if live && c.StripeURL != "" {
		refuse("CURSUS_STRIPE_URL", "live-sandbox", "A live key is sent to Stripe alone.")
	}
	if !c.Demo && c.StripeURL != "" {
		refuse("CURSUS_STRIPE_URL", "no-demo", "The sandbox is for the demonstration (CURSUS_DEMO=true).")
	}
	for name, inside := range map[string][]string{"CURSUS_WEBHOOK_INSIDE": c.WebhookInside, "CURSUS_OPENID_INSIDE": c.OpenIDInside} {
		if !c.Demo && len(inside) > 0 {
			refuse(name, "no-demo", "Inside addresses are called in a demonstration alone (CURSUS_DEMO=true).")
		}
		for _, at := range inside {
			if _, err := netip.ParseAddrPort(at); err != nil {
				refuse(name, "invalid", "Each is an address with its port, such as 127.0.0.1:9000.")
			}
		}
	}
	for name, inside := range map[string][]string{"CURSUS_LMS_INSIDE": c.LMSInside, "CURSUS_PROCTOR_INSIDE": c.ProctorInside, "CURSUS_LAB_INSIDE": c.LabInside} {
		for _, at := range inside {
			if host, port, err := net.SplitHostPort(at); err != nil || host == "" || port == "" {
				refuse(name, "invalid", "Each is an address or a name with its port, such as 10.0.0.7:8000 or lms:8000.")
			}
		}
	}
	if c.OutreachPerMinute < 0 || c.OutreachPerMinute > 100_000 {
		refuse("CURSUS_OUTREACH_PER_MINUTE", "out-of-range", "It must be from 1 to 100,000; 0 stands for 120.")
	}
	if c.DrainSeconds < 0 || c.DrainSeconds > maxDrain {
		refuse("CURSUS_DRAIN_SECONDS", "out-of-range", fmt.Sprintf("It must be from 0 to %d.", maxDrain))
	}
	if slices.Contains(c.InvitationReminders, 0) {
		refuse("CURSUS_INVITATION_REMINDER_DAYS", "zero", "Each is a number of days above or below nothing, such as 3 or -2.")
	}
	if len(refused.Fields) > 0 {
		return refused
	}
	return nil
}

func variety(s string) int {
	kinds := map[rune]bool{}
	for _, r := range s {
		kinds[r] = true
	}
	return len(kinds)
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// String hides what is secret, so that a configuration can be logged.
func (c Config) String() string {
	return fmt.Sprintf("addr=%s base_url=%s demo=%t stripe=%t mail=%t", c.Addr, c.BaseURL, c.Demo, c.StripeKey != "", c.Mail != "")
}
