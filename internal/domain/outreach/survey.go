package outreach

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/lib/pq"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/surveys"
	"cursus/internal/kernel/ident"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// The hours of a day in which learners are invited, where the schools of the house are: nobody's telephone rings at night because of a questionnaire.
const (
	dayBegins = 8
	dayEnds   = 20
)

func byDay(at time.Time) (bool, error) {
	zone, err := time.LoadLocation(catalog.DefaultZone)
	if err != nil {
		return false, err
	}
	hour := at.In(zone).Hour()
	return hour >= dayBegins && hour < dayEnds, nil
}

// AskSurveys invites learners to the questionnaires of their sessions, where invitations are switched on, and gives how many people it found: who is
// enrolled, has not answered and was not invited yet. It does so by day alone, once a day for each questionnaire, so that who comes to be enrolled
// later is invited, too. A questionnaire that cannot be served holds up no other one.
func (s *Service) AskSurveys(ctx context.Context) (n int, err error) {
	ctx = asSystem(ctx)
	if day, err := byDay(s.db.Now()); err != nil || !day {
		return 0, err
	}
	var due []surveys.Questionnaire
	if err := s.db.View(ctx, "questionnaires to invite to", func(ctx context.Context, tx *postgres.Tx) error {
		due, err = askingTx(ctx, tx)
		return err
	}); err != nil {
		return 0, err
	}
	var errs []error
	for _, x := range due {
		found := 0
		errs = append(errs, s.db.InTx(ctx, "questionnaire invitations", func(ctx context.Context, tx *postgres.Tx) (err error) {
			found, err = s.surveyTx(ctx, tx, x)
			return err
		}))
		n += found
	}
	return n, errors.Join(errs...)
}

// askingTx lists the published questionnaires to which learners are invited now.
func askingTx(ctx context.Context, tx *postgres.Tx) (all []surveys.Questionnaire, err error) {
	var sessions []string
	if err := tx.Select(ctx, &sessions, q.Q("InvitingSessions")); err != nil {
		return nil, err
	}
	for _, id := range sessions {
		of, err := catalog.SessionTx(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		for _, m := range surveys.Moments() {
			x, err := surveys.PublishedTx(ctx, tx, id, m)
			switch {
			case errors.Is(err, surveys.ErrNone), errors.Is(err, surveys.ErrNotPublished):
			case err != nil:
				return nil, err
			case x.Asks(m, of.EndsAt, tx.Now()):
				all = append(all, x)
			}
		}
	}
	return all, nil
}

// asked is somebody to invite.
type asked struct {
	EnrolmentID string `db:"enrolment_id"`
	LearnerID   string `db:"learner_id"`
}

// surveyTx begins the mail of a questionnaire for who has not had it, unless that was done today.
func (s *Service) surveyTx(ctx context.Context, tx *postgres.Tx, x surveys.Questionnaire) (int, error) {
	var who []asked
	if err := tx.Select(ctx, &who, q.Q("Uninvited"), x.SessionID, x.Moment, x.ID, mostNudged); err != nil || len(who) == 0 {
		return 0, err
	}
	texts, err := json.Marshal(map[string]Text{"": invitation(x.Moment)})
	if err != nil {
		return 0, err
	}
	id, occasion := ident.New("cmp"), "survey/"+x.ID+"/"+tx.Now().UTC().Format("2006-01-02")
	added, err := tx.Exec(ctx, q.Q("AddOccasion"), id, Survey, x.Session+" "+string(x.Moment), occasion, x.SessionID, texts, 0, "system", tx.Now())
	if err != nil || added == 0 {
		return 0, err
	}
	n := len(who)
	of, enrolments, people, outcomes := make(map[string]string, n), make([]string, n), make([]string, n), make([]string, n)
	for i, a := range who {
		of[a.LearnerID], enrolments[i], people[i] = a.EnrolmentID, a.EnrolmentID, a.LearnerID
	}
	audience, err := audienceTx(ctx, tx, people)
	if err != nil {
		return 0, err
	}
	for i, c := range audience {
		facts, err := json.Marshal(Facts{Enrolment: of[c.PersonID], Moment: x.Moment})
		if err != nil {
			return 0, err
		}
		audience[i].facts = string(facts)
	}
	if err := snapshotTx(ctx, tx, id, Survey, audience); err != nil {
		return 0, err
	}
	became, err := foundTx(ctx, tx, id, people)
	if err != nil {
		return 0, err
	}
	for i, person := range people {
		outcomes[i] = "written"
		if became[person] != waiting {
			outcomes[i] = skipped
		}
	}
	if _, err := tx.Exec(ctx, q.Q("NoteInvited"), x.SessionID, x.Moment, tx.Now(), pq.Array(enrolments), pq.Array(people), pq.Array(outcomes)); err != nil {
		return 0, err
	}
	return n, s.jobs.EnqueueTx(ctx, tx, Due{})
}

// stillAskedTx says whether the questionnaire of an enrolment can be answered and is not, and invitations are on, right before its learner is written to.
func stillAskedTx(ctx context.Context, tx *postgres.Tx, enrolmentID string, m surveys.Moment) (bool, error) {
	s, err := surveys.SheetTx(ctx, tx, enrolmentID, "", m)
	if err != nil || !s.Open || s.AnsweredAt != nil {
		return false, err
	}
	i, err := InvitationsTx(ctx, tx, s.Questionnaire.SessionID)
	return i.Enabled, err
}

// Invited is what invitations to a questionnaire came to. LeftOut take no such mails, or have no address. Answered are those of the invited who
// answered; Answers are all who did, also those whose answers came as a file.
type Invited struct {
	Moment   surveys.Moment `json:"moment" db:"moment"`
	Invited  int            `json:"invited" db:"invited"`
	LeftOut  int            `json:"left_out" db:"left_out"`
	Answered int            `json:"answered" db:"answered"`
	Answers  int            `json:"answers" db:"answers"`
}

// Invitations are whether the learners of a session are invited to its questionnaires, and what came of it.
type Invitations struct {
	Session        string    `json:"session"` // key
	Enabled        bool      `json:"enabled"`
	Questionnaires []Invited `json:"questionnaires"` // those that were written
	Version        int       `json:"-"`
}

// InvitationsTx gives those of a session. Error: catalog.ErrNoSession.
func InvitationsTx(ctx context.Context, tx *postgres.Tx, session string) (Invitations, error) {
	s, err := catalog.SessionTx(ctx, tx, session)
	if err != nil {
		return Invitations{}, err
	}
	out := Invitations{Session: s.Key, Questionnaires: []Invited{}, Version: 1}
	var rows []struct {
		Enabled bool `db:"enabled"`
		Version int  `db:"version"`
	}
	if err := tx.Select(ctx, &rows, q.Q("Inviting"), s.ID); err != nil {
		return out, err
	}
	if len(rows) > 0 {
		out.Enabled, out.Version = rows[0].Enabled, rows[0].Version
	}
	return out, tx.Select(ctx, &out.Questionnaires, q.Q("Invited"), s.ID)
}

// PutInvitationsTx switches invitations on or off over the version that was read, 0 for any. Errors: catalog.ErrNoSession, ErrChanged.
func PutInvitationsTx(ctx context.Context, tx *postgres.Tx, session string, enabled bool, expected int) (Invitations, error) {
	s, err := catalog.LockSessionTx(ctx, tx, session)
	if err != nil {
		return Invitations{}, err
	}
	old, err := InvitationsTx(ctx, tx, s.ID)
	if err != nil {
		return old, err
	}
	if expected != 0 && expected != old.Version {
		return old, ErrChanged
	}
	if _, err := tx.Exec(ctx, q.Q("PutInviting"), s.ID, enabled, old.Version+1, postgres.Author(ctx), tx.Now()); err != nil {
		return old, err
	}
	said := func(enabled bool) map[string]bool { return map[string]bool{"enabled": enabled} }
	if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "questionnaire.invitations", Object: s.ID, Before: said(old.Enabled), After: said(enabled)}); err != nil {
		return old, err
	}
	return InvitationsTx(ctx, tx, s.ID)
}

