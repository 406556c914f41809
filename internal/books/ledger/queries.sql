-- name: Post
with t as (
    insert into ledger.transactions (id, reference, kind, currency, digest, occurred_at, recorded_at)
    select p.id, p.reference, p.kind, p.currency, p.digest, p.occurred_at, $7
      from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::timestamptz[])
           as p(id, reference, kind, currency, digest, occurred_at)
    on conflict on constraint ledger_reference_once do nothing
    returning id
)
insert into ledger.entries (transaction_id, account, minor, order_id, enrolment_id)
select t.id, e.account, e.minor, nullif(e.order_id, ''), nullif(e.enrolment_id, '')
  from unnest($8::text[], $9::text[], $10::bigint[], $11::text[], $12::text[]) with ordinality
       as e(transaction_id, account, minor, order_id, enrolment_id, position)
  join t on t.id = e.transaction_id
 order by e.position;

-- name: Digest
select digest from ledger.transactions where reference = $1;

-- name: Balance
select coalesce(sum(e.minor), 0)::bigint
  from ledger.entries e join ledger.transactions t on t.id = e.transaction_id
 where e.account = $1 and t.currency = $2;

-- name: CheckTransactionsBalance
select transaction_id, sum(minor)::bigint as minor from ledger.entries group by transaction_id having sum(minor) <> 0 or count(*) < 2;

-- name: CheckTransactionsHaveEntries
select t.id from ledger.transactions t where not exists (select 1 from ledger.entries e where e.transaction_id = t.id);

-- name: CheckBookBalances
select t.currency, sum(e.minor)::bigint as minor
  from ledger.entries e join ledger.transactions t on t.id = e.transaction_id
 group by t.currency having sum(e.minor) <> 0;

-- name: HoldKept
select pg_advisory_xact_lock(hashtextextended('kept:' || x.id, 0)) from (select id from unnest($1::text[]) as o(id) order by id) x;
