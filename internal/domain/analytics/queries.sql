-- name: Learners
select e.id, e.learner_id, p.full_name from enrolment.enrolments e join identity.people p on p.id = e.learner_id where e.id = any($1::text[]);

-- name: Cube
-- People and money joined on the enrolment. Each enrolment is in one cell of every dimension, and of the currencies in that in which it paid first; who
-- paid in another too, or was a cost there, is in rows of their own beside it (standing), which add no people. Money without an enrolment (seats that
-- nobody claimed yet, or that came before it was opened) has a cell without people. Everybody is in the sums of the journey; whoever has money or a grant
-- is taken out of those, and put where her money is, by the totals. $1 ever, $2 true at (9999-12-31:
-- now), $3 the diligent, $4 whose money: all, paying (who has a paid formula), states (who has the stages $8, which the cells alone know), $5 dimensions,
-- $6 sessions (null: all, and money of none), $7 people with a paid formula alone, $8 stages.
with asked as materialized (
    select 'month' = any($5::text[]) as by_month, 'session' = any($5::text[]) as by_session, 'offer' = any($5::text[]) as by_offer, 'program' = any($5::text[]) as by_program,
           'edition' = any($5::text[]) as by_edition, 'partner' = any($5::text[]) as by_partner, 'country' = any($5::text[]) as by_country
), both_sides as (
    select t.session_id, t.joined, t.offer_id, t.edition_id, t.partner, t.country, t.currency, t.paying, case when t.standing in ('paid', 'cost') then t.standing else '' end as standing, t.enrolled, t.started,
           case $3::int when 36 then diligent_first when 40 then diligent_all when 48 then diligent_any else diligent_none end as diligent,
           t.succeeded, t.eligible, t.booked, t.sat, t.passed, t.certified, $4::text = 'all' or $4 = 'paying' and t.paying as taken, t.n, t.gross, t.refunds, t.disputes, t.fees, t.costs
      from analytics.totals_at($6, $2, $1) t
    union all
    select c.session_id, c.joined, c.offer_id, c.edition_id, c.partner, c.country, c.currency, true, case when c.standing in ('paid', 'cost') then c.standing else '' end, 0, 0, 0, 0, 0, 0, 0, 0, 0, true, c.n, c.gross, c.refunds, c.disputes, c.fees, c.costs
      from analytics.cells_at($6, $2) c where $4 = 'states' and case when $1::bool then c.ever else c.reached end & $8::int = $8
), chosen as materialized (
    select case when a.by_month then t.joined else '-infinity' end as month, case when a.by_session then t.session_id else '' end as session_id,
           case when a.by_offer then t.offer_id else '' end as offer, case when a.by_program then coalesce(e.program_id, '') else '' end as program_id,
           case when a.by_edition then t.edition_id else '' end as edition_id, case when a.by_partner then t.partner else '' end as partner,
           case when a.by_country then t.country else '' end as country, t.currency, t.paying, t.standing, t.enrolled, t.started, t.diligent, t.succeeded, t.eligible, t.booked, t.sat, t.passed,
           t.certified, t.taken, t.n, t.gross, t.refunds, t.disputes, t.fees, t.costs
      from asked a cross join both_sides t left join programs.editions e on e.id = t.edition_id
), rest as ( -- whoever has no money and no grant, who differs by month and session alone
    select month, session_id, platform.total(enrolled) as enrolled, platform.total(started) as started, platform.total(diligent) as diligent, platform.total(succeeded) as succeeded,
           platform.total(eligible) as eligible, platform.total(booked) as booked, platform.total(sat) as sat, platform.total(passed) as passed, platform.total(certified) as certified,
           platform.total(enrolled) filter (where paying) as paying
      from (select case when a.by_month then h.joined else '-infinity' end as month, case when a.by_session then h.session_id else '' end as session_id, h.paying, h.enrolled, h.started,
                   case $3::int when 36 then diligent_first when 40 then diligent_all when 48 then diligent_any else diligent_none end as diligent,
                   h.succeeded, h.eligible, h.booked, h.sat, h.passed, h.certified
              from asked a cross join journey.headcounts_at($6, $2, $1) h
            union all
            select month, session_id, paying, -enrolled, -started, -diligent, -succeeded, -eligible, -booked, -sat, -passed, -certified from chosen where standing = '') h
     where h.paying or not $7::bool
     group by month, session_id
), parts as (
    select month, session_id, '' as offer, '' as program_id, '' as edition_id, '' as partner, '' as country, '' as currency, '' as standing, enrolled, started, diligent, succeeded, eligible, booked, sat,
           passed, certified, paying, 0::bigint as n, 0::bigint as gross, 0::bigint as refunds, 0::bigint as disputes, 0::bigint as fees, 0::bigint as costs
      from rest
    union all
    select month, session_id, offer, program_id, edition_id, partner, country, currency, standing, enrolled, started, diligent, succeeded, eligible, booked, sat, passed, certified,
           case when paying then enrolled else 0 end, case when taken and currency <> '' then n else 0 end, case when taken then gross else 0 end, case when taken then refunds else 0 end,
           case when taken then disputes else 0 end, case when taken then fees else 0 end, case when taken then costs else 0 end
      from chosen where paying or not $7
), summed as (
    select month, session_id, offer, program_id, edition_id, partner, country, currency, standing,
           array[platform.total(enrolled), platform.total(started), platform.total(diligent), platform.total(succeeded), platform.total(eligible), platform.total(booked), platform.total(sat),
                 platform.total(passed), platform.total(certified), platform.total(paying), platform.total(gross), platform.total(refunds), platform.total(disputes), platform.total(fees),
                 platform.total(costs)] as sums
      from parts group by month, session_id, offer, program_id, edition_id, partner, country, currency, standing having platform.total(enrolled) > 0 or platform.total(n) > 0
)
select case when m.month > '-infinity' then left(m.month::text, 7) else '' end as month, coalesce(s.key, '') as session, m.offer, coalesce(g.key, '') as program,
       coalesce(e.key, '') as edition, m.partner, m.country, m.currency, m.standing, m.sums
  from summed m
  left join catalog.sessions s on s.id = m.session_id
  left join programs.programs g on g.id = m.program_id
  left join programs.editions e on e.id = m.edition_id
 order by m.month, session, m.offer, program, edition, m.partner, m.country, m.currency, m.standing;

-- name: Offers
select o.id, o.formula, coalesce(s.key, e.key, '') as of_key, o.price_minor, o.currency
  from offers.offers o left join catalog.sessions s on s.id = o.session_id left join programs.editions e on e.id = o.edition_id
 where o.id = any($1::text[]);

-- name: LockSums
select pg_advisory_xact_lock(hashtextextended('analytics.cells', 0));

