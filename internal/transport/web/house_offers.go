package web

// OfferHouse is what the pages ask of the rooms about formulas and offers. It speaks in the rooms' own types.
type OfferHouse interface{}

// offerRoutes are the addresses of these pages.
func (w *Web) offerRoutes() []route { return nil }
