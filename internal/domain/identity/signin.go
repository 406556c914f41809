package identity

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/base32"
	"errors"
	"slices"
	"time"

	"github.com/lib/pq"

	"cursus/internal/kernel/ident"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/jobs"
	"cursus/internal/platform/postgres"
	"cursus/internal/platform/seal"
)

// How long secrets live, and how many links an address is sent in that time.
const (
	LinkLife    = 15 * time.Minute
	BrowserLife = 12 * time.Hour
	FreshLife   = 10 * time.Minute // within which who proved who she is need not do it again
	maxLinks    = 5
)

// Service is the room. Its secret makes the links that are sent by mail, so that no link stands in the database or in a job.
type Service struct {
	db     *postgres.DB
	jobs   *jobs.Jobs
	secret []byte
	openID OpenID
	seal   seal.Sealer // of the secrets of providers, and of sign-ins on their way
}

// New opens the room; the secret has 32 bytes or more. Error: seal.ErrWeak.
func New(db *postgres.DB, j *jobs.Jobs, door OpenID, secret []byte) (*Service, error) {
	sealer, err := seal.New(secret, "identity")
	if err != nil {
		return nil, err
	}
	return &Service{db: db, jobs: j, secret: secret, openID: door, seal: sealer}, nil
}

// SignInLinkAsked says that a link has to be sent.
type SignInLinkAsked struct {
	TokenID string `json:"token_id"`
}

// Kind names the job.
func (SignInLinkAsked) Kind() string { return "identity.sign_in_link_asked" }

// Principal is who acts, and what she may do.
type Principal struct {
	Person
	Roles        []string // of staff
	PartnerRoles []string // at some partner or other
	Scopes       []string
	ProvenAt     time.Time // when she proved last who she is; zero: nobody can say, or she is a system
	Next         string    // after a link was redeemed: where the sign-in began
}

// Fresh says whether she proved just now who she is. A system never does.
func (p Principal) Fresh(now time.Time) bool {
	return !p.ProvenAt.IsZero() && now.Sub(p.ProvenAt) <= FreshLife
}

// Staff says whether she has a role of staff.
func (p Principal) Staff() bool { return len(p.Roles) > 0 }

// Desk says whether all that she is for us is somebody who takes money at a school's desk. Beyond the desk the walls hold for her, as for
// any learner.
func (p Principal) Desk() bool {
	return p.Staff() && !slices.ContainsFunc(p.Roles, func(role string) bool { return role != "cashier" })
}

// Actor is what row-level security knows her as.
func (p Principal) Actor() string {
	if p.Staff() {
		return "staff:" + p.ID
	}
	return "learner:" + p.ID
}

// May says whether she may do what needs a scope.
func (p Principal) May(scope string) bool { return slices.Contains(p.Scopes, scope) }

var base32Text = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// linkSecret derives the secret of a link from its id.
func (s *Service) linkSecret(id string) string {
	m := hmac.New(sha256.New, s.secret)
	m.Write([]byte("sign-in\x00" + id))
	return base32Text.EncodeToString(m.Sum(nil))
}

