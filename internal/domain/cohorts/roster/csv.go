package roster

// csvFile is how problems name a file that has no tables.
const csvFile = "roster.csv"

// readCSV reads one table: student_key and status, and what else is asked for where it is there.
func readCSV(raw []byte, wrong *problems) File {
	f := File{Format: CSV}
	data, ok := text(csvFile, raw, wrong)
	if !ok {
		return f
	}
	t := open(csvFile, data, wrong, []string{"student_key", "status"}, []string{"course_id", "email", "given_name", "family_name", "language"})
	if t == nil {
		return f
	}
	f.Unended = data[len(data)-1] != '\n'
	_, ofCourses := t.at["course_id"]
	classes := map[string]int{}
	for t.next() {
		if !t.whole() {
			continue
		}
		r := Row{Line: t.line, StudentKey: t.key("student_key"), Status: t.must("status", maxWord),
			Email: t.email("email"), GivenName: t.cell("given_name", maxName), FamilyName: t.cell("family_name", maxName), Language: t.cell("language", maxWord)}
		if ofCourses {
			r.Class = t.must("course_id", maxKey)
			i, known := classes[r.Class]
			if !known {
				i, f.Classes = len(f.Classes), append(f.Classes, Class{ID: r.Class})
				classes[r.Class] = i
			}
			f.Classes[i].Rows++
		}
		if f.Rows = append(f.Rows, r); len(f.Rows) > MaxRows {
			wrong.tooLarge = true
			return f
		}
	}
	if len(f.Rows) == 0 && len(wrong.all) == 0 { // as the whole truth it would remove everybody
		wrong.add(csvFile, 1, 1, "nobody", "There is nobody in the file.")
	}
	return f
}
