-- name: Open
-- Nothing was before, so the row is known without asking the history. What is open already is left for Record.
with openings as (
    select * from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::bool[]) with ordinality
                  as o(enrolment_id, session_id, learner_id, at, cause, qualifying, position)
), opened as (
    insert into journey.enrolments (enrolment_id, session_id, learner_id, reached, ever, enrolled_at, qualifying_at)
    select o.enrolment_id, o.session_id, o.learner_id, m.bits, m.bits, o.at, case when o.qualifying then o.at end
      from openings o cross join lateral (select case when o.qualifying then $8::int else $7::int end as bits) m
    on conflict (enrolment_id) do nothing
    returning enrolment_id
)
insert into journey.changes (enrolment_id, session_id, stage, reached, at, recorded_at, cause)
select o.enrolment_id, o.session_id, s.stage, true, o.at, $9, o.cause
  from openings o join opened n on n.enrolment_id = o.enrolment_id
  join (values ('enrolled', 1), ('qualifying', 2)) as s(stage, place) on s.stage = 'enrolled' or o.qualifying
 order by o.position, s.place
returning enrolment_id;

-- name: Record
with locked as materialized (
    select enrolment_id, session_id from journey.enrolments where enrolment_id = any($1::text[]) order by enrolment_id for update
)
insert into journey.changes (enrolment_id, session_id, stage, reached, at, recorded_at, cause)
select c.enrolment_id, e.session_id, c.stage, c.reached, c.at, $6, c.cause
  from unnest($1::text[], $2::text[], $3::bool[], $4::timestamptz[], $5::text[]) with ordinality
       as c(enrolment_id, stage, reached, at, cause, position)
  join locked e on e.enrolment_id = c.enrolment_id
 order by c.position;

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
       exam_sat_at = r.exam_sat_at, exam_passed_at = r.exam_passed_at, certified_at = r.certified_at
  from rows r where r.enrolment_id = e.enrolment_id and e.enrolment_id = any($1::text[]); -- said twice, so that the index is used while the table is young

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
         where session_id = $1 and ($4::text[] is null or enrolment_id = any($4::text[]))) e
 where reached & $2::int = $2::int;

-- name: CountsAsOf
with steps as (
    select distinct on (c.enrolment_id, c.stage, c.at) c.enrolment_id, c.stage, c.at, c.reached
      from journey.changes c
     where c.session_id = $1 and c.at <= $6 and c.recorded_at <= $7
       and ($4::text[] is null or c.enrolment_id = any($4::text[]))
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
with steps as (
    select distinct on (c.enrolment_id, c.stage, c.at) c.enrolment_id, c.stage, c.at, c.reached
      from journey.changes c order by c.enrolment_id, c.stage, c.at, c.seq desc
), stages as (
    select s.enrolment_id, s.stage, bool_or(s.reached) as held, (array_agg(s.reached order by s.at desc))[1] as holds
      from steps s group by s.enrolment_id, s.stage
), past as (
    select s.enrolment_id, bit_or(case when s.holds then 1 << t.bit else 0 end) as reached,
           bit_or(case when s.held then 1 << t.bit else 0 end) as ever
      from stages s join journey.stages t on t.stage = s.stage group by s.enrolment_id
)
select e.enrolment_id, e.reached, p.reached as history, e.ever, p.ever as history_ever
  from journey.enrolments e left join past p on p.enrolment_id = e.enrolment_id
 where e.reached is distinct from p.reached or e.ever is distinct from p.ever;

-- name: CheckStagesImplyEarlierOnes
select enrolment_id, reached from journey.enrolments
 where (reached & 8 <> 0 and reached & 4 = 0)      -- all of week 1 without its first
    or (reached & 4 <> 0 and reached & 16 = 0)     -- the first of week 1 without any
    or (reached & 52 <> 0 and reached & 2 = 0)     -- an exercise without having started
    or (reached & 1024 <> 0 and reached & 512 = 0) -- passed without having sat
    or (reached & 2048 <> 0 and reached & 1024 = 0);

-- name: StatesAsOf
select s.enrolment_id, bit_or(case when s.reached then 1 << t.bit else 0 end)::int as reached
  from (select distinct on (c.enrolment_id, c.stage) c.enrolment_id, c.stage, c.reached
          from journey.changes c
         where c.session_id = $1 and c.at <= $2
         order by c.enrolment_id, c.stage, c.at desc, c.seq desc) s
  join journey.stages t on t.stage = s.stage
 group by s.enrolment_id;

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
