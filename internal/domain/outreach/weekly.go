package outreach

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lib/pq"

	"cursus/internal/domain/catalog"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/ident"
	"cursus/internal/platform/audit"
	"cursus/internal/platform/postgres"
)

// The standings of a learner in a running session. Silent is not started in the sense of the indicators: no score in any scored exercise.
// Behind has started and has not done some scored quiz of a week that is over; quizzes alone count, because they are what the free formula
// opens, and they are what diligence looks at, too. Who has the grade to succeed is on time whatever she left out.
const (
	OnTime = "on_time"
	Behind = "behind"
	Silent = "silent"
)

// Standings are all of them, in the order to show.
func Standings() []string { return []string{OnTime, Behind, Silent} }

// WeeklyMail is the weekly mail of a session. Its texts are by standing.
type WeeklyMail struct {
	Session string          `json:"session"` // key
	Enabled bool            `json:"enabled"`
	Weekday int             `json:"weekday"` // 1: Monday
	Hour    int             `json:"hour"`    // UTC
	Texts   map[string]Text `json:"texts"`
	Version int             `json:"-"` // 0: nobody has written one, and this is what is proposed
}

type weeklyRow struct {
	SessionID string `db:"session_id"`
	Key       string `db:"key"`
	Enabled   bool   `db:"enabled"`
	Weekday   int    `db:"weekday"`
	Hour      int    `db:"hour"`
	Texts     []byte `db:"texts"`
	Version   int    `db:"version"`
}

// WeeklyTx gives the weekly mail of a session; where there is none, the one that is proposed, which is off.
func WeeklyTx(ctx context.Context, tx *postgres.Tx, session string) (WeeklyMail, error) {
	s, err := catalog.SessionTx(ctx, tx, session)
	if err != nil {
		return WeeklyMail{}, err
	}
	var rows []weeklyRow
	if err := tx.Select(ctx, &rows, q.Q("Weekly"), s.ID); err != nil {
		return WeeklyMail{}, err
	}
	if len(rows) == 0 {
		return WeeklyMail{Session: s.Key, Weekday: 1, Hour: 7, Texts: proposed()}, nil
	}
	w := WeeklyMail{Session: s.Key, Enabled: rows[0].Enabled, Weekday: rows[0].Weekday, Hour: rows[0].Hour, Version: rows[0].Version}
	return w, json.Unmarshal(rows[0].Texts, &w.Texts)
}

// PutWeeklyTx writes the weekly mail of a session over the version that was read; 0 stands for none yet, and -1 for any. Error: ErrChanged.
func PutWeeklyTx(ctx context.Context, tx *postgres.Tx, session string, version int, w WeeklyMail) error {
	s, err := catalog.SessionTx(ctx, tx, session)
	if err != nil {
		return err
	}
	var wrong []fault.Field
	if w.Weekday < 1 || w.Weekday > 7 {
		wrong = append(wrong, fault.Field{Pointer: "/weekday", Code: "out-of-range", Detail: "1, which is Monday, to 7."})
	}
	if w.Hour < 0 || w.Hour > 23 {
		wrong = append(wrong, fault.Field{Pointer: "/hour", Code: "out-of-range", Detail: "0 to 23."})
	}
	for _, standing := range Standings() {
		wrong = append(wrong, w.Texts[standing].wrong(Weekly, "/texts/"+standing)...)
	}
	if len(wrong) > 0 {
		return fault.InvalidInput(wrong...)
	}
	texts, err := json.Marshal(map[string]Text{OnTime: w.Texts[OnTime], Behind: w.Texts[Behind], Silent: w.Texts[Silent]})
	if err != nil {
		return err
	}
	if err := audit.HoldTx(ctx, tx, "weekly/"+s.ID); err != nil {
		return err
	}
	before, err := WeeklyTx(ctx, tx, s.ID)
	if err != nil {
		return err
	}
	w.Session = s.Key
	n, err := tx.Exec(ctx, q.Q("PutWeekly"), s.ID, w.Enabled, w.Weekday, w.Hour, texts, version, postgres.Author(ctx), tx.Now())
	if err != nil {
		return err
	}
	if n == 0 {
		return ErrChanged
	}
	return audit.AppendTx(ctx, tx, audit.Entry{Action: "weekly_mail.changed", Object: s.ID, Before: before, After: w})
}

// moment is when the weekly mail of this ISO week is due.
func (r weeklyRow) moment(now time.Time) time.Time {
	y, m, d := now.UTC().Date()
	monday := d - (int(now.UTC().Weekday())+6)%7
	return time.Date(y, m, monday+r.Weekday-1, r.Hour, 0, 0, 0, time.UTC)
}

// stale is how late a weekly mail may be: after that it is not sent that week.
const stale = 24 * time.Hour

