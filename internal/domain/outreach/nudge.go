package outreach

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"slices"

	"cursus/internal/domain/catalog"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// NewNudge is a reminder to people on a list.
type NewNudge struct {
	List    string   `json:"list"`    // names the list and its day; each is reminded once
	Session string   `json:"session"` // that the list is about, by key
	People  []string `json:"people"`
	Text    Text     `json:"text"`
	HoldOut int      `json:"hold_out"` // of a thousand people, how many are left out at random, to see what the reminder does; at most 900
}

const mostNudged = 10_000

// NudgeTx reminds the people on a list, once per list, and gives the campaign. Some, at random, are held out: they are written down as such
// and get nothing, so that what the reminder did can be measured against them. Error: ErrDone.
func (s *Service) NudgeTx(ctx context.Context, tx *postgres.Tx, n NewNudge) (string, error) {
	wrong := n.Text.wrong(Nudge, "/text")
	if n.List == "" || len(n.List) > 150 {
		wrong = append(wrong, fault.Field{Pointer: "/list", Code: "bad-length", Detail: "1 to 150 characters."})
	}
	if len(n.People) == 0 || len(n.People) > mostNudged {
		wrong = append(wrong, fault.Field{Pointer: "/people", Code: "bad-length", Detail: "1 to 10,000 people."})
	}
	if n.HoldOut < 0 || n.HoldOut > 900 {
		wrong = append(wrong, fault.Field{Pointer: "/hold_out", Code: "out-of-range", Detail: "0 to 900 of a thousand."})
	}
	session, err := catalog.SessionTx(ctx, tx, n.Session)
	if f := fault.From(err); err != nil {
		if f.Kind != fault.NotFound {
			return "", err
		}
		wrong = append(wrong, fault.Field{Pointer: "/session", Code: f.Code, Detail: f.Detail})
	}
	n.People = slices.Compact(slices.Sorted(slices.Values(n.People)))
	people, err := audienceTx(ctx, tx, n.People)
	if err != nil {
		return "", err
	}
	if len(people) != len(n.People) && len(wrong) == 0 {
		wrong = append(wrong, fault.Field{Pointer: "/people", Code: ErrNoLearner.Code, Detail: "Somebody on the list is nobody here."})
	}
	if len(wrong) > 0 {
		return "", fault.InvalidInput(wrong...)
	}
	texts, err := json.Marshal(map[string]Text{"": n.Text})
	if err != nil {
		return "", err
	}
	id := ident.New("cmp")
	added, err := tx.Exec(ctx, q.Q("AddOccasion"), id, Nudge, n.List, "nudge/"+n.List, session.ID, texts, n.HoldOut, postgres.Author(ctx), tx.Now())
	if err != nil {
		return "", err
	}
	if added == 0 {
		return "", ErrDone
	}
	for i := range people {
		people[i].heldOut = rand.N(1000) < n.HoldOut
	}
	if err := snapshotTx(ctx, tx, id, Nudge, people); err != nil {
		return "", err
	}
	if err := s.jobs.EnqueueTx(ctx, tx, Due{}); err != nil {
		return "", err
	}
	return id, audit.AppendTx(ctx, tx, audit.Entry{Action: "nudge.sent", Object: id, Detail: map[string]any{"list": n.List, "people": len(people), "hold_out": n.HoldOut}})
}
