package webhooks

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/lib/pq"

	"cursus/internal/kernel/ident"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
)

// The types of events. They are documented in the contract, each with the form of its data.
const (
	OrderPaid          = "order.paid"
	OrderRefunded      = "order.refunded"
	OrderReversed      = "order.reversed"
	EnrolmentGranted   = "enrolment.granted"
	EnrolmentEnded     = "enrolment.ended"
	StageReached       = "stage.reached"
	StageLost          = "stage.lost"
	ExamEligible       = "exam.eligible"
	ExamBooked         = "exam.booked"
	ExamResult         = "exam.result"
	CertificateIssued  = "certificate.issued"
	CertificateRevoked = "certificate.revoked"
	Test               = "webhook.test"
)

// Version is that of the form of every event. A member that is added does not change it.
const Version = 1

// EventType is a type of events, said in the two languages of the house.
type EventType struct {
	Type string `json:"type"`
	EN   string `json:"en"`
	FR   string `json:"fr"`
}

// Types are all types of events.
var Types = []EventType{
	{OrderPaid, "An order is paid; what it holds is granted.", "Une commande est payée ; ce qu’elle contient est accordé."},
	{OrderRefunded, "Money of an order went back.", "De l’argent d’une commande a été rendu."},
	{OrderReversed, "An order has ended: what it granted is taken back.", "Une commande a pris fin : ce qu’elle accordait est repris."},
	{EnrolmentGranted, "An enrolment is open, or opens more than before.", "Une inscription est ouverte, ou ouvre plus qu’avant."},
	{EnrolmentEnded, "What an order granted in an enrolment is taken back.", "Ce qu’une commande accordait dans une inscription est repris."},
	{StageReached, "A learner has reached a stage.", "Un apprenant a atteint une étape."},
	{StageLost, "A stage does not hold any more, as after a correction of grades.", "Une étape n’est plus atteinte, ainsi après une correction de notes."},
	{ExamEligible, "A learner may sit the exam, or may not any more.", "Un apprenant peut passer l’examen, ou ne le peut plus."},
	{ExamBooked, "The exam is booked.", "L’examen est réservé."},
	{ExamResult, "The exam has a result.", "L’examen a un résultat."},
	{CertificateIssued, "A certificate is issued.", "Un certificat est délivré."},
	{CertificateRevoked, "A certificate is revoked.", "Un certificat est révoqué."},
	{Test, "Somebody asked for a test. It is told to the webhook that was tested, whatever types it hears.", "Quelqu’un a demandé un essai. Il est envoyé au webhook essayé, quels que soient ses types."},
}

func known(kind string) bool {
	return slices.ContainsFunc(Types, func(t EventType) bool { return t.Type == kind })
}

// News is something that happened. Cause tells it from all others of its type: told twice it is told once. Owners are the keys of the
// organisations whose it is.
type News struct {
	Type, Cause string
	At          time.Time
	Owners      []string
	Data        any
}

