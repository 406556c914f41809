-- name: Enqueue
insert into jobs.queue (kind, args, created_at, due_at, rank)
select n.kind, n.args::jsonb, now(), now(), n.rank from unnest($1::text[], $2::text[], $3::smallint[]) as n(kind, args, rank);

-- name: Take
with finished as (
    delete from jobs.queue where id = any($1::bigint[]) and worker = $2
)
update jobs.queue set worker = $2, attempts = attempts + 1
 where id = any (array(select id from jobs.queue where worker is null and dead_at is null and due_at <= now()
                        order by rank, due_at, id limit $3 for update skip locked))
returning id, kind, args, attempts, (extract(epoch from now() - created_at) * 1000)::bigint as age_ms;

-- name: Again
update jobs.queue set worker = null, due_at = now() + $3::bigint * interval '1 millisecond', failure = $4, attempts = attempts - $5::int
 where id = $1 and worker = $2;

-- name: GiveUp
update jobs.queue set worker = null, dead_at = now(), failure = $3 where id = $1 and worker = $2;

-- name: Release
update jobs.queue set worker = null where worker = $1 and id <> all($2::bigint[]);

-- name: Count
select count(*) filter (where dead_at is null) as pending,
       count(*) filter (where dead_at is null and (worker is not null or due_at < now() + interval '5 seconds')) as ready,
       count(*) filter (where dead_at is not null) as dead
  from jobs.queue;

-- name: Announce
select pg_advisory_lock(hashtextextended('worker:' || $1, 0));

-- name: Retire
select pg_advisory_unlock(hashtextextended('worker:' || $1, 0));

-- name: Adopt
with workers as materialized (
    select distinct worker as name from jobs.queue where worker is not null
), dead as materialized (
    select name from workers where name <> $1 and pg_try_advisory_xact_lock(hashtextextended('worker:' || name, 0))
)
update jobs.queue set worker = null, due_at = now(), failure = 'its worker died', dead_at = case when attempts >= $2 then now() end
 where worker in (select name from dead);
