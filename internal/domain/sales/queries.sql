-- name: One
select o.id, o.buyer_id, o.offer_id, coalesce(o.session_id, '') as session_id, coalesce(s.key, '') as session_key, coalesce(o.edition_id, '') as edition_id,
       coalesce(e.key, '') as edition_key, coalesce(o.program_version, 0) as program_version, coalesce(s.title_en, e.title_en) as title_en,
       coalesce(s.title_fr, e.title_fr) as title_fr, o.formula, o.entitlements, o.qualifying, o.total_minor, o.currency,
       o.credited_minor, o.state, o.lang, o.demo, coalesce(o.enrolment_id, '') as enrolment_id, coalesce(o.membership_id, '') as membership_id,
       coalesce(o.payment_id, '') as payment_id, o.placed_at, o.expires_at, o.paid_at
  from sales.orders o left join catalog.sessions s on s.id = o.session_id left join programs.editions e on e.id = o.edition_id
 where o.id = $1;

-- name: Lock
select o.id, o.buyer_id, o.offer_id, coalesce(o.session_id, '') as session_id, coalesce(s.key, '') as session_key, coalesce(o.edition_id, '') as edition_id,
       coalesce(e.key, '') as edition_key, coalesce(o.program_version, 0) as program_version, coalesce(s.title_en, e.title_en) as title_en,
       coalesce(s.title_fr, e.title_fr) as title_fr, o.formula, o.entitlements, o.qualifying, o.total_minor, o.currency,
       o.credited_minor, o.state, o.lang, o.demo, coalesce(o.enrolment_id, '') as enrolment_id, coalesce(o.membership_id, '') as membership_id,
       coalesce(o.payment_id, '') as payment_id, o.placed_at, o.expires_at, o.paid_at,
       exists (select 1 from sales.orders x where x.buyer_id = o.buyer_id and x.id <> o.id
                  and x.session_id is not distinct from o.session_id and x.edition_id is not distinct from o.edition_id
                  and x.state in ('paid', 'partially_refunded', 'disputed') and x.entitlements @> o.entitlements) as superseded
  from sales.orders o left join catalog.sessions s on s.id = o.session_id left join programs.editions e on e.id = o.edition_id
 where o.id = $1 for update of o;

-- name: List
select o.id, o.buyer_id, o.offer_id, coalesce(o.session_id, '') as session_id, coalesce(s.key, '') as session_key, coalesce(o.edition_id, '') as edition_id,
       coalesce(e.key, '') as edition_key, coalesce(o.program_version, 0) as program_version, coalesce(s.title_en, e.title_en) as title_en,
       coalesce(s.title_fr, e.title_fr) as title_fr, o.formula, o.entitlements, o.qualifying, o.total_minor, o.currency,
       o.credited_minor, o.state, o.lang, o.demo, coalesce(o.enrolment_id, '') as enrolment_id, coalesce(o.membership_id, '') as membership_id,
       coalesce(o.payment_id, '') as payment_id, o.placed_at, o.expires_at, o.paid_at
  from sales.orders o left join catalog.sessions s on s.id = o.session_id left join programs.editions e on e.id = o.edition_id
 where o.buyer_id = $1 and ($2::text = '' or o.id < $2) order by o.id desc limit $3;

-- name: OpenOrder
select o.id, o.buyer_id, o.offer_id, coalesce(o.session_id, '') as session_id, coalesce(s.key, '') as session_key, coalesce(o.edition_id, '') as edition_id,
       coalesce(e.key, '') as edition_key, coalesce(o.program_version, 0) as program_version, coalesce(s.title_en, e.title_en) as title_en,
       coalesce(s.title_fr, e.title_fr) as title_fr, o.formula, o.entitlements, o.qualifying, o.total_minor, o.currency,
       o.credited_minor, o.state, o.lang, o.demo, coalesce(o.enrolment_id, '') as enrolment_id, coalesce(o.membership_id, '') as membership_id,
       coalesce(o.payment_id, '') as payment_id, o.placed_at, o.expires_at, o.paid_at
  from sales.orders o left join catalog.sessions s on s.id = o.session_id left join programs.editions e on e.id = o.edition_id
 where o.buyer_id = $1 and o.offer_id = $2 and o.state = 'awaiting_payment' and (o.expires_at is null or o.expires_at > $3);

-- name: LockBuyer
select pg_advisory_xact_lock(hashtextextended('sales:' || $1, 0));

-- name: Add
insert into sales.orders (id, buyer_id, offer_id, session_id, formula, entitlements, qualifying, total_minor, currency, state, lang, demo, payment_id, placed_at, expires_at,
       edition_id, program_version)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17);

