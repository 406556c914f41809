package roster_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"pgregory.net/rapid"

	"cursus/internal/domain/cohorts/roster"
	"cursus/internal/kernel/fault"
)

// read gives the rows of a file without their lines, or fails.
func read(t interface{ Fatal(...any) }, raw []byte) roster.File {
	f, err := roster.Read(raw)
	if err != nil {
		t.Fatal(err, fault.From(err).Fields)
	}
	return f
}

func unlined(rows []roster.Row) []roster.Row {
	out := slices.Clone(rows)
	for i := range out {
		out[i].Line = 0
	}
	return out
}

// The file of the registrar is read as registrars write it, and so is the richer one.
func TestTheRegistrarsFiles(t *testing.T) {
	f := read(t, []byte("student_key,status\nk1,enrolled\nk2,pending\n"))
	if want := []roster.Row{{Line: 2, StudentKey: "k1", Status: "enrolled"}, {Line: 3, StudentKey: "k2", Status: "pending"}}; f.Format != roster.CSV || f.Mode != "" || !slices.Equal(f.Rows, want) || f.Unended {
		t.Errorf("%+v", f)
	}
	f = read(t, []byte("Date of birth; STATUS ;Student Key;E-Mail;Given Name;family_name;course_staff;LANGUAGE\r\n"+
		"1999-01-01; enrolled ;k1;ADA@example.org;\"Ada \"\"Byron\"\"\";Lovelace, Countess;true;fr\r\n;;;;;;;\r\n2000;suspended;007;;;;;"))
	if want := []roster.Row{
		{StudentKey: "k1", Status: "enrolled", Email: "ada@example.org", GivenName: `Ada "Byron"`, FamilyName: "Lovelace, Countess", Language: "fr"},
		{StudentKey: "007", Status: "suspended"},
	}; !slices.Equal(unlined(f.Rows), want) || !f.Unended || f.Rows[1].Line != 4 {
		t.Errorf("%+v", f)
	}
	f = read(t, []byte("course_id,student_key,status\nC1,k1,active\nC2,k2,inactive\nC1,k3,active\n"))
	mine, strays, err := f.Of("", "X", "C1")
	if err != nil || len(mine) != 2 || mine[1].StudentKey != "k3" || len(strays) != 1 || strays[0].StudentKey != "k2" || len(f.Classes) != 2 || f.Classes[0].Rows != 2 {
		t.Error(f, mine, strays, err)
	}
	for _, asked := range []string{"C3", "c1"} {
		if _, _, err := f.Of(asked, "C1"); !errors.Is(err, roster.ErrWhichClass) || !strings.Contains(err.Error(), "C1; C2") {
			t.Error(asked, err)
		}
	}
	one := read(t, []byte("course_id,student_key,status\nOTHER,k1,active\n"))
	if _, _, err := one.Of("", "C1"); !errors.Is(err, roster.ErrWhichClass) {
		t.Error("a file of another course was taken for this one's:", err)
	}
}

