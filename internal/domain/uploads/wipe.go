package uploads

import (
	"context"
	"errors"
	"slices"

	"cursus/internal/platform/postgres"
)

// Named is somebody who is named in rosters: by her address, and by the keys that organisations have for her.
type Named struct {
	Email string              // empty: none
	Keys  map[string][]string // by organisation
}

// WipeTx takes away the rows of every file that names somebody, with what became of each, and her keys from their reports, and tells of how
// many files. Rows are never written anew, so a file goes whole: it is kept to look things up for 90 days, and whoever wants its cohort again
// has the roster of it. One that was seen and not applied yet cannot be any more (ErrForgotten). Error: ErrInHand while one of them is being
// checked or applied, which is over in seconds.
func (s *Service) WipeTx(ctx context.Context, tx *postgres.Tx, who Named) (wiped int64, err error) {
	var files []struct {
		ID           string `db:"id"`
		Organisation string `db:"organisation"`
		State        State  `db:"state"`
		Report       string `db:"report"`
	}
	if err := tx.Select(ctx, &files, q.Q("Files")); err != nil {
		return 0, err
	}
	for _, f := range files {
		all, err := entriesTx(ctx, tx, f.ID)
		if err != nil && !errors.Is(err, ErrForgotten) { // its rows went with the schedule; its report is there
			return wiped, err
		}
		hers := slices.ContainsFunc(all, func(e entry) bool {
			return who.Email != "" && e.Email == who.Email || slices.Contains(who.Keys[f.Organisation], e.StudentKey)
		})
		told, err := tells(f.Report, who.Keys[f.Organisation])
		if err != nil {
			return wiped, err
		}
		if !hers && !told {
			continue
		}
		if f.State == Checking || f.State == Applying {
			return wiped, ErrInHand
		}
		for _, statement := range []string{"DropContent", "WipeReport"} {
			if _, err := tx.Exec(ctx, q.Q(statement), f.ID); err != nil {
				return wiped, err
			}
		}
		wiped++
	}
	return wiped, nil
}

// tells says whether a report names one of these keys.
func tells(report string, keys []string) (bool, error) {
	if report == "" || len(keys) == 0 {
		return false, nil
	}
	d, err := reported([]byte(report))
	return slices.ContainsFunc(keys, func(key string) bool {
		return slices.Contains(d.Gone, key) || slices.ContainsFunc(d.Refused, func(r Refused) bool { return r.StudentKey == key })
	}), err
}
