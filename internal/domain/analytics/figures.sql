-- name: HoldingBoth
-- How many of a session hold stages: $1 session, $2 stages, $3 ever, $4 true at, $5 known at (9999-12-31: no bound).
select coalesce(sum(n), 0)::bigint from journey.states_at(array[$1::text], $4, $5) where (case when $3::bool then ever else reached end) & $2::int = $2;

-- name: ProgramLearners
-- The members of each edition of a program, each learner once however many sessions she has there: $1 program, $2 ever, $3 true at, $4 known at
-- (9999-12-31: no bound). She started or is certified in one where the stage holds of one of the enrolments that her membership gave her.
with mine as materialized (
    select distinct m.edition_id, m.learner_id, g.enrolment_id
      from programs.programs p
      join programs.editions e on e.program_id = p.id
      join enrolment.memberships m on m.edition_id = e.id
      join enrolment.grants g on g.order_id = m.order_id
     where p.key = $1 and m.granted_at <= least($3::timestamptz, $4::timestamptz) and ($2::bool or m.revoked_at is null or m.revoked_at > least($3, $4))
), asked as (
    select array(select distinct enrolment_id from mine) as all_of
), enrolled as materialized (
    select h.* from asked a cross join lateral journey.holders(a.all_of, case when $2 then 0 else 1 end, $2, $3, $4) h
), started as materialized (
    select h.enrolment_id from asked a cross join lateral journey.holders(a.all_of, case when $2 then 2 else 3 end, $2, $3, $4) h
), certified as materialized (
    select h.enrolment_id from asked a cross join lateral journey.holders(a.all_of, case when $2 then 2048 else 2049 end, $2, $3, $4) h
), each as (
    select m.edition_id, m.learner_id, count(s.enrolment_id) > 0 as started, count(c.enrolment_id) > 0 as certified, count(distinct n.session_id) filter (where c.enrolment_id is not null) as certificates
      from mine m join enrolled n on n.enrolment_id = m.enrolment_id
      left join started s on s.enrolment_id = m.enrolment_id left join certified c on c.enrolment_id = m.enrolment_id
     group by m.edition_id, m.learner_id
)
select e.key as edition, count(*) as learners, count(*) filter (where x.started) as started, count(*) filter (where x.certified) as certified,
       count(*) filter (where x.certificates = (select count(*) from programs.edition_sessions t where t.edition_id = x.edition_id)) as certified_in_all
  from each x join programs.editions e on e.id = x.edition_id
 group by e.key, e.starts_at order by e.starts_at desc nulls last, e.key;
