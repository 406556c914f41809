package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"cursus/internal/app"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/cohorts"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/offers"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/config"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

// A school's roster by command: looked at, applied, the same again, a row that is refused, and who may not.
func TestImportRoster(t *testing.T) {
	dsn := testkit.OwnerDSN(t)
	t.Setenv("CURSUS_DATABASE_URL", dsn)
	write := folder(t)
	school(t)
	first := write("first.csv", "student_key,status,email\nS1,enrolled,s1@esp.example.sn\nS2,enrolled,\nS3,here,\n")
	fewer := write("fewer.csv", "student_key,status,email\nS1,enrolled,s1@esp.example.sn\n")
	torn := write("torn.csv", "student_key,status\nS1\n")
	outcome := first + ".other.csv"
	for _, step := range []struct {
		args   string
		status int
		says   []string
		not    string
	}{
		{"--as registrar@esp.example.sn " + first, 1, []string{"new  changed  unchanged  absent  conflicting", "  2        0          0       0            1", "invalid-status", "4     S3           invalid-status", "dry run"}, "Applied"},
		{"--as registrar@esp.example.sn --apply --outcome " + outcome + " " + first, 1, []string{"Applied as upl_"}, "dry run"},
		{"--as registrar@esp.example.sn --apply " + first, 1, []string{"  0        0          2       0            1", "nothing was changed"}, "Applied"},
		{"--as registrar@esp.example.sn --apply --mode bulk " + fewer, 1, []string{"absent-not-confirmed", "1 learners would be withdrawn"}, "Applied"},
		{"--as registrar@esp.example.sn --apply --mode bulk --absent 1 " + fewer, 0, []string{"  0        0          1       1            0", "Applied"}, "refused"},
		{"--as registrar@esp.example.sn --apply " + torn, 1, []string{"line 2"}, "Applied"},
		{"--as stranger@example.org --apply " + first, 1, []string{"no-such-cohort"}, "Applied"},
		{"--as nobody@example.org --apply " + first, 1, []string{"no-such-person"}, "Applied"},
		{"--as registrar@esp.example.sn " + first + "none", 2, []string{"first.csvnone"}, "Applied"},
	} {
		var out bytes.Buffer
		status := run(context.Background(), append([]string{"import", "roster", "--cohort", "net-2026"}, strings.Fields(step.args)...), streams{&out, &out})
		for _, says := range step.says {
			if !strings.Contains(out.String(), says) {
				t.Errorf("%s: does not say %q:\n%s", step.args, says, out.String())
			}
		}
		if status != step.status || strings.Contains(out.String(), step.not) {
			t.Errorf("%s: status %d, want %d without %q:\n%s", step.args, status, step.status, step.not, out.String())
		}
	}
	if file, err := os.ReadFile(outcome); err != nil || string(file) != "student_key,status\nS1,enrolled\nS2,enrolled\nS3,invalid-status\n" {
		t.Errorf("%q %v", file, err)
	}
	var enrolled, ordered int
	if err := testkit.Owner(t, dsn).QueryRow(`select count(*) filter (where state = 'waiting'), count(order_id) from cohorts.members`).Scan(&enrolled, &ordered); err != nil || enrolled != 1 || ordered != 0 {
		t.Error(enrolled, ordered, err) // S2 was withdrawn; there is no desk, so that S1 waits for a way to pay
	}
}

// school makes an organisation with a registrar and a cohort, and somebody who has nothing to do with it.
func school(t *testing.T) {
	ctx := postgres.WithActor(context.Background(), "system")
	settings, err := config.Load()
	if err != nil {
		t.Fatal(err)
	}
	if err := inHouse(ctx, settings, func(h *app.House) error {
		var by cohorts.By
		var offer offers.Offer
		if err := h.DB.InTx(ctx, "school", func(ctx context.Context, tx *postgres.Tx) error {
			p, err := identity.PutPersonTx(ctx, tx, "registrar@esp.example.sn", "Registrar", "fr")
			if err != nil {
				return err
			}
			by.PersonID = p.ID
			_, err = identity.PutPersonTx(ctx, tx, "stranger@example.org", "Stranger", "en")
			if err := errors.Join(err, identity.PutOrganisationTx(ctx, tx, "ESP", "ESP Dakar"), identity.PutPartnerRoleTx(ctx, tx, "ESP", p.ID, identity.RoleRegistrar)); err != nil {
				return err
			}
			session, err := catalog.CreateSessionTx(ctx, tx, catalog.NewSession{Key: "NET-1", CourseKey: "NET", Title: catalog.Text{EN: "Networks"}, Platform: "fun", ThresholdPPM: 500_000})
			if err != nil {
				return err
			}
			offer, err = offers.CreateTx(ctx, tx, offers.NewOffer{Session: session.ID, Formula: offers.Qualifying, Price: money.Of(100_000, "XOF")})
			return err
		}); err != nil {
			return err
		}
		_, err := h.Cohorts.Create(ctx, by, "cohort", cohorts.NewCohort{Organisation: "ESP", Key: "net-2026", Name: "Networks 2026", OfferID: offer.ID, Agreement: cohorts.PayAtSchool})
		return err
	}); err != nil {
		t.Fatal(err)
	}
}
