package catalog

import (
	"context"
	"database/sql"
	"errors"

	"cursus/internal/kernel/ident"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// Collection is a set of courses with a common pedagogical framework.
type Collection struct {
	Key     string `json:"key"`
	Title   Text   `json:"title"`
	Summary Text   `json:"summary"`
	Version int    `json:"version"`
}

type collectionRow struct {
	Key       string `db:"key"`
	TitleEN   string `db:"title_en"`
	TitleFR   string `db:"title_fr"`
	SummaryEN string `db:"summary_en"`
	SummaryFR string `db:"summary_fr"`
	Version   int    `db:"version"`
}

func (r collectionRow) collection() Collection {
	return Collection{r.Key, Text{r.TitleEN, r.TitleFR}, Text{r.SummaryEN, r.SummaryFR}, r.Version}
}

// PutCollectionTx makes a collection or rewrites the one with this key, whatever its version.
func PutCollectionTx(ctx context.Context, tx *postgres.Tx, c Collection) error {
	_, err := SaveCollectionTx(ctx, tx, c, AnyVersion)
	return err
}

// SaveCollectionTx writes a collection; one with a new key is made. expected is the version that the caller read (AnyVersion,
// NoVersion): ErrCollection where another one stands there, ErrCollectionKey where a new one has the key of another. The very words that
// stand there change nothing.
func SaveCollectionTx(ctx context.Context, tx *postgres.Tx, c Collection, expected int) (Collection, error) {
	if err := checkText(c.Key, c.Title); err != nil {
		return c, err
	}
	if err := checkSummary(c.Summary); err != nil {
		return c, err
	}
	before, err := CollectionTx(ctx, tx, c.Key)
	isNew := errors.Is(err, ErrNoCollection)
	if err != nil && (!isNew || expected > 0) {
		return c, err
	}
	if !isNew && expected == NoVersion {
		return c, ErrCollectionKey
	}
	if isNew {
		if _, err := tx.Exec(ctx, q.Q("AddCollection"), ident.New("cln"), c.Key, c.Title.EN, c.Title.FR, c.Summary.EN, c.Summary.FR); err != nil {
			return c, err
		}
	}
	n, err := tx.Exec(ctx, q.Q("ChangeCollection"), c.Key, c.Title.EN, c.Title.FR, c.Summary.EN, c.Summary.FR, max(expected, AnyVersion))
	if err != nil {
		return c, err
	}
	if n == 0 {
		return c, ErrCollection
	}
	after, err := CollectionTx(ctx, tx, c.Key)
	if err != nil || after == before {
		return after, err
	}
	return after, audit.AppendTx(ctx, tx, audit.Entry{Action: "collection.written", Object: "collection/" + c.Key, Detail: after})
}

func checkSummary(t Text) error {
	c := &checker{}
	c.text("/summary", t, false, maxSummary)
	return c.fault()
}

// CollectionsTx lists the collections by key.
func CollectionsTx(ctx context.Context, tx *postgres.Tx) ([]Collection, error) {
	var rows []collectionRow
	err := tx.Select(ctx, &rows, q.Q("Collections"))
	out := make([]Collection, len(rows))
	for i, r := range rows {
		out[i] = r.collection()
	}
	return out, err
}

// CollectionTx finds a collection by its key.
func CollectionTx(ctx context.Context, tx *postgres.Tx, key string) (Collection, error) {
	var r collectionRow
	err := tx.Get(ctx, &r, q.Q("Collection"), key)
	if errors.Is(err, sql.ErrNoRows) {
		return Collection{}, ErrNoCollection
	}
	return r.collection(), err
}
