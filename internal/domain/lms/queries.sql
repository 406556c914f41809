-- name: LockPlatform
-- Not for update: what is asked for refers to the platform, and would wait.
select 1 from lms.platforms where key = $1 for no key update;

-- name: Platforms
select p.key, p.base_url, p.auth, p.client_id, p.per_minute, p.enabled, p.version, p.failures, coalesce(p.failure, '') as failure, p.closed_until, p.answered_at,
       c.pending, c.confirmed, c.waiting, c.refused, coalesce(m.formulas, '{}') as formulas, coalesce(m.modes, '{}') as modes
  from lms.platforms p
  cross join lateral (select count(*) filter (where state = 'pending') as pending, count(*) filter (where state = 'confirmed') as confirmed,
                             count(*) filter (where state = 'waiting') as waiting, count(*) filter (where state = 'refused') as refused
                        from lms.syncs where platform = p.key) c
  cross join lateral (select array_agg(formula order by formula) as formulas, array_agg(mode order by formula) as modes from lms.modes where platform = p.key) m
 where $1::text = '' or p.key = $1 order by p.key;

-- name: PutPlatform
-- Whoever rewrites it mended something: it is tried again at once.
insert into lms.platforms as p (key, base_url, auth, client_id, per_minute, enabled, made_at) values ($1, $2, $3, $4, $5, $6, $7)
on conflict (key) do update
   set base_url = excluded.base_url, auth = excluded.auth, client_id = excluded.client_id, per_minute = excluded.per_minute, enabled = excluded.enabled,
       version = p.version + 1, failures = 0, failure = null, closed_until = null;

-- name: PutSecret
insert into lms.secrets (platform, sealed) values ($1, $2) on conflict (platform) do update set sealed = excluded.sealed;

-- name: DropModes
delete from lms.modes where platform = $1 and formula <> all($2::text[]);

-- name: PutModes
insert into lms.modes (platform, formula, mode) select $1, n.formula, n.mode from unnest($2::text[], $3::text[]) as n(formula, mode)
on conflict (platform, formula) do update set mode = excluded.mode;

-- name: Ask
insert into lms.syncs as s (enrolment_id, platform, state, asked_at, due_at)
select w.enrolment_id, p.key, 'pending', $2, $2 from lms.wanted w join lms.platforms p on p.key = w.platform where w.enrolment_id = $1
on conflict (enrolment_id) do update
   set platform = excluded.platform, state = 'pending', asked = s.asked + 1, asked_at = excluded.asked_at, due_at = excluded.due_at, step = 0, failure = null, detail = ''
returning platform;

-- name: AskDiffering
insert into lms.syncs as s (enrolment_id, platform, state, asked_at, due_at)
select w.enrolment_id, p.key, 'pending', $2, $2
  from lms.wanted w join lms.platforms p on p.key = w.platform left join lms.syncs x on x.enrolment_id = w.enrolment_id
 where ($1::text = '' or p.key = $1) and p.enabled
   and case when x.enrolment_id is null then w.mode is not null and (w.ends_at is null or w.ends_at > $2)
            else x.platform <> p.key or x.state = 'confirmed' and (x.active <> (w.mode is not null) or w.mode is not null and (x.mode <> w.mode or x.course <> w.course)) end
on conflict (enrolment_id) do update
   set platform = excluded.platform, state = 'pending', asked = s.asked + 1, asked_at = excluded.asked_at, due_at = excluded.due_at, step = 0, failure = null, detail = '';

-- name: AskUnconfirmed
update lms.syncs set state = 'pending', asked = asked + 1, due_at = $2, step = 0, failure = null, detail = '' where platform = $1 and state <> 'confirmed';

-- name: Reopen
update lms.platforms set failures = 0, failure = null, closed_until = null where key = $1;

-- name: Idle
-- Without a lock: who asks holds rows that a worker, who holds the platform, may want.
select 1 from lms.platforms where key = $1 and enabled and (busy_until is null or busy_until <= $2) and (closed_until is null or closed_until <= $2);

-- name: AskDue
select p.key from lms.platforms p
 where p.enabled and (p.busy_until is null or p.busy_until <= $1) and (p.closed_until is null or p.closed_until <= $1)
   and exists (select 1 from lms.syncs s where s.platform = p.key and s.state <> 'confirmed' and s.due_at <= $1)
 order by p.key;

-- name: Lease
update lms.platforms set busy_until = $3 where key = $1 and enabled and (busy_until is null or busy_until <= $2) and (closed_until is null or closed_until <= $2);

-- name: Release
update lms.platforms set busy_until = null where key = $1;

