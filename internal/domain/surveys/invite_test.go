package surveys_test

import (
	"testing"
	"time"

	"cursus/internal/domain/surveys"
)

// The opening questionnaire is asked for while it is open and the session is not over; the closing one from a week before the end until four weeks
// after it, and without an end only where somebody said when it opens.
func TestWhenAQuestionnaireIsAskedFor(t *testing.T) {
	ends := time.Date(2026, 6, 30, 12, 0, 0, 0, time.UTC)
	day := func(n int) *time.Time { at := ends.AddDate(0, 0, n); return &at }
	for _, x := range []struct {
		moment                  surveys.Moment
		opens, closes, end, now *time.Time
		want                    bool
	}{
		{surveys.Opening, nil, nil, nil, day(-90), true},
		{surveys.Opening, nil, nil, day(0), day(-1), true},
		{surveys.Opening, nil, nil, day(0), day(0), false},
		{surveys.Opening, day(-20), nil, day(0), day(-21), false},
		{surveys.Opening, day(-20), day(-10), day(0), day(-20), true},
		{surveys.Opening, day(-20), day(-10), day(0), day(-10), false},
		{surveys.Closing, nil, nil, day(0), day(-8), false},
		{surveys.Closing, nil, nil, day(0), day(-7), true},
		{surveys.Closing, nil, nil, day(0), day(27), true},
		{surveys.Closing, nil, nil, day(0), day(28), false},
		{surveys.Closing, day(-90), nil, day(0), day(-30), false}, // it is open all the time, and the end is far
		{surveys.Closing, day(2), nil, day(0), day(1), false},
		{surveys.Closing, day(2), day(9), day(0), day(2), true},
		{surveys.Closing, day(2), day(9), day(0), day(9), false},
		{surveys.Closing, nil, nil, nil, day(0), false},
		{surveys.Closing, day(-1), nil, nil, day(0), true},
	} {
		c := surveys.Content{OpensAt: x.opens, ClosesAt: x.closes}
		if got := c.Asks(x.moment, x.end, *x.now); got != x.want {
			t.Errorf("%+v: %v", x, got)
		}
	}
}
