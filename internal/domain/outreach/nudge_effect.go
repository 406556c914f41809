package outreach

import (
	"context"

	"cursus/internal/domain/analytics"
	"cursus/internal/platform/postgres"
)

// Worked is not a stage of the journey: a score that is new or changed since.
const Worked = "worked"

// Effect says what became of those whom a nudge went to, beside those who were held out by chance: of who had not reached a stage of its session
// when it began, how many have it now. Difference (written to − held out) and its 95 % interval are tenths of a per cent, nil without two groups.
type Effect struct {
	Stage      string         `json:"stage"`
	Written    analytics.Rate `json:"written_to"`
	HeldOut    analytics.Rate `json:"held_out"`
	Difference *int64         `json:"difference_tenths,omitempty"`
	Low        *int64         `json:"low_tenths,omitempty"`
	High       *int64         `json:"high_tenths,omitempty"`
	Verdict    string         `json:"verdict"` // no_interval, no_provable_difference, provable_difference
}

// effectStages are the stages that are looked at, in the order of a way.
func effectStages() []string {
	return []string{Worked, "started", "succeeded", "eligible", "exam_booked", "exam_sat", "exam_passed", "certified"}
}

// NudgeEffectTx compares the two groups of a nudge as they were drawn, whatever became of a mail: whoever was to be written to counts as such, so
// that chance alone tells the groups apart. Empty for other campaigns. Error: ErrNoCampaign.
func NudgeEffectTx(ctx context.Context, tx *postgres.Tx, id string) ([]Effect, error) {
	c, err := CampaignTx(ctx, tx, id)
	if err != nil || c.Kind != Nudge || c.StartedAt == nil {
		return []Effect{}, err
	}
	var rows []struct {
		Stage   string `db:"stage"`
		Held    bool   `db:"held"`
		Of      int64  `db:"of"`
		Reached int64  `db:"reached"`
	}
	if err := tx.Select(ctx, &rows, q.Q("NudgeEffect"), id, c.sessionID, c.StartedAt); err != nil {
		return nil, err
	}
	type group struct {
		stage string
		held  bool
	}
	n := map[group][2]int64{}
	for _, r := range rows {
		n[group{r.Stage, r.Held}] = [2]int64{r.Reached, r.Of}
	}
	out := []Effect{}
	for _, stage := range effectStages() {
		w, h := n[group{stage, false}], n[group{stage, true}]
		e := Effect{Stage: stage, Written: analytics.NewRate(w[0], w[1]), HeldOut: analytics.NewRate(h[0], h[1])}
		e.Difference, e.Low, e.High = analytics.Difference(e.Written, e.HeldOut)
		e.Verdict = analytics.Verdict(e.Low, e.High)
		out = append(out, e)
	}
	return out, nil
}
