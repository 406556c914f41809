// Package certificate embeds the layout of the printed certificate: positions in millimetres, colours, places of logos and
// signatures, words per language. What a partner chooses (colours, logos, who signs) is laid over it.
package certificate

import _ "embed" // the layout

// Layout is JSON, read once by the PDF gateway.
//
//go:embed layout.json
var Layout []byte
