package api

// PriceRooms is what the API asks of the house about prices and vouchers, in the rooms' own types.
type PriceRooms interface{}
