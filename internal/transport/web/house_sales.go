package web

// SalesHouse is what the pages ask of the rooms about seats, ways to pay, withdrawal, refunds and disputes. It speaks in the rooms' own types. Who may not do a
// thing is Forbidden.
type SalesHouse interface{}

// salesRoutes are the addresses of these pages.
func (w *Web) salesRoutes() []route {
	return []route{}
}
