-- name: Provider
select p.key, p.title, p.shape, p.launch_url, p.login_url, p.client_id, p.deployment_id, p.stop_url, p.enabled, p.sealed, p.sealed_before, p.before_until, p.version,
       (select count(*) from labs.events e where e.provider = p.key and e.problem <> '') as parked
  from labs.providers p where p.key = $1;

-- name: Providers
select p.key, p.title, p.shape, p.launch_url, p.login_url, p.client_id, p.deployment_id, p.stop_url, p.enabled, p.sealed, p.sealed_before, p.before_until, p.version,
       (select count(*) from labs.events e where e.provider = p.key and e.problem <> '') as parked
  from labs.providers p order by p.key limit 500;

-- name: PutProvider
insert into labs.providers (key, title, shape, launch_url, login_url, client_id, deployment_id, stop_url, enabled, sealed, sealed_before, before_until, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
on conflict (key) do update set title = excluded.title, shape = excluded.shape, launch_url = excluded.launch_url, login_url = excluded.login_url, client_id = excluded.client_id,
       deployment_id = excluded.deployment_id, stop_url = excluded.stop_url, enabled = excluded.enabled, sealed = excluded.sealed, sealed_before = excluded.sealed_before,
       before_until = excluded.before_until, version = labs.providers.version + 1
 where $14::int = 0 or labs.providers.version = $14::int;

-- name: AddLab
insert into labs.labs (id, session_id, title_en, title_fr, week, provider, resource, quota_minutes, idle_minutes, currency, cost_milli, entitlement, open, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14);

-- name: PutLab
update labs.labs set title_en = $2, title_fr = $3, week = $4, provider = $5, resource = $6, quota_minutes = $7, idle_minutes = $8, currency = $9, cost_milli = $10,
       entitlement = $11, open = $12, version = version + 1
 where id = $1 and version = $13;

-- name: Lab
select l.id, l.session_id, s.key as session_key, l.title_en, l.title_fr, l.week, l.provider, l.resource, l.quota_minutes, l.idle_minutes, l.currency, l.cost_milli,
       l.entitlement, l.open, l.version, labs.served(l.provider) as served, u.minutes, u.cost_minor
  from labs.labs l join catalog.sessions s on s.id = l.session_id
  cross join lateral (select coalesce(sum(x.minutes), 0)::int as minutes, coalesce(sum(x.cost_minor) filter (where x.currency = l.currency), 0)::bigint as cost_minor
                        from labs.launches x where x.lab_id = l.id) u
 where l.id = $1;

-- name: Labs
select l.id, l.session_id, s.key as session_key, l.title_en, l.title_fr, l.week, l.provider, l.resource, l.quota_minutes, l.idle_minutes, l.currency, l.cost_milli,
       l.entitlement, l.open, l.version, labs.served(l.provider) as served, u.minutes, u.cost_minor
  from labs.labs l join catalog.sessions s on s.id = l.session_id
  cross join lateral (select coalesce(sum(x.minutes), 0)::int as minutes, coalesce(sum(x.cost_minor) filter (where x.currency = l.currency), 0)::bigint as cost_minor
                        from labs.launches x where x.lab_id = l.id) u
 where l.session_id = $1 order by l.week, l.id limit 500;

-- name: LabsOfProvider
select l.id, l.session_id, s.key as session_key, l.title_en, l.title_fr, l.week, l.provider, l.resource, l.quota_minutes, l.idle_minutes, l.currency, l.cost_milli,
       l.entitlement, l.open, l.version, labs.served(l.provider) as served, u.minutes, u.cost_minor
  from labs.labs l join catalog.sessions s on s.id = l.session_id
  cross join lateral (select coalesce(sum(x.minutes), 0)::int as minutes, coalesce(sum(x.cost_minor) filter (where x.currency = l.currency), 0)::bigint as cost_minor
                        from labs.launches x where x.lab_id = l.id) u
 where l.provider = $1 order by s.key, l.week, l.id limit 500;

-- name: Disputed
select labs.disputed($1);

-- name: Used
select lab_id, bool_or(state = 'running') as running,
       (sum(minutes) + coalesce(sum(ceil(extract(epoch from greatest($2::timestamptz - started_at, interval '0')) / 60)) filter (where state = 'running'), 0))::int as minutes
  from labs.launches where enrolment_id = $1 group by lab_id;

-- name: Launch
insert into labs.launches (id, lab_id, provider, enrolment_id, learner_id, currency, cost_milli, idle_minutes, tokens, issued_at, expires_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9, $10)
on conflict (lab_id, enrolment_id) where state <> 'ended' do update set tokens = labs.launches.tokens + 1, expires_at = excluded.expires_at,
       provider = case when labs.launches.state = 'issued' then excluded.provider else labs.launches.provider end,
       currency = case when labs.launches.state = 'issued' then excluded.currency else labs.launches.currency end,
       cost_milli = case when labs.launches.state = 'issued' then excluded.cost_milli else labs.launches.cost_milli end,
       idle_minutes = case when labs.launches.state = 'issued' then excluded.idle_minutes else labs.launches.idle_minutes end
returning id;

-- name: LaunchOf
select id, lab_id, provider, enrolment_id, learner_id, currency, cost_milli, idle_minutes, state, tokens, redeemed, issued_at, expires_at, started_at, last_at, ended_at,
       help_since, stop_asked_at, stop_reason, minutes, cost_minor, costing
  from labs.launches where id = $1;

-- name: LockLaunch
select id from labs.launches where id = $1 for update;

-- name: Redeem
update labs.launches set redeemed = $2 where id = $1;

-- name: AddEvent
insert into labs.events (provider, event_id, launch_id, learner_id, kind, happened_at, said_by, problem, raw, received_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict (provider, event_id) do nothing;

-- name: EventsOf
select kind, happened_at from labs.events where launch_id = $1;

-- name: HasOpen
select exists (select 1 from labs.launches where lab_id = $1 and enrolment_id = $2 and state <> 'ended');

-- name: Settle
update labs.launches set state = $2, started_at = $3, last_at = $4, ended_at = $5, help_since = $6, minutes = $7, cost_minor = $8, costing = $9 where id = $1;

-- name: AskStop
update labs.launches set stop_asked_at = $2, stop_reason = $3 where id = $1;

-- name: RunningLaunches
select id from labs.launches where state = 'running' order by last_at limit 5000;

-- name: Board
select x.id, x.lab_id, x.provider, x.enrolment_id, x.learner_id, x.currency, x.cost_milli, x.idle_minutes, x.state, x.tokens, x.redeemed, x.issued_at, x.expires_at,
       x.started_at, x.last_at, x.ended_at, x.help_since, x.stop_asked_at, x.stop_reason, x.minutes, x.cost_minor, x.costing,
       s.key as session_key, l.title_en, l.title_fr, p.full_name, l.quota_minutes, u.used
  from labs.labs l join catalog.sessions s on s.id = l.session_id join labs.launches x on x.lab_id = l.id and x.state = 'running'
  join identity.people p on p.id = x.learner_id
  cross join lateral (
      select (sum(y.minutes) + coalesce(sum(ceil(extract(epoch from greatest($2::timestamptz - y.started_at, interval '0')) / 60)) filter (where y.state = 'running'), 0))::int as used
        from labs.launches y where y.enrolment_id = x.enrolment_id and y.lab_id = x.lab_id) u
 where l.session_id = $1 order by x.help_since nulls last, x.last_at desc, x.id limit 500;

-- name: BoardOf
select x.id, x.lab_id, x.provider, x.enrolment_id, x.learner_id, x.currency, x.cost_milli, x.idle_minutes, x.state, x.tokens, x.redeemed, x.issued_at, x.expires_at,
       x.started_at, x.last_at, x.ended_at, x.help_since, x.stop_asked_at, x.stop_reason, x.minutes, x.cost_minor, x.costing,
       s.key as session_key, l.title_en, l.title_fr, p.full_name, l.quota_minutes, u.used
  from unnest($1::text[], $2::text[]) as w(learner_id, session_id)
  join labs.launches x on x.learner_id = w.learner_id and x.state = 'running' join labs.labs l on l.id = x.lab_id and l.session_id = w.session_id
  join catalog.sessions s on s.id = l.session_id join identity.people p on p.id = x.learner_id
  cross join lateral (
      select (sum(y.minutes) + coalesce(sum(ceil(extract(epoch from greatest($3::timestamptz - y.started_at, interval '0')) / 60)) filter (where y.state = 'running'), 0))::int as used
        from labs.launches y where y.enrolment_id = x.enrolment_id and y.lab_id = x.lab_id) u
 order by x.help_since nulls last, x.last_at desc, x.id limit 500;

-- name: Usages
select x.id, x.lab_id, x.provider, x.enrolment_id, x.learner_id, x.currency, x.cost_milli, x.idle_minutes, x.state, x.tokens, x.redeemed, x.issued_at, x.expires_at,
       x.started_at, x.last_at, x.ended_at, x.help_since, x.stop_asked_at, x.stop_reason, x.minutes, x.cost_minor, x.costing,
       s.key as session_key, l.title_en, l.title_fr, p.full_name, l.quota_minutes, u.used
  from labs.labs l join catalog.sessions s on s.id = l.session_id join labs.launches x on x.lab_id = l.id and x.state <> 'issued'
  join identity.people p on p.id = x.learner_id
  cross join lateral (
      select (sum(y.minutes) + coalesce(sum(ceil(extract(epoch from greatest($2::timestamptz - y.started_at, interval '0')) / 60)) filter (where y.state = 'running'), 0))::int as used
        from labs.launches y where y.enrolment_id = x.enrolment_id and y.lab_id = x.lab_id) u
 where l.session_id = $1 and ($3 = '' or x.id < $3) order by x.id desc limit $4;

-- name: CheckCostInLedger
select c.currency, c.noted, coalesce(l.posted, 0) as posted
  from (select currency, sum(cost_minor)::bigint as noted from labs.launches group by currency) c
  left join (select t.currency, sum(e.minor)::bigint as posted from ledger.entries e join ledger.transactions t on t.id = e.transaction_id
              where e.account = 'cost:lab' group by t.currency) l on l.currency = c.currency
 where c.noted <> coalesce(l.posted, 0);

-- name: CheckCostByRule
select x.id, x.state, x.minutes, x.cost_minor, coalesce(p.posted, 0) as posted
  from labs.launches x
  left join lateral (select sum(e.minor)::bigint as posted
                       from generate_series(1, x.costing) n
                       join ledger.transactions t on t.reference in (x.id || ':cost:' || n, x.id || ':cost:' || n || ':back')
                       join ledger.entries e on e.transaction_id = t.id and e.account = 'cost:lab' and e.enrolment_id = x.enrolment_id) p on true
 where x.cost_minor <> case when x.state = 'ended' then (x.minutes * x.cost_milli + 500) / 1000 else 0 end or x.cost_minor <> coalesce(p.posted, 0);

-- name: CheckNothingElse
select t.reference from ledger.entries e join ledger.transactions t on t.id = e.transaction_id
 where e.account = 'cost:lab' and not exists (select 1 from labs.launches x where x.id = split_part(t.reference, ':', 1));

-- name: CheckBegun
select x.id from labs.launches x
 where (x.state = 'issued') <> not exists (select 1 from labs.events e where e.launch_id = x.id and e.kind <> 'help_given');
