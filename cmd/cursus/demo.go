package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/schollz/progressbar/v3"

	"cursus/internal/demo"
	"cursus/internal/gateways/stripegate"
	"cursus/internal/gateways/stripesandbox"
	"cursus/internal/platform/config"
)

type demoCmd struct{}

// Run fills an empty house with the collection of the paper.
func (demoCmd) Run(ctx context.Context, s streams, settings config.Config) error {
	settings, err := demo.Settings(settings)
	if err != nil {
		return err
	}
	began := time.Now()
	if err := seed(ctx, s, settings); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "The demonstration is in %s (%d s). cursus serve --demo shows it.\n", settings.DataDir, int(time.Since(began).Seconds()))
	return nil
}

func seed(ctx context.Context, s streams, settings config.Config) error {
	var bar *progressbar.ProgressBar
	err := demo.Seed(ctx, settings, time.Now().UTC(), func(done, total int, what string) {
		if bar == nil {
			bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(s.err), progressbar.OptionSetDescription("making the demo"),
				progressbar.OptionSetWidth(30), progressbar.OptionClearOnFinish())
		}
		bar.Describe(what)
		_ = bar.Set(done)
	})
	if bar != nil {
		_ = bar.Finish()
	}
	return err
}

type sandboxCmd struct {
	Addr string `help:"host:port on loopback; by default that of CURSUS_STRIPE_URL."`
}

// Run serves the demo's Stripe until it is stopped.
func (c sandboxCmd) Run(ctx context.Context, s streams, settings config.Config) error {
	settings, err := demo.Settings(settings)
	if err != nil {
		return err
	}
	if c.Addr == "" {
		c.Addr = settings.StripeURL[len("http://"):]
	}
	platform, err := demo.OpenPlatform(settings, nil)
	if err != nil {
		return err
	}
	defer func() { _ = platform.Close() }()
	provider, err := demo.OpenLabs(settings)
	if err != nil {
		return err
	}
	proctor, err := demo.OpenProctor(settings)
	if err != nil {
		return err
	}
	return stripesandbox.Run(ctx, stripesandbox.Config{
		Beside: func(sandbox http.Handler) http.Handler { return demo.Beside(platform, provider, proctor, sandbox) },
		Addr:   c.Addr, Folder: demo.SandboxFolder(settings), SecretKey: settings.StripeKey, WebhookSecret: settings.StripeWebhookSecret,
		WebhookURL: settings.BaseURL + "/v1/webhooks/stripe", Sign: stripegate.Sign, DelayedAfter: 20 * time.Second, Fees: demo.Fees,
		OnListen: func(url string) { fmt.Fprintf(s.out, "The Stripe sandbox listens on %s\n", url) },
	})
}
