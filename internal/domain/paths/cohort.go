package paths

import (
	"context"

	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/programs"
	"cursus/internal/platform/postgres"
)

// Cohort is where the members of an edition stand, course by course.
type Cohort struct {
	Members  int         `json:"members"`
	Complete int         `json:"complete"` // nothing is missing for the certificate
	Behind   int         `json:"behind"`   // with some course
	Courses  []CourseRow `json:"courses"`
}

// CourseRow counts the members for whom a course is open, locked, upcoming, done; Behind is a part of those who have not done it.
type CourseRow struct {
	Course   string `json:"course"`
	Open     int    `json:"open"`
	Upcoming int    `json:"upcoming"`
	Locked   int    `json:"locked"`
	Done     int    `json:"done"`
	Behind   int    `json:"behind"`
}

// CohortTx counts the members of an edition.
func CohortTx(ctx context.Context, tx *postgres.Tx, e programs.Edition) (Cohort, error) {
	rules, err := programs.RulesOfTx(ctx, tx, e)
	if err != nil {
		return Cohort{}, err
	}
	out := Cohort{Courses: []CourseRow{}}
	for _, c := range rules.Content.Courses() {
		out.Courses = append(out.Courses, CourseRow{Course: c.Key})
	}
	members, err := enrolment.MembersTx(ctx, tx, e.ID)
	if err != nil || len(members) == 0 {
		return out, err
	}
	var learners []string
	seen := map[string]bool{}
	for _, m := range members {
		if !seen[m.LearnerID] {
			seen[m.LearnerID] = true
			learners = append(learners, m.LearnerID)
		}
	}
	all, err := factsTx(ctx, tx, learners)
	if err != nil {
		return out, err
	}
	out.Members = len(learners)
	for _, learner := range learners {
		out.count(rules.Path(e, all[learner].in(e), tx.Now()))
	}
	return out, nil
}

func (c *Cohort) count(p programs.Path) {
	if p.Complete {
		c.Complete++
	}
	if p.Behind() {
		c.Behind++
	}
	late := p.Late()
	for i, x := range p.Courses {
		row := &c.Courses[i]
		switch x.Standing {
		case programs.Open:
			row.Open++
		case programs.Upcoming:
			row.Upcoming++
		case programs.Locked:
			row.Locked++
		case programs.Done:
			row.Done++
		}
		if late[i] {
			row.Behind++
		}
	}
}
