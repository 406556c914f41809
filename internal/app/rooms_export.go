package app

import (
	"context"
	"regexp"

	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/platform/postgres"
)

var loginName = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,62}$`)

// ExportLogin makes a login of the database that reads the views of the export, or gives it a new password, which is said here and nowhere
// else. Errors: postgres.ErrNotOurs, an invalid field for what is no name of a role.
func (h *House) ExportLogin(ctx context.Context, name string) (password string, err error) {
	if !loginName.MatchString(name) {
		return "", fault.InvalidInput(fault.Field{Pointer: "name", Code: "bad-name", Detail: "A small letter, then small letters, digits and underscores."})
	}
	dsn := h.Config.DatabaseURL
	if h.cluster != nil {
		dsn = h.cluster.OwnerDSN("cursus")
	}
	password = ident.Secret(24)
	return password, postgres.ExportLogin(ctx, dsn, name, password)
}
