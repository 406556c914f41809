-- name: Results
-- Of each enrolment, at an instant ($2): the global grade, and the best result of a mock exam, booked here or a column of the reports. Millionths.
select e.id as enrolment_id,
       (select (c.value / 1000)::int from gradebook.cells c join gradebook.columns k on k.id = c.column_id and k.kind = 'grade'
         where c.enrolment_id = e.id and c.at <= $2 order by c.at desc, c.seq desc limit 1) as grade_ppm,
       greatest(
         (select max(x.score_ppm) from exams.sittings x where x.enrolment_id = e.id and x.kind = 'practice' and x.state in ('passed', 'failed') and x.result_at <= $2),
         (select max(c.value / 1000)::int from gradebook.cells c join gradebook.columns k on k.id = c.column_id and k.kind = 'exercise'
            join catalog.exercises m on m.session_id = k.session_id and m.label = k.label and m.activity = 'mock'
           where c.enrolment_id = e.id and c.at <= $2 and c.value >= 0)) as mock_ppm
  from enrolment.enrolments e where e.id = any($1::text[]) order by e.id;

-- name: Peers
-- Everybody of a session ($1), and of sessions of its course that did not begin later, who had a result of the proctored exam by an instant ($2), with
-- what she had done by the day of that first result. A result that is withheld is not one.
select f.enrolment_id, f.passed,
       (select (c.value / 1000)::int from gradebook.cells c join gradebook.columns k on k.id = c.column_id and k.kind = 'grade'
         where c.enrolment_id = f.enrolment_id and c.at <= f.result_at order by c.at desc, c.seq desc limit 1) as grade_ppm,
       greatest(
         (select max(x.score_ppm) from exams.sittings x where x.enrolment_id = f.enrolment_id and x.kind = 'practice' and x.state in ('passed', 'failed') and x.result_at <= f.result_at),
         (select max(c.value / 1000)::int from gradebook.cells c join gradebook.columns k on k.id = c.column_id and k.kind = 'exercise'
            join catalog.exercises m on m.session_id = k.session_id and m.label = k.label and m.activity = 'mock'
           where c.enrolment_id = f.enrolment_id and c.at <= f.result_at and c.value >= 0)) as mock_ppm
  from (select distinct on (x.enrolment_id) x.enrolment_id, x.result_at, x.state = 'passed' as passed
          from catalog.sessions s join catalog.sessions o on o.course_id = s.course_id and (o.id = s.id or o.starts_at is null or s.starts_at is null or o.starts_at <= s.starts_at)
          join exams.sittings x on x.session_id = o.id and x.kind = 'proctored' and x.state in ('passed', 'failed') and x.result_at <= $2
         where s.id = $1
         order by x.enrolment_id, x.attempt) f
 order by f.enrolment_id;

-- name: WhoPassed
select distinct x.enrolment_id
  from catalog.sessions s join catalog.sessions o on o.course_id = s.course_id and (o.id = s.id or o.starts_at is null or s.starts_at is null or o.starts_at <= s.starts_at)
  join exams.sittings x on x.session_id = o.id and x.kind = 'proctored' and x.state = 'passed' and x.result_at <= $2
 where s.id = $1 order by 1;

-- name: Weeks
-- The mean of each of these enrolments over the scored exercises of each week, at an instant ($2), in millionths; a mock exam is no exercise.
with weeks as (
    select e.id as enrolment_id, m.week, count(*) as n
      from enrolment.enrolments e join catalog.exercises m on m.session_id = e.session_id and m.scored and m.week >= 1 and m.activity <> 'mock'
     where e.id = any($1::text[]) group by e.id, m.week
), scores as (
    select distinct on (c.enrolment_id, c.column_id) c.enrolment_id, m.week, c.value
      from gradebook.cells c join gradebook.columns k on k.id = c.column_id and k.kind = 'exercise' and k.occurrence = 0
      join catalog.exercises m on m.session_id = k.session_id and m.label = k.label and m.scored and m.week >= 1 and m.activity <> 'mock'
     where c.enrolment_id = any($1::text[]) and c.at <= $2
     order by c.enrolment_id, c.column_id, c.at desc, c.seq desc
)
select w.enrolment_id, w.week, (coalesce(sum(s.value) filter (where s.value >= 0), 0) / 1000 / w.n)::int as ppm, count(s.value) filter (where s.value >= 0)::int as done
  from weeks w left join scores s on s.enrolment_id = w.enrolment_id and s.week = w.week
 group by w.enrolment_id, w.week, w.n order by w.enrolment_id, w.week;

-- name: CheckContacts
select c.seq, c.enrolment_id from confidence.contacts c join enrolment.enrolments e on e.id = c.enrolment_id
 where e.learner_id <> c.learner_id or e.session_id <> c.session_id;

-- name: MockInCourse
select exists (select 1 from catalog.exercises where session_id = $1 and activity = 'mock');
