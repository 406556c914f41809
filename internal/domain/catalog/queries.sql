-- name: AddCollection
insert into catalog.collections (id, key, version) values ($1, $2, 1)
on conflict on constraint collection_key_once do nothing;

-- name: LockCollection
select id from catalog.collections where key = $1 for update;

-- name: WriteCollection
with noted as (update catalog.collections set version = $2, state = 'draft' where id = $1)
insert into catalog.collection_versions (collection_id, version, title_en, title_fr, summary_en, summary_fr, written_by, written_at)
values ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: MoveCollection
-- Publishing shows the working copy, archiving hides whatever was shown; any other move leaves the public what it sees.
update catalog.collections
   set state = $2, visible = case $2 when 'published' then true when 'archived' then false else visible end,
       published_version = case $2 when 'published' then version else published_version end,
       published_at = case $2 when 'published' then $3::timestamptz else published_at end
 where id = $1;

-- name: Collections
-- $2: as the public sees them; otherwise the working copies.
select l.id, l.key, v.title_en, v.title_fr, v.summary_en, v.summary_fr, l.version, l.state, l.visible, l.published_version, l.published_at, v.written_by, v.written_at
  from catalog.collections l
  join catalog.collection_versions v on v.collection_id = l.id and v.version = case when $2 then l.published_version else l.version end
 where ($1 = '' or l.key = $1) and (l.visible or not $2)
 order by l.key;

-- name: CollectionID
select id from catalog.collections where key = $1;

-- name: CollectionVersions
select l.key, v.version, v.title_en, v.title_fr, v.summary_en, v.summary_fr, v.written_by, v.written_at
  from catalog.collection_versions v join catalog.collections l on l.id = v.collection_id where l.id = $1 and ($2::int = 0 or v.version < $2) order by v.version desc limit $3;

-- name: MakeCourse
insert into catalog.courses (id, key, state, visible, published_version, published_at, created_at, title_en, title_fr)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict on constraint course_key_once do nothing;

-- name: ShowCourse
update catalog.courses
   set collection_id = (select id from catalog.collections where key = $2), position = $3, title_en = $4, title_fr = $5, summary_en = $6,
       summary_fr = $7, level = $8, workload_hours = $9, language = $10, ects_hundredths = $11, skills = $12
 where id = $1;

-- name: AddVersion
insert into catalog.course_versions (course_id, version, document, written_by, written_at) values ($1, $2, $3, $4, $5);

-- name: NextVersion
-- drafted: the words by which staff find the working copy.
update catalog.courses set version = version + 1, state = $2, drafted = $3 where id = $1;

-- name: MoveCourse
update catalog.courses set state = $2, visible = $3 where id = $1;

-- name: Publish
update catalog.courses set published_version = version, published_at = $3, charter_version = nullif($2::int, 0), visible = true where id = $1;

-- name: KeepReport
insert into catalog.conformance (course_id, version, charter_version, report, checked_at) values ($1, $2, $3, $4, $5)
on conflict (course_id, version, charter_version) do nothing;

-- name: Working
select c.id, c.key, c.state, c.version, c.visible, c.published_version, c.published_at, coalesce(c.charter_version, 0) as charter_version,
       v.written_by, v.written_at, v.document
  from catalog.courses c join catalog.course_versions v on v.course_id = c.id and v.version = c.version
 where c.id = $1 or c.key = $1;

-- name: OneGraph
-- Two courses that are published at once could close a cycle that neither of them sees.
select pg_advisory_xact_lock(hashtextextended('catalog.prerequisites', 0));

-- name: PublishedPrerequisites
select c.key, array(select p ->> 'course' from jsonb_array_elements(v.document -> 'prerequisites') p where coalesce(p ->> 'course', '') <> '') as after
  from catalog.courses c join catalog.course_versions v on v.course_id = c.id and v.version = c.published_version
 where c.visible and jsonb_typeof(v.document -> 'prerequisites') = 'array';

-- name: KnownKeys
select key from catalog.courses where key = any($1::text[]);

-- name: LockCourse
select id from catalog.courses where id = $1 or key = $1 for update;

-- name: PublishedDocument
select c.id, c.key, c.state, c.version, c.visible, c.published_version, c.published_at, coalesce(c.charter_version, 0) as charter_version,
       v.written_by, v.written_at, v.document
  from catalog.courses c join catalog.course_versions v on v.course_id = c.id and v.version = c.published_version
 where (c.id = $1 or c.key = $1) and c.visible;

