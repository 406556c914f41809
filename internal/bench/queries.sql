-- name: Bare
-- The rows are made as a day's traffic would have left them, and not by the rooms: without triggers and foreign keys, which would ask
-- about each of them; and in as much memory as sorting them takes.
select set_config('session_replication_role', 'replica', true), set_config('work_mem', '512MB', true);

-- name: Sessions
-- $1 enrolments, $2 sessions. A session begins every few days over ten years.
with courses as (
    insert into catalog.courses (id, key, title_en, created_at)
    select 'crs_' || c, 'C' || c, 'Course ' || c, '2015-01-01' from generate_series(1, ($2::int + 7) / 8) c
), sessions as (
    insert into catalog.sessions (id, key, course_id, number, title_en, platform, threshold_ppm, starts_at, ends_at, created_at, publication)
    select 'ses_' || s, 'S' || s, 'crs_' || (s - 1) / 8 + 1, (s - 1) % 8 + 1, 'Session ' || s, 'fun', 500000, b.at, b.at + interval '70 days', '2015-01-01', 'published'
      from generate_series(1, $2::int) s cross join lateral (select '2015-03-02 09:00+00'::timestamptz + s * interval '3650 days' / $2::int as at) b
), exercises as (
    insert into catalog.exercises (session_id, position, label, week, scored, activity)
    select 'ses_' || s, x, 'HW ' || lpad(x::text, 2, '0'), case when x <= 7 then 1 else x - 6 end, true, 'quiz' from generate_series(1, $2::int) s, generate_series(1, 14) x
), columns as (
    insert into gradebook.columns (session_id, kind, label, occurrence)
    select 'ses_' || s, case when x = 0 then 'grade' else 'exercise' end, case when x = 0 then 'grade' else 'HW ' || lpad(x::text, 2, '0') end, 0
      from generate_series(1, $2::int) s, generate_series(0, 14) x
), collections as (
    insert into gradebook.collections (id, session_id, collected_at, recorded_at, sha256, file_name, content, family, kind, rows_read, rows_rejected, learners_new, learners_left, learners_back, cells_changed)
    select 'col_' || s || '_' || k, 'ses_' || s, b.at, b.at + interval '1 hour', sha256(convert_to(s || '/' || k, 'UTF8')), 'bench.csv', '\x00', 'modern', 'grade_report', 0, 0, 0, 0, 0, 0
      from generate_series(1, $2::int) s, generate_series(1, 9) k
     cross join lateral (select '2015-03-02 21:00+00'::timestamptz + s * interval '3650 days' / $2::int + k * interval '7 days' as at) b
)
insert into identity.people (id, full_name, created_at) select 'per_' || lpad(p::text, 26, '0'), 'Learner ' || p, '2015-01-01' from generate_series(1, ($1::bigint * 5 + 7) / 8) p;

-- name: Draw
-- Who enrols where, and how far each gets: some sessions are five times as large as others, and of a hundred 23 start, 8 are diligent,
-- 5 succeed and one pays. Of those who pay, most sit the exam.
insert into public.bench (n, s, p, q, at, begins, luck, started, diligent, succeeded, certified, gone)
with drawn as (
    select n, floor($2::int * power(public_draw(n, 1), 1.3))::int + 1 as s, (n - 1) % (($1::bigint * 5 + 7) / 8) + 1 as p, public_draw(n, 2) as far, public_draw(n, 3) as pays, public_draw(n, 4) as day
      from generate_series(1, $1::bigint) n
), settled as ( -- nobody twice in a session
    select d.*, case when d.n <> d.p and d.s = floor($2::int * power(public_draw(d.p, 1), 1.3))::int + 1 then d.s % $2::int + 1 else d.s end as session from drawn d
)
select n, session, p, pays < 0.01 as q, b.at - interval '30 days' + day * interval '45 days', b.at, hashint8extended(n, 7) & 1073741823,
       case when far < 0.23 or pays < 0.008 then 3 + (hashint8extended(n, 5) & 3)::int end,
       case when far < 0.08 or pays < 0.006 then 6 + (hashint8extended(n, 6) & 1)::int end,
       case when far < 0.05 or pays < 0.005 then 8 end,
       pays < 0.004, far > 0.85 and pays >= 0.01
  from settled d cross join lateral (select '2015-03-02 21:00+00'::timestamptz + d.session * interval '3650 days' / $2::int as at) b;

