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

-- name: Plan
select days, hold_out_ppt, version from confidence.plans where session_id = $1;

-- name: PutPlan
insert into confidence.plans as p (session_id, days, hold_out_ppt, changed_by, changed_at)
select $1::text, $2::int[], $3::int, $5::text, $6::timestamptz where $4::int <= 0 or exists (select 1 from confidence.plans where session_id = $1)
on conflict (session_id) do update set days = $2, hold_out_ppt = $3, changed_by = $5, changed_at = $6, version = p.version + 1
 where $4 = -1 or p.version = $4;

-- name: Windows
-- The sessions whose exam somebody wrote, and can be booked until a time to come.
select s.id as session_id, s.key, confidence.closes_at(s.id) as closes_at, coalesce(p.days, $2::int[]) as days, coalesce(p.hold_out_ppt, 0) as hold_out_ppt
  from catalog.sessions s left join confidence.plans p on p.session_id = s.id
 where exists (select 1 from exams.exams e where e.session_id = s.id and e.kind = 'proctored') and confidence.closes_at(s.id) > $1
 order by s.id;

-- name: ToRemind
-- Who waits in a session and was not reminded at this step, nor at one that is nearer to the end.
select w.enrolment_id, w.learner_id, confidence.held_out(w.session_id, w.learner_id, $4) as held_out
  from confidence.waiting($1, $2) w
 where w.bookable and not exists (select 1 from confidence.contacts c where c.enrolment_id = w.enrolment_id and c.how = 'reminder' and c.step <= $3)
 order by w.enrolment_id limit $5;

-- name: StillWaits
select exists (select 1 from confidence.waiting((select e.session_id from enrolment.enrolments e where e.id = $1), $2) w where w.enrolment_id = $1 and w.bookable
                 and (confidence.closes_at(w.session_id) is null or confidence.closes_at(w.session_id) > $2));

-- name: NoteReminders
insert into confidence.contacts (enrolment_id, learner_id, session_id, how, step, outcome, by, at)
select n.enrolment_id, n.learner_id, $1, 'reminder', $2, n.outcome, 'system', $3
  from unnest($4::text[], $5::text[], $6::text[]) as n(enrolment_id, learner_id, outcome)
on conflict (enrolment_id, step) where how = 'reminder' do nothing;

-- name: Calls
select w.enrolment_id, w.learner_id, w.session_id, s.key as session_key, p.full_name, w.reason, w.since, z.closes_at, coalesce(k.coach, '') as coach,
       coalesce(kp.full_name, '') as coach_name, coalesce(l.how, '') as last_how, coalesce(l.outcome, '') as last_outcome, l.at as last_at,
       coalesce(p.email, '') as email, coalesce(n.number, '') as number
  from confidence.waiting($1, $2) w
  join catalog.sessions s on s.id = w.session_id
  join identity.people p on p.id = w.learner_id
  cross join lateral (select confidence.closes_at(w.session_id) as closes_at) z
  left join confidence.plans pl on pl.session_id = w.session_id
  left join lateral (select coach from confidence.coaches where enrolment_id = w.enrolment_id order by seq desc limit 1) k on true
  left join identity.people kp on kp.id = k.coach
  left join lateral (select how, outcome, at from confidence.contacts where enrolment_id = w.enrolment_id and outcome not in ('held_out', 'skipped') order by seq desc limit 1) l on true
  left join confidence.numbers n on n.learner_id = w.learner_id
 where (z.closes_at is null or z.closes_at > $2) and not confidence.held_out(w.session_id, w.learner_id, coalesce(pl.hold_out_ppt, 0))
   and ($3 = '' or $3 = 'nobody' and k.coach is null or k.coach = $3) and ($4 = '' or w.reason = $4)
   and ($6 = '' or (coalesce(z.closes_at, 'infinity'), w.enrolment_id) > ($5::timestamptz, $6))
 order by coalesce(z.closes_at, 'infinity'), w.enrolment_id limit $7;

-- name: HeldOut
select confidence.held_out(e.session_id, e.learner_id, coalesce(p.hold_out_ppt, 0)) from enrolment.enrolments e left join confidence.plans p on p.session_id = e.session_id where e.id = $1;

-- name: NoteCall
insert into confidence.contacts (enrolment_id, learner_id, session_id, how, outcome, note, by, at) values ($1, $2, $3, 'call', $4, $5, $6, $7);

-- name: Contacts
select how, step, outcome, note, by, at from confidence.contacts where enrolment_id = $1 order by seq desc limit 500;

-- name: CoachOf
select coalesce(coach, '') from confidence.coaches where enrolment_id = $1 order by seq desc limit 1;

-- name: Assign
insert into confidence.coaches (enrolment_id, learner_id, coach, by, at) values ($1, $2, nullif($3::text, ''), $4, $5);

-- name: Coaches
select r.person_id as id, p.full_name from identity.roles r join identity.people p on p.id = r.person_id where r.role = any($1::text[])
 group by r.person_id, p.full_name order by p.full_name, r.person_id limit 500;

-- name: Number
select number from confidence.numbers where learner_id = $1;

-- name: PutNumber
insert into confidence.numbers (learner_id, number, said_at) values ($1, $2, $3) on conflict (learner_id) do update set number = $2, said_at = $3;

-- name: DropNumber
delete from confidence.numbers where learner_id = $1;

-- name: ForgetNumbers
-- Of who takes back that she may be called, wherever she said so.
delete from confidence.numbers n
 where not coalesce((select c.given from privacy.consents c where c.person_id = n.learner_id and c.purpose = $1 order by c.seq desc limit 1), false);

-- name: Effect
-- Who booked and sat within so many days ($4): of when she came to be fit, before and since somebody was first reminded or called in these sessions
-- ($1), and of when she was first reminded, held out or called. Only those whose days are over at an instant ($2), with what was known at another ($3).
with told as (
    select c.enrolment_id, c.how, c.outcome, c.at from confidence.contacts c where c.session_id = any($1::text[]) and c.at <= $2 and c.at <= $3
), begun as (
    select min(at) as at from told where outcome <> 'skipped'
), changes as (
    select c.enrolment_id, c.stage, c.at from journey.changes c
     where c.session_id = any($1::text[]) and c.stage in ('eligible', 'exam_booked', 'exam_sat') and c.reached and c.at <= $2 and c.recorded_at <= $3
), fit as (
    select enrolment_id, min(at) as at from changes where stage = 'eligible' group by enrolment_id
), arms as (
    select 'before' as arm, f.enrolment_id, f.at from fit f cross join begun b where f.at + make_interval(days => $4) <= b.at
    union all
    select 'since', f.enrolment_id, f.at from fit f cross join begun b where f.at >= b.at
    union all
    select case r.outcome when 'written' then 'reminded' else 'held_out' end, r.enrolment_id, r.at
      from (select distinct on (enrolment_id) enrolment_id, outcome, at from told where how = 'reminder' and outcome in ('written', 'held_out') order by enrolment_id, at) r
    union all
    select 'called', enrolment_id, min(at) from told where how = 'call' group by enrolment_id
)
select a.arm, count(*) as people,
       count(*) filter (where exists (select 1 from changes x where x.enrolment_id = a.enrolment_id and x.stage = 'exam_booked' and x.at >= a.at and x.at <= a.at + make_interval(days => $4))) as booked,
       count(*) filter (where exists (select 1 from changes x where x.enrolment_id = a.enrolment_id and x.stage = 'exam_sat' and x.at >= a.at and x.at <= a.at + make_interval(days => $4))) as sat
  from arms a where a.at + make_interval(days => $4) <= $2
 group by a.arm order by a.arm;
