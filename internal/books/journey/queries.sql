-- name: Open
-- Nothing was before, so the row is known without asking the history. What is open already is left for Record.
with openings as (
    select * from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::bool[]) with ordinality
                  as o(enrolment_id, session_id, learner_id, at, cause, qualifying, position)
), opened as (
    insert into journey.enrolments (enrolment_id, session_id, learner_id, reached, ever, enrolled_at, qualifying_at, known_at)
    select o.enrolment_id, o.session_id, o.learner_id, m.bits, m.bits, o.at, case when o.qualifying then o.at end, $9
      from openings o cross join lateral (select case when o.qualifying then $8::int else $7::int end as bits) m
    on conflict (enrolment_id) do nothing
    returning enrolment_id, session_id, reached, enrolled_at
), counted as (
    insert into journey.tallies (session_id, at, recorded_at, joined, reached, ever, n)
    select session_id, enrolled_at, $9, date_trunc('month', enrolled_at at time zone 'UTC')::date, reached, reached, count(*) from opened group by session_id, enrolled_at, reached
)
insert into journey.changes (enrolment_id, session_id, stage, reached, at, recorded_at, cause)
select o.enrolment_id, o.session_id, s.stage, true, o.at, $9, o.cause
  from openings o join opened n on n.enrolment_id = o.enrolment_id
  join (values ('enrolled', 1), ('qualifying', 2)) as s(stage, place) on s.stage = 'enrolled' or o.qualifying
 order by o.position, s.place
returning enrolment_id;

-- name: Record
-- Nothing is learnt before what was written earlier, also where this transaction began before the one that wrote it.
with locked as materialized (
    select enrolment_id, session_id, known_at from journey.enrolments where enrolment_id = any($1::text[]) order by enrolment_id for update
), written as (
    insert into journey.changes (enrolment_id, session_id, stage, reached, at, recorded_at, cause)
    select c.enrolment_id, e.session_id, c.stage, c.reached, c.at, greatest($6, e.known_at), c.cause
      from unnest($1::text[], $2::text[], $3::bool[], $4::timestamptz[], $5::text[]) with ordinality
           as c(enrolment_id, stage, reached, at, cause, position)
      join locked e on e.enrolment_id = c.enrolment_id
     order by c.position
    returning seq
)
select count(*) as changes, coalesce(min(seq), 0) as first from written;

-- name: Refresh
with steps as (
    select distinct on (c.enrolment_id, c.stage, c.at) c.enrolment_id, c.stage, c.at, c.reached
      from journey.changes c
     where c.enrolment_id = any($1::text[])
     order by c.enrolment_id, c.stage, c.at, c.seq desc
), stages as (
    select s.enrolment_id, s.stage, min(s.at) filter (where s.reached) as first_at,
           (array_agg(s.reached order by s.at desc))[1] as holds, bool_or(s.reached) as held
      from steps s group by s.enrolment_id, s.stage
), rows as (
    select s.enrolment_id, bit_or(case when s.holds then 1 << t.bit else 0 end) as reached,
           bit_or(case when s.held then 1 << t.bit else 0 end) as ever,
           max(s.first_at) filter (where s.stage = 'enrolled') as enrolled_at,
           max(s.first_at) filter (where s.stage = 'started') as started_at,
           max(s.first_at) filter (where s.stage = 'week2_first') as week2_at,
           max(s.first_at) filter (where s.stage = 'succeeded') as succeeded_at,
           max(s.first_at) filter (where s.stage = 'qualifying') as qualifying_at,
           max(s.first_at) filter (where s.stage = 'exam_booked') as exam_booked_at,
           max(s.first_at) filter (where s.stage = 'exam_sat') as exam_sat_at,
           max(s.first_at) filter (where s.stage = 'exam_passed') as exam_passed_at,
           max(s.first_at) filter (where s.stage = 'certified') as certified_at
      from stages s join journey.stages t on t.stage = s.stage
     group by s.enrolment_id
)
update journey.enrolments e
   set reached = r.reached, ever = r.ever, enrolled_at = r.enrolled_at, started_at = r.started_at, week2_at = r.week2_at,
       succeeded_at = r.succeeded_at, qualifying_at = r.qualifying_at, exam_booked_at = r.exam_booked_at,
       exam_sat_at = r.exam_sat_at, exam_passed_at = r.exam_passed_at, certified_at = r.certified_at, known_at = greatest(e.known_at, $2)
  from rows r where r.enrolment_id = e.enrolment_id and e.enrolment_id = any($1::text[]); -- said twice, so that the index is used while the table is young

