package analytics

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"cursus/internal/books/journey"
	"cursus/internal/domain/catalog"
	"cursus/internal/platform/postgres"
)

// mostRows is how many rows a list of the forum has.
const mostRows = 500

func forumFigures() []Definition {
	return []Definition{{
		ID: "forum_weeks", Version: 1, Times: true, Params: []Param{ofSession, forWhom}, answer: forumTx,
		Title: catalog.Text{EN: "The forum by week and cohort", FR: "Le forum par semaine et cohorte"},
		Says: catalog.Text{
			EN: "Posts of the forum by the week in which they were written, which begins on Monday (UTC), and by cohort as the export says it. A question is unanswered while nobody but its author replied to it and nothing marks it as answered. Posts that were deleted before the first export are not known.",
			FR: "Messages du forum par semaine de leur écriture, à partir du lundi (UTC), et par cohorte telle que l’export la dit. Une question est sans réponse tant que personne d’autre que son auteur n’y a répondu et que rien ne la marque comme résolue. Les messages supprimés avant le premier export ne sont pas connus.",
		},
	}, {
		ID: "forum_unanswered", Version: 1, Times: true, Params: []Param{ofSession}, answer: unansweredTx,
		Title: catalog.Text{EN: "Unanswered questions", FR: "Questions sans réponse"},
		Says: catalog.Text{
			EN: "Questions of the forum to which nobody but their author replied and which nothing marks as answered, the oldest first, with the whole days that they have waited.",
			FR: "Questions du forum auxquelles personne d’autre que leur auteur n’a répondu et que rien ne marque comme résolues, les plus anciennes d’abord, avec les jours entiers d’attente.",
		},
	}, {
		ID: "forum_active", Version: 1, Times: true, Personal: true, Params: []Param{ofSession}, answer: activeTx,
		Title: catalog.Text{EN: "Most active in the forum", FR: "Les plus actifs du forum"},
		Says: catalog.Text{
			EN: "Who wrote most posts, with their names. Authors who are not enrolled, such as teachers, have a number.",
			FR: "Qui a écrit le plus de messages, avec les noms. Les auteurs qui ne sont pas inscrits, comme les enseignants, ont un numéro.",
		},
	}}
}

func forumTx(ctx context.Context, tx *postgres.Tx, ask Ask, f *Figure) error {
	s, err := f.sessionTx(ctx, tx, "session")
	if err != nil {
		return err
	}
	var rows []struct {
		Week        string `db:"week"`
		Cohort      string `db:"cohort"`
		Posts       int64  `db:"posts"`
		Questions   int64  `db:"questions"`
		Discussions int64  `db:"discussions"`
		Replies     int64  `db:"replies"`
		Authors     int64  `db:"authors"`
		Unanswered  int64  `db:"unanswered"`
	}
	if err := tx.Select(ctx, &rows, q.Q("ForumWeeks"), s.ID, given(ask.AsOf), given(ask.KnownAt)); err != nil {
		return err
	}
	total, err := forumTotalsTx(ctx, tx, s.ID, ask)
	if err != nil {
		return err
	}
	ever, err := journey.CountsTx(ctx, tx, journey.Question{SessionID: s.ID, AsOf: ask.AsOf, KnownAt: ask.KnownAt, Basis: "ever"})
	if err != nil {
		return err
	}
	f.base("authors", "wrote something", "ont écrit quelque chose", total.Authors)
	f.base("enrolled_authors", "of them enrolled", "dont inscrits", total.Enrolled)
	f.base("started", "active: started (ever)", "actifs : ont commencé (un jour)", ever.Started)
	f.Columns = []Column{
		col("week", Text, "Week from", "Semaine du"), col("number", Text, "Week of the session", "Semaine de la session"), col("cohort", Text, "Cohort", "Cohorte"), col("posts", Count, "Posts", "Messages"),
		col("questions", Count, "Questions", "Questions"), col("unanswered", Count, "Unanswered", "Sans réponse"), col("discussions", Count, "Discussions", "Discussions"), col("replies", Count, "Replies", "Réponses"), col("authors", Count, "Authors", "Auteurs"),
	}
	f.Charts = []Chart{{Kind: "bubble", X: "week", Y: "cohort", Values: []string{"posts"}, Hover: []string{"questions", "unanswered"}}}
	for _, r := range rows {
		cohort := textCell(r.Cohort)
		if r.Cohort == "" {
			cohort = saidCell("none", "no cohort", "sans cohorte")
		}
		f.Rows = append(f.Rows, Row{Cells: []Cell{textCell(r.Week), weekOf(s, r.Week), cohort, countCell(r.Posts), countCell(r.Questions), countCell(r.Unanswered), countCell(r.Discussions), countCell(r.Replies), countCell(r.Authors)}})
	}
	if ask.forPartner() {
		f.suppress()
	}
	return nil
}

type forumTotals struct {
	Authors  int64 `db:"authors"`
	Enrolled int64 `db:"enrolled"`
}