-- name: SumUp
-- What so many touches name goes into the sums as all that is written says, in the place of what is in them. What is touched while this runs is
-- touched still when it is done.
with taken as (
    delete from platform.touched where ctid = any(array(select ctid from platform.touched limit $1)) returning id
), asked as materialized (
    select array(select id from taken union select g.enrolment_id from taken t join enrolment.grants g on g.order_id = t.id) as ids
), fresh as materialized (
    select s.* from asked a cross join lateral analytics.steps_of(a.ids) s
), stale as (
    delete from analytics.steps where id = any((select ids from asked)::text[]) returning *
), written as (
    insert into analytics.steps select * from fresh
), turned as (
    select f.*, 1 as sign from fresh f
    union all
    select s.*, -1 from stale s
), cells as (
    insert into analytics.cells as c (grain, since, session_id, joined, offer_id, edition_id, partner, country, currency, reached, ever, standing, n, gross, refunds, disputes, fees, costs)
    select grain, case grain when 'all' then '-infinity' else date_trunc(grain, t.at at time zone 'UTC')::date end, session_id, joined, offer_id, edition_id, partner, country, currency,
           reached, ever, standing, sum(sign * n), sum(sign * gross), sum(sign * refunds), sum(sign * disputes), sum(sign * fees), sum(sign * costs)
      from turned t cross join unnest(array['all', 'year', 'month']) as grain
     group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
    having sum(sign * n) <> 0 or sum(sign * gross) <> 0 or sum(sign * refunds) <> 0 or sum(sign * disputes) <> 0 or sum(sign * fees) <> 0 or sum(sign * costs) <> 0
    on conflict (grain, since, session_id, joined, offer_id, edition_id, partner, country, currency, reached, ever, standing)
    do update set n = c.n + excluded.n, gross = c.gross + excluded.gross, refunds = c.refunds + excluded.refunds, disputes = c.disputes + excluded.disputes,
                  fees = c.fees + excluded.fees, costs = c.costs + excluded.costs
), totals as (
    insert into analytics.totals as c
    select grain, case grain when 'all' then '-infinity' else date_trunc(grain, t.at at time zone 'UTC')::date end, session_id, joined, offer_id, edition_id, partner, country, currency,
           h.of_ever, h.paying, sum(h.enrolled), sum(h.started), sum(h.diligent_first), sum(h.diligent_all), sum(h.diligent_any), sum(h.diligent_none), sum(h.succeeded), sum(h.eligible), sum(h.booked), sum(h.sat), sum(h.passed), sum(h.certified),
           sum(sign * n), sum(sign * gross), sum(sign * refunds), sum(sign * disputes), sum(sign * fees), sum(sign * costs), standing
      from turned t cross join unnest(array['all', 'year', 'month']) as grain
     cross join lateral journey.heads(t.reached, t.ever, case when t.standing = '' then 0 else t.sign * t.n end) h
     group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, standing
    on conflict (grain, of_ever, since, session_id, joined, offer_id, edition_id, partner, country, currency, paying, standing)
    do update set enrolled = c.enrolled + excluded.enrolled, started = c.started + excluded.started, diligent_first = c.diligent_first + excluded.diligent_first, diligent_all = c.diligent_all + excluded.diligent_all, diligent_any = c.diligent_any + excluded.diligent_any, diligent_none = c.diligent_none + excluded.diligent_none, succeeded = c.succeeded + excluded.succeeded, eligible = c.eligible + excluded.eligible, booked = c.booked + excluded.booked, sat = c.sat + excluded.sat, passed = c.passed + excluded.passed, certified = c.certified + excluded.certified, n = c.n + excluded.n, gross = c.gross + excluded.gross, refunds = c.refunds + excluded.refunds, disputes = c.disputes + excluded.disputes, fees = c.fees + excluded.fees, costs = c.costs + excluded.costs
), coupled as (
    insert into analytics.couples as c
    select f.* from asked a cross join lateral analytics.couples_written(a.ids) f
    on conflict (session_id, other_id, enrolment_id, other_enrolment_id)
    do update set (steady, enrolled_ever, enrolled_since, enrolled_until, started_ever, started_since, started_until, succeeded_ever, succeeded_since, succeeded_until,
                   certified_ever, certified_since, certified_until)
                = (excluded.steady, excluded.enrolled_ever, excluded.enrolled_since, excluded.enrolled_until, excluded.started_ever, excluded.started_since,
                   excluded.started_until, excluded.succeeded_ever, excluded.succeeded_since, excluded.succeeded_until,
                   excluded.certified_ever, excluded.certified_since, excluded.certified_until)
     where c is distinct from excluded
)
select count(*) from taken;

-- name: DropEmpty
delete from analytics.cells where n = 0 and gross = 0 and refunds = 0 and disputes = 0 and fees = 0 and costs = 0;

-- name: CheckStepsAreWritten
with ids as (
    select array(select enrolment_id from enrolment.grants union select coalesce(enrolment_id, order_id, '') from ledger.entries union select id from analytics.steps) as ids,
           array(select id from platform.touched union select g.enrolment_id from platform.touched t join enrolment.grants g on g.order_id = t.id) as touched
)
select coalesce(w.id, s.id) as id, coalesce(w.at, s.at) as at, w.n, s.n as summed, w.gross, s.gross as summed_gross
  from (select f.* from ids i cross join lateral analytics.steps_of(i.ids) f where f.id <> all(i.touched)) w
  full join (select f.* from ids i join analytics.steps f on f.id <> all(i.touched)) s
    using (id, at, session_id, joined, offer_id, edition_id, partner, country, currency, reached, ever, standing, n, gross, refunds, disputes, fees, costs)
 where w.session_id is null or s.session_id is null;

-- name: Sets
-- Learners by the set of sessions in which a stage holds of them, with all that is known: who is in several from the couples, of which she has one from
-- each of these to each other, and who is in one alone is what is left of all who are in it. $1 sessions, the first is bit 0, $2 the stage, as a bit, $3
-- whoever ever had it (else: has it and has not left), $4 true at (9999-12-31: no bound). Of whom the couples do not say it, see Shared.
with live as materialized (
    select a.enrolment_id, a.session_id, a.learner_id
      from (select distinct x.learner_id from platform.touched t join journey.enrolments x on x.enrolment_id = t.id) l
      join journey.enrolments a on a.learner_id = l.learner_id and a.session_id = any($1::text[])
), asked as materialized (
    select c.session_id, c.other_id, c.enrolment_id, c.other_enrolment_id from analytics.couples c
     where c.session_id = any($1) and c.other_id = any($1) and not c.steady and c.enrolment_id not in (select enrolment_id from live)
    union all
    select a.session_id, b.session_id, a.enrolment_id, b.enrolment_id from live a join live b on b.learner_id = a.learner_id and b.session_id <> a.session_id
), held as materialized (
    select h.enrolment_id from journey.holders(array(select enrolment_id from asked union select other_enrolment_id from asked), case when $3::bool then $2::int else $2::int | 1 end, $3, $4, '9999-12-31 00:00+00') h
), common as (
    select c.session_id, c.other_id, c.enrolment_id
      from analytics.couples c
     where c.session_id = any($1) and c.other_id = any($1) and c.steady and c.enrolment_id not in (select enrolment_id from live)
       and analytics.together(c, $2, $3, $4)
    union all
    select k.session_id, k.other_id, k.enrolment_id from asked k join held x on x.enrolment_id = k.enrolment_id join held y on y.enrolment_id = k.other_enrolment_id
), several as materialized (
    select sets, count(*) / bit_count(sets::bit(64)) as learners
      from (select (1::bigint << array_position($1, c.session_id) - 1) | bit_or(1::bigint << array_position($1, c.other_id) - 1) as sets from common c group by c.session_id, c.enrolment_id) l
     group by sets
)
select sets, learners from several
union all
select a.bit, a.n - coalesce(sum(s.learners), 0)::bigint
  from (select 1::bigint << (array_position($1, session_id) - 1) as bit, platform.total(n) as n from journey.states_at($1, $4, '9999-12-31 00:00+00')
         where case when $3 then ever & $2 = $2 else reached & ($2 | 1) = $2 | 1 end group by session_id) a
  left join several s on s.sets & a.bit <> 0
 group by a.bit, a.n having a.n > coalesce(sum(s.learners), 0);

