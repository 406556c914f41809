package web

import (
	"context"

	"cursus/internal/domain/identity"
	"cursus/internal/domain/webhooks"
	paging "cursus/internal/kernel/page"
)

// HookHouse is what the pages ask of the rooms about webhooks. all is staff at the console, who act for every organisation and the institute
// (Forbidden to others); otherwise the viewer acts for the organisations that she owns or manages. What is not hers is NotFound.
type HookHouse interface {
	// HookOwners are the organisations for which the viewer may have webhooks.
	HookOwners(ctx context.Context, who Viewer, all bool) ([]identity.Managed, error)
	Webhooks(ctx context.Context, who Viewer, all bool, p paging.Request) (some []webhooks.Endpoint, next string, err error)
	// Webhook finds one with the first page of what is sent to it, in a state or in all.
	Webhook(ctx context.Context, who Viewer, all bool, id string, state webhooks.DeliveryState, p paging.Request) (e webhooks.Endpoint, sent []webhooks.Delivery, next string, err error)
	// MakeWebhook makes one, once per key; its secret is in the answer, as it is in that of RotateWebhook, and nowhere else.
	MakeWebhook(ctx context.Context, who Viewer, all bool, key string, n webhooks.NewEndpoint) (webhooks.Endpoint, error)
	RotateWebhook(ctx context.Context, who Viewer, all bool, id, key string) (webhooks.Endpoint, error)
	// SaveWebhook writes one over the version that was read.
	SaveWebhook(ctx context.Context, who Viewer, all bool, id string, version int, n webhooks.NewEndpoint) error
	DeleteWebhook(ctx context.Context, who Viewer, all bool, id string) error
	// TestWebhook has a test sent, once per key.
	TestWebhook(ctx context.Context, who Viewer, all bool, id, key string) (webhooks.Sent, error)
	WebhookDelivery(ctx context.Context, who Viewer, all bool, id, delivery string) (webhooks.Sent, error)
	ReplayWebhook(ctx context.Context, who Viewer, all bool, id, delivery string) error
	// ReplayWebhooks has everything since a time sent again and says how much that is.
	ReplayWebhooks(ctx context.Context, who Viewer, all bool, id string, r webhooks.ReplayMany) (int64, error)
}