-- name: Serve
select p.base_url, p.auth, p.client_id, p.version, p.enabled, p.failures, coalesce(s.sealed, '') as sealed,
       coalesce((select array_agg(distinct mode order by mode) from lms.modes m where m.platform = p.key), '{}') as modes
  from lms.platforms p left join lms.secrets s on s.platform = p.key where p.key = $1 for no key update of p;

-- name: Take
select s.enrolment_id, s.asked, s.step, s.touched, s.mode as told_mode, w.enrolment_id is not null and w.platform = s.platform as wanted,
       coalesce(w.ends_at <= $2, false) as over, coalesce(w.course, '') as course, coalesce(w.mode, '') as mode, e.learner_id, coalesce(u.username, '') as username, coalesce(u.by_staff, false) as by_staff, coalesce(i.email, '') as email
  from lms.syncs s
  join enrolment.enrolments e on e.id = s.enrolment_id
  join identity.people i on i.id = e.learner_id
  left join lms.wanted w on w.enrolment_id = s.enrolment_id
  left join lms.usernames u on u.platform = s.platform and u.person_id = e.learner_id
 where s.platform = $1 and s.state <> 'confirmed' and s.due_at <= $2
 order by s.due_at, s.enrolment_id limit 1;

-- name: Drop
delete from lms.syncs where enrolment_id = $1;

-- name: Touch
with kept as (
    update lms.platforms set busy_until = $3 where key = $1
)
update lms.syncs set touched = true where enrolment_id = $2;

-- name: Turn
-- Where nothing was called for a while the places begin a few before now.
update lms.platforms
   set next_call_at = greatest(next_call_at, $2::timestamptz - ($3::int - 1) * interval '1 minute' / per_minute) + interval '1 minute' / per_minute
 where key = $1 returning next_call_at - interval '1 minute' / per_minute;

-- name: ForgetUsername
delete from lms.usernames where platform = $1 and person_id = $2 and not by_staff;

-- name: LearnUsername
-- One account of two people of ours is what staff have to look at: the first one keeps it.
insert into lms.usernames (platform, person_id, username, by_staff) values ($1, $2, $3, false) on conflict do nothing;

-- name: PutUsername
insert into lms.usernames (platform, person_id, username, by_staff) values ($1, $2, $3, true)
on conflict (platform, person_id) do update set username = excluded.username, by_staff = true;

-- name: Well
update lms.platforms set failures = 0, failure = null, closed_until = null, answered_at = $2 where key = $1;

-- name: Ill
update lms.platforms set failures = $2, failure = $3, closed_until = $4::timestamptz, busy_until = case when $4::timestamptz is null then busy_until end where key = $1;

-- name: Record
-- What was asked for meanwhile stays pending: this was the answer to an older question.
update lms.syncs
   set state = case when asked = $2 then $3 else 'pending' end, due_at = case when asked = $2 then $4::timestamptz else due_at end,
       step = case when asked = $2 then step + 1 else step end, tried = tried + 1, tried_at = $10, failure = nullif($5, ''), detail = $6,
       course = coalesce($7, course), mode = coalesce($8, mode), active = coalesce($9::boolean, active),
       confirmed_at = case when $3 = 'confirmed' then $10 else confirmed_at end
 where enrolment_id = $1;

-- name: SyncsOf
select s.enrolment_id, e.learner_id, c.key as session, s.platform, s.state, coalesce(u.username, '') as username, coalesce(w.mode, '') as wanted_mode, coalesce(s.course, '') as course,
       coalesce(s.mode, '') as mode, s.active, s.confirmed_at, s.asked_at, s.tried, s.tried_at, s.due_at, coalesce(s.failure, '') as failure, s.detail
  from lms.syncs s
  join enrolment.enrolments e on e.id = s.enrolment_id
  join catalog.sessions c on c.id = e.session_id
  left join lms.wanted w on w.enrolment_id = s.enrolment_id
  left join lms.usernames u on u.platform = s.platform and u.person_id = e.learner_id
 where s.enrolment_id = any($1::text[]);

-- name: Syncs
select s.enrolment_id, e.learner_id, c.key as session, s.platform, s.state, coalesce(u.username, '') as username, coalesce(w.mode, '') as wanted_mode, coalesce(s.course, '') as course,
       coalesce(s.mode, '') as mode, s.active, s.confirmed_at, s.asked_at, s.tried, s.tried_at, s.due_at, coalesce(s.failure, '') as failure, s.detail
  from lms.syncs s
  join enrolment.enrolments e on e.id = s.enrolment_id
  join catalog.sessions c on c.id = e.session_id
  left join lms.wanted w on w.enrolment_id = s.enrolment_id
  left join lms.usernames u on u.platform = s.platform and u.person_id = e.learner_id
 where s.platform = $1 and ($2::text = '' or s.state = $2) and ($3::text = '' or c.key = $3) and s.enrolment_id > $4
 order by s.enrolment_id limit $5;

