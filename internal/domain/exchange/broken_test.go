package exchange_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/exchange"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/programs"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

// refused says where and why a file was not taken; it fails where it was, or where the house changed.
func refused(t *testing.T, db *postgres.DB, raw []byte) []fault.Field {
	t.Helper()
	_, before := export(t, db)
	_, err := exchange.Import(staff, db, raw, false)
	if !errors.Is(err, exchange.ErrRefused) {
		t.Fatalf("it was not refused: %v", err)
	}
	if _, after := export(t, db); !bytes.Equal(before, after) {
		t.Error("the house was changed")
	}
	return fault.From(err).Fields
}

func has(fields []fault.Field, pointer, code, detail string) bool {
	for _, f := range fields {
		if f.Pointer == pointer && f.Code == code && strings.Contains(f.Detail, detail) {
			return true
		}
	}
	return false
}

// A broken file is refused with line, path and rule, all of them at once, and changes nothing.
func TestABrokenFileNamesLinePathAndRule(t *testing.T) {
	db := testkit.DB(t)
	take(t, db, flirt(t), false)
	whole := string(flirt(t))
	for _, c := range []struct{ old, replacement, pointer, code, detail string }{
		{`"level": "bachelor"`, `"level": "beginner"`, "/courses/3/level", "bad-level", "Line "},
		{`"threshold_ppm": 500000`, `"threshold_ppm": 0.5`, "/sessions/0/threshold_ppm", "not-an-integer", "Line "},
		{`"kind": "spoc"`, `"kind": "school"`, "/sessions/0/kind", "unknown-kind", "Line "},
		{`"opening": "monthly"`, `"opening": "never"`, "/editions/1", "edition-in-force", "Line "},
		{`"starts_at": "2019-02-04T08:00:00Z"`, `"starts_at": "Monday"`, "/sessions/0/starts_at", "bad-time", "Line "},
		{`"title": {`, `"titel": {`, "/collection/titel", "unknown-member", "Line "},
		{`"format": "cursus-catalogue/1"`, `"format": "cursus-catalogue/2"`, "/format", "unknown-format", "Line 2"},
		{`"key": "FTTH"`, `"key": "ALDDT"`, "/courses/1", "duplicate", "Line "},
		{`"currency": "XOF"`, `"currency": "XXQ"`, "", "", ""},
		{`"formula": "QUALIFYING"`, `"formula": "QUALITY"`, "/offers/1/formula", "no-such-formula", "Line "},
		{`"price_minor": 15000`, `"price_minor": -1`, "/offers/1/price_minor", "bad-price", "Line "},
		{"\"key\": \"RQOS\",\n            \"optional\"", "\"key\": \"NOPE\",\n            \"optional\"", "/programs/0/parts/2/course/key", "no-such-course", "Line "},
	} {
		broken := strings.Replace(whole, c.old, c.replacement, 1)
		if broken == whole {
			t.Fatalf("the file has no %s", c.old)
		}
		if fields := refused(t, db, []byte(broken)); c.code != "" && !has(fields, c.pointer, c.code, c.detail) || len(fields) == 0 {
			t.Errorf("%s: %v", c.replacement, fields)
		}
	}
	two := strings.Replace(strings.Replace(whole, `"kind": "spoc"`, `"kind": "school"`, 1), `"weight_ppm": 200000`, `"weight_ppm": -1`, 1)
	if fields := refused(t, db, []byte(two)); len(fields) < 2 {
		t.Errorf("one place hides the other: %v", fields)
	}
}

// Cut anywhere, or with any byte changed, a file is read or refused with a place, and nothing panics.
func TestNoBrokenFilePanics(t *testing.T) {
	raw := flirt(t)
	file, err := exchange.Read(raw)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := file.Document().CSV()
	if err != nil {
		t.Fatal(err)
	}
	for _, whole := range [][]byte{raw, tables} {
		for at := 0; at < len(whole)-2; at += 1 + len(whole)/150 {
			if _, err := exchange.Read(whole[:at]); !errors.Is(err, exchange.ErrRefused) || len(fault.From(err).Fields) == 0 {
				t.Errorf("cut at %d of %d: %v", at, len(whole), err)
			}
			other := bytes.Clone(whole)
			other[at] ^= 0x55
			if _, err := exchange.Read(other); err != nil && !errors.Is(err, exchange.ErrRefused) {
				t.Errorf("changed at %d: %v", at, err)
			}
		}
	}
}

