package audit

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
)

// Act is a row of the chain. Detail says what changed, before and after where that is known. Origin is the network address from which it
// was asked for; empty where the house did it by itself, or where the address was wiped, which Wiped tells apart.
type Act struct {
	Seq    int64           `db:"seq" json:"seq"`
	At     time.Time       `db:"at" json:"at"`
	Actor  string          `db:"actor" json:"actor"` // system, public, staff:<person>, learner:<person>
	Action string          `db:"action" json:"action"`
	Object string          `db:"object" json:"object"`
	Detail json.RawMessage `db:"detail" json:"detail,omitempty"`
	Origin string          `db:"origin" json:"origin,omitempty"`
	Sealed bool            `db:"sealed" json:"-"`
	Hash   string          `db:"hash" json:"hash"` // hexadecimal
	Holds  bool            `db:"holds" json:"verified"`
}

// Wiped says whether it was once known from where the act was asked for.
func (a Act) Wiped() bool { return a.Sealed && a.Origin == "" }

// Filter says which acts are asked for; what is empty does not filter.
type Filter struct {
	Actor       string // an id of a person, or a whole actor
	Object      string
	Action      string     // what it begins with: "order." or "order.paid"
	From, Until *time.Time // from this time on, until before this time
}

// ReadTx lists acts, the newest first, each held against its place in the chain. Error: page.ErrCursor.
func ReadTx(ctx context.Context, tx *postgres.Tx, f Filter, p page.Request) (all []Act, next string, err error) {
	before := int64(0)
	if p.After != "" {
		if before, err = strconv.ParseInt(p.After, 10, 64); err != nil || before < 1 {
			return nil, "", page.ErrCursor
		}
	}
	all = []Act{}
	if err := tx.Select(ctx, &all, q.Q("Read"), f.Actor, f.Object, f.Action, f.From, f.Until, before, p.Limit+1); err != nil {
		return nil, "", err
	}
	if len(all) > p.Limit {
		all = all[:p.Limit]
		next = strconv.FormatInt(all[p.Limit-1].Seq, 10)
	}
	return all, next, nil
}

// Verdict says whether the whole chain holds.
type Verdict struct {
	Rows   int64    `db:"seq" json:"rows"`
	Head   string   `db:"hash" json:"head"` // hash of the last row; who notes it elsewhere sees later that nothing was rewritten
	Broken []string `json:"broken"`         // as `cursus verify` prints it; at most 20 of each kind
}

// Verify walks the whole chain, which takes about a second for each 200 000 rows.
func Verify(ctx context.Context, db *postgres.DB) (Verdict, error) {
	v := Verdict{Broken: []string{}}
	if err := db.View(ctx, "head of the chain", func(ctx context.Context, tx *postgres.Tx) error { return tx.Get(ctx, &v, q.Q("Head")) }); err != nil {
		return v, err
	}
	for _, c := range Checks() {
		rows, err := postgres.RunCheck(ctx, db, c)
		if err != nil {
			return v, err
		}
		for _, r := range rows {
			v.Broken = append(v.Broken, c.Name+": "+r)
		}
	}
	return v, nil
}
