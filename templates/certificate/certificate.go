// Package certificate embeds the layout of the printed certificate: positions in millimetres, colours, words per language.
package certificate

import _ "embed" // the layout

// Layout is JSON, read once by the PDF gateway.
//
//go:embed layout.json
var Layout []byte
