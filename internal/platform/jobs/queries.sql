-- name: Count
select count(*) filter (where state in ('available', 'pending', 'retryable', 'running', 'scheduled')) as pending,
       count(*) filter (where state in ('available', 'running') or state in ('pending', 'retryable', 'scheduled') and scheduled_at < now() + interval '5 seconds') as ready,
       count(*) filter (where state = 'discarded') as dead
  from jobs.river_job;
