package roster

import (
	"archive/zip"
	"bytes"
	"io"
	"slices"
	"strings"
)

// What a ZIP may be at most: entries, and bytes unpacked of the tables that are read.
const (
	maxEntries = 100
	maxTables  = 96 << 20
)

// The tables that are read. No other is unpacked.
const (
	manifestFile    = "manifest.csv"
	enrollmentsFile = "enrollments.csv"
	usersFile       = "users.csv"
	classesFile     = "classes.csv"
)

// oneRoster is a ZIP while it is read.
type oneRoster struct {
	wrong    *problems
	files    map[string]*zip.File
	manifest map[string]string
	left     int64 // bytes that may still be unpacked
}

// readOneRoster makes rows of the enrollments of students: one for each learner in each class.
func readOneRoster(raw []byte, wrong *problems) (f File) {
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil || len(z.File) > maxEntries {
		wrong.add("roster.zip", 1, 1, "not-a-zip", "The ZIP cannot be read: it is cut, damaged or has too many files.")
		return f
	}
	o := &oneRoster{wrong: wrong, files: map[string]*zip.File{}, manifest: map[string]string{}, left: maxTables}
	for _, entry := range z.File {
		if o.files[entry.Name] != nil && slices.Contains([]string{manifestFile, enrollmentsFile, usersFile, classesFile}, entry.Name) {
			wrong.add(entry.Name, 1, 1, "duplicate-file", "The ZIP has this file twice.")
			return f
		}
		o.files[entry.Name] = entry
	}
	if f.Format, f.Mode = o.readManifest(); f.Format == "" {
		return f
	}
	o.readEnrollments(&f)
	if wrong.tooLarge || len(wrong.all) > 0 {
		return f
	}
	o.readUsers(&f)
	o.readClasses(&f)
	if len(f.Rows) == 0 && f.Mode == Bulk && len(wrong.all) == 0 { // as the whole truth it would remove everybody
		wrong.add(enrollmentsFile, 1, 1, "nobody", "There is no student in the file.")
	}
	return f
}

// table opens a table of the ZIP; nil where it is not there, or cannot be read, which is then among the problems.
func (o *oneRoster) table(name string, needed bool, required, optional []string) *table {
	entry := o.files[name]
	if entry == nil {
		if needed {
			o.wrong.add(name, 1, 1, "missing-file", "The ZIP has no such file at its root.")
		}
		return nil
	}
	in, err := entry.Open()
	if err != nil {
		o.wrong.add(name, 1, 1, "unreadable", "The file cannot be unpacked.")
		return nil
	}
	defer func() { _ = in.Close() }()
	raw, err := io.ReadAll(io.LimitReader(in, o.left+1)) // whatever the ZIP says of its size
	if o.left -= int64(len(raw)); o.left < 0 {
		o.wrong.tooLarge = true
		return nil
	}
	if err != nil {
		o.wrong.add(name, 1, 1, "unreadable", "The file cannot be unpacked: it is cut or damaged.")
		return nil
	}
	data, ok := text(name, raw, o.wrong)
	if !ok {
		return nil
	}
	return open(name, data, o.wrong, required, optional)
}

// readManifest says which OneRoster it is and whether its enrollments are bulk or delta; "" where it is none that is known.
func (o *oneRoster) readManifest() (format, mode string) {
	t := o.table(manifestFile, true, []string{"propertyName", "value"}, nil)
	if t == nil {
		return "", ""
	}
	lines := map[string]int{}
	for t.next() {
		if t.whole() {
			name := t.cell("propertyName", maxName)
			o.manifest[name], lines[name] = t.cell("value", maxName), t.line
		}
	}
	switch v := o.manifest["oneroster.version"]; {
	case v == "1.1" || strings.HasPrefix(v, "1.1."):
		format = OneRoster11
	case v == "1.2" || strings.HasPrefix(v, "1.2."):
		format = OneRoster12
	default:
		o.wrong.add(manifestFile, lines["oneroster.version"], 1, "bad-version", "oneroster.version: 1.1 and 1.2 are read.")
		return "", ""
	}
	mode = strings.ToLower(o.manifest["file.enrollments"])
	if mode != Bulk && mode != Delta {
		o.wrong.add(manifestFile, lines["file.enrollments"], 1, "no-enrollments", "file.enrollments: bulk or delta. Without enrollments nobody is in a class.")
		return "", ""
	}
	return format, mode
}

// has says whether the manifest announces a table.
func (o *oneRoster) has(property string) bool {
	v := strings.ToLower(o.manifest[property])
	return v == Bulk || v == Delta
}

