package flows

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"cursus/internal/domain/exams"
	"cursus/internal/domain/gradebook"
	"cursus/internal/domain/sales"
	"cursus/internal/domain/webhooks"
	"cursus/internal/platform/postgres"
	"cursus/templates/mails"
)

// publish tells webhooks what a reaction is about, in a transaction of its own that comes before everything that may fail: the cause of
// an event tells it once, however often the reaction runs. Where nobody hears of these types (none given: of anything) nothing is read.
func (h *House) publish(ctx context.Context, news func(context.Context, *postgres.Tx) ([]webhooks.News, error), types ...string) error {
	if len(types) == 0 {
		for _, t := range webhooks.Types {
			types = append(types, t.Type)
		}
	}
	return h.DB.InTx(ctx, "publish", func(ctx context.Context, tx *postgres.Tx) error {
		heard, err := webhooks.HeardTx(ctx, tx, types...)
		if err != nil || !heard {
			return err
		}
		all, err := news(ctx, tx)
		if err != nil {
			return err
		}
		return h.Webhooks.PublishTx(ctx, tx, all)
	})
}

// webhooksDue sends an endpoint what is due.
func (h *House) webhooksDue(ctx context.Context, e webhooks.Due) error {
	return h.Webhooks.Serve(ctx, e.EndpointID)
}

// webhookDisabled writes to the owner of an endpoint that it hears nothing any more.
func (h *House) webhookDisabled(ctx context.Context, e webhooks.Disabled) error {
	var endpoint webhooks.Endpoint
	var people []string
	if err := h.DB.View(ctx, "disabled webhook", func(ctx context.Context, tx *postgres.Tx) (err error) {
		endpoint, people, err = webhooks.OwnersTx(ctx, tx, e.EndpointID)
		return err
	}); err != nil {
		if !errors.Is(err, webhooks.ErrNoEndpoint) {
			return err
		}
		return nil // deleted meanwhile
	}
	page := "/organisation/webhooks/"
	if endpoint.Organisation == "" {
		page = "/console/webhooks/"
	}
	for _, id := range people {
		if err := h.post(ctx, letter{
			name: "webhook_disabled", reference: endpoint.ID + "." + strconv.FormatInt(e.At.Unix(), 10) + "." + id, person: id, path: page + endpoint.ID,
			facts: mails.Facts{Reference: endpoint.URL, Reason: e.Because, At: e.At},
		}); err != nil {
			return err
		}
	}
	return nil
}

func orderData(o sales.Order, reason string) webhooks.OrderData {
	d := webhooks.OrderData{OrderID: o.ID, Organisation: o.Organisation, BuyerID: o.BuyerID, State: string(o.State), Total: o.Total, Refunded: o.Credited, Reason: reason}
	for _, l := range o.Lines {
		d.Lines = append(d.Lines, webhooks.LineData{OfferID: l.OfferID, Session: l.SessionKey, Edition: l.EditionKey, Formula: l.Formula, Quantity: l.Quantity})
	}
	return d
}

// paidNews is that an order is paid, and who is enrolled by it. Who has a seat of an organisation is told of when she takes it.
func paidNews(ctx context.Context, tx *postgres.Tx, o sales.Order) ([]webhooks.News, error) {
	owners, err := webhooks.OwnersOfOrdersTx(ctx, tx, o.ID)
	if err != nil {
		return nil, err
	}
	all := []webhooks.News{{Type: webhooks.OrderPaid, Cause: o.ID, At: *o.PaidAt, Owners: owners[o.ID], Data: orderData(o, "")}}
	if o.Pool() {
		return all, nil
	}
	grants, err := grantNews(ctx, tx, o.ID, "", nil, granted)
	return append(all, grants...), err
}

// refundedNews is that a part of the money went back.
func refundedNews(ctx context.Context, tx *postgres.Tx, o sales.Order, refund string) ([]webhooks.News, error) {
	owners, err := webhooks.OwnersOfOrdersTx(ctx, tx, o.ID)
	return []webhooks.News{{Type: webhooks.OrderRefunded, Cause: refund, At: tx.Now(), Owners: owners[o.ID], Data: orderData(o, "")}}, err
}

