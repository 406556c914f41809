package app

import (
	"context"

	"cursus/internal/domain/identity"
	"cursus/internal/domain/webhooks"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/web"
)

// hooking says as whom the viewer acts on webhooks: as staff for all, if she may, or as a manager for her organisations.
func (p Pages) hooking(ctx context.Context, who web.Viewer, all bool) (context.Context, webhooks.By, error) {
	ctx = as(ctx, who)
	var err error
	if all {
		err = p.h.DB.View(ctx, "may act for others", func(ctx context.Context, tx *postgres.Tx) error {
			return mayTx(ctx, tx, who, errNoBehalf, "orders:behalf")
		})
	}
	return ctx, webhooks.By{PersonID: who.PersonID, Any: all}, err
}

// HookOwners lists whose webhooks the viewer may look after.
func (p Pages) HookOwners(ctx context.Context, who web.Viewer, all bool) ([]identity.Managed, error) {
	ctx, by, err := p.hooking(ctx, who, all)
	if err != nil {
		return nil, err
	}
	return p.h.Webhooks.Owners(ctx, by)
}

// Webhooks lists webhooks.
func (p Pages) Webhooks(ctx context.Context, who web.Viewer, all bool, r page.Request) ([]webhooks.Endpoint, string, error) {
	ctx, by, err := p.hooking(ctx, who, all)
	if err != nil {
		return nil, "", err
	}
	return p.h.Webhooks.Endpoints(ctx, by, "", r)
}

// Webhook finds one with what is sent to it.
func (p Pages) Webhook(ctx context.Context, who web.Viewer, all bool, id string, state webhooks.DeliveryState, r page.Request) (e webhooks.Endpoint, sent []webhooks.Delivery, next string, err error) {
	ctx, by, err := p.hooking(ctx, who, all)
	if err != nil {
		return e, nil, "", err
	}
	if e, err = p.h.Webhooks.Endpoint(ctx, by, id); err != nil {
		return e, nil, "", err
	}
	sent, next, err = p.h.Webhooks.Deliveries(ctx, by, id, state, r)
	return e, sent, next, err
}

// MakeWebhook makes one.
func (p Pages) MakeWebhook(ctx context.Context, who web.Viewer, all bool, key string, n webhooks.NewEndpoint) (e webhooks.Endpoint, err error) {
	ctx, by, err := p.hooking(ctx, who, all)
	if err != nil {
		return e, err
	}
	return p.h.Webhooks.Create(ctx, by, key, n)
}

// RotateWebhook makes another secret of one.
func (p Pages) RotateWebhook(ctx context.Context, who web.Viewer, all bool, id, key string) (e webhooks.Endpoint, err error) {
	ctx, by, err := p.hooking(ctx, who, all)
	if err != nil {
		return e, err
	}
	return p.h.Webhooks.Rotate(ctx, by, id, key)
}

// SaveWebhook rewrites one.
func (p Pages) SaveWebhook(ctx context.Context, who web.Viewer, all bool, id string, version int, n webhooks.NewEndpoint) error {
	ctx, by, err := p.hooking(ctx, who, all)
	if err == nil {
		_, err = p.h.Webhooks.Change(ctx, by, id, version, n)
	}
	return err
}

// DeleteWebhook deletes one.
func (p Pages) DeleteWebhook(ctx context.Context, who web.Viewer, all bool, id string) error {
	ctx, by, err := p.hooking(ctx, who, all)
	if err == nil {
		err = p.h.Webhooks.Delete(ctx, by, id)
	}
	return err
}

// TestWebhook has a test sent.
func (p Pages) TestWebhook(ctx context.Context, who web.Viewer, all bool, id, key string) (sent webhooks.Sent, err error) {
	ctx, by, err := p.hooking(ctx, who, all)
	if err != nil {
		return sent, err
	}
	return p.h.Webhooks.Test(ctx, by, id, key)
}

// WebhookDelivery finds a delivery.
func (p Pages) WebhookDelivery(ctx context.Context, who web.Viewer, all bool, id, delivery string) (sent webhooks.Sent, err error) {
	ctx, by, err := p.hooking(ctx, who, all)
	if err != nil {
		return sent, err
	}
	return p.h.Webhooks.Delivery(ctx, by, id, delivery)
}

// ReplayWebhook has a delivery sent again.
func (p Pages) ReplayWebhook(ctx context.Context, who web.Viewer, all bool, id, delivery string) error {
	ctx, by, err := p.hooking(ctx, who, all)
	if err == nil {
		_, err = p.h.Webhooks.Replay(ctx, by, id, delivery)
	}
	return err
}

// ReplayWebhooks has everything since a time sent again.
func (p Pages) ReplayWebhooks(ctx context.Context, who web.Viewer, all bool, id string, r webhooks.ReplayMany) (int64, error) {
	ctx, by, err := p.hooking(ctx, who, all)
	if err != nil {
		return 0, err
	}
	return p.h.Webhooks.ReplaySince(ctx, by, id, r)
}
