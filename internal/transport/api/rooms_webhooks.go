package api

import (
	"context"

	"cursus/internal/domain/webhooks"
	"cursus/internal/kernel/page"
)

// WebhookRooms is what the API asks of the house about webhooks, in the room's own types. Who has orders:behalf acts for everybody, others
// for the organisations that they manage.
type WebhookRooms interface {
	Webhooks(ctx context.Context, who Principal, organisation string, p page.Request) (all []webhooks.Endpoint, next string, err error)
	// CreateWebhook and RotateWebhook answer with a secret, the same again for the same key.
	CreateWebhook(ctx context.Context, who Principal, key string, n webhooks.NewEndpoint) (webhooks.Endpoint, error)
	RotateWebhook(ctx context.Context, who Principal, key, id string) (webhooks.Endpoint, error)
	Webhook(ctx context.Context, who Principal, id string) (webhooks.Endpoint, error)
	// PutWebhook rewrites a webhook. version is the one that was read; 0 takes any. Another one is a Precondition fault.
	PutWebhook(ctx context.Context, who Principal, id string, version int, n webhooks.NewEndpoint) (webhooks.Endpoint, error)
	DeleteWebhook(ctx context.Context, who Principal, id string) error
	TestWebhook(ctx context.Context, who Principal, key, id string) (webhooks.Sent, error)
	ReplayWebhooks(ctx context.Context, who Principal, id string, r webhooks.ReplayMany) (int64, error)
	WebhookDeliveries(ctx context.Context, who Principal, id, state string, p page.Request) (all []webhooks.Delivery, next string, err error)
	WebhookDelivery(ctx context.Context, who Principal, id, delivery string) (webhooks.Sent, error)
	ReplayWebhook(ctx context.Context, who Principal, id, delivery string) (webhooks.Sent, error)
}
