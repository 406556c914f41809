package proctoring

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4/jwt"

	"cursus/internal/domain/exams"
	"cursus/internal/platform/lti"
)

// The names of LTI Proctoring Services.
const (
	ap = "https://purl.imsglobal.org/spec/lti-ap/claim/"

	startProctoring = "LtiStartProctoring"
	startAssessment = "LtiStartAssessment"
	endAssessment   = "LtiEndAssessment"

	controlScope = "https://purl.imsglobal.org/spec/lti-ap/scope/control.all"
	assertion    = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
)

// What our tokens are for, as their audience.
const (
	forControl = "assessment-control"
	forSession = "session-data"
)

const (
	launchLife  = 5 * time.Minute
	sessionLife = 24 * time.Hour // from the set-up to the start
	controlLife = time.Hour
)

// Launch signs LtiStartProctoring or LtiEndAssessment. See exams.Proctor.
func (g *Gate) Launch(a exams.ProctorAccess, l exams.ProctorLaunch) (string, error) {
	now := g.clock.Now()
	resource := map[string]string{"id": l.Sitting, "title": l.Title}
	says := map[string]any{
		"nonce": l.Nonce, lti.Claim + "version": lti.Version, lti.Claim + "deployment_id": a.Deployment, lti.Claim + "target_link_uri": a.TargetURL, lti.Claim + "resource_link": resource,
		lti.Claim + "roles": []string{lti.Learner}, ap + "attempt_number": l.Attempt, lti.Claim + "launch_presentation": map[string]string{"return_url": l.ReturnURL},
		lti.Claim + "message_type": endAssessment,
	}
	if !l.End {
		session, err := sign(a, jwt.Claims{ID: l.ID, Issuer: a.Audience, Subject: attemptOf(l.Sitting, l.Attempt), Audience: jwt.Audience{forSession}, Expiry: jwt.NewNumericDate(now.Add(sessionLife))})
		if err != nil {
			return "", err
		}
		says[lti.Claim+"message_type"], says[ap+"start_assessment_url"], says[ap+"session_data"] = startProctoring, l.StartURL, session
		says[ap+"acs"] = map[string]any{"actions": []string{"terminate", "flag"}, "assessment_control_url": l.ControlURL}
	}
	return sign(a, jwt.Claims{
		ID: l.ID, Issuer: a.Audience, Subject: l.User, Audience: jwt.Audience{a.ClientID}, IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(launchLife)),
	}, says)
}

// attemptOf is what an attempt is called in lti.
func attemptOf(resource string, n int) string { return fmt.Sprintf("%s/%d", resource, n) }

// started reads LtiStartAssessment: the provider has set up who sits. m.Body is the token that her browser carried; its session_data is a token of
// ours, so that nobody is set up for another. It is used once: what it says is stored under its id.
func (g *Gate) started(ctx context.Context, a exams.ProctorAccess, m exams.ProctorMessage) (h exams.Heard, err error) {
	var says struct {
		Type       string `json:"https://purl.imsglobal.org/spec/lti/claim/message_type"`
		Version    string `json:"https://purl.imsglobal.org/spec/lti/claim/version"`
		Deployment string `json:"https://purl.imsglobal.org/spec/lti/claim/deployment_id"`
		Nonce      string `json:"nonce"`
		Resource   struct {
			ID string `json:"id"`
		} `json:"https://purl.imsglobal.org/spec/lti/claim/resource_link"`
		Session string `json:"https://purl.imsglobal.org/spec/lti-ap/claim/session_data"`
		Attempt int    `json:"https://purl.imsglobal.org/spec/lti-ap/claim/attempt_number"`
		Ends    bool   `json:"https://purl.imsglobal.org/spec/lti-ap/claim/end_assessment_return"`
	}
	c, err := g.claims(ctx, a, string(m.Body), a.ClientID, a.Audience, &says)
	if err != nil {
		return h, err
	}
	session, err := g.own(a, says.Session, forSession)
	if err != nil {
		return h, err
	}
	if says.Nonce == "" || says.Deployment != a.Deployment {
		return h, forged("no nonce, or of the deployment %.100q", says.Deployment)
	}
	if says.Type != startAssessment || says.Version != lti.Version || session.Subject != attemptOf(says.Resource.ID, says.Attempt) {
		return h, exams.ErrUnreadable.Because(fmt.Errorf("%.60q of %.60q", says.Type, says.Resource.ID))
	}
	return exams.Heard{Message: "start " + session.ID, Attempt: session.Subject, Event: exams.ProctorReady, At: c.IssuedAt.Time().UTC(), Ends: says.Ends}, nil
}

