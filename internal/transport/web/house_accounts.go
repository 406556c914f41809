package web

// AccountHouse is what the pages ask of the rooms about documents, statements, exports and reconciliation. It speaks in the rooms' own types. Who may not do a
// thing is Forbidden.
type AccountHouse interface{}

// accountRoutes are the addresses of these pages.
func (w *Web) accountRoutes() []route {
	return []route{}
}
