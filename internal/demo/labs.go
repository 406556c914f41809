package demo

import (
	"context"
	"crypto/sha256"
	"encoding/base64"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/labs"
	"cursus/internal/gateways/labdouble"
	"cursus/internal/platform/config"
	"cursus/internal/platform/postgres"
)

// The demonstration's provider of labs is a double below this path of the Stripe sandbox. It takes tokens and speaks LTI.
const (
	labsPath       = "/labs"
	labsClient     = "cursus"
	labsDeployment = "demo"
)

// labsSecret is what both sides of the demonstration share.
func labsSecret(c config.Config) string {
	sum := sha256.Sum256([]byte("labs " + c.StripeWebhookSecret))
	return "whsec_" + base64.StdEncoding.EncodeToString(sum[:])
}

// OpenLabs opens the double; its machines are in memory.
func OpenLabs(c config.Config) (*labdouble.Double, error) {
	return labdouble.New(labdouble.Config{
		PublicURL: c.StripeURL + labsPath, Issuer: c.BaseURL, KeysURL: c.BaseURL + "/v1/badges/keys", LoginURL: c.BaseURL + "/labs/lti", ClientID: labsClient, DeploymentID: labsDeployment, Secret: labsSecret(c),
	})
}

// openLabs gives the open session two labs, one for each shape of a launch. at is where the sandbox will be.
func (m *maker) openLabs(ctx context.Context, tx *postgres.Tx, sessionID, at string) error {
	at += labsPath
	token := labs.NewProvider{Title: "Virtual machines", Shape: labs.JWT, LaunchURL: at + "/launch", ClientID: labsClient, StopURL: at + "/stop", Secret: labsSecret(m.h.Config)}
	tool := labs.NewProvider{Title: "Virtual machines (LTI)", Shape: labs.LTI, LaunchURL: at + "/lti", LoginURL: at + "/login", ClientID: labsClient, DeploymentID: labsDeployment, StopURL: at + "/stop", Secret: labsSecret(m.h.Config)}
	for i, one := range []struct {
		key      string
		provider labs.NewProvider
		title    catalog.Text
		resource string
	}{
		{"machines", token, catalog.Text{EN: "Simulate a queue", FR: "Simuler une file d’attente"}, "queue"},
		{"machines-lti", tool, catalog.Text{EN: "Route packets", FR: "Router des paquets"}, "routing"},
	} {
		if _, err := m.h.Labs.PutProviderTx(ctx, tx, one.key, one.provider, 0); err != nil {
			return err
		}
		if _, err := labs.CreateLabTx(ctx, tx, sessionID, labs.NewLab{
			Title: one.title, Week: i + 1, Provider: one.key, Resource: one.resource, QuotaMinutes: 120, IdleMinutes: 15, Currency: "EUR", CostMilli: 1250, Open: true,
		}); err != nil {
			return err
		}
	}
	return nil
}
