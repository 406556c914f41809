package invoicing

// NumberOf is the number of a document as it is printed, from its series and its place in it.
func NumberOf(series string, n int64) string { return numberOf(series, n) }