-- name: Move
update sales.orders set state = $2, credited_minor = $3, enrolment_id = $4, paid_at = $5, membership_id = $6 where id = $1;

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
 where o.paid_at is not null and o.session_id is not null
   and not exists (select 1 from enrolment.grants g where g.order_id = o.id and g.enrolment_id = o.enrolment_id);

-- name: CheckPaidMember
select o.id from sales.orders o
 where o.paid_at is not null and o.edition_id is not null
   and (not exists (select 1 from enrolment.memberships m
                     where m.id = o.membership_id and m.order_id = o.id and m.edition_id = o.edition_id and m.learner_id = o.buyer_id
                       and m.version = o.program_version)
     or not exists (select 1 from sales.parts p where p.order_id = o.id)
     or exists (select 1 from sales.parts p where p.order_id = o.id
                   and not exists (select 1 from enrolment.grants g join enrolment.enrolments e on e.id = g.enrolment_id
                                    where g.order_id = o.id and e.id = p.enrolment_id and e.session_id = p.session_id and e.learner_id = o.buyer_id)));

-- name: CheckPartsSum
select o.id, o.total_minor, o.credited_minor, p.sold, p.credited from sales.orders o
  join (select order_id, sum(sold_minor)::bigint as sold, sum(credited_minor)::bigint as credited from sales.parts group by order_id) p on p.order_id = o.id
 where p.sold <> case when o.paid_at is null then 0 else o.total_minor end or p.credited <> o.credited_minor;

-- name: CheckPartsLedger
select p.order_id, p.position, p.sold_minor - p.credited_minor as kept, b.minor from sales.parts p
  join lateral (select coalesce(-sum(e.minor), 0)::bigint as minor from ledger.entries e
                 where e.enrolment_id = p.enrolment_id and e.order_id = p.order_id and e.account in ('revenue', 'refunds', 'disputes')) b on true
 where p.sold_minor - p.credited_minor <> b.minor;

-- name: CheckQuota
select o.id, o.quota, count(*) as sold from offers.offers o
  join sales.orders x on x.offer_id = o.id and x.state in ('paid', 'partially_refunded', 'disputed')
 where o.quota is not null group by o.id, o.quota having count(*) > o.quota;

-- name: CheckNoGrantOnReversed
select o.id, o.state from sales.orders o join enrolment.grants g on g.order_id = o.id
 where o.state not in ('paid', 'partially_refunded', 'disputed') and g.revoked_at is null
union all
select o.id, o.state from sales.orders o join enrolment.memberships m on m.order_id = o.id
 where o.state not in ('paid', 'partially_refunded', 'disputed') and m.revoked_at is null;

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
select exists (select 1 from sales.orders where session_id = $1 and demo and total_minor > 0)
    or exists (select 1 from sales.parts p join sales.orders o on o.id = p.order_id where p.session_id = $1 and o.demo and o.total_minor > 0);

-- name: LockSeats
select pg_advisory_xact_lock(hashtextextended('seats:' || k, 0)) from unnest($1::text[]) as k;

-- name: Full
with near as (
    select o.id from sales.orders o where o.offer_id = $3 and $4::int is not null
    union select o.id from sales.orders o where o.edition_id = $5 and $6::int is not null
    union select o.id from sales.orders o where o.session_id = any($7::text[])
    union select p.order_id from sales.parts p where p.session_id = any($7::text[])
), held as (
    select o.id, o.offer_id, o.session_id, o.edition_id, o.buyer_id from near n join sales.orders o on o.id = n.id
     where o.id <> $1
       and (o.state in ('paid', 'partially_refunded', 'disputed')
            or o.state = 'awaiting_payment' and (o.expires_at > $9
                or exists (select 1 from payments.payments y where y.id = o.payment_id and y.state = 'pending')))
)
select case
    when (select count(distinct buyer_id) from held where edition_id = $5 and buyer_id <> $2) >= $6::int then 'edition'
    when exists (select 1 from unnest($7::text[], $8::int[]) as l(session_id, capacity)
                  where l.capacity <= (select count(distinct h.buyer_id) from held h
                                        where h.buyer_id <> $2 and (h.session_id = l.session_id
                                              or exists (select 1 from sales.parts p where p.order_id = h.id and p.session_id = l.session_id)))) then 'session'
    when (select count(*) from held where offer_id = $3) >= $4::int then 'offer'
    else '' end;

-- name: Sold
select offer_id, count(*) filter (where state in ('paid', 'partially_refunded', 'disputed')) as sold,
       count(*) filter (where state = 'awaiting_payment' and expires_at > $2) as held
  from sales.orders where offer_id = any($1::text[]) group by offer_id;

