package outreach

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/privacy"
	"cursus/internal/domain/programs"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/kernel/lifecycle"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// Kind is what a campaign is for.
type Kind string

// The kinds.
const (
	Announcement Kind = "announcement" // staff tell of a new session or edition
	Weekly       Kind = "weekly"       // to each learner of a running session, how far she is
	Nudge        Kind = "nudge"        // to those on a list
	Opens        Kind = "opening"      // to the members of an edition: one of its courses opens
	Exam         Kind = "exam"         // to who may sit an exam and has not booked it
	Survey       Kind = "survey"       // to who is asked a questionnaire and has not answered it
)

// purpose is what people agree to or refuse for mails of a kind.
func (k Kind) purpose() string {
	switch k {
	case Weekly, Opens:
		return privacy.ProgressMail
	case Nudge, Exam, Survey:
		return privacy.Nudges
	}
	return privacy.News
}

// State is where a campaign stands.
type State string

// The states.
const (
	Draft     State = "draft"
	Scheduled State = "scheduled"
	Sending   State = "sending"
	Done      State = "done"
	Canceled  State = "canceled"
)

// Life is every move of a campaign. All but an announcement begin as sending.
var Life = lifecycle.Table[State]{Name: "campaign", Start: Draft, Moves: map[State][]State{
	Draft: {Scheduled, Canceled}, Scheduled: {Draft, Sending, Canceled}, Sending: {Done, Canceled},
}}

// About is what a campaign is about: a session or an edition, by key.
type About struct {
	Session string `json:"session,omitempty"`
	Edition string `json:"edition,omitempty"`
}

// NewCampaign is a campaign as staff write it.
type NewCampaign struct {
	Name    string  `json:"name"`
	About   About   `json:"about"`
	Segment Segment `json:"segment"`
	Text    Text    `json:"text"`
}

// Counts are what became of the recipients of a campaign.
type Counts struct {
	Recipients   int64 `json:"recipients" db:"recipients"` // all of them
	Waiting      int64 `json:"waiting" db:"waiting"`       // also those that are being sent
	Sent         int64 `json:"sent" db:"sent"`
	Uncertain    int64 `json:"uncertain" db:"uncertain"` // handed over or about to be, and nobody knows whether they left
	Bounced      int64 `json:"bounced" db:"bounced"`
	Failed       int64 `json:"failed" db:"failed"`
	NoConsent    int64 `json:"no_consent" db:"no_consent"`     // skipped: she never said yes, and is no customer
	Refused      int64 `json:"refused" db:"refused"`           // skipped: she said no, or unsubscribed
	NoAddress    int64 `json:"no_address" db:"no_address"`     // skipped: there is none, or it was refused for good
	HeldOut      int64 `json:"held_out" db:"held_out"`         // left out at random, to compare with
	Canceled     int64 `json:"canceled" db:"canceled"`         // the campaign was canceled before
	Unsubscribed int64 `json:"unsubscribed" db:"unsubscribed"` // by a link in this mail
}

// Campaign is one campaign.
type Campaign struct {
	ID          string     `json:"id"`
	Kind        Kind       `json:"kind"`
	Name        string     `json:"name"`
	About       About      `json:"about"`
	Segment     Segment    `json:"segment"`
	Text        *Text      `json:"text,omitempty"` // absent for a weekly mail, which has one for each standing
	State       State      `json:"state"`
	ScheduledAt *time.Time `json:"scheduled_at,omitempty"`
	StartedAt   *time.Time `json:"started_at,omitempty"`
	EndedAt     *time.Time `json:"ended_at,omitempty"`
	MadeAt      time.Time  `json:"created_at"`
	Counts      Counts     `json:"counts"`
	Version     int        `json:"-"`
	texts       map[string]Text
	sessionID   string
	editionID   string
}

type campaignRow struct {
	ID          string     `db:"id"`
	Kind        Kind       `db:"kind"`
	Name        string     `db:"name"`
	SessionID   string     `db:"session_id"`
	EditionID   string     `db:"edition_id"`
	SessionKey  string     `db:"session_key"`
	EditionKey  string     `db:"edition_key"`
	Segment     []byte     `db:"segment"`
	Texts       []byte     `db:"texts"`
	State       State      `db:"state"`
	ScheduledAt *time.Time `db:"scheduled_at"`
	StartedAt   *time.Time `db:"started_at"`
	EndedAt     *time.Time `db:"ended_at"`
	MadeAt      time.Time  `db:"made_at"`
	Version     int        `db:"version"`
	Counts
}