func forumTotalsTx(ctx context.Context, tx *postgres.Tx, session string, ask Ask) (t forumTotals, err error) {
	err = tx.Get(ctx, &t, q.Q("ForumTotals"), session, given(ask.AsOf), given(ask.KnownAt))
	return t, err
}

// weekOf is which week of the session begins on a Monday: its first is the one in which it starts.
func weekOf(s catalog.Glimpse, monday string) Cell {
	at, err := time.Parse("2006-01-02", monday)
	if err != nil || s.StartsAt == nil {
		return Cell{}
	}
	start := s.StartsAt.UTC().Truncate(24 * time.Hour)
	start = start.AddDate(0, 0, -(int(start.Weekday())+6)%7)
	return textCell(fmt.Sprint(int(at.Sub(start).Hours()/24/7) + 1))
}

func unansweredTx(ctx context.Context, tx *postgres.Tx, ask Ask, f *Figure) error {
	s, err := f.sessionTx(ctx, tx, "session")
	if err != nil {
		return err
	}
	var rows []struct {
		ID        string    `db:"post_id"`
		Cohort    string    `db:"cohort"`
		CreatedAt time.Time `db:"created_at"`
		Waiting   int64     `db:"waiting"` // of all that wait, listed or not
		Own       int64     `db:"own"`
	}
	if err := tx.Select(ctx, &rows, q.Q("ForumUnanswered"), s.ID, given(ask.AsOf), given(ask.KnownAt), mostRows); err != nil {
		return err
	}
	now := instantOf(tx, ask.AsOf)
	f.Columns = []Column{
		col("thread", Text, "Question", "Question"), col("cohort", Text, "Cohort", "Cohorte"), col("asked_at", Instant, "Asked", "Posée"), col("days", Count, "Days without an answer", "Jours sans réponse"),
		col("own", Count, "Posts of the author since", "Messages de l’auteur depuis"),
	}
	f.Charts = []Chart{{Kind: "bars", Y: "thread", Values: []string{"days"}}}
	var waiting int64
	for _, r := range rows {
		waiting = r.Waiting
		f.Rows = append(f.Rows, Row{Cells: []Cell{textCell(r.ID), textCell(r.Cohort), timeCell(r.CreatedAt.UTC()), countCell(int64(now.Sub(r.CreatedAt) / (24 * time.Hour))), countCell(r.Own)}})
	}
	f.base("unanswered", "questions without an answer", "questions sans réponse", waiting)
	if waiting > mostRows {
		f.note("The five hundred oldest are listed.", "Les cinq cents plus anciennes sont listées.")
	}
	return nil
}

func activeTx(ctx context.Context, tx *postgres.Tx, ask Ask, f *Figure) error {
	s, err := f.sessionTx(ctx, tx, "session")
	if err != nil {
		return err
	}
	var rows []struct {
		Author    string    `db:"author"`
		Name      string    `db:"name"`
		Enrolled  bool      `db:"enrolled"`
		Cohort    string    `db:"cohort"`
		Posts     int64     `db:"posts"`
		Questions int64     `db:"questions"`
		Replies   int64     `db:"replies"`
		First     time.Time `db:"first_at"`
		Last      time.Time `db:"last_at"`
	}
	if err := tx.Select(ctx, &rows, q.Q("ForumActive"), s.ID, given(ask.AsOf), given(ask.KnownAt), mostRows); err != nil {
		return err
	}
	f.Columns = []Column{
		col("author", Text, "Author", "Auteur"), col("cohort", Text, "Cohort", "Cohorte"), col("posts", Count, "Posts", "Messages"), col("questions", Count, "Questions", "Questions"),
		col("replies", Count, "Replies", "Réponses"), col("first_at", Instant, "First", "Premier"), col("last_at", Instant, "Last", "Dernier"),
	}
	f.Charts = []Chart{{Kind: "bars", Y: "author", Values: []string{"posts"}}}
	strangers := 0
	for _, r := range rows {
		author := textCell(cmp.Or(r.Name, r.Author))
		if !r.Enrolled {
			strangers++
			author = Cell{Text: r.Author, Said: catalog.Text{EN: fmt.Sprintf("Not enrolled, %d", strangers), FR: fmt.Sprintf("Non inscrit, %d", strangers)}}
		}
		f.Rows = append(f.Rows, Row{Cells: []Cell{author, textCell(r.Cohort), countCell(r.Posts), countCell(r.Questions), countCell(r.Replies), timeCell(r.First.UTC()), timeCell(r.Last.UTC())}})
	}
	total, err := forumTotalsTx(ctx, tx, s.ID, ask)
	if err != nil {
		return err
	}
	f.base("authors", "authors", "auteurs", total.Authors)
	if total.Authors > mostRows {
		f.note("The five hundred most active are listed.", "Les cinq cents plus actifs sont listés.")
	}
	return nil
}
