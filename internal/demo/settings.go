package demo

import (
	"encoding/json"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"cursus/internal/kernel/ident"
	"cursus/internal/platform/config"
)

// kept is what a demo remembers from one start to the next.
type kept struct {
	Secret        string `json:"secret"`
	WebhookSecret string `json:"webhook_secret"`
}

// Settings completes a configuration for the demonstration: made-up secrets that stay in the data folder, the Stripe sandbox
// on the port after ours, mails as files. What was set stays, but for Stripe: a demonstration never speaks to the real one.
func Settings(c config.Config) (config.Config, error) {
	if err := os.MkdirAll(c.DataDir, 0o755); err != nil { //nolint:gosec // the private server's user has to pass through
		return c, err
	}
	k, err := keep(filepath.Join(c.DataDir, "demo.json"))
	if err != nil {
		return c, err
	}
	host, port, err := net.SplitHostPort(c.Addr)
	if err != nil {
		return c, err
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		return c, err
	}
	c.Demo, c.StripeKey, c.StripeWebhookSecret = true, "sk_test_cursus_demo", k.WebhookSecret
	c.StripeURL = "http://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(n+1))
	c.LMSInside = append(c.LMSInside, strings.TrimPrefix(c.StripeURL, "http://"))
	c.LabInside = append(c.LabInside, strings.TrimPrefix(c.StripeURL, "http://"))
	c.ProctorInside = append(c.ProctorInside, strings.TrimPrefix(c.StripeURL, "http://"))
	if c.Secret == "" {
		c.Secret = k.Secret
	}
	if c.BaseURL == "" {
		c.BaseURL = "http://" + net.JoinHostPort(host, port)
	}
	if c.Mail == "" {
		folder, err := filepath.Abs(MailFolder(c))
		if err != nil {
			return c, err
		}
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return c, err
		}
		c.Mail = "file://" + folder
	}
	return c, nil
}

// MailFolder is where the demo's mails are written.
func MailFolder(c config.Config) string { return filepath.Join(c.DataDir, "mails") }

func keep(path string) (k kept, err error) {
	b, err := os.ReadFile(path) //nolint:gosec // a file of our own folder
	if err == nil {
		err := json.Unmarshal(b, &k)
		return k, err
	}
	if !errors.Is(err, os.ErrNotExist) {
		return k, err
	}
	k = kept{Secret: ident.Secret(32), WebhookSecret: "whsec_" + ident.Secret(16)}
	if b, err = json.Marshal(k); err != nil {
		return k, err
	}
	return k, os.WriteFile(path, b, 0o600)
}