-- name: Tally
-- What the history of some enrolments says with the changes from $2 on, less what it said without them; see the view tallies_of_history.
with told as (
    select c.enrolment_id, c.session_id, t.bit, c.reached::int as reached, c.at, c.seq, v.sign,
           max(c.recorded_at) over (partition by c.enrolment_id) as recorded_at
      from journey.changes c join journey.stages t on t.stage = c.stage
      join (values (1), (-1)) as v(sign) on v.sign = 1 or c.seq < $2
     where c.enrolment_id = any($1::text[])
), turns as (
    select enrolment_id, session_id, sign, recorded_at, at,
           (reached - coalesce(lag(reached) over (partition by enrolment_id, sign, bit order by at, seq), 0)) << bit as turn
      from told
), instants as (
    select enrolment_id, session_id, sign, recorded_at, at, sum(turn) as turn from turns group by enrolment_id, session_id, sign, recorded_at, at
), states as (
    select i.*, sum(turn) over (partition by enrolment_id, sign order by at)::int as reached from instants i
), evers as (
    select s.*, bit_or(reached) over w as ever,
           coalesce(date_trunc('month', min(at) filter (where reached & 1 <> 0) over w at time zone 'UTC')::date, '-infinity') as joined
      from states s window w as (partition by enrolment_id, sign order by at)
), steps as (
    select e.*, lag(reached) over w as was, lag(ever) over w as had, lag(joined) over w as came from evers e window w as (partition by enrolment_id, sign order by at)
)
insert into journey.tallies (session_id, at, recorded_at, joined, reached, ever, n)
select session_id, at, recorded_at, joined, reached, ever, sum(n)
  from (select session_id, at, recorded_at, joined, reached, ever, sign as n from steps where (was, had) is distinct from (reached, ever)
        union all
        select session_id, at, recorded_at, came, was, had, -sign from steps where was is not null and (was, had) is distinct from (reached, ever)) m
 group by session_id, at, recorded_at, joined, reached, ever having sum(n) <> 0;

-- name: Counts
-- Of everybody in some sessions, from sums.
select session_id, coalesce(sum(n), 0)::bigint as enrolled,
       coalesce(sum(n) filter (where reached & 2 <> 0), 0)::bigint as started,
       coalesce(sum(n) filter (where reached & $3::int = $3::int), 0)::bigint as diligent,
       coalesce(sum(n) filter (where reached & 64 <> 0), 0)::bigint as succeeded,
       coalesce(sum(n) filter (where reached & 128 <> 0), 0)::bigint as eligible,
       coalesce(sum(n) filter (where reached & 256 <> 0), 0)::bigint as booked,
       coalesce(sum(n) filter (where reached & 512 <> 0), 0)::bigint as sat,
       coalesce(sum(n) filter (where reached & 1024 <> 0), 0)::bigint as passed,
       coalesce(sum(n) filter (where reached & 2048 <> 0), 0)::bigint as certified
  from (select session_id, case when $4::bool then ever else reached end as reached, n from journey.states_at($1::text[], $5, $6)) p
 where reached & $2::int = $2::int
 group by session_id having sum(n) > 0;

