package catalog_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func at(hours int) *time.Time { t := noon.Add(time.Duration(hours) * time.Hour); return &t }

// The ends of periods belong to what comes after: at the hour at which enrolment ends nobody enrols.
func TestStatesFollowFromTheDates(t *testing.T) {
	for want, s := range map[catalog.State][]catalog.Session{
		catalog.Upcoming: {{EnrolFrom: at(1)}},
		catalog.Open:     {{}, {EnrolFrom: at(0)}, {EnrolUntil: at(1)}, {StartsAt: at(1)}, {StartsAt: at(-1), EndsAt: at(1)}},
		catalog.Running:  {{EnrolUntil: at(0)}, {EnrolUntil: at(-1), EndsAt: at(1)}},
		catalog.Closed:   {{EndsAt: at(0)}, {Closed: true}, {EnrolFrom: at(1), EndsAt: at(-1)}},
	} {
		for i, x := range s {
			if got := x.StateAt(noon); got != want {
				t.Errorf("%s %d: %s", want, i, got)
			}
		}
	}
}

func TestBadSessionsAreRefusedWithTheirPlace(t *testing.T) {
	db, ctx := testkit.DB(t), postgres.WithActor(context.Background(), "system")
	good := catalog.NewSession{Key: "PRD-1", CourseKey: "PRD", Title: catalog.Text{FR: "Réseaux"}, Platform: "fun", ThresholdPPM: 500_000}
	make1 := func(n catalog.NewSession) (s catalog.Session, err error) {
		err = db.InTx(ctx, "session", func(ctx context.Context, tx *postgres.Tx) (err error) {
			s, err = catalog.CreateSessionTx(ctx, tx, n)
			return err
		})
		return s, err
	}
	for pointer, spoil := range map[string]func(n *catalog.NewSession){
		"/key": func(n *catalog.NewSession) { n.Key = "a b" }, "/title": func(n *catalog.NewSession) { n.Title.FR = "" },
		"/course": func(n *catalog.NewSession) { n.CourseKey = "" }, "/platform": func(n *catalog.NewSession) { n.Platform = "" },
		"/threshold_ppm": func(n *catalog.NewSession) { n.ThresholdPPM = 1_000_001 }, "/number": func(n *catalog.NewSession) { n.Number = -1 },
		"/course_url": func(n *catalog.NewSession) { n.CourseURL = strings.Repeat("x", 501) },
		"/ends_at":    func(n *catalog.NewSession) { n.StartsAt, n.EndsAt = at(1), at(0) },
		"/exercises/1/label": func(n *catalog.NewSession) {
			n.Exercises = []catalog.Exercise{{Label: "a", Activity: "quiz"}, {Label: "a", Activity: "quiz"}}
		},
		"/exercises/0/week": func(n *catalog.NewSession) {
			n.Exercises = []catalog.Exercise{{Label: "a", Week: 54, Activity: "quiz"}}
		},
		"/exercises/0/activity": func(n *catalog.NewSession) { n.Exercises = []catalog.Exercise{{Label: "a"}} },
	} {
		n := good
		spoil(&n)
		_, err := make1(n)
		f := fault.From(err)
		if err == nil || f.Kind != fault.Invalid || len(f.Fields) == 0 || f.Fields[0].Pointer != pointer {
			t.Errorf("%s: %v %+v", pointer, err, f.Fields)
		}
	}
	s, err := make1(good)
	if err != nil || s.Title().In("en") != "Réseaux" || s.Version != 1 {
		t.Fatal(s, err)
	}
	if _, err := make1(good); !errors.Is(err, catalog.ErrSessionKey) {
		t.Error("two sessions have one key:", err)
	}
	put := func(version int) error {
		return db.InTx(ctx, "put", func(ctx context.Context, tx *postgres.Tx) error {
			_, err := catalog.PutExercisesTx(ctx, tx, s.Key, []catalog.Exercise{{Label: "HW 01", Week: 1, Scored: true, Activity: catalog.Quiz}}, version)
			return err
		})
	}
	if err := put(1); err != nil {
		t.Fatal(err)
	}
	if err := put(1); !errors.Is(err, catalog.ErrChanged) {
		t.Error("somebody's change was overwritten unseen:", err)
	}
	if err := put(0); err != nil {
		t.Error(err)
	}
}
