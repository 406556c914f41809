package analytics

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"cursus/internal/books/journey"
	"cursus/internal/domain/catalog"
	"cursus/internal/kernel/money"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
)

// Listed is somebody on a list, by enrolment.
type Listed struct {
	EnrolmentID string      `json:"enrolment_id" db:"enrolment_id"`
	LearnerID   string      `json:"learner_id" db:"learner_id"`
	Name        string      `json:"name" db:"name"`
	Session     string      `json:"session" db:"session"`
	Since       time.Time   `json:"since" db:"since"` // the stage of the list; money that went back; the last work of those behind or at risk
	Reasons     []string    `json:"reasons" db:"-"`   // weeks_missed, idle, low_scores
	WeeksMissed int64       `json:"weeks_missed" db:"missed"`
	Money       []PaidMoney `json:"money" db:"-"`
	Idle        bool        `json:"-" db:"idle"`
	Low         bool        `json:"-" db:"low"`
	SessionID   string      `json:"-" db:"session_id"`

	reached int // what held of it
}

// PaidMoney is what an enrolment brought, in one currency.
type PaidMoney struct {
	Gross money.Amount `json:"gross"`
	Back  money.Amount `json:"back"` // refunds and lost disputes
	Net   money.Amount `json:"net"`
}

// WhoIsListed asks for a list. An empty Session is all that are open at the time, or, with Of "all", all.
type WhoIsListed struct {
	List, Session, Of string
	AsOf, KnownAt     time.Time

	counted bool // nobody asks who they are
}

// sessionsTx are the sessions asked for.
func (w WhoIsListed) sessionsTx(ctx context.Context, tx *postgres.Tx) (sessions []catalog.Glimpse, err error) {
	if w.Session != "" {
		s, err := catalog.GlimpseTx(ctx, tx, w.Session, w.KnownAt)
		return []catalog.Glimpse{s}, err
	}
	all, err := catalog.GlimpsesTx(ctx, tx, w.KnownAt)
	return slices.DeleteFunc(all, func(s catalog.Glimpse) bool { return w.Of != "all" && !openAt(tx, s, w.AsOf) }), err
}

// ListedTx lists who is on a list, by session and enrolment, a page at a time. Errors: catalog.ErrNoSession, a fault of input for an unknown list, and
// page.ErrCursor.
func ListedTx(ctx context.Context, tx *postgres.Tx, w WhoIsListed, p page.Request) (all []Listed, next string, err error) {
	sessions, err := w.sessionsTx(ctx, tx)
	if err != nil {
		return nil, "", err
	}
	l, err := listOf(w.List)
	if err != nil {
		return nil, "", err
	}
	after := place{}
	if p.After != "" {
		var whole bool
		if after.session, after.enrolment, whole = strings.Cut(p.After, "/"); !whole {
			return nil, "", page.ErrCursor
		}
	}
	if all, err = w.pageTx(ctx, tx, l, idsOf(sessions), after, p.Limit+1); err != nil {
		return nil, "", err
	}
	if len(all) > p.Limit {
		all = all[:p.Limit]
		next = all[p.Limit-1].SessionID + "/" + all[p.Limit-1].EnrolmentID
	}
	return all, next, w.moneyTx(ctx, tx, all)
}

// place is after whom a page begins.
type place struct{ session, enrolment string }

func listOf(id string) (certificateList, error) {
	for _, l := range certificateLists() {
		if l.id == id {
			return l, nil
		}
	}
	return certificateList{}, badParam("list", "There is no such list.")
}

// pageTx is who is on a list after a place, without the money. Sessions are gone through in their order, more at a time the fewer are found, so that
// neither a long list nor an empty one costs more than its page.
func (w WhoIsListed) pageTx(ctx context.Context, tx *postgres.Tx, l certificateList, sessions []string, after place, limit int) (all []Listed, err error) {
	slices.Sort(sessions)
	from, _ := slices.BinarySearch(sessions, after.session)
	sessions, all = sessions[from:], []Listed{}
	for size := 1; len(sessions) > 0 && len(all) < limit; size *= 4 {
		some := sessions[:min(size, len(sessions))]
		sessions = sessions[len(some):]
		if some, err = w.begunTx(ctx, tx, some); err != nil {
			return nil, err
		}
		room := limit - len(all)
		members, err := w.membersTx(ctx, tx, l, some, after, &room)
		if err != nil {
			return nil, err
		}
		listed, err := w.listedTx(ctx, tx, l, members, &room)
		if err != nil {
			return nil, err
		}
		all = append(all, listed...)
	}
	return all, nil
}

