package gradebook

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/lib/pq"

	"cursus/internal/books/journey"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/enrolment"
	"cursus/internal/kernel/ident"
	"cursus/internal/kernel/sheet"
	"cursus/internal/platform/postgres"
)

// Intake is a file to import. A zero CollectedAt is read from the file name; what says when each thing happened needs none.
type Intake struct {
	SessionID   string
	FileName    string
	CollectedAt time.Time
	Content     []byte
	Source      sheet.Source       // in place of Content, of a file that is too large to be held
	Only        Kind               // refuse anything else; empty: nothing is refused
	DryRun      bool               // say what would change, and change nothing
	Mappings    []Mapping          // what its columns are, decided before it is taken in
	Progress    func(done, of int) // is told of each step; nil: nobody
	Via         string             // by which way it came: page, api, command or pull
}

var errDryRun = errors.New("dry run")

// file is an intake that was read.
type file struct {
	Intake
	report      Report
	packed, sum []byte
	size        int64
}

// read reads an intake, and refuses what it is not asked to be.
func (in Intake) read() (f file, err error) {
	in.FileName = filepath.Base(in.FileName)
	src := in.Source
	if src == nil {
		src = sheet.Bytes(in.Content)
		f.report, err = Parse(in.Content)
	} else {
		f.report, err = Read(src)
	}
	if err != nil {
		return f, err
	}
	if in.Only != "" && f.report.Kind != in.Only {
		return f, ErrOtherKind.Detailf("This is a %s, not a %s.", f.report.Kind, in.Only)
	}
	in.CollectedAt = in.CollectedAt.Truncate(time.Microsecond) // as the books are
	if in.CollectedAt.IsZero() {
		in.CollectedAt, _ = sheet.MadeAt(in.FileName)
	}
	if in.CollectedAt.IsZero() && f.report.Kind != XAPI { // a statement says when it happened
		return f, ErrNoTime
	}
	f.Intake = in
	f.packed, f.sum, f.size, err = pack(src)
	return f, err
}

// Import takes an intake of any kind in, once: the same bytes again do nothing and say so. Rows that cannot be read are listed and left
// out; the learners of such rows keep what they had. Errors: the faults of this room and catalog.ErrNoSession.
func (s *Service) Import(ctx context.Context, in Intake) (c Collection, err error) {
	f, err := in.read()
	if err != nil {
		return c, err
	}
	err = s.db.InTx(postgres.WithOwnPlans(ctx), "import grades", func(ctx context.Context, tx *postgres.Tx) (err error) {
		if c, err = s.takeTx(ctx, tx, f); err == nil && in.DryRun && !c.Replayed {
			return errDryRun
		}
		return err
	})
	if errors.Is(err, errDryRun) {
		err = nil
	}
	return c, err
}

// ImportTx is Import within a transaction. Who asks for a dry run has to take the transaction back.
func (s *Service) ImportTx(ctx context.Context, tx *postgres.Tx, in Intake) (Collection, error) {
	f, err := in.read()
	if err != nil {
		return Collection{}, err
	}
	return s.takeTx(ctx, tx, f)
}

func (s *Service) takeTx(ctx context.Context, tx *postgres.Tx, f file) (Collection, error) {
	c, err := importTx(ctx, tx, f)
	if err != nil || c.Replayed || f.DryRun {
		return c, err
	}
	return c, s.jobs.EnqueueTx(ctx, tx, Imported{c.sessionID, c.ID})
}

// intake is one import under way: what the books say of the learners whom it concerns, and the changes that it makes.
type intake struct {
	tx         *postgres.Tx
	people     people
	collection Collection
	report     Report
	session    catalog.Session
	at         time.Time
	rank       int
	later      []laterReport // the snapshots after the first instant of this one
	columns    map[Column]int
	ids        []int // of the report's columns
	rules      rules
	by         mapped
	exercises  []catalog.Exercise        // the map of the session
	missing    []string                  // of the map and of earlier intakes, what this one has not
	told       map[string]*LearnerChange // of whom this intake changes something, by enrolment
	enrolments map[string]string         // person → enrolment
	members    map[string]bool           // enrolments that were in an intake of this session before
	rows       []string                  // enrolment of each row
	events     []string                  // and of each event
	fresh      map[string]bool           // enrolments that this intake made
	assumed    map[string][]time.Time    // since when somebody is taken to be enrolled because she has a score
	reassumed  map[string]bool           // of whom that changed
	spoken     map[string]bool           // of whom this intake says whether she is enrolled

	cells   map[string]map[int]timeline[int64]
	stages  map[string]map[journey.Stage]timeline[bool]
	cohorts map[string]timeline[string]

	changes                             []journey.Change
	added                               newCells
	cohortIDs, cohortTimes, cohortNames []string
}

