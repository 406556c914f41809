package api

// AuthoringRooms is what the API asks of the house about the catalogue: collections, courses, charter, sessions. It speaks in the rooms' own types, whose JSON is that of
// the contract; TestTheWholeHouseKeepsTheContract holds them to it.
type AuthoringRooms interface {
	ExchangeRooms
	SessionRooms
}
