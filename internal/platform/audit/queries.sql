-- name: Append
insert into platform.audit_said (at, actor, action, object, detail) values ($1, $2, $3, $4, $5::jsonb);

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