-- name: Version
select c.id, c.key, c.state, v.version, c.visible, c.published_version, c.published_at, coalesce(c.charter_version, 0) as charter_version,
       v.written_by, v.written_at, v.document
  from catalog.courses c join catalog.course_versions v on v.course_id = c.id
 where (c.id = $1 or c.key = $1) and v.version = $2;

-- name: Versions
select version, written_by, written_at, coalesce(document #>> '{title,en}', '') as title_en, coalesce(document #>> '{title,fr}', '') as title_fr
  from catalog.course_versions
 where course_id = $1 and ($2::int = 0 or version < $2) order by version desc limit $3;

-- name: Charter
select version, rules, note, written_by, written_at from catalog.charters
 where version = case when $1::int = 0 then (select max(version) from catalog.charters) else $1 end;

-- name: Charters
select version, rules, note, written_by, written_at from catalog.charters where $1::int = 0 or version < $1 order by version desc limit $2;

-- name: AddCharter
insert into catalog.charters (version, rules, note, written_by, written_at)
select coalesce(max(version), 0) + 1, $1, $2, $3, $4 from catalog.charters having $5::int = 0 or coalesce(max(version), 0) = $5;

-- name: Courses
select c.id, c.key, coalesce(l.key, '') as collection_key, c.position, c.title_en, c.title_fr, c.summary_en, c.summary_fr, c.level, c.workload_hours,
       c.language, c.ects_hundredths, c.state, c.visible, c.version
  from catalog.courses c left join catalog.collections l on l.id = c.collection_id and l.visible
 where c.visible
 order by l.key nulls last, c.position, c.key;

-- name: CourseList
-- A rank of nothing orders nothing: without a query all ranks are 0. Who sees all courses ($6) finds working copies by their own words too. The cursor is a course's id; its own place is looked up.
-- What is ordered is narrow: the courses themselves are read for the page alone.
with ask as (
    select case when $1 = '' then null else (
        select to_tsquery('simple', string_agg(quote_literal(lexeme) || ':*', ' & '))
          from unnest(to_tsvector('simple', catalog.fold($1)))) end as words
), listed as (
    select c.id, c.key, coalesce(l.key, '') as collection_key, c.position, l.key is null as loose,
           case when $1 = '' then 0 else -(greatest(ts_rank(c.search, ask.words), case when $6 then ts_rank(c.drafted_search, ask.words) end) * 1000000)::int end as rank
      from ask cross join catalog.courses c left join catalog.collections l on l.id = c.collection_id and (l.visible or $6)
     where ($1 = '' or c.search @@ ask.words or $6 and c.drafted_search @@ ask.words) and ($2 = '' or l.key = $2) and ($3 = '' or c.level = $3) and ($4 = '' or c.language = $4)
       and ($5 = '' or c.state = $5) and (c.visible or $6)
), here as (
    select id, rank, loose, collection_key, position, key from listed
     where $7 = '' or (rank, loose, collection_key, position, key) > (select rank, loose, collection_key, position, key from listed where id = $7)
     order by rank, loose, collection_key, position, key limit $8
)
select c.id, c.key, here.collection_key, c.position, c.title_en, c.title_fr, c.summary_en, c.summary_fr, c.level, c.workload_hours,
       c.language, c.ects_hundredths, c.state, c.visible, c.version
  from here join catalog.courses c on c.id = here.id
 order by here.rank, here.loose, here.collection_key, here.position, here.key;

-- name: Course
select c.id, c.key, coalesce(l.key, '') as collection_key, c.position, c.title_en, c.title_fr, c.summary_en, c.summary_fr, c.level, c.workload_hours,
       c.language, c.ects_hundredths, c.state, c.visible, c.version
  from catalog.courses c left join catalog.collections l on l.id = c.collection_id and l.visible
 where c.id = $1 or c.key = $1;

-- name: CheckVersions
select c.key from catalog.courses c
 where c.version is distinct from (select max(v.version) from catalog.course_versions v where v.course_id = c.id)
    or c.version <> (select count(*) from catalog.course_versions v where v.course_id = c.id);

-- name: CheckMoves
select c.key || ': ' || c.state || ', last moved to ' || m.to_state
  from (select 'course' as kind, id, key, state, version from catalog.courses union all select 'collection', id, key, state, version from catalog.collections) c
  join lateral (select to_state, version from catalog.moves where kind = c.kind and object_id = c.id order by seq desc limit 1) m on true
 where m.to_state <> c.state and m.version = c.version;

-- name: CheckReports
select c.key from catalog.courses c
 where c.charter_version is not null
   and not exists (select from catalog.conformance r where r.course_id = c.id and r.version = c.published_version and r.charter_version = c.charter_version);

-- name: AddSession
insert into catalog.sessions (id, key, course_id, number, title_en, title_fr, platform, course_url, threshold_ppm,
       starts_at, ends_at, enrol_from, enrol_until, created_at, kind, platform_key, audience, language, capacity, policy, min_days, production_ppm,
       publication, copied_from, closed)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, nullif($24, ''), $25);

