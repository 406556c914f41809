package identity

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lib/pq"

	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// How often a client may ask where nothing else was said, per minute.
const clientRate = 600

// Faults of clients and their keys.
var (
	ErrNoClient      = fault.New(fault.NotFound, "no-such-client", "There is no client with this id.")
	ErrNoKey         = fault.New(fault.NotFound, "no-such-key", "The client has no key with this id.")
	ErrClientChanged = fault.New(fault.Precondition, "changed-meanwhile", "The client was changed since you read it. Read it again and decide again.")
	ErrClientEnded   = fault.New(fault.Conflict, "client-ended", "The client was ended. Make another one.")
	ErrTwoKeys       = fault.New(fault.Conflict, "two-keys-live", "Two keys of the client are live. End one of them first.")
)

func init() { postgres.RegisterConstraint("two_live_keys", ErrTwoKeys) }

// ClientRoles lists what a client can be: of an organisation, or of the institute itself. No system is an owner: what an owner does beyond a
// registrar asks for a person who just signed in.
func ClientRoles(organisation string) []string {
	if organisation == "" {
		return staffRoles()
	}
	return slices.DeleteFunc(PartnerRoles(), func(role string) bool { return role == RoleOwner })
}

// NewClient is what a client is made of. Without Organisation it is the institute's own. Networks are CIDR prefixes; none: from everywhere.
// PerMinute 0: 600.
type NewClient struct {
	Organisation string   `json:"organisation"`
	Name         string   `json:"name"`
	Roles        []string `json:"roles"`
	Scopes       []string `json:"scopes"`
	Networks     []string `json:"networks"`
	PerMinute    int      `json:"per_minute"`
}

// Client is a system that speaks to us. It acts as a person of its own, PersonID, who has its roles; its keys can do what Scopes say and
// the roles allow.
type Client struct {
	ID           string         `json:"id" db:"id"`
	Organisation string         `json:"organisation,omitempty" db:"organisation"`
	Name         string         `json:"name" db:"name"`
	PersonID     string         `json:"person" db:"person_id"`
	Roles        pq.StringArray `json:"roles" db:"roles"`
	Scopes       pq.StringArray `json:"scopes" db:"scopes"`
	Networks     pq.StringArray `json:"networks" db:"networks"`
	PerMinute    int            `json:"per_minute" db:"per_minute"`
	Version      int            `json:"version" db:"version"`
	CreatedAt    time.Time      `json:"created_at" db:"created_at"`
	EndedAt      *time.Time     `json:"ended_at,omitempty" db:"ended_at"`
	Keys         []Key          `json:"keys" db:"-"`
}

// Key is a key of a client. Prefix is what may be shown of its secret.
type Key struct {
	ID        string     `json:"id" db:"id"`
	ClientID  string     `json:"-" db:"client_id"`
	Prefix    string     `json:"prefix" db:"prefix"`
	CreatedAt time.Time  `json:"created_at" db:"created_at"`
	ExpiresAt time.Time  `json:"expires_at" db:"expires_at"`
	EndedAt   *time.Time `json:"ended_at,omitempty" db:"ended_at"`
	UsedAt    *time.Time `json:"used_at,omitempty" db:"used_at"`
	UsedFrom  string     `json:"used_from,omitempty" db:"used_from"`
}

// Live says whether the key opens anything at a time.
func (k Key) Live(now time.Time) bool { return k.EndedAt == nil && now.Before(k.ExpiresAt) }

// check says everything that is wrong with a client, and puts its networks into the one form in which we keep them.
func (n *NewClient) check() error {
	var wrong []fault.Field
	say := func(pointer, code, detail string) {
		wrong = append(wrong, fault.Field{Pointer: pointer, Code: code, Detail: detail})
	}
	if length := utf8.RuneCountInString(n.Name); length < 1 || length > 100 || strings.ContainsFunc(n.Name, func(r rune) bool { return r < ' ' }) {
		say("/name", "bad-length", "1 to 100 characters.")
	}
	may := ClientRoles(n.Organisation)
	for _, role := range n.Roles {
		if !slices.Contains(may, role) {
			say("/roles", "bad-role", "The roles are "+strings.Join(may, ", ")+".")
		}
	}
	allowed := ScopesOf(n.Roles)
	if len(n.Scopes) == 0 {
		say("/scopes", "required", "At least one scope.")
	}
	for _, s := range n.Scopes {
		if !slices.Contains(allowed, s) {
			say("/scopes", "bad-scope", "Its roles do not allow "+s+".")
		}
	}
	if len(n.Networks) > 50 {
		say("/networks", "too-many", "50 networks at most.")
	}
	for i, s := range n.Networks {
		prefix, err := netip.ParsePrefix(strings.TrimSpace(s))
		if err != nil {
			address, err := netip.ParseAddr(strings.TrimSpace(s))
			if err != nil || address.Zone() != "" {
				say("/networks", "bad-network", "Networks are written 192.0.2.0/24 or 2001:db8::/32.")
				continue
			}
			prefix = netip.PrefixFrom(address, address.BitLen())
		}
		n.Networks[i] = prefix.Masked().String()
	}
	if n.PerMinute == 0 {
		n.PerMinute = clientRate
	}
	if n.PerMinute < 1 || n.PerMinute > 100_000 {
		say("/per_minute", "out-of-range", "1 to 100000 requests per minute.")
	}
	if len(wrong) > 0 {
		return fault.InvalidInput(wrong...)
	}
	n.Roles, n.Networks = append([]string{}, n.Roles...), append([]string{}, n.Networks...) // none is an empty list there
	slices.Sort(n.Scopes)
	n.Scopes = slices.Compact(n.Scopes)
	return nil
}

