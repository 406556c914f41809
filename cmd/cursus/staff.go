package main

import (
	"context"
	"fmt"
	"time"

	"cursus/internal/app"
	"cursus/internal/domain/identity"
	"cursus/internal/platform/config"
	"cursus/internal/platform/postgres"
)

type staffCmd struct {
	Email string   `arg:"" help:"Address of the person."`
	Role  []string `required:"" help:"catalogue, sales, refund, exams, certificates, analytics or admin; several with commas."`
	Name  string   `help:"Full name, for a person who is new."`
}

// Run gives a person roles. The first one of an installation cannot be given them by anybody else.
func (c staffCmd) Run(ctx context.Context, s streams, settings config.Config) error {
	return inHouse(ctx, settings, func(h *app.House) error {
		return h.DB.InTx(ctx, "staff", func(ctx context.Context, tx *postgres.Tx) error {
			p, err := identity.PutPersonTx(ctx, tx, c.Email, c.Name, "en")
			if err != nil {
				return err
			}
			for _, role := range c.Role {
				if err := identity.GrantRoleTx(ctx, tx, p.ID, role); err != nil {
					return err
				}
			}
			fmt.Fprintf(s.out, "%s (%s) has the roles %v and signs in by mail.\n", p.Email, p.ID, c.Role)
			return nil
		})
	})
}

type tokenCmd struct {
	Email string        `arg:"" help:"Address of the person whose token it is."`
	Name  string        `default:"command line" help:"What it is for."`
	Scope []string      `help:"Only these scopes; by default all that the person may do."`
	Life  time.Duration `default:"2160h" help:"How long it lives."`
}

// Run makes an API token and shows its secret once.
func (c tokenCmd) Run(ctx context.Context, s streams, settings config.Config) error {
	return inHouse(ctx, settings, func(h *app.House) error {
		var p identity.Person
		if err := h.DB.InTx(ctx, "token", func(ctx context.Context, tx *postgres.Tx) (err error) {
			p, err = identity.PutPersonTx(ctx, tx, c.Email, "", "en")
			return err
		}); err != nil {
			return err
		}
		secret, expires, err := h.Identity.NewToken(ctx, p.ID, c.Name, c.Scope, c.Life)
		if err != nil {
			return err
		}
		fmt.Fprintf(s.err, "Shown once; valid until %s.\n", expires.Format(time.DateOnly))
		fmt.Fprintln(s.out, secret)
		return nil
	})
}
