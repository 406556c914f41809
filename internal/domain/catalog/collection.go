package catalog

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"cursus/internal/kernel/ident"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// Collection is a set of courses with a common pedagogical framework: the words of its working copy, or of what the public sees, and
// how both stand. Version numbers the words that are here.
type Collection struct {
	Key              string      `json:"key"`
	Title            Text        `json:"title"`
	Summary          Text        `json:"summary"`
	Version          int         `json:"version"`
	State            Publication `json:"state"`                       // of the working copy
	Visible          bool        `json:"visible"`                     // the public sees PublishedVersion
	PublishedVersion int         `json:"published_version,omitempty"` // 0: never published
	PublishedAt      *time.Time  `json:"published_at,omitempty"`
	By               string      `json:"written_by"`
	At               time.Time   `json:"written_at"`
}

type collectionRow struct {
	ID               string     `db:"id"`
	Key              string     `db:"key"`
	TitleEN          string     `db:"title_en"`
	TitleFR          string     `db:"title_fr"`
	SummaryEN        string     `db:"summary_en"`
	SummaryFR        string     `db:"summary_fr"`
	Version          int        `db:"version"`
	State            string     `db:"state"`
	Visible          bool       `db:"visible"`
	PublishedVersion int        `db:"published_version"`
	PublishedAt      *time.Time `db:"published_at"`
	By               string     `db:"written_by"`
	At               time.Time  `db:"written_at"`
}

func (r collectionRow) collection() Collection {
	return Collection{
		Key: r.Key, Title: Text{r.TitleEN, r.TitleFR}, Summary: Text{r.SummaryEN, r.SummaryFR}, Version: r.Version, State: Publication(r.State),
		Visible: r.Visible, PublishedVersion: r.PublishedVersion, PublishedAt: utc(r.PublishedAt), By: r.By, At: r.At.UTC(),
	}
}

func utc(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	u := t.UTC()
	return &u
}

// PutCollectionTx writes the words of a collection, whatever its version, and publishes them: the door of those who have no reader.
func PutCollectionTx(ctx context.Context, tx *postgres.Tx, c Collection) error {
	was, err := CollectionTx(ctx, tx, c.Key)
	if err != nil && !errors.Is(err, ErrNoCollection) {
		return err
	}
	if was.State == Archived {
		if _, err := MoveCollectionTx(ctx, tx, c.Key, Drafted, "", AnyVersion); err != nil {
			return err
		}
	}
	is, err := SaveCollectionTx(ctx, tx, c, AnyVersion)
	if err != nil {
		return err
	}
	for _, to := range []Publication{InReview, Published} {
		if is.State == Published {
			break
		}
		if is, err = MoveCollectionTx(ctx, tx, c.Key, to, "", AnyVersion); err != nil {
			return err
		}
	}
	return nil
}

// SaveCollectionTx writes the working copy of a collection, as its next version; one with a new key is made, unseen by the public.
// expected is the version that the caller read (AnyVersion, NoVersion): ErrCollection where another one stands there, ErrCollectionKey
// where a new one has the key of another. The very words that stand there change nothing. What was in review or published becomes a
// draft again; what is archived is not edited (ErrArchived).
func SaveCollectionTx(ctx context.Context, tx *postgres.Tx, c Collection, expected int) (Collection, error) {
	if err := checkText(c.Key, c.Title); err != nil {
		return c, err
	}
	if err := checkSummary(c.Summary); err != nil {
		return c, err
	}
	id, before, err := lockCollection(ctx, tx, c.Key)
	isNew := errors.Is(err, ErrNoCollection)
	if isNew && expected <= AnyVersion {
		if _, err := tx.Exec(ctx, q.Q("AddCollection"), ident.New("cln"), c.Key); err != nil {
			return c, err
		}
		// Somebody else may have made it meanwhile: then hers stands there.
		id, before, err = lockCollection(ctx, tx, c.Key)
		if isNew = errors.Is(err, ErrNoCollection); isNew {
			err = nil
		}
	}
	switch {
	case err != nil:
		return c, err
	case isNew:
	case expected == NoVersion:
		return c, ErrCollectionKey
	case expected != AnyVersion && expected != before.Version:
		return c, ErrCollection
	case before.Title == c.Title && before.Summary == c.Summary:
		return before, nil
	case before.State == Archived:
		return c, ErrArchived
	case before.State != Drafted:
		if err := MoveTx(ctx, tx, "collection", id, before.Version, before.State, Drafted, ""); err != nil {
			return c, err
		}
	}
	if _, err := tx.Exec(ctx, q.Q("WriteCollection"), id, before.Version+1, c.Title.EN, c.Title.FR, c.Summary.EN, c.Summary.FR, postgres.Actor(ctx), tx.Now()); err != nil {
		return c, err
	}
	after, err := CollectionTx(ctx, tx, c.Key)
	if err != nil {
		return c, err
	}
	return after, audit.AppendTx(ctx, tx, audit.Entry{Action: "collection.written", Object: "collection/" + c.Key, Before: audit.Was(!isNew, before), After: after})
}