-- name: Steps
-- What comes to hold of an enrolment at which instant; bits of journey.stages.
insert into public.bench_steps (n, s, i, at, recorded_at, bits, reached, ever)
select e.n, e.s, x.i, x.at, x.recorded_at, x.bits,
       (bit_or(x.bits) filter (where x.bits > 0) over w & case when x.bits < 0 then ~1 else -1 end)::int, (bit_or(x.bits) filter (where x.bits > 0) over w)::int
  from public.bench e
 cross join lateral (values
    (1, e.at, e.at, 1 | case when e.q then 4096 else 0 end),
    (2, e.begins + e.started * interval '7 days', e.begins + e.started * interval '7 days 1 hour', 22),
    (3, e.begins + e.diligent * interval '7 days', e.begins + e.diligent * interval '7 days 1 hour', 32),
    (4, e.begins + e.succeeded * interval '7 days', e.begins + e.succeeded * interval '7 days 1 hour', 64 | case when e.q then 128 else 0 end),
    (5, case when e.certified then e.begins + interval '60 days' end, e.begins + interval '60 days', 256),
    (6, case when e.certified then e.begins + interval '69 days' end, e.begins + interval '69 days', 1536),
    (7, case when e.certified then e.begins + interval '70 days' end, e.begins + interval '70 days', 2048),
    (8, case when e.gone then e.begins + interval '35 days' end, e.begins + interval '35 days 1 hour', -1)) as x(i, at, recorded_at, bits)
 where x.at is not null
window w as (partition by e.n order by x.at, x.i);

-- name: Enrolments
insert into enrolment.enrolments (id, learner_id, session_id, opened_at)
select 'enr_' || lpad(n::text, 26, '0'), 'per_' || lpad(p::text, 26, '0'), 'ses_' || s, at from public.bench;

-- name: Journeys
insert into journey.enrolments (enrolment_id, session_id, learner_id, reached, ever, enrolled_at, started_at, week2_at, succeeded_at, qualifying_at, exam_booked_at, exam_sat_at, exam_passed_at, certified_at, known_at)
select 'enr_' || lpad(e.n::text, 26, '0'), 'ses_' || e.s, 'per_' || lpad(e.p::text, 26, '0'), l.reached, l.ever, e.at, e.begins + e.started * interval '7 days', e.begins + e.diligent * interval '7 days',
       e.begins + e.succeeded * interval '7 days', case when e.q then e.at end, case when e.certified then e.begins + interval '60 days' end, case when e.certified then e.begins + interval '69 days' end,
       case when e.certified then e.begins + interval '69 days' end, case when e.certified then e.begins + interval '70 days' end, l.known_at
  from public.bench e join (select distinct on (n) n, reached, ever, max(recorded_at) over (partition by n) as known_at from public.bench_steps order by n, at desc, i desc) l on l.n = e.n;

-- name: Changes
insert into journey.changes (enrolment_id, session_id, stage, reached, at, recorded_at, cause)
select 'enr_' || lpad(x.n::text, 26, '0'), 'ses_' || x.s, t.stage, x.bits > 0, x.at, x.recorded_at, 'bench'
  from public.bench_steps x join journey.stages t on case when x.bits < 0 then t.bit = 0 else x.bits & (1 << t.bit) <> 0 end
 order by x.recorded_at, x.n, x.i;

-- name: Analyzed
analyze;

-- name: Couples
insert into analytics.couples
select c.* from (select distinct s from public.bench) b
 cross join lateral analytics.couples_written(array(select e.enrolment_id from journey.enrolments e where e.session_id = 'ses_' || b.s)) c where c.session_id = 'ses_' || b.s;

