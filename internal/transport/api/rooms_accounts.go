package api

// AccountRooms is what the API asks of the house about documents, statements, exports and reconciliation, in the rooms' own types.
type AccountRooms interface{}
