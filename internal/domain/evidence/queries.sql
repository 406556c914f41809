-- name: Terms
-- An order without a row is a consumer's who asked for nothing.
select coalesce(t.withdrawal, 'consumer') as withdrawal, coalesce(t.begin_now, false) as begin_now, coalesce(t.agreed_at, o.placed_at) as agreed_at
  from sales.orders o left join sales.terms t on t.order_id = o.id where o.id = $1;

-- name: Payments
select id, coalesce(intent_id, '') as intent, method, captured_minor as minor, captured_currency as currency, captured_at
  from payments.payments where order_id = $1 and captured_at is not null order by captured_at, id;

-- name: Learnt
-- What the buyer and those whom the order enrolled did: when they signed in, what they reached, when a report first had a score of an exercise, exams and
-- certificates. The last 2,000 of it.
with mine as (
    select distinct p.enrolment_id, e.learner_id, s.key
      from sales.parts p join enrolment.enrolments e on e.id = p.enrolment_id join catalog.sessions s on s.id = e.session_id where p.order_id = $1
)
select at, what, detail from (
    select at, rank, what, detail from (
        select t.created_at as at, 1 as rank, 'signed_in' as what, p.full_name as detail
          from identity.tokens t join identity.people p on p.id = t.person_id
         where t.kind = 'browser' and (t.person_id = $2 or t.person_id in (select learner_id from mine))
        union all
        select c.at, 3, 'stage_' || c.stage, m.key from journey.changes c join mine m on m.enrolment_id = c.enrolment_id
         where c.reached and c.stage in ('enrolled', 'started', 'week2_first', 'succeeded', 'eligible')
        union all
        select min(c.at), 2, 'worked', m.key || ' · ' || l.label
          from gradebook.cells c join mine m on m.enrolment_id = c.enrolment_id join gradebook.columns l on l.id = c.column_id
         where l.kind = 'exercise' and c.value >= 0 group by m.key, l.label
        union all
        select x.booked_at, 4, 'exam_booked', m.key from exams.sittings x join mine m on m.enrolment_id = x.enrolment_id and x.kind = 'proctored'
        union all
        select x.result_at, 5, 'exam_' || x.state, m.key from exams.sittings x join mine m on m.enrolment_id = x.enrolment_id where x.kind = 'proctored' and x.result_at is not null
        union all
        select c.issued_at, 6, 'certified', m.key from certificates.certificates c join mine m on m.enrolment_id = c.enrolment_id
        union all
        select c.revoked_at, 7, 'certificate_revoked', m.key from certificates.certificates c join mine m on m.enrolment_id = c.enrolment_id where c.revoked_at is not null
    ) all_of_it order by at desc, rank desc limit 2000
) last_of_it order by at, rank, what, detail;

-- name: Certificates
select c.id, c.code, s.key as session, c.issued_at, c.revoked_at
  from certificates.certificates c join catalog.sessions s on s.id = c.session_id
 where c.enrolment_id in (select p.enrolment_id from sales.parts p where p.order_id = $1) order by c.issued_at, c.id;
