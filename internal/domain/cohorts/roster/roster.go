// Package roster reads the files by which a school says who is in a group: the CSV of the edX registrar (student_key,status), a richer
// one with addresses and names, the same with a course_id for several groups, and OneRoster 1.1 and 1.2 as a ZIP of CSV tables, whole
// (bulk) or changes alone (delta).
//
// A file is read whole or refused whole, with the line and the column of each place that is wrong: half a roster would enrol half a
// class. What is not asked for is not read: further columns are dropped, and the password that OneRoster has a column for is never looked
// at. The package knows no database.
package roster

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// Limits of a file: its bytes, as they come and as text, and its rows.
const (
	MaxBytes = 16 << 20
	MaxRows  = 200_000
	maxText  = 64 << 20
)

// Formats.
const (
	CSV         = "csv"
	OneRoster11 = "oneroster-1.1"
	OneRoster12 = "oneroster-1.2"
)

// Modes. Of a bulk file who is not in it has left; a delta says nothing of who is not in it. A CSV does not say which it is.
const (
	Bulk  = "bulk"
	Delta = "delta"
)

// What OneRoster says, in the words of the registrar.
const (
	enrolled  = "enrolled"
	suspended = "suspended"
	canceled  = "canceled"
)

// Row is what a file says about one learner in one group. Texts stand as in the file, without space around them; an address is in
// lower case. The status is any word: what it means is not the file's to know.
type Row struct {
	Line       int // of the file, from 1; of enrollments.csv
	Class      string
	StudentKey string
	Status     string
	Email      string
	GivenName  string
	FamilyName string
	Language   string
}

// Class is a group that a file names: a class of OneRoster, or a course_id.
type Class struct {
	ID    string `json:"id"`
	Code  string `json:"code,omitempty"`
	Title string `json:"title,omitempty"`
	Rows  int    `json:"rows"`
}

// File is a roster that was read.
type File struct {
	Format  string
	Mode    string // Bulk or Delta; "" where the file does not say it
	Classes []Class
	Rows    []Row
	Unended bool // the last line of a CSV has no end, so that the file may have been cut there
}

// Read reads a roster of any format. Errors: ErrTooLarge; ErrRefused with each place that is wrong.
func Read(raw []byte) (File, error) {
	if len(raw) > MaxBytes {
		return File{}, ErrTooLarge
	}
	wrong := &problems{}
	var f File
	if bytes.HasPrefix(raw, []byte("PK")) {
		f = readOneRoster(raw, wrong)
	} else {
		f = readCSV(raw, wrong)
	}
	if err := wrong.fault(); err != nil {
		return File{}, err
	}
	return f, nil
}

// Of gives the rows of one group, and those of others that a caller should hear of. The group is the class that is asked for, by its id
// or code; without one it is the only class of the file, or the one that the group is known by. Rows without a class are the group's. Of
// OneRoster, which holds a whole school, other classes are passed over; of a CSV they are given as strays. Error: ErrWhichClass, with the
// classes that there are.
func (f File) Of(asked string, known ...string) (mine, strays []Row, err error) {
	if len(f.Classes) == 0 {
		if asked != "" {
			return nil, nil, ErrWhichClass.Detailf("The file names no classes: leave the class out.")
		}
		return f.Rows, nil, nil
	}
	names := known
	if asked != "" {
		names = []string{asked}
	}
	wanted := map[string]bool{}
	for _, c := range f.Classes {
		if slices.Contains(names, c.ID) || c.Code != "" && slices.Contains(names, c.Code) {
			wanted[c.ID] = true
		}
	}
	if len(wanted) == 0 && asked == "" && len(f.Classes) == 1 && f.Format != CSV {
		wanted[f.Classes[0].ID] = true
	}
	if len(wanted) != 1 {
		return nil, nil, whichClass(f.Classes)
	}
	for _, r := range f.Rows {
		if wanted[r.Class] {
			mine = append(mine, r)
		} else if f.Format == CSV {
			strays = append(strays, r)
		}
	}
	return mine, strays, nil
}

// whichClass names the classes that can be asked for, as far as a person reads.
func whichClass(all []Class) error {
	const most = 20
	var names []string
	for _, c := range all[:min(len(all), most)] {
		names = append(names, strings.TrimSpace(fmt.Sprintf("%s %s", c.ID, c.Title)))
	}
	if len(all) > most {
		names = append(names, fmt.Sprintf("%d more", len(all)-most))
	}
	return ErrWhichClass.Detailf("The file has several classes, or none of this cohort's names. Say which: %s.", strings.Join(names, "; "))
}
