package demo

import (
	"context"

	"cursus/internal/domain/exams"
	"cursus/internal/gateways/proctordouble"
	"cursus/internal/platform/config"
	"cursus/internal/platform/postgres"
)

// CandidateEmail is of a learner with a good grade who has not sat the exam of her session, over which a provider watches now.
const CandidateEmail = "prd8-10@learner.example"

// The demonstration's provider of proctoring is a tool of LTI below this path of the Stripe sandbox.
const (
	proctorPath       = "/proctor"
	proctorKey        = "watchful"
	proctorClient     = "cursus-exams"
	proctorDeployment = "demo"
	proctoredSession  = "PRD-8"
)

// OpenProctor opens the tool; whom it was shown is in memory.
func OpenProctor(c config.Config) (*proctordouble.Tool, error) {
	return proctordouble.NewTool(proctordouble.ToolConfig{
		PublicURL: c.StripeURL + proctorPath, Issuer: c.BaseURL + "/v1/proctoring-providers/" + proctorKey, LoginURL: c.BaseURL + "/exams/lti", ClientID: proctorClient, Deployment: proctorDeployment,
	})
}

// proctor has the provider watch over the exam of a session. What was sat before was watched over by people.
func (m *maker) proctor(ctx context.Context) error {
	at := m.served + proctorPath
	if _, err := m.h.Exams.PutProvider(ctx, proctorKey, 0, exams.NewProvider{
		Name: "Watchful", Kind: exams.ProctorLTI, BaseURL: at + "/login", TargetURL: at + "/launch", KeysURL: at + "/jwks", ClientID: proctorClient, Deployment: proctorDeployment,
		GuideEN: "Sit alone in a lit room, with a document that shows your face.", GuideFR: "Installez-vous seul dans une pièce éclairée, avec une pièce d’identité.",
	}); err != nil {
		return err
	}
	if err := m.h.DB.InTx(ctx, "demo proctor", func(ctx context.Context, tx *postgres.Tx) error {
		return m.h.Exams.WatchTx(ctx, tx, proctoredSession, exams.Proctored, proctorKey)
	}); err != nil {
		return err
	}
	return m.settle(ctx)
}
