package sheet

import (
	"regexp"
	"time"
)

var stamp = regexp.MustCompile(`(?i)_(\d{4}-\d{2}-\d{2}-\d{4})(?: ?\(\d{1,3}\))?\.(csv|json|jsonl)(\.gz)?$`)

// MadeAt reads the time at which an export was made from the end of its name, …_2018-10-31-2100.csv, in UTC. A browser that has one of
// that name already puts a number behind it: …_2018-10-31-2100 (1).csv.
func MadeAt(fileName string) (time.Time, bool) {
	m := stamp.FindStringSubmatch(fileName)
	if m == nil {
		return time.Time{}, false
	}
	t, err := time.Parse("2006-01-02-1504", m[1])
	return t, err == nil
}
