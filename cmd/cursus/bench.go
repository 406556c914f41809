package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime/pprof"
	"text/tabwriter"
	"time"

	"github.com/schollz/progressbar/v3"

	"cursus/api/contract"
	"cursus/internal/app"
	"cursus/internal/bench"
	"cursus/internal/books/journey"
	"cursus/internal/domain/analytics"
	"cursus/internal/domain/identity"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/platform/config"
	"cursus/internal/platform/postgres"
	"cursus/internal/platform/postgres/cluster"
)

type benchCmd struct {
	Folder     string `required:"" help:"An absolute, empty folder for the network, or one that it was made in before. Ten million enrolments take about 20 GB."`
	Enrolments int64  `default:"1000000" help:"How many."`
	Times      int    `default:"200" help:"How often each question is asked."`
	Buffers    string `default:"4GB" help:"Memory that the private PostgreSQL shares (shared_buffers)."`
	Only       string `help:"Ask only the questions whose names have this text in them, and write nothing."`
	Profile    string `help:"A file for the profile of the processor while they are asked, as go tool pprof reads it."`
}

// Run makes a network in a folder of its own and measures how fast its figures are answered by the API.
func (c benchCmd) Run(ctx context.Context, s streams, settings config.Config) (err error) {
	if c.Enrolments < 1000 || c.Times < 20 {
		return fault.InvalidInput(fault.Field{Pointer: "--enrolments", Code: "too-few", Detail: "At least 1,000 enrolments, each question at least 20 times."})
	}
	if err := os.MkdirAll(c.Folder, 0o755); err != nil {
		return err
	}
	settings.DataDir, settings.DatabaseURL, settings.BaseURL = c.Folder, "", "http://127.0.0.1"
	settings.Secret = ident.Secret(32)
	server, err := cluster.Start(ctx, c.Folder, cluster.Options{BinDir: settings.PGBin, Settings: map[string]string{
		"shared_buffers": c.Buffers, "max_wal_size": "8GB", "maintenance_work_mem": "512MB", "checkpoint_timeout": "15min",
	}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	h, err := app.Open(ctx, settings, app.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	dsn := server.OwnerDSN("cursus")
	owner, err := postgres.Open(ctx, dsn, postgres.Options{MaxConns: 2})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, owner.Close()) }()

	began := time.Now()
	size, err := bench.Network(ctx, owner, c.Enrolments, s.bar("making the network"))
	if err != nil {
		return err
	}
	if _, err := journey.SumDays(ctx, h.DB); err != nil {
		return err
	}
	if _, err := analytics.SumUp(ctx, h.DB); err != nil {
		return err
	}
	if err := postgres.Vacuum(ctx, dsn); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%d enrolments in %d sessions, %d changes of their stages, %d results of exercises; at hand after %d s.\n",
		size.Enrolments, bench.Sessions(size.Enrolments), size.Changes, size.Results, int(time.Since(began).Seconds()))

	token, err := benchToken(ctx, h)
	if err != nil {
		return err
	}
	listen, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	serving, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		defer stop() // whoever asks it waits no longer
		ended <- h.Serve(serving, app.Serving{Contract: contract.YAML, Listen: listen})
	}()
	profiled, err := c.profile()
	if err != nil {
		stop()
		return errors.Join(err, <-ended)
	}
	results, bandwidth, err := bench.Measure(serving, owner, "http://"+listen.Addr().String(), token, bench.Sessions(size.Enrolments), c.Times, c.Only, s.bar("asking"))
	stop()
	if err = errors.Join(err, profiled(), <-ended); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "One core reads %d MB/s from memory. limit/p50 is how near the median is to the time for reading the bytes that were touched.\n\n", bandwidth/1_000_000)
	t := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "question\tp50 ms\tp99 ms\taim ms\ttouched KiB\tlimit ms\tlimit/p50\t")
	for _, r := range results {
		if r.Failed != "" {
			fmt.Fprintf(s.err, "%s failed: %s\n", r.Name, r.Failed)
			fmt.Fprintf(t, "%s\tfailed\t\t%d\t\t\t\t\n", r.Name, r.Aim.Milliseconds())
			continue
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%d\t%s\t0.%03d\t\n", r.Name, millis(r.P50), millis(r.P99), r.Aim.Milliseconds(), r.Bytes>>10, millis(r.Limit), r.Share())
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if c.Only != "" {
		return nil
	}
	writes, err := bench.Writes(ctx, h.DB, bench.Sessions(size.Enrolments), 20)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "\n%d changes of stages a second, in batches of 2,000 as an import has them; each is read exactly at once (aim 3,000).\n", writes)
	return nil
}

// profile begins the profile, if one is asked for, and gives what ends it.
func (c benchCmd) profile() (end func() error, err error) {
	if c.Profile == "" {
		return func() error { return nil }, nil
	}
	file, err := os.Create(c.Profile)
	if err != nil {
		return nil, err
	}
	return func() error {
		pprof.StopCPUProfile()
		return file.Close()
	}, pprof.StartCPUProfile(file)
}

func millis(d time.Duration) string {
	return fmt.Sprintf("%d.%02d", d.Milliseconds(), d.Microseconds()/10%100)
}

// bar shows how far something is.
func (s streams) bar(what string) func(done, of int, part string) {
	var bar *progressbar.ProgressBar
	return func(done, of int, part string) {
		if bar == nil {
			bar = progressbar.NewOptions(of, progressbar.OptionSetWriter(s.err), progressbar.OptionSetDescription(what), progressbar.OptionSetWidth(30), progressbar.OptionClearOnFinish())
		}
		bar.Describe(what + ": " + part)
		_ = bar.Set(done)
		if done == of {
			_ = bar.Finish()
		}
	}
}

func benchToken(ctx context.Context, h *app.House) (string, error) {
	var p identity.Person
	if err := h.DB.InTx(ctx, "analyst", func(ctx context.Context, tx *postgres.Tx) (err error) {
		if p, err = identity.PutPersonTx(ctx, tx, "analyst@example.org", "Analyst", "en"); err != nil {
			return err
		}
		return identity.GrantRoleTx(ctx, tx, p.ID, "analytics")
	}); err != nil {
		return "", err
	}
	token, _, err := h.Identity.NewToken(ctx, p.ID, "bench", nil, time.Hour)
	return token, err
}
