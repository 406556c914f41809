package api

import (
	"context"
	"slices"

	contract "cursus/api"
	"cursus/api/server"
	"cursus/internal/domain/catalog"
	"cursus/internal/domain/workshops"
	"cursus/internal/kernel/money"
)

// workshopScope lets a caller see what a day costs.
const workshopScope = "workshops:write"

func toDay(ctx context.Context, d workshops.Day) contract.WorkshopDay {
	starts, ends := d.StartsAt.UTC(), d.EndsAt.UTC()
	out := contract.WorkshopDay{
		Id: d.ID, Session: d.SessionKey, Place: d.Place, Zone: d.Zone, StartsAt: starts, EndsAt: ends, Capacity: d.Capacity, Registered: d.Registered,
		Present: d.Present, State: contract.WorkshopDayState(d.State), Version: d.Version, HeldAt: utc(d.HeldAt),
	}
	if t := (Text{EN: d.TitleEN, FR: d.TitleFR}); t != (Text{}) {
		text := toText(t)
		out.Title = &text
	}
	if slices.Contains(callerOf(ctx).Scopes, workshopScope) {
		currency := string(d.Currency)
		out.Currency, out.CostMinor, out.PerHeadMinor = &currency, &d.CostMinor, &d.PerHeadMinor
	}
	return out
}

func toDays(ctx context.Context, days []workshops.Day) []contract.WorkshopDay {
	return each(days, func(d workshops.Day) contract.WorkshopDay { return toDay(ctx, d) })
}

func fromDay(b *contract.NewWorkshopDay) workshops.NewDay {
	n := workshops.NewDay{
		Place: b.Place, Zone: b.Zone, StartsAt: b.StartsAt, EndsAt: b.EndsAt, Capacity: b.Capacity, Currency: money.Currency(b.Currency),
		CostMinor: value(b.CostMinor), PerHeadMinor: value(b.PerHeadMinor),
	}
	if b.Title != nil {
		n.Title = catalog.Text{EN: value(b.Title.En), FR: value(b.Title.Fr)}
	}
	return n
}

func toSheet(ctx context.Context, d workshops.Day, seats []workshops.Seat) contract.AttendanceSheet {
	return contract.AttendanceSheet{Day: toDay(ctx, d), Seats: each(seats, func(s workshops.Seat) contract.AttendanceSeat {
		out := contract.AttendanceSeat{EnrolmentId: s.EnrolmentID, LearnerId: s.LearnerID, FullName: s.FullName, ProductionPpm: s.ProductionPPM, Corrections: s.Corrections}
		if s.Status != "" {
			status := contract.AttendanceSeatStatus(s.Status)
			out.Status = &status
		}
		return out
	})}
}

func toStanding(c workshops.Completion) contract.WorkshopStanding {
	return contract.WorkshopStanding{
		EnrolmentId: c.EnrolmentID, Attended: c.Attended, MinDays: c.MinDays, AttendedEnough: c.AttendedEnough(), ProductionPpm: c.ProductionPPM,
		NeedsPpm: c.NeedsPPM, Produced: c.Produced(), Complete: c.Complete(),
	}
}

func toWorkshops(ctx context.Context, s WorkshopStanding) contract.WorkshopStanding {
	out, days, seats := toStanding(s.Completion), toDays(ctx, s.Days), each(s.Seats, func(id string) string { return id })
	out.Days, out.Seats = &days, &seats
	return out
}

func (h handlers) ListWorkshopDays(ctx context.Context, r server.ListWorkshopDaysRequestObject) (server.ListWorkshopDaysResponseObject, error) {
	days, err := h.rooms.WorkshopDays(ctx, callerOf(ctx), r.Session)
	if err != nil {
		return nil, err
	}
	return server.ListWorkshopDays200JSONResponse{Days: toDays(ctx, days)}, nil
}

func (h handlers) CreateWorkshopDay(ctx context.Context, r server.CreateWorkshopDayRequestObject) (server.CreateWorkshopDayResponseObject, error) {
	d, err := h.rooms.CreateWorkshopDay(ctx, callerOf(ctx), r.Params.IdempotencyKey, r.Session, fromDay(r.Body))
	if err != nil {
		return nil, err
	}
	return server.CreateWorkshopDay201JSONResponse{Body: toDay(ctx, d), Headers: server.CreateWorkshopDay201ResponseHeaders{
		Location: "/v1/workshop-days/" + d.ID + "/attendance", ETag: etag(d.Version),
	}}, nil
}

