-- name: LockSession
select pg_advisory_xact_lock(hashtextextended('gradebook:' || $1, 0));

-- name: CollectionByContent
select id, collected_at, recorded_at, file_name, kind, family, origin, via, bytes, encode(sha256, 'hex') as sha256, content <> '' as kept, rows_read, rows_rejected, lines_ignored, duplicates,
       learners_new, learners_left, learners_back, cells_changed, scores_first, scores_raised, scores_lowered, scores_dropped
  from gradebook.collections where session_id = $1 and sha256 = $2;

-- name: Collections
select id, collected_at, recorded_at, file_name, kind, family, origin, via, bytes, encode(sha256, 'hex') as sha256, content <> '' as kept, rows_read, rows_rejected, lines_ignored, duplicates,
       learners_new, learners_left, learners_back, cells_changed, scores_first, scores_raised, scores_lowered, scores_dropped
  from gradebook.collections where session_id = $1 order by collected_at, kind, id;

-- name: Collection
select id, collected_at, recorded_at, file_name, kind, family, origin, via, bytes, encode(sha256, 'hex') as sha256, content <> '' as kept, rows_read, rows_rejected, lines_ignored, duplicates,
       learners_new, learners_left, learners_back, cells_changed, scores_first, scores_raised, scores_lowered, scores_dropped
  from gradebook.collections where session_id = $1 and id = $2;

-- name: OutcomesOf
select outcomes from gradebook.collections where session_id = $1 and id = $2;

-- name: Rejects
select line, col, code, detail from gradebook.rejected_rows where collection_id = $1 order by line limit 1000;

-- name: AllRejects
select line, col, code, detail from gradebook.rejected_rows where collection_id = $1 order by line;

-- name: LaterCollections
select collected_at, kind, content from gradebook.collections where session_id = $1 and collected_at >= $2 and kind = any($3::text[]) order by collected_at;

-- name: AddCollection
insert into gradebook.collections (id, session_id, collected_at, recorded_at, sha256, file_name, content, family,
    rows_read, rows_rejected, learners_new, learners_left, learners_back, cells_changed, kind, origin, lines_ignored, duplicates,
    scores_first, scores_raised, scores_lowered, scores_dropped, via, bytes, outcomes)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25);

-- name: AddStatements
insert into gradebook.statements (session_id, id, collection_id) select $1, s.id, $3 from unnest($2::text[]) as s(id) order by s.id
on conflict do nothing returning id;

-- name: StatementsOf
select id from gradebook.statements where session_id = $1 and collection_id = $2;

-- name: Content
select content from gradebook.collections where session_id = $1 and id = $2;

-- name: Mappings
select label, occurrence, meaning, coalesce(exercise, '') as exercise, exercise_occurrence, week, decided_by, decided_at
  from gradebook.mappings where session_id = $1 order by seq desc;

-- name: AddMappings
insert into gradebook.mappings (session_id, label, occurrence, meaning, exercise, exercise_occurrence, week, decided_by, decided_at)
select $1, m.label, m.occurrence, m.meaning, nullif(m.exercise, ''), m.place, nullif(m.week, -1), $8, $9
  from unnest($2::text[], $3::int[], $4::text[], $5::text[], $6::int[], $7::int[]) as m(label, occurrence, meaning, exercise, place, week);

-- name: AddIssued
insert into gradebook.issued (collection_id, type, total, run_at)
select $1, i.type, i.total, nullif(i.run_at, '')::timestamptz from unnest($2::text[], $3::int[], $4::text[]) as i(type, total, run_at);

-- name: AddRejects
insert into gradebook.rejected_rows (collection_id, line, col, code, detail)
select $1, r.line, r.col, r.code, r.detail
  from unnest($2::int[], $3::int[], $4::text[], $5::text[]) as r(line, col, code, detail);

-- name: AddColumns
insert into gradebook.columns (session_id, kind, label, occurrence, title)
select $1, c.kind, c.label, c.occurrence, nullif(c.title, '') from unnest($2::text[], $3::text[], $4::int[], $5::text[]) as c(kind, label, occurrence, title)
on conflict do nothing;

-- name: Columns
select id, kind, label, occurrence from gradebook.columns where session_id = $1 order by id;

-- name: Members
select m.enrolment_id, e.learner_id, m.assumed from gradebook.members m join enrolment.enrolments e on e.id = m.enrolment_id where m.session_id = $1;

-- name: MemberIDs
select enrolment_id from gradebook.members where session_id = $1 order by enrolment_id;

-- name: AddMembers
insert into gradebook.members (enrolment_id, session_id)
select m, $2 from unnest($1::text[]) as m on conflict do nothing;

-- name: SetAssumed
update gradebook.members set assumed = $2 where enrolment_id = $1;

-- name: CellsOf
select enrolment_id, column_id, at, value from gradebook.cells where session_id = $2 and ($1::text[] is null or enrolment_id = any($1::text[]))
 order by enrolment_id, column_id, at, seq;

-- name: CohortsOf
select enrolment_id, at, cohort from gradebook.cohorts where session_id = $2 and ($1::text[] is null or enrolment_id = any($1::text[])) order by enrolment_id, at, seq;

