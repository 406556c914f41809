package api

// ProgramRooms is what the API asks of the house about programs, editions and workshops. It speaks in the rooms' own types, whose JSON is that of
// the contract; TestTheWholeHouseKeepsTheContract holds them to it.
type ProgramRooms interface {
	WorkshopRooms
}