// Grant gives a token for the Assessment Control Service to who proves with its keys that it is the client (RFC 7523). See exams.Proctor.
func (g *Gate) Grant(ctx context.Context, a exams.ProctorAccess, form string) ([]byte, error) {
	v, err := url.ParseQuery(form)
	if err != nil {
		return nil, exams.ErrUnreadable.Because(err)
	}
	if v.Get("grant_type") != "client_credentials" || v.Get("client_assertion_type") != assertion || !strings.Contains(" "+v.Get("scope")+" ", " "+controlScope+" ") {
		return nil, exams.ErrUnreadable.Because(fmt.Errorf("the grant %.60q for %.100q", v.Get("grant_type"), v.Get("scope")))
	}
	c, err := g.claims(ctx, a, v.Get("client_assertion"), a.ClientID, a.Audience+"/token")
	if err != nil {
		return nil, err
	}
	if c.Subject != a.ClientID || !messageID.MatchString(c.ID) {
		return nil, forged("it asserts to be %.100q", c.Subject)
	}
	now := g.clock.Now()
	token, err := sign(a, jwt.Claims{Issuer: a.Audience, Subject: a.ClientID, Audience: jwt.Audience{forControl}, IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(controlLife))})
	if err != nil {
		return nil, err
	}
	return json.Marshal(map[string]any{"access_token": token, "token_type": "bearer", "expires_in": int(controlLife / time.Second), "scope": controlScope})
}

// severity is written from 0.0 to 1.0.
var severity = regexp.MustCompile(`^(0|1|0?\.[0-9]{1,9}|0\.[0-9]{1,9}|1\.0{1,9})$`)

// reasonEnded is the code of an end that who sat chose herself; any other says that something failed.
const reasonEnded = "1"

// grave is the severity above which a person looks.
var grave = big.NewRat(1, 4)

// control reads a call of the Assessment Control Service: terminate ends an attempt, by her own will with a review (a person looks where the
// severity is above 0.25), or else with an error that can be resumed; flag notes an incident and moves nothing. The calls have no ids: the
// same words again are the same call.
func (g *Gate) control(a exams.ProctorAccess, m exams.ProctorMessage) (h exams.Heard, err error) {
	scheme, token, _ := strings.Cut(m.Authorization, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return h, forged("no token")
	}
	if _, err := g.own(a, strings.TrimSpace(token), forControl); err != nil {
		return h, err
	}
	var said struct {
		User struct {
			Issuer  string `json:"iss"`
			Subject string `json:"sub"`
		} `json:"user"`
		Resource struct {
			ID string `json:"id"`
		} `json:"resource_link"`
		Attempt  int             `json:"attempt_number"`
		Action   string          `json:"action"`
		At       time.Time       `json:"incident_time"`
		Severity json.RawMessage `json:"incident_severity"`
		Code     string          `json:"reason_code"`
		Reason   string          `json:"reason_msg"`
	}
	if err := json.Unmarshal(m.Body, &said); err != nil {
		return h, exams.ErrUnreadable.Because(err)
	}
	how, text := new(big.Rat), strings.Trim(string(said.Severity), `"`)
	if text != "" {
		if !severity.MatchString(text) {
			return h, exams.ErrUnreadable.Because(fmt.Errorf("the severity %.40q", text))
		}
		how.SetString(text)
	}
	if said.User.Issuer != a.Audience || said.User.Subject == "" || said.Resource.ID == "" || said.At.IsZero() || said.At.After(g.clock.Now().Add(tolerance)) {
		return h, exams.ErrUnreadable.Because(fmt.Errorf("of %.100q at %s", said.User.Issuer, said.At))
	}
	sum := sha256.Sum256(m.Body)
	percent := new(big.Rat).Mul(how, big.NewRat(100, 1))
	h = exams.Heard{
		Message: "control " + hex.EncodeToString(sum[:]), Attempt: attemptOf(said.Resource.ID, said.Attempt), Subject: said.User.Subject, At: said.At.UTC(),
		Severity: int(new(big.Int).Quo(percent.Num(), percent.Denom()).Int64()), Note: noteOf([]comment{{Comment: said.Reason, Status: said.Code}}, ""),
	}
	switch {
	case said.Action == "flag":
		h.Event = exams.ProctorFlagged
	case said.Action != "terminate":
		return h, exams.ErrUnreadable.Because(fmt.Errorf("the action %.40q", said.Action))
	case said.Code != reasonEnded:
		h.Event = exams.ProctorFailed
	case how.Cmp(grave) > 0:
		h.Event, h.Verdict = exams.ProctorReviewed, exams.VerdictSuspicious
	default:
		h.Event, h.Verdict = exams.ProctorReviewed, exams.VerdictPassed
	}
	return h, nil
}