// What the events say. There is no name and no address of anybody in them: an owner who may know more asks for it by the ids.
type (
	// OrderData is said of an order.
	OrderData struct {
		OrderID      string       `json:"order_id"`
		Organisation string       `json:"organisation,omitempty"` // that bought
		BuyerID      string       `json:"buyer_id"`
		State        string       `json:"state"`
		Total        money.Amount `json:"total"`
		Refunded     money.Amount `json:"refunded"`         // so far
		Reason       string       `json:"reason,omitempty"` // why it has ended
		Lines        []LineData   `json:"lines"`
	}
	// LineData is one line of it, on a session or an edition of a program.
	LineData struct {
		OfferID  string `json:"offer_id"`
		Session  string `json:"session,omitempty"`
		Edition  string `json:"edition,omitempty"`
		Formula  string `json:"formula"`
		Quantity int    `json:"quantity"`
	}
	// EnrolmentData is said of an enrolment.
	EnrolmentData struct {
		EnrolmentID string `json:"enrolment_id"`
		LearnerID   string `json:"learner_id"`
		Session     string `json:"session"`
		OrderID     string `json:"order_id"`
		SeatID      string `json:"seat_id,omitempty"` // of an organisation's order
		Formula     string `json:"formula,omitempty"`
		Open        bool   `json:"open"`             // something is open to the learner, be it by another order
		Reason      string `json:"reason,omitempty"` // why it has ended
	}
	// StageData is said of a stage.
	StageData struct {
		EnrolmentID string    `json:"enrolment_id"`
		LearnerID   string    `json:"learner_id"`
		Session     string    `json:"session"`
		Stage       string    `json:"stage"`
		Since       time.Time `json:"since"`
	}
	// ExamData is said of an exam.
	ExamData struct {
		EnrolmentID string `json:"enrolment_id"`
		LearnerID   string `json:"learner_id"`
		Session     string `json:"session"`
		Eligible    *bool  `json:"eligible,omitempty"`
		SittingID   string `json:"sitting_id,omitempty"`
		Attempt     int    `json:"attempt,omitempty"`
		State       string `json:"state,omitempty"`
		ScorePPM    *int   `json:"score_ppm,omitempty"`
	}
	// CertificateData is said of a certificate.
	CertificateData struct {
		CertificateID string `json:"certificate_id"`
		Kind          string `json:"kind,omitempty"`
		EnrolmentID   string `json:"enrolment_id,omitempty"` // of a session
		LearnerID     string `json:"learner_id"`
		Session       string `json:"session,omitempty"`
		Edition       string `json:"edition,omitempty"`  // of a program
		Replaces      string `json:"replaces,omitempty"` // the certificate whose place it took
		Reason        string `json:"reason,omitempty"`   // why it was revoked
	}
	// TestData is said in a test.
	TestData struct {
		EndpointID string `json:"webhook_id"`
	}
)

// envelope is the form of every event.
type envelope struct {
	ID        string    `json:"id"`
	Type      string    `json:"type"`
	Version   int       `json:"version"`
	Timestamp time.Time `json:"timestamp"`
	Data      any       `json:"data"`
}

// ListenersTx lists all endpoints, for who has to know whether anything is worth being told.
func ListenersTx(ctx context.Context, tx *postgres.Tx) ([]Endpoint, error) {
	var rows []endpointRow
	err := tx.Select(ctx, &rows, q.Q("Listeners"))
	all := make([]Endpoint, len(rows))
	for i, r := range rows {
		all[i] = r.endpoint()
	}
	return all, err
}

// HeardTx says whether anybody hears of one of these types.
func HeardTx(ctx context.Context, tx *postgres.Tx, types ...string) (bool, error) {
	all, err := ListenersTx(ctx, tx)
	return slices.ContainsFunc(all, func(e Endpoint) bool { return slices.ContainsFunc(types, e.Hears) }), err
}

// pack is rows of several tables under way: one statement writes each.
type pack struct {
	ids, types, causes, ats, bodies   []string
	deliveries, endpoints, of, states []string
	asked                             map[string]bool
}

func (p *pack) event(n News) (string, error) {
	id := ident.New("evt")
	body, err := json.Marshal(envelope{id, n.Type, Version, n.At.UTC(), n.Data})
	p.ids, p.types, p.causes = append(p.ids, id), append(p.types, n.Type), append(p.causes, n.Cause)
	p.ats, p.bodies = append(p.ats, n.At.UTC().Format(time.RFC3339Nano)), append(p.bodies, string(body))
	return id, err
}

func (p *pack) delivery(e Endpoint, eventID string) string {
	id, state := ident.New("whd"), string(Pending)
	if e.State != Enabled {
		state = string(Held)
	} else {
		p.asked[e.ID] = true
	}
	p.deliveries, p.endpoints, p.of, p.states = append(p.deliveries, id), append(p.endpoints, e.ID), append(p.of, eventID), append(p.states, state)
	return id
}