// What is wrong is named by its line and column, all of it, and nothing is taken.
func TestWhatIsWrongHasItsPlace(t *testing.T) {
	const head = "student_key,status,email,given_name\n"
	for file, want := range map[string]string{
		"":                        "roster.csv:1:1 unreadable",
		"\n":                      "roster.csv:1:1 unreadable",
		head:                      "roster.csv:1:1 nobody",
		head + ",,,\n":            "roster.csv:1:1 nobody",
		"student_key\nk1\n":       "roster.csv:1:1 missing-column",
		"email,name\na@x.org,A\n": "roster.csv:1:1 missing-column roster.csv:1:1 missing-column",
		"student_key,status,Student Key\n1,e,2\n":        "roster.csv:1:20 duplicate-column",
		head + "k1,enrolled,,\nk2,,,\n":                  "roster.csv:3:4 missing-value",
		head + "k1,enrolled,,\n , enrolled,,\n":          "roster.csv:3:1 missing-value",
		head + "k1,enrolled,,\nk2,enrolled\n":            "roster.csv:3:4 row-length",
		head + "k1,enrolled,,,\n":                        "",
		head + "k1,enrolled,,,x\n":                       "roster.csv:2:15 row-length",
		head + "k1,enrolled,bob,\n":                      "roster.csv:2:13 bad-email",
		head + "k1,enrolled,,a\x07b\n":                   "roster.csv:2:14 bad-character",
		head + "k1,enrolled,,\"a\nb\"\n":                 "roster.csv:2:14 bad-character",
		head + "k1,enrolled,,\xef\xbf\xbd\n":             "roster.csv:2:14 bad-character",
		head + "k\u200b1,enrolled,,\n":                   "roster.csv:2:1 bad-character",
		head + "2.02311E+11,enrolled,,\n":                "roster.csv:2:1 rounded-key",
		head + "\"2,02311E+11\",enrolled,,\n":            "roster.csv:2:1 rounded-key",
		head + "E+11,enrolled,,\n":                       "",
		head + "-12,enrolled,,=1+1\n":                    "",
		head + strings.Repeat("k", 256) + ",e,,\n":       "roster.csv:2:1 too-long",
		head + strings.Repeat("k", 255) + ",e,,\n":       "",
		head + "k1,\"enrolled,,\n":                       "roster.csv:2:16 bad-csv",
		head + "k1,enr\"olled,,\n":                       "roster.csv:2:7 bad-csv",
		head + "k1,enrolled,,\x00\n":                     "roster.csv:2:14 bad-encoding",
		"s\x00t\x00u\x00d\x00e\x00n\x00t\x00":            "roster.csv:1:2 bad-encoding",   // UTF-16 without a mark
		head + "k1,enrolled,,Zoé\nk2,enrolled,,Zo\xc3":   "roster.csv:3:16 bad-encoding",  // cut inside a letter
		head + "k1,enrolled,,Zoé\nk2,enrolled,,Zo\xe9\n": "roster.csv:3:16 bad-encoding",  // of two encodings
		head + "k1,enrolled,,\x81\n":                     "roster.csv:2:14 bad-character", // nothing in Windows-1252
		"PK\x03\x04":                                     "roster.zip:1:1 not-a-zip",
		"\x1f\x8b\x08":                                   "roster.csv:1:1 unreadable",
	} {
		f, err := roster.Read([]byte(file))
		got := ""
		if err != nil {
			if !errors.Is(err, roster.ErrRefused) || len(f.Rows) > 0 {
				t.Errorf("%q: %v %v", file, f, err)
			}
			for _, x := range fault.From(err).Fields {
				got += " " + x.Pointer + " " + x.Code
			}
		}
		if strings.TrimSpace(got) != want {
			t.Errorf("%q:%s, want %s", file, got, want)
		}
	}
	many := head + strings.Repeat("k,,,\n", 200)
	if _, err := roster.Read([]byte(many)); len(fault.From(err).Fields) != 50 || !strings.Contains(err.Error(), "And 199 more") {
		t.Error(len(fault.From(err).Fields), err)
	}
	for name, file := range map[string][]byte{
		"rows":  []byte("student_key,status\n" + strings.Repeat("k,e\n", roster.MaxRows+1)),
		"bytes": make([]byte, roster.MaxBytes+1),
		"gzip":  zipped(strings.Repeat("k", 65<<20)),
	} {
		if _, err := roster.Read(file); !errors.Is(err, roster.ErrTooLarge) {
			t.Error(name, err)
		}
	}
}

func zipped(s string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(s))
	_ = z.Close()
	return b.Bytes()
}

