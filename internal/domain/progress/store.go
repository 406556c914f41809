package progress

import (
	"context"
	"slices"
	"time"

	"github.com/lib/pq"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/privacy"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
)

// seatsTx finds an order whose seats are given out. Error: sales.ErrNoOrder.
func seatsTx(ctx context.Context, tx *postgres.Tx, orderID string) (g Group, err error) {
	var rows []struct {
		Organisation string `db:"organisation"`
		Thing        string `db:"thing"`
		TitleEN      string `db:"title_en"`
		TitleFR      string `db:"title_fr"`
	}
	if err := tx.Select(ctx, &rows, q.Q("SeatsOfOrder"), orderID); err != nil {
		return g, err
	}
	if len(rows) == 0 {
		return g, sales.ErrNoOrder
	}
	g = Group{ID: orderID, Key: orderID, Organisation: rows[0].Organisation, Title: catalog.Text{EN: rows[0].TitleEN, FR: rows[0].TitleFR}}
	for _, r := range rows {
		g.things = append(g.things, r.Thing)
	}
	return g, nil
}

func sessionsTx(ctx context.Context, tx *postgres.Tx, g Group) (all []session, err error) {
	return all, tx.Select(ctx, &all, q.Q("Sessions"), pq.Array(g.things))
}

// membersTx reads a page of the members of a group, with who agrees that the school or company sees how far she is.
func membersTx(ctx context.Context, tx *postgres.Tx, groupID string, p page.Request) (all []member, next string, err error) {
	if err := tx.Select(ctx, &all, q.Q("Members"), groupID, p.After, p.Limit+1); err != nil {
		return nil, "", err
	}
	if len(all) > p.Limit {
		all, next = all[:p.Limit], all[p.Limit-1].ID
	}
	var people []string
	for _, m := range all {
		if m.PersonID != "" {
			people = append(people, m.PersonID)
		}
	}
	agree, err := privacy.ConsentsTx(ctx, tx, privacy.School, people...)
	for i := range all {
		all[i].Shared = agree[all[i].PersonID]
	}
	return all, next, err
}

// allTx reads what a group follows, and all of its members.
func allTx(ctx context.Context, tx *postgres.Tx, g Group) (sessions []session, members []member, err error) {
	if sessions, err = sessionsTx(ctx, tx, g); err != nil {
		return nil, nil, err
	}
	members, _, err = membersTx(ctx, tx, g.ID, everybody)
	return sessions, members, err
}

// known is what is known of people, by person and session.
type known map[string]map[string]fact

// of gives what is known of a member in a session, where she follows it by what she was enrolled for in this group.
func (k known) of(m member, x session) (f fact, follows bool) {
	f, follows = k[m.PersonID][x.ID]
	return f, follows && m.follows() && m.Thing == x.Thing
}

// follower is a member with what her school or company may see of each session that she follows: nothing without her consent.
type follower struct {
	member
	in []following
}

type following struct {
	session
	fact
}

// followersTx reads a page of members.
func followersTx(ctx context.Context, tx *postgres.Tx, g Group, p page.Request) (all []follower, next string, err error) {
	members, next, err := membersTx(ctx, tx, g.ID, p)
	if err != nil {
		return nil, "", err
	}
	sessions, err := sessionsTx(ctx, tx, g)
	if err != nil {
		return nil, "", err
	}
	told := slices.DeleteFunc(slices.Clone(members), func(m member) bool { return !m.Shared })
	facts, err := factsTx(ctx, tx, sessions, told)
	if err != nil {
		return nil, "", err
	}
	for _, m := range members {
		one := follower{member: m}
		for _, x := range sessions {
			if f, follows := facts.of(m, x); follows && m.Shared {
				one.in = append(one.in, following{x, f})
			}
		}
		all = append(all, one)
	}
	return all, next, nil
}

// factsTx gives what is known of members.
func factsTx(ctx context.Context, tx *postgres.Tx, sessions []session, members []member) (known, error) {
	return factsOf(ctx, tx, "Facts", sessions, members, tx.Now())
}

// factsAtTx is the same as it was at a time, as it was known then, without grades, sittings and papers.
func factsAtTx(ctx context.Context, tx *postgres.Tx, sessions []session, members []member, at time.Time) (known, error) {
	return factsOf(ctx, tx, "FactsAt", sessions, members, at)
}

func factsOf(ctx context.Context, tx *postgres.Tx, statement string, sessions []session, members []member, at time.Time) (known, error) {
	var people, ids []string
	var begins []*time.Time
	for _, m := range members {
		if m.follows() {
			people = append(people, m.PersonID)
		}
	}
	for _, s := range sessions {
		ids, begins = append(ids, s.ID), append(begins, s.Begins)
	}
	var rows []fact
	if err := tx.Select(ctx, &rows, q.Q(statement), pq.Array(people), pq.Array(ids), pq.Array(begins), at); err != nil {
		return nil, err
	}
	out := known{}
	for _, f := range rows {
		if out[f.LearnerID] == nil {
			out[f.LearnerID] = map[string]fact{}
		}
		out[f.LearnerID][f.SessionID] = f
	}
	return out, nil
}
