-- name: AddDay
insert into workshops.days (id, session_id, title_en, title_fr, place, zone, starts_at, ends_at, capacity, currency, cost_minor, per_head_minor, state, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'planned', $13);

-- name: LockDay
select id from workshops.days where id = $1 for update;

-- name: Day
select d.id, d.session_id, s.key as session_key, d.title_en, d.title_fr, d.place, d.zone, d.starts_at, d.ends_at, d.capacity, d.currency, d.cost_minor,
       d.per_head_minor, d.state, d.held_at, d.version, r.registered, r.present
  from workshops.days d join catalog.sessions s on s.id = d.session_id
  cross join lateral (
      select count(*) as registered, count(*) filter (where a.status = 'present') as present
        from workshops.registrations r
        left join lateral (select status from workshops.attendance where day_id = r.day_id and enrolment_id = r.enrolment_id order by seq desc limit 1) a on true
       where r.day_id = d.id and r.left_at is null) r
 where d.id = $1;

-- name: Days
select d.id, d.session_id, s.key as session_key, d.title_en, d.title_fr, d.place, d.zone, d.starts_at, d.ends_at, d.capacity, d.currency, d.cost_minor,
       d.per_head_minor, d.state, d.held_at, d.version, r.registered, r.present
  from workshops.days d join catalog.sessions s on s.id = d.session_id
  cross join lateral (
      select count(*) as registered, count(*) filter (where a.status = 'present') as present
        from workshops.registrations r
        left join lateral (select status from workshops.attendance where day_id = r.day_id and enrolment_id = r.enrolment_id order by seq desc limit 1) a on true
       where r.day_id = d.id and r.left_at is null) r
 where d.session_id = $1 order by d.starts_at, d.id;

-- name: EditDay
update workshops.days
   set title_en = $2, title_fr = $3, place = $4, zone = $5, starts_at = $6, ends_at = $7, capacity = $8, currency = $9, cost_minor = $10,
       per_head_minor = $11, version = version + 1
 where id = $1;

-- name: MoveDay
update workshops.days set state = $2, held_at = $3, version = version + 1 where id = $1;

-- name: HasSeat
select exists (select 1 from workshops.registrations where day_id = $1 and enrolment_id = $2 and left_at is null);

-- name: Register
insert into workshops.registrations (id, day_id, enrolment_id, learner_id, registered_at, registered_by) values ($1, $2, $3, $4, $5, $6);

-- name: Leave
update workshops.registrations set left_at = $4 where day_id = $1 and enrolment_id = $2 and ($3 = '' or learner_id = $3) and left_at is null;

-- name: Sheet
select r.enrolment_id, r.learner_id, p.full_name, coalesce(a.status, '') as status, coalesce(n.corrections, 0) as corrections,
       (select grade_ppm from workshops.productions where enrolment_id = r.enrolment_id order by seq desc limit 1) as production_ppm
  from workshops.registrations r join identity.people p on p.id = r.learner_id
  left join lateral (select status from workshops.attendance where day_id = r.day_id and enrolment_id = r.enrolment_id order by seq desc limit 1) a on true
  left join lateral (select greatest(count(*) - 1, 0) as corrections from workshops.attendance where day_id = r.day_id and enrolment_id = r.enrolment_id) n on true
 where r.day_id = $1 and r.left_at is null order by lower(p.full_name), r.enrolment_id;

-- name: Candidates
select e.id as enrolment_id, e.learner_id, p.full_name, '' as status, 0 as corrections, null::int as production_ppm
  from workshops.days d join enrolment.enrolments e on e.session_id = d.session_id join identity.people p on p.id = e.learner_id
  join journey.enrolments j on j.enrolment_id = e.id and j.reached & 1 <> 0
 where d.id = $1 and not exists (select 1 from workshops.registrations r where r.day_id = d.id and r.enrolment_id = e.id and r.left_at is null)
 order by lower(p.full_name), e.id limit 500;

