-- name: Count
select count(*) filter (where state in ('available', 'pending', 'retryable', 'running', 'scheduled')) as pending,
       count(*) filter (where state in ('available', 'running') or state in ('pending', 'retryable', 'scheduled') and scheduled_at < now() + interval '5 seconds') as ready,
       count(*) filter (where state = 'discarded') as dead
  from jobs.river_job;

-- name: Announce
select pg_advisory_lock(hashtextextended('worker:' || $1, 0));

-- name: Retire
select pg_advisory_unlock(hashtextextended('worker:' || $1, 0));

-- name: Adopt
with workers as materialized (
    select distinct attempted_by[array_upper(attempted_by, 1)] as name from jobs.river_job where state = 'running'
), dead as materialized (
    select name from workers where name <> $1 and pg_try_advisory_xact_lock(hashtextextended('worker:' || name, 0))
)
update jobs.river_job set state = 'available', scheduled_at = now()
 where state = 'running' and attempted_by[array_upper(attempted_by, 1)] in (select name from dead);

-- name: LockMigration
select pg_advisory_lock(hashtextextended('jobs:migration', 0));
