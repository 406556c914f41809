package flows

import (
	"context"
	"strconv"

	"cursus/internal/domain/sales"
)

// instalmentDue charges the card of an order with an instalment.
func (h *House) instalmentDue(ctx context.Context, e sales.InstalmentDue) error {
	return h.Sales.Charge(ctx, e.PaymentID)
}

// accessRestored goes on with what waited for an instalment: exams that may be sat again, and certificates that were earned meanwhile.
func (h *House) accessRestored(ctx context.Context, e sales.AccessRestored) error {
	return h.refresh(ctx, e.Enrolments, e.OrderID)
}

// tellOfInstalment fills in which instalment a letter is about, what is left to pay, and where to pay it.
func tellOfInstalment(o sales.Order, e sales.OrderNews, l *letter) {
	if e.Instalment == 0 || o.Schedule == nil {
		return
	}
	l.facts.Count, l.facts.Of = e.Instalment, len(o.Schedule.Instalments)
	l.facts.Left = o.Schedule.Owed(o.Total.Currency)
	if e.Until != nil {
		l.facts.Until = *e.Until
	}
	for _, i := range o.Schedule.Instalments {
		if i.N == e.Instalment {
			l.facts.At = i.DueAt
			if i.Asks() {
				l.path += "/instalments/" + strconv.Itoa(i.N)
			}
		}
	}
	if next := o.Schedule.Next(); e.News == "instalment_charged" && next != nil {
		l.facts.Until = next.DueAt
	}
}