// Any roster, saved in any dialect that spreadsheets have, is read as the same rows.
func TestAnyDialectIsTheSameRoster(t *testing.T) {
	letters := rapid.StringOfN(rapid.RuneFrom([]rune("aZ9 éÉßœ€’-+=@\"\\;,\t|.")), 0, 12, -1)
	worldly := rapid.StringOfN(rapid.RuneFrom([]rune("aé ع漢🎓ŋẞ,;\"")), 0, 12, -1)
	rapid.Check(t, func(t *rapid.T) {
		encoding := rapid.SampledFrom([]string{"utf-8", "utf-8 with mark", "utf-16le", "utf-16be", "windows-1252"}).Draw(t, "encoding")
		word := worldly
		if encoding == "windows-1252" {
			word = letters
		}
		text := func(name string) string { return strings.TrimSpace(strings.ReplaceAll(word.Draw(t, name), "\t", " ")) }
		rich := rapid.Bool().Draw(t, "rich")
		columns := rapid.Permutation([]string{"student_key", "status", "email", "given_name", "family_name", "language", "dropped"}).Draw(t, "columns")
		if !rich {
			columns = rapid.Permutation([]string{"student_key", "status"}).Draw(t, "columns")
		}
		formulas := rapid.Bool().Draw(t, "kept from being formulas")
		var want []roster.Row
		table := [][]string{columns}
		for i := range rapid.IntRange(1, 12).Draw(t, "rows") {
			r := roster.Row{StudentKey: fmt.Sprintf("%s%d", text("key"), i), Status: rapid.SampledFrom([]string{"enrolled", "pending", "canceled", "whatever"}).Draw(t, "status")}
			if rich {
				r.Email = rapid.SampledFrom([]string{"", "ada@example.org", "b.c@x.example"}).Draw(t, "email")
				r.GivenName, r.FamilyName, r.Language = text("given"), text("family"), rapid.SampledFrom([]string{"", "fr", "en"}).Draw(t, "language")
			}
			want = append(want, r)
			var cells []string
			for _, c := range columns {
				cells = append(cells, map[string]string{"student_key": r.StudentKey, "status": r.Status, "email": r.Email, "given_name": r.GivenName,
					"family_name": r.FamilyName, "language": r.Language, "dropped": text("dropped")}[c])
				if i := len(cells) - 1; formulas {
					cells[i] = roster.Cell(cells[i])
				}
			}
			table = append(table, cells)
		}
		var b bytes.Buffer
		out := csv.NewWriter(&b)
		out.Comma = rapid.SampledFrom([]rune{',', ';', '\t'}).Draw(t, "separator")
		if err := out.WriteAll(table); err != nil {
			t.Fatal(err)
		}
		file := b.String()
		switch rapid.IntRange(0, 3).Draw(t, "ends") {
		case 0:
			file = strings.ReplaceAll(file, "\n", "\r\n")
		case 1:
			file = strings.ReplaceAll(file, "\n", "\r")
		case 2:
			file = strings.TrimSuffix(file, "\n")
		}
		plain, err := file, error(nil)
		switch encoding {
		case "utf-8 with mark":
			file = "\ufeff" + file
		case "utf-16le":
			file, err = unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(file)
		case "utf-16be":
			file, err = unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder().String(file)
		case "windows-1252":
			file, err = charmap.Windows1252.NewEncoder().String(file)
		}
		if err != nil {
			t.Fatal(err)
		}
		// Two letters side by side, such as Éœ, are in Windows-1252 the bytes of one letter of UTF-8: nobody can tell. Such a file comes in UTF-8.
		if encoding == "windows-1252" && strings.ContainsFunc(file, func(r rune) bool { return r >= utf8.RuneSelf && r != utf8.RuneError }) {
			file = plain
		}
		raw := []byte(file)
		if rapid.Bool().Draw(t, "gzip") {
			raw = zipped(file)
		}
		if got := read(t, raw); !slices.Equal(unlined(got.Rows), want) {
			t.Fatalf("%q\n%+v\nwant\n%+v", file, got.Rows, want)
		}
	})
}

// A file that is cut anywhere is refused, or is the rows that it still has whole, of which the last alone can have lost the end of its
// last cell; then the file says so.
func TestCutAnywhere(t *testing.T) {
	var b strings.Builder
	b.WriteString("student_key,status,email,given_name\n")
	for i := range 50 {
		fmt.Fprintf(&b, "k%03d,enrolled,p%d@example.org,Zoé %d\n", i, i, i)
	}
	whole := []byte(b.String())
	all, refused := read(t, whole).Rows, 0
	for n := range whole {
		f, err := roster.Read(whole[:n])
		if err != nil {
			refused++
			continue
		}
		m := len(f.Rows)
		if f.Unended {
			m--
		}
		if !slices.Equal(f.Rows[:m], all[:m]) {
			t.Fatal(n, "a row changed")
		}
		if f.Unended {
			last, was := f.Rows[m], all[m]
			// Cut inside its only letter beyond ASCII a file may as well be Windows-1252, where that byte is an Ã.
			if !strings.HasPrefix(was.GivenName, strings.TrimSuffix(last.GivenName, "Ã")) {
				t.Fatal(n, last)
			}
			if last.GivenName = was.GivenName; last != was {
				t.Fatal(n, "more than the last cell was lost:", last)
			}
		}
	}
	if refused < len(whole)/2 {
		t.Error("only", refused, "cuts were refused")
	}
	archive := oneRoster(map[string]string{})
	for n := range archive {
		if _, err := roster.Read(archive[:n]); err == nil {
			t.Fatal("a ZIP that was cut was read, at", n)
		}
	}
}

