-- name: Known
select learner_id, id from enrolment.enrolments where session_id = $1 and learner_id = any($2::text[]);

-- name: Add
insert into enrolment.enrolments (id, learner_id, session_id, opened_at)
select e.id, e.learner_id, $3, e.opened_at from unnest($1::text[], $2::text[], $4::timestamptz[]) as e(id, learner_id, opened_at);

-- name: CheckJourneyOpen
select e.id from enrolment.enrolments e
 where not exists (select 1 from journey.enrolments j
                    where j.enrolment_id = e.id and j.session_id = e.session_id and j.learner_id = e.learner_id);

-- name: Grant
-- A session that has a course on a platform has what changed told there; see Changed.
-- An enrolment that is there is locked by an update that changes nothing, so that a refund at the same time waits.
with opened as (
    insert into enrolment.enrolments as e (id, learner_id, session_id, opened_at) values ($1, $2, $3, $4)
    on conflict on constraint one_enrolment_per_learner_and_session do update set learner_id = e.learner_id
    returning e.id
), told as (
    insert into jobs.queue (kind, args, created_at, due_at, rank)
    select 'enrolment.changed', jsonb_build_object('enrolment_id', opened.id), now(), now(), 1
      from opened join catalog.sessions s on s.id = $3 where s.platform_key <> ''
)
insert into enrolment.grants (id, enrolment_id, order_id, formula, entitlements, qualifying, granted_at)
select $5, opened.id, $6, $7, $8, $9, $4 from opened
returning enrolment_id;

-- name: Lock
select 1 from enrolment.enrolments where id = $1 for update;

-- name: LockByOrder
select e.id from enrolment.enrolments e
 where e.id in (select g.enrolment_id from enrolment.grants g where g.order_id = $1 union select r.enrolment_id from enrolment.retakes r where r.order_id = $1)
 order by e.id for update of e;

-- name: Revoke
with left_program as (
    update enrolment.memberships set revoked_at = $2, revoked_because = $3 where order_id = $1 and revoked_at is null
), no_retake as (
    update enrolment.retakes set revoked_at = $2, revoked_because = $3 where order_id = $1 and revoked_at is null
), told as (
    insert into jobs.queue (kind, args, created_at, due_at, rank)
    select 'enrolment.changed', jsonb_build_object('enrolment_id', e.id), now(), now(), 1
      from enrolment.enrolments e join catalog.sessions s on s.id = e.session_id
     where s.platform_key <> '' and exists (select 1 from enrolment.grants g where g.enrolment_id = e.id and g.order_id = $1 and g.revoked_at is null)
)
update enrolment.grants set revoked_at = $2, revoked_because = $3 where order_id = $1 and revoked_at is null;

-- name: RevokeSome
with left_program as (
    update enrolment.memberships set revoked_at = $4, revoked_because = $5 where id = $3 and order_id = $1 and revoked_at is null
), told as (
    insert into jobs.queue (kind, args, created_at, due_at, rank)
    select 'enrolment.changed', jsonb_build_object('enrolment_id', e.id), now(), now(), 1
      from enrolment.enrolments e join catalog.sessions s on s.id = e.session_id
     where s.platform_key <> '' and exists (select 1 from enrolment.grants g where g.enrolment_id = e.id and g.order_id = $1 and g.enrolment_id = any($2::text[]) and g.revoked_at is null)
)
update enrolment.grants set revoked_at = $4, revoked_because = $5 where order_id = $1 and enrolment_id = any($2::text[]) and revoked_at is null;

-- name: One
select e.id, e.learner_id, e.session_id, e.opened_at, coalesce(g.formula, '') as formula, coalesce(g.qualifying, false) as qualifying,
       coalesce(g.entitlements, '{}') as entitlements, g.granted, g.in_force, g.hold
  from enrolment.enrolments e
  cross join lateral (
      select count(*) as granted, count(*) filter (where revoked_at is null) as in_force,
             bool_or(qualifying) filter (where revoked_at is null) as qualifying,
             (array_agg(formula order by cardinality(entitlements) desc, granted_at desc) filter (where revoked_at is null))[1] as formula,
             (array_agg((case hold when 'certificate' then array_remove(entitlements, 'certificate') else entitlements end)::text order by cardinality(entitlements) desc, granted_at desc)
                    filter (where revoked_at is null and hold is distinct from 'all' and not suspended))[1]::text[] as entitlements,
             coalesce(max(case when suspended then 'all' else hold end) filter (where revoked_at is null), '') as hold
        from enrolment.grants where enrolment_id = e.id) g
 where e.id = $1;

-- name: OfLearner
select e.id, e.learner_id, e.session_id, e.opened_at, coalesce(g.formula, '') as formula, coalesce(g.qualifying, false) as qualifying,
       coalesce(g.entitlements, '{}') as entitlements, g.granted, g.in_force, g.hold
  from enrolment.enrolments e
  cross join lateral (
      select count(*) as granted, count(*) filter (where revoked_at is null) as in_force,
             bool_or(qualifying) filter (where revoked_at is null) as qualifying,
             (array_agg(formula order by cardinality(entitlements) desc, granted_at desc) filter (where revoked_at is null))[1] as formula,
             (array_agg((case hold when 'certificate' then array_remove(entitlements, 'certificate') else entitlements end)::text order by cardinality(entitlements) desc, granted_at desc)
                    filter (where revoked_at is null and hold is distinct from 'all' and not suspended))[1]::text[] as entitlements,
             coalesce(max(case when suspended then 'all' else hold end) filter (where revoked_at is null), '') as hold
        from enrolment.grants where enrolment_id = e.id) g
 where e.learner_id = $1 order by e.opened_at desc, e.id desc;

