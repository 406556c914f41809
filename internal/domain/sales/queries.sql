-- name: One
select o.id, o.buyer_id, o.offer_id, o.session_id, s.key as session_key, o.formula, o.entitlements, o.qualifying, o.total_minor, o.currency,
       o.credited_minor, o.state, o.lang, o.demo, coalesce(o.enrolment_id, '') as enrolment_id, coalesce(o.payment_id, '') as payment_id,
       o.placed_at, o.expires_at, o.paid_at
  from sales.orders o join catalog.sessions s on s.id = o.session_id
 where o.id = $1;

-- name: Lock
select o.id, o.buyer_id, o.offer_id, o.session_id, s.key as session_key, o.formula, o.entitlements, o.qualifying, o.total_minor, o.currency,
       o.credited_minor, o.state, o.lang, o.demo, coalesce(o.enrolment_id, '') as enrolment_id, coalesce(o.payment_id, '') as payment_id,
       o.placed_at, o.expires_at, o.paid_at,
       exists (select 1 from sales.orders x where x.buyer_id = o.buyer_id and x.session_id = o.session_id and x.id <> o.id
                  and x.state in ('paid', 'partially_refunded', 'disputed') and x.entitlements @> o.entitlements) as superseded
  from sales.orders o join catalog.sessions s on s.id = o.session_id
 where o.id = $1 for update of o;

-- name: List
select o.id, o.buyer_id, o.offer_id, o.session_id, s.key as session_key, o.formula, o.entitlements, o.qualifying, o.total_minor, o.currency,
       o.credited_minor, o.state, o.lang, o.demo, coalesce(o.enrolment_id, '') as enrolment_id, coalesce(o.payment_id, '') as payment_id,
       o.placed_at, o.expires_at, o.paid_at
  from sales.orders o join catalog.sessions s on s.id = o.session_id
 where o.buyer_id = $1 and ($2::text = '' or o.id < $2) order by o.id desc limit $3;

-- name: OpenOrder
select o.id, o.buyer_id, o.offer_id, o.session_id, s.key as session_key, o.formula, o.entitlements, o.qualifying, o.total_minor, o.currency,
       o.credited_minor, o.state, o.lang, o.demo, coalesce(o.enrolment_id, '') as enrolment_id, coalesce(o.payment_id, '') as payment_id,
       o.placed_at, o.expires_at, o.paid_at
  from sales.orders o join catalog.sessions s on s.id = o.session_id
 where o.buyer_id = $1 and o.offer_id = $2 and o.state = 'awaiting_payment' and (o.expires_at is null or o.expires_at > $3);

-- name: LockBuyer
select pg_advisory_xact_lock(hashtextextended('sales:' || $1, 0));

-- name: Add
insert into sales.orders (id, buyer_id, offer_id, session_id, formula, entitlements, qualifying, total_minor, currency, state, lang, demo, payment_id, placed_at, expires_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15);

-- name: Move
update sales.orders set state = $2, credited_minor = $3, enrolment_id = $4, paid_at = $5 where id = $1;

-- name: CheckOrdersBalance
select o.id, o.state, o.total_minor, o.credited_minor, b.minor
  from sales.orders o
  join lateral (select coalesce(sum(e.minor), 0)::bigint as minor from ledger.entries e
                 where e.order_id = o.id and (e.account like 'clearing:%' or e.account in ('receivable', 'overpaid', 'suspense', 'refunds_payable'))) b on true
 where o.paid_at is not null and b.minor <> o.total_minor - o.credited_minor
    or o.paid_at is null and b.minor <> 0;

-- name: CheckPaidInFull
select o.id, o.total_minor, p.captured_minor from sales.orders o left join payments.payments p on p.id = o.payment_id
 where o.paid_at is not null and o.total_minor > 0
   and (p.state is distinct from 'captured' or p.captured_minor <> o.total_minor or p.captured_currency <> o.currency);

-- name: CheckPaidEnrolled
select o.id from sales.orders o
 where o.paid_at is not null
   and not exists (select 1 from enrolment.grants g where g.order_id = o.id and g.enrolment_id = o.enrolment_id);

-- name: CheckNoGrantOnReversed
select o.id, o.state from sales.orders o join enrolment.grants g on g.order_id = o.id
 where o.state not in ('paid', 'partially_refunded', 'disputed') and g.revoked_at is null;

-- name: CheckPriceQuoted
select o.id from sales.orders o join payments.payments p on p.order_id = o.id
 where p.amount_minor <> o.total_minor or p.currency <> o.currency;

-- name: CheckInvoiced
select o.id, 'invoice' as missing from sales.orders o
 where o.paid_at is not null and o.total_minor > 0
   and not exists (select 1 from invoicing.documents d where d.order_id = o.id and d.kind = 'invoice' and d.amount_minor = o.total_minor and d.currency = o.currency)
union all
select r.id, 'credit note' from payments.refunds r join payments.payments p on p.id = r.payment_id
 where r.state = 'succeeded' and p.state = 'captured'
   and not exists (select 1 from invoicing.documents d where d.reference = r.id and d.amount_minor = r.amount_minor);

-- name: CheckLedgerOrders
select e.id, e.order_id from ledger.entries e
 where e.order_id is not null and not exists (select 1 from sales.orders o where o.id = e.order_id);

-- name: Demo
select exists (select 1 from sales.orders where session_id = $1 and demo and total_minor > 0);
