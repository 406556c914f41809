-- name: Add
insert into exams.sittings (id, enrolment_id, learner_id, session_id, attempt, state, eligibility, booked_at)
values ($1, $2, $3, $4, $5, 'booked', $6, $7);

-- name: One
select id, enrolment_id, learner_id, session_id, attempt, state, score_ppm, reference, booked_at, result_at from exams.sittings where id = $1;

-- name: OfEnrolment
select id, enrolment_id, learner_id, session_id, attempt, state, score_ppm, reference, booked_at, result_at
  from exams.sittings where enrolment_id = $1 order by attempt desc;

-- name: Result
update exams.sittings set state = $2, score_ppm = $3, reference = $4, result_at = $5 where id = $1;

-- name: CheckEligible
select id, enrolment_id from exams.sittings where eligibility -> 'eligible' is distinct from 'true'::jsonb;

-- name: CheckPassed
select s.id, s.enrolment_id from exams.sittings s join journey.enrolments j on j.enrolment_id = s.enrolment_id
 where s.state = 'passed' and j.ever & 1024 = 0;