func hashOf(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

func asSystem(ctx context.Context) context.Context { return postgres.WithActor(ctx, "system") }

// AskForLink has a link sent to an address. It never says whether the address is known.
func (s *Service) AskForLink(ctx context.Context, email, next, lang string) error {
	email, err := NormalEmail(email)
	if err != nil {
		return err
	}
	if lang != "fr" {
		lang = "en"
	}
	if len(next) > 400 {
		next = ""
	}
	return s.db.InTx(asSystem(ctx), "ask for link", func(ctx context.Context, tx *postgres.Tx) error {
		var sent int
		if err := tx.Get(ctx, &sent, q.Q("LinksSince"), email, tx.Now().Add(-LinkLife)); err != nil {
			return err
		}
		if sent >= maxLinks {
			return ErrTooMany.After(int(LinkLife / time.Second))
		}
		id := ident.New("tok")
		if _, err := tx.Exec(ctx, q.Q("AddLink"), id, hashOf(s.linkSecret(id)), email, lang, next, tx.Now(), tx.Now().Add(LinkLife)); err != nil {
			return err
		}
		return s.jobs.EnqueueTx(ctx, tx, SignInLinkAsked{id})
	})
}

// MakeLink gives the secret of a link for an address without sending it, for the operator at the command line.
func (s *Service) MakeLink(ctx context.Context, email string, life time.Duration) (secret string, err error) {
	if email, err = NormalEmail(email); err != nil {
		return "", err
	}
	err = s.db.InTx(asSystem(ctx), "make link", func(ctx context.Context, tx *postgres.Tx) error {
		id := ident.New("tok")
		secret = s.linkSecret(id)
		_, err := tx.Exec(ctx, q.Q("AddLink"), id, hashOf(secret), email, "en", "", tx.Now(), tx.Now().Add(life))
		return err
	})
	return secret, err
}

// Link is what the mail of a sign-in says.
type Link struct{ Email, Lang, Secret string }

// LinkToSend gives the link of a job; false when it has expired or was used.
func (s *Service) LinkToSend(ctx context.Context, tokenID string) (l Link, live bool, err error) {
	var row struct {
		Email string `db:"email"`
		Lang  string `db:"lang"`
	}
	err = s.db.View(asSystem(ctx), "link to send", func(ctx context.Context, tx *postgres.Tx) error {
		return tx.Get(ctx, &row, q.Q("LiveLink"), tokenID, tx.Now())
	})
	if errors.Is(err, sql.ErrNoRows) {
		return l, false, nil
	}
	return Link{row.Email, row.Lang, s.linkSecret(tokenID)}, err == nil, err
}

// Redeem spends a link and opens a browser's session for the person, who is made when she is new. Where the browser has a session of hers
// already, current, that one goes on, proven afresh, and session is empty: what she was writing there stays hers.
func (s *Service) Redeem(ctx context.Context, secret, current string) (p Principal, session string, expires time.Time, err error) {
	err = s.db.InTx(asSystem(ctx), "redeem link", func(ctx context.Context, tx *postgres.Tx) error {
		var link struct {
			Email string `db:"email"`
			Lang  string `db:"lang"`
			Next  string `db:"next"`
		}
		err := tx.Get(ctx, &link, q.Q("SpendLink"), hashOf(secret), tx.Now())
		if errors.Is(err, sql.ErrNoRows) {
			return ErrLink
		}
		if err != nil {
			return err
		}
		person, err := PutPersonTx(ctx, tx, link.Email, "", link.Lang)
		if err != nil {
			return err
		}
		if session, expires, err = browserTx(ctx, tx, person.ID, current, new(tx.Now())); err != nil {
			return err
		}
		p, err = principalTx(ctx, tx, person.ID, nil)
		p.Next = link.Next
		return err
	})
	return p, session, expires, err
}

// browserTx lets the session that a browser has go on where it is this person's, and opens one otherwise; one of somebody else ends.
func browserTx(ctx context.Context, tx *postgres.Tx, personID, current string, proven *time.Time) (session string, expires time.Time, err error) {
	if current != "" {
		n, err := tx.Exec(ctx, q.Q("ProveSession"), hashOf(current), personID, proven, tx.Now())
		if err != nil || n > 0 {
			return "", expires, err
		}
		if _, err := tx.Exec(ctx, q.Q("EndToken"), hashOf(current), tx.Now()); err != nil {
			return "", expires, err
		}
	}
	return openTx(ctx, tx, "browser", personID, "", nil, BrowserLife, proven)
}

func openTx(ctx context.Context, tx *postgres.Tx, kind, personID, name string, scopes []string, life time.Duration, proven *time.Time) (string, time.Time, error) {
	secret, expires := ident.Secret(32), tx.Now().Add(life)
	if scopes == nil {
		scopes = []string{}
	}
	_, err := tx.Exec(ctx, q.Q("AddToken"), ident.New("tok"), hashOf(secret), kind, personID, name, pq.Array(scopes), tx.Now(), expires, proven)
	return secret, expires, err
}

func principalTx(ctx context.Context, tx *postgres.Tx, personID string, limit []string) (p Principal, err error) {
	if p.Person, err = PersonTx(ctx, tx, personID); err != nil {
		return p, err
	}
	roles, err := RolesTx(ctx, tx, personID)
	if err != nil {
		return p, err
	}
	at, err := PartnerRolesOfTx(ctx, tx, personID)
	if err != nil {
		return p, err
	}
	partner := make([]string, len(at))
	for i, a := range at {
		partner[i] = a.Role
	}
	return principal(p.Person, roles, partner, limit), nil
}

// principal says what somebody with these roles may do; a limit leaves the scopes that it names.
func principal(who Person, roles, partner, limit []string) Principal {
	p := Principal{Person: who, Roles: roles, PartnerRoles: partner, Scopes: ScopesOf(slices.Concat(roles, partner))}
	if len(limit) > 0 {
		p.Scopes = slices.DeleteFunc(p.Scopes, func(s string) bool { return !slices.Contains(limit, s) })
	}
	return p
}

// OfBrowser gives who a browser's session is of; ErrNobody when it has ended.
func (s *Service) OfBrowser(ctx context.Context, secret string) (Principal, error) {
	return s.of(ctx, "browser", secret)
}

func (s *Service) of(ctx context.Context, kind, secret string) (Principal, error) {
	var token struct {
		Person
		Roles   pq.StringArray `db:"roles"`
		Partner pq.StringArray `db:"partner_roles"`
		Scopes  pq.StringArray `db:"scopes"`
		Proven  *time.Time     `db:"proven_at"`
	}
	err := s.db.Look(asSystem(ctx), &token, q.Q("Token"), kind, hashOf(secret), s.db.Now())
	if errors.Is(err, sql.ErrNoRows) {
		return Principal{}, ErrNobody
	}
	if err != nil {
		return Principal{}, err
	}
	p := principal(token.Person, token.Roles, token.Partner, token.Scopes)
	if token.Proven != nil {
		p.ProvenAt = *token.Proven
	}
	return p, nil
}

// NewToken makes an API token of a person; its secret is shown once. No scopes: all that the person may do.
func (s *Service) NewToken(ctx context.Context, personID, name string, only []string, life time.Duration) (secret string, expires time.Time, err error) {
	err = s.db.InTx(asSystem(ctx), "new token", func(ctx context.Context, tx *postgres.Tx) error {
		p, err := principalTx(ctx, tx, personID, nil)
		if err != nil {
			return err
		}
		for _, scope := range only {
			if !p.May(scope) {
				return ErrScope
			}
		}
		if secret, expires, err = openTx(ctx, tx, "api", personID, name, only, life, new(tx.Now())); err != nil {
			return err
		}
		return audit.AppendTx(ctx, tx, audit.Entry{Action: "token.made", Object: personID, Detail: map[string]any{"name": name, "scopes": only}})
	})
	return secret, expires, err
}
