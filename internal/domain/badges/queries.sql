-- name: SigningKey
select id, jwk, sealed, made_at, retired_at from badges.keys where retired_at is null;

-- name: Key
select id, jwk, made_at, retired_at from badges.keys where id = $1;

-- name: Keys
select id, jwk, made_at, retired_at from badges.keys order by id desc limit 1000;

-- name: LockKeys
select pg_advisory_xact_lock(hashtextextended('badges.keys', 0));

-- name: StillSigns
-- Held, so that it is not retired before what it signs is kept.
select exists (select 1 from badges.keys where id = $1 and retired_at is null for share);

-- name: RetireKeys
update badges.keys set retired_at = $1 where retired_at is null;

-- name: AddKey
insert into badges.keys (id, jwk, sealed, made_at) values ($1, $2, $3, $4);

-- name: Credential
select jws from badges.credentials where certificate_id = $1;

-- name: List
-- Lists are filled to a half, so that a free place is found at once.
select count(*) / $1::int + 1 from badges.credentials;

-- name: AddCredential
insert into badges.credentials (certificate_id, list, place, key_id, jws, signed_at) values ($1, $2, $3, $4, $5, $6) on conflict do nothing;

-- name: Revoked
select b.place from badges.credentials b join certificates.certificates c on c.id = b.certificate_id where b.list = $1 and (c.revoked_at is not null or c.replaced_at is not null);

-- name: HasList
select exists (select 1 from badges.credentials where list = $1);

-- name: CheckSigned
select b.certificate_id from badges.credentials b join badges.keys k on k.id = b.key_id
 where b.signed_at < k.made_at or b.signed_at > k.retired_at;