// foundTx gives the state in which people were found when a campaign began.
func foundTx(ctx context.Context, tx *postgres.Tx, campaignID string, people []string) (map[string]string, error) {
	var rows []struct {
		PersonID string `db:"person_id"`
		State    string `db:"state"`
	}
	err := tx.Select(ctx, &rows, q.Q("Found"), campaignID, pq.Array(people))
	became := make(map[string]string, len(rows))
	for _, r := range rows {
		became[r.PersonID] = r.State
	}
	return became, err
}

// invitation are the words of the mail.
func invitation(m surveys.Moment) Text {
	if m == surveys.Opening {
		return Text{
			EN: Words{"{title}: where do you start from?", []string{"Hello {name},", "a few questions come before {title}: what you can do already, and what you come for. They take some minutes, and your answers help to make the course fit those who follow it. You can change them until the questionnaire closes."}, "Answer"},
			FR: Words{"{title} : d’où partez-vous ?", []string{"Bonjour {name},", "quelques questions précèdent {title} : ce que vous savez déjà faire, et ce que vous venez chercher. Elles prennent quelques minutes, et vos réponses aident à adapter le cours à celles et ceux qui le suivent. Vous pouvez les changer jusqu’à la fermeture du questionnaire."}, "Répondre"},
		}
	}
	return Text{
		EN: Words{"{title}: what did you learn?", []string{"Hello {name},", "{title} comes to its end. What can you do now that you could not do before, and what should be better next time? It takes some minutes; you can change your answers until the questionnaire closes."}, "Answer"},
		FR: Words{"{title} : qu’avez-vous appris ?", []string{"Bonjour {name},", "{title} se termine. Que savez-vous faire maintenant que vous ne saviez pas faire avant, et que faudrait-il améliorer ? Cela prend quelques minutes ; vous pouvez changer vos réponses jusqu’à la fermeture du questionnaire."}, "Répondre"},
	}
}
