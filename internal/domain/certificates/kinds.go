package certificates

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"unicode/utf8"

	"cursus/internal/domain/catalog"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// What a certificate is of.
const (
	OfSession = "session"
	OfEdition = "edition"
)

// What a kind asks for.
const (
	Succeeded    = "succeeded"     // the global grade reaches the threshold of the session
	ExamPassed   = "exam_passed"   // a sitting was passed
	PathComplete = "path_complete" // nothing is missing of the program
	Followed     = "followed"      // nothing: a transcript says what was passed and what was not
)

// Qualifying is the kind that a passed exam gives by itself.
const Qualifying = "qualifying"

// Kind is what certificates can be of: what each asks for, and its words. Rules are rows; a certificate keeps those that it was awarded by.
type Kind struct {
	Key         string       `json:"key" db:"key"`
	Subject     string       `json:"subject" db:"subject"`
	Heading     catalog.Text `json:"heading"`
	Reason      catalog.Text `json:"reason"` // the line over the title
	Stage       string       `json:"stage" db:"stage"`
	Entitlement string       `json:"entitlement,omitempty" db:"entitlement"` // that a formula in force gives; empty: any formula does
	Workshops   bool         `json:"workshops" db:"workshops"`               // the days and the production that the session asks for
	Cosigned    bool         `json:"cosigned" db:"cosigned"`                 // an organisation that certifies together with us signs too
	LayoutID    string       `json:"layout_id,omitempty" db:"layout_id"`     // empty: that of the house
	Version     int          `json:"-" db:"version"`
}

// KindPlan is what can be said anew of a kind.
type KindPlan struct {
	Heading   catalog.Text `json:"heading"`
	Reason    catalog.Text `json:"reason"`
	Workshops bool         `json:"workshops"`
	Cosigned  bool         `json:"cosigned"`
	LayoutID  string       `json:"layout_id"`
}

type kindRow struct {
	Kind
	Heading []byte `db:"heading"`
	Reason  []byte `db:"reason"`
}

func (r kindRow) kind() (Kind, error) {
	k := r.Kind
	return k, errors.Join(json.Unmarshal(r.Heading, &k.Heading), json.Unmarshal(r.Reason, &k.Reason))
}

func kindTx(ctx context.Context, tx *postgres.Tx, key string) (Kind, error) {
	var r kindRow
	err := tx.Get(ctx, &r, q.Q("Kind"), key)
	if errors.Is(err, sql.ErrNoRows) {
		return Kind{}, ErrNoKind
	}
	if err != nil {
		return Kind{}, err
	}
	return r.kind()
}

// Kinds lists every kind.
func (s *Service) Kinds(ctx context.Context) (all []Kind, err error) {
	err = s.db.View(ctx, "kinds", func(ctx context.Context, tx *postgres.Tx) error {
		var rows []kindRow
		if err := tx.Select(ctx, &rows, q.Q("Kinds")); err != nil {
			return err
		}
		all = make([]Kind, len(rows))
		for i, r := range rows {
			if all[i], err = r.kind(); err != nil {
				return err
			}
		}
		return nil
	})
	return all, err
}

// Kind finds one. Error: ErrNoKind.
func (s *Service) Kind(ctx context.Context, key string) (k Kind, err error) {
	err = s.db.View(ctx, "kind", func(ctx context.Context, tx *postgres.Tx) (err error) {
		k, err = kindTx(ctx, tx, key)
		return err
	})
	return k, err
}

func (p KindPlan) check() error {
	var wrong []fault.Field
	for at, t := range map[string]catalog.Text{"/heading": p.Heading, "/reason": p.Reason} {
		if utf8.RuneCountInString(t.EN) > 100 || utf8.RuneCountInString(t.FR) > 100 || t.EN == "" || t.FR == "" {
			wrong = append(wrong, fault.Field{Pointer: at, Code: "bad-length", Detail: "1 to 100 characters in English and in French."})
		}
	}
	if len(wrong) > 0 {
		return fault.InvalidInput(wrong...)
	}
	return nil
}

// PutKind says anew how certificates of a kind are worded, what else they need and which layout they are printed with, over the version that
// was read; 0: whatever stands there. Errors: ErrNoKind, ErrChanged, ErrNoLayout.
func (s *Service) PutKind(ctx context.Context, key string, version int, p KindPlan) (k Kind, err error) {
	if err := p.check(); err != nil {
		return k, err
	}
	heading, err := json.Marshal(p.Heading)
	if err != nil {
		return k, err
	}
	reason, err := json.Marshal(p.Reason)
	if err != nil {
		return k, err
	}
	err = s.db.InTx(ctx, "put kind", func(ctx context.Context, tx *postgres.Tx) error {
		if k, err = kindTx(ctx, tx, key); err != nil {
			return err
		}
		if p.LayoutID != "" {
			if _, err := layoutTx(ctx, tx, p.LayoutID); err != nil {
				return err
			}
		}
		n, err := tx.Exec(ctx, q.Q("PutKind"), key, version, string(heading), string(reason), p.Workshops, p.Cosigned, p.LayoutID)
		if err != nil {
			return err
		}
		if n == 0 {
			return ErrChanged
		}
		if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "certificate_kind.put", Object: key, Before: KindPlan{k.Heading, k.Reason, k.Workshops, k.Cosigned, k.LayoutID}, After: p}); err != nil {
			return err
		}
		k, err = kindTx(ctx, tx, key)
		return err
	})
	return k, err
}
