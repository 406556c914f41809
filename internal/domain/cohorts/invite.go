package cohorts

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"strings"
	"time"

	"github.com/lib/pq"

	"cursus/internal/domain/identity"
	"cursus/internal/kernel/ident"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// InvitationLife is how long an invitation can be taken up.
const InvitationLife = 30 * 24 * time.Hour

// Invited says that a student has to be written to.
type Invited struct {
	InvitationID string `json:"invitation_id"`
}

// Kind names the job.
func (Invited) Kind() string { return "cohorts.invited" }

// Invitation is what became of one student who was to be invited. Token takes up her place, once, for whoever signs in with it; it is there
// where Code is created. Mailed says that it was sent to the address that the school gave; otherwise the school hands it out.
type Invitation struct {
	StudentKey string     `json:"student_key"`
	Code       Code       `json:"code"`
	ID         string     `json:"id,omitempty"`
	Token      string     `json:"token,omitempty"`
	Mailed     bool       `json:"mailed"`
	ExpiresAt  *time.Time `json:"expires_at,omitempty"`
}

var base32Text = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// token derives what an invitation is taken up with from its id.
func (s *Service) token(id string) string {
	m := hmac.New(sha256.New, s.secret)
	m.Write([]byte("cohort invitation\x00" + id))
	return id + "." + base32Text.EncodeToString(m.Sum(nil)[:20])
}

// Invite makes a link for each of some students who have no account yet, at most MaxRows, once per key, and has it mailed to those whose
// address the school gave. Another link of hers ends. Errors: ErrNoCohort, ErrTooMany, those of idempotency.
func (s *Service) Invite(ctx context.Context, by By, cohortID, key string, students []string) ([]Invitation, error) {
	if len(students) > MaxRows {
		return nil, ErrTooMany
	}
	all, err := once(ctx, s, by, key, "invite", []any{cohortID, students}, func(ctx context.Context, tx *postgres.Tx) ([]Invitation, error) {
		c, err := lockTx(ctx, tx, by, cohortID, mayWrite)
		if err != nil {
			return nil, err
		}
		rows := make([]Row, len(students))
		times := map[string]int{}
		for i, k := range students {
			rows[i].StudentKey = k
			times[k]++
		}
		at, err := situationOf(ctx, tx, c, Update, rows)
		if err != nil {
			return nil, err
		}
		out, until := make([]Invitation, len(students)), tx.Now().Add(InvitationLife)
		var ids, members []string
		for i, k := range students {
			p, known := at.places[k]
			out[i] = Invitation{StudentKey: k}
			switch {
			case times[k] > 1:
				out[i].Code = Duplicated
			case !known && at.known[k]:
				out[i].Code = NotInProgram
			case !known:
				out[i].Code = NotFound
			case p.State != Waiting || p.PersonID != "":
				out[i].Code = IllegalOperation
			default:
				out[i] = Invitation{StudentKey: k, Code: Created, ID: ident.New("ivt"), Mailed: p.Email != "", ExpiresAt: &until}
				ids, members = append(ids, out[i].ID), append(members, p.ID)
				if p.Email != "" {
					if err := s.jobs.EnqueueTx(ctx, tx, Invited{out[i].ID}); err != nil {
						return nil, err
					}
				}
			}
		}
		if len(ids) == 0 {
			return out, nil
		}
		if _, err := tx.Exec(ctx, q.Q("EndInvitations"), pq.Array(members), tx.Now()); err != nil {
			return nil, err
		}
		if _, err := tx.Exec(ctx, q.Q("AddInvitations"), pq.Array(ids), pq.Array(members), by.PersonID, tx.Now(), until); err != nil {
			return nil, err
		}
		return out, audit.AppendTx(ctx, tx, audit.Entry{Action: "cohort.invited", Object: c.ID, Detail: map[string]any{"students": len(ids), "by": by.PersonID}})
	})
	for i, x := range all { // what is kept of the answer has no secret in it
		if x.ID != "" {
			all[i].Token = s.token(x.ID)
		}
	}
	return all, err
}

// Letter is what the mail of an invitation says.
type Letter struct {
	Cohort Cohort
	Member Member
	Token  string
	Stop   string // of a reminder: what ends them
	Until  time.Time
	School string
}

type invitation struct {
	ID        string     `db:"id"`
	MemberID  string     `db:"member_id"`
	ExpiresAt time.Time  `db:"expires_at"`
	UsedAt    *time.Time `db:"used_at"`
	UsedBy    string     `db:"used_by"`
	EndedAt   *time.Time `db:"ended_at"`
	BouncedAt *time.Time `db:"bounced_at"`
	RefusedAt *time.Time `db:"refused_at"`
}

