package gradebook

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"

	"cursus/internal/platform/postgres"
)

// What became of a row of an intake, beside the changes of learners.
const (
	RowRejected = "rejected" // Code says why
	RowIgnored  = "ignored"  // of no concern here; Code says why
)

// RowOutcome is what became of a row of an intake: it changed something of a learner, or it was not taken. A row that says what the books say has none.
// Line is 0 of a learner whom the file does not name. Nobody's name stands in it.
type RowOutcome struct {
	Line        int    `json:"l,omitempty"`
	Column      int    `json:"k,omitempty"`
	Outcome     string `json:"o"`
	Code        string `json:"c,omitempty"`
	Detail      string `json:"-"`
	EnrolmentID string `json:"e,omitempty"`
	First       int    `json:"f,omitempty"`
	Raised      int    `json:"r,omitempty"`
	Lowered     int    `json:"w,omitempty"`
	Dropped     int    `json:"d,omitempty"`
}

// packOutcomes writes what became of the rows that were taken or passed over, for ever; those that were rejected have a table.
func packOutcomes(c Collection) ([]byte, error) {
	all := make([]RowOutcome, 0, len(c.Learners)+len(c.Ignored))
	for _, l := range c.Learners {
		all = append(all, RowOutcome{Line: l.Line, Outcome: l.Change, EnrolmentID: l.EnrolmentID, First: l.First, Raised: l.Raised, Lowered: l.Lowered, Dropped: l.Dropped})
	}
	for _, x := range c.Ignored {
		all = append(all, RowOutcome{Line: x.Line, Column: x.Column, Outcome: RowIgnored, Code: x.Code})
	}
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	if err := json.NewEncoder(z).Encode(all); err != nil {
		return nil, err
	}
	err = z.Close()
	return b.Bytes(), err
}

// OutcomesTx lists what became of the rows of an intake, in their order. Of one that came before this was kept it is those that were rejected.
// Error: ErrNoCollection.
func OutcomesTx(ctx context.Context, tx *postgres.Tx, sessionID, id string) (all []RowOutcome, err error) {
	var packed []byte
	if err := tx.Get(ctx, &packed, q.Q("OutcomesOf"), sessionID, id); errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNoCollection
	} else if err != nil {
		return nil, err
	}
	raw, err := unpack(packed)
	if err != nil {
		return nil, err
	}
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &all); err != nil {
			return nil, err
		}
	}
	var rejects []Reject
	if err := tx.Select(ctx, &rejects, q.Q("AllRejects"), id); err != nil {
		return nil, err
	}
	for _, x := range rejects {
		all = append(all, RowOutcome{Line: x.Line, Column: x.Column, Outcome: RowRejected, Code: x.Code, Detail: x.Detail})
	}
	slices.SortStableFunc(all, func(a, b RowOutcome) int {
		return cmp.Or(a.Line-b.Line, cmp.Compare(a.EnrolmentID, b.EnrolmentID))
	})
	return all, nil
}
