-- name: PutCollection
insert into catalog.collections (id, key, title_en, title_fr, summary_en, summary_fr) values ($1, $2, $3, $4, $5, $6)
on conflict on constraint collection_key_once do update
   set title_en = excluded.title_en, title_fr = excluded.title_fr, summary_en = excluded.summary_en, summary_fr = excluded.summary_fr;

-- name: Collections
select key, title_en, title_fr, summary_en, summary_fr from catalog.collections order by key;

-- name: PutCourse
insert into catalog.courses (id, key, collection_id, position, title_en, title_fr, summary_en, summary_fr, level, workload_hours, created_at)
values ($1, $2, (select id from catalog.collections where key = $3), $4, $5, $6, $7, $8, $9, $10, $11)
on conflict on constraint course_key_once do update
   set collection_id = excluded.collection_id, position = excluded.position, title_en = excluded.title_en, title_fr = excluded.title_fr,
       summary_en = excluded.summary_en, summary_fr = excluded.summary_fr, level = excluded.level, workload_hours = excluded.workload_hours;

-- name: AddCourse
insert into catalog.courses (id, key, title_en, created_at) values ($1, $2, $3, $4)
on conflict on constraint course_key_once do nothing;

-- name: Courses
select c.id, c.key, coalesce(l.key, '') as collection_key, c.position, c.title_en, c.title_fr, c.summary_en, c.summary_fr, c.level, c.workload_hours
  from catalog.courses c left join catalog.collections l on l.id = c.collection_id
 order by l.key nulls last, c.position, c.key;

-- name: Course
select c.id, c.key, coalesce(l.key, '') as collection_key, c.position, c.title_en, c.title_fr, c.summary_en, c.summary_fr, c.level, c.workload_hours
  from catalog.courses c left join catalog.collections l on l.id = c.collection_id
 where c.id = $1 or c.key = $1;

-- name: AddSession
insert into catalog.sessions (id, key, course_id, number, title_en, title_fr, platform, course_url, threshold_ppm,
       starts_at, ends_at, enrol_from, enrol_until, created_at, kind, platform_key, audience, language, capacity, policy, min_days, production_ppm,
       publication, copied_from)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, nullif($24, ''));

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

-- name: Touch
update catalog.sessions set version = version + 1 where id = $1 and ($2::int = 0 or version = $2);

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

-- name: Moves
select version, from_state, to_state, note, moved_by, moved_at from catalog.moves where kind = $1 and object_id = $2 order by seq desc;