// CreateClientTx makes a client and the person as whom it acts. Errors: ErrNoOrganisation; Invalid with pointers.
func CreateClientTx(ctx context.Context, tx *postgres.Tx, n NewClient) (Client, error) {
	if err := n.check(); err != nil {
		return Client{}, err
	}
	id, person := ident.New("cli"), ident.New("per")
	if _, err := tx.Exec(ctx, q.Q("AddPeople"), pq.Array([]string{person}), pq.Array([]string{n.Name}), tx.Now()); err != nil {
		return Client{}, err
	}
	if _, err := tx.Exec(ctx, q.Q("AddClient"), id, n.Organisation, n.Name, person, pq.Array(n.Roles), pq.Array(n.Scopes), pq.Array(n.Networks), n.PerMinute, tx.Now()); err != nil {
		return Client{}, err
	}
	for _, role := range n.Roles {
		var err error
		if n.Organisation == "" {
			err = GrantRoleTx(ctx, tx, person, role)
		} else {
			err = PutPartnerRoleTx(ctx, tx, n.Organisation, person, role)
		}
		if err != nil {
			return Client{}, err
		}
	}
	if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "client.made", Object: id, Detail: n}); err != nil {
		return Client{}, err
	}
	return ClientTx(ctx, tx, id)
}

// PutClientTx rewrites the name, the scopes, the networks and the rate of a client; its organisation and its roles stay (another client is
// for these). expected is the version that the caller read, 0 for any. Errors: ErrNoClient, ErrClientChanged, ErrClientEnded.
func PutClientTx(ctx context.Context, tx *postgres.Tx, id string, n NewClient, expected int) (Client, error) {
	c, err := lockClient(ctx, tx, id)
	if err != nil {
		return c, err
	}
	if expected != 0 && expected != c.Version {
		return c, ErrClientChanged
	}
	n.Organisation, n.Roles = c.Organisation, c.Roles
	if err := n.check(); err != nil {
		return c, err
	}
	if _, err := tx.Exec(ctx, q.Q("EditClient"), id, n.Name, pq.Array(n.Scopes), pq.Array(n.Networks), n.PerMinute); err != nil {
		return c, err
	}
	if err := audit.AppendTx(ctx, tx, audit.Entry{Action: "client.put", Object: id, Before: c.says(), After: n}); err != nil {
		return c, err
	}
	return ClientTx(ctx, tx, id)
}

func (c Client) says() NewClient {
	return NewClient{c.Organisation, c.Name, c.Roles, c.Scopes, c.Networks, c.PerMinute}
}

// EndClientTx ends a client with all its keys and tokens; one that has ended stays so.
func EndClientTx(ctx context.Context, tx *postgres.Tx, id string) error {
	c, err := lockClient(ctx, tx, id)
	if err != nil {
		if fault.From(err).Code == ErrClientEnded.Code {
			return nil
		}
		return err
	}
	for _, k := range c.Keys {
		if k.EndedAt == nil {
			if err := endKey(ctx, tx, k.ID); err != nil {
				return err
			}
		}
	}
	// What it asked for and is not done yet asks for its roles again when it is done: it has none any more.
	if _, err := tx.Exec(ctx, q.Q("EndRoles"), c.PersonID); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, q.Q("EndClient"), id, tx.Now()); err != nil {
		return err
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "client.ended", Object: id})
}

// lockClient keeps others from a live client until the transaction ends.
func lockClient(ctx context.Context, tx *postgres.Tx, id string) (Client, error) {
	if err := tx.Select(ctx, &[]string{}, q.Q("LockClient"), id); err != nil {
		return Client{}, err
	}
	c, err := ClientTx(ctx, tx, id)
	if err == nil && c.EndedAt != nil {
		err = ErrClientEnded
	}
	return c, err
}

// ClientTx finds a client with its keys, the newest first. Errors: ErrNoClient.
func ClientTx(ctx context.Context, tx *postgres.Tx, id string) (Client, error) {
	all, err := clients(ctx, tx, "Client", id)
	if err == nil && len(all) == 0 {
		err = ErrNoClient
	}
	if err != nil {
		return Client{}, err
	}
	return all[0], nil
}

// ClientsTx lists clients, the newest first: those of an organisation, or all.
func ClientsTx(ctx context.Context, tx *postgres.Tx, organisation string, p page.Request) ([]Client, string, error) {
	all, err := clients(ctx, tx, "Clients", organisation, p.After, p.Limit+1)
	if err != nil || len(all) <= p.Limit {
		return all, "", err
	}
	return all[:p.Limit], all[p.Limit-1].ID, nil
}

func clients(ctx context.Context, tx *postgres.Tx, statement string, args ...any) ([]Client, error) {
	all := []Client{}
	if err := tx.Select(ctx, &all, q.Q(statement), args...); err != nil || len(all) == 0 {
		return all, err
	}
	ids, at := make([]string, len(all)), map[string]int{}
	for i := range all {
		ids[i], at[all[i].ID], all[i].Keys = all[i].ID, i, []Key{}
	}
	var keys []Key
	if err := tx.Select(ctx, &keys, q.Q("Keys"), pq.Array(ids)); err != nil {
		return nil, err
	}
	for _, k := range keys {
		c := &all[at[k.ClientID]]
		c.Keys = append(c.Keys, k)
	}
	return all, nil
}
