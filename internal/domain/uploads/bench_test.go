package uploads_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"cursus/internal/domain/cohorts"
	"cursus/internal/domain/uploads"
)

// What a roster of 100,000 rows may take: its dry run and its application each, and all that the process has of the memory meanwhile.
const (
	mostSeconds = 15
	mostMiB     = 256
)

// BenchmarkRoster sends a full roster of 100,000 learners, then one in which a tenth changes, a tenth is new and a tenth is gone. The memory
// is the peak of this process, which collects its garbage as a server does.
func BenchmarkRoster(b *testing.B) {
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	for range b.N {
		s := newSite(b)
		c := s.cohort()
		debug.FreeOSMemory()
		if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
			b.Fatal("the peak of the memory cannot be begun anew:", err)
		}
		for _, round := range []struct {
			name            string
			from, upTo, new int
			status          string
		}{{"", 0, 100_000, 100_000, "enrolled"}, {"again-", 10_000, 110_000, 10_000, "suspended"}} {
			var file strings.Builder
			file.WriteString("student_key;status;email;given_name;family_name;language\r\n")
			for i := round.from; i < round.upTo; i++ {
				status := "enrolled"
				if i%10 == 0 {
					status = round.status
				}
				fmt.Fprintf(&file, "ESP-2026-%06d;%s;student%06d@esp.example.sn;Aminata %d;N’Diaye-Diop;fr\r\n", i, status, i, i)
			}
			began := time.Now()
			u, err := s.take(c, cohorts.Bulk, file.String())
			if err == nil {
				err = s.room.Check(context.Background(), uploads.CheckAsked{UploadID: u.ID})
			}
			if err != nil {
				b.Fatal(err)
			}
			dry := time.Since(began)
			u = s.see(c, u)
			began = time.Now()
			if err := errors.Join(s.ask(c, u), s.room.Run(context.Background(), uploads.ApplyAsked{UploadID: u.ID})); err != nil {
				b.Fatal(err)
			}
			applied := time.Since(began)
			if u = s.see(c, u); u.State != uploads.Applied || u.Difference.New != round.new || u.Difference.Absent != round.from {
				b.Fatal(counts(u))
			}
			b.ReportMetric(dry.Seconds(), round.name+"dry-run-s")
			b.ReportMetric(applied.Seconds(), round.name+"apply-s")
			if dry.Seconds() > mostSeconds || applied.Seconds() > mostSeconds {
				b.Errorf("the dry run took %v, its application %v: at most %d s each", dry, applied, mostSeconds)
			}
		}
		peak := peakMiB(b)
		b.Logf("peak %d MiB", peak)
		b.ReportMetric(float64(peak), "peak-MiB")
		if peak > mostMiB {
			b.Errorf("the process had %d MiB: at most %d", peak, mostMiB)
		}
	}
}

// peakMiB is the most memory that this process had since the peak was begun anew.
func peakMiB(b *testing.B) int {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	var kib int
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		b.Fatal(err)
	}
	return kib >> 10
}
