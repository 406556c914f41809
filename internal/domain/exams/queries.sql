-- name: Exams
select id, session_id, kind, title_en, title_fr, opens_at, closes_at, grade_ppm, diligence, identity, practice, prerequisites, max_attempts, wait_days,
       limit_minutes, pass_ppm, cancel_hours, offer_hours, appeal_days, provider, version
  from exams.exams where session_id = $1 order by kind;

-- name: PutExam
insert into exams.exams (id, session_id, kind, title_en, title_fr, opens_at, closes_at, grade_ppm, diligence, identity, practice, prerequisites, max_attempts,
                         wait_days, limit_minutes, pass_ppm, cancel_hours, offer_hours, appeal_days, provider, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
on conflict on constraint one_exam_per_kind do update
   set title_en = excluded.title_en, title_fr = excluded.title_fr, opens_at = excluded.opens_at, closes_at = excluded.closes_at, grade_ppm = excluded.grade_ppm,
       diligence = excluded.diligence, identity = excluded.identity, practice = excluded.practice, prerequisites = excluded.prerequisites,
       max_attempts = excluded.max_attempts, wait_days = excluded.wait_days, limit_minutes = excluded.limit_minutes, pass_ppm = excluded.pass_ppm,
       cancel_hours = excluded.cancel_hours, offer_hours = excluded.offer_hours, appeal_days = excluded.appeal_days, provider = excluded.provider,
       version = exams.exams.version + 1;

-- name: UnknownCourses
select k from unnest($1::text[]) as k where not exists (select 1 from catalog.courses c where c.key = k) order by k;

-- name: Facts
select e.id as enrolment_id, exams.disputed(e.id) as disputed, coalesce(b.blocked, false) as blocked, b.until as blocked_until,
       case when i.verified then i.valid_until end as identity_until, coalesce(f.followed, '{}') as followed,
       exists (select 1 from exams.sittings p where p.enrolment_id = e.id and p.kind = 'practice' and p.state in ('passed', 'failed')) as practised,
       t.taken, t.last_result, t.passed
  from enrolment.enrolments e
  left join lateral (select blocked, until from exams.blocks where enrolment_id = e.id order by seq desc limit 1) b on true
  left join lateral (select verified, valid_until from exams.identity_checks where learner_id = e.learner_id order by seq desc limit 1) i on true
  left join lateral (
      select array_agg(distinct c.key) as followed
        from enrolment.enrolments o join catalog.sessions s on s.id = o.session_id join catalog.courses c on c.id = s.course_id
        join journey.enrolments j on j.enrolment_id = o.id and j.reached & 64 <> 0
       where o.learner_id = e.learner_id) f on true
  cross join lateral (
      select count(*) as taken, max(x.result_at) as last_result, coalesce(bool_or(x.state = 'passed'), false) as passed
        from exams.sittings x where x.enrolment_id = e.id and x.kind = $2 and x.state in ('passed', 'failed', 'no_show')) t
 where e.id = any($1::text[]);

-- name: Stirs
select exists (select 1 from exams.decisions where enrolment_id = $1)
    or exists (select 1 from journey.enrolments where enrolment_id = $1 and reached & (64 | 128) <> 0)
    or exists (select 1 from exams.exams x join enrolment.enrolments e on e.session_id = x.session_id where e.id = $1);

-- name: DecidedOfSession
select distinct d.enrolment_id from exams.decisions d join enrolment.enrolments e on e.id = d.enrolment_id where e.session_id = $1 order by 1;

-- name: DueDecisions
-- Only the last decision of an exam counts; one that is decided anew has another time.
select distinct d.enrolment_id from exams.decisions d
 where d.review_at <= $1
   and not exists (select 1 from exams.decisions l where l.enrolment_id = d.enrolment_id and l.kind = d.kind and l.seq > d.seq)
 order by 1 limit $2;

-- name: KeepDecisions
insert into exams.decisions (enrolment_id, learner_id, kind, eligible, marks, conditions, review_at, cause, decided_at)
select d.enrolment_id, d.learner_id, d.kind, d.eligible::boolean, d.marks, d.conditions::jsonb, d.review_at::timestamptz, $8, $9
  from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
       as d(enrolment_id, learner_id, kind, eligible, marks, conditions, review_at)
  left join lateral (select marks, review_at from exams.decisions l where l.enrolment_id = d.enrolment_id and l.kind = d.kind order by seq desc limit 1) l on true
 where d.marks is distinct from l.marks or d.review_at::timestamptz is distinct from l.review_at;

-- name: Decisions
select seq, kind, eligible, conditions, cause, decided_at from exams.decisions where enrolment_id = $1 order by seq desc limit 500;

-- name: CheckIdentity
insert into exams.identity_checks (learner_id, method, verified, valid_until, note, recorded_by, recorded_at) values ($1, $2, $3, $4, $5, $6, $7);

-- name: IdentityChecks
select method, verified, valid_until, note, recorded_by, recorded_at from exams.identity_checks where learner_id = $1 order by seq desc limit 100;

-- name: Block
insert into exams.blocks (enrolment_id, learner_id, blocked, until, reason, recorded_by, recorded_at) values ($1, $2, $3, $4, $5, $6, $7);

-- name: Blocks
select blocked, until, reason, recorded_by, recorded_at from exams.blocks where enrolment_id = $1 order by seq desc limit 100;

-- name: Accommodate
insert into exams.accommodations (enrolment_id, learner_id, extra_minutes, percent, reason, recorded_by, recorded_at) values ($1, $2, $3, $4, $5, $6, $7);

-- name: Accommodations
select extra_minutes, percent, reason, recorded_by, recorded_at from exams.accommodations where enrolment_id = $1 order by seq desc limit 100;

-- name: Add
insert into exams.sittings (id, enrolment_id, learner_id, session_id, kind, attempt, state, eligibility, booked_at)
values ($1, $2, $3, $4, $5, $6, 'booked', $7, $8);

-- name: One
select id, enrolment_id, learner_id, session_id, kind, attempt, state, score_ppm, reference, booked_at, result_at from exams.sittings where id = $1;

-- name: OfEnrolment
select id, enrolment_id, learner_id, session_id, kind, attempt, state, score_ppm, reference, booked_at, result_at
  from exams.sittings where enrolment_id = $1 and kind = $2 order by attempt desc;

-- name: AllOfEnrolment
select id, enrolment_id, learner_id, session_id, kind, attempt, state, score_ppm, reference, booked_at, result_at
  from exams.sittings where enrolment_id = $1 order by booked_at desc, id desc;

-- name: Result
update exams.sittings set state = $2, score_ppm = $3, reference = $4, result_at = $5 where id = $1;

-- name: CheckEligible
select id, enrolment_id from exams.sittings where eligibility -> 'eligible' is distinct from 'true'::jsonb;

-- name: CheckPassed
select s.id, s.enrolment_id from exams.sittings s join journey.enrolments j on j.enrolment_id = s.enrolment_id
 where s.state = 'passed' and s.kind = 'proctored' and j.ever & 1024 = 0;
