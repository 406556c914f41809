package labs

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"time"

	"cursus/internal/books/journey"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/enrolment"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/lti"
	"cursus/internal/platform/postgres"
)

// TokenLife is how long a token opens a lab. It opens it once.
const TokenLife = time.Minute

// Launch is a launch and what came of it. A learner has one open launch of a lab at most: who comes back is in the same machine, by another token.
type Launch struct {
	ID          string         `db:"id"`
	LabID       string         `db:"lab_id"`
	Provider    string         `db:"provider"`
	EnrolmentID string         `db:"enrolment_id"`
	LearnerID   string         `db:"learner_id"`
	Currency    money.Currency `db:"currency"`
	CostMilli   int64          `db:"cost_milli"`
	IdleMinutes int            `db:"idle_minutes"`
	State       State          `db:"state"`
	Tokens      int            `db:"tokens"`
	Redeemed    int            `db:"redeemed"`
	IssuedAt    time.Time      `db:"issued_at"`
	ExpiresAt   time.Time      `db:"expires_at"`
	StartedAt   *time.Time     `db:"started_at"`
	LastAt      *time.Time     `db:"last_at"`
	EndedAt     *time.Time     `db:"ended_at"`
	HelpSince   *time.Time     `db:"help_since"`
	StopAskedAt *time.Time     `db:"stop_asked_at"`
	StopReason  string         `db:"stop_reason"`
	Minutes     int            `db:"minutes"`
	CostMinor   int64          `db:"cost_minor"`
	Costing     int            `db:"costing"`
}

// Cost is what the launch cost, as it is in the ledger.
func (l Launch) Cost() money.Amount { return money.Of(l.CostMinor, l.Currency) }

func (l Launch) idle() time.Duration { return time.Duration(l.IdleMinutes) * time.Minute }

// Standing is a lab as the learner of an enrolment stands to it. Refused says why she cannot open it now; nil: she can.
type Standing struct {
	Lab
	Used, Left int // minutes
	Refused    *fault.Fault
	Running    bool // she is in
}

// facts are what the right to open a lab rests upon.
type facts struct {
	open, served, sessionRuns, inForce, disputed bool
	hold                                         enrolment.Hold
	entitled                                     bool
	used, quota                                  int
}

// refusal says why a lab cannot be opened; nil: it can. What she can do least about comes first.
func (f facts) refusal() *fault.Fault {
	switch {
	case !f.open:
		return ErrClosed
	case !f.served:
		return ErrOff
	case !f.sessionRuns:
		return ErrOutOfSession
	case !f.inForce:
		return ErrLeft
	case f.disputed:
		return ErrContested
	case f.hold == enrolment.HoldAll:
		return ErrArrears
	case !f.entitled:
		return ErrFormula
	case f.used >= f.quota:
		return ErrQuota
	}
	return nil
}

type used struct {
	LabID   string `db:"lab_id"`
	Minutes int    `db:"minutes"`
	Running bool   `db:"running"`
}

// StandingsTx lists the labs of the session of an enrolment, and whether its learner can open them now. Who may not see the enrolment finds nothing.
func StandingsTx(ctx context.Context, tx *postgres.Tx, e enrolment.Enrolment) ([]Standing, error) {
	all, err := LabsTx(ctx, tx, e.SessionID)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	s, err := catalog.SessionTx(ctx, tx, e.SessionID)
	if err != nil {
		return nil, err
	}
	ways, err := journey.RowsTx(ctx, tx, e.ID)
	if err != nil {
		return nil, err
	}
	var disputed bool
	if err := tx.Get(ctx, &disputed, q.Q("Disputed"), e.ID); err != nil {
		return nil, err
	}
	var rows []used
	if err := tx.Select(ctx, &rows, q.Q("Used"), e.ID, tx.Now()); err != nil {
		return nil, err
	}
	minutes := map[string]used{}
	for _, r := range rows {
		minutes[r.LabID] = r
	}
	begun := s.StartsAt == nil || !tx.Now().Before(*s.StartsAt)
	out := make([]Standing, len(all))
	for i, l := range all {
		u := minutes[l.ID]
		f := facts{
			open: l.Open, served: l.Served, sessionRuns: begun && s.StateAt(tx.Now()) != catalog.Closed, inForce: !e.Revoked && ways[e.ID].State.Has(journey.Enrolled), disputed: disputed,
			hold: e.Hold, entitled: e.Has(l.Entitlement), used: u.Minutes, quota: l.QuotaMinutes,
		}
		out[i] = Standing{Lab: l, Used: u.Minutes, Left: max(0, l.QuotaMinutes-u.Minutes), Refused: f.refusal(), Running: u.Running}
	}
	return out, nil
}

// standingTx is one of them. Error: ErrNoLab, where the lab is of another session.
func standingTx(ctx context.Context, tx *postgres.Tx, e enrolment.Enrolment, labID string) (Standing, error) {
	all, err := StandingsTx(ctx, tx, e)
	for _, s := range all {
		if s.ID == labID {
			return s, err
		}
	}
	if err == nil {
		err = ErrNoLab
	}
	return Standing{}, err
}