// reversedNews is that an order has ended, with the enrolments that it had granted.
func reversedNews(ctx context.Context, tx *postgres.Tx, o sales.Order, reason string, enrolments []string) ([]webhooks.News, error) {
	owners, err := webhooks.OwnersOfOrdersTx(ctx, tx, o.ID)
	if err != nil {
		return nil, err
	}
	all := []webhooks.News{{Type: webhooks.OrderReversed, Cause: o.ID + "/" + reason, At: tx.Now(), Owners: owners[o.ID], Data: orderData(o, reason)}}
	if reason == "refunded" {
		all = append([]webhooks.News{{Type: webhooks.OrderRefunded, Cause: o.ID, At: tx.Now(), Owners: owners[o.ID], Data: orderData(o, "")}}, all...)
	}
	grants, err := grantNews(ctx, tx, o.ID, "", enrolments, ended)
	return append(all, grants...), err
}

// granted and ended say what of grants is news.
func granted(webhooks.Granted) string { return webhooks.EnrolmentGranted }

func ended(g webhooks.Granted) string {
	if g.RevokedAt == nil {
		return ""
	}
	return webhooks.EnrolmentEnded
}

// grantNews is what became of grants of an order; enrolments, where given, limit it. A grant is given once and taken back once.
func grantNews(ctx context.Context, tx *postgres.Tx, orderID, seatID string, enrolments []string, of func(webhooks.Granted) string) ([]webhooks.News, error) {
	owners, err := webhooks.OwnersOfOrdersTx(ctx, tx, orderID)
	if err != nil {
		return nil, err
	}
	grants, err := webhooks.GrantsTx(ctx, tx, orderID, enrolments)
	var all []webhooks.News
	for _, g := range grants {
		d := webhooks.EnrolmentData{EnrolmentID: g.EnrolmentID, LearnerID: g.LearnerID, Session: g.Session, OrderID: g.OrderID, SeatID: seatID, Formula: g.Formula, Open: g.Open}
		n := webhooks.News{Type: of(g), Cause: g.ID, At: g.GrantedAt, Owners: owners[orderID]}
		switch n.Type {
		case "":
			continue
		case webhooks.EnrolmentEnded:
			n.At, d.Reason = *g.RevokedAt, g.Because
		}
		n.Data = d
		all = append(all, n)
	}
	return all, err
}

// seatNews is that somebody is enrolled with a seat of an organisation.
func seatNews(ctx context.Context, tx *postgres.Tx, x sales.Seat) ([]webhooks.News, error) {
	parts, err := sales.PartsTx(ctx, tx, x.OrderID)
	if err != nil {
		return nil, err
	}
	enrolments := []string{}
	for _, p := range parts {
		if p.Line == x.Line && p.Seat == x.N && p.EnrolmentID != "" {
			enrolments = append(enrolments, p.EnrolmentID)
		}
	}
	return grantNews(ctx, tx, x.OrderID, x.ID, enrolments, func(g webhooks.Granted) string {
		if g.RevokedAt != nil {
			return "" // of a seat that the learner had before
		}
		return webhooks.EnrolmentGranted
	})
}

// transferNews is that a place is somebody else's: hers who has it now, and no more hers who gave it.
func transferNews(ctx context.Context, tx *postgres.Tx, t sales.Handover, o sales.Order) ([]webhooks.News, error) {
	var enrolments []string
	for _, l := range o.Lines {
		if l.N == t.Line {
			for _, p := range l.Parts {
				enrolments = append(enrolments, p.EnrolmentID)
			}
		}
	}
	return grantNews(ctx, tx, o.ID, "", nil, func(g webhooks.Granted) string {
		switch {
		case g.LearnerID == t.FromID && g.Because == "transferred":
			return ended(g)
		case g.LearnerID == t.ToID && slices.Contains(enrolments, g.EnrolmentID):
			return granted(g)
		}
		return ""
	})
}