// lockCollection keeps others from a collection until the transaction ends. The id is there also of one that was made in this
// transaction and has no words yet; the fault is ErrNoCollection then, too.
func lockCollection(ctx context.Context, tx *postgres.Tx, key string) (id string, c Collection, err error) {
	if err := tx.Get(ctx, &id, q.Q("LockCollection"), key); errors.Is(err, sql.ErrNoRows) {
		return "", c, ErrNoCollection
	} else if err != nil {
		return "", c, err
	}
	c, err = CollectionTx(ctx, tx, key)
	return id, c, err
}

// MoveCollectionTx moves the working copy of a collection to another state of publication. expected is the version that the caller
// read; AnyVersion for whatever stands there. A state that it has already is no move. Published, the public sees these words; what is archived is seen by nobody.
// Its courses have a state of their own, and are listed without it.
func MoveCollectionTx(ctx context.Context, tx *postgres.Tx, key string, to Publication, note string, expected int) (Collection, error) {
	id, c, err := lockCollection(ctx, tx, key)
	switch {
	case err != nil:
		return c, err
	case expected != AnyVersion && expected != c.Version:
		return c, ErrCollection
	case c.State == to:
		return c, nil
	}
	if err := MoveTx(ctx, tx, "collection", id, c.Version, c.State, to, note); err != nil {
		return c, err
	}
	if _, err := tx.Exec(ctx, q.Q("MoveCollection"), id, to, tx.Now()); err != nil {
		return c, err
	}
	return CollectionTx(ctx, tx, key)
}

func checkSummary(t Text) error {
	c := &checker{}
	c.text("/summary", t, false, maxSummary)
	return c.fault()
}

// CollectionsTx lists the working copies of the collections by key.
func CollectionsTx(ctx context.Context, tx *postgres.Tx) ([]Collection, error) {
	return collections(ctx, tx, "", false)
}

// PublicCollectionsTx lists the collections that the public sees by key, with the words that it sees.
func PublicCollectionsTx(ctx context.Context, tx *postgres.Tx) ([]Collection, error) {
	return collections(ctx, tx, "", true)
}

func collections(ctx context.Context, tx *postgres.Tx, key string, public bool) ([]Collection, error) {
	var rows []collectionRow
	err := tx.Select(ctx, &rows, q.Q("Collections"), key, public)
	out := make([]Collection, len(rows))
	for i, r := range rows {
		out[i] = r.collection()
		if public {
			out[i].Version = r.PublishedVersion
		}
	}
	return out, err
}

// CollectionTx finds the working copy of a collection by its key.
func CollectionTx(ctx context.Context, tx *postgres.Tx, key string) (Collection, error) {
	return collection(ctx, tx, key, false)
}

// PublicCollectionTx finds a collection by its key as the public sees it. ErrNoCollection where it does not.
func PublicCollectionTx(ctx context.Context, tx *postgres.Tx, key string) (Collection, error) {
	return collection(ctx, tx, key, true)
}

func collection(ctx context.Context, tx *postgres.Tx, key string, public bool) (Collection, error) {
	found, err := collections(ctx, tx, key, public)
	if err == nil && (key == "" || len(found) == 0) {
		return Collection{}, ErrNoCollection
	}
	if err != nil {
		return Collection{}, err
	}
	return found[0], nil
}

// CollectionPastTx is the versions of a collection's words before one (0: from the last), at most limit, and its moves; the newest first.
func CollectionPastTx(ctx context.Context, tx *postgres.Tx, key string, before, limit int) ([]Collection, []Move, error) {
	var ids []string
	if err := tx.Select(ctx, &ids, q.Q("CollectionID"), key); err != nil {
		return nil, nil, err
	}
	if len(ids) == 0 {
		return nil, nil, ErrNoCollection
	}
	var rows []collectionRow
	if err := tx.Select(ctx, &rows, q.Q("CollectionVersions"), ids[0], before, limit); err != nil {
		return nil, nil, err
	}
	versions := make([]Collection, len(rows))
	for i, r := range rows {
		versions[i] = r.collection()
	}
	moves, err := MovesTx(ctx, tx, "collection", ids[0])
	return versions, moves, err
}
