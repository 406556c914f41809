package app

import (
	"context"
	"slices"

	"cursus/internal/domain/webhooks"
	"cursus/internal/kernel/page"
	"cursus/internal/transport/api"
)

// hooksBy is the principal as who acts on webhooks: a manager, or staff who may act on behalf of others.
func hooksBy(who api.Principal) webhooks.By {
	return webhooks.By{PersonID: who.PersonID, Any: slices.Contains(who.Scopes, "orders:behalf")}
}

// Webhooks lists the webhooks that the principal may act on.
func (r Rooms) Webhooks(ctx context.Context, who api.Principal, organisation string, p page.Request) ([]webhooks.Endpoint, string, error) {
	return r.h.Webhooks.Endpoints(ctx, hooksBy(who), organisation, p)
}

// CreateWebhook makes a webhook.
func (r Rooms) CreateWebhook(ctx context.Context, who api.Principal, key string, n webhooks.NewEndpoint) (webhooks.Endpoint, error) {
	return r.h.Webhooks.Create(ctx, hooksBy(who), key, n)
}

// RotateWebhook makes another secret of a webhook.
func (r Rooms) RotateWebhook(ctx context.Context, who api.Principal, key, id string) (webhooks.Endpoint, error) {
	return r.h.Webhooks.Rotate(ctx, hooksBy(who), id, key)
}

// Webhook finds a webhook.
func (r Rooms) Webhook(ctx context.Context, who api.Principal, id string) (webhooks.Endpoint, error) {
	return r.h.Webhooks.Endpoint(ctx, hooksBy(who), id)
}

// PutWebhook rewrites a webhook.
func (r Rooms) PutWebhook(ctx context.Context, who api.Principal, id string, version int, n webhooks.NewEndpoint) (webhooks.Endpoint, error) {
	return r.h.Webhooks.Change(ctx, hooksBy(who), id, version, n)
}

// DeleteWebhook deletes a webhook.
func (r Rooms) DeleteWebhook(ctx context.Context, who api.Principal, id string) error {
	return r.h.Webhooks.Delete(ctx, hooksBy(who), id)
}

// TestWebhook sends a webhook a test.
func (r Rooms) TestWebhook(ctx context.Context, who api.Principal, key, id string) (webhooks.Sent, error) {
	return r.h.Webhooks.Test(ctx, hooksBy(who), id, key)
}

// ReplayWebhooks sends everything since a time again.
func (r Rooms) ReplayWebhooks(ctx context.Context, who api.Principal, id string, m webhooks.ReplayMany) (int64, error) {
	return r.h.Webhooks.ReplaySince(ctx, hooksBy(who), id, m)
}

// WebhookDeliveries lists what is sent to a webhook.
func (r Rooms) WebhookDeliveries(ctx context.Context, who api.Principal, id, state string, p page.Request) ([]webhooks.Delivery, string, error) {
	return r.h.Webhooks.Deliveries(ctx, hooksBy(who), id, webhooks.DeliveryState(state), p)
}

// WebhookDelivery finds a delivery.
func (r Rooms) WebhookDelivery(ctx context.Context, who api.Principal, id, delivery string) (webhooks.Sent, error) {
	return r.h.Webhooks.Delivery(ctx, hooksBy(who), id, delivery)
}

// ReplayWebhook sends a delivery again.
func (r Rooms) ReplayWebhook(ctx context.Context, who api.Principal, id, delivery string) (webhooks.Sent, error) {
	return r.h.Webhooks.Replay(ctx, hooksBy(who), id, delivery)
}