-- name: SetsAsKnown
-- The same as it was known at $5, by the history; $2 stages.
with several as materialized (
    select sets, count(*) as learners
      from (select bit_or(1::bigint << (array_position($1::text[], h.session_id) - 1)) as sets
              from (select array(select distinct enrolment_id from analytics.couples_of($1, $1)) as enrolments) c
             cross join lateral journey.holders(c.enrolments, $2, $3, $4, $5) h
             group by h.learner_id having count(*) > 1) l
     group by sets
)
select sets, learners from several
union all
select a.bit, a.n - coalesce(sum(s.learners), 0)
  from (select 1::bigint << (array_position($1, session_id) - 1) as bit, sum(n) as n from journey.states_at($1, $4, $5)
         where (case when $3 then ever else reached end) & $2 = $2 group by session_id) a
  left join several s on s.sets & a.bit <> 0
 group by a.bit, a.n having a.n > coalesce(sum(s.learners), 0);

-- name: Shared
-- Learners in other sessions ($2), and those who are in the session $1 too, with all that is known; $3 the stage, as a bit, $4 whoever ever had it
-- (else: has it and has not left), $5 true at (9999-12-31: no bound). The couples say it, but of those who were touched since they were summed up, and
-- of those who came back to a stage: these are asked of the history.
with live as materialized (
    select distinct a.enrolment_id, a.learner_id
      from platform.touched t join journey.enrolments x on x.enrolment_id = t.id join journey.enrolments a on a.learner_id = x.learner_id and a.session_id = $1
), asked as materialized (
    select c.other_id, c.enrolment_id, c.other_enrolment_id from analytics.couples c
     where c.session_id = $1 and not c.steady and (c.other_id in (select unnest($2::text[]))) is true and c.enrolment_id not in (select enrolment_id from live)
    union all
    select b.session_id, l.enrolment_id, b.enrolment_id from live l join journey.enrolments b on b.learner_id = l.learner_id and b.session_id <> $1
     where (b.session_id in (select unnest($2::text[]))) is true
), held as materialized (
    select h.enrolment_id from journey.holders(array(select enrolment_id from asked union select other_enrolment_id from asked), case when $4 then $3::int else $3::int | 1 end, $4::bool, $5, '9999-12-31 00:00+00') h
), common as (
    select c.other_id, count(*) as n
      from analytics.couples c
     where c.session_id = $1 and c.steady and (c.other_id in (select unnest($2::text[]))) is true and c.enrolment_id not in (select enrolment_id from live)
       and analytics.together(c, $3, $4, $5)
     group by c.other_id
    union all
    select k.other_id, count(*) from asked k join held x on x.enrolment_id = k.enrolment_id join held y on y.enrolment_id = k.other_enrolment_id group by k.other_id
)
select a.session_id, a.n as learners, coalesce(b.n, 0) as common
  from (select session_id, platform.total(n) as n from journey.states_at($1 || $2, $5, '9999-12-31 00:00+00')
         where case when $4 then ever & $3::int = $3::int else reached & ($3::int | 1) = $3::int | 1 end group by session_id) a
  left join (select other_id, sum(n)::bigint as n from common group by other_id) b on b.other_id = a.session_id
 where a.n > 0;

-- name: SharedAsKnown
-- The same as it was known at $6, by the history; $3 stages.
with pairs as materialized (
    select other_id, enrolment_id, other_enrolment_id from analytics.couples_of(array[$1::text], $2::text[])
), held as materialized (
    select h.enrolment_id from journey.holders(array(select enrolment_id from pairs union select other_enrolment_id from pairs), $3, $4, $5, $6) h
)
select a.session_id, a.n as learners, coalesce(b.n, 0) as common
  from (select session_id, sum(n)::bigint as n from journey.states_at($1 || $2, $5, $6) where (case when $4::bool then ever else reached end) & $3::int = $3 group by session_id having sum(n) > 0) a
  left join (select p.other_id, count(*) as n from pairs p join held x on x.enrolment_id = p.enrolment_id join held y on y.enrolment_id = p.other_enrolment_id group by p.other_id) b
    on b.other_id = a.session_id;

-- name: CheckCouples
select coalesce(c.enrolment_id, w.enrolment_id) as enrolment_id, coalesce(c.other_enrolment_id, w.other_enrolment_id) as other
  from analytics.couples c
  full join (select f.* from (select distinct session_id from journey.enrolments) s
              cross join lateral analytics.couples_written(array(select e.enrolment_id from journey.enrolments e where e.session_id = s.session_id)) f where f.session_id = s.session_id) w
    using (session_id, other_id, enrolment_id, other_enrolment_id)
 where (c is distinct from w)
   and not exists (select 1 from platform.touched t where t.id = coalesce(c.enrolment_id, w.enrolment_id)) and not exists (select 1 from platform.touched t where t.id = coalesce(c.other_enrolment_id, w.other_enrolment_id));

-- name: CheckCellsEqualSteps
select coalesce(s.grain, c.grain) as grain, coalesce(s.since, c.since) as since, session_id, currency, s.n, c.n as summed, s.gross, c.gross as summed_gross
  from (select grain, case grain when 'all' then '-infinity' else date_trunc(grain, at at time zone 'UTC')::date end as since, session_id, joined, offer_id, edition_id, partner, country,
               currency, reached, ever, standing, sum(n) as n, sum(gross) as gross, sum(refunds) as refunds, sum(disputes) as disputes, sum(fees) as fees, sum(costs) as costs
          from analytics.steps cross join unnest(array['all', 'year', 'month']) as grain group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12) s
  full join analytics.cells c using (grain, since, session_id, joined, offer_id, edition_id, partner, country, currency, reached, ever, standing)
 where (coalesce(s.n, 0), coalesce(s.gross, 0), coalesce(s.refunds, 0), coalesce(s.disputes, 0), coalesce(s.fees, 0), coalesce(s.costs, 0))
       is distinct from (coalesce(c.n, 0), coalesce(c.gross, 0), coalesce(c.refunds, 0), coalesce(c.disputes, 0), coalesce(c.fees, 0), coalesce(c.costs, 0));

