package gradebook

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"golang.org/x/text/encoding/unicode"
	"pgregory.net/rapid"
)

const legacyFile = "id,username,grade,HW 01,HW 02,HW Avg,Final,Cohort Name,Enrollment Track\n" +
	"1,ada,0.5,1,0,0.5,0.333333333333,PRO,honor\n2,bob,0,0,0,0,0,Default Group,honor\n"

const modernFile = "Student ID,Email,Username,Grade,Homework 1: Week 1,Homework 2: Week 1,Homework 2: Week 1,Homework (Avg),Enrollment Track,Enrollment Status\r\n" +
	"42,ada@example.org,ada,0.81,0.9,Not Attempted,0,0.45,verified,enrolled\r\n43,b@example.org,\"b, or \"\"c\"\"\",0.0,Not Available,0,1e-05,0,audit,unenrolled\r\n"

func TestBothFamilies(t *testing.T) {
	l, err := Parse([]byte(legacyFile))
	if err != nil || l.Family != Legacy || len(l.Rows) != 2 || len(l.Columns) != 5 {
		t.Fatalf("%+v %v", l, err)
	}
	if got := fmt.Sprint(l.Rows[0].Cells); got != "[500000000 1000000000 -1 500000000 333333333]" || l.Rows[0].Cohort != "PRO" {
		t.Error(got)
	}
	if l.Columns[3].Kind != "average" || l.Columns[4].Kind != "exercise" {
		t.Error(l.Columns)
	}
	m, err := Parse([]byte(modernFile))
	if err != nil || m.Family != Modern || len(m.Rows) != 2 {
		t.Fatalf("%+v %v", m, err)
	}
	if got := fmt.Sprint(m.Rows[0].Cells, m.Rows[1].Cells); got != "[810000000 900000000 -1 0 450000000] [0 -2 0 10000 0]" {
		t.Error(got)
	}
	if m.Rows[1].Enrolled || m.Columns[3].Occurrence != 1 || m.Columns[2].Occurrence != 0 {
		t.Error(m.Rows[1], m.Columns)
	}
}

// However a spreadsheet saved the file again, the report is the same.
func TestDialects(t *testing.T) {
	want, _ := Parse([]byte(legacyFile))
	utf16, _ := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(legacyFile)
	semicolon := strings.ReplaceAll(strings.ReplaceAll(legacyFile, ",", ";"), "0.", "0,")
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = z.Write([]byte(legacyFile))
	_ = z.Close()
	for name, file := range map[string]string{
		"byte order mark": "\ufeff" + legacyFile, "utf-16": utf16, "semicolons": semicolon, "gzip": zipped.String(),
		"tabs": strings.ReplaceAll(legacyFile, ",", "\t"), "crlf": strings.ReplaceAll(legacyFile, "\n", "\r\n"), "old mac": strings.ReplaceAll(legacyFile, "\n", "\r"),
	} {
		got, err := Parse([]byte(file))
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %v %v", name, got, err)
		}
	}
	if r, err := Parse([]byte(strings.Replace(legacyFile, "ada", "Am\xe9lie", 1))); err != nil || r.Rows[0].Username != "Amélie" {
		t.Error(r, err)
	}
}

// A bad row is refused with its place and shifts nothing; its neighbours are taken.
func TestBadRowsAreRejectedWithTheirPlace(t *testing.T) {
	for row, want := range map[string]string{
		"3,c,0.5,1,0": "4:6 row-length", "3,c,0.5,1,0,0,0,x,y,z": "4:10 row-length", "3,c,NaN,1,0,0,0,x,y": "4:3 bad-score",
		"3,c,0.5,1.01,0,0,0,x,y": "4:4 bad-score", "3,c,0.5,,0,0,0,x,y": "4:4 bad-score", "3,c,0.5,-1,0,0,0,x,y": "4:4 bad-score",
		"3,c,0.5,=1+1,0,0,0,x,y": "4:4 bad-score", ",c,0.5,1,0,0,0,x,y": "4:1 bad-learner", "1,c,0.5,1,0,0,0,x,y": "4:1 duplicated",
		"3,c,Not Attempted,1,0,0,0,x,y": "4:3 bad-score", "3,c,Inf,1,0,0,0,x,y": "4:3 bad-score",
	} {
		r, err := Parse([]byte(legacyFile + row + "\n9,i,1,1,1,1,1,x,y\n"))
		if err != nil || len(r.Rejects) != 1 || len(r.Rows) != 3 {
			t.Errorf("%s: %+v %v", row, r, err)
			continue
		}
		if got := fmt.Sprintf("%d:%d %s", r.Rejects[0].Line, r.Rejects[0].Column, r.Rejects[0].Code); got != want {
			t.Errorf("%s: %s, want %s", row, got, want)
		}
	}
	header, _, _ := strings.Cut(legacyFile, "\n")
	withNUL := strings.Replace(legacyFile, "ada", "a\x00a", 1)
	wide, _ := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(withNUL)
	for _, file := range []string{
		"", "a,b\n", "id,username\n", "\x00", "id,username,grade,\n", withNUL, wide, strings.Replace(withNUL, "grade", "gr\xe9de", 1) + "\xe9",
		header, header + "\n", header + "\r\n1,short\r\n", // nobody in it: everybody would have left
	} {
		if _, err := Parse([]byte(file)); err == nil {
			t.Errorf("%q was taken for a grade report", file)
		}
	}
}

// Billionths equal exact arithmetic, half up.
func TestScoresEqualExactArithmetic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := "0." + rapid.StringMatching(`[0-9]{1,14}`).Draw(t, "digits")
		exact, _ := new(big.Rat).SetString(s)
		exact.Mul(exact, big.NewRat(one, 1)).Add(exact, big.NewRat(1, 2))
		want := new(big.Int).Div(exact.Num(), exact.Denom()).Int64()
		if got, ok := parseCell(s, false); !ok || got != want {
			t.Fatalf("%s is %d (%v), want %d", s, got, ok, want)
		}
	})
}
