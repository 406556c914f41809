-- name: Count
select count(*) filter (where state in ('available', 'pending', 'retryable', 'running', 'scheduled')) as pending,
       count(*) filter (where state = 'discarded') as dead
  from jobs.river_job;