// A table says its line and column.
func TestATableNamesLineAndColumn(t *testing.T) {
	file, err := exchange.Read(flirt(t))
	if err != nil {
		t.Fatal(err)
	}
	tables, err := file.Document().CSV()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ old, replacement, code string }{
		"sessions.csv": {"500000", "half", "not-an-integer"}, "chapters.csv": {"ALDDT,published,1", "NOBODY,published,1", "no-such-row"},
		"offers.csv": {"currency", "money", "unknown-column"}, "activities.csv": {"quiz", "exam", "unknown-activity"},
	} {
		_, err := exchange.Read(with(t, tables, name, c.old, c.replacement))
		found := false
		for _, f := range fault.From(err).Fields {
			found = found || strings.HasPrefix(f.Pointer, name+":") && f.Code == c.code
		}
		if !found {
			t.Errorf("%s: %v", name, fault.From(err).Fields)
		}
	}
}

// with changes the first place of a table.
func with(t *testing.T, tables []byte, name, old, replacement string) []byte {
	t.Helper()
	in, err := zip.NewReader(bytes.NewReader(tables), int64(len(tables)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, f := range in.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if f.Name == name {
			content = bytes.Replace(content, []byte(old), []byte(replacement), 1)
		}
		w, err := z.Create(f.Name)
		if err == nil {
			_, err = w.Write(content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// What was promised stays: a published version; and a text that a spreadsheet would run as a formula comes back as it was.
func TestWhatWasPromisedStays(t *testing.T) {
	db := testkit.DB(t)
	take(t, db, flirt(t), false)
	broken := strings.Replace(string(flirt(t)), `"workload_hours": 50`, `"workload_hours": 60`, 1)
	if fields := refused(t, db, []byte(broken)); !has(fields, "/programs/1", "version-immutable", "") {
		t.Error(fields)
	}
	formula := strings.Replace(string(flirt(t)), `"en": "Packets, addresses`, `"en": "=HYPERLINK(1) 'Packets\r\n|\\, addresses`, 1)
	take(t, db, []byte(formula), false)
	d, first := export(t, db)
	tables, err := d.CSV()
	if err != nil {
		t.Fatal(err)
	}
	other := testkit.DB(t)
	take(t, other, tables, false)
	if _, again := export(t, other); !bytes.Equal(first, again) {
		t.Error(difference(first, again))
	}
}

// The programs of the paper, out of the file, field by field.
func TestThePapersProgramsFromTheFile(t *testing.T) {
	db := testkit.DB(t)
	take(t, db, flirt(t), false)
	err := db.View(staff, "look", func(ctx context.Context, tx *postgres.Tx) error {
		networks, err := programs.PublicProgramTx(ctx, tx, "NETWORKS")
		if err != nil {
			return err
		}
		row, after := []string{}, []string{}
		for _, c := range networks.Published.Courses() {
			row, after = append(row, c.Key), append(after, strings.Join(c.After, "+"))
		}
		if strings.Join(row, " ") != "ALDDT PRD RQOS" || strings.Join(after, ",") != ",ALDDT,PRD" {
			t.Error("the sequence:", row, after)
		}
		in, err := programs.EditionTx(ctx, tx, "NETWORKS-2019")
		if err != nil || len(in.Sessions) != 3 {
			t.Fatal(in, err)
		}
		for i := range 2 {
			if !in.Sessions[i].EndsAt.Before(*in.Sessions[i+1].StartsAt) {
				t.Error("the sessions are not in a row")
			}
		}
		basics, err := programs.PublicProgramTx(ctx, tx, "NETWORKS-BASICS")
		if err != nil || basics.Published.Totals().WorkloadHours != (programs.Span{Min: 150, Max: 150}) || strings.Join(basics.Published.Organisations, "–") != "IMT–ESP" {
			t.Error("Networks basics:", basics.Published, err)
		}
		edition, err := programs.EditionTx(ctx, tx, "NETWORKS-BASICS-2019")
		if err != nil || len(edition.Sessions) != 4 || edition.State != catalog.Published {
			t.Fatal(edition, err)
		}
		for i, course := range []string{"ALDDT", "PRD", "LAN", "FTTH"} {
			s := edition.Sessions[i]
			session, err := catalog.SessionTx(ctx, tx, s.SessionKey)
			if err != nil || s.CourseKey != course || s.Opening != programs.Monthly || session.Kind != catalog.Spoc {
				t.Error(s, session.Kind, err)
			}
		}
		sold, err := offers.ForTx(ctx, tx, edition.ID, "")
		if err != nil || len(sold) != 1 || sold[0].Price.Minor != 100_000 || sold[0].Price.Currency != "XOF" {
			t.Error("100,000 XOF:", sold, err)
		}
		iot, err := catalog.SessionTx(ctx, tx, "IOT-2019")
		if err != nil || iot.Kind != catalog.Hybrid || iot.MinDays != 3 || iot.EndsAt.Sub(*iot.StartsAt) > 3*24*time.Hour {
			t.Error("three days:", iot, err)
		}
		price, err := offers.ForTx(ctx, tx, iot.ID, "")
		if err != nil || len(price) != 1 || price[0].Price.Minor != 190_000 || price[0].Price.Currency != "EUR" {
			t.Error("1,900 €:", price, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
