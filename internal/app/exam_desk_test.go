package app_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"cursus/internal/domain/exams"
	"cursus/internal/domain/identity"
	"cursus/internal/platform/postgres"
)

// The desk of exams in a browser: rules are written, slots planned on several days, a file of results is seen and then taken in, and what waits for
// a person stands in one list; at the school a teacher checks who came on a phone, starts and ends, and proposes what the exam is worth.
func TestTheDeskOfExamsInABrowser(t *testing.T) {
	w, mails := newSite(t)
	officer, teacher := w.person("officer@example.org", "Officer"), w.person("teacher@esp.example", "Teacher")
	ana, eva := w.person("ana@example.org", "Ana"), w.person("eva@example.org", "Eva")
	own, hers := w.fit(ana, "ord_ana", "42"), w.fit(eva, "ord_eva", "43")
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		return errors.Join(identity.GrantRoleTx(ctx, tx, officer.ID, "exams"), identity.PutOrganisationTx(ctx, tx, "ESP", "ESP Dakar"), identity.PutPartnerRoleTx(ctx, tx, "ESP", teacher.ID, identity.RoleTeacher))
	})
	at := w.h.Clock.Now().Add(30 * time.Minute).Truncate(time.Minute)
	var slot exams.Slot
	w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		slot, err = w.h.Exams.PlanSlotTx(ctx, tx, w.session.ID, exams.Proctored, exams.NewSlot{Organisation: "ESP", Place: "Room 7", Zone: "Africa/Dakar", StartsAt: at, EndsAt: at.Add(2 * time.Hour), Capacity: 9})
		return err
	})
	var sittings []string
	for _, x := range [][2]string{{ana.ID, own}, {eva.ID, hers}} {
		s, err := w.h.Exams.Book(system, exams.BookSitting{LearnerID: x[0], EnrolmentID: x[1], SlotID: slot.ID, IdempotencyKey: x[1]})
		if err != nil {
			t.Fatal(err)
		}
		sittings = append(sittings, s.ID)
	}
	// At the school, on a phone.
	b := newTab(t)
	w.signIn(b, mails, "teacher@esp.example")
	b.do(chromedp.EmulateViewport(390, 844))
	b.open(w.cfg.BaseURL + "/proctoring")
	b.press("a[href='/proctoring/"+slot.ID+"']", "#"+sittings[0])
	b.shows("Ana", "Eva", "Identity not verified", "60 minutes")
	form := "#" + sittings[0] + " form "
	b.press(form+"button[value=identity]", "#"+sittings[0]+" .badge.good")
	b.press(form+"button[value=start]", form+"button[value=submit]")
	b.press(form+"button[value=submit]", form+"button[value=verify]")
	b.fill("#score-"+sittings[0], "72")
	b.press(form+"button[value=verify]", form+"button[value=reject]")
	b.shows("proposed:")
	b.axe("proctored slot")
	b.seen("proctored slot")
	// At the institute.
	d := newTab(t)
	w.signIn(d, mails, "officer@example.org")
	d.open(w.cfg.BaseURL + "/console/exams/queue")
	d.shows("Ana", "Review", "proposed:")
	d.press("th a[href$='"+sittings[0]+"']", "#who-"+sittings[0])
	d.press("article[aria-labelledby=who-"+sittings[0]+"] button[value=verify]", "#reviews")
	if x := w.sittingOf(sittings[0]); x.State != exams.Passed || *x.ScorePPM != 720_000 {
		t.Errorf("%+v", x)
	}
	d.open(w.cfg.BaseURL + "/console/exams/rules?session=" + w.session.Key + "&kind=proctored")
	d.do(chromedp.SetValue(chromedp.CSS("#limit_minutes"), "95"))
	d.press("form[data-keep] button", "form[data-keep]")
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		e, err := exams.ExamTx(ctx, tx, w.session.ID, exams.Proctored)
		if e.LimitMinutes != 95 || e.Version != 2 || !e.HouseVerifies || e.Identity {
			t.Errorf("%+v", e)
		}
		return err
	})
	d.open(w.cfg.BaseURL + "/console/exams/enrolments/" + hers)
	d.do(chromedp.SetValue(chromedp.CSS("#percent"), "150"))
	d.press("button[value=accommodate]", "#time ~ ul")
	d.shows("150 % + 0 min")
	file := filepath.Join(t.TempDir(), "results.csv")
	if err := os.WriteFile(file, []byte("course_id;email;attempt_code;status;score\nc;eva@example.org;PX-9;verified;0,91\nc;nobody@example.org;PX-8;verified;\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.open(w.cfg.BaseURL + "/console/exams/results?session=" + w.session.Key)
	d.do(chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{file}))
	d.press("button[value=try]", "button[value=apply]")
	d.shows("What the file would change", "Nobody of this name or address")
	if x := w.sittingOf(sittings[1]); x.State != exams.Booked {
		t.Error("what was looked at was done:", x.State)
	}
	d.axe("exam results")
	d.press("button[value=apply]", "#result")
	d.shows("The file was taken in")
	if x := w.sittingOf(sittings[1]); x.State != exams.Passed {
		t.Errorf("%+v", x)
	}
	d.open(w.cfg.BaseURL + "/console/exams")
	d.fill("#place", "Aula")
	d.do(chromedp.SetValue(chromedp.CSS("#session"), w.session.Key), chromedp.SetValue(chromedp.CSS("#starts_at"), "2031-03-30T09:00"), chromedp.SetValue(chromedp.CSS("#ends_at"), "2031-03-30T11:00"))
	d.fill("#capacity", "12")
	d.do(chromedp.SetValue(chromedp.CSS("#days"), "3"))
	d.press("button[value=plan]", "#slots")
	d.open(w.cfg.BaseURL + "/console/exams/calendar?month=2031-03")
	d.shows("March 2031", "0/12", "09:00")
	d.axe("exam calendar")
	d.seen("exam calendar")
	w.inTx(func(ctx context.Context, tx *postgres.Tx) error {
		all, err := exams.SlotsTx(ctx, tx, exams.SlotFilter{From: time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC)})
		if len(all) != 3 || all[0].StartsAt.UTC().Hour() != 7 { // at nine by the clock of the place, before and after it is changed
			t.Errorf("%+v", all)
		}
		return err
	})
	w.verify()
}

func (w *world) sittingOf(id string) (x exams.Sitting) {
	w.t.Helper()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		x, err = exams.SittingTx(ctx, tx, id)
		return err
	})
	return x
}