func importTx(ctx context.Context, tx *postgres.Tx, f file) (Collection, error) {
	in, r := f.Intake, f.report
	session, err := catalog.SessionTx(ctx, tx, in.SessionID)
	if err != nil {
		return Collection{}, err
	}
	if _, err := tx.Exec(ctx, q.Q("LockSession"), session.ID); err != nil {
		return Collection{}, err
	}
	var c Collection
	if err := tx.Get(ctx, &c, q.Q("CollectionByContent"), session.ID, f.sum); !errors.Is(err, sql.ErrNoRows) {
		c.Replayed = true
		return c, err
	}
	if session, err = catalog.LockSessionTx(ctx, tx, session.ID); err != nil { // its threshold is not edited meanwhile
		return Collection{}, err
	}
	if in.CollectedAt.IsZero() {
		in.CollectedAt = tx.Now().Truncate(time.Microsecond)
	}
	k := &intake{tx: tx, people: people{tx, session.Platform}, session: session, at: in.CollectedAt, rank: r.Kind.rank(), collection: Collection{
		sessionID: session.ID, ID: ident.New("col"), CollectedAt: in.CollectedAt, FileName: in.FileName, RecordedAt: tx.Now(), Kind: r.Kind, Family: r.Family, Origin: clip(postgres.Author(ctx)), Via: in.Via, Bytes: f.size, SHA256: hex.EncodeToString(f.sum),
		RowsRead: len(r.Rows) + len(r.Rejects) + len(r.Ignored) + len(r.Issued) + len(r.Known),
	}}
	if r.Kind.rank() < 0 && len(r.Rows) == 0 {
		k.collection.RowsRead += len(r.Events)
	}
	if err := k.accept(ctx, r); err != nil {
		return Collection{}, err
	}
	said, err := mapColumnsTx(ctx, tx, session.ID, in.Mappings)
	if err != nil {
		return Collection{}, err
	}
	if k.exercises, err = catalog.ExercisesTx(ctx, tx, session.ID); err != nil {
		return Collection{}, err
	}
	asked := undecided(said, k.report, k.exercises)
	k.by = said.holding()
	if err := k.by.read(&k.report); err != nil {
		return Collection{}, err
	}
	steps := []func(context.Context) error{k.prepareColumns, k.enrol, k.doubt, k.readLater, k.readPast, k.compare}
	for i, do := range steps {
		if in.Progress != nil {
			in.Progress(i+1, len(steps)+1)
		}
		if err := do(ctx); err != nil {
			return Collection{}, err
		}
	}
	if in.Progress != nil {
		in.Progress(len(steps), len(steps)+1)
	}
	if len(k.ids) > 0 {
		if err := catalog.GradedTx(ctx, tx, session.ID); err != nil {
			return Collection{}, err
		}
	}
	k.collection.Questions = k.questions(asked)
	if k.collection.Learners, err = k.differences(ctx); err != nil {
		return Collection{}, err
	}
	return k.collection, k.write(ctx, f.sum, f.packed)
}

// accept keeps of the events those that are of this session, not of the future and not taken before.
func (k *intake) accept(ctx context.Context, r Report) error {
	r.settle(k.at)
	var ids []string
	seen := map[string]bool{}
	events := r.Events[:0:0]
	for _, e := range r.Events {
		if e.At.IsZero() {
			e.At = k.at
		}
		switch code := e.refused(k.session, k.at); {
		case code != "":
			r.Rejects = append(r.Rejects, Reject{Line: e.line, Column: 1, Code: code, Detail: refusals[code], Subject: e.Key, ID: e.id})
		case e.id != "" && seen[e.id]:
			r.Ignored = append(r.Ignored, Reject{Line: e.line, Code: Duplicate, ID: e.id})
			k.collection.Duplicates++
		default:
			if e.id != "" {
				seen[e.id] = true
				ids = append(ids, e.id)
			}
			events = append(events, e)
		}
	}
	if len(ids) > 0 {
		var taken []string
		slices.Sort(ids)
		if err := k.tx.Select(ctx, &taken, q.Q("AddStatements"), k.session.ID, pq.Array(ids), k.collection.ID); err != nil {
			return err
		}
		first := make(map[string]bool, len(taken))
		for _, id := range taken {
			first[id] = true
		}
		events = slices.DeleteFunc(events, func(e Event) bool {
			if e.id == "" || first[e.id] {
				return false
			}
			r.Ignored = append(r.Ignored, Reject{Line: e.line, Code: Duplicate, ID: e.id})
			k.collection.Duplicates++
			return true
		})
	}
	r.Events = events
	r.Issued = slices.DeleteFunc(slices.Clone(r.Issued), func(x Issued) bool {
		other := x.course != "" && k.session.PlatformKey != "" && x.course != k.session.PlatformKey
		if other {
			r.Rejects = append(r.Rejects, Reject{Line: x.line, Column: 1, Code: "other-course", Detail: "The count is of another course."})
		}
		return other
	})
	slices.SortStableFunc(r.Rejects, func(a, b Reject) int { return a.Line - b.Line })
	slices.SortStableFunc(r.Ignored, func(a, b Reject) int { return a.Line - b.Line })
	k.report = r
	k.collection.Rejects, k.collection.RowsRejected, k.collection.Ignored, k.collection.LinesIgnored = r.Rejects, len(r.Rejects), r.Ignored, len(r.Ignored)
	return nil
}

