package sheet_test

import (
	"testing"

	"cursus/internal/kernel/sheet"
)

// A name of a column may hold more of another separator than the file has of its own: cut there, every row would shift.
func TestTheSeparatorIsThatOfTheRows(t *testing.T) {
	for text, want := range map[string]rune{
		"a,b,c\n1,2,3\n": ',', "a;b;c\n1;0,5;0,7\n": ';', "a\tb\n1,5\t2\n": '\t', "a;b;c": ';', "alone\n1\n": ',', "": ',',
		"Student ID;Grade;Homework 1: a, b, c;Homework 2: d, e, f, g\r\n42;0,81;0,9;0,5\r\n":           ';',
		"Student ID,Grade,Homework 1: a; b; c,Homework 2: d; e; f; g\r\n42,0.81,0.9,0.5\r\n":           ',',
		"\"id\";\"s1. Plan, build, run, and mend, a network\";\"s2\"\n\"1\";\"7\";\"8\"\n":             ';',
		"\"id\",\"Tell us; at length; and in\nmany; many; lines; please\",\"s2\"\n\"1\",\"7\",\"8\"\n": ',',
		"\"a, b, c, d\";\"e\"\r\n":     ';', // a header alone
		"a;b, c, d, e;f\n1;2\n\n1;2;3": ';', // a row that is short
	} {
		if got := sheet.Separator([]byte(text)); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
