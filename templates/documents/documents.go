// Package documents embeds the layout of invoices, credit notes, proformas, receipts and statements on paper: positions in
// millimetres, sizes in points, colours, words per language.
package documents

import _ "embed" // the layout

// Layout is JSON, read once by the PDF gateway.
//
//go:embed layout.json
var Layout []byte