-- name: SeatsOf
select r.enrolment_id, r.day_id from workshops.registrations r join workshops.days d on d.id = r.day_id
 where r.enrolment_id = any($1::text[]) and r.left_at is null order by d.starts_at, d.id;

-- name: Attend
insert into workshops.attendance (day_id, enrolment_id, learner_id, status, recorded_by, recorded_at)
select $1, m.enrolment_id, m.learner_id, m.status, $5, $6
  from unnest($2::text[], $3::text[], $4::text[]) with ordinality as m(enrolment_id, learner_id, status, n) order by m.n;

-- name: Produce
insert into workshops.productions (session_id, enrolment_id, learner_id, grade_ppm, note, recorded_by, recorded_at)
select $1::text, $2::text, $3::text, $4::int, $5::text, $6::text, $7::timestamptz
 where not exists (select 1 from (select grade_ppm, note from workshops.productions where enrolment_id = $2 order by seq desc limit 1) last
                    where last.grade_ppm = $4 and last.note = $5);

-- name: LastCosting
select number, total_minor, currency, enrolments, shares from workshops.costings where day_id = $1 order by number desc limit 1;

-- name: AddCosting
insert into workshops.costings (day_id, number, total_minor, currency, enrolments, shares, recorded_by, recorded_at) values ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: Completion
select e.id as enrolment_id, s.min_days, s.production_ppm as needs_ppm,
       (select count(*) from workshops.days d where d.session_id = e.session_id and d.state <> 'canceled') as days,
       (select count(*) from workshops.days d
         cross join lateral (select status from workshops.attendance where day_id = d.id and enrolment_id = e.id order by seq desc limit 1) a
         where d.session_id = e.session_id and d.state <> 'canceled' and a.status = 'present') as attended,
       (select grade_ppm from workshops.productions where enrolment_id = e.id order by seq desc limit 1) as production_ppm
  from enrolment.enrolments e join catalog.sessions s on s.id = e.session_id
 where e.id = any($1::text[]);

-- name: CheckSeats
select d.id, d.capacity, count(*) as taken from workshops.days d join workshops.registrations r on r.day_id = d.id and r.left_at is null
 group by d.id, d.capacity having count(*) > d.capacity;

-- name: CheckCostInLedger
select d.id, coalesce(c.total_minor, 0) as noted, coalesce(l.minor, 0) as posted
  from workshops.days d
  left join lateral (select total_minor from workshops.costings where day_id = d.id order by number desc limit 1) c on true
  left join lateral (select sum(e.minor)::bigint as minor
                       from workshops.costings n
                       join ledger.transactions t on t.reference in (n.day_id || ':cost:' || n.number, n.day_id || ':cost:' || n.number || ':back')
                       join ledger.entries e on e.transaction_id = t.id and e.account = 'cost:workshop'
                      where n.day_id = d.id) l on true
 where coalesce(c.total_minor, 0) <> coalesce(l.minor, 0);

-- name: CheckShares
select day_id, number from workshops.costings where total_minor <> coalesce((select sum(x) from unnest(shares) as x), 0);

-- name: CheckCostByRule
select d.id, c.total_minor, d.cost_minor + d.per_head_minor * p.present as should_be
  from workshops.days d
  left join lateral (select total_minor from workshops.costings where day_id = d.id order by number desc limit 1) c on true
  cross join lateral (
      select count(*) filter (where a.status = 'present') as present
        from workshops.registrations r
        left join lateral (select status from workshops.attendance where day_id = r.day_id and enrolment_id = r.enrolment_id order by seq desc limit 1) a on true
       where r.day_id = d.id and r.left_at is null) p
 where d.state = 'held' and coalesce(c.total_minor, -1) <> d.cost_minor + d.per_head_minor * p.present;

-- name: CheckAttendance
select a.day_id, a.enrolment_id from workshops.attendance a join workshops.days d on d.id = a.day_id join enrolment.enrolments e on e.id = a.enrolment_id
 where e.session_id <> d.session_id;