// LaunchTx lets the learner of an enrolment ask for a token of a lab, as the house. Errors: enrolment.ErrNoEnrolment where it is not hers, ErrNoLab, and why not.
func LaunchTx(ctx context.Context, tx *postgres.Tx, labID, enrolmentID, learnerID string) (Launch, error) {
	e, err := enrolment.LockTx(ctx, tx, enrolmentID) // who opens twice at once waits for herself
	if err == nil && e.LearnerID != learnerID {
		err = enrolment.ErrNoEnrolment
	}
	if err != nil {
		return Launch{}, err
	}
	s, err := standingTx(ctx, tx, e, labID)
	if err != nil {
		return Launch{}, err
	}
	if s.Refused != nil {
		return Launch{}, s.Refused
	}
	var id string
	err = tx.Get(ctx, &id, q.Q("Launch"), ident.New("lln"), s.ID, s.Provider, e.ID, e.LearnerID, s.Currency, s.CostMilli, s.IdleMinutes, tx.Now(), tx.Now().Add(TokenLife))
	if err != nil {
		return Launch{}, err
	}
	if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "lab.launched", Object: s.ID, Detail: map[string]string{"launch": id, "enrolment": e.ID}}); err != nil {
		return Launch{}, err
	}
	return LaunchOfTx(ctx, tx, id)
}

// LaunchOfTx finds a launch. Error: ErrNoLaunch.
func LaunchOfTx(ctx context.Context, tx *postgres.Tx, id string) (Launch, error) {
	var l Launch
	err := tx.Get(ctx, &l, q.Q("LaunchOf"), id)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNoLaunch
	}
	return l, err
}

// lockTx is LaunchOfTx that holds the launch.
func lockTx(ctx context.Context, tx *postgres.Tx, id string) (Launch, error) {
	var found string
	if err := tx.Get(ctx, &found, q.Q("LockLaunch"), id); err != nil {
		if errors.Is(err, sql.ErrNoRows) {
			err = ErrNoLaunch
		}
		return Launch{}, err
	}
	return LaunchOfTx(ctx, tx, id)
}

// Ticket is what a browser posts to a provider.
type Ticket struct {
	lti.Post
	Title catalog.Text
	Key   string // of the session
}

// Open gives what opens a launch: to a provider that takes tokens the token, once; to one that speaks LTI the beginning of a login. Errors:
// ErrNoLaunch where it is not hers, ErrSpent, and why she cannot open it any more.
func (s *Service) Open(ctx context.Context, id, learnerID string) (Ticket, error) {
	ctx = asSystem(ctx)
	var l Launch
	var p Provider
	var stands Standing
	err := s.db.InTx(ctx, "open lab", func(ctx context.Context, tx *postgres.Tx) (err error) {
		if l, p, stands, err = s.openTx(ctx, tx, id, learnerID); err != nil || p.Shape == LTI {
			return err
		}
		return redeemTx(ctx, tx, l)
	})
	if err != nil {
		return Ticket{}, err
	}
	t := Ticket{Title: stands.Title(), Key: stands.SessionKey}
	if p.Shape == LTI {
		t.Post = s.tool(p).Begin(l.ID, strconv.Itoa(l.Tokens))
		return t, nil
	}
	token, err := s.signer.SignToken(ctx, s.launchClaims(l, p, stands))
	t.Post = lti.Post{URL: p.LaunchURL, Fields: [][2]string{{"token", token}}}
	return t, err
}

// openTx holds a launch that can be opened now.
func (s *Service) openTx(ctx context.Context, tx *postgres.Tx, id, learnerID string) (l Launch, p Provider, stands Standing, err error) {
	if l, err = lockTx(ctx, tx, id); err == nil && l.LearnerID != learnerID {
		err = ErrNoLaunch
	}
	if err != nil {
		return l, p, stands, err
	}
	if l.Redeemed == l.Tokens || l.State == Ended || !tx.Now().Before(l.ExpiresAt) {
		return l, p, stands, ErrSpent
	}
	e, err := enrolment.OneTx(ctx, tx, l.EnrolmentID)
	if err != nil {
		return l, p, stands, err
	}
	if stands, err = standingTx(ctx, tx, e, l.LabID); err == nil && stands.Refused != nil { // a refund may have come meanwhile
		err = stands.Refused
	}
	if err != nil {
		return l, p, stands, err
	}
	p, err = ProviderTx(ctx, tx, l.Provider)
	return l, p, stands, err
}

func redeemTx(ctx context.Context, tx *postgres.Tx, l Launch) error {
	_, err := tx.Exec(ctx, q.Q("Redeem"), l.ID, l.Tokens)
	return err
}

// jti names a token: no two have the same.
func (l Launch) jti() string { return l.ID + "." + strconv.Itoa(l.Tokens) }

// launchClaims are what a provider is told: of the learner no more than a name that tells nothing, the same each time.
func (s *Service) launchClaims(l Launch, p Provider, stands Standing) map[string]any {
	return map[string]any{
		"iss": s.baseURL, "sub": l.EnrolmentID, "aud": p.ClientID, "iat": l.ExpiresAt.Add(-TokenLife).Unix(), "exp": l.ExpiresAt.Unix(), "jti": l.jti(),
		"launch": l.ID, "resource": stands.Resource, "session": stands.SessionKey, "minutes_left": stands.Left, "idle_minutes": l.IdleMinutes,
		"events_url": s.eventsURL(p.Key), "return_url": s.returnURL(l),
	}
}

func (s *Service) eventsURL(provider string) string {
	return s.baseURL + "/v1/lab-providers/" + provider + "/events"
}

func (s *Service) returnURL(l Launch) string { return s.baseURL + "/learning#" + l.EnrolmentID }
