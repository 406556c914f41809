-- name: Enrolments
select e.id, e.learner_id, e.session_id, s.key as session_key, c.key as course_key, e.opened_at
  from enrolment.enrolments e
  join catalog.sessions s on s.id = e.session_id
  join catalog.courses c on c.id = s.course_id
 where e.learner_id = any($1::text[]);

-- name: OpenOtherwise
select e.session_id from enrolment.enrolments e
 where e.learner_id = $1
   and (not exists (select 1 from enrolment.grants g where g.enrolment_id = e.id)
        or exists (select 1 from enrolment.grants g where g.enrolment_id = e.id and g.revoked_at is null
                    and not exists (select 1 from enrolment.memberships m where m.order_id = g.order_id)));

-- name: CheckSoldVersion
select m.id, m.version as sold, e.version_number as followed from enrolment.memberships m join programs.editions e on e.id = m.edition_id
 where m.version <> e.version_number;
