package config_test

import (
	"strings"
	"testing"

	"cursus/internal/kernel/fault"
	"cursus/internal/platform/config"
)

// Each of these starts a server that lies, leaks or takes real money for a demonstration.
func TestWeakSettingsAreRefused(t *testing.T) {
	good := config.Config{
		Secret: "correct horse battery staple 1234", BaseURL: "https://cursus.example.org", StripeKey: "sk_live_abc", StripeWebhookSecret: "whsec_abcdefgh",
	}
	if err := good.CheckServing(); err != nil {
		t.Fatal(err)
	}
	trying := good
	trying.StripeKey, trying.Demo = "sk_test_abc", true
	if err := trying.CheckServing(); err != nil {
		t.Error("Stripe's test mode cannot be tried:", err)
	}
	for variable, spoil := range map[string]func(c *config.Config){
		"CURSUS_SECRET weak":                   func(c *config.Config) { c.Secret = strings.Repeat("a", 64) },
		"CURSUS_SECRET weak ":                  func(c *config.Config) { c.Secret = "short" },
		"CURSUS_BASE_URL missing":              func(c *config.Config) { c.BaseURL = "" },
		"CURSUS_BASE_URL insecure":             func(c *config.Config) { c.BaseURL = "http://cursus.example.org" },
		"CURSUS_BASE_URL invalid":              func(c *config.Config) { c.BaseURL = "https://cursus.example.org/shop" },
		"CURSUS_STRIPE_WEBHOOK_SECRET missing": func(c *config.Config) { c.StripeWebhookSecret = "" },
		"CURSUS_STRIPE_KEY missing":            func(c *config.Config) { c.StripeKey = "" },
		"CURSUS_STRIPE_KEY live-demo":          func(c *config.Config) { c.Demo = true },
		"CURSUS_STRIPE_KEY test-key":           func(c *config.Config) { c.StripeKey = "sk_test_abc" },
		"CURSUS_STRIPE_URL live-sandbox":       func(c *config.Config) { c.StripeURL, c.Demo = "http://127.0.0.1:1", true },
		"CURSUS_DRAIN_SECONDS out-of-range":    func(c *config.Config) { c.DrainSeconds = 61 },
		"CURSUS_INVITATION_REMINDER_DAYS zero": func(c *config.Config) { c.InvitationReminders = []int{3, 0} },
		"CURSUS_PROCTOR_INSIDE invalid":        func(c *config.Config) { c.ProctorInside = []string{"proctor"} },
		"CURSUS_LMS_INSIDE invalid":            func(c *config.Config) { c.LMSInside = []string{"lms"} },
		"CURSUS_LAB_INSIDE invalid":            func(c *config.Config) { c.LabInside = []string{":8000"} },
		"CURSUS_WEBHOOK_INSIDE no-demo":        func(c *config.Config) { c.WebhookInside = []string{"127.0.0.1:9000"} },
		"CURSUS_OPENID_INSIDE no-demo":         func(c *config.Config) { c.OpenIDInside = []string{"127.0.0.1:9000"} },
		"CURSUS_OPENID_INSIDE invalid":         func(c *config.Config) { c.Demo, c.OpenIDInside = true, []string{"localhost:9000"} },
		"CURSUS_STRIPE_URL no-demo":            func(c *config.Config) { c.StripeURL, c.StripeKey = "http://127.0.0.1:1", "sk_test_a" },
	} {
		c := good
		spoil(&c)
		err := c.CheckServing()
		want, found := strings.Fields(variable), false
		if err != nil {
			for _, f := range fault.From(err).Fields {
				found = found || f.Pointer == want[0] && f.Code == want[1]
			}
		}
		if !found {
			t.Errorf("%s: %v", variable, err)
		}
	}
	if s := good.String(); strings.Contains(s, "sk_live") || strings.Contains(s, "horse") {
		t.Error("a secret is logged:", s)
	}
}