// refusals say why an event is not taken.
var refusals = map[string]string{"other-course": "The statement is of another course.", "in-the-future": "It is of a time after the collection."}

// refused gives the code of the reason for which an event is not taken in by a collection of a time; "": it is.
func (e Event) refused(s catalog.Session, collected time.Time) string {
	switch {
	case e.course != "" && s.PlatformKey != "" && e.course != s.PlatformKey:
		return "other-course"
	case e.At.After(collected):
		return "in-the-future"
	}
	return ""
}

// Duplicate says of a statement that it came before.
const Duplicate = "duplicate"

// enrol gives the enrolment of each row and event, making learners, enrolments and members as needed.
func (k *intake) enrol(ctx context.Context) error {
	r := &k.report
	if err := k.people.alias(ctx, r.Known); err != nil {
		return err
	}
	all := make([]learner, 0, len(r.Rows)+len(r.Events))
	for _, row := range r.Rows {
		all = append(all, row.learner())
	}
	for _, e := range r.Events {
		l := learner{any: e.Key, name: e.Username}
		if r.Kind == Profiles {
			l = learner{id: e.Key}
		}
		all = append(all, l)
	}
	if err := k.passOver(ctx, &all); err != nil {
		return err
	}
	people, err := k.people.meet(ctx, all)
	if err != nil {
		return err
	}
	since := map[string]time.Time{}
	for i := range r.Rows {
		since[people[i]] = k.at
	}
	for i, e := range r.Events { // she was here at the latest when she did something
		person := people[len(r.Rows)+i]
		if first, there := since[person]; !there || e.At.Before(first) {
			since[person] = e.At
		}
	}
	enrolments, fresh, err := enrolment.ImportTx(ctx, k.tx, k.session.ID, slices.Sorted(maps.Keys(since)), func(id string) time.Time { return since[id] }, k.collection.ID)
	if err != nil {
		return err
	}
	k.fresh, k.collection.LearnersNew = fresh, len(fresh)
	for i := range people {
		if id := enrolments[people[i]]; i < len(r.Rows) {
			k.rows = append(k.rows, id)
		} else {
			k.events = append(k.events, id)
		}
	}
	var members []member
	if err := k.tx.Select(ctx, &members, q.Q("Members"), k.session.ID); err != nil {
		return err
	}
	k.enrolments, k.members, k.assumed, k.reassumed, k.spoken = enrolments, make(map[string]bool, len(members)), map[string][]time.Time{}, map[string]bool{}, map[string]bool{}
	k.told = map[string]*LearnerChange{}
	for _, m := range members {
		k.enrolments[m.LearnerID], k.members[m.EnrolmentID] = m.EnrolmentID, true
		for _, at := range m.Assumed {
			t, err := time.Parse(time.RFC3339Nano, at)
			if err != nil {
				return err
			}
			k.assumed[m.EnrolmentID] = append(k.assumed[m.EnrolmentID], t)
		}
	}
	return nil
}

// member is who was in an intake of the session before.
type member struct {
	EnrolmentID string         `db:"enrolment_id"`
	LearnerID   string         `db:"learner_id"`
	Assumed     pq.StringArray `db:"assumed"`
}

// passOver leaves out who is on a list of a platform, has left there, and was never with us.
func (k *intake) passOver(ctx context.Context, all *[]learner) error {
	if k.report.Kind != Pulled {
		return nil
	}
	known, err := k.people.find(ctx, *all)
	if err != nil {
		return err
	}
	rows, learners := k.report.Rows[:0:0], (*all)[:0:0]
	for i, row := range k.report.Rows {
		if known[i] == "" && row.Subject == "" && !row.Enrolled {
			k.collection.LinesIgnored++
			continue
		}
		rows, learners = append(rows, row), append(learners, (*all)[i])
	}
	k.report.Rows, *all = rows, learners
	return nil
}