-- name: OfLearnerInSession
select e.id, e.learner_id, e.session_id, e.opened_at, coalesce(g.formula, '') as formula, coalesce(g.qualifying, false) as qualifying,
       coalesce(g.entitlements, '{}') as entitlements, g.granted, g.in_force, g.hold
  from enrolment.enrolments e
  cross join lateral (
      select count(*) as granted, count(*) filter (where revoked_at is null) as in_force,
             bool_or(qualifying) filter (where revoked_at is null) as qualifying,
             (array_agg(formula order by cardinality(entitlements) desc, granted_at desc) filter (where revoked_at is null))[1] as formula,
             (array_agg((case hold when 'certificate' then array_remove(entitlements, 'certificate') else entitlements end)::text order by cardinality(entitlements) desc, granted_at desc)
                    filter (where revoked_at is null and hold is distinct from 'all' and not suspended))[1]::text[] as entitlements,
             coalesce(max(case when suspended then 'all' else hold end) filter (where revoked_at is null), '') as hold
        from enrolment.grants where enrolment_id = e.id) g
 where e.learner_id = $1 and e.session_id = $2;

-- name: QualifyingOfSession
select e.id, e.learner_id, e.session_id, e.opened_at, coalesce(g.formula, '') as formula, coalesce(g.qualifying, false) as qualifying,
       coalesce(g.entitlements, '{}') as entitlements, g.granted, g.in_force, g.hold
  from enrolment.enrolments e
  cross join lateral (
      select count(*) as granted, count(*) filter (where revoked_at is null) as in_force,
             bool_or(qualifying) filter (where revoked_at is null) as qualifying,
             (array_agg(formula order by cardinality(entitlements) desc, granted_at desc) filter (where revoked_at is null))[1] as formula,
             (array_agg((case hold when 'certificate' then array_remove(entitlements, 'certificate') else entitlements end)::text order by cardinality(entitlements) desc, granted_at desc)
                    filter (where revoked_at is null and hold is distinct from 'all' and not suspended))[1]::text[] as entitlements,
             coalesce(max(case when suspended then 'all' else hold end) filter (where revoked_at is null), '') as hold
        from enrolment.grants where enrolment_id = e.id) g
 where e.session_id = $1 and g.qualifying order by e.id;

-- name: Hold
with told as (
    insert into jobs.queue (kind, args, created_at, due_at, rank)
    select 'enrolment.changed', jsonb_build_object('enrolment_id', e.id), now(), now(), 1
      from enrolment.enrolments e join catalog.sessions s on s.id = e.session_id
     where s.platform_key <> '' and exists (select 1 from enrolment.grants g where g.enrolment_id = e.id and g.order_id = $1 and g.revoked_at is null and g.hold is distinct from nullif($2, ''))
)
update enrolment.grants set hold = nullif($2, '') where order_id = $1 and revoked_at is null and hold is distinct from nullif($2, '');

-- name: Suspend
with them as (
    select g.id, g.enrolment_id, e.session_id from unnest($1::text[], $2::text[]) as n(learner_id, order_id)
      join enrolment.grants g on g.order_id = n.order_id and g.revoked_at is null and g.suspended <> $3
      join enrolment.enrolments e on e.id = g.enrolment_id and e.learner_id = n.learner_id
     order by g.id for update of g
), told as (
    insert into jobs.queue (kind, args, created_at, due_at, rank)
    select 'enrolment.changed', jsonb_build_object('enrolment_id', them.enrolment_id), now(), now(), 1
      from them join catalog.sessions s on s.id = them.session_id where s.platform_key <> ''
)
update enrolment.grants g set suspended = $3 from them where g.id = them.id;

-- name: GrantRetake
insert into enrolment.retakes (id, enrolment_id, order_id, granted_at) values ($1, $2, $3, $4);

-- name: HasRetake
select exists (select 1 from enrolment.retakes where enrolment_id = $1 and revoked_at is null and used_by is null);

-- name: RetakeUsed
select exists (select 1 from enrolment.retakes where order_id = $1 and used_by is not null);

-- name: UseRetake
update enrolment.retakes set used_by = $2
 where id = (select id from enrolment.retakes where enrolment_id = $1 and revoked_at is null and used_by is null order by granted_at, id limit 1);

-- name: ReturnRetake
update enrolment.retakes set used_by = null where used_by = $1;

-- name: CheckQualifying
select j.enrolment_id, j.reached & 4096 <> 0 as journey_says from journey.enrolments j
  left join (select enrolment_id, bool_or(qualifying) as qualifying from enrolment.grants where revoked_at is null group by enrolment_id) g
    on g.enrolment_id = j.enrolment_id
 where (j.reached & 4096 <> 0) <> coalesce(g.qualifying, false);

-- name: AddMembership
insert into enrolment.memberships (id, learner_id, edition_id, version, order_id, formula, entitlements, qualifying, granted_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: MembershipsOfLearner
select id, learner_id, edition_id, version, order_id, formula, entitlements, qualifying, granted_at, revoked_at
  from enrolment.memberships where learner_id = $1 and revoked_at is null order by granted_at desc, id desc;

-- name: MembershipsOfEdition
select id, learner_id, edition_id, version, order_id, formula, entitlements, qualifying, granted_at, revoked_at
  from enrolment.memberships where edition_id = $1 and revoked_at is null order by granted_at desc, id desc;

-- name: MembershipsOfLearnerInEdition
select id, learner_id, edition_id, version, order_id, formula, entitlements, qualifying, granted_at, revoked_at
  from enrolment.memberships where learner_id = $1 and edition_id = $2 and revoked_at is null order by granted_at desc, id desc;