-- name: Heads
-- The same with all that is known, from the sums by heads, those with a paid formula apart: $1 sessions, $2 the diligent, $3 ever, $4 true at.
select session_id, paying, platform.total(enrolled) as enrolled, platform.total(started) as started,
       platform.total(case $2::int when 36 then diligent_first when 40 then diligent_all when 48 then diligent_any else diligent_none end) as diligent,
       platform.total(succeeded) as succeeded, platform.total(eligible) as eligible, platform.total(booked) as booked, platform.total(sat) as sat, platform.total(passed) as passed,
       platform.total(certified) as certified
  from journey.headcounts_at($1::text[], $4, $3)
 group by session_id, paying having platform.total(enrolled) > 0;

-- name: Unsummed
select until from journey.summed where until < $1::date for update;

-- name: Sum
with fresh as (
    select session_id, (at at time zone 'UTC')::date as day, (recorded_at at time zone 'UTC')::date as known, joined, reached, ever, sum(n) as n
      from journey.tallies where recorded_at >= $1::date::timestamp at time zone 'UTC' and recorded_at < $2::date::timestamp at time zone 'UTC'
     group by 1, 2, 3, 4, 5, 6 having sum(n) <> 0
), days as (
    insert into journey.days (session_id, day, known, joined, reached, ever, n) select session_id, day, known, joined, reached, ever, n from fresh
    returning 1
), sums as (
    insert into journey.sums (session_id, grain, since, joined, reached, ever, n)
    select session_id, grain, case grain when 'all' then '-infinity' else date_trunc(grain, day)::date end, joined, reached, ever, sum(n)
      from fresh cross join unnest(array['all', 'year', 'month']) as grain
     group by 1, 2, 3, 4, 5, 6 having sum(n) <> 0
    on conflict (session_id, grain, since, joined, reached, ever) do update set n = journey.sums.n + excluded.n
), heads as (
    insert into journey.headcounts as c
    select f.session_id, f.grain, f.since, f.joined, h.of_ever, h.paying, sum(h.enrolled), sum(h.started), sum(h.diligent_first), sum(h.diligent_all), sum(h.diligent_any), sum(h.diligent_none), sum(h.succeeded), sum(h.eligible), sum(h.booked), sum(h.sat), sum(h.passed), sum(h.certified)
      from (select session_id, grain, case grain when 'all' then '-infinity' else date_trunc(grain, day)::date end as since, joined, reached, ever, sum(n)::bigint as n
              from fresh cross join unnest(array['all', 'year', 'month']) as grain group by 1, 2, 3, 4, 5, 6 having sum(n) <> 0) f
     cross join lateral journey.heads(f.reached, f.ever, f.n) h where h.enrolled <> 0
     group by 1, 2, 3, 4, 5, 6
    on conflict (grain, of_ever, session_id, since, joined, paying)
    do update set enrolled = c.enrolled + excluded.enrolled, started = c.started + excluded.started, diligent_first = c.diligent_first + excluded.diligent_first, diligent_all = c.diligent_all + excluded.diligent_all, diligent_any = c.diligent_any + excluded.diligent_any, diligent_none = c.diligent_none + excluded.diligent_none, succeeded = c.succeeded + excluded.succeeded, eligible = c.eligible + excluded.eligible, booked = c.booked + excluded.booked, sat = c.sat + excluded.sat, passed = c.passed + excluded.passed, certified = c.certified + excluded.certified
), moved as (
    update journey.summed set until = $2::date
)
select count(*) from days;

-- name: CountsNow
select count(*) as enrolled,
       count(*) filter (where reached & 2 <> 0) as started,
       count(*) filter (where reached & $3::int = $3::int) as diligent,
       count(*) filter (where reached & 64 <> 0) as succeeded,
       count(*) filter (where reached & 128 <> 0) as eligible,
       count(*) filter (where reached & 256 <> 0) as booked,
       count(*) filter (where reached & 512 <> 0) as sat,
       count(*) filter (where reached & 1024 <> 0) as passed,
       count(*) filter (where reached & 2048 <> 0) as certified
  from (select case when $5::bool then ever else reached end as reached
          from journey.enrolments
         where session_id = $1 and enrolment_id = any($4::text[])) e
 where reached & $2::int = $2::int;