-- name: AddCells
insert into gradebook.cells (session_id, enrolment_id, column_id, at, value, recorded_at)
select $1, c.enrolment_id, c.column_id, c.at, c.value, $6
  from unnest($2::text[], $3::int[], $4::timestamptz[], $5::bigint[]) as c(enrolment_id, column_id, at, value);

-- name: CohortsAsOf
-- A row says what the report of its time says, so that it was known when that report was.
select distinct on (enrolment_id) enrolment_id, cohort
  from gradebook.cohorts where session_id = $1 and at <= $2
   and ($3::timestamptz is null or at in (select collected_at from gradebook.collections where session_id = $1 and recorded_at <= $3))
 order by enrolment_id, at desc, seq desc;

-- name: AddCohorts
insert into gradebook.cohorts (session_id, enrolment_id, at, cohort)
select $1, c.enrolment_id, c.at, c.cohort
  from unnest($2::text[], $3::timestamptz[], $4::text[]) as c(enrolment_id, at, cohort);

-- name: CheckMembersAreEnrolled
select m.enrolment_id from gradebook.members m join enrolment.enrolments e on e.id = m.enrolment_id where e.session_id <> m.session_id;

-- name: ForgetRuns
delete from gradebook.runs where session_id = $1;

-- name: KeepRuns
insert into gradebook.runs (session_id, column_id, from_at, until_at, band, first, learners)
select session_id, column_id, from_at, until_at, band, first, learners from gradebook.runs_of($1, null);

-- name: Progression
-- From the runs that are kept; from the cells for what had been recorded by an instant ($3).
select k.id as column_id, k.label, k.occurrence, r.from_at,
       coalesce(sum(r.learners) filter (where r.first), 0)::bigint as first_done,
       coalesce(sum(r.learners) filter (where r.until_at > $2), 0)::bigint as last_change,
       coalesce(sum(r.learners) filter (where r.until_at > $2 and r.band = 0), 0)::bigint as band_0,
       coalesce(sum(r.learners) filter (where r.until_at > $2 and r.band = 1), 0)::bigint as band_1,
       coalesce(sum(r.learners) filter (where r.until_at > $2 and r.band = 2), 0)::bigint as band_2,
       coalesce(sum(r.learners) filter (where r.until_at > $2 and r.band = 3), 0)::bigint as band_3
  from (select * from gradebook.runs where session_id = $1 and $3::timestamptz is null
        union all select * from gradebook.runs_of($1, $3) where $3 is not null) r join gradebook.columns k on k.id = r.column_id
 where r.from_at <= $2
 group by k.id, k.label, k.occurrence, r.from_at
 order by k.id, r.from_at;

-- name: ExerciseColumn
select id from gradebook.columns where session_id = $1 and kind = 'exercise' and label = $2 and occurrence = $3;

-- name: Doers
-- Who did one exercise, in the order of enrolments; the index gives the cells in that order, so that a page reads no more than its own.
with steps as (
    select distinct on (c.enrolment_id, c.at) c.enrolment_id, c.at, c.value
      from gradebook.cells c
     where c.column_id = $1 and c.enrolment_id > $2 and c.at <= $3 and ($4::timestamptz is null or c.recorded_at is null or c.recorded_at <= $4)
     order by c.enrolment_id, c.at, c.seq desc
), moved as (
    select s.*, lag(s.value, 1, -1::bigint) over (partition by s.enrolment_id order by s.at) as earlier from steps s
), doers as (
    select m.enrolment_id, min(m.at) as first_at, max(m.at) as last_at, (array_agg(m.value order by m.at desc))[1] as score
      from moved m where m.value >= 0 and m.value <> m.earlier
     group by m.enrolment_id
)
select enrolment_id, first_at, last_at, score from doers
 where ($5::timestamptz is null or case when $6 = 'last_change' then last_at else first_at end = $5)
   and ($7::int is null or case when score <= 250000000 then 0 when score <= 500000000 then 1 when score <= 750000000 then 2 else 3 end = $7)
 order by enrolment_id limit $8;

-- name: CheckRunsAreTheCells
(select r.* from catalog.sessions s cross join lateral gradebook.runs_of(s.id, null) r except select * from gradebook.runs)
union all
(select * from gradebook.runs except select r.* from catalog.sessions s cross join lateral gradebook.runs_of(s.id, null) r);

-- name: Grades
select distinct on (c.enrolment_id) c.enrolment_id, c.value
  from gradebook.cells c join gradebook.columns k on k.id = c.column_id and k.kind = 'grade'
 where c.enrolment_id = any($1::text[])
 order by c.enrolment_id, c.at desc, c.seq desc;

-- name: Schedule
select s.every_days, s.enabled, s.next_at, s.cohorts, s.version, s.begun_at, s.retry_at, s.attempts, s.last_at, coalesce(s.failure, '') as failure, coalesce(s.collection_id, '') as collection_id,
       coalesce(c.learners_new + c.learners_left + c.learners_back + c.cells_changed = 0, false) as unchanged, p.pages, p.learners
  from gradebook.schedules s left join gradebook.collections c on c.id = s.collection_id
  cross join lateral (select count(*) as pages, coalesce(sum(learners), 0) as learners from gradebook.pages g where g.session_id = s.session_id and g.begun_at = s.begun_at) p
 where s.session_id = $1;

