package api

import (
	"context"

	contract "cursus/api"
	"cursus/api/server"
	"cursus/internal/domain/webhooks"
	"cursus/internal/kernel/page"
)

func (h handlers) ListWebhookEventTypes(context.Context, server.ListWebhookEventTypesRequestObject) (server.ListWebhookEventTypesResponseObject, error) {
	rows := make([]contract.WebhookEventType, len(webhooks.Types))
	for i, t := range webhooks.Types {
		example, err := as[contract.WebhookEvent](webhooks.Sample(t.Type))
		if err != nil {
			return nil, err
		}
		rows[i] = contract.WebhookEventType{Type: contract.WebhookType(t.Type), Description: contract.Text{En: &t.EN, Fr: &t.FR}, Example: example}
	}
	return server.ListWebhookEventTypes200JSONResponse{Types: rows}, nil
}

func (h handlers) ListWebhooks(ctx context.Context, r server.ListWebhooksRequestObject) (server.ListWebhooksResponseObject, error) {
	rows, next, err := listed[contract.Webhook](r.Params.Limit, r.Params.Cursor, func(p page.Request) ([]webhooks.Endpoint, string, error) {
		return h.rooms.Webhooks(ctx, callerOf(ctx), value(r.Params.Organisation), p)
	})
	return server.ListWebhooks200JSONResponse{Webhooks: rows, NextCursor: next}, err
}

func (h handlers) CreateWebhook(ctx context.Context, r server.CreateWebhookRequestObject) (server.CreateWebhookResponseObject, error) {
	n, err := as[webhooks.NewEndpoint](r.Body)
	if err != nil {
		return nil, err
	}
	made, err := h.rooms.CreateWebhook(ctx, callerOf(ctx), r.Params.IdempotencyKey, n)
	if err != nil {
		return nil, err
	}
	out, err := as[contract.WebhookMade](made)
	return server.CreateWebhook201JSONResponse{
		Body: out, Headers: server.CreateWebhook201ResponseHeaders{ETag: etag(made.Version), Location: "/v1/webhook-endpoints/" + made.ID},
	}, err
}

func (h handlers) GetWebhook(ctx context.Context, r server.GetWebhookRequestObject) (server.GetWebhookResponseObject, error) {
	e, err := h.rooms.Webhook(ctx, callerOf(ctx), r.Webhook)
	if err != nil {
		return nil, err
	}
	out, err := as[contract.Webhook](e)
	return server.GetWebhook200JSONResponse{Body: out, Headers: server.GetWebhook200ResponseHeaders{ETag: etag(e.Version)}}, err
}

func (h handlers) PutWebhook(ctx context.Context, r server.PutWebhookRequestObject) (server.PutWebhookResponseObject, error) {
	out, now, err := put[contract.Webhook](r.Params.IfMatch, r.Body, func(n webhooks.NewEndpoint, version int) (webhooks.Endpoint, error) {
		return h.rooms.PutWebhook(ctx, callerOf(ctx), r.Webhook, version, n)
	})
	return server.PutWebhook200JSONResponse{Body: out, Headers: server.PutWebhook200ResponseHeaders{ETag: etag(now.Version)}}, err
}

func (h handlers) DeleteWebhook(ctx context.Context, r server.DeleteWebhookRequestObject) (server.DeleteWebhookResponseObject, error) {
	return server.DeleteWebhook204Response{}, h.rooms.DeleteWebhook(ctx, callerOf(ctx), r.Webhook)
}

func (h handlers) RotateWebhookSecret(ctx context.Context, r server.RotateWebhookSecretRequestObject) (server.RotateWebhookSecretResponseObject, error) {
	out, err := answered[contract.WebhookMade](h.rooms.RotateWebhook(ctx, callerOf(ctx), r.Params.IdempotencyKey, r.Webhook))
	return server.RotateWebhookSecret201JSONResponse(out), err
}

func (h handlers) TestWebhook(ctx context.Context, r server.TestWebhookRequestObject) (server.TestWebhookResponseObject, error) {
	out, err := answered[contract.WebhookSent](h.rooms.TestWebhook(ctx, callerOf(ctx), r.Params.IdempotencyKey, r.Webhook))
	return server.TestWebhook201JSONResponse(out), err
}

func (h handlers) ReplayWebhooks(ctx context.Context, r server.ReplayWebhooksRequestObject) (server.ReplayWebhooksResponseObject, error) {
	n, err := h.rooms.ReplayWebhooks(ctx, callerOf(ctx), r.Webhook, webhooks.ReplayMany{Since: r.Body.Since, Delivered: value(r.Body.Delivered)})
	return server.ReplayWebhooks200JSONResponse{Deliveries: n}, err
}

func (h handlers) ListWebhookDeliveries(ctx context.Context, r server.ListWebhookDeliveriesRequestObject) (server.ListWebhookDeliveriesResponseObject, error) {
	rows, next, err := listed[contract.WebhookDelivery](r.Params.Limit, r.Params.Cursor, func(p page.Request) ([]webhooks.Delivery, string, error) {
		return h.rooms.WebhookDeliveries(ctx, callerOf(ctx), r.Webhook, string(value(r.Params.State)), p)
	})
	return server.ListWebhookDeliveries200JSONResponse{Deliveries: rows, NextCursor: next}, err
}

func (h handlers) GetWebhookDelivery(ctx context.Context, r server.GetWebhookDeliveryRequestObject) (server.GetWebhookDeliveryResponseObject, error) {
	out, err := answered[contract.WebhookSent](h.rooms.WebhookDelivery(ctx, callerOf(ctx), r.Webhook, r.Delivery))
	return server.GetWebhookDelivery200JSONResponse(out), err
}

func (h handlers) ReplayWebhook(ctx context.Context, r server.ReplayWebhookRequestObject) (server.ReplayWebhookResponseObject, error) {
	out, err := answered[contract.WebhookSent](h.rooms.ReplayWebhook(ctx, callerOf(ctx), r.Webhook, r.Delivery))
	return server.ReplayWebhook200JSONResponse(out), err
}