-- name: EditSession
update catalog.sessions
   set number = $2, title_en = $3, title_fr = $4, platform = $5, course_url = $6, threshold_ppm = $7, starts_at = $8, ends_at = $9, enrol_from = $10,
       enrol_until = $11, kind = $12, platform_key = $13, audience = $14, language = $15, capacity = $16, policy = $17, min_days = $18,
       production_ppm = $19, closed = $20, version = version + 1
 where id = $1;

-- name: LockSession
select id from catalog.sessions where id = $1 or key = $1 for update;

-- name: MoveSession
update catalog.sessions set publication = $2, version = version + 1 where id = $1;

-- name: Graded
update catalog.sessions set graded_at = $2 where id = $1 and graded_at is null;

-- name: SessionsWhere
select s.id, s.key, c.key as course_key, s.number, s.title_en, s.title_fr, s.platform, s.course_url, s.threshold_ppm,
       s.starts_at, s.ends_at, s.enrol_from, s.enrol_until, s.closed, s.version, s.kind, s.platform_key, s.audience, s.language, s.capacity,
       s.policy, s.min_days, s.production_ppm, s.publication, coalesce(s.copied_from, '') as copied_from, s.graded_at, c.level
  from catalog.sessions s join catalog.courses c on c.id = s.course_id
 where s.id > $1 and ($2 = '' or c.key = $2) and ($3 = '' or s.publication = $3) and ($4 = '' or s.kind = $4)
   and ($5::timestamptz is null or coalesce(s.ends_at, 'infinity') > $5) and ($6::timestamptz is null or coalesce(s.starts_at, '-infinity') < $6)
   and ($7 = '' or exists (select 1 from catalog.collections l where l.id = c.collection_id and l.key = $7))
 order by s.id limit $8;

-- name: Session
select s.id, s.key, c.key as course_key, s.number, s.title_en, s.title_fr, s.platform, s.course_url, s.threshold_ppm,
       s.starts_at, s.ends_at, s.enrol_from, s.enrol_until, s.closed, s.version, s.kind, s.platform_key, s.audience, s.language, s.capacity,
       s.policy, s.min_days, s.production_ppm, s.publication, coalesce(s.copied_from, '') as copied_from, s.graded_at, c.level
  from catalog.sessions s join catalog.courses c on c.id = s.course_id
 where s.id = $1 or s.key = $1;

-- name: Sessions
select s.id, s.key, c.key as course_key, s.number, s.title_en, s.title_fr, s.platform, s.course_url, s.threshold_ppm,
       s.starts_at, s.ends_at, s.enrol_from, s.enrol_until, s.closed, s.version, s.kind, s.platform_key, s.audience, s.language, s.capacity,
       s.policy, s.min_days, s.production_ppm, s.publication, coalesce(s.copied_from, '') as copied_from, s.graded_at, c.level
  from catalog.sessions s join catalog.courses c on c.id = s.course_id
 order by c.position, c.key, s.starts_at desc nulls last, s.number desc, s.key;

-- name: Glimpses
select s.id, s.key, c.key as course_key, s.title_en, s.title_fr, s.starts_at, s.ends_at, s.enrol_from, s.enrol_until, s.closed, coalesce(nullif(s.audience, ''), c.level) as for_whom
  from catalog.sessions s join catalog.courses c on c.id = s.course_id
 order by c.position, c.key, s.starts_at desc nulls last, s.number desc, s.key;

