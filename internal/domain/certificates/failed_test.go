package certificates_test

import (
	"context"
	"testing"
	"time"

	"cursus/internal/books/journey"
	"cursus/internal/domain/certificates"
	"cursus/internal/platform/postgres"
)

// A later review finds the exam failed: the certificate that rests upon it goes and cannot come back, and that of the program where nothing else made
// it complete; the attestation stays, and with a passed sitting everything does.
func TestAnExamThatWasNotPassedAfterAll(t *testing.T) {
	s := newSite(t)
	review := func(c certificates.Certificate, found string) {
		s.inTx(func(ctx context.Context, tx *postgres.Tx) error {
			_, err := tx.Exec(ctx, postgres.Query{Name: "review", SQL: "update exams.sittings set state = $2 where id = $1"}, c.SittingID, found)
			return err
		})
		if err := s.room.RevokeFailed(system, c.EnrolmentID); err != nil {
			t.Fatal(err)
		}
	}
	stands := func(what string, c certificates.Certificate, want string) {
		if now, err := s.room.Certificate(system, c.ID); err != nil || now.State() != want {
			t.Errorf("%s: %s, want %s (%v)", what, now.State(), want, err)
		}
	}
	for name, succeeded := range map[string]bool{"Zoé Ndiaye": true, "Awa Regraded": false} {
		who, enrolled := s.learner(name, all...)
		c, err := s.room.Award(system, s.passes(who, enrolled))
		if err != nil {
			t.Fatal(err)
		}
		attested, err := s.award("attestation", who.ID)
		if err != nil {
			t.Fatal(err)
		}
		program, err := s.award("program", who.ID)
		if err != nil {
			t.Fatal(err)
		}
		s.clock.Advance(time.Hour)
		if !succeeded { // her certificate alone makes the program complete now
			s.inTx(func(ctx context.Context, tx *postgres.Tx) error {
				return journey.RecordTx(ctx, tx, []journey.Change{{EnrolmentID: enrolled, Stage: journey.Succeeded, At: tx.Now(), Cause: "col_again"}})
			})
		}
		for _, step := range []struct{ found, exam, program string }{
			{"passed", certificates.StateValid, certificates.StateValid},
			{"failed", certificates.StateRevoked, map[bool]string{true: certificates.StateValid, false: certificates.StateRevoked}[succeeded]},
		} {
			for range 2 { // told twice it is the same
				review(c, step.found)
				stands(name+" "+step.found+", the certificate", c, step.exam)
				stands(name+" "+step.found+", the program", program, step.program)
				stands(name+" "+step.found+", the attestation", attested, certificates.StateValid)
				s.holds()
			}
		}
		if _, err := s.room.Reinstate(system, c.ID, "please"); code(err) != "certificate-not-earned" {
			t.Error("it holds again, and the exam is failed:", err)
		}
		if _, err := s.room.Reinstate(system, program.ID, "please"); !succeeded && code(err) != "certificate-not-earned" {
			t.Error("it holds again, and the program is not complete:", err)
		}
		// An appeal finds that it was passed: her certificate holds again by itself, and one that staff revoked does not.
		again := func(want string) {
			t.Helper()
			s.inTx(func(ctx context.Context, tx *postgres.Tx) error {
				_, err := tx.Exec(ctx, postgres.Query{Name: "appeal", SQL: "update exams.sittings set state = 'passed' where id = $1"}, c.SittingID)
				return err
			})
			if now, err := s.room.Award(system, c.SittingID); err != nil || now.ID != c.ID || now.State() != want {
				t.Errorf("%s: %s, want %s (%v)", name, now.State(), want, err)
			}
			s.holds()
		}
		again(certificates.StateValid)
		if _, err := s.room.Revoke(system, c.ID, "fraud"); err != nil {
			t.Fatal(err)
		}
		again(certificates.StateRevoked)
	}
	// Who forgets to revoke is found.
	who, enrolled := s.learner("Forgotten", all...)
	c, err := s.room.Award(system, s.passes(who, enrolled))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.owner.Exec("update exams.sittings set state = 'failed', result_at = now() - interval '1 hour' where id = $1", c.SittingID); err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, check := range certificates.Checks() {
		rows, err := postgres.RunCheck(system, s.db, check)
		if err != nil {
			t.Fatal(err)
		}
		found += len(rows)
	}
	if found != 1 {
		t.Error(found, "rows found of a live certificate of a failed exam")
	}
}