// begunTx are those of some sessions of which something was true at the time: of a year ago most sessions of today say nothing.
func (w WhoIsListed) begunTx(ctx context.Context, tx *postgres.Tx, sessions []string) (begun []string, err error) {
	if w.AsOf.IsZero() || len(sessions) < 2 {
		return sessions, nil
	}
	err = tx.Select(ctx, &begun, q.Q("Begun"), array(sessions), w.AsOf)
	return begun, err
}

// allTx is who is on a list in some sessions, without the money.
func (w WhoIsListed) allTx(ctx context.Context, tx *postgres.Tx, l certificateList, sessions []string) (all []Listed, err error) {
	members, err := w.membersTx(ctx, tx, l, sessions, place{}, nil)
	if err != nil {
		return nil, err
	}
	return w.listedTx(ctx, tx, l, members, nil)
}

// listedTx is who of those whose state is what the list asks for is on it.
func (w WhoIsListed) listedTx(ctx context.Context, tx *postgres.Tx, l certificateList, members []member, limit *int) (all []Listed, err error) {
	ids, of, states := make([]string, len(members)), make([]string, len(members)), map[string]int{}
	for i, m := range members {
		ids[i], of[i], states[m.EnrolmentID] = m.EnrolmentID, m.SessionID, m.Reached
	}
	all = []Listed{}
	if len(ids) == 0 {
		return all, nil
	}
	err = tx.Select(ctx, &all, q.Q("Listed"), array(ids), given(w.AsOf), given(w.KnownAt), cmp.Or(l.judged, l.id), l.since, limit, idleDays, lastScores, lowBillions, riskSigns,
		array(of), !w.counted)
	for i := range all {
		x := &all[i]
		x.Since, x.reached = x.Since.UTC(), states[x.EnrolmentID]
		if l.id == BehindSchedule && l.judged == "" { // the other signs are none of its business
			x.Idle, x.Low = false, false
		}
		x.reasons()
	}
	return all, err
}

// reasons says in words that do not change why she is on a list that judges her work.
func (l *Listed) reasons() {
	l.Reasons = []string{}
	for _, r := range []struct {
		reason string
		holds  bool
	}{{"weeks_missed", l.WeeksMissed > 0}, {"idle", l.Idle}, {"low_scores", l.Low}} {
		if r.holds {
			l.Reasons = append(l.Reasons, r.reason)
		}
	}
}

// studyingTx is who is behind schedule and who is at risk, which are judged together: both are of those who study.
func (w WhoIsListed) studyingTx(ctx context.Context, tx *postgres.Tx, l certificateList, sessions []string) (behind, risk []Listed, err error) {
	l.judged = "studies"
	all, err := w.allTx(ctx, tx, l, sessions)
	if err != nil {
		return nil, nil, err
	}
	all = slices.DeleteFunc(all, func(x Listed) bool { return x.WeeksMissed == 0 && len(x.Reasons) < riskSigns })
	if err := w.moneyTx(ctx, tx, all); err != nil {
		return nil, nil, err
	}
	for _, x := range all {
		if x.WeeksMissed > 0 {
			behind = append(behind, x)
		}
		if len(x.Reasons) >= riskSigns {
			risk = append(risk, x)
		}
	}
	return behind, risk, nil
}

// rareStages are those that few enrolments ever have; the index enrolments_rare has these.
var rareStages = journey.Mask(journey.Qualifying, journey.Eligible, journey.ExamBooked, journey.Certified)

// member is an enrolment with what held of it.
type member struct {
	SessionID   string `db:"session_id"`
	EnrolmentID string `db:"enrolment_id"`
	Reached     int    `db:"reached"`
}

// membersTx is whose state is what a list asks for, as many as are on a page where nothing else is asked.
func (w WhoIsListed) membersTx(ctx context.Context, tx *postgres.Tx, l certificateList, sessions []string, after place, limit *int) (members []member, err error) {
	if !l.stateAlone() {
		limit = nil
	}
	ever := l.has | journey.Mask(l.since)
	statement, args := "Members", []any{array(sessions), given(w.AsOf), l.has, l.lacks, after.session, after.enrolment, limit, ever}
	switch {
	case !w.KnownAt.IsZero():
		statement, args = "MembersAsKnown", append(args, w.KnownAt)
	case ever&rareStages != 0:
		statement = "RareMembers"
	}
	err = tx.Select(ctx, &members, q.Q(statement), args...)
	return members, err
}

// moneyTx gives those on a list the money of their enrolments.
func (w WhoIsListed) moneyTx(ctx context.Context, tx *postgres.Tx, all []Listed) error {
	at, ids := map[string]int{}, make([]string, len(all))
	for i := range all {
		all[i].Money, ids[i], at[all[i].EnrolmentID] = []PaidMoney{}, all[i].EnrolmentID, i
	}
	var rows []struct {
		EnrolmentID string         `db:"enrolment_id"`
		Currency    money.Currency `db:"currency"`
		Gross       int64          `db:"gross"`
		Back        int64          `db:"back"`
	}
	err := tx.Select(ctx, &rows, q.Q("ListedMoney"), array(ids), given(w.AsOf), given(w.KnownAt))
	for _, r := range rows {
		x := &all[at[r.EnrolmentID]]
		x.Money = append(x.Money, PaidMoney{money.Of(r.Gross, r.Currency), money.Of(r.Back, r.Currency), money.Of(r.Gross-r.Back, r.Currency)})
	}
	return err
}

