package app_test

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"cursus/internal/testkit"
)

// spent is the processor time that this process has used, and that the server's processes for one database have. On a
// machine that does other things beside it says more than a rate. The second one is zero where /proc is not there to ask.
type spent struct{ ours, postgres time.Duration }

func (w *world) spent(b *testing.B) (p spent) {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	p.ours = time.Duration(u.Utime.Nano() + u.Stime.Nano())
	rows, err := testkit.Owner(b, w.dsn).Query("select pid from pg_stat_activity where datname = current_database()")
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var pid int
		if err := rows.Scan(&pid); err != nil {
			b.Fatal(err)
		}
		p.postgres += timeOf(pid)
	}
	if err := rows.Err(); err != nil {
		b.Fatal(err)
	}
	return p
}

// timeOf reads user and system time of a process, in ticks of 10 ms.
func timeOf(pid int) time.Duration {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(stat), ") ") // the name before may hold blanks
	cells := strings.Fields(after)
	if len(cells) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(cells[11])
	system, _ := strconv.Atoi(cells[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}
