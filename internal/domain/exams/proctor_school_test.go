package exams_test

import (
	"context"
	"testing"
	"time"

	"cursus/internal/domain/exams"
	"cursus/internal/domain/identity"
	"cursus/internal/platform/postgres"
)

// A school proctors the slot that it holds, and no other: it sees who comes, checks who they are, starts and ends, notes what happened and proposes
// the result, which is none before the institute has verified it, where the exam asks for that.
func TestASchoolProctorsItsSlot(t *testing.T) {
	r := newRoom(t, 3)
	var teacher, other, registrar string
	r.in(func(ctx context.Context, tx *postgres.Tx) error {
		for _, x := range []struct {
			id              *string
			name, org, role string
		}{{&teacher, "t", "ESP", identity.RoleTeacher}, {&other, "o", "UCAD", identity.RoleTeacher}, {&registrar, "r", "ESP", identity.RoleRegistrar}} {
			p, err := identity.PutPersonTx(ctx, tx, x.name+"@school.example", x.name, "fr")
			if err == nil {
				err = identity.PutOrganisationTx(ctx, tx, x.org, x.org)
			}
			if err == nil {
				err = identity.PutPartnerRoleTx(ctx, tx, x.org, p.ID, x.role)
			}
			if *x.id = p.ID; err != nil {
				return err
			}
		}
		return nil
	})
	var slot exams.Slot
	at := r.clock.Now().Add(48 * time.Hour)
	r.in(func(ctx context.Context, tx *postgres.Tx) (err error) {
		slot, err = r.exams.PlanSlotTx(ctx, tx, r.session.ID, exams.Proctored, exams.NewSlot{Organisation: "ESP", Place: "Room 7", Zone: "Africa/Dakar", StartsAt: at, EndsAt: at.Add(2 * time.Hour), Capacity: 3})
		return err
	})
	ours := r.slot(48*time.Hour, 2)
	x, y, elsewhere := r.sitting(0, slot.ID), r.sitting(1, slot.ID), r.sitting(2, ours.ID)
	as := func(who string, fn func(ctx context.Context, tx *postgres.Tx) error) error {
		return r.try(postgres.WithActor(postgres.WithActor(context.Background(), "learner:"+who), "system"), fn)
	}
	event := func(who, slot, sitting string, e exams.AttemptEvent) error {
		return as(who, func(ctx context.Context, tx *postgres.Tx) error {
			_, err := r.exams.ProctorTx(ctx, tx, who, slot, exams.Act{SittingID: sitting, Event: e})
			return err
		})
	}
	check := func(sitting string, ok bool) error {
		return as(teacher, func(ctx context.Context, tx *postgres.Tx) error {
			_, err := r.exams.CheckCandidateTx(ctx, tx, teacher, slot.ID, sitting, exams.IdentityCheck{Method: "document", Verified: ok})
			return err
		})
	}
	propose := func(who, sitting, verdict string, score int) error {
		return as(who, func(ctx context.Context, tx *postgres.Tx) error {
			p := exams.Proposal{SittingID: sitting, Verdict: verdict, Note: "as seen"}
			if verdict == "verify" {
				p.ScorePPM = &score
			}
			_, err := r.exams.ProposeTx(ctx, tx, who, slot.ID, p)
			return err
		})
	}
	seen := func(who string) (p exams.ProctoredSlot, err error) {
		err = as(who, func(ctx context.Context, tx *postgres.Tx) error {
			p, err = exams.ProctoredTx(ctx, tx, who, slot.ID)
			return err
		})
		return p, err
	}
	r.wants(event(teacher, slot.ID, x.ID, exams.EvStart), exams.ErrTooEarly)
	r.clock.Advance(48 * time.Hour)
	// The walls: another school, another role there, another slot, one's own exam.
	_, err := seen(other)
	r.wants(err, exams.ErrNoSlot)
	r.wants(event(other, slot.ID, x.ID, exams.EvStart), exams.ErrNoSlot)
	_, err = seen(registrar)
	r.wants(err, identity.ErrNoPartnerRole)
	r.wants(event(teacher, slot.ID, elsewhere.ID, exams.EvStart), exams.ErrNoSitting)
	r.wants(event(teacher, ours.ID, elsewhere.ID, exams.EvStart), exams.ErrNoSlot)
	r.in(func(ctx context.Context, tx *postgres.Tx) error {
		return identity.PutPartnerRoleTx(ctx, tx, "ESP", r.learners[0], identity.RoleTeacher)
	})
	r.wants(event(r.learners[0], slot.ID, x.ID, exams.EvStart), exams.ErrOwnExam)
	r.in(func(ctx context.Context, tx *postgres.Tx) error {
		for who, want := range map[string]int{teacher: 1, other: 0, registrar: 0} {
			if all, err := exams.ProctoredSlotsTx(ctx, tx, who); err != nil || len(all) != want {
				t.Error(who, all, err)
			}
		}
		return nil
	})
	if err := r.db.View(postgres.WithActor(context.Background(), "learner:"+teacher), "by the database", func(ctx context.Context, tx *postgres.Tx) error {
		p, err := exams.ProctoredTx(ctx, tx, teacher, slot.ID)
		if len(p.Candidates) != 0 {
			t.Error("the database shows candidates to who is not the house")
		}
		return err
	}); err != nil {
		t.Log(err) // it hides the slot's neighbours too
	}
	r.must(check(x.ID, true))
	p, err := seen(teacher)
	r.must(err)
	if len(p.Candidates) != 2 || p.Candidates[0].IdentityUntil == nil || !p.Candidates[0].IdentityUntil.Equal(slot.EndsAt) || p.Candidates[1].IdentityUntil != nil || p.Candidates[0].LimitMinutes != 60 || !p.HouseVerifies {
		t.Errorf("%+v", p)
	}
	r.must(event(teacher, slot.ID, x.ID, exams.EvStart))
	r.must(event(teacher, slot.ID, y.ID, exams.EvStart))
	r.wants(propose(teacher, x.ID, "verify", 800_000), exams.ErrNotYet)
	r.must(as(teacher, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := r.exams.ReportOfCandidateTx(ctx, tx, teacher, slot.ID, y.ID, exams.Incident{Kind: "material", Severity: 60, Note: "a telephone"})
		return err
	}))
	r.must(event(teacher, slot.ID, x.ID, exams.EvSubmit))
	r.must(event(teacher, slot.ID, y.ID, exams.EvSubmit))
	if code(event(teacher, slot.ID, x.ID, exams.EvVerify)) != "invalid-input" {
		t.Error("who proctors verifies")
	}
	r.must(propose(teacher, x.ID, "verify", 700_000))
	r.must(propose(teacher, x.ID, "verify", 800_000)) // the later one stands
	if s := r.stands(x.ID); s.State != exams.Booked {
		t.Error("a proposal is a result:", s.State)
	}
	_, err = r.act("staff:ann", x.ID, exams.EvVerify)
	r.must(err)
	if s := r.stands(x.ID); s.State != exams.Passed || *s.ScorePPM != 800_000 {
		t.Errorf("%+v", s)
	}
	r.wants(propose(teacher, x.ID, "reject", 0), exams.ErrPast)
	// Where the exam trusts the school, its word is the result, and it is who decided first.
	r.rules(func(n *exams.NewExam) { n.HouseVerifies = false })
	r.must(propose(teacher, y.ID, "reject", 0))
	if s := r.stands(y.ID); s.State != exams.Failed {
		t.Errorf("%+v", s)
	}
	r.in(func(ctx context.Context, tx *postgres.Tx) error {
		all, err := exams.AttemptsTx(ctx, tx, y.ID)
		if err != nil || all[0].Reviewer != "learner:"+teacher {
			t.Errorf("%+v %v", all, err)
		}
		return nil
	})
	r.clock.Advance(3 * time.Hour)
	r.wants(check(x.ID, true), exams.ErrSlotOver)
	r.clock.Advance(14 * 24 * time.Hour)
	r.wants(propose(teacher, y.ID, "verify", 1), exams.ErrSlotOver)
	r.verify()
}
