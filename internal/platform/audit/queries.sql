-- name: Append
insert into platform.audit_said (at, actor, action, object, detail, origin) values ($1, $2, $3, $4, $5::jsonb, left($6, 100));

-- name: CheckChain
select a.seq
  from (select a, a.seq, a.hash, row_number() over (order by a.seq) as place,
               lag(a.hash, 1, sha256('cursus')) over (order by a.seq) as earlier
          from platform.audit a) a
 where a.place <> a.seq or a.hash <> platform.audit_hash(a.earlier, a.a);

-- name: CheckHead
select h.seq from platform.audit_head h
 where h.seq <> (select count(*) from platform.audit)
    or (h.seq > 0 and h.hash is distinct from (select hash from platform.audit where seq = h.seq));

-- name: CheckOrigins
select o.seq from platform.audit_origins o join platform.audit a on a.seq = o.seq
 where a.seal is distinct from sha256(o.salt || convert_to(o.origin, 'UTF8'));

-- name: Read
select a.seq, a.at, a.actor, a.action, a.object, a.detail, coalesce(o.origin, '') as origin, a.seal is not null as sealed, encode(a.hash, 'hex') as hash,
       a.hash = platform.audit_hash(coalesce((select e.hash from platform.audit e where e.seq = a.seq - 1), case when a.seq = 1 then sha256('cursus') end), a)
         and (o.seq is null or a.seal is not distinct from sha256(o.salt || convert_to(o.origin, 'UTF8'))) is true as holds
  from platform.audit a left join platform.audit_origins o on o.seq = a.seq
 where ($1::text = '' or a.actor in ($1, 'staff:' || $1, 'learner:' || $1)) and ($2::text = '' or a.object = $2) and ($3::text = '' or starts_with(a.action, $3))
   and ($4::timestamptz is null or a.at >= $4) and ($5::timestamptz is null or a.at < $5) and ($6::bigint = 0 or a.seq < $6)
 order by a.seq desc limit $7;

-- name: Head
select h.seq, encode(h.hash, 'hex') as hash from platform.audit_head h;

-- name: Hold
select pg_advisory_xact_lock(hashtextextended('edit:' || $1::text, 0));