// readEnrollments makes a row of each student in each class. Who has several enrollments in a class is in it while one of them is.
func (o *oneRoster) readEnrollments(f *File) {
	optional := []string{"status"}
	required := []string{"classSourcedId", "userSourcedId", "role"}
	if f.Mode == Delta {
		required, optional = append(required, optional...), nil
	}
	t := o.table(enrollmentsFile, true, required, optional)
	if t == nil {
		return
	}
	classes, rows := map[string]int{}, map[[2]string]int{}
	for t.next() {
		if !t.whole() {
			continue
		}
		r := Row{Line: t.line, Class: t.must("classSourcedId", maxKey), StudentKey: t.key("userSourcedId"), Status: enrolled}
		role, status := strings.ToLower(t.must("role", maxWord)), strings.ToLower(t.cell("status", maxWord))
		switch {
		case role != "student":
			continue
		case status == "tobedeleted":
			r.Status = canceled
		case status == "" && f.Mode == Delta:
			t.refuse(t.at["status"], "missing-value", "status: a row of a delta is active or tobedeleted.")
		case status != "" && status != "active" && status != "inactive":
			t.refuse(t.at["status"], "bad-status", "status: active or tobedeleted.")
		case status == "inactive": // of early files of 1.1: as good as deleted
			r.Status = canceled
		}
		if f.Mode == Bulk && r.Status == canceled {
			continue
		}
		if i, twice := rows[[2]string{r.Class, r.StudentKey}]; twice {
			if r.Status == enrolled {
				f.Rows[i].Status = enrolled
			}
			continue
		}
		i, known := classes[r.Class]
		if !known {
			i, f.Classes = len(f.Classes), append(f.Classes, Class{ID: r.Class})
			classes[r.Class] = i
		}
		f.Classes[i].Rows++
		r.Class = f.Classes[i].ID
		rows[[2]string{r.Class, r.StudentKey}] = len(f.Rows)
		if f.Rows = append(f.Rows, r); len(f.Rows) > MaxRows {
			o.wrong.tooLarge = true
			return
		}
	}
}

// user is what is read of a line of users.csv.
type user struct {
	email, given, family string
	disabled             bool
}

// readUsers gives the rows their addresses and names. A bulk file that enrols somebody whom it does not have is refused; a delta may
// speak of who was in an earlier one. Who may not sign in at her school is suspended.
func (o *oneRoster) readUsers(f *File) {
	if !o.has("file.users") {
		return
	}
	t := o.table(usersFile, true, []string{"sourcedId", "givenName", "familyName"}, []string{"enabledUser", "email", "status"})
	if t == nil {
		return
	}
	wanted := make(map[string]*user, len(f.Rows))
	for i := range f.Rows {
		wanted[f.Rows[i].StudentKey] = nil
	}
	for t.next() {
		if !t.whole() {
			continue
		}
		id := t.must("sourcedId", maxKey)
		known, asked := wanted[id]
		if !asked {
			continue
		}
		if known != nil {
			t.refuse(t.at["sourcedId"], "duplicated", "sourcedId: the user stands twice.")
			continue
		}
		u := &user{email: t.email("email"), given: t.cell("givenName", maxName), family: t.cell("familyName", maxName)}
		switch strings.ToLower(t.cell("enabledUser", maxWord)) {
		case "false":
			u.disabled = true
		case "true", "":
		default:
			t.refuse(t.at["enabledUser"], "bad-value", "enabledUser: true or false.")
		}
		if strings.EqualFold(t.cell("status", maxWord), "tobedeleted") {
			u.disabled = true
		}
		wanted[id] = u
	}
	for i := range f.Rows {
		r := &f.Rows[i]
		u := wanted[r.StudentKey]
		if u == nil {
			if strings.EqualFold(o.manifest["file.users"], Bulk) && r.Status == enrolled {
				o.wrong.add(enrollmentsFile, r.Line, 1, "no-such-user", "userSourcedId: users.csv has no such user.")
			}
			continue
		}
		r.Email, r.GivenName, r.FamilyName = u.email, u.given, u.family
		if u.disabled && r.Status == enrolled {
			r.Status = suspended
		}
	}
}

// readClasses gives the classes their codes and titles.
func (o *oneRoster) readClasses(f *File) {
	if !o.has("file.classes") {
		return
	}
	t := o.table(classesFile, true, []string{"sourcedId", "title"}, []string{"classCode"})
	if t == nil {
		return
	}
	at := make(map[string]int, len(f.Classes))
	for i, c := range f.Classes {
		at[c.ID] = i
	}
	for t.next() {
		if !t.whole() {
			continue
		}
		if i, ok := at[t.must("sourcedId", maxKey)]; ok {
			f.Classes[i].Title, f.Classes[i].Code = t.cell("title", maxName), t.cell("classCode", maxKey)
		}
	}
}
