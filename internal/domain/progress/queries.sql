-- name: SeatsOfOrder
-- What the seats of an order of an organisation are for, and what the first of it is called.
select distinct on (coalesce(l.session_id, l.edition_id)) o.organisation, coalesce(l.session_id, l.edition_id) as thing,
       coalesce(e.title_en, s.title_en) as title_en, coalesce(e.title_fr, s.title_fr) as title_fr
  from sales.orders o join sales.lines l on l.order_id = o.id
  left join catalog.sessions s on s.id = l.session_id
  left join programs.editions e on e.id = l.edition_id
 where o.id = $1 and o.organisation is not null
 order by coalesce(l.session_id, l.edition_id), l.line;

-- name: Sessions
-- What a group follows: sessions, and those of editions, with the day from which its weeks count.
select s.id, coalesce(k.edition_id, s.id) as thing, s.key, s.title_en, s.title_fr, s.threshold_ppm, s.ends_at,
       greatest(s.starts_at, e.starts_at, k.opens_at, case when k.opening = 'monthly' then e.starts_at + make_interval(months => k.nth - 1) end) as begins_at
  from catalog.sessions s
  left join (select x.*, row_number() over (partition by x.edition_id, x.opening order by o.position nulls last, x.session_id)::int as nth
               from programs.edition_sessions x join programs.editions y on y.id = x.edition_id
               left join programs.version_courses o on o.program_id = y.program_id and o.number = y.version_number and o.course_id = x.course_id
              where x.edition_id = any($1::text[])) k on k.session_id = s.id
  left join programs.editions e on e.id = k.edition_id
 where s.id = any($1::text[]) or k.edition_id is not null
 order by begins_at nulls last, s.key, thing;

-- name: Members
select m.id, m.thing_id as thing, m.student_key, coalesce(nullif(concat_ws(' ', m.given_name, m.family_name), ''), p.full_name, '') as name, m.state,
       coalesce(m.person_id, '') as person_id, m.enrolled_at as since
  from cohorts.members m left join identity.people p on p.id = m.person_id
 where m.cohort_id = $1 and m.id > $2
union all
select s.id, coalesce(l.session_id, l.edition_id), s.line || '-' || s.seat, coalesce(p.full_name, nullif(s.name, ''), s.email, ''),
       case s.state when 'claimed' then 'enrolled' when 'reserved' then 'waiting' else 'suspended' end, coalesce(s.person_id, ''), s.claimed_at
  from sales.seats s join sales.lines l on l.order_id = s.order_id and l.line = s.line left join identity.people p on p.id = s.person_id
 where s.order_id = $1 and s.id > $2 and s.state in ('reserved', 'claimed', 'returning')
 order by 1 limit $3;

-- name: Facts
with asked as (
    select s.id as session_id, (select least($4::timestamptz, max(c.collected_at)) from gradebook.collections c where c.session_id = s.id having count(*) > 0) - s.begins_at as since
      from unnest($2::text[], $3::timestamptz[]) as s(id, begins_at) -- without a report no week is judged
), mine as (
    select e.id, e.learner_id, e.session_id, a.since from enrolment.enrolments e join asked a on a.session_id = e.session_id where e.learner_id = any($1::text[])
), weeks as (
    select m.id, x.week, bool_or(coalesce(c.value, -1) >= 0) as did
      from mine m
      join catalog.exercises x on x.session_id = m.session_id and x.scored and x.week > 0 and make_interval(days => 7 * x.week) <= m.since
      left join gradebook.columns k on k.session_id = m.session_id and k.kind = 'exercise' and k.label = x.label
      left join lateral (select c.value from gradebook.cells c where c.enrolment_id = m.id and c.column_id = k.id order by c.at desc, c.seq desc limit 1) c on true
     group by m.id, x.week
)
select m.learner_id, m.session_id, coalesce(j.reached, 0) as reached, coalesce(g.value, b.zero) as grade, coalesce(w.over, 0) as weeks_over, coalesce(w.did, 0) as weeks_did,
       coalesce(t.state, '') as exam, d.code, d.issued_at
  from mine m
  left join journey.enrolments j on j.enrolment_id = m.id
  left join lateral (select c.value from gradebook.cells c join gradebook.columns k on k.id = c.column_id and k.kind = 'grade'
                      where c.enrolment_id = m.id order by c.at desc, c.seq desc limit 1) g on true
  left join (select enrolment_id, 0::bigint as zero from gradebook.members) b on b.enrolment_id = m.id -- in a report, and no grade was ever another one
  left join (select id, count(*)::int as over, (count(*) filter (where did))::int as did from weeks group by id) w on w.id = m.id
  left join lateral (select case x.state when 'withheld' then 'booked' else x.state end as state from exams.sittings x -- a result that nobody is told
                      where x.enrolment_id = m.id and x.kind = 'proctored' and x.state <> 'canceled' order by x.attempt desc limit 1) t on true
  left join certificates.certificates d on d.enrolment_id = m.id and d.stage = 'exam_passed' and d.revoked_at is null and d.replaced_at is null;

