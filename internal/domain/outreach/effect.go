package outreach

import (
	"context"
	"time"

	"github.com/lib/pq"

	"cursus/internal/platform/postgres"
)

// Day is how many enrolled on one day, from the day on which a campaign began.
type Day struct {
	Day    int   `json:"day" db:"day"` // 0: the day on which it began; earlier ones are negative
	Mailed int64 `json:"mailed" db:"mailed"`
	Others int64 `json:"others" db:"others"`
}

// Days of a mailing that are shown.
const (
	daysBefore = 7
	daysAfter  = 21
)

// EffectTx counts who enrolled in what a campaign is about, by day from a week before to three weeks after it began: those whom it wrote to,
// and all others. It says what was, and not that the mail was why. Nothing is counted of a campaign that has not begun. Error: ErrNoCampaign.
func EffectTx(ctx context.Context, tx *postgres.Tx, id string) ([]Day, error) {
	c, err := CampaignTx(ctx, tx, id)
	if err != nil || c.StartedAt == nil {
		return []Day{}, err
	}
	sessions := []string{c.sessionID}
	if c.editionID != "" {
		sessions = nil
		if err := tx.Select(ctx, &sessions, q.Q("SessionsOfEdition"), c.editionID); err != nil {
			return nil, err
		}
	}
	y, m, d := c.StartedAt.UTC().Date()
	start := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	var some []Day
	if err := tx.Select(ctx, &some, q.Q("Effect"), id, pq.Array(sessions), start, start.AddDate(0, 0, -daysBefore), start.AddDate(0, 0, daysAfter+1)); err != nil {
		return nil, err
	}
	all := make([]Day, 0, daysBefore+daysAfter+1)
	for n := -daysBefore; n <= daysAfter && !start.AddDate(0, 0, n).After(tx.Now()); n++ {
		all = append(all, Day{Day: n})
	}
	for _, d := range some {
		if i := d.Day + daysBefore; i < len(all) {
			all[i] = d
		}
	}
	return all, nil
}