// oneRoster packs a OneRoster 1.2, with some files instead of those of the example; "-" leaves one out.
func oneRoster(with map[string]string) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range [][2]string{
		{"manifest.csv", "propertyName,value\nmanifest.version,1.0\noneroster.version,1.2\nfile.classes,bulk\nfile.enrollments,bulk\nfile.users,bulk\nfile.orgs,absent\nsource.systemName,SIS\n"},
		{"classes.csv", "sourcedId,status,dateLastModified,title,grades,courseSourcedId,classCode,classType,location,schoolSourcedId,termSourcedIds,subjects,subjectCodes,periods\n" +
			"c1,,,\"Réseaux, de base\",,,NET-1,scheduled,,o1,\"t1,t2\",,,\nc2,,,Optics,,,OPT-1,scheduled,,o1,t1,,,\n"},
		{"users.csv", "sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,middleName,identifier,email,sms,phone,agentSourcedIds,grades,password,userMasterIdentifier\n" +
			"u1,,,true,ada,{LDAP:1},Ada,Lovelace,,,ADA@example.org,,,,,hunter2,\nu2,,,false,bob,,Bob,B,,,,,,,,hunter2,\nu3,,,true,cyd,,Cyd,C,,,cyd@example.org,,,,,hunter2,\nt1,,,true,tea,,T,T,,,not an address,,,,,hunter2,\n"},
		{"enrollments.csv", "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,primary,beginDate,endDate\n" +
			"e1,,,c1,o1,u1,student,false,,\ne2,,,c1,o1,t1,teacher,true,,\ne3,,,c1,o1,u2,student,false,,\ne4,,,c2,o1,u3,student,,,\ne5,,,c1,o1,u1,student,false,,\n"},
	} {
		content := f[1]
		if other, ok := with[f[0]]; ok {
			content = other
		}
		if content != "-" {
			w, _ := z.Create(f[0])
			_, _ = w.Write([]byte(content))
		}
	}
	_ = z.Close()
	return b.Bytes()
}

const deltaOf11 = "propertyName,value\nmanifest.version,1.0\noneroster.version,1.1\nfile.enrollments,delta\nfile.users,delta\nfile.classes,absent\n"

// OneRoster of both versions, whole and as changes, gives the students of a class, once each, and no password.
func TestOneRoster(t *testing.T) {
	f := read(t, oneRoster(nil))
	if f.Format != roster.OneRoster12 || f.Mode != roster.Bulk || fmt.Sprint(f.Classes) != "[{c1 NET-1 Réseaux, de base 2} {c2 OPT-1 Optics 1}]" {
		t.Errorf("%+v", f)
	}
	if strings.Contains(fmt.Sprint(f), "hunter2") {
		t.Error("a password was read")
	}
	for _, names := range [][]string{{"c1"}, {"NET-1"}, {"", "X", "NET-1"}} {
		mine, strays, err := f.Of(names[0], names[1:]...)
		if want := []roster.Row{
			{Line: 2, Class: "c1", StudentKey: "u1", Status: "enrolled", Email: "ada@example.org", GivenName: "Ada", FamilyName: "Lovelace"},
			{Line: 4, Class: "c1", StudentKey: "u2", Status: "suspended", GivenName: "Bob", FamilyName: "B"},
		}; err != nil || strays != nil || !slices.Equal(mine, want) {
			t.Errorf("%v: %+v %v", names, mine, err)
		}
	}
	for _, names := range [][]string{{"c3"}, {"", "X"}, {"", "c1", "c2"}} {
		if _, _, err := f.Of(names[0], names[1:]...); !errors.Is(err, roster.ErrWhichClass) {
			t.Error(names, err)
		}
	}
	d := read(t, oneRoster(map[string]string{
		"manifest.csv": deltaOf11, "classes.csv": "-", "users.csv": "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,givenName,familyName\nu9,active,2026-01-01,true,o1,student,u9,U,Neuf\n",
		"enrollments.csv": "sourcedId,status,dateLastModified,classSourcedId,userSourcedId,role\ne1,tobedeleted,2026-01-01,c1,u1,student\ne2,active,2026-01-01,c1,u9,student\ne3,tobedeleted,2026-01-01,c1,u8,student\ne4,active,2026-01-01,c1,u8,student\n",
	}))
	mine, _, err := d.Of("", "whatever")
	if want := []roster.Row{
		{Class: "c1", StudentKey: "u1", Status: "canceled"}, {Class: "c1", StudentKey: "u9", Status: "enrolled", GivenName: "U", FamilyName: "Neuf"}, {Class: "c1", StudentKey: "u8", Status: "enrolled"},
	}; d.Format != roster.OneRoster11 || d.Mode != roster.Delta || err != nil || !slices.Equal(unlined(mine), want) {
		t.Errorf("%+v %v", d, err)
	}
}

