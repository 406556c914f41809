-- name: CountOf
select count(*) from webhooks.endpoints where organisation is not distinct from nullif($1, '');

-- name: AddEndpoint
insert into webhooks.endpoints (id, organisation, url, description, types, state, disabled_because, disabled_at, made_by, made_at)
values ($1, nullif($2, ''), $3, $4, $5, $6, nullif($7, ''), case when $7 <> '' then $9::timestamptz end, $8, $9);

-- name: ChangeEndpoint
update webhooks.endpoints
   set url = $2, description = $3, types = $4, state = $5, disabled_because = nullif($6, ''),
       disabled_at = case when $5 = 'disabled' then coalesce(disabled_at, $7::timestamptz) end,
       failing_since = case when $5 = 'enabled' and state = 'disabled' or url <> $2 then null else failing_since end, version = version + 1
 where id = $1;

-- name: DeleteEndpoint
delete from webhooks.endpoints where id = $1;

-- name: LockEndpoint
select 1 from webhooks.endpoints where id = $1 for update;

-- name: Endpoint
select id, coalesce(organisation, '') as organisation, url, description, types, state, coalesce(disabled_because, '') as disabled_because, disabled_at,
       failing_since, made_by, made_at, version
  from webhooks.endpoints where id = $1;

-- name: Endpoints
select id, coalesce(organisation, '') as organisation, url, description, types, state, coalesce(disabled_because, '') as disabled_because, disabled_at,
       failing_since, made_by, made_at, version
  from webhooks.endpoints e
 where ($1::text = '' or organisation = $1) and ($2::bool or exists (select 1 from identity.partners p where p.organisation = e.organisation and p.person_id = $3 and p.role in ('owner', 'manager')))
   and id > $4
 order by id limit $5;

-- name: Listeners
select id, coalesce(organisation, '') as organisation, url, description, types, state, coalesce(disabled_because, '') as disabled_because, disabled_at,
       failing_since, made_by, made_at, version
  from webhooks.endpoints order by id;

-- name: NextSecret
select coalesce(max(n), 0) + 1 from webhooks.secrets where endpoint_id = $1;

-- name: AddSecret
-- The one before lives on for a while, and what is older ends.
with older as (
    update webhooks.secrets set until = case when n = $2 - 1 then least(coalesce(until, $5::timestamptz), $5) else least(until, $4) end
     where endpoint_id = $1
)
insert into webhooks.secrets (endpoint_id, n, sealed, made_at) values ($1, $2, $3, $4);

-- name: Secret
select endpoint_id, n, sealed from webhooks.secrets where endpoint_id = $1 and n = $2;

-- name: LiveSecrets
select endpoint_id, n, sealed from webhooks.secrets where endpoint_id = $1 and (until is null or until > $2) order by n desc;

-- name: AddEvents
insert into webhooks.events (id, type, cause, at, body, made_at)
select n.id, n.type, n.cause, n.at, n.body, $6
  from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::text[]) as n(id, type, cause, at, body)
on conflict on constraint told_once do nothing;

-- name: AddDeliveries
-- Those of an event that was told already have none: its row has another id.
insert into webhooks.deliveries (id, endpoint_id, event_id, state, made_at, due_at, ended_at)
select n.id, n.endpoint_id, n.event_id, n.state, $5, case when n.state = 'pending' then $5::timestamptz end, case when n.state <> 'pending' then $5::timestamptz end
  from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as n(id, endpoint_id, event_id, state)
  join webhooks.events e on e.id = n.event_id
  join webhooks.endpoints p on p.id = n.endpoint_id; -- which may be deleted meanwhile

-- name: OwnersOfOrders
select order_id as id, organisation from webhooks.owners where order_id = any($1::text[]) order by order_id, organisation;

-- name: OwnersOfEnrolments
select distinct g.enrolment_id as id, o.organisation
  from enrolment.grants g join webhooks.owners o on o.order_id = g.order_id
 where g.enrolment_id = any($1::text[]) and g.granted_at <= $2 and (g.revoked_at is null or g.revoked_at >= $2)
 order by id, organisation;

-- name: Stages
select c.seq, c.enrolment_id, e.learner_id, s.key as session, c.stage, c.reached, c.at
  from journey.changes c
  join journey.enrolments e on e.enrolment_id = c.enrolment_id
  join catalog.sessions s on s.id = c.session_id
 where c.session_id = $1 and c.cause = $2
 order by c.seq;

-- name: Enrolled
select e.id, e.learner_id, s.key as session from enrolment.enrolments e join catalog.sessions s on s.id = e.session_id
 where e.id = any($1::text[]) order by e.id;

