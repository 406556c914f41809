-- name: Ways
with mine as (
    select distinct on (m.edition_id) m.edition_id, m.granted_at, m.id
      from enrolment.memberships m join programs.editions e on e.id = m.edition_id
     where m.learner_id = $1 and m.revoked_at is null
       and not exists (select 1 from enrolment.grants g where g.order_id = m.order_id and g.revoked_at is null and g.hold = 'all')
       and not exists (select 1 from enrolment.grants g join enrolment.enrolments x on x.id = g.enrolment_id
                        where g.order_id = m.order_id and x.learner_id = m.learner_id and g.revoked_at is null and g.suspended) and ($2::text = '' or e.id = $2 or e.key = $2)
     order by m.edition_id, m.granted_at desc, m.id desc
)
select json_build_object(
           'id', e.id, 'key', e.key, 'program_id', e.program_id, 'program', p.key, 'program_version', e.version_number,
           'title', json_build_object('en', e.title_en, 'fr', e.title_fr), 'lang', e.lang, 'partner', e.partner, 'capacity', e.capacity,
           'starts_at', e.starts_at, 'ends_at', e.ends_at, 'enrol_from', e.enrol_from, 'enrol_until', e.enrol_until, 'publication', e.state,
           'version', e.version, 'promised', e.published_at is not null,
           'sessions', (
               select coalesce(json_agg(json_build_object('course', c.key, 'session_id', k.session_id, 'session', s.key, 'opening', k.opening,
                                                          'opens_at', k.opens_at, 'starts_at', s.starts_at, 'ends_at', s.ends_at)
                                        order by o.position nulls last, c.key), '[]')
                 from programs.edition_sessions k
                 join catalog.sessions s on s.id = k.session_id
                 join catalog.courses c on c.id = k.course_id
                 left join programs.version_courses o on o.program_id = e.program_id and o.number = e.version_number and o.course_id = k.course_id
                where k.edition_id = e.id)) as edition,
       v.published_at,
       case when row_number() over (order by mine.granted_at desc, mine.id desc) = 1
            then (select coalesce(json_agg(f), '[]') from paths.facts f where f.learner_id = $1) end as facts
  from mine
  join programs.editions e on e.id = mine.edition_id
  join programs.programs p on p.id = e.program_id
  join programs.versions v on v.program_id = e.program_id and v.number = e.version_number
 order by mine.granted_at desc, mine.id desc;

-- name: Facts
select learner_id, session_id, session_key, course_key, opened_at, reached, succeeded_at, grade, attended, production_ppm
  from paths.facts where learner_id = any($1::text[]);

-- name: OpenOtherwise
select e.session_id from enrolment.enrolments e
 where e.learner_id = $1
   and (not exists (select 1 from enrolment.grants g where g.enrolment_id = e.id)
        or exists (select 1 from enrolment.grants g where g.enrolment_id = e.id and g.revoked_at is null and g.hold is distinct from 'all' and not g.suspended
                    and not exists (select 1 from enrolment.memberships m where m.order_id = g.order_id)));

-- name: CheckSoldVersion
select m.id, m.version as sold, e.version_number as followed from enrolment.memberships m join programs.editions e on e.id = m.edition_id
 where m.version <> e.version_number;
