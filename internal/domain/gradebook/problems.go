package gradebook

import (
	"math/big"
	"strings"
)

const (
	earnedSuffix   = " (Earned)"
	possibleSuffix = " (Possible)"
)

// problems says whether a header is that of a problem grade report.
func problems(header []string) bool {
	for _, h := range header {
		if strings.HasSuffix(strings.TrimSpace(h), earnedSuffix) {
			return true
		}
	}
	return false
}

// problem is a pair of columns of a problem grade report.
type problem struct{ earned, possible int }

// parseProblems reads a problem grade report: per problem what was earned of what was possible. Older ones have Final Grade for Grade and no
// Enrollment Status; then they say nothing of who is enrolled.
func parseProblems(t *table) (r Report, err error) {
	subject, username, email, status, grade := t.place("student id", "id"), t.place("username"), t.place("email"), t.place("enrollment status"), t.place("grade", "final grade")
	if subject < 0 || username < 0 || grade < 0 {
		return r, ErrNotAReport
	}
	r = Report{Kind: Problems, Family: Modern, Columns: []Column{{Kind: "grade", Label: "grade"}}, Partial: true}
	var pairs []problem
	seen := map[string]int{}
	for i, h := range t.header {
		label, is := strings.CutSuffix(strings.TrimSpace(h), earnedSuffix)
		if !is {
			continue
		}
		if label = strings.TrimSpace(label); !okLabel(label) || i+1 == len(t.header) || strings.TrimSpace(t.header[i+1]) != strings.TrimSpace(h)[:len(strings.TrimSpace(h))-len(earnedSuffix)]+possibleSuffix {
			return r, ErrNotAReport.Detailf("Beside what is earned of a problem stands what is possible: column %d.", i+1)
		}
		r.Columns, pairs = append(r.Columns, Column{Kind: "exercise", Label: label, Occurrence: seen[label]}), append(pairs, problem{i, i + 1})
		seen[label]++
	}
	err = r.rows(t, subject, func(record []string) (row Row, col int, code, detail string) {
		if row, col, code, detail = t.person(record, subject, username, email); code != "" {
			return row, col, code, detail
		}
		if row.Quiet = status < 0; !row.Quiet {
			switch strings.ToLower(strings.TrimSpace(record[status])) {
			case "enrolled":
			case "unenrolled", "not enrolled":
				row.Enrolled = false
			default:
				return row, status, "bad-status", "The enrolment status is enrolled or unenrolled."
			}
		}
		row.Cells = make([]int64, len(r.Columns))
		v, ok := parseCell(record[grade], t.comma)
		if !ok || v < 0 {
			return row, grade, "bad-score", "The grade is a number from 0 to 1."
		}
		row.Cells[0] = v
		for i, p := range pairs {
			if row.Cells[i+1], ok = ratio(record[p.earned], record[p.possible], t.comma); !ok {
				return row, p.earned, "bad-score", "What is earned is a number up to what is possible, Not Attempted or Not Available."
			}
		}
		return row, 0, "", ""
	})
	return r, err
}

// ratio gives earned of possible in billionths, half up, exactly.
func ratio(earned, possible string, decimalComma bool) (int64, bool) {
	earned, possible = strings.TrimSpace(earned), strings.TrimSpace(possible)
	switch earned {
	case "Not Available":
		return NotAvailable, possible == "Not Available" || points(possible, decimalComma) != nil
	case "Not Attempted":
		return NotAttempted, points(possible, decimalComma) != nil
	}
	of, whole := points(earned, decimalComma), points(possible, decimalComma)
	switch {
	case of == nil || whole == nil:
		return 0, false
	case whole.Sign() == 0: // a problem without points tells nothing of who did it
		return NotAvailable, of.Sign() == 0
	}
	return billionths(of.Quo(of, whole))
}

// points reads a number of points, 0 to 999,999,999; nil: it is none.
func points(s string, decimalComma bool) *big.Rat {
	if decimalComma {
		s = strings.Replace(s, ",", ".", 1)
	}
	whole, fraction, point := strings.Cut(s, ".")
	if whole == "" || len(whole) > 9 || len(fraction) > 40 || point && fraction == "" {
		return nil
	}
	for _, d := range whole + fraction {
		if d < '0' || d > '9' {
			return nil
		}
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return nil
	}
	return r
}

// billionths rounds half up; false: it is not from 0 to 1.
func billionths(r *big.Rat) (int64, bool) {
	if r.Sign() < 0 || r.Cmp(big.NewRat(1, 1)) > 0 {
		return 0, false
	}
	x := new(big.Rat).Add(new(big.Rat).Mul(r, big.NewRat(one, 1)), big.NewRat(1, 2))
	return new(big.Int).Div(x.Num(), x.Denom()).Int64(), true
}
