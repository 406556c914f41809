package labs

import (
	"testing"

	"pgregory.net/rapid"

	"cursus/internal/domain/enrolment"
	"cursus/internal/kernel/fault"
)

// A lab opens where nothing speaks against it, and every single thing that does shuts it, with its own reason.
func TestEveryReasonShutsTheDoor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := facts{
			open: rapid.Bool().Draw(t, "open"), served: rapid.Bool().Draw(t, "served"), sessionRuns: rapid.Bool().Draw(t, "session"), inForce: rapid.Bool().Draw(t, "in force"), disputed: rapid.Bool().Draw(t, "disputed"),
			hold:     rapid.SampledFrom([]enrolment.Hold{enrolment.NoHold, enrolment.HoldCertificate, enrolment.HoldAll}).Draw(t, "hold"),
			entitled: rapid.Bool().Draw(t, "entitled"), used: rapid.IntRange(0, 20).Draw(t, "used"), quota: rapid.IntRange(1, 20).Draw(t, "quota"),
		}
		reasons := map[*fault.Fault]bool{
			ErrClosed: !f.open, ErrOff: !f.served, ErrOutOfSession: !f.sessionRuns, ErrLeft: !f.inForce, ErrContested: f.disputed, ErrArrears: f.hold == enrolment.HoldAll, ErrFormula: !f.entitled, ErrQuota: f.used >= f.quota,
		}
		any := false
		for _, holds := range reasons {
			any = any || holds
		}
		if got := f.refusal(); (got != nil) != any || got != nil && !reasons[got] {
			t.Fatalf("%+v: %v", f, got)
		}
	})
}
