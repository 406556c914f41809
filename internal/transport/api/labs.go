package api

import (
	"context"
	"time"

	contract "cursus/api"
	"cursus/api/server"
	"cursus/internal/domain/labs"
	"cursus/internal/domain/progress"
	"cursus/internal/kernel/money"
	"cursus/internal/kernel/page"
)

func labTitle(en, fr string) contract.Title { return contract.Title{En: given(en), Fr: given(fr)} }

func toLab(l labs.Lab) contract.Lab {
	e := contract.LabEntitlement(l.Entitlement)
	return contract.Lab{
		Id: l.ID, Session: l.SessionKey, Title: labTitle(l.TitleEN, l.TitleFR), Week: l.Week, Provider: l.Provider, Resource: l.Resource, QuotaMinutes: l.QuotaMinutes, IdleMinutes: l.IdleMinutes,
		Currency: string(l.Currency), CostPerMinuteMilli: l.CostMilli, Entitlement: e, Open: l.Open, Minutes: l.Minutes, Cost: toMoney(l.Cost()), Version: l.Version,
	}
}

func fromLab(b *contract.NewLab) labs.NewLab {
	n := labs.NewLab{
		Week: b.Week, Provider: b.Provider, Resource: b.Resource, QuotaMinutes: b.QuotaMinutes, IdleMinutes: b.IdleMinutes, Currency: money.Currency(b.Currency), CostMilli: b.CostPerMinuteMilli, Open: b.Open,
	}
	n.Title.EN, n.Title.FR = value(b.Title.En), value(b.Title.Fr)
	if b.Entitlement != nil {
		n.Entitlement = string(*b.Entitlement)
	}
	return n
}

func toLaunches(all []labs.Usage, at time.Time) []contract.LabLaunch {
	return each(all, func(u labs.Usage) contract.LabLaunch {
		out := contract.LabLaunch{
			Id: u.ID, Lab: u.LabID, Title: labTitle(u.TitleEN, u.TitleFR), Enrolment: u.EnrolmentID, FullName: given(u.FullName), State: contract.LabLaunchState(u.State), StartedAt: utc(u.StartedAt),
			LastActivityAt: utc(u.LastAt), EndedAt: utc(u.EndedAt), HelpSince: utc(u.HelpSince), StopAskedAt: utc(u.StopAskedAt), Minutes: u.Minutes, MinutesLeft: u.Left(), Cost: toMoney(u.Cost()),
		}
		if u.State == labs.Running {
			out.Minutes = u.In(at)
		}
		if u.StopReason != "" {
			reason := contract.LabLaunchStopReason(u.StopReason)
			out.StopReason = &reason
		}
		return out
	})
}

func (h handlers) ListLabs(ctx context.Context, r server.ListLabsRequestObject) (server.ListLabsResponseObject, error) {
	all, err := h.rooms.Labs(ctx, callerOf(ctx), r.Session)
	return server.ListLabs200JSONResponse{Labs: each(all, toLab)}, err
}

func (h handlers) CreateLab(ctx context.Context, r server.CreateLabRequestObject) (server.CreateLabResponseObject, error) {
	l, err := h.rooms.CreateLab(ctx, callerOf(ctx), r.Params.IdempotencyKey, r.Session, fromLab(r.Body))
	return server.CreateLab201JSONResponse{Body: toLab(l), Headers: server.CreateLab201ResponseHeaders{Location: "/v1/labs/" + l.ID, ETag: etag(l.Version)}}, err
}

func (h handlers) GetLab(ctx context.Context, r server.GetLabRequestObject) (server.GetLabResponseObject, error) {
	l, err := h.rooms.Lab(ctx, callerOf(ctx), r.Lab)
	return server.GetLab200JSONResponse{Body: toLab(l), Headers: server.GetLab200ResponseHeaders{ETag: etag(l.Version)}}, err
}