func (r campaignRow) campaign() (Campaign, error) {
	c := Campaign{
		ID: r.ID, Kind: r.Kind, Name: r.Name, About: About{r.SessionKey, r.EditionKey}, State: r.State, ScheduledAt: r.ScheduledAt, StartedAt: r.StartedAt,
		EndedAt: r.EndedAt, MadeAt: r.MadeAt, Counts: r.Counts, Version: r.Version, sessionID: r.SessionID, editionID: r.EditionID,
	}
	if err := errors.Join(json.Unmarshal(r.Segment, &c.Segment), json.Unmarshal(r.Texts, &c.texts)); err != nil {
		return c, err
	}
	if t, one := c.texts[""]; one {
		c.Text = &t
	}
	return c, nil
}

// resolveTx finds what was written: what it is about, and the segment. What it refuses says where.
func (n NewCampaign) resolveTx(ctx context.Context, tx *postgres.Tx) (sessionID, editionID string, err error) {
	var wrong []fault.Field
	refuse := func(pointer, code, detail string) {
		wrong = append(wrong, fault.Field{Pointer: pointer, Code: code, Detail: detail})
	}
	if l := utf8.RuneCountInString(strings.TrimSpace(n.Name)); l == 0 || l > longestLine || strings.ContainsFunc(n.Name, unicode.IsControl) {
		refuse("/name", "bad-length", "1 to 200 characters in one line.")
	}
	missing := func(err error, pointer string) error {
		if f := fault.From(err); err != nil && f.Kind == fault.NotFound {
			refuse(pointer, f.Code, f.Detail)
			return nil
		}
		return err
	}
	switch {
	case (n.About.Session == "") == (n.About.Edition == ""):
		refuse("/about", "one-of-two", "A session or an edition.")
	case n.About.Session != "":
		s, err := catalog.SessionTx(ctx, tx, n.About.Session)
		if err == nil && !s.Public() {
			refuse("/about/session", "not-published", "The session is not published: nobody could read of it.")
		}
		if err := missing(err, "/about/session"); err != nil {
			return "", "", err
		}
		sessionID = s.ID
	default:
		e, err := programs.EditionTx(ctx, tx, n.About.Edition)
		if err == nil && e.State != catalog.Published {
			refuse("/about/edition", "not-published", "The edition is not published: nobody could read of it.")
		}
		if err := missing(err, "/about/edition"); err != nil {
			return "", "", err
		}
		editionID = e.ID
	}
	if err := n.Segment.checkTx(ctx, tx, refuse); err != nil {
		return "", "", err
	}
	if wrong = append(wrong, n.Text.wrong(Announcement, "/text")...); len(wrong) > 0 {
		return "", "", fault.InvalidInput(wrong...)
	}
	return sessionID, editionID, nil
}

// CreateTx makes an announcement, a draft, and gives its id.
func CreateTx(ctx context.Context, tx *postgres.Tx, n NewCampaign) (string, error) {
	session, edition, err := n.resolveTx(ctx, tx)
	if err != nil {
		return "", err
	}
	segment, texts, err := encoded(n)
	if err != nil {
		return "", err
	}
	id := ident.New("cmp")
	if _, err := tx.Exec(ctx, q.Q("AddCampaign"), id, Announcement, strings.TrimSpace(n.Name), "", session, edition, segment, texts, 0, Draft, nil, postgres.Author(ctx), tx.Now()); err != nil {
		return "", err
	}
	return id, audit.AppendTx(ctx, tx, audit.Entry{Action: "campaign.created", Object: id, Detail: n})
}

func encoded(n NewCampaign) (segment, texts []byte, err error) {
	segment, err = json.Marshal(n.Segment)
	if err != nil {
		return nil, nil, err
	}
	texts, err = json.Marshal(map[string]Text{"": n.Text})
	return segment, texts, err
}

// lockTx finds a campaign and holds it until the transaction ends. Error: ErrNoCampaign.
func lockTx(ctx context.Context, tx *postgres.Tx, id string) (Campaign, error) {
	if _, err := tx.Exec(ctx, q.Q("LockCampaign"), id); err != nil {
		return Campaign{}, err
	}
	return CampaignTx(ctx, tx, id)
}

// CampaignTx finds a campaign. Error: ErrNoCampaign.
func CampaignTx(ctx context.Context, tx *postgres.Tx, id string) (Campaign, error) {
	var rows []campaignRow
	if err := tx.Select(ctx, &rows, q.Q("Campaign"), id); err != nil {
		return Campaign{}, err
	}
	if len(rows) == 0 {
		return Campaign{}, ErrNoCampaign
	}
	return rows[0].campaign()
}

