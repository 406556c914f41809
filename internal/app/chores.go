package app

import (
	"context"
	"log/slog"

	"cursus/internal/books/journey"
	"cursus/internal/domain/confidence"
)

// chore is something that is looked for every minute, whatever happened: a time came, or a crash or a lost message left something behind.
type chore struct {
	says, of string // what the log says of it, and what it counts; of is empty where it says only what went wrong
	do       func(context.Context) (int64, error)
}

// counted is a chore that says how much it did, where it did something.
func counted[N int | int64](says, of string, do func(context.Context) (N, error)) chore {
	return chore{says, of, func(ctx context.Context) (int64, error) { n, err := do(ctx); return int64(n), err }}
}

// quietly is a chore that says only that it could not be done.
func quietly(says string, do func(context.Context) error) chore {
	return chore{says, "", func(ctx context.Context) (int64, error) { return 0, do(ctx) }}
}

// in does a chore and says what came of it. One that fails is due again with the next minute, and keeps no other from being done.
func (c chore) in(ctx context.Context, log *slog.Logger) {
	n, err := c.do(ctx)
	switch {
	case err != nil:
		log.WarnContext(ctx, c.says, "done", n, "error", err)
	case n > 0:
		log.InfoContext(ctx, c.says, c.of, n)
	}
}

// chores are those of every minute, in their order.
func (h *House) chores() []chore {
	return []chore{
		counted("events caught up", "events", func(ctx context.Context) (int, error) { return h.Payments.CatchUp(ctx, h.Clock.Now().Add(-catchUp)) }),
		counted("forgotten orders expired", "orders", h.Sales.ExpireForgotten),
		counted("payments asked for", "orders", h.Sales.AskDue),
		counted("unpaid orders expired", "orders", h.Sales.ExpireUnasked),
		counted("places offered to who waits", "places", h.Sales.ServeWaiting),
		counted("orders that were to be paid by hand expired", "orders", h.Sales.ExpireByHand),
		counted("reminded of instalments", "orders", h.Sales.RemindOfDue),
		counted("instalments asked for", "orders", h.Sales.ChargeDue),
		counted("exams decided anew by the time", "enrolments", h.Exams.Review),
		counted("attempts ended by the clock", "attempts", h.Exams.Sweep),
		counted("providers of proctoring are told and heard", "words", h.Exams.SweepProctors),
		counted("places of exams offered to who waits", "slots", h.Exams.ServeWaiting),
		counted("labs ended by the clock or asked to be stopped", "launches", h.Labs.Sweep),
		counted("invitations recalled", "invitations", h.Cohorts.RemindInvited),
		counted("months of cohorts invoiced", "months", h.Cohorts.Bill),
		counted("late invoices asked for", "orders", h.Sales.RemindOfBilled),
		counted("members of cohorts looked at again", "cohorts", h.Cohorts.Retry),
		counted("files that nobody applied forgotten", "batches", h.Intakes.Forget),
		counted("rows of rosters forgotten", "uploads", h.Uploads.Forget),
		counted("weekly mails begun", "sessions", h.Outreach.AskWeekly),
		counted("opening mails begun", "courses", h.Outreach.AskOpenings),
		counted("learners reminded of their exam", "learners", h.Outreach.AskExams),
		counted("learners invited to questionnaires", "learners", h.Outreach.AskSurveys),
		counted("call numbers forgotten", "numbers", func(ctx context.Context) (int64, error) { return confidence.ForgetNumbers(ctx, h.DB) }),
		counted("weekly digests asked for", "mails", h.Progress.AskDigests),
		counted("webhook deliveries forgotten", "deliveries", h.Webhooks.Forget),
		counted("what learning platforms list is asked for", "sessions", h.LMS.AskNightly),
		counted("what learning platforms say of sessions is collected", "sessions", h.Gradebook.AskCollections),
		quietly("the days of the journey could not be summed up", func(ctx context.Context) error { _, err := journey.SumDays(ctx, h.DB); return err }),
		quietly("the retention schedule could not be applied", h.Dossier.AskNightly),
		quietly("the stages of a session could not be checked", func(ctx context.Context) error { _, err := h.Gradebook.AskRecheck(ctx); return err }),
		quietly("the nightly reconciliation could not be asked for", h.Accounting.AskNightly),
	}
}
