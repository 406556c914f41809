package uploads_test

import (
	"context"
	"errors"
	"testing"

	"cursus/internal/domain/cohorts"
	"cursus/internal/domain/uploads"
	"cursus/internal/platform/postgres"
)

// A file goes whole when somebody in it is erased, whether she is named by her address or by the key of her school; the key that another
// school has for somebody else is not hers, and a file that is in hand waits. It breaks when organisations are mixed up or a report is left.
func TestAFileThatNamesHerGoes(t *testing.T) {
	s := newSite(t)
	wipe := func(who uploads.Named) (n int64, err error) {
		err = s.db.InTx(system, "wipe", func(ctx context.Context, tx *postgres.Tx) (err error) {
			n, err = s.room.WipeTx(ctx, tx, who)
			return err
		})
		return n, err
	}
	c := s.cohort()
	applied := s.apply(c, s.checked(c, cohorts.Delta, class))
	refused := s.checked(c, cohorts.Delta, "student_key,status\nk3,nonsense\n")
	if n, err := wipe(uploads.Named{Email: "nobody@example.org", Keys: map[string][]string{"B": {"k1", "k3"}}}); n != 0 || err != nil {
		t.Error(n, err)
	}
	if n, err := wipe(uploads.Named{Email: "ada@example.org"}); n != 1 || err != nil {
		t.Error(n, err)
	}
	if _, err := s.room.Outcome(context.Background(), s.a, c.ID, applied.ID); !errors.Is(err, uploads.ErrForgotten) {
		t.Error("the outcome of a file that named her is there:", err)
	}
	if n, err := wipe(uploads.Named{Keys: map[string][]string{"A": {"k3"}}}); n != 1 || err != nil {
		t.Error(n, err)
	}
	if u := s.see(c, refused); len(u.Difference.Refused) != 0 || u.Difference.Conflicting != 1 {
		t.Errorf("%+v", u.Difference)
	}
	if err := errors.Join(s.ask(c, refused), s.room.Run(context.Background(), uploads.ApplyAsked{UploadID: refused.ID})); err != nil {
		t.Error(err)
	}
	if u := s.see(c, refused); u.State != uploads.Failed || u.Problem != "upload-forgotten" {
		t.Errorf("%+v", u)
	}
	busy, err := s.take(c, cohorts.Delta, "student_key,status\nk7,enrolled\n")
	if err != nil {
		t.Fatal(err)
	}
	if n, err := wipe(uploads.Named{Keys: map[string][]string{"A": {"k7"}}}); n != 0 || !errors.Is(err, uploads.ErrInHand) {
		t.Error(busy.ID, n, err)
	}
	s.verify()
}
