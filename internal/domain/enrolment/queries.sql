-- name: Known
select learner_id, id from enrolment.enrolments where session_id = $1 and learner_id = any($2::text[]);

-- name: Add
insert into enrolment.enrolments (id, learner_id, session_id, opened_at)
select e.id, e.learner_id, $3, $4 from unnest($1::text[], $2::text[]) as e(id, learner_id);

-- name: CheckJourneyOpen
select e.id from enrolment.enrolments e
 where not exists (select 1 from journey.enrolments j
                    where j.enrolment_id = e.id and j.session_id = e.session_id and j.learner_id = e.learner_id);