-- name: PutSchedule
insert into gradebook.schedules as s (session_id, every_days, enabled, next_at, cohorts) values ($1, $2, $3, $4, $5)
on conflict (session_id) do update set every_days = excluded.every_days, enabled = excluded.enabled, next_at = excluded.next_at, cohorts = excluded.cohorts,
       version = s.version + 1
 where $6 = 0 or s.version = $6;

-- name: BeginDue
-- The next time is counted from the last one, so that a week stays a week; what was missed for long is collected once.
update gradebook.schedules set begun_at = $1, attempts = 0, retry_at = null, failure = null,
       next_at = next_at + make_interval(days => every_days) * greatest(1, ceil(extract(epoch from ($1 - next_at)) / (86400.0 * every_days))::int)
 where enabled and next_at <= $1 returning session_id;

-- name: BeginNow
update gradebook.schedules set begun_at = $2, attempts = 0, retry_at = null, failure = null where session_id = $1;

-- name: GoOn
update gradebook.schedules set retry_at = null where begun_at is not null and ($2 = '' and retry_at <= $1 or session_id = $2 and retry_at is not null) returning session_id, begun_at;

-- name: WaitCollecting
update gradebook.schedules set attempts = attempts + 1, retry_at = $3, failure = $4 where session_id = $1 and begun_at = $2;

-- name: AddPage
insert into gradebook.pages (session_id, begun_at, position, line, learners, next) values ($1, $2, $3, $4, $5, $6) on conflict do nothing;

-- name: LastPage
select next from gradebook.pages where session_id = $1 and begun_at = $2 order by position desc limit 1;

-- name: Pages
select line from gradebook.pages where session_id = $1 and begun_at = $2 order by position;

-- name: DropPages
delete from gradebook.pages where session_id = $1 and begun_at <= $2;

-- name: EndCollecting
update gradebook.schedules
   set begun_at = null, attempts = 0, retry_at = null, last_at = case when $3 = '' then last_at else begun_at end, collection_id = coalesce(nullif($3, ''), collection_id), failure = nullif($4, '')
 where session_id = $1 and begun_at = $2;

-- name: BeginRecheck
-- The advisory lock makes two workers who look at the same time ask for one.
with mine as (select pg_try_advisory_xact_lock(hashtextextended('gradebook recheck', 0)) as got), due as (
    select s.id from catalog.sessions s left join gradebook.rechecks r on r.session_id = s.id
     where (select got from mine) and (r.asked_at is null or r.asked_at < $2) and exists (select 1 from gradebook.members m where m.session_id = s.id)
     order by r.asked_at nulls first, s.id limit 1
)
insert into gradebook.rechecks (session_id, asked_at) select id, $1 from due
on conflict (session_id) do update set asked_at = excluded.asked_at returning session_id;

-- name: AskRecheck
insert into gradebook.rechecks (session_id, asked_at) values ($1, $2) on conflict (session_id) do update set asked_at = excluded.asked_at;

-- name: Rechecked
insert into gradebook.rechecks as r (session_id, asked_at, checked_at, learners, differences, examples, differs_since) values ($1, $2, $2, $3, $4, $5, case when $4 > 0 then $2::timestamptz end)
on conflict (session_id) do update set checked_at = excluded.checked_at, learners = excluded.learners, differences = excluded.differences, examples = excluded.examples,
       differs_since = case when excluded.differences > 0 then coalesce(r.differs_since, excluded.differs_since) end;

-- name: Recheck
select s.key as session, r.checked_at, coalesce(r.checked_at is null or r.checked_at < r.asked_at, false) as pending, coalesce(r.learners, 0) as learners, coalesce(r.differences, 0) as differences,
       coalesce(r.examples, '[]') as examples, r.differs_since
  from catalog.sessions s left join gradebook.rechecks r on r.session_id = s.id where s.key = $1;

-- name: Rechecks
select s.key as session, r.checked_at, coalesce(r.checked_at is null or r.checked_at < r.asked_at, false) as pending, coalesce(r.learners, 0) as learners, coalesce(r.differences, 0) as differences,
       coalesce(r.examples, '[]') as examples, r.differs_since
  from catalog.sessions s left join gradebook.rechecks r on r.session_id = s.id where s.key > $1 order by s.key limit $2;

-- name: RunsUnlikeCells
select count(*) from (
    (select * from gradebook.runs_of($1, null) except select * from gradebook.runs where session_id = $1)
    union all
    (select * from gradebook.runs where session_id = $1 except select * from gradebook.runs_of($1, null))) d;

-- name: Figures
select count(*) filter (where differences > 0) as differing, coalesce(extract(epoch from $1 - min(coalesce(checked_at, asked_at))), 0)::bigint as oldest_seconds from gradebook.rechecks;
