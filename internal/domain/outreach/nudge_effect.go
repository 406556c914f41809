package outreach

import (
	"context"
	"time"

	"cursus/internal/domain/analytics"
	"cursus/internal/domain/privacy"
	"cursus/internal/platform/postgres"
)

// Worked is not a stage of the journey: a score that is new or changed since.
const Worked = "worked"

// NudgeResult says what a nudge did, as of an instant. Written and HeldOut are the learners of its two groups.
type NudgeResult struct {
	Definition string     `json:"definition"`
	Version    int        `json:"version"`
	Basis      string     `json:"basis"`
	AsOf       *time.Time `json:"as_of,omitempty"`
	KnownAt    *time.Time `json:"known_at,omitempty"`
	Written    int64      `json:"written_to"`
	HeldOut    int64      `json:"held_out"`
	Stages     []Effect   `json:"stages"`
}

// Effect says what became of those whom a nudge went to, beside those who were held out by chance: of who had not reached a stage of its session
// when it began, how many have it at the instant that is asked for. Difference (written to − held out) and its 95 % interval are tenths of a per
// cent, nil without two groups.
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

// NudgeEffectTx compares the two groups of a nudge as they were drawn, whatever became of a mail: whoever was to be written to counts as such, also
// where she refused meanwhile or the rest was canceled, so that chance alone tells the groups apart. Zero times are now; the same pair has the same
// answer for ever. No stages for other campaigns, and of a time before it began. Error: ErrNoCampaign.
func NudgeEffectTx(ctx context.Context, tx *postgres.Tx, id string, asOf, knownAt time.Time) (NudgeResult, error) {
	out := NudgeResult{Definition: "reached since / not reached when the nudge began", Version: 1, Basis: "ever", AsOf: given(asOf), KnownAt: given(knownAt), Stages: []Effect{}}
	c, err := CampaignTx(ctx, tx, id)
	if err != nil || c.Kind != Nudge || c.StartedAt == nil || !asOf.IsZero() && asOf.Before(*c.StartedAt) {
		return out, err
	}
	var rows []struct {
		Stage   string `db:"stage"`
		Held    bool   `db:"held"`
		Of      int64  `db:"of"`
		Reached int64  `db:"reached"`
	}
	if err := tx.Select(ctx, &rows, q.Q("NudgeEffect"), id, c.sessionID, c.StartedAt, out.AsOf, out.KnownAt); err != nil {
		return out, err
	}
	type group struct {
		stage string
		held  bool
	}
	n := map[group][2]int64{}
	for _, r := range rows {
		n[group{r.Stage, r.Held}] = [2]int64{r.Reached, r.Of}
	}
	out.Written, out.HeldOut = n[group{Worked, false}][1], n[group{Worked, true}][1] // nobody had worked since it began when it began
	for _, stage := range effectStages() {
		w, h := n[group{stage, false}], n[group{stage, true}]
		e := Effect{Stage: stage, Written: analytics.NewRate(w[0], w[1]), HeldOut: analytics.NewRate(h[0], h[1])}
		e.Difference, e.Low, e.High = analytics.Difference(e.Written, e.HeldOut)
		e.Verdict = analytics.Verdict(e.Low, e.High)
		out.Stages = append(out.Stages, e)
	}
	return out, nil
}

func given(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// Reach says whom a nudge of some people would reach, and why not the others.
type Reach struct {
	People, Writable, Refused, NoConsent, NoAddress int64
}

// ReachTx looks before a nudge at what it would find.
func ReachTx(ctx context.Context, tx *postgres.Tx, people []string) (r Reach, err error) {
	all, err := audienceTx(ctx, tx, people)
	if err != nil {
		return r, err
	}
	words, err := privacy.WordsTx(ctx, tx, Nudge.purpose(), people...)
	for _, c := range all {
		r.People++
		switch c.verdict(words) {
		case "":
			r.Writable++
		case refusal:
			r.Refused++
		case noConsent:
			r.NoConsent++
		default:
			r.NoAddress++
		}
	}
	return r, err
}
