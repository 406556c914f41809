package uploads_test

import (
	"context"
	"testing"

	"cursus/internal/domain/cohorts"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/uploads"
	"cursus/internal/platform/postgres"
)

// A system that is ended while its roster waits to be applied brings nobody in: the roster fails whole, and says why. One that lives does.
func TestASystemThatIsEndedWhileItsRosterIsApplied(t *testing.T) {
	for _, ended := range []bool{false, true} {
		s := newSite(t)
		c, registrar := s.cohort(), s.a
		var client identity.Client
		tx := func(fn func(ctx context.Context, tx *postgres.Tx) error) {
			t.Helper()
			if err := s.db.InTx(system, "test", fn); err != nil {
				t.Fatal(err)
			}
		}
		tx(func(ctx context.Context, tx *postgres.Tx) (err error) {
			client, err = identity.CreateClientTx(ctx, tx, identity.NewClient{Organisation: "A", Name: "Registrar's", Roles: []string{identity.RoleRegistrar}, Scopes: []string{"cohorts:read", "cohorts:write"}})
			return err
		})
		s.a = cohorts.By{PersonID: client.PersonID}
		u := s.checked(c, cohorts.Delta, "student_key,status\nk1,enrolled\nk2,enrolled\n")
		if err := s.ask(c, u); err != nil {
			t.Fatal(err)
		}
		if ended {
			tx(func(ctx context.Context, tx *postgres.Tx) error { return identity.EndClientTx(ctx, tx, client.ID) })
		}
		if err := s.room.Run(context.Background(), uploads.ApplyAsked{UploadID: u.ID}); err != nil {
			t.Fatal(err)
		}
		s.a = registrar
		want, state := 2, uploads.Applied
		if ended {
			want, state = 0, uploads.Failed
		}
		if n := s.count("select count(*) from cohorts.members"); n != want || s.see(c, u).State != state {
			t.Errorf("ended %v: %d are in, and the roster is %s: %s", ended, n, s.see(c, u).State, s.see(c, u).Problem)
		}
		s.verify()
	}
}
