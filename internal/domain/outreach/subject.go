package outreach

import (
	"context"
	"fmt"
	"strings"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/programs"
	"cursus/internal/kernel/clock"
	"cursus/internal/platform/postgres"
)

// subject is what a campaign is about, as its words can say it.
type subject struct {
	title         catalog.Text
	starts, until *time.Time
	path          string
}

func subjectTx(ctx context.Context, tx *postgres.Tx, a About) (s subject, err error) {
	switch {
	case a.Session != "":
		x, err := catalog.SessionTx(ctx, tx, a.Session)
		if err != nil {
			return s, err
		}
		return subject{x.Title(), x.StartsAt, x.EnrolUntil, "/sessions/" + x.Key}, nil
	case a.Edition != "":
		e, err := programs.EditionTx(ctx, tx, a.Edition)
		if err != nil {
			return s, err
		}
		return subject{e.Title, e.StartsAt, e.EnrolUntil, "/editions/" + e.Key}, nil
	}
	return subject{path: "/"}, nil
}

// path is where a mail of a campaign leads: to what it is about, to her learning, or straight to the booking of her exam or to the
// questionnaire.
func (c Campaign) path(about string, facts Facts) string {
	switch {
	case c.Kind == Announcement:
		return about
	case c.Kind == Exam && facts.Enrolment != "":
		return "/learning/" + facts.Enrolment + "/exam"
	case c.Kind == Survey && facts.Enrolment != "":
		return "/learning/" + facts.Enrolment + "/questionnaires/" + string(facts.Moment)
	}
	return "/learning"
}

// values are what the words of a mail to somebody can say.
func (s subject) values(name, lang string, facts Facts) map[string]string {
	day := func(t *time.Time) string {
		if t == nil {
			return map[bool]string{true: "bientôt", false: "soon"}[lang == "fr"]
		}
		return clock.Day(*t, lang)
	}
	if facts.Until != nil {
		s.until = facts.Until
	}
	next := strings.Join(facts.Next, ", ")
	if next == "" {
		next = map[bool]string{true: "plus rien", false: "nothing more"}[lang == "fr"]
	}
	return map[string]string{
		"name": name, "title": s.title.In(lang), "starts": day(s.starts), "until": day(s.until),
		"week": fmt.Sprint(facts.Week), "next": next, "missing": fmt.Sprint(facts.Missing),
	}
}