-- name: Tallies
insert into journey.tallies (session_id, at, recorded_at, joined, reached, ever, n)
select 'ses_' || s, at, recorded_at, joined, reached, ever, sum(n)
  from (select x.s, x.at, x.recorded_at, date_trunc('month', e.at at time zone 'UTC')::date as joined, reached, ever, 1 as n from public.bench_steps x join public.bench e on e.n = x.n
        union all
        select s, at, recorded_at, joined, was, had, -1
          from (select x.s, x.at, x.recorded_at, date_trunc('month', e.at at time zone 'UTC')::date as joined, lag(reached) over w as was, lag(ever) over w as had
                  from public.bench_steps x join public.bench e on e.n = x.n window w as (partition by x.n order by x.at, x.i)) b where was is not null) m
 group by s, at, recorded_at, joined, reached, ever having sum(n) <> 0
 order by recorded_at;

-- name: Members
insert into gradebook.members (enrolment_id, session_id) select 'enr_' || lpad(n::text, 26, '0'), 'ses_' || s from public.bench;

-- name: Cells
-- Seven exercises of the first week and the grade when somebody starts, seven more and the grade when she goes on.
insert into gradebook.cells (session_id, enrolment_id, column_id, at, value, recorded_at)
select 'ses_' || e.s, 'enr_' || lpad(e.n::text, 26, '0'), k.id, x.at, ((e.luck * (k.id % 97 + 1)) & 1023) * 976562, x.at + interval '1 hour'
  from public.bench e
 cross join lateral (values (1, 7, e.begins + e.started * interval '7 days'), (8, 14, e.begins + e.diligent * interval '7 days')) as x(a, z, at)
  join gradebook.columns k on k.session_id = 'ses_' || e.s and (k.kind = 'grade' or k.label between 'HW ' || lpad(x.a::text, 2, '0') and 'HW ' || lpad(x.z::text, 2, '0'))
 where x.at is not null
 order by x.at;

-- name: Runs
insert into gradebook.runs select r.* from catalog.sessions s cross join lateral gradebook.runs_of(s.id, null) r;

-- name: Money
with sold as (
    select 'ord_' || lpad(n::text, 26, '0') as order_id, 'enr_' || lpad(n::text, 26, '0') as enrolment_id, at, n from public.bench where q
), grants as (
    insert into enrolment.grants (id, enrolment_id, order_id, formula, entitlements, qualifying, granted_at)
    select 'grt_' || lpad(n::text, 26, '0'), enrolment_id, order_id, 'QUALIFYING', '{knowledge,practice,know_how,labs,proctored_exam,certificate}', true, at from sold
), touched as ( -- as the triggers do
    insert into platform.touched select enrolment_id from sold
), transactions as (
    insert into ledger.transactions (id, reference, kind, currency, digest, occurred_at, recorded_at)
    select 'ltx_' || k || lpad(n::text, 26, '0'), order_id || k, k, 'EUR', '\x00', at, at from sold, unnest(array['sale', 'capture']) k
)
insert into ledger.entries (transaction_id, account, minor, order_id, enrolment_id)
select 'ltx_' || x.k || lpad(n::text, 26, '0'), x.account, x.minor, order_id, case when x.account = 'revenue' then enrolment_id end
  from sold, (values ('sale', 'receivable', 15000), ('sale', 'revenue', -15000), ('capture', 'clearing:stripe', 15000), ('capture', 'receivable', -15000)) as x(k, account, minor);

-- name: Paper
create unlogged table public.bench (
    n bigint, s int, p bigint, q boolean, at timestamptz, begins timestamptz, luck bigint, started int, diligent int, succeeded int, certified boolean, gone boolean
);

-- name: PaperOfSteps
create unlogged table public.bench_steps (n bigint, s int, i int, at timestamptz, recorded_at timestamptz, bits int, reached int, ever int);

-- name: Drawer
create or replace function public.public_draw(n bigint, seed bigint) returns float8 language sql immutable parallel safe as
$$ select (hashint8extended(n, seed) & 2147483647) / 2147483648.0::float8 $$;

-- name: Swept
drop table public.bench, public.bench_steps;

-- name: Count
select (select count(*) from journey.enrolments) as enrolments, (select count(*) from journey.changes) as changes, (select count(*) from gradebook.cells where value >= 0) as results;

-- name: Read
-- Pages of 8 KiB that the statements of this database touched.
select blks_hit + blks_read from pg_stat_database where datname = current_database();

-- name: Enrolled
select enrolment_id from journey.enrolments where session_id = $1 and reached & 2 = 0 order by enrolment_id limit $2;
