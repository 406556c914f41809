package api

// OfferRooms is what the API asks of the house about formulas and offers. It speaks in the rooms' own types, whose JSON is that of
// the contract; TestTheWholeHouseKeepsTheContract holds them to it.
type OfferRooms interface{}