-- name: CheckTotalsEqualCells
select coalesce(w.grain, t.grain) as grain, coalesce(w.since, t.since) as since, session_id, currency, w.n, t.n as summed, w.gross, t.gross as summed_gross
  from (select c.grain, c.since, c.session_id, c.joined, c.offer_id, c.edition_id, c.partner, c.country, c.currency, h.of_ever, h.paying, c.standing, sum(h.enrolled) as enrolled, sum(h.started) as started, sum(h.diligent_first) as diligent_first, sum(h.diligent_all) as diligent_all, sum(h.diligent_any) as diligent_any, sum(h.diligent_none) as diligent_none, sum(h.succeeded) as succeeded, sum(h.eligible) as eligible, sum(h.booked) as booked, sum(h.sat) as sat, sum(h.passed) as passed, sum(h.certified) as certified,
               sum(c.n) as n, sum(c.gross) as gross, sum(c.refunds) as refunds, sum(c.disputes) as disputes, sum(c.fees) as fees, sum(c.costs) as costs
          from analytics.cells c cross join lateral journey.heads(c.reached, c.ever, case when c.standing = '' then 0 else c.n end) h group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12) w
  full join analytics.totals t using (grain, since, session_id, joined, offer_id, edition_id, partner, country, currency, of_ever, paying, standing)
 where (coalesce(w.enrolled, 0), coalesce(w.started, 0), coalesce(w.diligent_first, 0), coalesce(w.diligent_all, 0), coalesce(w.diligent_any, 0), coalesce(w.diligent_none, 0), coalesce(w.succeeded, 0), coalesce(w.eligible, 0), coalesce(w.booked, 0), coalesce(w.sat, 0), coalesce(w.passed, 0), coalesce(w.certified, 0), coalesce(w.n, 0), coalesce(w.gross, 0), coalesce(w.refunds, 0), coalesce(w.disputes, 0), coalesce(w.fees, 0), coalesce(w.costs, 0))
       is distinct from (coalesce(t.enrolled, 0), coalesce(t.started, 0), coalesce(t.diligent_first, 0), coalesce(t.diligent_all, 0), coalesce(t.diligent_any, 0), coalesce(t.diligent_none, 0), coalesce(t.succeeded, 0), coalesce(t.eligible, 0), coalesce(t.booked, 0), coalesce(t.sat, 0), coalesce(t.passed, 0), coalesce(t.certified, 0), coalesce(t.n, 0), coalesce(t.gross, 0), coalesce(t.refunds, 0), coalesce(t.disputes, 0), coalesce(t.fees, 0), coalesce(t.costs, 0));

-- name: CubeOfHistory
-- What Cube answers, by all that was ever written, as it was known at a time.
-- $1 ever, $2 true at, $3 known at (null: now), $4 stages that a member has, $5 those of the diligent, $6 stages whose money is asked for (0: all), $7
-- dimensions, $8 sessions (null: all, and money of none).
with steps as (
    select distinct on (c.enrolment_id, c.stage, c.at) c.enrolment_id, c.stage, c.at, c.reached
      from journey.changes c
     where ($2::timestamptz is not null or $3::timestamptz is not null) and c.at <= coalesce($2, 'infinity') and c.recorded_at <= coalesce($3, 'infinity')
       and ($8::text[] is null or c.session_id = any($8))
     order by c.enrolment_id, c.stage, c.at, c.seq desc
), stages as (
    select s.enrolment_id, s.stage, case when $1::bool then bool_or(s.reached) else (array_agg(s.reached order by s.at desc))[1] end as reached,
           min(s.at) filter (where s.stage = 'enrolled' and s.reached) as enrolled_at
      from steps s group by s.enrolment_id, s.stage
), who as (
    select j.enrolment_id, j.session_id, case when $1::bool then j.ever else j.reached end as reached, j.enrolled_at
      from journey.enrolments j where $2::timestamptz is null and $3::timestamptz is null and ($8::text[] is null or j.session_id = any($8))
    union all
    select s.enrolment_id, j.session_id, bit_or(case when s.reached then 1 << t.bit else 0 end)::int, min(s.enrolled_at)
      from stages s join journey.stages t on t.stage = s.stage join journey.enrolments j on j.enrolment_id = s.enrolment_id
     group by s.enrolment_id, j.session_id
), money as (
    select e.enrolment_id, case when e.enrolment_id is null then e.order_id end as order_id, t.currency, min(t.occurred_at) filter (where e.account = 'revenue' and e.minor < 0) as paid_at,
           -sum(e.minor) filter (where e.account = 'revenue') as gross, sum(e.minor) filter (where e.account = 'refunds') as refunds,
           sum(e.minor) filter (where e.account = 'disputes') as disputes, sum(e.minor) filter (where e.account like 'cost:fee%') as fees,
           sum(e.minor) filter (where e.account like 'cost:%' and e.account not like 'cost:fee%') as costs
      from ledger.entries e join ledger.transactions t on t.id = e.transaction_id
     where (e.account in ('revenue', 'refunds', 'disputes') or e.account like 'cost:%')
       and ($2::timestamptz is null or t.occurred_at <= $2) and ($3::timestamptz is null or t.recorded_at <= $3)
       and ($8::text[] is null or e.enrolment_id in (select enrolment_id from journey.enrolments where session_id = any($8)))
     group by e.enrolment_id, case when e.enrolment_id is null then e.order_id end, t.currency
), origin as ( -- what an enrolment was bought with last
    select distinct on (g.enrolment_id) g.enrolment_id, g.order_id, l.offer_id, l.edition_id
      from enrolment.grants g
      left join lateral (select l.offer_id, l.edition_id from sales.parts p join sales.lines l on l.order_id = p.order_id and l.line = p.line
                          where p.order_id = g.order_id and p.enrolment_id = g.enrolment_id order by l.line limit 1) l on true
     where ($2::timestamptz is null or g.granted_at <= $2) and ($3::timestamptz is null or g.granted_at <= $3)
     order by g.enrolment_id, g.qualifying desc, g.granted_at desc, g.id desc
), facts as (
    select w.enrolment_id, w.session_id, w.enrolled_at as at, w.reached, o.order_id, o.offer_id, o.edition_id, m.currency, m.gross, m.refunds, m.disputes, m.fees, m.costs,
           case when row_number() over (partition by w.enrolment_id order by m.paid_at nulls last, m.currency) = 1 then '' when m.paid_at is not null then 'paid' else 'cost' end as standing,
           w.reached & $4::int = $4::int as member
      from who w left join money m on m.enrolment_id = w.enrolment_id left join origin o on o.enrolment_id = w.enrolment_id
    union all
    select null, j.session_id, d.paid_at, 0, m.order_id, l.offer_id, l.edition_id, m.currency, m.gross, m.refunds, m.disputes, m.fees, m.costs, '', false
      from money m left join sales.orders d on d.id = m.order_id left join sales.lines l on l.order_id = m.order_id and l.line = 1
      left join journey.enrolments j on j.enrolment_id = m.enrolment_id
     where m.enrolment_id is null or not exists (select 1 from who w where w.enrolment_id = m.enrolment_id)
), cells as (
    select f.*,
           case when 'month' = any($7::text[]) then coalesce(to_char(f.at at time zone 'UTC', 'YYYY-MM'), '') else '' end as month,
           case when 'session' = any($7::text[]) then coalesce(s.key, '') else '' end as session,
           case when 'offer' = any($7::text[]) then coalesce(f.offer_id, '') else '' end as offer,
           case when 'program' = any($7::text[]) then coalesce(g.key, '') else '' end as program,
           case when 'edition' = any($7::text[]) then coalesce(e.key, '') else '' end as edition,
           case when 'partner' = any($7::text[]) then coalesce(d.organisation, r.organisation, '') else '' end as partner,
           case when 'country' = any($7::text[]) then coalesce(b.buyer -> 'address' ->> 'country', '') else '' end as country
      from facts f
      left join catalog.sessions s on s.id = f.session_id
      left join programs.editions e on e.id = f.edition_id
      left join programs.programs g on g.id = e.program_id
      left join sales.orders d on d.id = f.order_id
      left join invoicing.billing b on b.order_id = f.order_id
      left join lateral (select r.organisation from payments.receipts r where r.order_id = f.order_id and r.organisation is not null order by r.id limit 1) r on 'partner' = any($7::text[])
)
select month, session, offer, program, edition, partner, country, coalesce(currency, '') as currency, standing,
       array[count(*) filter (where member), count(*) filter (where member and reached & 2 <> 0),
             count(*) filter (where member and reached & $5::int = $5::int), count(*) filter (where member and reached & 64 <> 0),
             count(*) filter (where member and reached & 128 <> 0), count(*) filter (where member and reached & 256 <> 0),
             count(*) filter (where member and reached & 512 <> 0), count(*) filter (where member and reached & 1024 <> 0),
             count(*) filter (where member and reached & 2048 <> 0), count(*) filter (where member and reached & 4096 <> 0),
             coalesce(sum(gross) filter (where taken), 0), coalesce(sum(refunds) filter (where taken), 0),
             coalesce(sum(disputes) filter (where taken), 0), coalesce(sum(fees) filter (where taken), 0),
             coalesce(sum(costs) filter (where taken), 0)]::bigint[] as sums
  from (select c.*, $6::int = 0 or (c.member and c.reached & $6::int = $6::int) as taken from cells c) x
 group by month, session, offer, program, edition, partner, country, coalesce(currency, ''), standing
