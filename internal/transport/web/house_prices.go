package web

// PriceHouse is what the pages ask of the rooms about prices and vouchers. It speaks in the rooms' own types. Who may not do a
// thing is Forbidden.
type PriceHouse interface{}

// priceRoutes are the addresses of these pages.
func (w *Web) priceRoutes() []route {
	return []route{}
}
