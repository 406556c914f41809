package confidence

import (
	"context"
	"regexp"

	"cursus/internal/domain/privacy"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

var numberForm = regexp.MustCompile(`^\+?[0-9][0-9 ().-]{4,28}[0-9]$`)

// NumberTx gives the number under which a learner agreed to be called; empty: she did not.
func NumberTx(ctx context.Context, tx *postgres.Tx, learnerID string) (string, error) {
	agrees, err := privacy.ConsentTx(ctx, tx, learnerID, privacy.Calls)
	if err != nil || !agrees {
		return "", err
	}
	var all []string
	if err := tx.Select(ctx, &all, q.Q("Number"), learnerID); err != nil || len(all) == 0 {
		return "", err
	}
	return all[0], nil
}

// PutNumberTx keeps the number under which a learner agrees to be called; to give it is to agree, and an empty one takes both back.
func PutNumberTx(ctx context.Context, tx *postgres.Tx, learnerID, number string) error {
	if number != "" && !numberForm.MatchString(number) {
		return fault.InvalidInput(fault.Field{Pointer: "/number", Code: "bad-number", Detail: "A telephone number such as +221 33 123 45 67."})
	}
	if err := privacy.SayTx(ctx, tx, learnerID, privacy.Calls, number != ""); err != nil {
		return err
	}
	action := "call_number.given"
	var err error
	if number == "" {
		action = "call_number.taken_back"
		_, err = tx.Exec(ctx, q.Q("DropNumber"), learnerID)
	} else {
		_, err = tx.Exec(ctx, q.Q("PutNumber"), learnerID, number, tx.Now())
	}
	if err != nil {
		return err
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: action, Object: learnerID})
}

// ForgetNumbers drops the numbers of those who agree to be called no more, wherever they said so, and gives how many.
func ForgetNumbers(ctx context.Context, db *postgres.DB) (n int64, err error) {
	err = db.InTx(postgres.WithActor(ctx, "system"), "forget call numbers", func(ctx context.Context, tx *postgres.Tx) error {
		n, err = tx.Exec(ctx, q.Q("ForgetNumbers"), privacy.Calls)
		return err
	})
	return n, err
}
