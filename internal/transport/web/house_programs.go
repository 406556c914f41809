package web

// ProgramHouse is what the pages ask of the rooms about programs, editions and workshops. It speaks in the rooms' own types.
type ProgramHouse interface {
	SessionHouse
}

// programRoutes are the addresses of these pages.
func (w *Web) programRoutes() []route { return nil }
