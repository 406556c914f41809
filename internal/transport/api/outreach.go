package api

import (
	"context"

	contract "cursus/api"
	"cursus/api/server"
	"cursus/internal/domain/outreach"
	"cursus/internal/kernel/page"
	"cursus/templates/mails"
)

func (h handlers) ListCampaigns(ctx context.Context, r server.ListCampaignsRequestObject) (server.ListCampaignsResponseObject, error) {
	rows, next, err := listed[contract.Campaign](r.Params.Limit, r.Params.Cursor, func(p page.Request) ([]outreach.Campaign, string, error) {
		return h.rooms.Campaigns(ctx, callerOf(ctx), string(value(r.Params.Kind)), string(value(r.Params.State)), p)
	})
	return server.ListCampaigns200JSONResponse{Campaigns: rows, NextCursor: next}, err
}

func (h handlers) CreateCampaign(ctx context.Context, r server.CreateCampaignRequestObject) (server.CreateCampaignResponseObject, error) {
	n, err := as[outreach.NewCampaign](r.Body)
	if err != nil {
		return nil, err
	}
	c, err := h.rooms.CreateCampaign(ctx, callerOf(ctx), r.Params.IdempotencyKey, n)
	if err != nil {
		return nil, err
	}
	out, err := as[contract.Campaign](c)
	return server.CreateCampaign201JSONResponse{Body: out, Headers: server.CreateCampaign201ResponseHeaders{ETag: etag(c.Version), Location: "/v1/campaigns/" + c.ID}}, err
}

func (h handlers) GetCampaign(ctx context.Context, r server.GetCampaignRequestObject) (server.GetCampaignResponseObject, error) {
	c, err := h.rooms.Campaign(ctx, callerOf(ctx), r.Campaign)
	if err != nil {
		return nil, err
	}
	out, err := as[contract.Campaign](c)
	return server.GetCampaign200JSONResponse{Body: out, Headers: server.GetCampaign200ResponseHeaders{ETag: etag(c.Version)}}, err
}

func (h handlers) PutCampaign(ctx context.Context, r server.PutCampaignRequestObject) (server.PutCampaignResponseObject, error) {
	out, now, err := put[contract.Campaign](r.Params.IfMatch, r.Body, func(n outreach.NewCampaign, version int) (outreach.Campaign, error) {
		return h.rooms.PutCampaign(ctx, callerOf(ctx), r.Campaign, version, n)
	})
	return server.PutCampaign200JSONResponse{Body: out, Headers: server.PutCampaign200ResponseHeaders{ETag: etag(now.Version)}}, err
}

func (h handlers) PreviewCampaign(ctx context.Context, r server.PreviewCampaignRequestObject) (server.PreviewCampaignResponseObject, error) {
	p, err := h.rooms.PreviewCampaign(ctx, callerOf(ctx), r.Campaign, value(r.Params.Learner), string(value(r.Params.Standing)))
	mail := func(m mails.Mail) contract.CampaignMail {
		return contract.CampaignMail{Subject: m.Subject, Text: m.Text, Html: m.HTML}
	}
	return server.PreviewCampaign200JSONResponse{En: mail(p.EN), Fr: mail(p.FR)}, err
}

func (h handlers) TestCampaign(ctx context.Context, r server.TestCampaignRequestObject) (server.TestCampaignResponseObject, error) {
	out, err := answered[contract.Campaign](h.rooms.TestCampaign(ctx, callerOf(ctx), r.Params.IdempotencyKey, r.Campaign))
	return server.TestCampaign202JSONResponse(out), err
}

func (h handlers) ScheduleCampaign(ctx context.Context, r server.ScheduleCampaignRequestObject) (server.ScheduleCampaignResponseObject, error) {
	out, err := answered[contract.Campaign](h.rooms.ScheduleCampaign(ctx, callerOf(ctx), r.Campaign, r.Body.At))
	return server.ScheduleCampaign200JSONResponse(out), err
}

func (h handlers) CancelCampaign(ctx context.Context, r server.CancelCampaignRequestObject) (server.CancelCampaignResponseObject, error) {
	out, err := answered[contract.Campaign](h.rooms.CancelCampaign(ctx, callerOf(ctx), r.Campaign))
	return server.CancelCampaign200JSONResponse(out), err
}

