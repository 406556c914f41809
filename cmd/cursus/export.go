package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/schollz/progressbar/v3"

	"cursus/internal/app"
	"cursus/internal/domain/export"
	"cursus/internal/platform/config"
)

type exportDataCmd struct {
	Format string `enum:"csv,parquet" default:"csv" help:"${enum}."`
	Out    string `default:"." type:"path" help:"Folder; it is made where it is missing, and files of the same names are replaced."`
}

// Run writes each view into a file. A file gets its name when it is whole.
func (c exportDataCmd) Run(ctx context.Context, s streams, settings config.Config) error {
	if err := os.MkdirAll(c.Out, 0o750); err != nil {
		return err
	}
	return inHouse(ctx, settings, func(h *app.House) error {
		var bar *progressbar.ProgressBar
		m, err := export.WriteFiles(ctx, h.DB, c.Format, func(name string) (io.WriteCloser, error) { return begin(filepath.Join(c.Out, name)) }, func(p export.Progress) error {
			if bar == nil {
				bar = progressbar.NewOptions(p.Total, progressbar.OptionSetWriter(s.err), progressbar.OptionSetWidth(30), progressbar.OptionClearOnFinish())
			}
			bar.Describe(fmt.Sprintf("%s (%d rows)", p.View, p.Rows))
			return bar.Set(p.Done)
		})
		if bar != nil {
			_ = bar.Finish()
		}
		if err != nil {
			return err
		}
		for _, f := range m.Files {
			fmt.Fprintf(s.out, "%9d  %s\n", f.Rows, f.Name)
		}
		return nil
	})
}

// part is a file that has not got its name yet.
type part struct {
	*os.File
	name string
}

func begin(name string) (io.WriteCloser, error) {
	f, err := os.OpenFile(name+".part", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	return part{f, name}, err
}

// Close gives the file its name.
func (p part) Close() error {
	if err := p.File.Close(); err != nil {
		return err
	}
	return os.Rename(p.Name(), p.name)
}

type exportLoginCmd struct {
	Name string `arg:"" help:"Name of the role, such as metabase."`
}

// Run makes a login, or gives it a new password.
func (c exportLoginCmd) Run(ctx context.Context, s streams, settings config.Config) error {
	return inHouse(ctx, settings, func(h *app.House) error {
		password, err := h.ExportLogin(ctx, c.Name)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(s.out, password)
		return err
	})
}