having count(*) filter (where member) > 0 or count(*) filter (where taken and currency is not null) > 0
 order by month, session, offer, program, edition, partner, country, currency, standing;

-- name: SessionsOfEditions
-- The sessions of the published editions of a program, or with $2 of all, in the order of its courses, the newest edition first.
select e.key as edition, s.key as session, s.id as session_id
  from programs.editions e
  join programs.programs g on g.id = e.program_id
  join programs.edition_sessions x on x.edition_id = e.id
  join catalog.sessions s on s.id = x.session_id
  left join programs.version_courses o on o.program_id = e.program_id and o.number = e.version_number and o.course_id = x.course_id
 where g.key = $1 and ($2::bool or e.state = 'published')
 order by e.starts_at desc nulls last, e.key, o.position nulls last, s.key;

-- name: InUse
-- Which of some sessions somebody was in by $2 (null: now), or a place was sold of: before it was planned, none was.
select s.key from catalog.sessions s
 where s.id = any($1::text[])
   and (exists (select from journey.changes c where c.session_id = s.id and c.at <= coalesce($2::timestamptz, 'infinity'))
     or exists (select from catalog.session_versions v where v.session_id = s.id and ($2 is null or v.written_at <= $2))
        and exists (select from sales.parts p join sales.orders o on o.id = p.order_id where p.session_id = s.id and ($2 is null or o.paid_at <= $2)))
 order by s.key;

-- name: ProgramKeys
select key from programs.programs order by key;

-- name: PartnerKeys
-- Organisations that ordered something, or took money at their desk.
select o.key from identity.organisations o
 where exists (select 1 from sales.orders d where d.organisation = o.key) or exists (select 1 from payments.receipts r where r.organisation = o.key)
 order by o.key;

-- name: AnyDemo
-- $1 true at, $2 known at (null: now). An order is paid when we learn of it.
select exists (select 1 from sales.orders where demo and paid_at is not null and ($1::timestamptz is null or paid_at <= $1) and ($2::timestamptz is null or paid_at <= $2));

-- name: KeptApart
-- What of the fees is of partner schools, and of the account alone: $1 true at, $2 known at (null: now), $3 the session (null: all, and of none); and
-- what of all sales is tax, which stands by order. The condition on the account is that of the index entries_kept_apart.
select t.currency, coalesce(sum(e.minor) filter (where e.account like 'cost:fee:partner:%'), 0)::bigint as shares,
       coalesce(sum(e.minor) filter (where e.account like 'cost:fee:%:account' and e.account not like 'cost:fee:partner:%'), 0)::bigint as account,
       coalesce(sum(e.minor) filter (where e.account = 'revenue:tax'), 0)::bigint as tax
  from ledger.entries e join ledger.transactions t on t.id = e.transaction_id
 where (e.account like 'cost:fee:partner:%' or e.account like 'cost:fee:%:account' or e.account = 'revenue:tax')
   and ($1::timestamptz is null or t.occurred_at <= $1) and ($2::timestamptz is null or t.recorded_at <= $2)
   and ($3::text is null or exists (select 1 from journey.enrolments j where j.enrolment_id = e.enrolment_id and j.session_id = $3))
 group by t.currency;

-- name: PricePoints
-- Prices by what a place of a line on the session came to, largest first within a currency. An order is recorded as paid when it is: $2 true at, $3
-- known at (null: now).
select o.currency, (l.total_minor / l.quantity)::bigint as minor, sum(l.quantity)::bigint as places, min(o.paid_at) as first_at, max(o.paid_at) as last_at
  from sales.lines l join sales.orders o on o.id = l.order_id
 where l.session_id = $1 and o.paid_at is not null and ($2::timestamptz is null or o.paid_at <= $2) and ($3::timestamptz is null or o.paid_at <= $3) and l.total_minor > 0 and not 'exam_retake' = any(l.entitlements) -- which is no place
 group by o.currency, l.total_minor / l.quantity
 order by o.currency, minor desc;

-- name: Repeaters
-- Of some enrolments in a session, those whose learner had been enrolled in another session of the course before.
select count(*) from journey.enrolments j
 where j.enrolment_id = any($1::text[])
   and exists (select 1 from journey.enrolments o join catalog.sessions s on s.id = o.session_id
                 join journey.changes c on c.enrolment_id = o.enrolment_id and c.stage = 'enrolled' and c.reached and ($2::timestamptz is null or c.recorded_at <= $2)
                where o.learner_id = j.learner_id and o.session_id <> j.session_id
                  and s.course_id = (select x.course_id from catalog.sessions x where x.id = j.session_id)
                  and c.at < (select min(x.at) from journey.changes x where x.enrolment_id = j.enrolment_id and x.stage = 'enrolled' and x.reached and ($2::timestamptz is null or x.recorded_at <= $2)));

