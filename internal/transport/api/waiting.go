package api

import (
	"context"

	contract "cursus/api"
	"cursus/api/server"
	"cursus/internal/domain/sales"
	"cursus/internal/kernel/page"
)

func (h handlers) ListWaiting(ctx context.Context, r server.ListWaitingRequestObject) (server.ListWaitingResponseObject, error) {
	rows, next, err := listed[contract.Waiting](r.Params.Limit, r.Params.Cursor, func(p page.Request) ([]sales.Waiting, string, error) {
		return h.rooms.Waiting(ctx, callerOf(ctx), p)
	})
	return server.ListWaiting200JSONResponse{Waiting: rows, NextCursor: next}, err
}

func (h handlers) JoinWaiting(ctx context.Context, r server.JoinWaitingRequestObject) (server.JoinWaitingResponseObject, error) {
	out, err := answered[contract.Waiting](h.rooms.JoinWaiting(ctx, callerOf(ctx), r.Offer))
	return server.JoinWaiting200JSONResponse(out), err
}

func (h handlers) LeaveWaiting(ctx context.Context, r server.LeaveWaitingRequestObject) (server.LeaveWaitingResponseObject, error) {
	return server.LeaveWaiting204Response{}, h.rooms.LeaveWaiting(ctx, callerOf(ctx), r.Offer)
}

func (h handlers) ListSeats(ctx context.Context, r server.ListSeatsRequestObject) (server.ListSeatsResponseObject, error) {
	rows, next, err := listed[contract.Seats](r.Params.Limit, r.Params.Cursor, func(p page.Request) ([]sales.Seats, string, error) {
		return h.rooms.Seats(ctx, callerOf(ctx), p)
	})
	return server.ListSeats200JSONResponse{Seats: rows, NextCursor: next}, err
}