-- name: FactsAt
-- What was so at $4, as it was known then: the same question has the same answer for ever. Grades, sittings and papers are left out.
with asked as (
    select s.id as session_id, s.begins_at,
           (select max(c.collected_at) from gradebook.collections c where c.session_id = s.id and c.collected_at <= $4::timestamptz and c.recorded_at <= $4) as last
      from unnest($2::text[], $3::timestamptz[]) as s(id, begins_at)
), mine as (
    select e.id, e.learner_id, e.session_id, a.last - a.begins_at as since
      from enrolment.enrolments e join asked a on a.session_id = e.session_id where e.learner_id = any($1::text[]) and a.begins_at <= $4
), held as (
    select distinct on (c.enrolment_id, c.stage) c.enrolment_id, c.stage, c.reached
      from journey.changes c where c.enrolment_id in (select id from mine) and c.at <= $4 and c.recorded_at <= $4
     order by c.enrolment_id, c.stage, c.at desc, c.seq desc
), states as (
    select h.enrolment_id, bit_or(1 << s.bit) as reached from held h join journey.stages s on s.stage = h.stage where h.reached group by h.enrolment_id
), weeks as (
    select m.id, x.week, bool_or(coalesce(c.value, -1) >= 0) as did
      from mine m
      join catalog.exercises x on x.session_id = m.session_id and x.scored and x.week > 0 and make_interval(days => 7 * x.week) <= m.since
      left join gradebook.columns k on k.session_id = m.session_id and k.kind = 'exercise' and k.label = x.label
      left join lateral (select c.value from gradebook.cells c where c.enrolment_id = m.id and c.column_id = k.id and c.at <= $4
                            and exists (select 1 from gradebook.collections r where r.session_id = m.session_id and r.collected_at = c.at and r.recorded_at <= $4)
                          order by c.at desc, c.seq desc limit 1) c on true
     group by m.id, x.week
)
select m.learner_id, m.session_id, s.reached, coalesce(w.over, 0) as weeks_over, coalesce(w.did, 0) as weeks_did
  from mine m
  join states s on s.enrolment_id = m.id and s.reached & 1 <> 0
  left join (select id, count(*)::int as over, (count(*) filter (where did))::int as did from weeks group by id) w on w.id = m.id;

-- name: PutReader
insert into progress.readers (group_id, person_id, wanted, changed_at) values ($1, $2, $3, $4)
on conflict (group_id, person_id) do update set wanted = $3, changed_at = $4;

-- name: Reads
select exists (select 1 from progress.readers where group_id = $1 and person_id = $2 and wanted);

-- name: GroupsToTell
-- Groups of which somebody wanted the digest before the week was over, and has none of it.
select distinct r.group_id from progress.readers r
 where r.wanted and r.changed_at < $2 and not exists (select 1 from progress.digests d where d.group_id = r.group_id and d.person_id = r.person_id and d.week = $1::date)
 order by r.group_id;

-- name: Readers
select person_id from progress.readers r
 where r.group_id = $1 and r.wanted and r.changed_at < $3
   and not exists (select 1 from progress.digests d where d.group_id = r.group_id and d.person_id = r.person_id and d.week = $2::date)
 order by person_id;

-- name: AddDigest
insert into progress.digests (id, group_id, person_id, week, state, made_at) values ($1, $2, $3, $4::date, 'waiting', $5)
on conflict on constraint digest_once do nothing;

-- name: Mailing
select d.id, d.group_id, d.person_id, d.week, d.state, r.wanted, coalesce(p.email, '') as email, p.full_name, p.lang
  from progress.digests d join progress.readers r on r.group_id = d.group_id and r.person_id = d.person_id join identity.people p on p.id = d.person_id
 where d.id = $1 for update of d;

-- name: MailOfLink
select d.id, d.group_id, d.person_id, d.week, d.state, r.wanted, coalesce(p.email, '') as email, p.full_name, p.lang
  from progress.digests d join progress.readers r on r.group_id = d.group_id and r.person_id = d.person_id join identity.people p on p.id = d.person_id
 where d.id = $1;

-- name: TryDigest
update progress.digests set state = 'sending', tries = tries + 1, tried_at = $2 where id = $1;

-- name: EndDigest
update progress.digests set state = $2, ended_at = $3 where id = $1 and state in ('waiting', 'sending', 'uncertain');

-- name: WaitDigest
update progress.digests set state = 'waiting' where id = $1 and state = 'sending';

-- name: CheckDigests
-- Nobody is mailed who had said no.
select d.id from progress.digests d join progress.readers r on r.group_id = d.group_id and r.person_id = d.person_id
 where not r.wanted and d.tried_at > r.changed_at;

-- name: Followers
-- Who follows somebody, and in what: her schools, and companies on whose seats she sits.
with things as (
    select m.organisation, m.thing_id as thing from cohorts.members m where m.person_id = $1 and m.state in ('waiting', 'enrolled', 'suspended')
    union
    select o.organisation, coalesce(l.session_id, l.edition_id) from sales.seats s
      join sales.lines l on l.order_id = s.order_id and l.line = s.line join sales.orders o on o.id = s.order_id
     where s.person_id = $1 and s.state in ('claimed', 'returning') and o.organisation is not null
)
select g.name as school, coalesce(e.key, '') as edition,
       array(select s.key from catalog.sessions s where s.id = t.thing or s.id in (select x.session_id from programs.edition_sessions x where x.edition_id = t.thing) order by s.key) as sessions
  from things t join identity.organisations g on g.key = t.organisation left join programs.editions e on e.id = t.thing
 order by g.name, t.thing;

-- name: GroupsOf
-- The groups of an organisation that its people follow: cohorts, and orders with seats.
select id from cohorts.cohorts where organisation = $1
union all
select id from sales.orders where organisation = $1 and exists (select 1 from sales.seats s where s.order_id = orders.id)
order by id;
