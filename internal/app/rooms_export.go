package app

import (
	"context"
	"io"
	"regexp"

	"cursus/internal/domain/export"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/kernel/page"
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

// CreateDataExport has a file for other tools made.
func (r Rooms) CreateDataExport(ctx context.Context, key, format string) (export.Bulk, error) {
	return r.h.Export.Ask(ctx, key, format)
}

// DataExport finds a file for other tools.
func (r Rooms) DataExport(ctx context.Context, id string) (export.Bulk, error) {
	return r.h.Export.Bulk(ctx, id)
}

// DataExports lists files for other tools.
func (r Rooms) DataExports(ctx context.Context, p page.Request) ([]export.Bulk, string, error) {
	return r.h.Export.Bulks(ctx, p)
}

// DataExportFile gives the bytes of a file for other tools.
func (r Rooms) DataExportFile(ctx context.Context, id string) (export.Bulk, io.Reader, error) {
	return r.h.Export.Open(ctx, id)
}