-- name: DidAll
-- Of some enrolments, those that ever did every scored exercise of the map of their session.
select c.enrolment_id
  from gradebook.cells c join gradebook.columns k on k.id = c.column_id and k.kind = 'exercise' and k.occurrence = 0
  join catalog.exercises_said($1, $4) x on x.label = k.label and x.scored
 where k.session_id = $1 and c.enrolment_id = any($2::text[]) and c.value >= 0
   and ($3::timestamptz is null or c.at <= $3) and ($4::timestamptz is null or c.recorded_at is null or c.recorded_at <= $4)
 group by c.enrolment_id
having count(distinct k.id) = (select count(*) from catalog.exercises_said($1, $4) where scored)
 order by c.enrolment_id;

-- name: WayOf
-- What became of one enrolment, step by step: a stage is told where it was reached or lost, not where it was only said again, and in the order in which
-- stages lead to each other where one instant has several; of several words of one instant the last one holds.
select at, recorded_at, what, reached, value, exercise from (
    select at, recorded_at, stage as what, reached, null::bigint as value, '' as exercise,
           coalesce(lag(reached) over (partition by stage order by at), false) as held
      from (select distinct on (c.stage, c.at) c.at, c.recorded_at, c.stage, c.reached from journey.changes c
             where c.enrolment_id = $1 and ($2::timestamptz is null or c.at <= $2) and ($3::timestamptz is null or c.recorded_at <= $3)
             order by c.stage, c.at, c.seq desc) s
    union all
    select c.at, c.recorded_at, k.kind, c.value >= 0, c.value, k.label, null
      from gradebook.cells c join gradebook.columns k on k.id = c.column_id and k.kind in ('exercise', 'grade')
     where c.enrolment_id = $1 and ($2::timestamptz is null or c.at <= $2) and ($3::timestamptz is null or c.recorded_at is null or c.recorded_at <= $3)) w
 where held is distinct from reached
 order by at, array_position(array['enrolled', 'qualifying', 'exercise', 'grade', 'started', 'week1_any', 'week1_first', 'week1_all', 'week2_first', 'succeeded', 'eligible', 'exam_booked', 'exam_sat', 'exam_passed', 'certified'], what),
       what, exercise, recorded_at, value;

-- name: ListSizes
-- How many are on some lists, of those whose rule asks for states alone, and what they paid, by currency: the i-th list has the states of $3[i] and none
-- of $4[i]; list 0 is whoever is on one of them. $1 sessions, $2 true at (9999-12-31: now). Whoever paid in several currencies counts once.
with held as (
    select '' as currency, reached, n::bigint as n, 0::bigint as gross, 0::bigint as back from journey.states_at($1, $2, '9999-12-31 00:00+00')
    union all
    select currency, reached, 0, gross, refunds + disputes from analytics.cells_at($1, $2) where currency <> ''
), listed as (
    select l.i, h.* from held h cross join unnest($3::int[], $4::int[]) with ordinality as l(has, lacks, i) where h.reached & l.has = l.has and h.reached & l.lacks = 0
    union all
    select 0, h.* from held h where exists (select from unnest($3::int[], $4::int[]) as l(has, lacks) where h.reached & l.has = l.has and h.reached & l.lacks = 0)
)
select i, currency, platform.total(n) as n, platform.total(gross) as gross, platform.total(back) as back from listed group by i, currency
having platform.total(n) <> 0 or platform.total(gross) <> 0 or platform.total(back) <> 0 order by i, currency;

-- name: Begun
-- Those of some sessions of which something was true at $2 already.
select s.id from unnest($1::text[]) s(id) where exists (select from journey.changes c where c.session_id = s.id and c.at <= $2) order by s.id;

-- name: Members
-- Whose state is what a list asks for, with all that is known, by session: $1 sessions, $2 true at (null: now), $3 stages that she has, $4 that she has
-- not, $5 and $6 after which session and enrolment, $7 limit (null: all), $8 stages that she ever had.
select s.id as session_id, e.enrolment_id, e.reached
  from unnest($1::text[]) s(id)
 cross join lateral (
    select j.enrolment_id, w.reached
      from journey.enrolments j
     cross join lateral journey.reached_at(j.enrolment_id, j.reached, $2::timestamptz) w
     where j.session_id = s.id and j.ever & $8::int = $8 and j.enrolment_id > case when s.id = $5::text then $6::text else '' end
       and w.reached & $3::int = $3 and w.reached & $4::int = 0
     order by j.enrolment_id limit $7::int) e
 order by session_id, enrolment_id limit $7::int;

-- name: RareMembers
-- The same of those who ever had a stage that few have (see the index enrolments_rare), which says too when they had it first: nothing holds before.
select s.id as session_id, e.enrolment_id, e.reached
  from unnest($1::text[]) s(id)
 cross join lateral (
    select j.enrolment_id, w.reached
      from journey.enrolments j
     cross join lateral journey.reached_at(j.enrolment_id, j.reached, $2::timestamptz) w
     where j.ever & 6528 <> 0 and j.session_id = s.id and j.ever & $8::int = $8
       and ($2::timestamptz is null or ($8 & 2 = 0 or j.started_at <= $2) and ($8 & 256 = 0 or j.exam_booked_at <= $2) and ($8 & 2048 = 0 or j.certified_at <= $2)
            and ($8 & 4096 = 0 or j.qualifying_at <= $2))
       and j.enrolment_id > case when s.id = $5::text then $6::text else '' end
       and w.reached & $3::int = $3 and w.reached & $4::int = 0
     order by j.enrolment_id limit $7::int) e
 order by session_id, enrolment_id limit $7::int;

-- name: MembersAsKnown
-- The same as it was known at $9, by the history; $2 true at (null: no bound).
with held as (
    select distinct on (c.enrolment_id, c.stage) c.enrolment_id, c.session_id, c.stage, c.reached
      from journey.changes c
     where c.session_id = any($1::text[]) and c.at <= coalesce($2::timestamptz, 'infinity') and c.recorded_at <= $9::timestamptz
     order by c.enrolment_id, c.stage, c.at desc, c.seq desc
)
select h.session_id, h.enrolment_id, bit_or(case when h.reached then 1 << t.bit else 0 end)::int as reached
  from held h join journey.stages t on t.stage = h.stage
 where (h.session_id, h.enrolment_id) > ($5::text, $6::text)
 group by h.session_id, h.enrolment_id
having bit_or(case when h.reached then 1 << t.bit else 0 end) & $3::int = $3 and bit_or(case when h.reached then 1 << t.bit else 0 end) & $4::int = 0 and $8::int is not null
 order by h.session_id, h.enrolment_id limit $7::int;

