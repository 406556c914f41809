package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"cursus/internal/books/journey"
	"cursus/internal/domain/analytics"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/certificates"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/exams"
	"cursus/internal/domain/gradebook"
	"cursus/internal/domain/intakes"
	"cursus/internal/domain/lms"
	"cursus/internal/domain/offers"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api"
)

// Enrolments lists the principal's enrolments.
func (r Rooms) Enrolments(ctx context.Context, who api.Principal, p page.Request) (out []api.Enrolment, next string, err error) {
	err = r.h.DB.View(ctx, "enrolments", func(ctx context.Context, tx *postgres.Tx) error {
		out = nil
		mine, err := enrolment.OfLearnerTx(ctx, tx, who.PersonID)
		if err != nil {
			return err
		}
		mine, next = cut(mine, p, enrolmentKey)
		ids := make([]string, len(mine))
		for i, e := range mine {
			ids[i] = e.ID
		}
		ways, err := journey.RowsTx(ctx, tx, ids...)
		if err != nil {
			return err
		}
		grades, err := gradebook.GradesTx(ctx, tx, ids...)
		if err != nil {
			return err
		}
		awarded, err := certificates.OfEnrolmentsTx(ctx, tx, who.PersonID)
		if err != nil {
			return err
		}
		told, err := lms.StatesTx(ctx, tx, ids)
		if err != nil {
			return err
		}
		for _, e := range mine {
			x, err := apiEnrolment(ctx, tx, e, ways[e.ID])
			if err != nil {
				return err
			}
			if g, ok := grades[e.ID]; ok {
				x.GradePPM = &g
			}
			x.CertificateID, x.LMSState = awarded[e.ID].ID, string(told[e.ID].State)
			out = append(out, x)
		}
		return nil
	})
	return out, next, err
}

func apiEnrolment(ctx context.Context, tx *postgres.Tx, e enrolment.Enrolment, way journey.Row) (api.Enrolment, error) {
	s, err := catalog.SessionTx(ctx, tx, e.SessionID)
	if err != nil {
		return api.Enrolment{}, err
	}
	out := api.Enrolment{
		ID: e.ID, State: stateOfEnrolment(e, way), Session: s.Key, Title: apiText(s.Title()), Formula: e.Formula, Entitlements: e.Entitlements,
		OpenedAt: e.OpenedAt, CourseURL: s.CourseURL,
	}
	for _, step := range reached(way) {
		out.Stages = append(out.Stages, api.Stage{Code: step.Code, ReachedAt: step.At})
	}
	sittings, err := exams.OfEnrolmentTx(ctx, tx, e.ID)
	if len(sittings) > 0 {
		x := apiSitting(sittings[0])
		out.Sitting = &x
	}
	return out, err
}

// CreateSession makes a session, once per key.
func (r Rooms) CreateSession(ctx context.Context, who api.Principal, n api.NewSession) (api.Session, error) {
	key := n.Key
	n.Key = ""
	id, err := r.once(ctx, who, key, "create session", n, func(ctx context.Context, tx *postgres.Tx) (string, error) {
		s, err := catalog.CreateSessionTx(ctx, tx, catalog.NewSession{
			Key: n.SessionKey, CourseKey: n.CourseKey, Number: n.Number, Title: catalog.Text{EN: n.Title.EN, FR: n.Title.FR}, Platform: n.Platform,
			CourseURL: n.CourseURL, ThresholdPPM: n.ThresholdPPM, StartsAt: n.StartsAt, EndsAt: n.EndsAt, EnrolFrom: n.EnrolFrom, EnrolUntil: n.EnrolUntil,
			Exercises: exercisesOf(n.Exercises), Kind: catalog.Kind(n.Kind), PlatformKey: n.PlatformKey, Audience: n.Audience, Language: n.Language,
			Capacity: n.Capacity, Publication: catalog.Publication(n.Publication),
		})
		return s.ID, err
	})
	if err != nil {
		return api.Session{}, err
	}
	return r.Session(ctx, id)
}

func exercisesOf(in []api.Exercise) (out []catalog.Exercise) {
	for _, e := range in {
		out = append(out, catalog.Exercise{Label: e.Label, Week: e.Week, Scored: e.Scored, Activity: e.Activity, WeightPPM: e.Weight})
	}
	return out
}

// PutExercises replaces the map of a session.
func (r Rooms) PutExercises(ctx context.Context, _ api.Principal, session string, exercises []api.Exercise, version int) (out api.Session, err error) {
	err = r.h.DB.InTx(ctx, "put exercises", func(ctx context.Context, tx *postgres.Tx) error {
		s, err := catalog.PutExercisesTx(ctx, tx, session, exercisesOf(exercises), version)
		if err != nil {
			return err
		}
		out, err = apiSession(ctx, tx, s)
		return err
	})
	return out, err
}

