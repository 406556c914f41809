-- name: TryLock
select pg_try_advisory_xact_lock(hashtextextended(jsonb_build_array($1::text, $2::text)::text, 7140333));

-- name: Find
select request_hash, status, body from platform.idempotency where principal = $1 and key = $2;

-- name: Store
insert into platform.idempotency (principal, key, request_hash, status, body, created_at) values ($1, $2, $3, $4, $5, $6);

-- name: Forget
delete from platform.idempotency where created_at < $1;
