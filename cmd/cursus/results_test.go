package main

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"cursus/internal/app"
	"cursus/internal/books/journey"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/exams"
	"cursus/internal/domain/identity"
	"cursus/internal/platform/config"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

// A file of results by command: looked at, taken in, the same again, and one that is none.
func TestImportResults(t *testing.T) {
	t.Setenv("CURSUS_DATABASE_URL", testkit.OwnerDSN(t))
	write := folder(t)
	settings, err := config.Load()
	if err != nil {
		t.Fatal(err)
	}
	var sitting string
	if err := inHouse(context.Background(), settings, func(h *app.House) error {
		ctx := postgres.WithActor(context.Background(), "system")
		var own enrolment.Enrolment
		if err := h.DB.InTx(ctx, "sitter", func(ctx context.Context, tx *postgres.Tx) error {
			session, err := catalog.CreateSessionTx(ctx, tx, catalog.NewSession{Key: "NET-1", CourseKey: "NET", Title: catalog.Text{EN: "Networks"}, Platform: "fun", ThresholdPPM: 500_000})
			if err != nil {
				return err
			}
			zoe, err := identity.PutPersonTx(ctx, tx, "zoe@example.org", "Zoé", "fr")
			if err != nil {
				return err
			}
			id, err := enrolment.GrantTx(ctx, tx, enrolment.Grant{LearnerID: zoe.ID, SessionID: session.ID, OrderID: "ord_1", Formula: "Q", Entitlements: []string{"proctored_exam"}, Qualifying: true})
			if err != nil {
				return err
			}
			if own, err = enrolment.OneTx(ctx, tx, id); err != nil {
				return err
			}
			return journey.RecordTx(ctx, tx, []journey.Change{{EnrolmentID: id, Stage: journey.Succeeded, At: tx.Now(), Reached: true, Cause: "test"}})
		}); err != nil {
			return err
		}
		x, err := h.Exams.Book(ctx, exams.BookSitting{LearnerID: own.LearnerID, EnrolmentID: own.ID, IdempotencyKey: "b"})
		sitting = x.ID
		return err
	}); err != nil {
		t.Fatal(err)
	}
	good := write("good.csv", "course_id;email;attempt_code;status;score\nc;zoe@example.org;A1;verified;0,75\n")
	mixed := write("mixed.csv", "course_id,email,attempt_code,status\nc,zoe@example.org,A1,submitted\nc,ben@example.org,A2,verified\n")
	torn := write("torn.csv", "course_id,email,status\n")
	for _, step := range []struct {
		args   string
		status int
		says   []string
		not    string
	}{
		{good, 0, []string{"new  changed  unchanged  refused", "  1        0          0        0", "dry run"}, "Applied"},
		{"--apply " + good, 0, []string{"Applied as erf_"}, "dry run"},
		{"--apply " + good, 0, []string{"Taken in before as erf_"}, "Applied"},
		{"--apply " + mixed, 1, []string{"  0        0          1        1", "line 3, column 1", "not-booked"}, "dry run"},
		{"--apply --kind practice " + mixed, 1, []string{"no-such-exam"}, "Applied"},
		{"--apply " + torn, 1, []string{"missing-column", "Line 1, column 1"}, "Applied"},
	} {
		var out bytes.Buffer
		status := run(context.Background(), append([]string{"import", "results", "--session", "NET-1"}, strings.Fields(step.args)...), streams{&out, &out})
		for _, says := range step.says {
			if !strings.Contains(out.String(), says) {
				t.Errorf("%s: does not say %q:\n%s", step.args, says, out.String())
			}
		}
		if status != step.status || strings.Contains(out.String(), step.not) {
			t.Errorf("%s: status %d, want %d without %q:\n%s", step.args, status, step.status, step.not, out.String())
		}
	}
	if err := inHouse(context.Background(), settings, func(h *app.House) error {
		return h.DB.View(postgres.WithActor(context.Background(), "system"), "result", func(ctx context.Context, tx *postgres.Tx) error {
			x, err := exams.SittingTx(ctx, tx, sitting)
			if x.State != exams.Passed || x.ScorePPM == nil || *x.ScorePPM != 750_000 {
				t.Errorf("%+v", x)
			}
			return err
		})
	}); err != nil {
		t.Fatal(err)
	}
}