// listSize is how many are on a list, and what they paid.
type listSize struct {
	learners int64
	paid     map[money.Currency]PaidMoney
}

func (s *listSize) pay(c money.Currency, gross, back int64) {
	was := s.paid[c]
	gross, back = was.Gross.Minor+gross, was.Back.Minor+back
	s.paid[c] = PaidMoney{money.Of(gross, c), money.Of(back, c), money.Of(gross-back, c)}
}

// sizesTx are the sizes of all lists, and how many enrolments are on one at least. Lists whose rule asks for states alone are counted from the sums, but
// as something was known in the past, when all are asked who is on them.
func (w WhoIsListed) sizesTx(ctx context.Context, tx *postgres.Tx, sessions []string) (sizes map[string]*listSize, on int64, err error) {
	w.counted = true
	if sessions, err = w.begunTx(ctx, tx, sessions); err != nil {
		return nil, 0, err
	}
	sizes = map[string]*listSize{}
	var summed []certificateList
	for _, l := range certificateLists() {
		sizes[l.id] = &listSize{paid: map[money.Currency]PaidMoney{}}
		if l.stateAlone() && w.KnownAt.IsZero() {
			summed = append(summed, l)
		}
	}
	if len(summed) > 0 {
		if on, err = w.summedTx(ctx, tx, sessions, summed, sizes); err != nil {
			return nil, 0, err
		}
	}
	counted := map[string]bool{}
	var risk []Listed // found with who is behind, which comes first
	for _, l := range certificateLists() {
		if slices.ContainsFunc(summed, func(s certificateList) bool { return s.id == l.id }) {
			continue
		}
		var all []Listed
		switch l.id {
		case BehindSchedule:
			all, risk, err = w.studyingTx(ctx, tx, l, sessions)
		case AtRisk:
			all = risk
		default:
			if all, err = w.allTx(ctx, tx, l, sessions); err == nil {
				err = w.moneyTx(ctx, tx, all)
			}
		}
		if err != nil {
			return nil, 0, err
		}
		size := sizes[l.id]
		size.learners = int64(len(all))
		for _, x := range all {
			if !counted[x.EnrolmentID] && !slices.ContainsFunc(summed, func(s certificateList) bool { return s.holds(x.reached) }) {
				counted[x.EnrolmentID] = true
				on++
			}
			for _, m := range x.Money {
				size.pay(m.Net.Currency, m.Gross.Minor, m.Back.Minor)
			}
		}
	}
	return sizes, on, nil
}

// summedTx counts lists from the sums, and how many enrolments are on one of these at least.
func (w WhoIsListed) summedTx(ctx context.Context, tx *postgres.Tx, sessions []string, lists []certificateList, sizes map[string]*listSize) (on int64, err error) {
	var has, lacks []int64
	for _, l := range lists {
		has, lacks = append(has, int64(l.has)), append(lacks, int64(l.lacks))
	}
	var rows []struct {
		I        int            `db:"i"`
		Currency money.Currency `db:"currency"`
		N        int64          `db:"n"`
		Gross    int64          `db:"gross"`
		Back     int64          `db:"back"`
	}
	if err := tx.Select(ctx, &rows, q.Q("ListSizes"), array(sessions), orEnd(w.AsOf), ints(has), ints(lacks)); err != nil {
		return 0, err
	}
	for _, r := range rows {
		switch {
		case r.I == 0:
			on += r.N
		case r.Currency == "":
			sizes[lists[r.I-1].id].learners = r.N
		default:
			sizes[lists[r.I-1].id].pay(r.Currency, r.Gross, r.Back)
		}
	}
	return on, nil
}

// reasonTitles say why somebody is behind or at risk.
var reasonTitles = map[string]catalog.Text{
	"weeks_missed": {EN: "weeks without work", FR: "semaines sans travail"}, "idle": {EN: "idle for 14 days", FR: "inactif depuis 14 jours"}, "low_scores": {EN: "low last scores", FR: "dernières notes basses"},
}

// Why are the reasons for people.
func (l Listed) Why() (out catalog.Text) {
	for i, r := range l.Reasons {
		if i > 0 {
			out.EN, out.FR = out.EN+", ", out.FR+", "
		}
		out.EN, out.FR = out.EN+reasonTitles[r].EN, out.FR+reasonTitles[r].FR
	}
	return out
}
