-- name: LockSession
select pg_advisory_xact_lock(hashtextextended('gradebook:' || $1, 0));

-- name: CollectionByContent
select id, collected_at, file_name, family, rows_read, rows_rejected, learners_new, learners_left, learners_back, cells_changed
  from gradebook.collections where session_id = $1 and sha256 = $2;

-- name: Collections
select id, collected_at, file_name, family, rows_read, rows_rejected, learners_new, learners_left, learners_back, cells_changed
  from gradebook.collections where session_id = $1 order by collected_at;

-- name: LaterCollections
select collected_at, content from gradebook.collections where session_id = $1 and collected_at > $2 order by collected_at;

-- name: AddCollection
insert into gradebook.collections (id, session_id, collected_at, recorded_at, sha256, file_name, content, family,
    rows_read, rows_rejected, learners_new, learners_left, learners_back, cells_changed)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14);

-- name: AddRejects
insert into gradebook.rejected_rows (collection_id, line, col, code, detail)
select $1, r.line, r.col, r.code, r.detail
  from unnest($2::int[], $3::int[], $4::text[], $5::text[]) as r(line, col, code, detail);

-- name: AddColumns
insert into gradebook.columns (session_id, kind, label, occurrence)
select $1, c.kind, c.label, c.occurrence from unnest($2::text[], $3::text[], $4::int[]) as c(kind, label, occurrence)
on conflict do nothing;

-- name: Columns
select id, kind, label, occurrence from gradebook.columns where session_id = $1 order by id;

-- name: Members
select m.enrolment_id, x.subject
  from gradebook.members m
  join enrolment.enrolments e on e.id = m.enrolment_id
  join identity.external_ids x on x.person_id = e.learner_id and x.source = $2
 where m.session_id = $1;

-- name: AddMembers
insert into gradebook.members (enrolment_id, session_id)
select m, $2 from unnest($1::text[]) as m on conflict do nothing;

-- name: CellsAsOf
select distinct on (enrolment_id, column_id) enrolment_id, column_id, value
  from gradebook.cells where session_id = $1 and at <= $2
 order by enrolment_id, column_id, at desc, seq desc;

-- name: AddCells
insert into gradebook.cells (session_id, enrolment_id, column_id, at, value)
select $1, c.enrolment_id, c.column_id, c.at, c.value
  from unnest($2::text[], $3::int[], $4::timestamptz[], $5::bigint[]) as c(enrolment_id, column_id, at, value);

-- name: CohortsAsOf
select distinct on (enrolment_id) enrolment_id, cohort
  from gradebook.cohorts where session_id = $1 and at <= $2
 order by enrolment_id, at desc, seq desc;

-- name: AddCohorts
insert into gradebook.cohorts (session_id, enrolment_id, at, cohort)
select $1, c.enrolment_id, c.at, c.cohort
  from unnest($2::text[], $3::timestamptz[], $4::text[]) as c(enrolment_id, at, cohort);

-- name: CheckMembersAreEnrolled
select m.enrolment_id from gradebook.members m join enrolment.enrolments e on e.id = m.enrolment_id where e.session_id <> m.session_id;

-- name: Exercise
with steps as (
    select distinct on (c.enrolment_id, c.at) c.enrolment_id, c.at, c.value
      from gradebook.cells c join gradebook.columns k on k.id = c.column_id
     where c.session_id = $1 and k.kind = 'exercise' and k.label = $2 and k.occurrence = 0 and c.at <= $3
     order by c.enrolment_id, c.at, c.seq desc
), changes as (
    select enrolment_id, at, value, lag(value, 1, -1::bigint) over (partition by enrolment_id order by at) as earlier from steps
)
select min(at) as first_at, max(at) filter (where value <> earlier) as last_at,
       (array_agg(value order by at desc))[1] as score
  from changes where value >= 0
 group by enrolment_id;

-- name: Grades
select distinct on (c.enrolment_id) c.enrolment_id, c.value
  from gradebook.cells c join gradebook.columns k on k.id = c.column_id and k.kind = 'grade'
 where c.enrolment_id = any($1::text[])
 order by c.enrolment_id, c.at desc, c.seq desc;
