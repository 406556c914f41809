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
       starts_at, ends_at, enrol_from, enrol_until, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14);

-- name: Session
select s.id, s.key, c.key as course_key, s.number, s.title_en, s.title_fr, s.platform, s.course_url, s.threshold_ppm,
       s.starts_at, s.ends_at, s.enrol_from, s.enrol_until, s.closed, s.version
  from catalog.sessions s join catalog.courses c on c.id = s.course_id
 where s.id = $1 or s.key = $1;

-- name: Sessions
select s.id, s.key, c.key as course_key, s.number, s.title_en, s.title_fr, s.platform, s.course_url, s.threshold_ppm,
       s.starts_at, s.ends_at, s.enrol_from, s.enrol_until, s.closed, s.version
  from catalog.sessions s join catalog.courses c on c.id = s.course_id
 order by c.position, c.key, s.starts_at desc nulls last, s.number desc, s.key;

-- name: Touch
update catalog.sessions set version = version + 1 where id = $1 and ($2::int = 0 or version = $2);

-- name: ClearExercises
delete from catalog.exercises where session_id = $1;

-- name: AddExercises
insert into catalog.exercises (session_id, position, label, week, scored, activity)
select $1, e.position, e.label, e.week, e.scored, e.activity
  from unnest($2::int[], $3::text[], $4::int[], $5::bool[], $6::text[]) as e(position, label, week, scored, activity);

-- name: Exercises
select position, label, week, scored, activity from catalog.exercises where session_id = $1 order by position;

-- name: AddMove
insert into catalog.moves (kind, object_id, version, from_state, to_state, note, moved_by, moved_at) values ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: Moves
select version, from_state, to_state, note, moved_by, moved_at from catalog.moves where kind = $1 and object_id = $2 order by seq desc;