-- name: Grants
select g.id, g.enrolment_id, e.learner_id, s.key as session, g.order_id, g.formula, g.granted_at, g.revoked_at, coalesce(g.revoked_because, '') as because,
       exists (select 1 from enrolment.grants o where o.enrolment_id = g.enrolment_id and o.revoked_at is null) as open
  from enrolment.grants g join enrolment.enrolments e on e.id = g.enrolment_id join catalog.sessions s on s.id = e.session_id
 where g.order_id = $1 and ($2::text[] is null or g.enrolment_id = any($2::text[])) order by g.id;

-- name: Lease
update webhooks.endpoints set busy_until = $3 where id = $1 and state = 'enabled' and (busy_until is null or busy_until <= $2);

-- name: Prolong
update webhooks.endpoints set busy_until = $2 where id = $1;

-- name: Release
update webhooks.endpoints set busy_until = null where id = $1;

-- name: Take
select d.id, d.event_id, v.body, d.step, d.tried, e.url
  from webhooks.deliveries d join webhooks.events v on v.id = d.event_id join webhooks.endpoints e on e.id = d.endpoint_id
 where d.endpoint_id = $1 and d.state = 'pending' and d.due_at <= $2 and e.state = 'enabled'
 order by d.due_at, d.id limit $3;

-- name: Record
update webhooks.deliveries
   set state = $3, step = $4, tried = tried + 1, status = $5, due_at = $6, ended_at = case when $3 <> 'pending' then $7::timestamptz end
 where id = $1 and tried = $2 and state = 'pending';

-- name: AddAttempt
insert into webhooks.attempts (delivery_id, n, at, duration_ms, status, failure, response) values ($1, $2, $3, $4, $5, nullif($6, ''), $7);

-- name: Well
update webhooks.endpoints set failing_since = null where id = $1 and failing_since is not null;

-- name: Ill
update webhooks.endpoints set failing_since = $2 where id = $1;

-- name: Disable
update webhooks.endpoints set state = 'disabled', disabled_because = $2, disabled_at = $3, busy_until = null, version = version + 1 where id = $1;

-- name: HoldPending
update webhooks.deliveries set state = 'held', due_at = null, ended_at = $2 where endpoint_id = $1 and state = 'pending';

-- name: AskDue
update webhooks.endpoints e set asked_at = $1
 where e.state = 'enabled' and (e.busy_until is null or e.busy_until <= $1) and (e.asked_at is null or e.asked_at <= $2)
   and exists (select 1 from webhooks.deliveries d where d.endpoint_id = e.id and d.state = 'pending' and d.due_at <= $1)
returning e.id;

-- name: Deliveries
select d.id, d.endpoint_id, d.event_id, v.type, d.state, d.tried, d.status, d.made_at, d.due_at, d.ended_at
  from webhooks.deliveries d join webhooks.events v on v.id = d.event_id
 where d.endpoint_id = $1 and ($2::text = '' or d.state = $2) and ($3::text = '' or d.id < $3)
 order by d.id desc limit $4;

-- name: Delivery
select d.id, d.endpoint_id, d.event_id, v.type, d.state, d.tried, d.status, d.made_at, d.due_at, d.ended_at, v.body
  from webhooks.deliveries d join webhooks.events v on v.id = d.event_id
 where d.endpoint_id = $1 and d.id = $2;

-- name: Attempts
select n, at, duration_ms, status, coalesce(failure, '') as failure, response from webhooks.attempts where delivery_id = $1 order by n;

-- name: Replay
update webhooks.deliveries set state = 'pending', step = 0, due_at = $3, ended_at = null where endpoint_id = $1 and id = $2;

-- name: ReplaySince
update webhooks.deliveries set state = 'pending', step = 0, due_at = $4, ended_at = null
 where endpoint_id = $1 and made_at >= $2 and (state in ('failed', 'held') or $3::bool and state = 'delivered');

-- name: ForgetDeliveries
delete from webhooks.deliveries where id in (select id from webhooks.deliveries where ended_at < $1 order by ended_at limit $2);

-- name: ForgetEvents
delete from webhooks.events where id in (
    select v.id from webhooks.events v where v.made_at < $1 and not exists (select 1 from webhooks.deliveries d where d.event_id = v.id) order by v.made_at limit $2);

-- name: ForgetSecrets
delete from webhooks.secrets where until < $1;

-- name: CheckSecrets
select e.id from webhooks.endpoints e where not exists (select 1 from webhooks.secrets s where s.endpoint_id = e.id and s.until is null)
    or (select count(*) from webhooks.secrets s where s.endpoint_id = e.id and s.until is null) > 1;

-- name: CheckAttempts
select d.id, d.state, d.tried, d.status from webhooks.deliveries d
 where d.tried <> (select count(*) from webhooks.attempts a where a.delivery_id = d.id)
    or d.state = 'delivered' and d.status not between 200 and 299
    or d.state = 'failed' and (d.tried = 0 or d.status between 200 and 299);

-- name: CheckPending
select d.id, e.state from webhooks.deliveries d join webhooks.endpoints e on e.id = d.endpoint_id where d.state = 'pending' and e.state <> 'enabled';