// PublishTx tells every endpoint that hears of it and whose owner it concerns. What nobody hears of is not kept; what was told already
// is not told again. An endpoint that is disabled has it held, so that it can be asked for later.
func (s *Service) PublishTx(ctx context.Context, tx *postgres.Tx, all []News) error {
	listeners, err := ListenersTx(ctx, tx)
	if err != nil || len(listeners) == 0 {
		return err
	}
	p := pack{asked: map[string]bool{}}
	for _, n := range all {
		if !known(n.Type) {
			return errUnknownType.Detailf("%q is no type of events.", n.Type)
		}
		id := ""
		for _, e := range listeners {
			if !e.Hears(n.Type) || e.Organisation != "" && !slices.Contains(n.Owners, e.Organisation) {
				continue
			}
			if id == "" {
				if id, err = p.event(n); err != nil {
					return err
				}
			}
			p.delivery(e, id)
		}
	}
	return s.writeTx(ctx, tx, p)
}

func (s *Service) writeTx(ctx context.Context, tx *postgres.Tx, p pack) error {
	if len(p.ids) == 0 {
		return nil
	}
	if _, err := tx.Exec(ctx, q.Q("AddEvents"), pq.Array(p.ids), pq.Array(p.types), pq.Array(p.causes), pq.Array(p.ats), pq.Array(p.bodies), tx.Now()); err != nil {
		return err
	}
	n, err := tx.Exec(ctx, q.Q("AddDeliveries"), pq.Array(p.deliveries), pq.Array(p.endpoints), pq.Array(p.of), pq.Array(p.states), tx.Now())
	if err != nil || n == 0 {
		return err
	}
	for id := range p.asked {
		if err := s.jobs.EnqueueTx(ctx, tx, Due{id}); err != nil {
			return err
		}
	}
	return nil
}

// OwnersOfOrdersTx gives the organisations whose each order is, beside its buyer's.
func OwnersOfOrdersTx(ctx context.Context, tx *postgres.Tx, orders ...string) (map[string][]string, error) {
	return owners(ctx, tx, "OwnersOfOrders", pq.Array(orders))
}

// OwnersOfEnrolmentsTx gives the organisations whose each enrolment was at a time: those of the orders whose grants were in force.
func OwnersOfEnrolmentsTx(ctx context.Context, tx *postgres.Tx, at time.Time, enrolments ...string) (map[string][]string, error) {
	return owners(ctx, tx, "OwnersOfEnrolments", pq.Array(enrolments), at)
}

func owners(ctx context.Context, tx *postgres.Tx, statement string, args ...any) (map[string][]string, error) {
	var rows []struct {
		ID           string `db:"id"`
		Organisation string `db:"organisation"`
	}
	err := tx.Select(ctx, &rows, q.Q(statement), args...)
	out := map[string][]string{}
	for _, r := range rows {
		out[r.ID] = append(out[r.ID], r.Organisation)
	}
	return out, err
}

// StageChange is a stage of an enrolment that was reached or lost.
type StageChange struct {
	Seq         int64     `db:"seq"`
	EnrolmentID string    `db:"enrolment_id"`
	LearnerID   string    `db:"learner_id"`
	Session     string    `db:"session"` // key
	Stage       string    `db:"stage"`
	Reached     bool      `db:"reached"`
	At          time.Time `db:"at"`
}

// StagesTx lists what a grade report changed in the stages of a session.
func StagesTx(ctx context.Context, tx *postgres.Tx, sessionID, collectionID string) (all []StageChange, err error) {
	err = tx.Select(ctx, &all, q.Q("Stages"), sessionID, collectionID)
	return all, err
}

// Enrolled is an enrolment as events name it.
type Enrolled struct {
	ID        string `db:"id"`
	LearnerID string `db:"learner_id"`
	Session   string `db:"session"` // key
}

