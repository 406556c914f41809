package sheet_test

import (
	"testing"
	"time"

	"cursus/internal/kernel/sheet"
)

func TestTheTimeOfAFileIsInItsName(t *testing.T) {
	for _, name := range []string{"MinesTelecom_04003_session07_grade_report_2018-10-31-2100.csv", "x_2018-10-31-2100.csv.gz", "x_2018-10-31-2100 (1).csv", "x_2018-10-31-2100(12).CSV", "forum_2018-10-31-2100.jsonl"} {
		if got, ok := sheet.MadeAt(name); !ok || !got.Equal(time.Date(2018, 10, 31, 21, 0, 0, 0, time.UTC)) {
			t.Error(name, got, ok)
		}
	}
	for _, name := range []string{"grades.csv", "x_2018-13-31-2100.csv", "x_2018-10-31-2100.pdf", "x_2018-10-31-2100 (copy).csv"} {
		if _, ok := sheet.MadeAt(name); ok {
			t.Error("a time from nowhere:", name)
		}
	}
}