-- name: Taken
with near as (
    select o.id from sales.orders o where o.session_id = $1
    union select o.id from sales.orders o where o.edition_id = $1
    union select p.order_id from sales.parts p where p.session_id = $1
)
select count(distinct o.buyer_id) from near n join sales.orders o on o.id = n.id
 where o.state in ('paid', 'partially_refunded', 'disputed')
    or o.state = 'awaiting_payment' and (o.expires_at > $2
        or exists (select 1 from payments.payments y where y.id = o.payment_id and y.state = 'pending'));

-- name: Seats
select id, capacity from catalog.sessions where id = any($1::text[]) and capacity is not null order by id;

-- name: AddParts
insert into sales.parts (order_id, position, session_id, weight)
select $1, p.position, p.session_id, p.weight from unnest($2::text[], $3::bigint[]) with ordinality as p(session_id, weight, position);

-- name: Parts
select position, session_id, weight, coalesce(enrolment_id, '') as enrolment_id, sold_minor, credited_minor from sales.parts where order_id = $1 order by position;

-- name: SetParts
update sales.parts p set enrolment_id = n.enrolment_id, sold_minor = n.sold_minor, credited_minor = n.credited_minor
  from unnest($2::int[], $3::text[], $4::bigint[], $5::bigint[]) as n(position, enrolment_id, sold_minor, credited_minor)
 where p.order_id = $1 and p.position = n.position;

-- name: Redeemed
select coalesce(sum(r.uses), 0) as used, coalesce(sum(r.uses) filter (where r.buyer_id = $3), 0) as used_by, coalesce(sum(r.uses) filter (where r.code = $2), 0) as used_code
  from sales.redemptions r join sales.orders o on o.id = r.order_id
 where r.voucher_id = $1 and o.id <> $4
   and (o.state in ('paid', 'partially_refunded', 'disputed')
        or o.state = 'awaiting_payment' and (o.expires_at > $5
            or exists (select 1 from payments.payments y where y.id = o.payment_id and y.state = 'pending')));

-- name: Redeem
insert into sales.redemptions (order_id, line, voucher_id, code, buyer_id, uses, off_minor, currency, at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: Redemptions
select line, voucher_id, code, uses from sales.redemptions where order_id = $1 order by line;

-- name: VoucherUses
select r.voucher_id, coalesce(sum(r.uses) filter (where o.state in ('paid', 'partially_refunded', 'disputed')), 0) as used,
       coalesce(sum(r.uses) filter (where o.state = 'awaiting_payment' and (o.expires_at > $2
           or exists (select 1 from payments.payments y where y.id = o.payment_id and y.state = 'pending'))), 0) as held
  from sales.redemptions r join sales.orders o on o.id = r.order_id where r.voucher_id = any($1::text[]) group by r.voucher_id;

-- name: Uses
select r.order_id, r.line, c.shown, r.uses, r.off_minor, r.currency, r.at,
       case when o.state in ('paid', 'partially_refunded', 'disputed') then 'used'
            when o.state = 'awaiting_payment' and (o.expires_at > $4 or exists (select 1 from payments.payments y where y.id = o.payment_id and y.state = 'pending')) then 'held'
            else 'free' end as state
  from sales.redemptions r join sales.orders o on o.id = r.order_id join offers.codes c on c.code = r.code
 where r.voucher_id = $1
   and ($2::text = '' or (r.order_id, r.line) < (split_part($2, '/', 1), case when $2 ~ '/[0-9]{1,4}$' then split_part($2, '/', 2)::int else 0 end))
 order by r.order_id desc, r.line desc limit $3;

-- name: CodesOf
select c.shown, coalesce(u.state, 'free') as state, coalesce(u.order_id, '') as order_id
  from offers.codes c
  left join lateral (
    select o.id as order_id, case when o.state = 'awaiting_payment' then 'held' else 'used' end as state
      from sales.redemptions r join sales.orders o on o.id = r.order_id
     where r.code = c.code
       and (o.state in ('paid', 'partially_refunded', 'disputed')
            or o.state = 'awaiting_payment' and (o.expires_at > $2 or exists (select 1 from payments.payments y where y.id = o.payment_id and y.state = 'pending')))
     order by o.id desc limit 1) u on true
 where c.voucher_id = $1 order by c.position;

-- name: CheckVoucherLimits
with used as (
    select r.voucher_id, r.code, r.buyer_id, sum(r.uses) as uses from sales.redemptions r join sales.orders o on o.id = r.order_id
     where o.state in ('paid', 'partially_refunded', 'disputed') group by r.voucher_id, r.code, r.buyer_id
)
select u.code, 'code' as broken, sum(u.uses) as uses from used u join offers.vouchers v on v.id = u.voucher_id where v.kind = 'batch' group by u.code having sum(u.uses) > 1;
