package web

// AuthoringHouse is what the pages ask of the rooms about the catalogue: collections, courses, charter, sessions. It speaks in the rooms' own types.
type AuthoringHouse interface{}

// authoringRoutes are the addresses of these pages.
func (w *Web) authoringRoutes() []route { return nil }
