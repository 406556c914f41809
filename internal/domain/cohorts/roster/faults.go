package roster

import (
	"fmt"
	"slices"
	"strings"

	"cursus/internal/kernel/fault"
)

// Every fault of this package. ErrRefused carries, as fields, each place of the file and the rule that it breaks.
var (
	ErrRefused    = fault.New(fault.Unprocessable, "roster-refused", "The file was not read, and nothing was changed.")
	ErrTooLarge   = fault.New(fault.TooLarge, "roster-too-large", fmt.Sprintf("A roster has at most %d MiB and %d rows.", MaxBytes>>20, MaxRows))
	ErrWhichClass = fault.New(fault.Unprocessable, "which-class", "Say which class of the file is meant.")
)

// maxProblems bounds what one answer lists; what is beyond is counted.
const maxProblems = 50

// problems collects what is wrong with a file.
type problems struct {
	all      []problem
	more     int
	tooLarge bool
}

// problem is a place of a file, its line and its column in bytes of UTF-8, from 1, and the rule that it breaks.
type problem struct {
	file         string
	line, column int
	rule, detail string
}

func (p *problems) add(file string, line, column int, rule, detail string) {
	if len(p.all) >= maxProblems {
		p.more++
		return
	}
	p.all = append(p.all, problem{file, max(line, 1), max(column, 1), rule, detail})
}

// fault is all that is wrong; nil where nothing is.
func (p *problems) fault() error {
	if p.tooLarge {
		return ErrTooLarge
	}
	if len(p.all) == 0 {
		return nil
	}
	slices.SortStableFunc(p.all, func(a, b problem) int {
		if c := strings.Compare(a.file, b.file); c != 0 {
			return c
		}
		return a.line - b.line
	})
	out := *ErrRefused
	for _, x := range p.all {
		out.Fields = append(out.Fields, fault.Field{Pointer: fmt.Sprintf("%s:%d:%d", x.file, x.line, x.column), Code: x.rule, Detail: x.detail})
	}
	first := p.all[0]
	out.Detail = fmt.Sprintf("%s Line %d, column %d of %s: %s", out.Detail, first.line, first.column, first.file, first.detail)
	if n := len(p.all) + p.more - 1; n > 0 {
		out.Detail = fmt.Sprintf("%s (And %d more.)", out.Detail, n)
	}
	return &out
}