// EnrolledTx names enrolments.
func EnrolledTx(ctx context.Context, tx *postgres.Tx, ids ...string) (map[string]Enrolled, error) {
	var rows []Enrolled
	err := tx.Select(ctx, &rows, q.Q("Enrolled"), pq.Array(ids))
	out := make(map[string]Enrolled, len(rows))
	for _, r := range rows {
		out[r.ID] = r
	}
	return out, err
}

// Granted is what an order granted in an enrolment, whatever became of it.
type Granted struct {
	ID          string     `db:"id"` // of the grant
	EnrolmentID string     `db:"enrolment_id"`
	LearnerID   string     `db:"learner_id"`
	Session     string     `db:"session"` // key
	OrderID     string     `db:"order_id"`
	Formula     string     `db:"formula"`
	GrantedAt   time.Time  `db:"granted_at"`
	RevokedAt   *time.Time `db:"revoked_at"`
	Because     string     `db:"because"` // it was revoked
	Open        bool       `db:"open"`    // something is open in the enrolment
}

// GrantsTx lists what an order granted; enrolments, where given, limit it.
func GrantsTx(ctx context.Context, tx *postgres.Tx, orderID string, enrolments []string) (all []Granted, err error) {
	var only any
	if enrolments != nil {
		only = pq.Array(enrolments)
	}
	err = tx.Select(ctx, &all, q.Q("Grants"), orderID, only)
	return all, err
}

// In says a type in a language.
func (t EventType) In(lang string) string {
	if lang == "fr" {
		return t.FR
	}
	return t.EN
}

// Sample is an event of a type as it is sent, about nobody, for the documentation.
func Sample(kind string) json.RawMessage {
	const id = "01kb5t8kz9e0qv4m3r2x7nwhjd"
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	yes, score := true, 870_000
	total := money.Of(15000, "EUR")
	order := OrderData{OrderID: "ord_" + id, BuyerID: "per_" + id, State: "paid", Total: total, Refunded: money.Of(0, "EUR"), Lines: []LineData{{OfferID: "off_" + id, Session: "PRD-9", Formula: "QUALIFYING", Quantity: 1}}}
	enrolment := EnrolmentData{EnrolmentID: "enr_" + id, LearnerID: "per_" + id, Session: "PRD-9", OrderID: "ord_" + id, Formula: "QUALIFYING", Open: true}
	stage := StageData{EnrolmentID: "enr_" + id, LearnerID: "per_" + id, Session: "PRD-9", Stage: "succeeded", Since: at}
	exam := ExamData{EnrolmentID: "enr_" + id, LearnerID: "per_" + id, Session: "PRD-9"}
	certificate := CertificateData{CertificateID: "cer_" + id, Kind: "qualifying", EnrolmentID: "enr_" + id, LearnerID: "per_" + id, Session: "PRD-9"}
	var data any
	switch kind {
	case OrderPaid:
		data = order
	case OrderRefunded, OrderReversed:
		order.State, order.Refunded = "refunded", total
		if kind == OrderReversed {
			order.Reason = "refunded"
		}
		data = order
	case EnrolmentGranted:
		data = enrolment
	case EnrolmentEnded:
		enrolment.Open, enrolment.Reason = false, "refunded"
		data = enrolment
	case StageReached, StageLost:
		data = stage
	case ExamEligible:
		exam.Eligible = &yes
		data = exam
	case ExamBooked:
		exam.SittingID, exam.Attempt, exam.State = "sit_"+id, 1, "booked"
		data = exam
	case ExamResult:
		exam.SittingID, exam.Attempt, exam.State, exam.ScorePPM = "sit_"+id, 1, "passed", &score
		data = exam
	case CertificateIssued:
		data = certificate
	case CertificateRevoked:
		certificate.Reason = "refunded"
		data = certificate
	default:
		data = TestData{"whe_" + id}
	}
	b, err := json.Marshal(envelope{"evt_" + id, kind, Version, at, data})
	if err != nil {
		panic(err) // it is ours, and always the same
	}
	return b
}