-- name: Figures
select count(*) filter (where state = 'pending') as pending, count(*) filter (where state = 'waiting') as waiting, count(*) filter (where state = 'refused') as refused,
       coalesce(extract(epoch from $1::timestamptz - min(asked_at) filter (where state = 'pending')), 0)::bigint as oldest_seconds
  from lms.syncs where state <> 'confirmed';

-- name: CheckTold
-- What a change of grants enqueued and nobody worked on yet is on its way, too.
select w.enrolment_id, w.mode as wanted, s.mode as told, s.active from lms.wanted w join lms.platforms p on p.key = w.platform and p.enabled
  left join lms.syncs s on s.enrolment_id = w.enrolment_id
 where (s.enrolment_id is null and w.mode is not null and (w.ends_at is null or w.ends_at > now())
        or s.state = 'confirmed' and (s.active <> (w.mode is not null) or w.mode is not null and (s.mode <> w.mode or s.course <> w.course)))
   and not exists (select 1 from jobs.queue j where j.kind = 'enrolment.changed' and j.args ->> 'enrolment_id' = w.enrolment_id and j.dead_at is null);

-- name: CheckSecrets
select key from lms.platforms p where not exists (select 1 from lms.secrets s where s.platform = p.key);

-- name: BeginComparisons
-- Of sessions that are told, not over, and were not compared for a day; one of which nothing is confirmed has nothing to compare.
insert into lms.comparisons as c (session_id, platform, course, started_at)
select distinct s.id, p.key, s.platform_key, $1::timestamptz
  from catalog.sessions s join lms.platforms p on p.key = s.platform and p.enabled and p.auth <> 'api_key'
 where s.platform_key <> '' and (s.ends_at is null or s.ends_at > $2)
   and exists (select 1 from enrolment.enrolments e join lms.syncs x on x.enrolment_id = e.id and x.platform = p.key and x.state = 'confirmed' where e.session_id = s.id)
on conflict (session_id) do update set platform = excluded.platform, course = excluded.course, started_at = excluded.started_at, finished_at = null, listed = 0, failure = null
 where c.started_at <= $2
returning session_id;

-- name: Comparison
select c.platform, c.course, p.enabled, p.base_url, p.auth, p.client_id, p.version, coalesce(s.sealed, '') as sealed
  from lms.comparisons c join lms.platforms p on p.key = c.platform left join lms.secrets s on s.platform = p.key
 where c.session_id = $1 and c.finished_at is null;

-- name: KeepList
with counted as (
    update lms.comparisons set listed = listed + cardinality($2::text[]) where session_id = $1
)
update lms.syncs x set listed_at = $5, listed_mode = l.mode, listed_active = l.active
  from unnest($2::text[], $3::text[], $4::boolean[]) as l(username, mode, active)
  join lms.usernames u on u.username = l.username
  join enrolment.enrolments e on e.learner_id = u.person_id and e.session_id = $1
 where x.enrolment_id = e.id and x.platform = u.platform;

-- name: EndComparison
update lms.comparisons set finished_at = $2, failure = nullif($3, '') where session_id = $1;

-- name: Differences
select x.enrolment_id, s.key as session, coalesce(u.username, '') as username, case when x.active then x.mode else '' end as mode,
       case when x.listed_at >= c.started_at and x.listed_active then x.listed_mode else '' end as listed_mode, c.finished_at as compared_at
  from lms.comparisons c
  join catalog.sessions s on s.id = c.session_id
  join enrolment.enrolments e on e.session_id = c.session_id
  join lms.syncs x on x.enrolment_id = e.id and x.platform = c.platform
  left join lms.usernames u on u.platform = x.platform and u.person_id = e.learner_id
 where c.platform = $1 and c.finished_at is not null and c.failure is null and x.state = 'confirmed' and x.confirmed_at < c.started_at
   and case when x.active then x.listed_at is null or x.listed_at < c.started_at or not x.listed_active or x.listed_mode <> x.mode
            else x.listed_at >= c.started_at and x.listed_active end
   and x.enrolment_id > $2
 order by x.enrolment_id limit $3;

-- name: PlatformOfSession
select p.key as platform, s.platform_key as course, p.enabled, p.base_url, p.auth, p.client_id, p.version, p.closed_until, coalesce(x.sealed, '') as sealed
  from catalog.sessions s join lms.platforms p on p.key = s.platform left join lms.secrets x on x.platform = p.key
 where s.id = $1 and s.platform_key <> '';
