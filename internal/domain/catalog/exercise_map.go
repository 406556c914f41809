package catalog

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/sheet"
)

const (
	maxMapBytes  = 4 << 20
	maxMapFaults = 100 // that are listed; a map has at most a thousand lines
)

// mapHeaders are the names that the columns of a map may have.
var mapHeaders = map[string]string{
	"exercise": "exercise", "exercice": "exercise", "label": "exercise", "week": "week", "semaine": "week", "scored": "scored", "noté": "scored",
	"note": "scored", "activity": "activity", "activité": "activity", "weight": "weight", "poids": "weight",
}

// ReadExerciseMap reads a CSV whose header names exercise and week, and may name scored (Y or N, default Y), weight (0 to 1,000, or per
// cent; default 0) and activity (quiz, case_study, lab or mock; by default guessed from the label). Other columns are passed over. It takes
// what spreadsheets save (see package sheet). A file with a wrong line is refused with line and column of each fault.
func ReadExerciseMap(r io.Reader) ([]Exercise, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxMapBytes+1))
	if err != nil {
		return nil, ErrExerciseMap.Because(err)
	}
	data, err := sheet.Text(raw, maxMapBytes)
	if err != nil {
		return nil, ErrExerciseMap.Because(err)
	}
	in := sheet.Reader(data)
	header, err := in.Read()
	if err != nil {
		return nil, ErrExerciseMap.Because(err)
	}
	m := mapReader{in: in, at: map[string]int{}, seen: map[string]int{}, width: len(header), fault: ErrExerciseMap}
	for i, h := range header {
		if name, ok := mapHeaders[strings.ToLower(strings.TrimSpace(h))]; ok {
			if _, twice := m.at[name]; twice {
				return nil, ErrExerciseMap.At(fmt.Sprintf("line 1, column %d", i+1), "duplicate", "Two columns have this name.")
			}
			m.at[name] = i
		}
	}
	_, okLabel := m.at["exercise"]
	if _, okWeek := m.at["week"]; !okLabel || !okWeek {
		return nil, ErrExerciseMap.At("line 1", "no-such-column", "The header names the columns exercise and week.")
	}
	return m.rows()
}

type mapReader struct {
	in    *csv.Reader
	at    map[string]int
	seen  map[string]int // label → line
	width int
	fault *fault.Fault
	out   []Exercise
}

func (m *mapReader) rows() ([]Exercise, error) {
	for {
		row, err := m.in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			where := "the file"
			if bad := (*csv.ParseError)(nil); errors.As(err, &bad) {
				where = fmt.Sprintf("line %d, column %d", bad.Line, bad.Column)
			}
			return nil, m.fault.At(where, "bad-csv", "A quotation mark is out of place.").Because(err)
		}
		if strings.TrimSpace(strings.Join(row, "")) == "" {
			continue // a spreadsheet keeps lines that were emptied
		}
		if len(m.out) == maxExercises {
			return nil, m.fault.At("the file", "too-many", "At most 1,000 exercises.")
		}
		m.row(row)
	}
	if len(m.fault.Fields) > 0 {
		return nil, m.fault
	}
	return m.out, nil
}

func (m *mapReader) row(row []string) {
	line, _ := m.in.FieldPos(0)
	if len(row) < m.width {
		m.refuse(line, len(row), "short-row", "The line has fewer cells than the header.")
		return
	}
	cell := func(name string) string {
		if i, ok := m.at[name]; ok {
			return strings.TrimSpace(row[i])
		}
		return ""
	}
	e := Exercise{Position: len(m.out) + 1, Label: cell("exercise"), Scored: true}
	if e.Label == "" || utf8.RuneCountInString(e.Label) > 255 {
		m.refuse(line, m.at["exercise"]+1, "bad-label", "1 to 255 characters.")
	}
	if first, twice := m.seen[e.Label]; twice {
		m.refuse(line, m.at["exercise"]+1, "duplicate", fmt.Sprintf("The exercise stands on line %d already.", first))
	}
	m.seen[e.Label] = line
	var err error
	if e.Week, err = strconv.Atoi(cell("week")); err != nil || e.Week < 0 || e.Week > 53 {
		m.refuse(line, m.at["week"]+1, "bad-week", "The week is a number from 0 to 53.")
	}
	switch strings.ToUpper(cell("scored")) {
	case "", "Y", "YES", "TRUE", "1", "O", "OUI":
	case "N", "NO", "FALSE", "0", "NON":
		e.Scored = false
	default:
		m.refuse(line, m.at["scored"]+1, "bad-scored", "Scored is Y or N.")
	}
	var ok bool
	if e.WeightPPM, ok = ParseWeight(cell("weight")); !ok {
		m.refuse(line, m.at["weight"]+1, "bad-weight", "The weight is a number from 0 to 1,000 with at most six decimals, or a percentage.")
	}
	e.Activity = activityOf(e.Label)
	if said := strings.ReplaceAll(strings.ToLower(cell("activity")), " ", "_"); said != "" {
		e.Activity = said
	}
	if !slices.Contains(ExerciseKinds(), e.Activity) {
		m.refuse(line, m.at["activity"]+1, "bad-activity", "The activity is quiz, case_study, lab or mock.")
	}
	m.out = append(m.out, e)
}

func (m *mapReader) refuse(line, column int, code, detail string) {
	if len(m.fault.Fields) < maxMapFaults {
		m.fault = m.fault.At(fmt.Sprintf("line %d, column %d", line, column), code, detail)
	}
}

// ParseWeight reads a weight into millionths: 0.15, 0,15, 15 % and 15 (which is fifteen times one). Nothing is 0.
func ParseWeight(s string) (ppm int64, ok bool) {
	s, percent := strings.CutSuffix(strings.NewReplacer(",", ".", " ", "", "\u00a0", "", "\u202f", "").Replace(s), "%")
	if s == "" {
		return 0, !percent
	}
	digits := 6
	if percent {
		digits = 4
	}
	w, f, point := strings.Cut(s, ".")
	if w == "" || len(w) > 6 || point && f == "" || len(f) > digits {
		return 0, false
	}
	n, err := strconv.ParseUint(w+f+strings.Repeat("0", digits-len(f)), 10, 63)
	if err != nil || n > MaxWeightPPM {
		return 0, false
	}
	return int64(n), true
}

// FormatWeight prints millionths as ParseWeight reads them, without needless zeros.
func FormatWeight(ppm int64) string {
	s := fmt.Sprintf("%d.%06d", ppm/whole, ppm%whole)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}
