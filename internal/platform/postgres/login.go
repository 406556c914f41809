package postgres

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/lib/pq"

	"cursus/internal/kernel/fault"
)

// ExportRole is the group whose members may read the views of the schema export, and nothing else. It cannot sign in itself.
const ExportRole = "cursus_export"

// ErrNotOurs is for a login that somebody else has.
var ErrNotOurs = fault.New(fault.Conflict, "role-taken", "A role of that name is there already and is no login for the export.")

// exportSettings are what a login for the export starts with. They are for its good: what it may do is what the group was granted.
var exportSettings = map[string]string{
	"default_transaction_read_only": "on", "statement_timeout": "'5min'", "idle_in_transaction_session_timeout": "'5min'", "TimeZone": "'UTC'", "search_path": "export", "jit": "off",
}

// ExportLogin makes a login that reads the views of the export, or gives one that is there a new password. The owner at dsn needs CREATEROLE.
// Error: ErrNotOurs.
func ExportLogin(ctx context.Context, dsn, name, password string) error {
	db, err := sql.Open("postgres", dsn)
	if err != nil {
		return ErrUnavailable.Because(err)
	}
	defer func() { _ = db.Close() }()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return ErrUnavailable.Because(err)
	}
	defer func() { _ = tx.Rollback() }()
	var there, ours bool
	if err := tx.QueryRowContext(ctx, `SELECT count(*) > 0, coalesce(bool_or(rolcanlogin AND NOT rolsuper AND pg_has_role(oid, $2, 'MEMBER')
		AND NOT EXISTS (SELECT 1 FROM pg_auth_members m WHERE m.member = r.oid AND m.roleid <> $2::regrole)), false) FROM pg_roles r WHERE rolname = $1`, name, ExportRole).Scan(&there, &ours); err != nil {
		return err
	}
	role := pq.QuoteIdentifier(name)
	statements := []string{fmt.Sprintf("ALTER ROLE %s PASSWORD %s CONNECTION LIMIT 8", role, pq.QuoteLiteral(password))}
	switch {
	case there && !ours:
		return ErrNotOurs
	case !there:
		statements = append([]string{fmt.Sprintf("CREATE ROLE %s LOGIN IN ROLE %s", role, ExportRole)}, statements...)
	}
	for setting, value := range exportSettings {
		statements = append(statements, fmt.Sprintf("ALTER ROLE %s SET %s = %s", role, setting, value))
	}
	// What everybody may by default is more than reading: tables of a session and large objects fill the disk. The house makes neither. Who is not
	// the superuser can take the latter from nobody, and is warned by the database.
	var database string
	if err := tx.QueryRowContext(ctx, "SELECT current_database()").Scan(&database); err != nil {
		return err
	}
	statements = append(statements, fmt.Sprintf("REVOKE TEMPORARY ON DATABASE %s FROM PUBLIC", pq.QuoteIdentifier(database)))
	for _, f := range []string{"lo_create(oid)", "lo_creat(integer)", "lo_from_bytea(oid, bytea)", "lo_put(oid, bigint, bytea)", "lowrite(integer, bytea)"} {
		statements = append(statements, "REVOKE EXECUTE ON FUNCTION pg_catalog."+f+" FROM PUBLIC")
	}
	for _, s := range statements {
		if _, err := tx.ExecContext(ctx, s); err != nil {
			return err
		}
	}
	return tx.Commit()
}
