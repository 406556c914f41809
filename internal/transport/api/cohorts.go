package api

import (
	"context"

	contract "cursus/api"
	"cursus/api/server"
	"cursus/internal/domain/cohorts"
	"cursus/internal/kernel/page"
)

func (h handlers) ListPartnerCohorts(ctx context.Context, r server.ListPartnerCohortsRequestObject) (server.ListPartnerCohortsResponseObject, error) {
	rows, next, err := listed[contract.PartnerCohort](r.Params.Limit, r.Params.Cursor, func(p page.Request) ([]cohorts.Cohort, string, error) {
		return h.rooms.PartnerCohorts(ctx, callerOf(ctx), value(r.Params.Organisation), p)
	})
	return server.ListPartnerCohorts200JSONResponse{Cohorts: rows, NextCursor: next}, err
}

func (h handlers) CreatePartnerCohort(ctx context.Context, r server.CreatePartnerCohortRequestObject) (server.CreatePartnerCohortResponseObject, error) {
	n, err := as[cohorts.NewCohort](r.Body)
	if err != nil {
		return nil, err
	}
	made, err := h.rooms.CreatePartnerCohort(ctx, callerOf(ctx), r.Params.IdempotencyKey, n)
	if err != nil {
		return nil, err
	}
	out, err := as[contract.PartnerCohort](made)
	return server.CreatePartnerCohort201JSONResponse{Body: out, Headers: server.CreatePartnerCohort201ResponseHeaders{ETag: etag(made.Version), Location: "/v1/cohorts/" + made.ID}}, err
}

func (h handlers) GetPartnerCohort(ctx context.Context, r server.GetPartnerCohortRequestObject) (server.GetPartnerCohortResponseObject, error) {
	c, err := h.rooms.PartnerCohort(ctx, callerOf(ctx), r.Cohort)
	if err != nil {
		return nil, err
	}
	out, err := as[contract.PartnerCohort](c)
	return server.GetPartnerCohort200JSONResponse{Body: out, Headers: server.GetPartnerCohort200ResponseHeaders{ETag: etag(c.Version)}}, err
}

func (h handlers) PutPartnerCohort(ctx context.Context, r server.PutPartnerCohortRequestObject) (server.PutPartnerCohortResponseObject, error) {
	out, now, err := put[contract.PartnerCohort](r.Params.IfMatch, r.Body, func(e cohorts.Edit, version int) (cohorts.Cohort, error) {
		return h.rooms.PutPartnerCohort(ctx, callerOf(ctx), r.Cohort, version, e)
	})
	return server.PutPartnerCohort200JSONResponse{Body: out, Headers: server.PutPartnerCohort200ResponseHeaders{ETag: etag(now.Version)}}, err
}

func (h handlers) ListCohortEnrolments(ctx context.Context, r server.ListCohortEnrolmentsRequestObject) (server.ListCohortEnrolmentsResponseObject, error) {
	rows, next, err := listed[contract.CohortEnrolment](r.Params.Limit, r.Params.Cursor, func(p page.Request) ([]cohorts.Member, string, error) {
		return h.rooms.CohortMembers(ctx, callerOf(ctx), r.Cohort, string(value(r.Params.State)), value(r.Params.Q), p)
	})
	return server.ListCohortEnrolments200JSONResponse{Enrolments: rows, NextCursor: next}, err
}

// verdict says what of some rows holds: all, some or none. Without rows all of them do.
func verdict(all []cohorts.Outcome) (out contract.CohortResults, every, some bool) {
	every = true
	out.Results = each(all, func(o cohorts.Outcome) contract.CohortResult {
		every, some = every && o.Code.Done(), some || o.Code.Done()
		return contract.CohortResult{StudentKey: o.StudentKey, Code: contract.CohortResultCode(o.Code), State: given(contract.CohortState(o.State))}
	})
	return out, every, some
}

func rowsOf(b *contract.CohortRows) []cohorts.Row {
	return each(b.Rows, func(r contract.CohortRow) cohorts.Row {
		return cohorts.Row{
			StudentKey: r.StudentKey, Status: value(r.Status), Email: value(r.Email), GivenName: value(r.GivenName), FamilyName: value(r.FamilyName), Lang: value(r.Language),
		}
	})
}

func (h handlers) EnrolCohort(ctx context.Context, r server.EnrolCohortRequestObject) (server.EnrolCohortResponseObject, error) {
	all, err := h.rooms.EnrolCohort(ctx, callerOf(ctx), r.Cohort, r.Params.IdempotencyKey, rowsOf(r.Body))
	if err != nil {
		return nil, err
	}
	out, every, some := verdict(all)
	switch {
	case every:
		return server.EnrolCohort200JSONResponse(out), nil
	case some:
		return server.EnrolCohort207JSONResponse(out), nil
	}
	return server.EnrolCohort422JSONResponse(out), nil
}

func (h handlers) ChangeCohortEnrolments(ctx context.Context, r server.ChangeCohortEnrolmentsRequestObject) (server.ChangeCohortEnrolmentsResponseObject, error) {
	all, err := h.rooms.ChangeCohort(ctx, callerOf(ctx), r.Cohort, rowsOf(r.Body))
	if err != nil {
		return nil, err
	}
	out, every, some := verdict(all)
	switch {
	case every:
		return server.ChangeCohortEnrolments200JSONResponse(out), nil
	case some:
		return server.ChangeCohortEnrolments207JSONResponse(out), nil
	}
	return server.ChangeCohortEnrolments422JSONResponse(out), nil
}

func (h handlers) TransferCohortEnrolments(ctx context.Context, r server.TransferCohortEnrolmentsRequestObject) (server.TransferCohortEnrolmentsResponseObject, error) {
	all, err := h.rooms.TransferCohort(ctx, callerOf(ctx), r.Cohort, r.Body.To, r.Params.IdempotencyKey, r.Body.StudentKeys)
	if err != nil {
		return nil, err
	}
	out, every, some := verdict(all)
	switch {
	case every:
		return server.TransferCohortEnrolments200JSONResponse(out), nil
	case some:
		return server.TransferCohortEnrolments207JSONResponse(out), nil
	}
	return server.TransferCohortEnrolments422JSONResponse(out), nil
}

func (h handlers) InviteCohort(ctx context.Context, r server.InviteCohortRequestObject) (server.InviteCohortResponseObject, error) {
	all, base, err := h.rooms.InviteCohort(ctx, callerOf(ctx), r.Cohort, r.Params.IdempotencyKey, r.Body.StudentKeys)
	if err != nil {
		return nil, err
	}
	return server.InviteCohort200JSONResponse{Invitations: each(all, func(i cohorts.Invitation) contract.CohortInvitation {
		out := contract.CohortInvitation{StudentKey: i.StudentKey, Code: contract.CohortInvitationCode(i.Code), Mailed: i.Mailed, ExpiresAt: utc(i.ExpiresAt)}
		if i.Token != "" {
			url := base + "/invitations/" + i.Token
			out.Url, out.Token = &url, &i.Token
		}
		return out
	})}, nil
}

func (h handlers) TakeUpInvitation(ctx context.Context, r server.TakeUpInvitationRequestObject) (server.TakeUpInvitationResponseObject, error) {
	out, err := answered[contract.CohortEnrolment](h.rooms.TakeUpInvitation(ctx, callerOf(ctx), r.Body.Token))
	return server.TakeUpInvitation200JSONResponse(out), err
}
