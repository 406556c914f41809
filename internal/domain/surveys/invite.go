package surveys

import "time"

const (
	nearTheEnd = 7 * 24 * time.Hour     // before the end of a session its closing questionnaire is asked for
	longOver   = 4 * 7 * 24 * time.Hour // after it nobody is asked any more
)

// Asks says whether learners are to be invited to a published questionnaire at a time: while it is open, to the opening one until the session ends, to
// the closing one from a week before that until four weeks after. A session without an end says by its questionnaire when that opens.
func (c Content) Asks(m Moment, ends *time.Time, at time.Time) bool {
	switch {
	case !c.OpenAt(at):
		return false
	case m == Opening:
		return ends == nil || at.Before(*ends)
	case ends == nil:
		return c.OpensAt != nil
	}
	return !at.Before(ends.Add(-nearTheEnd)) && at.Before(ends.Add(longOver))
}
