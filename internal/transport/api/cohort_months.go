package api

import (
	"context"

	contract "cursus/api"
	"cursus/api/server"
	"cursus/internal/domain/sales"
)

func (h handlers) ListCohortMonths(ctx context.Context, r server.ListCohortMonthsRequestObject) (server.ListCohortMonthsResponseObject, error) {
	all, err := h.rooms.CohortMonths(ctx, callerOf(ctx), r.Cohort)
	if err != nil {
		return nil, err
	}
	return server.ListCohortMonths200JSONResponse{Months: each(all, func(m sales.Month) contract.CohortMonth {
		return contract.CohortMonth{
			Order: m.OrderID, Month: m.First.Format("2006-01"), EndsAt: m.EndsAt, State: contract.CohortMonthState(m.State), Places: m.Places, PriceMinor: m.PriceMinor, TotalMinor: m.TotalMinor,
			Currency: contract.Currency(m.Currency), DueDays: m.DueDays, BilledAt: m.BilledAt, DueAt: m.DueAt, PaidAt: m.PaidAt, Reminders: m.Reminders,
		}
	})}, nil
}