-- name: CountsAsOf
with steps as (
    select distinct on (c.enrolment_id, c.stage, c.at) c.enrolment_id, c.stage, c.at, c.reached
      from journey.changes c
     where c.session_id = $1 and c.at <= $6 and c.recorded_at <= $7
       and c.enrolment_id = any($4::text[])
     order by c.enrolment_id, c.stage, c.at, c.seq desc
), stages as (
    select s.enrolment_id, s.stage,
           case when $5::bool then bool_or(s.reached) else (array_agg(s.reached order by s.at desc))[1] end as reached
      from steps s group by s.enrolment_id, s.stage
), past as (
    select s.enrolment_id, bit_or(case when s.reached then 1 << t.bit else 0 end) as reached
      from stages s join journey.stages t on t.stage = s.stage
     group by s.enrolment_id
)
select count(*) as enrolled,
       count(*) filter (where reached & 2 <> 0) as started,
       count(*) filter (where reached & $3::int = $3::int) as diligent,
       count(*) filter (where reached & 64 <> 0) as succeeded,
       count(*) filter (where reached & 128 <> 0) as eligible,
       count(*) filter (where reached & 256 <> 0) as booked,
       count(*) filter (where reached & 512 <> 0) as sat,
       count(*) filter (where reached & 1024 <> 0) as passed,
       count(*) filter (where reached & 2048 <> 0) as certified
  from past
 where reached & $2::int = $2::int;

-- name: CheckRowsEqualHistory
select e.enrolment_id, e.reached, p.reached as history, e.ever, p.ever as history_ever
  from journey.enrolments e left join journey.rows_of_history p on p.enrolment_id = e.enrolment_id
 where (e.reached, e.ever, e.enrolled_at, e.started_at, e.week2_at, e.succeeded_at, e.qualifying_at, e.exam_booked_at, e.exam_sat_at, e.exam_passed_at, e.certified_at)
       is distinct from
       (p.reached, p.ever, p.enrolled_at, p.started_at, p.week2_at, p.succeeded_at, p.qualifying_at, p.exam_booked_at, p.exam_sat_at, p.exam_passed_at, p.certified_at);

-- name: CheckTalliesEqualHistory
select coalesce(t.session_id, h.session_id) as session_id, coalesce(t.at, h.at) as at, coalesce(t.reached, h.reached) as reached, t.n, h.n as history
  from (select session_id, at, recorded_at, joined, reached, ever, sum(n) as n from journey.tallies group by session_id, at, recorded_at, joined, reached, ever having sum(n) <> 0) t
  full join journey.tallies_of_history h using (session_id, at, recorded_at, joined, reached, ever)
 where t.n is distinct from h.n;

-- name: CheckDaysEqualTallies
select coalesce(t.session_id, d.session_id) as session_id, coalesce(t.day, d.day) as day, coalesce(t.known, d.known) as known, t.n, d.n as summed
  from (select session_id, (at at time zone 'UTC')::date as day, (recorded_at at time zone 'UTC')::date as known, joined, reached, ever, sum(n) as n
          from journey.tallies where recorded_at < (select until::timestamp at time zone 'UTC' from journey.summed)
         group by 1, 2, 3, 4, 5, 6 having sum(n) <> 0) t
  full join journey.days d using (session_id, day, known, joined, reached, ever)
 where t.n is distinct from d.n;

