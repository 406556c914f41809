// Package lti is the platform's part in launches by LTI 1.3, whatever they open: the login that we begin (OpenID Connect third-party initiated login,
// implicit flow) and what a tool answers it with. What a launch says, and who signs it, is its room's.
package lti

import "cursus/internal/kernel/fault"

// The names that every message of LTI 1.3 has in common.
const (
	Claim   = "https://purl.imsglobal.org/spec/lti/claim/" // what the names of claims begin with
	Version = "1.3.0"
	Learner = "http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"
)

// ErrLogin refuses what is not the answer of a tool to a login of ours.
var ErrLogin = fault.New(fault.Invalid, "bad-lti-login", "This is not the answer to a launch that we began.")

// maxOpaque is the length of a state or a nonce.
const maxOpaque = 1000

// Post is what a browser posts to another site.
type Post struct {
	URL    string
	Fields [][2]string // in this order
}

// Tool is what was agreed with a tool when it was registered.
type Tool struct {
	Issuer       string // who we are to it
	LoginURL     string
	LaunchURL    string
	ClientID     string
	DeploymentID string
}

// Begin gives what begins a login. hint names the launch; messageHint, which comes back beside it, may be empty.
func (t Tool) Begin(hint, messageHint string) Post {
	return Post{URL: t.LoginURL, Fields: [][2]string{{"iss", t.Issuer}, {"login_hint", hint}, {"target_link_uri", t.LaunchURL}, {"lti_message_hint", messageHint}, {"client_id", t.ClientID},
		{"lti_deployment_id", t.DeploymentID}}}
}

// Login is what a tool sends a browser back with.
type Login struct {
	Scope, ResponseType, ResponseMode, Prompt            string
	ClientID, RedirectURI, LoginHint, Hint, State, Nonce string
}

// Check refuses a login that is none of a tool's: a token goes to the address that was registered and to no other, whatever the request says. Error: ErrLogin.
func (l Login) Check(t Tool, messageHint string) error {
	if l.Scope != "openid" || l.ResponseType != "id_token" || l.ResponseMode != "form_post" || l.Prompt != "none" || l.Nonce == "" || len(l.Nonce) > maxOpaque || l.State == "" || len(l.State) > maxOpaque ||
		l.ClientID != t.ClientID || l.RedirectURI != t.LaunchURL || l.Hint != messageHint {
		return ErrLogin
	}
	return nil
}

// Answer gives what answers a login: the token that was signed for its nonce.
func (l Login) Answer(t Tool, token string) Post {
	return Post{URL: t.LaunchURL, Fields: [][2]string{{"id_token", token}, {"state", l.State}}}
}
