package labs

import (
	"context"
	"time"

	"github.com/lib/pq"

	"cursus/internal/domain/catalog"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
)

// Usage is a launch with its lab and its learner.
type Usage struct {
	Launch
	SessionKey string `db:"session_key"`
	TitleEN    string `db:"title_en"`
	TitleFR    string `db:"title_fr"`
	FullName   string `db:"full_name"`
	Quota      int    `db:"quota_minutes"`
	Used       int    `db:"used"` // minutes of the learner in this lab, those that run included
}

// Title gives the title of the lab in both languages.
func (u Usage) Title() catalog.Text { return catalog.Text{EN: u.TitleEN, FR: u.TitleFR} }

// Left is how many minutes of the lab are left to the learner.
func (u Usage) Left() int { return max(0, u.Quota-u.Used) }

// In is for how many minutes she has been in by now.
func (u Usage) In(now time.Time) int {
	if u.StartedAt == nil {
		return 0
	}
	return Minutes(now.Sub(*u.StartedAt))
}

// BoardTx lists who is in the labs of a session now: who asks for help first, she who waits longest before the others, then by the last activity.
func BoardTx(ctx context.Context, tx *postgres.Tx, sessionID string) ([]Usage, error) {
	out := []Usage{}
	err := tx.Select(ctx, &out, q.Q("Board"), sessionID, tx.Now())
	return out, err
}

// Place is somebody in a session.
type Place struct{ LearnerID, SessionID string }

// BoardOfTx lists who of some places is in a lab now, in the order of BoardTx.
func BoardOfTx(ctx context.Context, tx *postgres.Tx, places []Place) ([]Usage, error) {
	out, people, sessions := []Usage{}, make([]string, len(places)), make([]string, len(places))
	for i, p := range places {
		people[i], sessions[i] = p.LearnerID, p.SessionID
	}
	err := tx.Select(ctx, &out, q.Q("BoardOf"), pq.Array(people), pq.Array(sessions), tx.Now())
	return out, err
}

// UsagesTx lists the launches of the labs of a session that somebody came in by, the latest launch first.
func UsagesTx(ctx context.Context, tx *postgres.Tx, sessionID string, p page.Request) (all []Usage, next string, err error) {
	all = []Usage{}
	if err := tx.Select(ctx, &all, q.Q("Usages"), sessionID, tx.Now(), p.After, p.Limit+1); err != nil {
		return nil, "", err
	}
	if len(all) > p.Limit {
		all = all[:p.Limit]
		next = all[len(all)-1].ID
	}
	return all, next, nil
}