// AskWeekly begins the weekly mails whose time has come, once per session and week, and gives how many. One that is a day late is left out.
func (s *Service) AskWeekly(ctx context.Context) (n int, err error) {
	ctx = asSystem(ctx)
	var due []weeklyRow
	if err := s.db.View(ctx, "weekly mails", func(ctx context.Context, tx *postgres.Tx) error {
		due = nil
		return tx.Select(ctx, &due, q.Q("WeeklyRunning"), tx.Now())
	}); err != nil {
		return 0, err
	}
	var errs []error
	for _, w := range due {
		begun := false
		errs = append(errs, s.db.InTx(ctx, "weekly mail", func(ctx context.Context, tx *postgres.Tx) (err error) {
			begun, err = s.weekTx(ctx, tx, w)
			return err
		}))
		if begun {
			n++
		}
	}
	return n, errors.Join(errs...)
}

type standingRow struct {
	PersonID  string         `db:"learner_id"`
	Started   bool           `db:"started"`
	Succeeded bool           `db:"succeeded"`
	Missing   pq.StringArray `db:"missing"` // quizzes not done of the weeks that are over
	Open      pq.StringArray `db:"open"`    // and of this week
}

// shown is how many exercises a mail names.
const shown = 3

func (r standingRow) stand(week int) (string, Facts) {
	f := Facts{Week: week, Missing: len(r.Missing)}
	f.Next = slices.Concat(r.Missing, r.Open)
	f.Next = f.Next[:min(len(f.Next), shown)]
	switch {
	case r.Succeeded:
		return OnTime, f
	case !r.Started:
		return Silent, f
	case len(r.Missing) > 0:
		return Behind, f
	}
	return OnTime, f
}

// weekTx begins the mail of this week, unless it was begun already or is not due.
func (s *Service) weekTx(ctx context.Context, tx *postgres.Tx, w weeklyRow) (bool, error) {
	session, err := catalog.SessionTx(ctx, tx, w.SessionID)
	if err != nil {
		return false, err
	}
	now, at := tx.Now(), w.moment(tx.Now())
	if now.Before(at) || !now.Before(at.Add(stale)) || session.StartsAt == nil || at.Before(*session.StartsAt) {
		return false, nil
	}
	year, iso := at.ISOWeek()
	id, label := ident.New("cmp"), fmt.Sprintf("%d-W%02d", year, iso)
	added, err := tx.Exec(ctx, q.Q("AddOccasion"), id, Weekly, session.Key+" "+label, "weekly/"+w.SessionID+"/"+label, w.SessionID, w.Texts, 0, "system", now)
	if err != nil || added == 0 {
		return false, err
	}
	week := int(at.Sub(*session.StartsAt)/(7*24*time.Hour)) + 1
	var rows []standingRow
	if err := tx.Select(ctx, &rows, q.Q("Standings"), w.SessionID, week); err != nil {
		return false, err
	}
	people := make([]string, len(rows))
	for i, r := range rows {
		people[i] = r.PersonID
	}
	audience, err := audienceTx(ctx, tx, people)
	if err != nil {
		return false, err
	}
	of := make(map[string]standingRow, len(rows))
	for _, r := range rows {
		of[r.PersonID] = r
	}
	for i := range audience {
		standing, facts := of[audience[i].PersonID].stand(week)
		b, err := json.Marshal(facts)
		if err != nil {
			return false, err
		}
		audience[i].Standing, audience[i].facts = standing, string(b)
	}
	if err := snapshotTx(ctx, tx, id, Weekly, audience); err != nil {
		return false, err
	}
	return true, s.jobs.EnqueueTx(ctx, tx, Due{})
}

// proposed are the texts that a session begins with.
func proposed() map[string]Text {
	return map[string]Text{
		OnTime: {
			EN: Words{"{title}: week {week}", []string{"Hello {name},", "you have done everything so far. This week: {next}."}, "Go on"},
			FR: Words{"{title} : semaine {week}", []string{"Bonjour {name},", "vous avez tout fait jusqu’ici. Cette semaine : {next}."}, "Continuer"},
		},
		Behind: {
			EN: Words{"{title}: week {week}, and what is left", []string{"Hello {name},", "exercises of past weeks that you have not done yet: {missing}. They count, and you can still do them. Begin with: {next}."}, "Catch up"},
			FR: Words{"{title} : semaine {week}, et ce qui reste", []string{"Bonjour {name},", "exercices des semaines passées que vous n’avez pas encore faits : {missing}. Ils comptent, et vous pouvez encore les faire. Commencez par : {next}."}, "Rattraper"}, //nolint:misspell // French
		},
		Silent: {
			EN: Words{"{title} has begun", []string{"Hello {name},", "the course is in its week {week}, and it waits for you. The first step is short: {next}."}, "Begin"},
			FR: Words{"{title} a commencé", []string{"Bonjour {name},", "le cours en est à sa semaine {week} et vous attend. Le premier pas est court : {next}."}, "Commencer"},
		},
	}
}
