package cohorts

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"cursus/internal/kernel/lifecycle"
)

// State is where a member of a cohort stands.
type State string

// The states of a member.
const (
	Waiting     State = "waiting"     // for an account, for a payment, or for something else that WaitsFor says
	Enrolled    State = "enrolled"    // her right to learn stands
	Suspended   State = "suspended"   // the school holds it back for now; she keeps her seat
	Withdrawn   State = "withdrawn"   // the school took her out, or her payment was given back
	Transferred State = "transferred" // she is in another cohort of the school
)

// Life is every move of a member. Reinstated is who comes back from withdrawn or transferred: to enrolled where her right still stands,
// otherwise to waiting.
var Life = lifecycle.Table[State]{Name: "member of a cohort", Start: Waiting, Moves: map[State][]State{
	Waiting:     {Enrolled, Suspended, Withdrawn, Transferred},
	Enrolled:    {Suspended, Withdrawn, Transferred},
	Suspended:   {Waiting, Enrolled, Withdrawn, Transferred},
	Withdrawn:   {Waiting, Enrolled},
	Transferred: {Waiting, Enrolled},
}}

// Live says whether somebody in this state takes a seat of her cohort.
func (s State) Live() bool { return s == Waiting || s == Enrolled || s == Suspended }

// What a member waits for, beside the codes of what refused her.
const (
	ForAccount = "account" // she never signed in with this address, nor took up an invitation
	ForPayment = "payment" // her order waits for its payment at the desk
)

// Member is somebody in a cohort, under the school's own key.
type Member struct {
	ID         string     `json:"id" db:"id"`
	CohortID   string     `json:"cohort" db:"cohort_id"`
	StudentKey string     `json:"student_key" db:"student_key"`
	State      State      `json:"state" db:"state"`
	WaitsFor   string     `json:"waits_for,omitempty" db:"waits_for"`
	Email      string     `json:"email,omitempty" db:"email"` // as the school says
	GivenName  string     `json:"given_name,omitempty" db:"given_name"`
	FamilyName string     `json:"family_name,omitempty" db:"family_name"`
	Lang       string     `json:"language,omitempty" db:"lang"`
	Account    bool       `json:"account_exists" db:"account"`
	PersonID   string     `json:"-" db:"person_id"`
	OrderID    string     `json:"order,omitempty" db:"order_id"` // under which she is, or is to be, enrolled
	SeatID     string     `json:"-" db:"seat_id"`
	EnrolledAt *time.Time `json:"enrolled_at,omitempty" db:"enrolled_at"`
	AddedAt    time.Time  `json:"added_at" db:"added_at"`
	ChangedAt  time.Time  `json:"changed_at" db:"changed_at"`
	Due        bool       `json:"-" db:"due"`
	Tries      int        `json:"-" db:"tries"`
	AddedBy    string     `json:"-" db:"added_by"`

	// Of her last invitation, where she is listed.
	InvitationID string     `json:"-" db:"invitation_id"`
	InvitedAt    *time.Time `json:"invited_at,omitempty" db:"invited_at"`
	Reminders    int        `json:"reminders,omitempty" db:"reminders"` // that were sent of it
	RemindedAt   *time.Time `json:"reminded_at,omitempty" db:"reminded_at"`
	ClaimedAt    *time.Time `json:"claimed_at,omitempty" db:"claimed_at"`
	BouncedAt    *time.Time `json:"bounced_at,omitempty" db:"bounced_at"`           // its mail came back
	NoReminders  *time.Time `json:"reminders_refused_at,omitempty" db:"refused_at"` // she wants none
}

// Name is what the school calls her; empty where it says nothing.
func (m Member) Name() string {
	if m.GivenName != "" && m.FamilyName != "" {
		return m.GivenName + " " + m.FamilyName
	}
	return cmp.Or(m.GivenName, m.FamilyName)
}

// sortedPlaces gives places in the order of their keys, so that a plan does not depend on how a map is walked.
func sortedPlaces(all map[string]place) []place {
	out := make([]place, 0, len(all))
	for _, k := range slices.Sorted(maps.Keys(all)) {
		out = append(out, all[k])
	}
	return out
}
