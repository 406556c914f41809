package sheet

import (
	"path"
	"strings"
	"unicode"
)

// longestName is how much of a file's name is kept, in runes: its end, which says what it is.
const longestName = 200

// PlainName is the name of a file without its folders and what no name has; the other one where nothing is left.
func PlainName(name, other string) string {
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, strings.ToValidUTF8(path.Base(strings.ReplaceAll(name, `\`, "/")), ""))
	if runes := []rune(name); len(runes) > longestName {
		name = string(runes[len(runes)-longestName:])
	}
	if strings.Trim(name, "./ ") == "" {
		return other
	}
	return name
}