// remindable says whether it may be recalled.
func (i invitation) remindable(at time.Time) bool {
	return i.live(at) && i.BouncedAt == nil && i.RefusedAt == nil
}

func (i invitation) live(at time.Time) bool {
	return i.UsedAt == nil && i.EndedAt == nil && at.Before(i.ExpiresAt)
}

// Letter gives the invitation of a job; false when it was used, or ended, or nobody waits for it any more.
func (s *Service) Letter(ctx context.Context, invitationID string) (l Letter, live bool, err error) {
	err = s.db.View(postgres.WithActor(ctx, "system"), "letter", func(ctx context.Context, tx *postgres.Tx) error {
		i, found, err := s.letterTx(ctx, tx, s.token(invitationID))
		l, live = found, i.live(tx.Now()) && found.wanted()
		l.Token = s.token(invitationID)
		return err
	})
	return l, live, err
}

// wanted says whether there is somebody who can be written to, and waits.
func (l Letter) wanted() bool {
	return l.Member.State == Waiting && l.Member.PersonID == "" && l.Member.Email != ""
}

// letterTx is invitationTx with what its mails and pages say; the letter has no secret in it.
func (s *Service) letterTx(ctx context.Context, tx *postgres.Tx, token string) (i invitation, l Letter, err error) {
	i, m, c, err := s.invitationTx(ctx, tx, token)
	if err != nil {
		return i, l, err
	}
	org, err := identity.OrganisationTx(ctx, tx, c.Organisation)
	return i, Letter{Cohort: c, Member: m, Until: i.ExpiresAt, School: org.Name}, err
}

// invitationTx finds an invitation by its token. Error: ErrNoInvite.
func (s *Service) invitationTx(ctx context.Context, tx *postgres.Tx, token string) (i invitation, m Member, c Cohort, err error) {
	id, _, _ := strings.Cut(token, ".")
	if subtle.ConstantTimeCompare([]byte(token), []byte(s.token(id))) != 1 {
		return i, m, c, ErrNoInvite
	}
	var found []invitation
	if err := tx.Select(ctx, &found, q.Q("Invitation"), id); err != nil {
		return i, m, c, err
	}
	if len(found) == 0 {
		return i, m, c, ErrNoInvite
	}
	if err := tx.Get(ctx, &m, q.Q("Member"), found[0].MemberID); err != nil {
		return i, m, c, err
	}
	c, err = CohortTx(ctx, tx, m.CohortID)
	return found[0], m, c, err
}

// SeeInvitation says what an invitation is to, and takes nothing up. Errors: ErrNoInvite, ErrInviteOver.
func (s *Service) SeeInvitation(ctx context.Context, token string) (l Letter, err error) {
	err = s.db.View(postgres.WithActor(ctx, "system"), "invitation", func(ctx context.Context, tx *postgres.Tx) error {
		i, found, err := s.letterTx(ctx, tx, token)
		if err == nil && !i.live(tx.Now()) {
			err = ErrInviteOver
		}
		l = found
		return err
	})
	return l, err
}

// TakeUp gives the place that waits for a student to the person who has her invitation, once: again it gives her her place as it stands. Errors:
// ErrNoInvite, ErrInviteOver, ErrElsewhere where she is another student of the school for the same.
func (s *Service) TakeUp(ctx context.Context, token, personID string) (m Member, err error) {
	ctx = postgres.WithActor(ctx, "system")
	if err := s.db.InTx(ctx, "take up invitation", func(ctx context.Context, tx *postgres.Tx) error {
		_, before, _, err := s.invitationTx(ctx, tx, token)
		if err != nil {
			return err
		}
		var c Cohort
		if m, c, err = hold(ctx, tx, before.ID); err != nil {
			return err
		}
		i, _, _, err := s.invitationTx(ctx, tx, token) // as it is now that nobody else takes it up
		if err != nil || i.UsedBy == personID {
			return err
		}
		if !i.live(tx.Now()) || m.State != Waiting || m.PersonID != "" {
			return ErrInviteOver
		}
		m.PersonID, m.Due = personID, true
		if err := store(ctx, tx, m); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, q.Q("UseInvitation"), i.ID, tx.Now(), personID); err != nil {
			return err
		}
		if err := known(ctx, tx, c, m); err != nil {
			return err
		}
		return audit.AppendTx(ctx, tx, audit.Entry{Action: "invitation.used", Object: i.ID, Detail: map[string]any{"cohort": m.CohortID, "member": m.ID, "person": personID}})
	}); err != nil {
		return m, err
	}
	if err := s.settle(ctx, m.ID); err != nil {
		return m, err
	}
	err = s.db.View(ctx, "member", func(ctx context.Context, tx *postgres.Tx) error { return tx.Get(ctx, &m, q.Q("Member"), m.ID) })
	return m, err
}
