package proctoring

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"cursus/internal/domain/exams"
)

const (
	tolerance = 5 * time.Minute // by which a message may be old, or our clocks differ
	maxBody   = 256 << 10
)

// Hear proves a message of a provider and reads what it says. One of rest carries the signature of Standard Webhooks 1.0.0 or, where the provider has
// keys of its own, a token of its own (JWT) with an id that is used once; one of lti is a message of the browser (LtiStartAssessment), which
// proves itself, or a call of the Assessment Control Service with a token that we gave. Errors: exams.ErrForged, exams.ErrProviderDark.
func (g *Gate) Hear(ctx context.Context, a exams.ProctorAccess, m exams.ProctorMessage) (h exams.Heard, err error) {
	switch {
	case len(m.Body) > maxBody:
		err = forged("a message of %d bytes", len(m.Body))
	case a.Kind == exams.ProctorLTI && m.Call == CallStart:
		h, err = g.started(ctx, a, m)
	case a.Kind == exams.ProctorLTI && m.Call == CallControl:
		h, err = g.control(a, m)
	case a.Kind == exams.ProctorLTI:
		err = forged("no message of lti")
	default:
		h, err = g.callback(ctx, a, m)
	}
	if err == nil && (h.Message == "" || len(h.Message) > 255 || h.Attempt == "" || len(h.Attempt) > 200 || len(h.Subject) > 255) {
		err = forged("it names nothing")
	}
	return h, err
}

// The calls of providers.
const (
	CallReady    = "ready"
	CallReviewed = "reviewed"
	CallStart    = "start"   // LtiStartAssessment
	CallControl  = "control" // the Assessment Control Service
)

// forged says, for the log alone, why a message is none of the provider's.
func forged(format string, args ...any) error {
	return exams.ErrForged.Because(fmt.Errorf(format, args...))
}

var messageID = regexp.MustCompile(`^[!-~]{1,255}$`)

// callback proves and reads a callback of rest.
func (g *Gate) callback(ctx context.Context, a exams.ProctorAccess, m exams.ProctorMessage) (h exams.Heard, err error) {
	if a.Issuer != "" {
		scheme, text, _ := strings.Cut(m.Authorization, " ")
		if !strings.EqualFold(scheme, "JWT") && !strings.EqualFold(scheme, "Bearer") {
			return h, forged("no token")
		}
		c, err := g.claims(ctx, a, strings.TrimSpace(text), a.Issuer, a.Audience)
		if err != nil {
			return h, err
		}
		if !messageID.MatchString(c.ID) {
			return h, forged("it has no id, and could be sent twice")
		}
		h.Message, h.At = c.ID, c.IssuedAt.Time().UTC()
	} else if h.At, err = g.signed(a, m); err == nil {
		h.Message, m.Authorization = m.ID, ""
	}
	if err != nil {
		return h, err
	}
	return h, readCallback(m, &h)
}

// signed proves the signature of Standard Webhooks over id, time and body, and gives the time.
func (g *Gate) signed(a exams.ProctorAccess, m exams.ProctorMessage) (at time.Time, err error) {
	seconds, err := strconv.ParseInt(m.Timestamp, 10, 64)
	if err != nil || seconds < 0 || seconds > 1<<40 || !messageID.MatchString(m.ID) {
		return at, forged("no id, or no time")
	}
	at = time.Unix(seconds, 0).UTC()
	if g.clock.Now().Sub(at).Abs() > tolerance {
		return at, forged("it is of %s", at)
	}
	for _, one := range strings.Fields(m.Signature) {
		version, text, _ := strings.Cut(one, ",")
		given, err := base64.StdEncoding.DecodeString(text)
		if version != "v1" || err != nil {
			continue
		}
		for _, secret := range a.Callback {
			sum := hmac.New(sha256.New, secret)
			_, _ = fmt.Fprintf(sum, "%s.%s.%s", m.ID, m.Timestamp, m.Body) // a hash takes everything
			if hmac.Equal(sum.Sum(nil), given) {
				return at, nil
			}
		}
	}
	return at, forged("no signature of it")
}

// comment is what somebody wrote who looked.
type comment struct {
	Comment string `json:"comment"`
	Status  string `json:"status"`
}

// statuses are what the callback "ready" may say of an attempt, by the words of the contract.
var statuses = map[string]exams.ProctorEvent{
	"ready": exams.ProctorReady, "started": exams.ProctorStarted, "submitted": exams.ProctorSubmits, "error": exams.ProctorFailed,
}

// verdicts are those of a review. edx-proctoring knows older words too.
var verdicts = map[string]exams.Verdict{
	"passed": exams.VerdictPassed, "violation": exams.VerdictViolation, "suspicious": exams.VerdictSuspicious, "not_reviewed": exams.VerdictNotReviewed,
	"Clean": exams.VerdictPassed, "Rules Violation": exams.VerdictViolation, "Suspicious": exams.VerdictSuspicious, "Not Reviewed": exams.VerdictNotReviewed,
}

// readCallback reads the body of a callback whose signature is good. What it does not say well is exams.ErrUnreadable.
func readCallback(m exams.ProctorMessage, h *exams.Heard) error {
	var said struct {
		Attempt    *string    `json:"attempt"`
		Status     string     `json:"status"`
		Comments   []comment  `json:"comments"`
		ReviewedBy string     `json:"reviewed_by"`
		ReviewedAt *time.Time `json:"reviewed_at"`
	}
	if err := json.Unmarshal(m.Body, &said); err != nil {
		return exams.ErrUnreadable.Because(err)
	}
	// A signature covers the body and not the address: one that names the attempt cannot be sent again to the address of another. A token is used once.
	if said.Attempt == nil && m.Authorization == "" || said.Attempt != nil && *said.Attempt != m.Attempt {
		return exams.ErrUnreadable.Because(errors.New("it is about another attempt than its address"))
	}
	h.Attempt = m.Attempt
	var known bool
	if m.Call == CallReviewed {
		h.Event = exams.ProctorReviewed
		h.Verdict, known = verdicts[said.Status]
		if said.ReviewedAt != nil {
			if said.ReviewedAt.After(h.At.Add(tolerance)) {
				return exams.ErrUnreadable.Because(errors.New("it was reviewed in the future"))
			}
			h.At = said.ReviewedAt.UTC()
		}
	} else {
		h.Event, known = statuses[said.Status]
	}
	if !known {
		return exams.ErrUnreadable.Because(fmt.Errorf("the status %.40q", said.Status))
	}
	h.Note = noteOf(said.Comments, said.ReviewedBy)
	return nil
}

// noteOf makes a line of what people wrote, by whom.
func noteOf(comments []comment, by string) string {
	var parts []string
	for _, c := range comments {
		text := strings.TrimSpace(c.Comment)
		if c.Status != "" {
			text = c.Status + ": " + text
		}
		if text != "" {
			parts = append(parts, text)
		}
	}
	if by != "" {
		parts = slices.Insert(parts, 0, "reviewed by "+by)
	}
	return strings.ReplaceAll(strings.ToValidUTF8(strings.Join(parts, "; "), "?"), "\x00", "?")
}
