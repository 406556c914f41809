-- name: Begin
with key as materialized (
    select pg_try_advisory_xact_lock(hashtextextended(jsonb_build_array($1::text, $2::text)::text, 7140333)) as mine
)
select key.mine, i.key is not null as known, coalesce(i.request_hash, '') as request_hash, coalesce(i.status, 0) as status, coalesce(i.body, '') as body
  from key left join platform.idempotency i on i.principal = $1 and i.key = $2;

-- name: Store
insert into platform.idempotency (principal, key, request_hash, status, body, created_at) values ($1, $2, $3, $4, $5, $6);

-- name: Forget
delete from platform.idempotency where created_at < $1;
