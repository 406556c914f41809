package exchange

import (
	"fmt"
	"slices"
	"strings"

	"cursus/internal/kernel/fault"
)

// Every fault of this room. ErrRefused carries, as fields, each place of the file and the rule that it breaks.
var (
	ErrRefused  = fault.New(fault.Unprocessable, "catalogue-refused", "The file was not imported, and nothing was changed: it breaks rules.")
	ErrTooLarge = fault.New(fault.TooLarge, "catalogue-too-large", "The catalogue file is too large.")
	ErrForm     = fault.New(fault.Invalid, "bad-format", "A catalogue is exported as json or csv.")
)

// maxProblems bounds what one import lists; what is beyond is counted.
const maxProblems = 200

// Problem is a place of a file and the rule that it breaks. Path is a JSON pointer into the document; File is one of a ZIP of tables.
type Problem struct {
	Path   string `json:"path"`
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"` // from 1; 0: not of one line
	Column int    `json:"column,omitempty"`
	Rule   string `json:"rule"`
	Detail string `json:"detail"`
}

// Pointer names the place in one word: file:line:column of a table, else the path.
func (p Problem) Pointer() string {
	if p.File != "" {
		return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
	}
	return p.Path
}

// problems collects what is wrong with a file.
type problems struct {
	all  []Problem
	more int
}

func (p *problems) add(path string, at place, rule, detail string) {
	if len(p.all) >= maxProblems {
		p.more++
		return
	}
	p.all = append(p.all, Problem{path, at.file, at.line, at.column, rule, detail})
}

// fault is all that is wrong; nil where nothing is.
func (p *problems) fault() error {
	if len(p.all) == 0 {
		return nil
	}
	slices.SortStableFunc(p.all, func(a, b Problem) int {
		if c := strings.Compare(a.File, b.File); c != 0 {
			return c
		}
		return a.Line - b.Line
	})
	out := *ErrRefused
	for _, x := range p.all {
		detail := x.Detail
		if x.File == "" && x.Line > 0 {
			detail = fmt.Sprintf("Line %d, column %d: %s", x.Line, x.Column, detail)
		}
		out.Fields = append(out.Fields, fault.Field{Pointer: x.Pointer(), Code: x.Rule, Detail: detail})
	}
	if p.more > 0 {
		out.Detail = fmt.Sprintf("%s %d more are not listed.", out.Detail, p.more)
	}
	return (&refusal{p.all, p.more}).of(&out)
}

// refusal is the list of problems behind a fault, for those who want more than fields.
type refusal struct {
	all  []Problem
	more int
}

func (r *refusal) of(f *fault.Fault) error { return f.Because(r) }

func (r *refusal) Error() string { return fmt.Sprintf("%d problems", len(r.all)+r.more) }