// CampaignsTx lists campaigns, the newest first; an empty kind or state is any.
func CampaignsTx(ctx context.Context, tx *postgres.Tx, kind Kind, state State, p page.Request) (all []Campaign, next string, err error) {
	var rows []campaignRow
	if err := tx.Select(ctx, &rows, q.Q("Campaigns"), kind, state, p.After, p.Limit+1); err != nil {
		return nil, "", err
	}
	if len(rows) > p.Limit {
		rows, next = rows[:p.Limit], rows[p.Limit-1].ID
	}
	all = make([]Campaign, len(rows))
	for i, r := range rows {
		if all[i], err = r.campaign(); err != nil {
			return nil, "", err
		}
	}
	return all, next, nil
}

// ChangeTx rewrites a draft over the version that was read. Errors: ErrNoCampaign, ErrChanged, ErrNotDraft.
func ChangeTx(ctx context.Context, tx *postgres.Tx, id string, version int, n NewCampaign) error {
	c, err := lockTx(ctx, tx, id)
	switch {
	case err != nil:
		return err
	case version != 0 && c.Version != version:
		return ErrChanged
	case c.State != Draft:
		return ErrNotDraft
	}
	session, edition, err := n.resolveTx(ctx, tx)
	if err != nil {
		return err
	}
	segment, texts, err := encoded(n)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, q.Q("ChangeCampaign"), id, strings.TrimSpace(n.Name), session, edition, segment, texts); err != nil {
		return err
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "campaign.changed", Object: id, Before: c.plan(), After: n})
}

// plan is what was written of an announcement.
func (c Campaign) plan() NewCampaign {
	n := NewCampaign{Name: c.Name, About: c.About, Segment: c.Segment}
	if c.Text != nil {
		n.Text = *c.Text
	}
	return n
}

// ScheduleTx has a draft sent at a time, or at once where none is given or it has passed. Errors: ErrNoCampaign, ErrNotDraft.
func (s *Service) ScheduleTx(ctx context.Context, tx *postgres.Tx, id string, at *time.Time) error {
	c, err := lockTx(ctx, tx, id)
	if err != nil {
		return err
	}
	if !Life.Allows(c.State, Scheduled) {
		return ErrNotDraft
	}
	when := tx.Now()
	if at != nil && at.After(when) {
		when = *at
	}
	if when.After(tx.Now().AddDate(1, 0, 0)) {
		return fault.InvalidInput(fault.Field{Pointer: "/at", Code: "too-late", Detail: "Within a year."})
	}
	if _, err := tx.Exec(ctx, q.Q("Move"), id, Scheduled, when, nil); err != nil {
		return err
	}
	if err := s.jobs.EnqueueTx(ctx, tx, Due{}); err != nil {
		return err
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "campaign.scheduled", Object: id, Detail: map[string]any{"at": when}})
}

// CancelTx ends a campaign that is not over. What waits is not sent; a mail that a worker has in hand may still leave. Errors:
// ErrNoCampaign, ErrOver.
func CancelTx(ctx context.Context, tx *postgres.Tx, id string) error {
	c, err := lockTx(ctx, tx, id)
	if err != nil {
		return err
	}
	if !Life.Allows(c.State, Canceled) {
		return ErrOver
	}
	if _, err := tx.Exec(ctx, q.Q("Move"), id, Canceled, nil, tx.Now()); err != nil {
		return err
	}
	n, err := tx.Exec(ctx, q.Q("CancelWaiting"), id, tx.Now())
	if err != nil {
		return err
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "campaign.canceled", Object: id, Detail: map[string]any{"not_sent": n}})
}

// Recipient is somebody whom a campaign found, and what became of her mail. It is personal data.
type Recipient struct {
	ID             string     `json:"id" db:"id"`
	PersonID       string     `json:"person" db:"person_id"`
	State          string     `json:"state" db:"state"`
	Because        string     `json:"because,omitempty" db:"because"`
	Standing       string     `json:"standing,omitempty" db:"standing"`
	Tries          int        `json:"tries" db:"tries"`
	TriedAt        *time.Time `json:"tried_at,omitempty" db:"tried_at"`
	UnsubscribedAt *time.Time `json:"unsubscribed_at,omitempty" db:"unsubscribed_at"`
	Name           string     `json:"-" db:"full_name"`
	Email          string     `json:"-" db:"email"`
}

// RecipientsTx lists the recipients of a campaign; an empty state is any. Error: ErrNoCampaign.
func RecipientsTx(ctx context.Context, tx *postgres.Tx, id, state string, p page.Request) (all []Recipient, next string, err error) {
	if _, err := CampaignTx(ctx, tx, id); err != nil {
		return nil, "", err
	}
	all = []Recipient{}
	if err := tx.Select(ctx, &all, q.Q("Recipients"), id, state, p.After, p.Limit+1); err != nil {
		return nil, "", err
	}
	if len(all) > p.Limit {
		all, next = all[:p.Limit], all[p.Limit-1].ID
	}
	return all, next, nil
}
