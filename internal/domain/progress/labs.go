package progress

import (
	"context"
	"time"

	"cursus/internal/domain/labs"
	"cursus/internal/platform/postgres"
)

// InLab is a member of a group who is in a lab now. What a machine costs is between the institute and its provider.
type InLab struct {
	MemberID   string
	StudentKey string
	Name       string
	Session    string // key
	Usage      labs.Usage
}

// LabBoard is who of a group is in a lab at a time, who asks for help first. Who does not agree to be seen by name is not on it, nor counted: of few
// who are in, a count would tell who they are. Shared and Members say how many of all members agree.
type LabBoard struct {
	Group   Group
	At      time.Time
	In      []InLab
	Members int
	Shared  int
}

// Labs shows who of a group is in the labs of the sessions that it follows. Errors: those of openTx.
func (s *Service) Labs(ctx context.Context, personID, groupID string) (b LabBoard, err error) {
	err = s.db.View(asSystem(ctx), "labs of a group", func(ctx context.Context, tx *postgres.Tx) error {
		g, _, err := openTx(ctx, tx, personID, groupID)
		if err != nil {
			return err
		}
		b = LabBoard{Group: g, At: tx.Now(), In: []InLab{}}
		sessions, members, err := allTx(ctx, tx, g)
		if err != nil {
			return err
		}
		by, places := map[labs.Place]member{}, []labs.Place{}
		for _, m := range members {
			b.Members++
			if !m.Shared {
				continue
			}
			b.Shared++
			for _, x := range sessions {
				if at := (labs.Place{LearnerID: m.PersonID, SessionID: x.ID}); m.follows() && m.Thing == x.Thing {
					by[at] = m
					places = append(places, at)
				}
			}
		}
		in, err := labs.BoardOfTx(ctx, tx, places)
		if err != nil {
			return err
		}
		sessionOf := map[string]string{}
		for _, x := range sessions {
			sessionOf[x.Key] = x.ID
		}
		for _, u := range in {
			m := by[labs.Place{LearnerID: u.LearnerID, SessionID: sessionOf[u.SessionKey]}]
			b.In = append(b.In, InLab{MemberID: m.ID, StudentKey: m.StudentKey, Name: m.Name, Session: u.SessionKey, Usage: u})
		}
		return nil
	})
	return b, err
}
