package labs

import (
	"context"
	"strconv"

	"cursus/internal/platform/lti"
	"cursus/internal/platform/postgres"
)

// tool is a provider as LTI 1.3 knows it.
func (s *Service) tool(p Provider) lti.Tool {
	return lti.Tool{Issuer: s.baseURL, LoginURL: p.LoginURL, LaunchURL: p.LaunchURL, ClientID: p.ClientID, DeploymentID: p.DeploymentID}
}

// Answer gives the id_token of a launch to the tool that asked for it, once. Errors: lti.ErrLogin, ErrNoLaunch where it is not hers, ErrSpent, and why she cannot open it any more.
func (s *Service) Answer(ctx context.Context, learnerID string, a lti.Login) (Ticket, error) {
	ctx = asSystem(ctx)
	var l Launch
	var p Provider
	var stands Standing
	err := s.db.InTx(ctx, "answer lti login", func(ctx context.Context, tx *postgres.Tx) (err error) {
		if l, p, stands, err = s.openTx(ctx, tx, a.LoginHint, learnerID); err != nil {
			return err
		}
		if p.Shape != LTI {
			return lti.ErrLogin
		}
		if err := a.Check(s.tool(p), strconv.Itoa(l.Tokens)); err != nil {
			return err
		}
		return redeemTx(ctx, tx, l)
	})
	if err != nil {
		return Ticket{}, err
	}
	claims := s.launchClaims(l, p, stands)
	custom := map[string]any{}
	for _, own := range []string{"launch", "minutes_left", "idle_minutes", "events_url"} {
		custom[own] = claims[own]
		delete(claims, own)
	}
	for _, own := range []string{"resource", "session", "return_url"} {
		delete(claims, own)
	}
	title := stands.Title()
	name := title.EN
	if name == "" {
		name = title.FR
	}
	claims["nonce"], claims["azp"] = a.Nonce, p.ClientID
	claims[lti.Claim+"message_type"], claims[lti.Claim+"version"], claims[lti.Claim+"deployment_id"] = "LtiResourceLinkRequest", lti.Version, p.DeploymentID
	claims[lti.Claim+"target_link_uri"] = p.LaunchURL
	claims[lti.Claim+"resource_link"] = map[string]string{"id": stands.Resource, "title": name}
	claims[lti.Claim+"roles"] = []string{lti.Learner}
	claims[lti.Claim+"context"] = map[string]any{"id": stands.SessionID, "label": stands.SessionKey, "type": []string{"http://purl.imsglobal.org/vocab/lis/v2/course#CourseSection"}}
	claims[lti.Claim+"launch_presentation"] = map[string]string{"document_target": "window", "return_url": s.returnURL(l)}
	claims[lti.Claim+"custom"] = custom
	token, err := s.signer.SignToken(ctx, claims)
	return Ticket{Post: a.Answer(s.tool(p), token), Title: title, Key: stands.SessionKey}, err
}
