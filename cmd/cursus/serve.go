package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"syscall"
	"time"

	"cursus/api/contract"
	"cursus/internal/app"
	"cursus/internal/demo"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/config"
	"cursus/internal/platform/telemetry"
)

type serveCmd struct {
	Demo     bool `help:"Show the demonstration: make it where the data folder is empty, and run the Stripe sandbox beside us."`
	NoAPI    bool `name:"no-api" help:"Only work: neither API nor pages."`
	NoWorker bool `name:"no-worker" help:"Only answer: another process works."`
}

// Run answers and works until the process is told to stop.
func (c serveCmd) Run(ctx context.Context, s streams, settings config.Config) (err error) {
	if c.NoAPI && c.NoWorker {
		return fault.InvalidInput(fault.Field{Pointer: "--no-worker", Code: "nothing-left", Detail: "Neither API nor worker: nothing is left to do."})
	}
	if c.Demo {
		if settings, err = demo.Settings(settings); err != nil {
			return err
		}
		if err := seed(ctx, s, settings); err != nil {
			return err
		}
	}
	if err := settings.CheckServing(); err != nil {
		return err
	}
	log := telemetry.NewLog(s.err, settings.LogLevel)
	h, err := app.Open(ctx, settings, app.Options{Log: log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	serving := app.Serving{Contract: contract.YAML, Worker: !c.NoWorker, Metrics: telemetry.NewMetrics()}
	if !c.NoAPI {
		if serving.Listen, err = (&net.ListenConfig{}).Listen(ctx, "tcp", settings.Addr); err != nil {
			return fault.New(fault.Unavailable, "address-taken", "The address "+settings.Addr+" cannot be listened on (CURSUS_ADDR).").Because(err)
		}
	}
	if c.Demo && !c.NoAPI {
		stop, err := besideStripe(ctx, s)
		if err != nil {
			return errors.Join(err, serving.Listen.Close())
		}
		defer stop()
		if err := welcome(ctx, s, h); err != nil {
			return err
		}
	}
	if settings.StripeKey == "" {
		log.Warn("no payment provider is configured: nothing is sold (CURSUS_STRIPE_KEY)")
	}
	if settings.Mail == "" {
		log.Warn("no mail server is configured: nobody can sign in by mail, and mails wait (CURSUS_MAIL)")
	}
	log.Info("cursus serves", "settings", settings.String(), "api", !c.NoAPI, "worker", !c.NoWorker)
	return h.Serve(ctx, serving)
}

// besideStripe runs the sandbox as a process of its own, with its own book, and stops it in the end.
func besideStripe(ctx context.Context, s streams) (stop func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	child := exec.CommandContext(context.WithoutCancel(ctx), self, "sandbox") //nolint:gosec // ourselves
	child.Stdout, child.Stderr = s.err, s.err
	outlive(child)
	if err := child.Start(); err != nil {
		return nil, err
	}
	done := make(chan struct{})
	go func() { _ = child.Wait(); close(done) }()
	return func() {
		_ = child.Process.Signal(syscall.SIGTERM)
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			_ = child.Process.Kill()
		}
	}, nil
}

// welcome prints where to look and how to get in.
func welcome(ctx context.Context, s streams, h *app.House) error {
	fmt.Fprintf(s.out, "\nCursus (demonstration: no money moves)\n  pages    %s/\n  API      %s/docs\n", h.Config.BaseURL, h.Config.BaseURL)
	for _, who := range [][2]string{{"officer", demo.StaffEmail}, {"learner", demo.LearnerEmail}, {"exam   ", demo.CandidateEmail}, {"manager", demo.ManagerEmail}, {"school ", demo.SchoolEmail}} {
		secret, err := h.Identity.MakeLink(ctx, who[1], 24*time.Hour)
		if err != nil {
			return err
		}
		fmt.Fprintf(s.out, "  %s  %s/sign-in/%s\n", who[0], h.Config.BaseURL, secret)
	}
	fmt.Fprintf(s.out, "  mails    %s\n  buy      %s/sessions/PRD-9 with card 4242 4242 4242 4242, any date and code\n", demo.MailFolder(h.Config), h.Config.BaseURL)
	fmt.Fprintf(s.out, "  program  %s/programs/NETWORKS-BASICS\n\n", h.Config.BaseURL)
	return nil
}