-- name: CheckSumsEqualDays
select coalesce(d.session_id, s.session_id) as session_id, coalesce(d.grain, s.grain) as grain, coalesce(d.since, s.since) as since, d.n, s.n as summed
  from (select session_id, grain, case grain when 'all' then '-infinity' else date_trunc(grain, day)::date end as since, joined, reached, ever, sum(n) as n
          from journey.days cross join unnest(array['all', 'year', 'month']) as grain
         group by 1, 2, 3, 4, 5, 6 having sum(n) <> 0) d
  full join (select * from journey.sums where n <> 0) s using (session_id, grain, since, joined, reached, ever)
 where d.n is distinct from s.n;

-- name: CheckHeadsEqualSums
select coalesce(w.session_id, c.session_id) as session_id, coalesce(w.grain, c.grain) as grain, coalesce(w.since, c.since) as since, w.enrolled, c.enrolled as summed
  from (select s.session_id, s.grain, s.since, s.joined, h.of_ever, h.paying, sum(h.enrolled) as enrolled, sum(h.started) as started, sum(h.diligent_first) as diligent_first, sum(h.diligent_all) as diligent_all, sum(h.diligent_any) as diligent_any, sum(h.diligent_none) as diligent_none, sum(h.succeeded) as succeeded, sum(h.eligible) as eligible, sum(h.booked) as booked, sum(h.sat) as sat, sum(h.passed) as passed, sum(h.certified) as certified
          from journey.sums s cross join lateral journey.heads(s.reached, s.ever, s.n) h group by 1, 2, 3, 4, 5, 6) w
  full join journey.headcounts c using (session_id, grain, since, joined, of_ever, paying)
 where (coalesce(w.enrolled, 0), coalesce(w.started, 0), coalesce(w.diligent_first, 0), coalesce(w.diligent_all, 0), coalesce(w.diligent_any, 0), coalesce(w.diligent_none, 0), coalesce(w.succeeded, 0), coalesce(w.eligible, 0), coalesce(w.booked, 0), coalesce(w.sat, 0), coalesce(w.passed, 0), coalesce(w.certified, 0))
       is distinct from (coalesce(c.enrolled, 0), coalesce(c.started, 0), coalesce(c.diligent_first, 0), coalesce(c.diligent_all, 0), coalesce(c.diligent_any, 0), coalesce(c.diligent_none, 0), coalesce(c.succeeded, 0), coalesce(c.eligible, 0), coalesce(c.booked, 0), coalesce(c.sat, 0), coalesce(c.passed, 0), coalesce(c.certified, 0));

-- name: CheckStagesImplyEarlierOnes
select enrolment_id, reached from journey.enrolments
 where (reached & 8 <> 0 and reached & 4 = 0)      -- all of week 1 without its first
    or (reached & 4 <> 0 and reached & 16 = 0)     -- the first of week 1 without any
    or (reached & 52 <> 0 and reached & 2 = 0)     -- an exercise without having started
    or (reached & 1024 <> 0 and reached & 512 = 0) -- passed without having sat
    or (reached & 2048 <> 0 and reached & 1024 = 0);

-- name: Rows
select enrolment_id, reached, ever, enrolled_at, started_at, week2_at, succeeded_at, qualifying_at, exam_booked_at, exam_sat_at,
       exam_passed_at, certified_at
  from journey.enrolments where enrolment_id = any($1::text[]);

-- name: Members
with steps as (
    select distinct on (c.enrolment_id, c.stage, c.at) c.enrolment_id, c.stage, c.at, c.reached
      from journey.changes c
     where c.session_id = $1 and c.at <= $4 and c.recorded_at <= $5
       and c.stage in ('enrolled', 'qualifying')
     order by c.enrolment_id, c.stage, c.at, c.seq desc
), stages as (
    select s.enrolment_id, s.stage,
           case when $3::bool then bool_or(s.reached) else (array_agg(s.reached order by s.at desc))[1] end as reached
      from steps s group by s.enrolment_id, s.stage
)
select s.enrolment_id from stages s join journey.stages t on t.stage = s.stage
 group by s.enrolment_id
