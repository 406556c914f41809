package web

import (
	"html/template"
	"regexp"
	"strings"
)

var marked = regexp.MustCompile("`[^`]+`|\\*\\*[^*]+\\*\\*")

// Prose sets a description of the contract in paragraphs.
func (v View) Prose(text string) template.HTML {
	var b strings.Builder
	for paragraph := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		b.WriteString("<p>" + string(v.Inline(paragraph)) + "</p>")
	}
	return template.HTML(b.String()) //nolint:gosec // escaped by Inline
}

// Inline sets a description in one line: **strong** words and `code`. The contract uses nothing else of Markdown.
func (v View) Inline(text string) template.HTML {
	safe := template.HTMLEscapeString(strings.Join(strings.Fields(text), " "))
	return template.HTML(marked.ReplaceAllStringFunc(safe, func(m string) string { //nolint:gosec // escaped above
		if m[0] == '`' {
			return "<code>" + m[1:len(m)-1] + "</code>"
		}
		return "<strong>" + m[2:len(m)-2] + "</strong>"
	}))
}
