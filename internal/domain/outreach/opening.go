package outreach

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"cursus/internal/kernel/ident"
	"cursus/internal/platform/postgres"
)

// opening is a course of an edition whose time has come.
type opening struct {
	EditionID  string    `db:"edition_id"`
	EditionKey string    `db:"edition_key"`
	SessionID  string    `db:"session_id"`
	SessionKey string    `db:"session_key"`
	At         time.Time `db:"at"`
}

// AskOpenings writes to the members of an edition when one of its courses opens by date, once per course, and gives how many courses. One that
// opened more than a day ago is left out. What opens after another course was passed opens for each learner at another time: her page says so.
func (s *Service) AskOpenings(ctx context.Context) (n int, err error) {
	ctx = asSystem(ctx)
	var due []opening
	if err := s.db.View(ctx, "openings", func(ctx context.Context, tx *postgres.Tx) error {
		due = nil
		return tx.Select(ctx, &due, q.Q("Openings"), tx.Now().Add(-stale), tx.Now())
	}); err != nil {
		return 0, err
	}
	texts, err := json.Marshal(map[string]Text{"": opened()})
	if err != nil {
		return 0, err
	}
	var errs []error
	for _, o := range due {
		begun := false
		errs = append(errs, s.db.InTx(ctx, "opening mail", func(ctx context.Context, tx *postgres.Tx) (err error) {
			begun, err = s.openTx(ctx, tx, o, texts)
			return err
		}))
		if begun {
			n++
		}
	}
	return n, errors.Join(errs...)
}

// openTx begins the mail of one opening, unless it was begun already.
func (s *Service) openTx(ctx context.Context, tx *postgres.Tx, o opening, texts []byte) (bool, error) {
	id := ident.New("cmp")
	added, err := tx.Exec(ctx, q.Q("AddOccasion"), id, Opens, o.EditionKey+" "+o.SessionKey, "opening/"+o.EditionID+"/"+o.SessionID, o.SessionID, texts, 0, "system", tx.Now())
	if err != nil || added == 0 {
		return false, err
	}
	var people []string
	if err := tx.Select(ctx, &people, q.Q("MembersOfEdition"), o.EditionID); err != nil {
		return false, err
	}
	audience, err := audienceTx(ctx, tx, people)
	if err != nil {
		return false, err
	}
	if err := snapshotTx(ctx, tx, id, Opens, audience); err != nil {
		return false, err
	}
	return true, s.jobs.EnqueueTx(ctx, tx, Due{})
}

// opened are the words of the mail.
func opened() Text {
	return Text{
		EN: Words{"{title} is open", []string{"Hello {name},", "the course {title} of your program opens today. Your page says what comes first in it, and until when."}, "Begin"},
		FR: Words{"{title} est ouvert", []string{"Bonjour {name},", "le cours {title} de votre programme ouvre aujourd’hui. Votre page dit par quoi il commence, et jusqu’à quand."}, "Commencer"},
	}
}