having bit_or(case when s.reached then 1 << t.bit else 0 end) & $2::int = $2::int
 order by s.enrolment_id;

-- name: SetsNow
select sets, count(*) as learners
  from (select j.learner_id, bit_or(1::bigint << (array_position($1::text[], j.session_id) - 1)) as sets
          from journey.enrolments j
         where j.session_id = any($1::text[]) and (case when $3::bool then j.ever else j.reached end) & $2::int = $2::int
         group by j.learner_id) l
 group by sets order by sets;

-- name: SetsAsOf
with steps as (
    select distinct on (c.enrolment_id, c.stage, c.at) c.enrolment_id, c.stage, c.at, c.reached
      from journey.changes c
     where c.session_id = any($1::text[]) and c.at <= $4 and c.recorded_at <= $5
     order by c.enrolment_id, c.stage, c.at, c.seq desc
), stages as (
    select s.enrolment_id, s.stage,
           case when $3::bool then bool_or(s.reached) else (array_agg(s.reached order by s.at desc))[1] end as reached
      from steps s group by s.enrolment_id, s.stage
), past as (
    select s.enrolment_id from stages s join journey.stages t on t.stage = s.stage
     group by s.enrolment_id having bit_or(case when s.reached then 1 << t.bit else 0 end) & $2::int = $2::int
)
select sets, count(*) as learners
  from (select j.learner_id, bit_or(1::bigint << (array_position($1::text[], j.session_id) - 1)) as sets
          from past p join journey.enrolments j on j.enrolment_id = p.enrolment_id
         group by j.learner_id) l
 group by sets order by sets;

-- name: Moves
with steps as (
    select distinct on (c.enrolment_id, c.stage, c.at) c.enrolment_id, c.stage, c.at, c.reached
      from journey.changes c
     where c.session_id = $1 and c.at <= $3 and c.recorded_at <= $4
     order by c.enrolment_id, c.stage, c.at, c.seq desc
), stages as (
    select s.enrolment_id, s.stage, (array_agg(s.reached order by s.at desc))[1] as after,
           (array_agg(s.reached order by s.at desc) filter (where s.at <= $2))[1] as before, bool_or(s.reached) filter (where s.at <= $2) as been
      from steps s group by s.enrolment_id, s.stage
), moves as (
    select s.enrolment_id, bit_or(case when s.before then 1 << t.bit else 0 end) as before, bit_or(case when s.after then 1 << t.bit else 0 end) as after,
           coalesce(bool_or(s.been) filter (where s.stage = 'enrolled'), false) as been
      from stages s join journey.stages t on t.stage = s.stage
     group by s.enrolment_id
)
select before, after, been, count(*) as learners from moves group by before, after, been order by before, after, been;

-- name: History
select c.enrolment_id, c.stage, c.at, c.reached from journey.changes c
 where c.session_id = $3 and ($1::text[] is null or c.enrolment_id = any($1::text[])) and c.stage = any($2::text[])
 order by c.enrolment_id, c.stage, c.at, c.seq;

-- name: UnlikeHistory
-- Whose row is not what her history says, with the times at which each stage was first reached.
select coalesce(e.enrolment_id, p.enrolment_id) as enrolment_id
  from (select * from journey.enrolments where session_id = $1) e
  full join (select * from journey.rows_of_history where session_id = $1) p on p.enrolment_id = e.enrolment_id
 where (e.reached, e.ever, e.enrolled_at, e.started_at, e.week2_at, e.succeeded_at, e.qualifying_at, e.exam_booked_at, e.exam_sat_at, e.exam_passed_at, e.certified_at)
       is distinct from
       (p.reached, p.ever, p.enrolled_at, p.started_at, p.week2_at, p.succeeded_at, p.qualifying_at, p.exam_booked_at, p.exam_sat_at, p.exam_passed_at, p.certified_at)
 order by 1;
