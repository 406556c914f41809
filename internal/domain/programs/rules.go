package programs

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"

	"cursus/internal/platform/postgres"
)

// Rules are a content made ready for the engine: what does not depend on the learner is worked out once. Nobody writes to them.
type Rules struct {
	Content Content
	courses []CourseRule
	place   map[string]int // of a course among courses
	leaves  []Node         // courses and workshops
	byKey   map[string]Node
	totals  Totals
}

// Compile makes rules of a content that is valid.
func Compile(c Content) *Rules {
	r := &Rules{Content: c, courses: c.Courses(), totals: c.Totals(), byKey: c.byKey()}
	walk(c.Parts, "", func(n Node, _ string) {
		if n.Group == nil {
			r.leaves = append(r.leaves, n)
		}
	})
	r.place = make(map[string]int, len(r.courses))
	for i, course := range r.courses {
		r.place[course.Key] = i
	}
	return r
}

// VersionRef names a version of a program. Published tells it from one of the same number that was never committed.
type VersionRef struct {
	ProgramID string
	Number    int
	Published time.Time
}

// keptRules keeps the rules of the versions that were asked for: a version never changes. When it is full it begins anew.
var keptRules = struct {
	sync.RWMutex
	of map[VersionRef]*Rules
}{of: map[VersionRef]*Rules{}}

const maxKeptRules = 200

// RulesTx gives the rules of a version, which must not be written to. Error: ErrNoVersion.
func RulesTx(ctx context.Context, tx *postgres.Tx, v VersionRef) (*Rules, error) {
	v.Published = v.Published.UTC()
	keptRules.RLock()
	r := keptRules.of[v]
	keptRules.RUnlock()
	if r != nil {
		return r, nil
	}
	version, err := VersionTx(ctx, tx, v.ProgramID, v.Number)
	if err != nil {
		return nil, err
	}
	r = Compile(version.Content)
	tx.Committed(func() { // what a transaction takes back was never published
		keptRules.Lock()
		defer keptRules.Unlock()
		if len(keptRules.of) >= maxKeptRules {
			clear(keptRules.of)
		}
		keptRules.of[v] = r
	})
	return r, nil
}

// RulesOfTx gives the rules that an edition is followed by.
func RulesOfTx(ctx context.Context, tx *postgres.Tx, e Edition) (*Rules, error) {
	v := VersionRef{ProgramID: e.ProgramID, Number: e.Version}
	err := tx.Get(ctx, &v.Published, q.Q("VersionPublished"), e.ProgramID, e.Version)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNoVersion
	}
	if err != nil {
		return nil, err
	}
	return RulesTx(ctx, tx, v)
}