// stageNews is what a grade report changed.
func stageNews(ctx context.Context, tx *postgres.Tx, e gradebook.Imported) ([]webhooks.News, error) {
	changes, err := webhooks.StagesTx(ctx, tx, e.SessionID, e.CollectionID)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(changes))
	for i, c := range changes {
		ids[i] = c.EnrolmentID
	}
	slices.Sort(ids)
	owners, err := webhooks.OwnersOfEnrolmentsTx(ctx, tx, tx.Now(), slices.Compact(ids)...)
	all := make([]webhooks.News, len(changes))
	for i, c := range changes {
		all[i] = webhooks.News{
			Type: webhooks.StageLost, Cause: strconv.FormatInt(c.Seq, 10), At: tx.Now(), Owners: owners[c.EnrolmentID],
			Data: webhooks.StageData{EnrolmentID: c.EnrolmentID, LearnerID: c.LearnerID, Session: c.Session, Stage: c.Stage, Since: c.At},
		}
		if c.Reached {
			all[i].Type = webhooks.StageReached
		}
	}
	return all, err
}

// eligibilityChanged tells who may sit the exam now, and who may not any more.
func (h *House) eligibilityChanged(ctx context.Context, e exams.EligibilityChanged) error {
	return h.publish(ctx, func(ctx context.Context, tx *postgres.Tx) ([]webhooks.News, error) {
		ids := slices.Concat(e.Eligible, e.Lost)
		learners, err := webhooks.EnrolledTx(ctx, tx, ids...)
		if err != nil {
			return nil, err
		}
		owners, err := webhooks.OwnersOfEnrolmentsTx(ctx, tx, e.At, ids...)
		var all []webhooks.News
		for i, id := range ids {
			may := i < len(e.Eligible)
			all = append(all, webhooks.News{
				Type: webhooks.ExamEligible, Cause: id + "/" + strconv.FormatInt(e.At.UnixMicro(), 10), At: e.At, Owners: owners[id],
				Data: webhooks.ExamData{EnrolmentID: id, LearnerID: learners[id].LearnerID, Session: learners[id].Session, Eligible: &may},
			})
		}
		return all, err
	}, webhooks.ExamEligible)
}

func bookedNews(ctx context.Context, tx *postgres.Tx, x exams.Sitting) ([]webhooks.News, error) {
	return aboutOne(ctx, tx, webhooks.News{Type: webhooks.ExamBooked, Cause: x.ID, At: x.BookedAt}, x.EnrolmentID, func(e webhooks.Enrolled) any {
		return webhooks.ExamData{EnrolmentID: e.ID, LearnerID: e.LearnerID, Session: e.Session, SittingID: x.ID, Attempt: x.Attempt, State: string(exams.Booked)}
	})
}

func resultNews(ctx context.Context, tx *postgres.Tx, sittingID string) ([]webhooks.News, error) {
	x, err := exams.SittingTx(ctx, tx, sittingID)
	if err != nil || x.ResultAt == nil {
		return nil, err
	}
	return aboutOne(ctx, tx, webhooks.News{Type: webhooks.ExamResult, Cause: x.ID, At: *x.ResultAt}, x.EnrolmentID, func(e webhooks.Enrolled) any {
		return webhooks.ExamData{EnrolmentID: e.ID, LearnerID: e.LearnerID, Session: e.Session, SittingID: x.ID, Attempt: x.Attempt, State: string(x.State), ScorePPM: x.ScorePPM}
	})
}

// aboutOne fills in whose an event about one enrolment was at its time, and what it says.
func aboutOne(ctx context.Context, tx *postgres.Tx, n webhooks.News, enrolmentID string, say func(webhooks.Enrolled) any) ([]webhooks.News, error) {
	learners, err := webhooks.EnrolledTx(ctx, tx, enrolmentID)
	if err != nil {
		return nil, err
	}
	owners, err := webhooks.OwnersOfEnrolmentsTx(ctx, tx, n.At, enrolmentID)
	n.Owners, n.Data = owners[enrolmentID], say(learners[enrolmentID])
	return []webhooks.News{n}, err
}