-- name: GlimpsesAsKnown
-- The same as it was known at an instant ($2), of one session ($1; null: of all that were there): what the session said then, and for whom it is as it
-- said, or else its course as everybody read it then.
with courses as materialized (
    select c.id, c.key, coalesce((w.said ->> 'position')::int, 0) as position, coalesce(w.said ->> 'level', '') as level
      from catalog.courses c cross join lateral (select catalog.course_said(c.id, $2) as said) w
     where $1::text is null or c.id = (select course_id from catalog.sessions where id = $1)
)
select s.id, s.key, c.key as course_key, coalesce(v.said #>> '{title,en}', '') as title_en, coalesce(v.said #>> '{title,fr}', '') as title_fr,
       (v.said ->> 'starts_at')::timestamptz as starts_at, (v.said ->> 'ends_at')::timestamptz as ends_at, (v.said ->> 'enrol_from')::timestamptz as enrol_from,
       (v.said ->> 'enrol_until')::timestamptz as enrol_until, coalesce((v.said ->> 'closed')::bool, false) as closed, coalesce(nullif(v.said ->> 'audience', ''), c.level) as for_whom
  from catalog.sessions s join courses c on c.id = s.course_id cross join lateral (select catalog.session_said(s.id, $2) as said) v
 where case when $1::text is null then s.created_at <= $2 else s.id = $1 end
 order by c.position, c.key, starts_at desc nulls last, coalesce((v.said ->> 'number')::int, 0) desc, s.key;

-- name: Weeks
select label, week from catalog.exercises_said($1, $2);

-- name: SessionsOf
select s.id, s.key, c.key as course_key, s.number, s.title_en, s.title_fr, s.platform, s.course_url, s.threshold_ppm,
       s.starts_at, s.ends_at, s.enrol_from, s.enrol_until, s.closed, s.version, s.kind, s.platform_key, s.audience, s.language, s.capacity,
       s.policy, s.min_days, s.production_ppm, s.publication, coalesce(s.copied_from, '') as copied_from, s.graded_at, c.level
  from catalog.sessions s join catalog.courses c on c.id = s.course_id
 where c.key = any($1) and s.publication = 'published'
 order by c.position, c.key, s.starts_at desc nulls last, s.number desc, s.key;

-- name: KeepSession
insert into catalog.session_versions (session_id, version, document, written_by, written_at) values ($1, $2, $3, $4, $5);

-- name: SessionVersions
select version, document, written_by, written_at from catalog.session_versions where session_id = $1 order by version desc limit $2;

-- name: SessionVersion
select version, document, written_by, written_at from catalog.session_versions where session_id = $1 and version = $2;

-- name: CheckSessionVersions
select s.key from catalog.sessions s
 where s.version is distinct from (select max(v.version) from catalog.session_versions v where v.session_id = s.id)
    or s.publication is distinct from (select v.document ->> 'publication' from catalog.session_versions v where v.session_id = s.id and v.version = s.version);

-- name: Touch
update catalog.sessions set version = version + 1 where id = $1;

-- name: ClearExercises
delete from catalog.exercises where session_id = $1;

-- name: AddExercises
insert into catalog.exercises (session_id, position, label, week, scored, activity, weight_ppm)
select $1, e.position, e.label, e.week, e.scored, e.activity, e.weight_ppm
  from unnest($2::int[], $3::text[], $4::int[], $5::bool[], $6::text[], $7::bigint[]) as e(position, label, week, scored, activity, weight_ppm);

-- name: EarlierExercises
select e.position, e.label, e.week, e.scored, e.activity, e.weight_ppm
  from catalog.exercises e join catalog.sessions s on s.id = e.session_id join catalog.courses c on c.id = s.course_id
 where c.key = $1 and s.id <> $2 order by s.starts_at desc nulls last, s.id desc, e.position limit 5000;

-- name: Exercises
select position, label, week, scored, activity, weight_ppm from catalog.exercises where session_id = $1 order by position;

-- name: AddMove
insert into catalog.moves (kind, object_id, version, from_state, to_state, note, moved_by, moved_at) values ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: MovesOf
select object_id, version, from_state, to_state, note, moved_by, moved_at from catalog.moves where kind = $1 and object_id = any($2::text[]) order by seq desc;

-- name: Moves
select version, from_state, to_state, note, moved_by, moved_at from catalog.moves where kind = $1 and object_id = $2 order by seq desc;
