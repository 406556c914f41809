package outreach

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"cursus/internal/domain/confidence"
	"cursus/internal/kernel/ident"
	"cursus/internal/platform/postgres"
)

// AskExams reminds those who may sit the exam of a session and have not booked it, at the steps of its plan, and gives how many people it found. A
// session that cannot be served holds up no other one, and a mail that cannot be sent no other mail. Once a day a session is looked at, so that who
// comes to be fit after a step is reminded, too.
func (s *Service) AskExams(ctx context.Context) (n int, err error) {
	ctx = asSystem(ctx)
	var due []confidence.Window
	if err := s.db.View(ctx, "exams that close", func(ctx context.Context, tx *postgres.Tx) error {
		due, err = confidence.WindowsTx(ctx, tx)
		return err
	}); err != nil {
		return 0, err
	}
	texts, err := json.Marshal(map[string]Text{"": closing()})
	if err != nil {
		return 0, err
	}
	var errs []error
	for _, w := range due {
		found := 0
		errs = append(errs, s.db.InTx(ctx, "exam reminders", func(ctx context.Context, tx *postgres.Tx) (err error) {
			found, err = s.examTx(ctx, tx, w, texts)
			return err
		}))
		n += found
	}
	return n, errors.Join(errs...)
}

// examTx begins the mail of a step of a session for who has not had it, unless that was done today.
func (s *Service) examTx(ctx context.Context, tx *postgres.Tx, w confidence.Window, texts []byte) (int, error) {
	waits, err := confidence.ToRemindTx(ctx, tx, w, mostNudged)
	if err != nil || len(waits) == 0 {
		return 0, err
	}
	id, step := ident.New("cmp"), fmt.Sprintf("exam/%s/%d/%s", w.SessionID, w.Step, tx.Now().UTC().Format("2006-01-02"))
	added, err := tx.Exec(ctx, q.Q("AddOccasion"), id, Exam, fmt.Sprintf("%s −%d", w.Key, w.Step), step, w.SessionID, texts, w.HoldOut, "system", tx.Now())
	if err != nil || added == 0 {
		return 0, err
	}
	of, people := map[string]confidence.Waits{}, make([]string, len(waits))
	for i, x := range waits {
		of[x.LearnerID], people[i] = x, x.LearnerID
	}
	audience, err := audienceTx(ctx, tx, people)
	if err != nil {
		return 0, err
	}
	for i, c := range audience {
		facts, err := json.Marshal(Facts{Enrolment: of[c.PersonID].EnrolmentID, Until: &w.ClosesAt})
		if err != nil {
			return 0, err
		}
		audience[i].facts, audience[i].heldOut = string(facts), of[c.PersonID].HeldOut
	}
	if err := snapshotTx(ctx, tx, id, Exam, audience); err != nil {
		return 0, err
	}
	became, err := foundTx(ctx, tx, id, people)
	if err != nil {
		return 0, err
	}
	outcome := map[string]string{}
	for person, state := range became {
		outcome[of[person].EnrolmentID] = map[string]string{skipped: confidence.Skipped, heldOut: confidence.HeldOut, waiting: confidence.Written}[state]
	}
	if err := confidence.NoteRemindersTx(ctx, tx, w, waits, outcome); err != nil {
		return 0, err
	}
	return len(waits), s.jobs.EnqueueTx(ctx, tx, Due{})
}

// closing are the words of the mail.
func closing() Text {
	return Text{
		EN: Words{"You may sit the exam of {title}: choose your time", []string{
			"Hello {name},", "you have met all that the exam of {title} asks for. It can be booked until {until}, and you have not chosen a time yet.",
			"Many wonder whether they are ready. Your page shows how others fared who stood where you stand, and the mock exam lets you try it out; a booking can be changed for some time.",
		}, "Book now"},
		FR: Words{"Vous pouvez passer l’examen de {title} : choisissez votre date", []string{
			"Bonjour {name},", "vous remplissez tout ce que l’examen de {title} demande. Il se réserve jusqu’au {until}, et vous n’avez pas encore choisi de date.",
			"Beaucoup se demandent s’ils sont prêts. Votre page montre ce qui est arrivé à ceux qui en étaient là où vous en êtes, et l’examen blanc permet de l’essayer ; une réservation peut être changée pendant un certain temps.",
		}, "Réserver"},
	}
}
