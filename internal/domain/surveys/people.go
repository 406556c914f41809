package surveys

import (
	"context"

	"github.com/lib/pq"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/identity"
	"cursus/internal/kernel/ident"
	"cursus/internal/platform/postgres"
)

// person is somebody enrolled in a session, by all that other tools know her by.
type person struct {
	EnrolmentID string `db:"enrolment_id"`
	LearnerID   string `db:"learner_id"`
	Subject     string `db:"subject"`
	Email       string `db:"email"`
	Username    string `db:"username"`
}

// people finds the enrolled by how a column names them.
type people map[string]map[string]person

func peopleTx(ctx context.Context, tx *postgres.Tx, s catalog.Session) (people, error) {
	var rows []person
	err := tx.Select(ctx, &rows, q.Q("Enrolled"), s.ID, s.Platform)
	out := people{ToSubject: {}, ToEmail: {}, ToUsername: {}}
	for _, p := range rows {
		for by, name := range map[string]string{ToSubject: p.Subject, ToEmail: p.Email, ToUsername: p.Username} {
			if name != "" {
				out[by][name] = p
			}
		}
	}
	return out, err
}

func (all people) find(by, name string) (person, bool) {
	if by == ToEmail {
		email, err := identity.NormalEmail(name)
		if err != nil {
			return person{}, false
		}
		name = email
	}
	p, found := all[by][name]
	return p, found
}

// response is whose a row is. Where the file says who she is, she has to be enrolled; where it says a token alone, she has a pseudonym.
func (all people) response(row filled) (r response, reject *Outcome) {
	if row.reject != nil {
		return r, row.reject
	}
	r = response{ID: ident.New("rsp"), Rows: row.sheet}
	if len(row.sheet) == 0 {
		o := rejected(row.line, 0, "empty", "The row answers nothing.")
		return r, &o
	}
	named := false
	for _, by := range []string{ToSubject, ToEmail, ToUsername} {
		name := row.who[by]
		if name == "" {
			continue
		}
		named = true
		if p, found := all.find(by, name); found {
			r.EnrolmentID, r.LearnerID, r.Respondent = p.EnrolmentID, p.LearnerID, p.EnrolmentID
			return r, nil
		}
	}
	var o Outcome
	switch {
	case named:
		o = rejected(row.line, 0, "not-enrolled", "Nobody of that name is enrolled in the session.")
	case row.who[ToRespondent] == "":
		o = rejected(row.line, 0, "nobody", "The row does not say who answered.")
	default:
		r.Respondent = row.who[ToRespondent]
		return r, nil
	}
	return r, &o
}

// pseudonymsTx gives names that are no names: the same of the same session and name each time, from which nobody reads who it is.
func pseudonymsTx(ctx context.Context, tx *postgres.Tx, s catalog.Session, what string, names map[string][]int, give func(i int, pseudonym string)) error {
	all := make([]string, 0, len(names))
	for n := range names {
		all = append(all, n)
	}
	var rows []struct {
		Name      string `db:"name"`
		Pseudonym string `db:"pseudonym"`
	}
	if err := tx.Select(ctx, &rows, q.Q("Pseudonyms"), what+":"+s.ID, pq.Array(all)); err != nil {
		return err
	}
	for _, r := range rows {
		for _, i := range names[r.Name] {
			give(i, r.Pseudonym)
		}
	}
	return nil
}
