// Package fonts embeds the faces that printed documents need beyond the code page of PDF's own fonts.
//
// wide.ttf is DejaVu Sans 2.37, which has Arabic's presentation forms; han.ttf is Droid Sans Fallback. Both are whole, so a
// document that needs one pays for reading it. Their licences lie beside them.
package fonts

import _ "embed" // the faces

// Wide has Latin, Greek, Cyrillic, Arabic and many symbols.
//
//go:embed wide.ttf
var Wide []byte

// Han has Han and kana, but no hangul and no Latin.
//
//go:embed han.ttf
var Han []byte