-- name: Listed
-- Who of some enrolments, whose state is what the list asks for, is on it, and why. $1 the enrolments, $2 true at, $3 known at (null: now), $4 the list
-- (studies: whoever studies, with what says whether she is behind or at risk), $5 the stage since whose time they are on it, $6 limit (null: all); of
-- those at risk: $7 days, $8 scores, $9 the mean below which it is low, $10 signs; $11 their sessions, $12 whether it is asked who they are. Weeks are
-- judged by the last report, which alone says who did what. What a list does not ask for is not looked for: its conditions stand where the rows would be read.
with who as materialized (
    select j.enrolment_id, j.session_id from unnest($1::text[], $11::text[]) as j(enrolment_id, session_id)
     where ($4::text <> 'refund_after_certificate' or exists (
           select from ledger.entries e where e.enrolment_id = j.enrolment_id and e.account in ('refunds', 'disputes') and e.minor > 0))
), sessions as materialized (
    select s.id, s.key, r.last, coalesce(case when $3::timestamptz is null then s.starts_at else (catalog.session_said(s.id, $3) ->> 'starts_at')::timestamptz end, r.first) as begins_at
      from catalog.sessions s
     cross join lateral (select min(c.collected_at) as first, max(c.collected_at) as last from gradebook.collections c
                          where c.session_id = s.id and $4 in ('behind_schedule', 'at_risk', 'studies')
                            and ($2::timestamptz is null or c.collected_at <= $2) and ($3::timestamptz is null or c.recorded_at <= $3)) r
     where s.id in (select session_id from who)
), asked as materialized ( -- the columns of exercises, each with its week where that is over
    select s.*, k.columns, k.weeks, (select count(distinct w) from unnest(k.due) w)::int as due
      from sessions s
     cross join lateral (
        select (select array_agg(k.id order by k.id) from gradebook.columns k where k.session_id = s.id and k.kind = 'exercise') as columns,
               (select array_agg(x.week order by k.id)
                  from gradebook.columns k
                  left join catalog.exercises_said(s.id, $3) x on x.label = k.label and x.scored and x.week > 0 and make_interval(days => 7 * x.week) <= s.last - s.begins_at
                 where k.session_id = s.id and k.kind = 'exercise') as weeks,
               array(select x.week from catalog.exercises_said(s.id, $3) x where x.scored and x.week > 0 and make_interval(days => 7 * x.week) <= s.last - s.begins_at) as due
         where $4 in ('behind_schedule', 'at_risk', 'studies')) k
    union all
    select s.*, null, null, 0 from sessions s where $4 not in ('behind_schedule', 'at_risk', 'studies')
)
select w.enrolment_id, w.session_id, coalesce(p.learner_id, '') as learner_id, coalesce(p.full_name, '') as name, a.key as session,
       coalesce(case when $4 = 'refund_after_certificate' then b.at when $4 in ('behind_schedule', 'at_risk', 'studies') then g.last_at else t.at end, t.at) as since,
       coalesce(g.missed, 0) as missed, coalesce(g.idle, false) as idle, coalesce(g.low, false) as low
  from who w
  join asked a on a.id = w.session_id
  left join lateral (
    select j.learner_id, p.full_name from journey.enrolments j join identity.people p on p.id = j.learner_id where $12::bool and j.enrolment_id = w.enrolment_id) p on true
  cross join lateral (
    select max(d.at) as last_at, max(d.at) < a.last - make_interval(days => $7::int) as idle, avg(d.value) filter (where d.nth <= $8::int) < $9::bigint as low,
           a.due - count(distinct d.week)::int as missed
      from (select c.at, c.value, a.weeks[array_position(a.columns, c.column_id)] as week, row_number() over (order by c.at desc, c.column_id desc) as nth
              from (select distinct on (c.column_id) c.column_id, c.at, c.value from gradebook.cells c
                     where $4 in ('behind_schedule', 'at_risk', 'studies') and c.enrolment_id = w.enrolment_id and ($2::timestamptz is null or c.at <= $2)
                       and ($3::timestamptz is null or c.recorded_at is null or c.recorded_at <= $3)
                     order by c.column_id, c.at desc, c.seq desc) c
             where c.value >= 0 and array_position(a.columns, c.column_id) is not null) d) g
  cross join lateral (
    select case when $4 = 'refund_after_certificate' then min(c.at) else max(c.at) end as at from journey.changes c
     where c.enrolment_id = w.enrolment_id and c.stage = $5::text and c.reached and g.last_at is null
       and ($2::timestamptz is null or c.at <= $2) and ($3::timestamptz is null or c.recorded_at <= $3)) t
  cross join lateral (
    select min(l.occurred_at) as at
      from ledger.entries e join ledger.transactions l on l.id = e.transaction_id
     where $4 = 'refund_after_certificate' and e.enrolment_id = w.enrolment_id and e.account in ('refunds', 'disputes') and e.minor > 0 and l.occurred_at >= t.at
       and ($2::timestamptz is null or l.occurred_at <= $2) and ($3::timestamptz is null or l.recorded_at <= $3)) b
 where case $4 when 'behind_schedule' then g.missed > 0
               when 'at_risk' then (coalesce(g.missed, 0) > 0)::int + coalesce(g.idle, false)::int + coalesce(g.low, false)::int >= $10::int
               when 'refund_after_certificate' then b.at is not null else true end
 order by w.session_id, w.enrolment_id limit $6::int;

-- name: ListedMoney
-- What enrolments brought, by currency: $2 true at, $3 known at (null: now).
select e.enrolment_id, t.currency, coalesce(-sum(e.minor) filter (where e.account = 'revenue'), 0)::bigint as gross,
       coalesce(sum(e.minor) filter (where e.account in ('refunds', 'disputes')), 0)::bigint as back
  from ledger.entries e join ledger.transactions t on t.id = e.transaction_id
 where e.enrolment_id = any($1::text[]) and e.account in ('revenue', 'refunds', 'disputes')
   and ($2::timestamptz is null or t.occurred_at <= $2) and ($3::timestamptz is null or t.recorded_at <= $3)
 group by e.enrolment_id, t.currency
 order by e.enrolment_id, t.currency;

-- name: SkillPairs
-- What learners said last of their skills before and after, those who said alike together: of each skill ($4), or summed up over the skills of
-- which they said both. Answers without their other half are rows of no pair.
with last as (
    select distinct on (r.questionnaire_id, r.respondent) r.id, r.seq, r.session_id, r.respondent, r.at
      from surveys.responses r
     where r.session_id = any($1::text[]) and ($2::timestamptz is null or r.at <= $2) and ($3::timestamptz is null or r.recorded_at <= $3)
     order by r.questionnaire_id, r.respondent, r.at desc, r.seq desc
), said as (
    select distinct on (l.session_id, a.question, l.respondent, a.part) l.session_id, a.question, l.respondent, a.part, a.value
      from last l join surveys.answers a on a.response_id = l.id and a.kind = 'skill'
     order by l.session_id, a.question, l.respondent, a.part, l.at desc, l.seq desc
), both_sides as (
    select session_id, question, respondent, max(value) filter (where part = 'before') as before, max(value) filter (where part = 'after') as after
      from said group by session_id, question, respondent
), each as (
    select session_id, case when $4::bool then question else '' end as question, respondent, count(*) as pairs, sum(before) as before, sum(after) as after
      from both_sides where before is not null and after is not null
     group by session_id, case when $4::bool then question else '' end, respondent
)
select session_id, question, pairs, before, after, count(*) as learners from each group by session_id, question, pairs, before, after
union all
select session_id, case when $4::bool then question else '' end, 0, 0, 0, count(*) from both_sides where before is null or after is null
 group by session_id, case when $4::bool then question else '' end
 order by session_id, question, pairs, before, after;