func (h handlers) ListCampaignRecipients(ctx context.Context, r server.ListCampaignRecipientsRequestObject) (server.ListCampaignRecipientsResponseObject, error) {
	rows, next, err := listed[contract.Recipient](r.Params.Limit, r.Params.Cursor, func(p page.Request) ([]outreach.Recipient, string, error) {
		return h.rooms.CampaignRecipients(ctx, callerOf(ctx), r.Campaign, string(value(r.Params.State)), p)
	})
	return server.ListCampaignRecipients200JSONResponse{Recipients: rows, NextCursor: next}, err
}

func (h handlers) GetCampaignEnrolments(ctx context.Context, r server.GetCampaignEnrolmentsRequestObject) (server.GetCampaignEnrolmentsResponseObject, error) {
	days, err := h.rooms.CampaignEnrolments(ctx, callerOf(ctx), r.Campaign)
	if err != nil {
		return nil, err
	}
	out, err := as[contract.CampaignEnrolments](map[string]any{"days": days})
	return server.GetCampaignEnrolments200JSONResponse(out), err
}

func (h handlers) GetNudgeEffect(ctx context.Context, r server.GetNudgeEffectRequestObject) (server.GetNudgeEffectResponseObject, error) {
	out, err := answered[contract.NudgeEffect](h.rooms.NudgeEffect(ctx, callerOf(ctx), r.Campaign, value(r.Params.AsOf), value(r.Params.KnownAt)))
	return server.GetNudgeEffect200JSONResponse(out), err
}

func (h handlers) GetWeeklyMail(ctx context.Context, r server.GetWeeklyMailRequestObject) (server.GetWeeklyMailResponseObject, error) {
	m, err := h.rooms.WeeklyMail(ctx, callerOf(ctx), r.Session)
	if err != nil {
		return nil, err
	}
	out, err := as[contract.WeeklyMail](m)
	return server.GetWeeklyMail200JSONResponse{Body: out, Headers: server.GetWeeklyMail200ResponseHeaders{ETag: etag(m.Version)}}, err
}

func (h handlers) PutWeeklyMail(ctx context.Context, r server.PutWeeklyMailRequestObject) (server.PutWeeklyMailResponseObject, error) {
	out, now, err := put[contract.WeeklyMail](r.Params.IfMatch, r.Body, func(m outreach.WeeklyMail, version int) (outreach.WeeklyMail, error) {
		return h.rooms.PutWeeklyMail(ctx, callerOf(ctx), r.Session, version, m)
	})
	return server.PutWeeklyMail200JSONResponse{Body: out, Headers: server.PutWeeklyMail200ResponseHeaders{ETag: etag(now.Version)}}, err
}

func (h handlers) NudgeLearners(ctx context.Context, r server.NudgeLearnersRequestObject) (server.NudgeLearnersResponseObject, error) {
	n, err := as[outreach.NewNudge](r.Body)
	if err != nil {
		return nil, err
	}
	c, err := h.rooms.NudgeLearners(ctx, callerOf(ctx), r.Params.IdempotencyKey, n)
	if err != nil {
		return nil, err
	}
	out, err := as[contract.Campaign](c)
	return server.NudgeLearners201JSONResponse{Body: out, Headers: server.NudgeLearners201ResponseHeaders{Location: "/v1/campaigns/" + c.ID}}, err
}

func (h handlers) RecordBounces(ctx context.Context, r server.RecordBouncesRequestObject) (server.RecordBouncesResponseObject, error) {
	n, err := h.rooms.RecordBounces(ctx, callerOf(ctx), r.Body.Report)
	return server.RecordBounces200JSONResponse{Recipients: int64(n)}, err
}

func (h handlers) GetMailPreferences(ctx context.Context, _ server.GetMailPreferencesRequestObject) (server.GetMailPreferencesResponseObject, error) {
	out, err := answered[contract.MailPreferences](h.rooms.MailPreferences(ctx, callerOf(ctx)))
	return server.GetMailPreferences200JSONResponse(out), err
}

func (h handlers) PutMailPreferences(ctx context.Context, r server.PutMailPreferencesRequestObject) (server.PutMailPreferencesResponseObject, error) {
	p, err := as[outreach.Preferences](r.Body)
	if err != nil {
		return nil, err
	}
	out, err := answered[contract.MailPreferences](h.rooms.PutMailPreferences(ctx, callerOf(ctx), p))
	return server.PutMailPreferences200JSONResponse(out), err
}
