-- name: AddCourse
insert into catalog.courses (id, key, title, created_at) values ($1, $2, $3, $4)
on conflict on constraint course_key_once do nothing;

-- name: CourseID
select id from catalog.courses where key = $1;

-- name: AddSession
insert into catalog.sessions (id, key, course_id, title, platform, threshold_ppm, created_at)
values ($1, $2, $3, $4, $5, $6, $7);

-- name: Session
select s.id, s.key, c.key as course_key, s.title, s.platform, s.threshold_ppm, s.closed
  from catalog.sessions s join catalog.courses c on c.id = s.course_id
 where s.id = $1 or s.key = $1;

-- name: Sessions
select s.id, s.key, c.key as course_key, s.title, s.platform, s.threshold_ppm, s.closed
  from catalog.sessions s join catalog.courses c on c.id = s.course_id
 order by c.key, s.key;

-- name: ClearExercises
delete from catalog.exercises where session_id = $1;

-- name: AddExercises
insert into catalog.exercises (session_id, position, label, week, scored, activity)
select $1, e.position, e.label, e.week, e.scored, e.activity
  from unnest($2::int[], $3::text[], $4::int[], $5::bool[], $6::text[]) as e(position, label, week, scored, activity);

-- name: Exercises
select position, label, week, scored, activity from catalog.exercises where session_id = $1 order by position;
