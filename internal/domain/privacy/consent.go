package privacy

import (
	"context"
	"slices"
	"time"

	"github.com/lib/pq"

	"cursus/internal/kernel/origin"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// What somebody may agree to. Nothing is agreed to until she says so: silence is no.
const (
	News         = "news"          // announcements of new sessions and programs
	ProgressMail = "progress_mail" // a weekly mail on her own progress
	Nudges       = "nudges"        // reminders when she falls behind
	School       = "school"        // her school or company sees how far she is, by name
	Calls        = "calls"         // a coach may call her about her exam
)

// Purpose is one thing to agree to and the version of the text that asks for it; the text itself stands among the words of the pages,
// under privacy.purpose.<code>. Who changes the text gives it a new version: what was agreed to before stands under the old one.
type Purpose struct{ Code, Text string }

// Purposes are all of them, in the order to show.
func Purposes() []Purpose {
	return []Purpose{{News, "2026-11"}, {ProgressMail, "2026-11"}, {Nudges, "2026-11"}, {School, "2026-11"}, {Calls, "2026-11"}}
}

// Consent is what somebody said last of a purpose. A purpose of which she said nothing has no At.
type Consent struct {
	Purpose string    `db:"purpose"`
	Text    string    `db:"text"` // version of the text that she was shown
	Given   bool      `db:"given"`
	At      time.Time `db:"at"`
	SaidBy  string    `db:"said_by"`
}

// ConsentTx says whether somebody agrees to a purpose now.
func ConsentTx(ctx context.Context, tx *postgres.Tx, personID, purpose string) (bool, error) {
	who, err := ConsentsTx(ctx, tx, purpose, personID)
	return who[personID], err
}

// ConsentsTx gives those of many people who agree to a purpose now, in one query.
func ConsentsTx(ctx context.Context, tx *postgres.Tx, purpose string, people ...string) (map[string]bool, error) {
	var ids []string
	if err := tx.Select(ctx, &ids, q.Q("WhoConsents"), pq.Array(people), purpose); err != nil {
		return nil, err
	}
	who := make(map[string]bool, len(ids))
	for _, id := range ids {
		who[id] = true
	}
	return who, nil
}

// WordsTx gives the last word of each of these people about a purpose, in one query. Who never said anything is not in it: for a room that
// may take silence for a yes, as the law lets a seller who writes to her own customers, and must tell it from a no.
func WordsTx(ctx context.Context, tx *postgres.Tx, purpose string, people ...string) (map[string]bool, error) {
	var rows []struct {
		PersonID string `db:"person_id"`
		Given    bool   `db:"given"`
	}
	if err := tx.Select(ctx, &rows, q.Q("LastWords"), pq.Array(people), purpose); err != nil {
		return nil, err
	}
	words := make(map[string]bool, len(rows))
	for _, r := range rows {
		words[r.PersonID] = r.Given
	}
	return words, nil
}

// ConsentsOfTx gives what somebody says of every purpose.
func ConsentsOfTx(ctx context.Context, tx *postgres.Tx, personID string) ([]Consent, error) {
	var said []Consent
	if err := tx.Select(ctx, &said, q.Q("Consents"), personID); err != nil {
		return nil, err
	}
	all := make([]Consent, 0, len(Purposes()))
	for _, p := range Purposes() {
		c := Consent{Purpose: p.Code, Text: p.Text}
		if i := slices.IndexFunc(said, func(c Consent) bool { return c.Purpose == p.Code }); i >= 0 {
			c = said[i]
		}
		all = append(all, c)
	}
	return all, nil
}

// AgreeTx notes that somebody agrees to a purpose under the text that she was shown. Errors: ErrPurpose; ErrText where the text of today is
// another one: she has to read it first.
func AgreeTx(ctx context.Context, tx *postgres.Tx, personID, purpose, text string) error {
	for _, p := range Purposes() {
		if p.Code == purpose && p.Text != text {
			return ErrText.Detailf("The text of today is %s.", p.Text)
		}
	}
	return SayTx(ctx, tx, personID, purpose, true)
}

// SayTx notes that somebody agrees to a purpose or does so no more, under the text of today; to say the same again does nothing.
// Error: ErrPurpose.
func SayTx(ctx context.Context, tx *postgres.Tx, personID, purpose string, given bool) error {
	i := slices.IndexFunc(Purposes(), func(p Purpose) bool { return p.Code == purpose })
	if i < 0 {
		return ErrPurpose
	}
	if _, err := tx.Exec(ctx, q.Q("LockConsents"), personID); err != nil {
		return err
	}
	all, err := ConsentsOfTx(ctx, tx, personID)
	if err != nil {
		return err
	}
	before, text := all[i], Purposes()[i].Text
	if before.Given == given && (!given || before.Text == text) && (given || !before.At.IsZero()) {
		return nil
	}
	if _, err := tx.Exec(ctx, q.Q("AddConsent"), personID, purpose, text, given, tx.Now(), postgres.Author(ctx), origin.Of(ctx)); err != nil {
		return err
	}
	action := "consent.withdrawn"
	if given {
		action = "consent.given"
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: action, Object: personID, Detail: map[string]string{"purpose": purpose, "text": text},
		Before: audit.Was(!before.At.IsZero(), map[string]any{"given": before.Given}), After: map[string]any{"given": given}})
}