-- name: Answers
-- Who said what last of some kinds of questions, and how many answered each.
with last as (
    select distinct on (r.questionnaire_id, r.respondent) r.id, r.session_id, r.questionnaire_id
      from surveys.responses r
     where r.session_id = any($1::text[]) and ($2::timestamptz is null or r.at <= $2) and ($3::timestamptz is null or r.recorded_at <= $3)
     order by r.questionnaire_id, r.respondent, r.at desc, r.seq desc
), said as (
    select l.session_id, x.moment, a.question, a.kind, a.part, a.value, a.response_id
      from last l join surveys.answers a on a.response_id = l.id and a.kind = any($4::text[]) join surveys.questionnaires x on x.id = l.questionnaire_id
), people as (
    select session_id, moment, question, count(distinct response_id) as answered from said group by session_id, moment, question
)
select s.session_id, s.moment, s.question, s.kind, s.part, s.value, count(*) as learners, p.answered
  from said s join people p using (session_id, moment, question)
 group by s.session_id, s.moment, s.question, s.kind, s.part, s.value, p.answered
 order by s.session_id, s.moment desc, s.question, s.part, s.value;

-- name: Titles
-- What questions and choices were called when they were last published, the closing questionnaire first.
with live as (
    select distinct on (x.id) x.session_id, x.moment, v.content
      from surveys.questionnaires x join surveys.versions v on v.questionnaire_id = x.id
     where x.session_id = any($1::text[]) and ($2::timestamptz is null or v.published_at <= $2)
     order by x.id, v.n desc
), asked as (
    select l.session_id, l.moment, q.question, q.place from live l cross join lateral jsonb_array_elements(l.content -> 'questions') with ordinality as q(question, place)
)
select session_id, moment, code, part, en, fr, place from (
    select session_id, moment, question ->> 'code' as code, '' as part, coalesce(question -> 'title' ->> 'en', '') as en, coalesce(question -> 'title' ->> 'fr', '') as fr, place, 0::bigint as choice from asked
    union all
    select a.session_id, a.moment, a.question ->> 'code', c.choice ->> 'code', coalesce(c.choice -> 'title' ->> 'en', ''), coalesce(c.choice -> 'title' ->> 'fr', ''), a.place, c.n
      from asked a cross join lateral jsonb_array_elements(coalesce(a.question -> 'choices', '[]')) with ordinality as c(choice, n)) x
 order by session_id, moment, place, choice;

-- name: ForumWeeks
-- Posts by the week in which they were written (its Monday, UTC) and by cohort. A question is unanswered while nobody else replied to it and nothing
-- marks it as answered.
with posts as (
    select p.* from surveys.posts p
     where p.session_id = $1 and ($2::timestamptz is null or p.created_at <= $2) and ($3::timestamptz is null or p.recorded_at <= $3)
), silent as (
    select t.post_id from posts t
     where t.kind = 'question' and not exists (select 1 from posts r where r.thread_id = t.post_id and r.author <> t.author)
       and not coalesce((select m.answered from surveys.marks m where m.session_id = $1 and m.thread_id = t.post_id and ($2::timestamptz is null or m.at <= $2)
                          and ($3::timestamptz is null or m.recorded_at <= $3) order by m.at desc, m.seq desc limit 1), false)
)
select to_char(date_trunc('week', p.created_at at time zone 'UTC'), 'YYYY-MM-DD') as week, p.cohort, count(*) as posts, count(*) filter (where p.kind = 'question') as questions,
       count(*) filter (where p.kind = 'discussion') as discussions, count(*) filter (where p.kind in ('response', 'comment')) as replies, count(distinct p.author) as authors,
       count(s.post_id) as unanswered
  from posts p left join silent s on s.post_id = p.post_id
 group by 1, 2 order by 1, 2;

-- name: ForumTotals
select count(distinct p.author) as authors, count(distinct p.enrolment_id) as enrolled
  from surveys.posts p where p.session_id = $1 and ($2::timestamptz is null or p.created_at <= $2) and ($3::timestamptz is null or p.recorded_at <= $3);

-- name: ForumActive
-- Who wrote most.
select p.author, coalesce(max(e.full_name), '') as name, p.enrolment_id is not null as enrolled, max(p.cohort) as cohort, count(*) as posts, count(*) filter (where p.kind = 'question') as questions,
       count(*) filter (where p.kind in ('response', 'comment')) as replies, min(p.created_at) as first_at, max(p.created_at) as last_at
  from surveys.posts p left join identity.people e on e.id = p.learner_id
 where p.session_id = $1 and ($2::timestamptz is null or p.created_at <= $2) and ($3::timestamptz is null or p.recorded_at <= $3)
 group by p.author, p.enrolment_id is not null
 order by count(*) desc, min(p.created_at), p.author limit $4;

-- name: ForumUnanswered
select t.post_id, t.cohort, t.created_at, count(*) over () as waiting, (select count(*) from surveys.posts r where r.session_id = $1 and r.thread_id = t.post_id and r.post_id <> t.post_id
        and ($2::timestamptz is null or r.created_at <= $2) and ($3::timestamptz is null or r.recorded_at <= $3)) as own
  from surveys.posts t
 where t.session_id = $1 and t.kind = 'question' and ($2::timestamptz is null or t.created_at <= $2) and ($3::timestamptz is null or t.recorded_at <= $3)
   and not exists (select 1 from surveys.posts r where r.session_id = $1 and r.thread_id = t.post_id and r.author <> t.author
        and ($2::timestamptz is null or r.created_at <= $2) and ($3::timestamptz is null or r.recorded_at <= $3))
   and not coalesce((select m.answered from surveys.marks m where m.session_id = $1 and m.thread_id = t.post_id and ($2::timestamptz is null or m.at <= $2)
                      and ($3::timestamptz is null or m.recorded_at <= $3) order by m.at desc, m.seq desc limit 1), false)
 order by t.created_at, t.post_id limit $4;

-- name: Succeeded
-- Who of a session ever succeeded by the global grade, since when, and the last grade with the time at which it came: $1 session, $2 true at, $3 known
-- at (9999-12-31: no bound), $4 after which enrolment, $5 limit. What a later correction of the same instant took back was never so.
with steps as (
    select distinct on (c.enrolment_id, c.at) c.enrolment_id, c.at, c.reached
      from journey.changes c
     where c.session_id = $1 and c.stage = 'succeeded' and c.enrolment_id > $4 and c.at <= $2 and c.recorded_at <= $3
     order by c.enrolment_id, c.at, c.seq desc
), who as (
    select enrolment_id, min(at) as first_at from steps where reached group by enrolment_id order by enrolment_id limit $5
)
select w.enrolment_id, w.first_at, coalesce(g.at, w.first_at) as last_at, greatest(coalesce(g.value, 0), 0) as score
  from who w
  left join lateral (
       select c.at, c.value from gradebook.cells c join gradebook.columns k on k.id = c.column_id and k.kind = 'grade'
        where c.enrolment_id = w.enrolment_id and c.at <= $2 and (c.recorded_at is null or c.recorded_at <= $3)
        order by c.at desc, c.seq desc limit 1) g on true
 order by w.enrolment_id;

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
