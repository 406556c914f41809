package api

// SalesRooms is what the API asks of the house about seats, ways to pay, withdrawal, refunds and disputes, in the rooms' own types.
type SalesRooms interface{}
