package app_test

import (
	"slices"
	"testing"
	"time"

	"cursus/internal/domain/analytics"
	"cursus/internal/testkit"
)

// BenchmarkIndicators asks for the five indicators of one session of 10,000 among 100 of them: a million enrolments.
func BenchmarkIndicators(b *testing.B) {
	dsn := testkit.OwnerDSN(b)
	owner := testkit.Owner(b, dsn)
	for _, s := range []string{
		`insert into catalog.courses (id, key, title_en, created_at) values ('crs_1', 'C', 'C', now())`,
		`insert into catalog.sessions (id, key, course_id, title_en, platform, threshold_ppm, created_at)
		 select 'ses_' || s, 'S' || s, 'crs_1', 'S', 'fun', 500000, now() from generate_series(1, 100) s`,
		`insert into journey.enrolments (enrolment_id, session_id, learner_id, reached, ever)
		 select 'enr_' || n, 'ses_' || (n % 100 + 1), 'per_' || n, 1 | case when n % 7 = 0 then 86 else 0 end, 1 | case when n % 7 = 0 then 86 else 0 end
		   from generate_series(1, 1000000) n`,
		`vacuum analyze journey.enrolments`,
	} {
		if _, err := owner.Exec(s); err != nil {
			b.Fatal(err)
		}
	}
	// Until no snapshot is older than the rows, a vacuum does not see them as everybody's, as autovacuum later does.
	for visible := 0; visible == 0; {
		if _, err := owner.Exec(`vacuum journey.enrolments`); err != nil {
			b.Fatal(err)
		}
		if err := owner.QueryRow(`select (relallvisible = relpages)::int from pg_class where oid = 'journey.enrolments'::regclass`).Scan(&visible); err != nil {
			b.Fatal(err)
		}
	}
	db := testkit.Open(b, dsn, testkit.Clock())
	for range b.N {
		took := make([]time.Duration, 500)
		for i := range took {
			began := time.Now()
			r, err := analytics.IndicatorsOf(system, db, analytics.Question{Session: "S42"})
			if err != nil || r.Enrolled != 10_000 {
				b.Fatal(r, err)
			}
			took[i] = time.Since(began)
		}
		slices.Sort(took)
		b.ReportMetric(float64(took[250].Microseconds())/1000, "p50-ms")
		b.ReportMetric(float64(took[495].Microseconds())/1000, "p99-ms")
	}
}
