package app_test

import (
	"context"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/programs"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
)

// networks publishes a program of two courses, PRD and then LAN, with an edition of it at 100,000 XOF.
func (w *world) networks() (e programs.Edition, o offers.Offer) {
	w.t.Helper()
	w.inTx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		if _, err = catalog.CreateSessionTx(ctx, tx, catalog.NewSession{
			Key: "LAN-1", CourseKey: "LAN", Title: catalog.Text{EN: "Local networks", FR: "Réseaux locaux"}, Platform: "fun", ThresholdPPM: 500_000,
		}); err != nil {
			return err
		}
		content := programs.Content{
			Title: catalog.Text{EN: "Networks basics", FR: "Bases des réseaux"}, Language: "fr", Organisations: []string{"IMT", "ESP Dakar"},
			Parts: []programs.Node{
				{Course: &programs.CourseRule{Key: "PRD", WorkloadHours: 50, ECTSHundredths: 200}},
				{Course: &programs.CourseRule{Key: "LAN", After: []string{"PRD"}, WorkloadHours: 50, ECTSHundredths: 200}},
			},
		}
		if _, err = programs.SaveDraftTx(ctx, tx, "NETB", content, programs.New); err != nil {
			return err
		}
		for _, to := range []catalog.Publication{catalog.InReview, catalog.Published} {
			if _, err = programs.MoveProgramTx(ctx, tx, "NETB", to, "", 0); err != nil {
				return err
			}
		}
		if _, err = programs.PutEditionTx(ctx, tx, "NETB-1", programs.EditionPlan{Program: "NETB", Lang: "fr", Partner: "ESP Dakar", Sessions: []programs.SessionPlan{
			{Session: w.session.Key, Opening: programs.AtOnce}, {Session: "LAN-1", Opening: programs.AfterPrevious},
		}}, programs.New); err != nil {
			return err
		}
		for _, to := range []catalog.Publication{catalog.InReview, catalog.Published} {
			if e, err = programs.MoveEditionTx(ctx, tx, "NETB-1", to, "", 0); err != nil {
				return err
			}
		}
		o, err = offers.CreateTx(ctx, tx, offers.NewOffer{Edition: e.ID, Formula: offers.Qualifying, Price: money.Of(100_000, "XOF")})
		return err
	})
	return e, o
}

// follows makes somebody a member of the edition by an order that she pays.
func (w *world) follows(learner string, o offers.Offer, key string) {
	w.t.Helper()
	order := w.order(learner, o, key)
	w.pay(order, visa)
	w.becomes(order, sales.Paid)
	w.quiet()
}