// CreateOffer sets a price, once per key.
func (r Rooms) CreateOffer(ctx context.Context, who api.Principal, n api.NewOffer) (out api.Offer, err error) {
	key := n.Key
	n.Key = ""
	id, err := r.once(ctx, who, key, "create offer", n, func(ctx context.Context, tx *postgres.Tx) (string, error) {
		o, err := offers.CreateTx(ctx, tx, offers.NewOffer{
			Session: n.Session, Formula: n.Formula, Price: n.Price, ValidFrom: n.ValidFrom, ValidUntil: n.ValidUntil, Audience: n.Audience, Quota: n.Quota,
			Call: catalog.Text(n.Call), Withdrawal: n.Withdrawal,
		})
		return o.ID, err
	})
	if err != nil {
		return out, err
	}
	err = r.h.DB.View(ctx, "offer", func(ctx context.Context, tx *postgres.Tx) error {
		o, err := offers.OfferTx(ctx, tx, id)
		out = apiOffer(o)
		return err
	})
	return out, err
}

// ImportGrades takes a grade report in.
func (r Rooms) ImportGrades(ctx context.Context, _ api.Principal, i api.Intake) (gradebook.Collection, error) {
	in := gradebook.Intake{SessionID: i.Session, FileName: i.FileName, Content: i.Content, DryRun: i.DryRun, Via: intakes.ByAPI}
	if i.CollectedAt != nil {
		in.CollectedAt = i.CollectedAt.UTC()
	}
	if in.FileName == "" { // no name was given: the content names it
		sum := sha256.Sum256(i.Content)
		in.FileName = hex.EncodeToString(sum[:8]) + ".csv"
	}
	return r.h.Gradebook.Import(ctx, in)
}

// RecordStatements takes xAPI statements.
func (r Rooms) RecordStatements(ctx context.Context, _ api.Principal, session string, content []byte) (gradebook.Collection, error) {
	return r.h.Gradebook.Import(ctx, gradebook.Intake{SessionID: session, FileName: "statements.json", Content: content, Only: gradebook.XAPI, Via: intakes.ByAPI})
}

// Collections lists the intakes of a session.
func (r Rooms) Collections(ctx context.Context, _ api.Principal, session string, p page.Request) (out []gradebook.Collection, next string, err error) {
	all, err := r.h.Gradebook.Collections(ctx, session)
	out, next = cut(all, p, func(c gradebook.Collection) string { return c.ID })
	return out, next, err
}

// Collection finds one of them.
func (r Rooms) Collection(ctx context.Context, _ api.Principal, session, collection string) (gradebook.Collection, error) {
	return r.h.Gradebook.Collection(ctx, session, collection)
}

func apiRate(x analytics.Rate) api.Rate { return api.Rate(x) }

func apiMetrics(in []analytics.Metric) (out []api.Metric) {
	for _, m := range in {
		out = append(out, api.Metric{ID: m.ID, Formula: m.Formula, Version: m.Version, Rate: apiRate(m.Rate)})
	}
	return out
}

// Indicators answers the five indicators of a session.
func (r Rooms) Indicators(ctx context.Context, _ api.Principal, q api.IndicatorsQuestion) (api.Indicators, error) {
	i, err := analytics.IndicatorsOf(ctx, r.h.DB, analytics.Question{
		Session: q.Session, AsOf: q.AsOf, KnownAt: q.KnownAt, Basis: q.Basis, Week1Rule: q.Week1Rule, Cohort: q.Cohort,
	})
	return api.Indicators{
		Session: i.Session, Course: i.Course, Title: api.Text{EN: i.Title}, Open: i.Open, Basis: i.Basis, Week1Rule: i.Week1Rule, Cohort: i.Cohort,
		AsOf: i.AsOf, KnownAt: i.KnownAt, Enrolled: i.Enrolled, Metrics: apiMetrics(i.Metrics),
	}, err
}

// Outcomes answers what the paid formula of a session became.
func (r Rooms) Outcomes(ctx context.Context, _ api.Principal, q api.OutcomesQuestion) (api.Outcomes, error) {
	if q.Formula != offers.Qualifying {
		return api.Outcomes{}, unknownFormula(q.Formula)
	}
	o, err := analytics.OutcomesOf(ctx, r.h.DB, analytics.Question{Session: q.Session, AsOf: q.AsOf, KnownAt: q.KnownAt, Basis: q.Basis, Week1Rule: q.Week1Rule})
	out := api.Outcomes{
		Session: o.Session, Course: o.Course, Formula: o.Formula, Title: api.Text{EN: o.Title}, Open: o.Open, Basis: o.Basis, Week1Rule: o.Week1Rule, AsOf: o.AsOf, KnownAt: o.KnownAt, Holders: o.Paid,
		Metrics: apiMetrics(o.Rates()), Demo: o.Demo,
	}
	for _, m := range o.Money {
		x := api.Revenue{Currency: m.Net.Currency}
		for _, l := range m.Lines() {
			x.Metrics = append(x.Metrics, api.MoneyMetric{ID: l.ID, Formula: l.Formula, Version: 1, Of: l.Of, Amount: l.Amount})
		}
		out.Revenue = append(out.Revenue, x)
	}
	return out, err
}