func (h handlers) PutWorkshopDay(ctx context.Context, r server.PutWorkshopDayRequestObject) (server.PutWorkshopDayResponseObject, error) {
	version, err := expected(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	d, err := h.rooms.PutWorkshopDay(ctx, callerOf(ctx), r.Day, fromDay(r.Body), version)
	if err != nil {
		return nil, err
	}
	return server.PutWorkshopDay200JSONResponse{Body: toDay(ctx, d), Headers: server.PutWorkshopDay200ResponseHeaders{ETag: etag(d.Version)}}, nil
}

func (h handlers) CancelWorkshopDay(ctx context.Context, r server.CancelWorkshopDayRequestObject) (server.CancelWorkshopDayResponseObject, error) {
	version, err := expected(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	d, err := h.rooms.CancelWorkshopDay(ctx, callerOf(ctx), r.Day, version)
	if err != nil {
		return nil, err
	}
	return server.CancelWorkshopDay200JSONResponse{Body: toDay(ctx, d), Headers: server.CancelWorkshopDay200ResponseHeaders{ETag: etag(d.Version)}}, nil
}

func (h handlers) HoldWorkshopDay(ctx context.Context, r server.HoldWorkshopDayRequestObject) (server.HoldWorkshopDayResponseObject, error) {
	d, err := h.rooms.HoldWorkshopDay(ctx, callerOf(ctx), r.Day)
	if err != nil {
		return nil, err
	}
	return server.HoldWorkshopDay200JSONResponse{Body: toDay(ctx, d), Headers: server.HoldWorkshopDay200ResponseHeaders{ETag: etag(d.Version)}}, nil
}

func (h handlers) GetAttendance(ctx context.Context, r server.GetAttendanceRequestObject) (server.GetAttendanceResponseObject, error) {
	d, seats, err := h.rooms.Attendance(ctx, callerOf(ctx), r.Day)
	if err != nil {
		return nil, err
	}
	return server.GetAttendance200JSONResponse(toSheet(ctx, d, seats)), nil
}

func (h handlers) RecordAttendance(ctx context.Context, r server.RecordAttendanceRequestObject) (server.RecordAttendanceResponseObject, error) {
	marks := make([]workshops.Mark, len(r.Body.Marks))
	for i, m := range r.Body.Marks {
		marks[i] = workshops.Mark{EnrolmentID: m.EnrolmentId, Status: string(m.Status)}
	}
	d, seats, err := h.rooms.RecordAttendance(ctx, callerOf(ctx), r.Day, marks)
	if err != nil {
		return nil, err
	}
	return server.RecordAttendance200JSONResponse(toSheet(ctx, d, seats)), nil
}

func (h handlers) SeatLearner(ctx context.Context, r server.SeatLearnerRequestObject) (server.SeatLearnerResponseObject, error) {
	d, seats, err := h.rooms.SeatLearner(ctx, callerOf(ctx), r.Params.IdempotencyKey, r.Day, r.Body.EnrolmentId)
	if err != nil {
		return nil, err
	}
	return server.SeatLearner201JSONResponse(toSheet(ctx, d, seats)), nil
}

func (h handlers) RecordProductions(ctx context.Context, r server.RecordProductionsRequestObject) (server.RecordProductionsResponseObject, error) {
	all := make([]workshops.Production, len(r.Body.Productions))
	for i, p := range r.Body.Productions {
		all[i] = workshops.Production{EnrolmentID: p.EnrolmentId, GradePPM: p.GradePpm, Note: value(p.Note)}
	}
	done, err := h.rooms.RecordProductions(ctx, callerOf(ctx), r.Session, all)
	if err != nil {
		return nil, err
	}
	return server.RecordProductions200JSONResponse{Enrolments: each(done, toStanding)}, nil
}

func (h handlers) GetWorkshops(ctx context.Context, r server.GetWorkshopsRequestObject) (server.GetWorkshopsResponseObject, error) {
	s, err := h.rooms.Workshops(ctx, callerOf(ctx), r.Enrolment)
	if err != nil {
		return nil, err
	}
	return server.GetWorkshops200JSONResponse(toWorkshops(ctx, s)), nil
}

func (h handlers) RegisterForDay(ctx context.Context, r server.RegisterForDayRequestObject) (server.RegisterForDayResponseObject, error) {
	s, err := h.rooms.RegisterForDay(ctx, callerOf(ctx), r.Params.IdempotencyKey, r.Enrolment, r.Body.DayId)
	if err != nil {
		return nil, err
	}
	return server.RegisterForDay201JSONResponse(toWorkshops(ctx, s)), nil
}

func (h handlers) LeaveDay(ctx context.Context, r server.LeaveDayRequestObject) (server.LeaveDayResponseObject, error) {
	s, err := h.rooms.LeaveDay(ctx, callerOf(ctx), r.Enrolment, r.Day)
	if err != nil {
		return nil, err
	}
	return server.LeaveDay200JSONResponse(toWorkshops(ctx, s)), nil
}
