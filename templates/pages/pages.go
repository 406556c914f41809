// Package pages embeds what a person reads in a browser: the pages, their words in English and French, style and scripts.
package pages

import "embed"

// FS holds html (templates), words (one catalogue per language) and static (served as they are).
//
//go:embed html words static
var FS embed.FS
