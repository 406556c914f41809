package gradebook

import (
	"context"
	"path/filepath"
	"regexp"
	"strings"
)

// What a file makes one doubt before it is applied. None of it refuses a file: a name is only a name, and a platform may give everybody another id.
const (
	NamedOtherwise = "named-otherwise" // by its name it is of another course than the session
	NobodyKnown    = "nobody-known"    // of whom earlier files named, it names nobody
)

var (
	reportName = regexp.MustCompile(`^(.+?)_(?:grade_report|problem_grade_report|student_profile_info|anonymized_ids|proctored_exam_results_report)_\d{4}-\d{2}-\d{2}-\d{4}`)
	unnamed    = regexp.MustCompile(`[^-\w.]`)
)

// namedOtherwise says whether the name that a platform gives its reports, org_course_run_grade_report_…, is that of another course than a key
// (course-v1:org+course+run, or org/course/run). People put words before it.
func namedOtherwise(fileName, key string) bool {
	of := reportName.FindStringSubmatch(filepath.Base(fileName))
	if of == nil || key == "" {
		return false
	}
	if _, after, ok := strings.Cut(key, ":"); ok {
		key = after
	}
	key = unnamed.ReplaceAllString(strings.NewReplacer("+", "_", "/", "_", " ", "_").Replace(key), "")
	return !strings.HasSuffix(of[1], key)
}

// doubt notes what one should look at, when it is known who is in the file, and who was before.
func (k *intake) doubt(context.Context) error {
	k.collection.Warnings = []string{}
	if k.rank < 0 {
		return nil
	}
	if namedOtherwise(k.collection.FileName, k.session.PlatformKey) {
		k.collection.Warnings = append(k.collection.Warnings, NamedOtherwise)
	}
	if len(k.members) == 0 || len(k.rows) == 0 {
		return nil
	}
	for _, id := range k.rows {
		if k.members[id] {
			return nil
		}
	}
	k.collection.Warnings = append(k.collection.Warnings, NobodyKnown)
	return nil
}