// A ZIP that is no OneRoster, or lies, is refused with its place; what it does not need to be is not asked of it.
func TestBadOneRosters(t *testing.T) {
	manifest := func(old, new string) string {
		return strings.Replace("propertyName,value\noneroster.version,1.2\nfile.classes,bulk\nfile.enrollments,bulk\nfile.users,bulk\n", old, new, 1)
	}
	for want, with := range map[string]map[string]string{
		"manifest.csv:1:1 missing-file":      {"manifest.csv": "-"},
		"manifest.csv:2:1 bad-version":       {"manifest.csv": manifest("1.2", "2.0")},
		"manifest.csv:1:1 bad-version":       {"manifest.csv": manifest("oneroster.version,1.2\n", "")},
		"manifest.csv:4:1 no-enrollments":    {"manifest.csv": manifest("file.enrollments,bulk", "file.enrollments,absent")},
		"manifest.csv:1:1 missing-column":    {"manifest.csv": "propertyName,worth\n"},
		"enrollments.csv:1:1 missing-file":   {"enrollments.csv": "-"},
		"users.csv:1:1 missing-file":         {"users.csv": "-"},
		"classes.csv:1:1 missing-file":       {"classes.csv": "-"},
		"enrollments.csv:1:1 missing-column": {"enrollments.csv": "classSourcedId,userSourcedId\nc1,u1\n"},
		"enrollments.csv:1:1 nobody":         {"enrollments.csv": "classSourcedId,userSourcedId,role\nc1,t1,teacher\n"},
		"enrollments.csv:3:1 no-such-user":   {"enrollments.csv": "classSourcedId,userSourcedId,role\nc1,u1,student\nc1,u7,student\n"},
		"enrollments.csv:2:4 missing-value":  {"enrollments.csv": "classSourcedId,userSourcedId,role\nc1,,student\n"},
		"enrollments.csv:2:1 missing-value":  {"manifest.csv": deltaOf11, "classes.csv": "-", "enrollments.csv": "status,classSourcedId,userSourcedId,role\n,c1,u1,student\n"},
		"enrollments.csv:2:1 bad-status":     {"enrollments.csv": "status,classSourcedId,userSourcedId,role\ngone,c1,u1,student\n"},
		"users.csv:3:1 duplicated":           {"users.csv": "sourcedId,givenName,familyName\nu1,A,L\nu1,A,L\nu2,B,B\nu3,C,C\n"},
		"users.csv:2:4 bad-value":            {"users.csv": "sourcedId,enabledUser,givenName,familyName\nu1,yes,A,L\nu2,true,B,B\nu3,,C,C\n"},
		"users.csv:2:8 bad-email":            {"users.csv": "sourcedId,givenName,familyName,email\nu1,A,L,nobody\nu2,B,B,\nu3,C,C,\n"},
	} {
		_, err := roster.Read(oneRoster(with))
		if !errors.Is(err, roster.ErrRefused) {
			t.Errorf("%s: %v", want, err)
			continue
		}
		if x := fault.From(err).Fields[0]; x.Pointer+" "+x.Code != want {
			t.Errorf("%s %s, want %s", x.Pointer, x.Code, want)
		}
	}
	if _, err := roster.Read(oneRoster(map[string]string{"enrollments.csv": strings.Repeat("0", 70<<20)})); !errors.Is(err, roster.ErrTooLarge) {
		t.Error("a bomb:", err)
	}
	var twice bytes.Buffer
	z := zip.NewWriter(&twice)
	for range 2 {
		w, _ := z.Create("manifest.csv")
		_, _ = w.Write([]byte(deltaOf11))
	}
	_ = z.Close()
	if _, err := roster.Read(twice.Bytes()); !strings.Contains(fmt.Sprint(err), "twice") {
		t.Error(err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("student_key,status,email\nk1,enrolled,a@x.org\n"))
	f.Add([]byte("\xff\xfes\x00"))
	f.Add(oneRoster(nil))
	f.Fuzz(func(t *testing.T, raw []byte) {
		file, err := roster.Read(raw)
		if err != nil {
			if x := fault.From(err); len(x.Fields) == 0 && !errors.Is(err, roster.ErrTooLarge) {
				t.Fatal("refused without a place:", err)
			}
			return
		}
		for _, r := range file.Rows {
			if r.StudentKey == "" || r.Status == "" || r.Line < 2 || strings.ContainsAny(r.StudentKey+r.GivenName+r.FamilyName+r.Email, "\x00\n\ufffd") {
				t.Fatalf("%+v", r)
			}
		}
	})
}