func (h handlers) PutLab(ctx context.Context, r server.PutLabRequestObject) (server.PutLabResponseObject, error) {
	version, err := expected(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	l, err := h.rooms.PutLab(ctx, callerOf(ctx), r.Lab, fromLab(r.Body), version)
	return server.PutLab200JSONResponse{Body: toLab(l), Headers: server.PutLab200ResponseHeaders{ETag: etag(l.Version)}}, err
}

func (h handlers) ListLabProviders(ctx context.Context, _ server.ListLabProvidersRequestObject) (server.ListLabProvidersResponseObject, error) {
	all, err := allOf[contract.LabProvider](h.rooms.LabProviders(ctx, callerOf(ctx)))
	return server.ListLabProviders200JSONResponse{Providers: all}, err
}

func (h handlers) GetLabProvider(ctx context.Context, r server.GetLabProviderRequestObject) (server.GetLabProviderResponseObject, error) {
	p, err := h.rooms.LabProvider(ctx, callerOf(ctx), r.LabProvider)
	out, err := answered[contract.LabProvider](p, err)
	return server.GetLabProvider200JSONResponse{Body: out, Headers: server.GetLabProvider200ResponseHeaders{ETag: etag(p.Version)}}, err
}

func (h handlers) PutLabProvider(ctx context.Context, r server.PutLabProviderRequestObject) (server.PutLabProviderResponseObject, error) {
	out, p, err := put[contract.LabProvider](r.Params.IfMatch, r.Body, func(n labs.NewProvider, version int) (labs.Provider, error) {
		return h.rooms.PutLabProvider(ctx, callerOf(ctx), r.LabProvider, n, version)
	})
	return server.PutLabProvider200JSONResponse{Body: out, Headers: server.PutLabProvider200ResponseHeaders{ETag: etag(p.Version)}}, err
}

func (h handlers) ReceiveLabEvent(ctx context.Context, r server.ReceiveLabEventRequestObject) (server.ReceiveLabEventResponseObject, error) {
	return server.ReceiveLabEvent204Response{}, h.rooms.ReceiveLabEvent(ctx, r.LabProvider, labs.Delivery{
		ID: r.Params.WebhookId, Timestamp: r.Params.WebhookTimestamp, Signature: r.Params.WebhookSignature, Body: callOf(ctx).body,
	})
}

func (h handlers) ListLabLaunches(ctx context.Context, r server.ListLabLaunchesRequestObject) (server.ListLabLaunchesResponseObject, error) {
	p, err := pageOf(r.Params.Limit, r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	all, next, at, err := h.rooms.LabLaunches(ctx, callerOf(ctx), r.Session, p)
	return server.ListLabLaunches200JSONResponse{Launches: toLaunches(all, at), NextCursor: given(page.Cursor(next))}, err
}

func (h handlers) GetLabBoard(ctx context.Context, r server.GetLabBoardRequestObject) (server.GetLabBoardResponseObject, error) {
	all, at, err := h.rooms.LabBoard(ctx, callerOf(ctx), r.Session)
	return server.GetLabBoard200JSONResponse{At: at.UTC(), Launches: toLaunches(all, at)}, err
}

func (h handlers) GetCohortLabBoard(ctx context.Context, r server.GetCohortLabBoardRequestObject) (server.GetCohortLabBoardResponseObject, error) {
	b, err := h.rooms.CohortLabBoard(ctx, callerOf(ctx), r.Cohort)
	if err != nil {
		return nil, err
	}
	return server.GetCohortLabBoard200JSONResponse{At: b.At.UTC(), Members: b.Members, Shared: b.Shared, Learners: each(b.In, func(in progress.InLab) contract.CohortInLab {
		u := in.Usage
		return contract.CohortInLab{
			Member: in.MemberID, StudentKey: in.StudentKey, Name: in.Name, Session: in.Session, Title: labTitle(u.TitleEN, u.TitleFR), StartedAt: u.StartedAt.UTC(), LastActivityAt: u.LastAt.UTC(),
			HelpSince: utc(u.HelpSince), Minutes: u.In(b.At), MinutesLeft: u.Left(),
		}
	})}, nil
}

func (h handlers) GiveLabHelp(ctx context.Context, r server.GiveLabHelpRequestObject) (server.GiveLabHelpResponseObject, error) {
	return server.GiveLabHelp204Response{}, h.rooms.GiveLabHelp(ctx, callerOf(ctx), r.LabLaunch)
}

func (h handlers) StopLab(ctx context.Context, r server.StopLabRequestObject) (server.StopLabResponseObject, error) {
	return server.StopLab204Response{}, h.rooms.StopLab(ctx, callerOf(ctx), r.LabLaunch)
}

func (h handlers) GetMyLabs(ctx context.Context, r server.GetMyLabsRequestObject) (server.GetMyLabsResponseObject, error) {
	all, err := h.rooms.MyLabs(ctx, callerOf(ctx), r.Enrolment)
	return server.GetMyLabs200JSONResponse{Labs: each(all, func(s labs.Standing) contract.MyLab {
		out := contract.MyLab{Id: s.ID, Title: labTitle(s.TitleEN, s.TitleFR), Week: s.Week, MinutesUsed: s.Used, MinutesLeft: s.Left, Running: s.Running, CanOpen: s.Refused == nil}
		if s.Refused != nil {
			out.Reason = &s.Refused.Code
		}
		return out
	})}, err
}

func (h handlers) LaunchLab(ctx context.Context, r server.LaunchLabRequestObject) (server.LaunchLabResponseObject, error) {
	l, url, err := h.rooms.LaunchLab(ctx, callerOf(ctx), r.Params.IdempotencyKey, r.Enrolment, r.Lab)
	return server.LaunchLab201JSONResponse{Launch: l.ID, Url: url, ExpiresAt: l.ExpiresAt.UTC()}, err
}
