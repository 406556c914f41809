package exams

import (
	"context"

	"cursus/internal/domain/catalog"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// WatchTx has a provider watch over an exam of a session from now on; empty: people do. Attempts that are open stay with who watches them.
// Errors: catalog.ErrNoSession, ErrNoExam, ErrNoProvider.
func (s *Service) WatchTx(ctx context.Context, tx *postgres.Tx, session string, kind Kind, provider string) error {
	x, err := catalog.LockSessionTx(ctx, tx, session)
	if err != nil {
		return err
	}
	e, err := ExamTx(ctx, tx, x.ID, kind)
	if err != nil {
		return err
	}
	if provider != "" {
		if _, err := ProviderTx(ctx, tx, provider); err != nil {
			return err
		}
	}
	if e.Version == 0 { // nobody wrote it yet: it is what every exam is
		if provider == "" {
			return nil
		}
		if e, err = s.PutTx(ctx, tx, x.ID, kind, NewExam{Title: e.Title(), Rules: e.Rules}, 0); err != nil {
			return err
		}
	}
	before, err := watchesTx(ctx, tx, e.ID)
	if err != nil || before == provider {
		return err
	}
	if provider == "" {
		_, err = tx.Exec(ctx, q.Q("Unwatch"), e.ID)
	} else {
		_, err = tx.Exec(ctx, q.Q("Watch"), e.ID, provider, tx.Now())
	}
	if err != nil {
		return err
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "exam.watched", Object: e.ID, Before: map[string]any{"provider": before}, After: map[string]any{"provider": provider}})
}

func watchesTx(ctx context.Context, tx *postgres.Tx, examID string) (string, error) {
	var keys []string
	err := tx.Select(ctx, &keys, q.Q("Watches"), examID)
	if err != nil || len(keys) == 0 {
		return "", err
	}
	return keys[0], nil
}

// WatchingTx finds the provider that watches over an exam; false: people do.
func WatchingTx(ctx context.Context, tx *postgres.Tx, e Exam) (p Provider, watched bool, err error) {
	if e.ID == "" {
		return p, false, nil
	}
	key, err := watchesTx(ctx, tx, e.ID)
	if err != nil || key == "" {
		return p, false, err
	}
	p, err = ProviderTx(ctx, tx, key)
	return p, err == nil && p.Enabled, err
}
