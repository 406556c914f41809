-- name: One
select o.id, o.buyer_id, coalesce(o.placed_by, '') as placed_by, coalesce(o.organisation, '') as organisation, o.way, o.total_minor, o.currency,
       o.credited_minor, o.state, o.lang, o.demo, coalesce(o.payment_id, '') as payment_id, o.placed_at, o.expires_at, o.paid_at, o.closed_at, o.due_at,
       l.line, l.offer_id, coalesce(l.session_id, '') as session_id, coalesce(s.key, '') as session_key, coalesce(l.edition_id, '') as edition_id,
       coalesce(e.key, '') as edition_key, coalesce(l.program_version, 0) as program_version, coalesce(s.title_en, e.title_en) as title_en,
       coalesce(s.title_fr, e.title_fr) as title_fr, l.formula, l.entitlements, l.qualifying, l.quantity, l.list_minor, l.discount_minor,
       l.discount_reason, l.total_minor as line_minor, l.credited_minor as line_credited, coalesce(l.membership_id, '') as membership_id, coalesce(l.holder_id, '') as holder_id,
       p.position, p.session_id as part_session, p.weight, coalesce(p.enrolment_id, '') as enrolment_id, p.sold_minor, p.credited_minor as part_credited
  from sales.orders o join sales.lines l on l.order_id = o.id join sales.parts p on p.order_id = l.order_id and p.line = l.line and p.seat = 0
  left join catalog.sessions s on s.id = l.session_id left join programs.editions e on e.id = l.edition_id
 where o.id = $1 order by l.line, p.position;

-- name: Lock
select o.id, o.buyer_id, coalesce(o.placed_by, '') as placed_by, coalesce(o.organisation, '') as organisation, o.way, o.total_minor, o.currency,
       o.credited_minor, o.state, o.lang, o.demo, coalesce(o.payment_id, '') as payment_id, o.placed_at, o.expires_at, o.paid_at, o.closed_at, o.due_at,
       l.line, l.offer_id, coalesce(l.session_id, '') as session_id, coalesce(s.key, '') as session_key, coalesce(l.edition_id, '') as edition_id,
       coalesce(e.key, '') as edition_key, coalesce(l.program_version, 0) as program_version, coalesce(s.title_en, e.title_en) as title_en,
       coalesce(s.title_fr, e.title_fr) as title_fr, l.formula, l.entitlements, l.qualifying, l.quantity, l.list_minor, l.discount_minor,
       l.discount_reason, l.total_minor as line_minor, l.credited_minor as line_credited, coalesce(l.membership_id, '') as membership_id, coalesce(l.holder_id, '') as holder_id,
       p.position, p.session_id as part_session, p.weight, coalesce(p.enrolment_id, '') as enrolment_id, p.sold_minor, p.credited_minor as part_credited,
       not exists (select 1 from sales.lines m
                    where m.order_id = o.id and ('exam_retake' = any(m.entitlements) or not exists ( -- each retake is another one
                        select 1 from sales.lines y join sales.orders x on x.id = y.order_id
                         where y.order_id <> o.id and (y.session_id = m.session_id or y.edition_id = m.edition_id) and x.buyer_id = o.buyer_id and y.holder_id is null
                           and x.organisation is null and o.organisation is null
                           and x.state in ('paid', 'partially_refunded', 'disputed') and y.entitlements @> m.entitlements)
                      and not exists (
                        select 1 from sales.lines y join sales.orders x on x.id = y.order_id
                         where y.holder_id = o.buyer_id and (y.session_id = m.session_id or y.edition_id = m.edition_id) and o.organisation is null
                           and x.state in ('paid', 'partially_refunded', 'disputed') and y.entitlements @> m.entitlements)
                      and not exists (
                        -- her seats first, of which there are few (offset 0 says so): from the lines it would be all that were ever sold of this session
                        select 1 from (select z.order_id, z.line from sales.seats z where z.person_id = o.buyer_id and z.state = 'claimed' offset 0) z
                          join sales.lines y on y.order_id = z.order_id and y.line = z.line
                         where (y.session_id = m.session_id or y.edition_id = m.edition_id)
                           and o.organisation is null and y.entitlements @> m.entitlements))) as superseded
  from sales.orders o join sales.lines l on l.order_id = o.id join sales.parts p on p.order_id = l.order_id and p.line = l.line and p.seat = 0
  left join catalog.sessions s on s.id = l.session_id left join programs.editions e on e.id = l.edition_id
 where o.id = $1 order by l.line, p.position for update of o;

-- name: List
select o.id, o.buyer_id, coalesce(o.placed_by, '') as placed_by, coalesce(o.organisation, '') as organisation, o.way, o.total_minor, o.currency,
       o.credited_minor, o.state, o.lang, o.demo, coalesce(o.payment_id, '') as payment_id, o.placed_at, o.expires_at, o.paid_at, o.closed_at, o.due_at,
       l.line, l.offer_id, coalesce(l.session_id, '') as session_id, coalesce(s.key, '') as session_key, coalesce(l.edition_id, '') as edition_id,
       coalesce(e.key, '') as edition_key, coalesce(l.program_version, 0) as program_version, coalesce(s.title_en, e.title_en) as title_en,
       coalesce(s.title_fr, e.title_fr) as title_fr, l.formula, l.entitlements, l.qualifying, l.quantity, l.list_minor, l.discount_minor,
       l.discount_reason, l.total_minor as line_minor, l.credited_minor as line_credited, coalesce(l.membership_id, '') as membership_id, coalesce(l.holder_id, '') as holder_id,
       p.position, p.session_id as part_session, p.weight, coalesce(p.enrolment_id, '') as enrolment_id, p.sold_minor, p.credited_minor as part_credited
  from sales.orders o join sales.lines l on l.order_id = o.id join sales.parts p on p.order_id = l.order_id and p.line = l.line and p.seat = 0
  left join catalog.sessions s on s.id = l.session_id left join programs.editions e on e.id = l.edition_id
 where o.id in (select n.id from sales.orders n where n.buyer_id = $1 and ($2::text = '' or n.id < $2) order by n.id desc limit $3)
 order by o.id desc, l.line, p.position;

-- name: ListOfOrganisation
select o.id, o.buyer_id, coalesce(o.placed_by, '') as placed_by, coalesce(o.organisation, '') as organisation, o.way, o.total_minor, o.currency,
       o.credited_minor, o.state, o.lang, o.demo, coalesce(o.payment_id, '') as payment_id, o.placed_at, o.expires_at, o.paid_at, o.closed_at, o.due_at,
       l.line, l.offer_id, coalesce(l.session_id, '') as session_id, coalesce(s.key, '') as session_key, coalesce(l.edition_id, '') as edition_id,
       coalesce(e.key, '') as edition_key, coalesce(l.program_version, 0) as program_version, coalesce(s.title_en, e.title_en) as title_en,
       coalesce(s.title_fr, e.title_fr) as title_fr, l.formula, l.entitlements, l.qualifying, l.quantity, l.list_minor, l.discount_minor,
       l.discount_reason, l.total_minor as line_minor, l.credited_minor as line_credited, coalesce(l.membership_id, '') as membership_id, coalesce(l.holder_id, '') as holder_id,
       p.position, p.session_id as part_session, p.weight, coalesce(p.enrolment_id, '') as enrolment_id, p.sold_minor, p.credited_minor as part_credited
  from sales.orders o join sales.lines l on l.order_id = o.id join sales.parts p on p.order_id = l.order_id and p.line = l.line and p.seat = 0
  left join catalog.sessions s on s.id = l.session_id left join programs.editions e on e.id = l.edition_id
 where o.id in (select n.id from sales.orders n where n.organisation = $1 and ($2::text = '' or n.id < $2) order by n.id desc limit $3)
 order by o.id desc, l.line, p.position;

-- name: Some
select o.id, o.buyer_id, coalesce(o.placed_by, '') as placed_by, coalesce(o.organisation, '') as organisation, o.way, o.total_minor, o.currency,
       o.credited_minor, o.state, o.lang, o.demo, coalesce(o.payment_id, '') as payment_id, o.placed_at, o.expires_at, o.paid_at, o.closed_at, o.due_at,
       l.line, l.offer_id, coalesce(l.session_id, '') as session_id, coalesce(s.key, '') as session_key, coalesce(l.edition_id, '') as edition_id,
       coalesce(e.key, '') as edition_key, coalesce(l.program_version, 0) as program_version, coalesce(s.title_en, e.title_en) as title_en,
       coalesce(s.title_fr, e.title_fr) as title_fr, l.formula, l.entitlements, l.qualifying, l.quantity, l.list_minor, l.discount_minor,
       l.discount_reason, l.total_minor as line_minor, l.credited_minor as line_credited, coalesce(l.membership_id, '') as membership_id, coalesce(l.holder_id, '') as holder_id,
       p.position, p.session_id as part_session, p.weight, coalesce(p.enrolment_id, '') as enrolment_id, p.sold_minor, p.credited_minor as part_credited
  from sales.orders o join sales.lines l on l.order_id = o.id join sales.parts p on p.order_id = l.order_id and p.line = l.line and p.seat = 0
  left join catalog.sessions s on s.id = l.session_id left join programs.editions e on e.id = l.edition_id
 where o.id = any($1::text[])
 order by o.id desc, l.line, p.position;

-- name: OpenOrders
select o.id, array_agg(l.offer_id order by l.line) as offers, array_agg(coalesce(l.session_id, l.edition_id) order by l.line) as things
  from sales.orders o join sales.lines l on l.order_id = o.id
 where o.buyer_id = $1 and o.state = 'awaiting_payment' and o.organisation is null and (o.expires_at is null or o.expires_at > $2)
 group by o.id;

-- name: LockBuyer
select pg_advisory_xact_lock(hashtextextended('sales:' || $1, 0));

-- name: Add
with placed as (
    insert into sales.orders (id, buyer_id, placed_by, organisation, way, total_minor, currency, state, lang, demo, payment_id, placed_at, expires_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
), bought as (
    insert into sales.lines (order_id, line, offer_id, session_id, edition_id, program_version, formula, entitlements, qualifying, quantity, list_minor,
           discount_minor, discount_reason, total_minor, price_id)
    select $1, l.line, l.offer, l.session, l.edition, l.version, l.formula, l.entitlements, l.qualifying, l.quantity, l.list, l.discount, l.reason, l.total, l.price
      from jsonb_to_recordset($14::jsonb) as l(line int, offer text, session text, edition text, version int, formula text, entitlements text[],
           qualifying boolean, quantity int, list bigint, discount bigint, reason text, total bigint, price text)
)
insert into sales.parts (order_id, line, seat, position, session_id, weight, sold_minor, place)
select $1, p.line, 0, p.position, p.session, p.weight, p.sold, p.place
  from jsonb_to_recordset($15::jsonb) as p(line int, position int, session text, weight bigint, sold bigint, place boolean);

-- name: Move
update sales.orders set state = $2, credited_minor = $3, paid_at = $4, closed_at = $5 where id = $1;

-- name: Settle
with told as ( -- the job OrderPaid
    insert into jobs.queue (kind, args, created_at, due_at, rank) values ('sales.order_paid', jsonb_build_object('order_id', $1::text), now(), now(), 0)
), enrolled as (
    update sales.parts p set enrolment_id = n.enrolment_id
      from unnest($4::int[], $5::int[], $6::text[]) as n(line, position, enrolment_id)
     where p.order_id = $1 and p.seat = 0 and p.line = n.line and p.position = n.position
), joined as (
    update sales.lines l set membership_id = n.membership_id from unnest($7::int[], $8::text[]) as n(line, membership_id)
     where l.order_id = $1 and l.line = n.line
), taken as ( -- who waited for it besides has it
    update sales.waiting w set state = 'taken', ended_at = $3, order_id = $1 from sales.orders o, sales.lines l
     where o.id = $1 and o.organisation is null and l.order_id = o.id and w.person_id = o.buyer_id and w.offer_id = l.offer_id and w.state in ('waiting', 'offered')
)
update sales.orders set state = $2, paid_at = $3 where id = $1;

-- name: Credit
with given as (
    select line, seat, position, minor from unnest($2::int[], $3::int[], $4::int[], $5::bigint[]) as n(line, seat, position, minor) where minor <> 0
), of_parts as (
    update sales.parts p set credited_minor = p.credited_minor + g.minor from given g
     where p.order_id = $1 and p.line = g.line and p.seat = g.seat and p.position = g.position
)
update sales.lines l set credited_minor = l.credited_minor + g.minor from (select line, sum(minor) as minor from given group by line) g
 where l.order_id = $1 and l.line = g.line;

-- name: AddRefundLine
insert into sales.refund_lines (refund_id, order_id, line, minor, seat) values ($1, $2, $3, $4, $5);

-- name: RefundLines
select line, seat, minor from sales.refund_lines where refund_id = $1 order by line, seat desc;

-- name: RefundLinesUnderWay
select l.line, l.minor from sales.refund_lines l join payments.refunds r on r.id = l.refund_id
 where l.order_id = $1 and r.state in ('proposed', 'requested', 'pending');

-- name: GoingBack
select r.id, r.amount_minor as minor from payments.refunds r join payments.payments p on p.id = r.payment_id
 where p.order_id = $1 and p.state = 'captured' and r.id <> $2 and (r.state in ('requested', 'pending') or r.state = 'proposed' and r.reversal) order by r.id;

-- name: Parts
select line, seat, position, session_id, weight, coalesce(enrolment_id, '') as enrolment_id, sold_minor, credited_minor
  from sales.parts where order_id = $1 order by line, seat, position;

-- name: History
select h.id, h.rank, h.at, h.what, h.detail, h.number, h.minor, h.currency from (
    select o.id, o.placed_at as at, 1 as rank, 'placed' as what, coalesce((select b.full_name from identity.people b where b.id = o.placed_by), '') as detail, 0::bigint as number, o.total_minor as minor, o.currency from sales.orders o where o.id = $1
    union all select o.id, o.closed_at, 9, o.state, '', 0, null, o.currency from sales.orders o where o.id = $1 and o.closed_at is not null
    union all select p.id, p.captured_at, 2, p.state, p.method, 0, p.captured_minor, p.captured_currency from payments.payments p where p.order_id = $1 and p.captured_at is not null
    union all select d.id, d.issued_at, 5, d.kind, d.series, d.number, d.amount_minor, d.currency from invoicing.documents d where d.order_id = $1
    union all select g.id, g.granted_at, 3, 'enrolled', s.key, 0, null, '' from enrolment.grants g join enrolment.enrolments e on e.id = g.enrolment_id
                join catalog.sessions s on s.id = e.session_id where g.order_id = $1
    union all select g.id, g.revoked_at, 6, 'revoked', s.key, 0, null, '' from enrolment.grants g join enrolment.enrolments e on e.id = g.enrolment_id
                join catalog.sessions s on s.id = e.session_id where g.order_id = $1 and g.revoked_at is not null
    union all select t.id, t.ended_at, 7, 'transferred', t.email, 0, null, '' from sales.transfers t where t.order_id = $1 and t.state = 'accepted'
    union all select r.id, r.requested_at, 4, 'refund_requested', '', 0, r.amount_minor, p.currency from payments.refunds r join payments.payments p on p.id = r.payment_id where p.order_id = $1
    union all select r.id, r.settled_at, 5, case r.state when 'succeeded' then 'refunded' else 'refund_failed' end, '', 0, r.amount_minor, p.currency
                from payments.refunds r join payments.payments p on p.id = r.payment_id where p.order_id = $1 and r.settled_at is not null
    union all select d.id, d.opened_at, 4, case when d.state in ('inquiry', 'closed') then 'dispute_inquiry' else 'dispute_opened' end, '', 0, d.amount_minor, p.currency from payments.disputes d join payments.payments p on p.id = d.payment_id where p.order_id = $1
    union all select d.id, d.closed_at, 5, 'dispute_' || d.state, '', 0, d.amount_minor, p.currency
                from payments.disputes d join payments.payments p on p.id = d.payment_id where p.order_id = $1 and d.closed_at is not null
) h where $2::text = '' or (h.at, h.rank, h.what, h.id) > ($3::timestamptz, $4::int, $5::text, $2) order by h.at, h.rank, h.what, h.id limit $6;

-- name: CheckClosed
select id, state, closed_at from sales.orders where (closed_at is not null) <> (state in ('expired', 'canceled', 'payment_mismatch'));

-- name: CheckOrdersBalance
select o.id, o.state, o.total_minor, o.credited_minor, b.minor
  from sales.orders o
  join lateral (select coalesce(sum(e.minor), 0)::bigint as minor from ledger.entries e
                 where e.order_id = o.id and (e.account like 'clearing:%' or e.account in ('receivable', 'advances', 'overpaid', 'suspense', 'refunds_payable'))) b on true
 where o.paid_at is not null and b.minor <> o.total_minor - o.credited_minor
    or o.paid_at is null and b.minor <> case when o.state = 'billed' then o.total_minor else 0 end;

-- name: CheckPaidInFull
select o.id, o.total_minor, p.captured_minor from sales.orders o left join payments.payments p on p.id = o.payment_id
 where o.paid_at is not null and o.total_minor > 0 and o.way <> 'instalments'
   and (p.state is distinct from 'captured' or p.by_hand <> (o.way in ('desk', 'transfer', 'purchase_order')) or p.captured_minor <> o.total_minor or p.captured_currency <> o.currency);

-- name: CheckPaidEnrolled
select p.order_id, p.line, p.position from sales.parts p join sales.orders o on o.id = p.order_id join sales.lines l on l.order_id = p.order_id and l.line = p.line
 where o.paid_at is not null and o.organisation is null
   and not exists (select 1 from enrolment.grants g join enrolment.enrolments e on e.id = g.enrolment_id
                    where g.order_id = o.id and e.id = p.enrolment_id and e.session_id = p.session_id and e.learner_id = coalesce(l.holder_id, o.buyer_id))
   and not exists (select 1 from enrolment.retakes r join enrolment.enrolments e on e.id = r.enrolment_id
                    where r.order_id = o.id and e.id = p.enrolment_id and e.session_id = p.session_id and e.learner_id = o.buyer_id and l.entitlements = '{exam_retake}');

-- name: CheckPaidMember
select l.order_id, l.line from sales.lines l join sales.orders o on o.id = l.order_id
 where o.paid_at is not null and o.organisation is null and l.edition_id is not null
   and not exists (select 1 from enrolment.memberships m
                    where m.id = l.membership_id and m.order_id = o.id and m.edition_id = l.edition_id and m.learner_id = coalesce(l.holder_id, o.buyer_id) and m.version = l.program_version);

-- name: CheckPartsSum
select o.id, o.total_minor, o.credited_minor, l.line, l.total_minor as line_minor, l.credited_minor as line_credited, p.sold, p.credited
  from sales.orders o
  left join (select order_id, sum(total_minor)::bigint as total, sum(credited_minor)::bigint as credited from sales.lines group by order_id) s on s.order_id = o.id
  left join sales.lines l on l.order_id = o.id
  left join (select order_id, line, sum(sold_minor)::bigint as sold, sum(credited_minor)::bigint as credited from sales.parts group by order_id, line) p
         on p.order_id = l.order_id and p.line = l.line
 where s.total is distinct from o.total_minor or s.credited is distinct from o.credited_minor
    or p.sold is distinct from l.total_minor or p.credited is distinct from l.credited_minor;

-- name: CheckPartsLedger
with parts as (
    select p.order_id, p.enrolment_id, sum(p.sold_minor - p.credited_minor)::bigint as minor from sales.parts p join sales.orders o on o.id = p.order_id
     where o.paid_at is not null or o.state = 'billed' group by p.order_id, p.enrolment_id
), book as (
    select e.order_id, e.enrolment_id, -sum(e.minor)::bigint as minor from ledger.entries e
     where e.order_id is not null and e.account in ('revenue', 'refunds', 'disputes') group by e.order_id, e.enrolment_id
)
select coalesce(p.order_id, b.order_id) as order_id, coalesce(p.enrolment_id, b.enrolment_id) as enrolment_id, coalesce(p.minor, 0) as parts, coalesce(b.minor, 0) as ledger
  from parts p full join book b on b.order_id = p.order_id and coalesce(b.enrolment_id, '') = coalesce(p.enrolment_id, '')
 where coalesce(p.minor, 0) <> coalesce(b.minor, 0);

-- name: CheckQuota
select f.id, f.quota, sum(l.quantity - l.returned) as sold from offers.offers f
  join sales.lines l on l.offer_id = f.id join sales.orders o on o.id = l.order_id and o.state in ('paid', 'partially_refunded', 'disputed', 'accruing', 'billed')
 where f.quota is not null group by f.id, f.quota having sum(l.quantity - l.returned) > f.quota;

-- name: CheckNoGrantOnReversed
select o.id, o.state from sales.orders o join enrolment.grants g on g.order_id = o.id
 where o.state not in ('paid', 'partially_refunded', 'disputed', 'accruing', 'billed') and g.revoked_at is null
union all
select o.id, o.state from sales.orders o join enrolment.memberships m on m.order_id = o.id
 where o.state not in ('paid', 'partially_refunded', 'disputed', 'accruing', 'billed') and m.revoked_at is null
union all
select o.id, o.state from sales.orders o join enrolment.retakes r on r.order_id = o.id
 where (o.state in ('paid', 'partially_refunded', 'disputed')) <> (r.revoked_at is null);

-- name: CheckPriceQuoted
select o.id from sales.orders o join payments.payments p on p.order_id = o.id
 where p.currency <> o.currency or p.amount_minor <> o.total_minor and p.instalment is null and not (p.by_hand and p.state = 'surplus')
union all
select i.order_id from sales.instalments i join payments.payments p on p.order_id = i.order_id and p.instalment = i.n where p.amount_minor <> i.amount_minor;

-- name: CheckInvoiced
select o.id, 'invoice' as missing from sales.orders o
 where (o.paid_at is not null or o.state = 'billed') and o.total_minor > 0
   and not exists (select 1 from invoicing.documents d where d.order_id = o.id and d.kind = 'invoice' and d.amount_minor = o.total_minor and d.currency = o.currency)
union all
select r.id, 'credit note' from payments.refunds r join payments.payments p on p.id = r.payment_id
 where r.state = 'succeeded' and p.state = 'captured'
   and r.amount_minor > r.settles_minor + r.excess_minor
   and not exists (select 1 from invoicing.documents d where d.reference = r.id and d.amount_minor = r.amount_minor - r.settles_minor - r.excess_minor);

-- name: CheckLedgerOrders
select e.id, e.order_id from ledger.entries e
 where e.order_id is not null and not exists (select 1 from sales.orders o where o.id = e.order_id);

-- name: Demo
select distinct p.session_id as id from sales.orders o join sales.parts p on p.order_id = o.id
 where o.demo and o.total_minor > 0 and p.session_id = any($1::text[]) and ($2::timestamptz is null or o.placed_at <= $2);

-- name: LockSeats
select pg_advisory_xact_lock(hashtextextended('seats:' || k, 0)) from unnest($1::text[]) as k;

-- name: Full
with near as (
    select l.order_id, l.line from sales.lines l where l.offer_id = $3 and $4::int is not null
    union select l.order_id, l.line from sales.lines l where l.edition_id = $5 and $6::int is not null
    union select p.order_id, p.line from sales.parts p where p.seat = 0 and p.place and p.session_id = any($7::text[])
), held as (
    select o.id, l.line, l.offer_id, l.edition_id, l.quantity - l.returned as quantity, coalesce(l.holder_id, o.buyer_id) as buyer_id, o.organisation
      from near n join sales.lines l on l.order_id = n.order_id and l.line = n.line join sales.standing o on o.id = n.order_id
     where o.id <> $1
       and (o.sold or o.held_until > $9)
), kept as (
    select k.offer_id, k.edition_id, k.sessions, k.person_id from sales.offered k
     where (k.offer_id = $3 or k.edition_id = $5 or k.sessions && $7::text[]) and k.held_until > $9 and k.person_id <> $2
)
select case
    when $6::int - (select count(*) from (select h.buyer_id from held h where h.organisation is null and h.buyer_id <> $2 and h.edition_id = $5
                                          union select k.person_id from kept k where k.edition_id = $5) people)
                 - (select coalesce(sum(h.quantity), 0) from held h where h.organisation is not null and h.edition_id = $5) < $10::int then 'edition'
    when exists (select 1 from unnest($7::text[], $8::int[]) as c(session_id, capacity)
                  where c.capacity
                      - (select count(*) from (select h.buyer_id from held h join sales.parts p on p.order_id = h.id and p.line = h.line and p.seat = 0 and p.place
                                                where p.session_id = c.session_id and h.organisation is null and h.buyer_id <> $2
                                               union select k.person_id from kept k where c.session_id = any(k.sessions)) people)
                      - (select coalesce(sum(h.quantity), 0) from held h join sales.parts p on p.order_id = h.id and p.line = h.line and p.seat = 0
                          where p.session_id = c.session_id and h.organisation is not null) < $10::int) then 'session'
    when $4::int - (select coalesce(sum(h.quantity), 0) from held h where h.offer_id = $3) - (select count(*) from kept k where k.offer_id = $3) < $10::int then 'offer'
    else '' end;

-- name: Sold
select l.offer_id, coalesce(sum(l.quantity - l.returned) filter (where o.state in ('paid', 'partially_refunded', 'disputed', 'accruing', 'billed')), 0) as sold,
       coalesce(sum(l.quantity) filter (where o.state = 'awaiting_payment' and o.expires_at > $2), 0) as held
  from sales.lines l join sales.orders o on o.id = l.order_id where l.offer_id = any($1::text[]) group by l.offer_id;

-- name: Taken
with near as (
    select l.order_id, l.line from sales.lines l where l.edition_id = $1
    union select p.order_id, p.line from sales.parts p where p.seat = 0 and p.place and p.session_id = $1
), held as (
    select coalesce(l.holder_id, o.buyer_id) as buyer_id, o.organisation, l.quantity - l.returned as quantity
      from near n join sales.lines l on l.order_id = n.order_id and l.line = n.line join sales.standing o on o.id = n.order_id
     where o.sold or o.held_until > $2
)
select (select count(*) from (select h.buyer_id from held h where h.organisation is null
                              union select k.person_id from sales.offered k
                               where (k.edition_id = $1 or k.sessions && array[$1]) and k.held_until > $2) people)
     + (select coalesce(sum(h.quantity), 0) from held h where h.organisation is not null);

-- name: Seats
select id, capacity from catalog.sessions where id = any($1::text[]) and capacity is not null order by id;

-- name: Redeemed
select coalesce(sum(r.uses), 0) as used, coalesce(sum(r.uses) filter (where r.buyer_id = $3), 0) as used_by, coalesce(sum(r.uses) filter (where r.code = $2), 0) as used_code
  from sales.redemptions r join sales.standing o on o.id = r.order_id
 where r.voucher_id = $1 and o.id <> $4
   and (o.sold or o.held_until > $5);

-- name: Redeem
insert into sales.redemptions (order_id, line, voucher_id, code, buyer_id, uses, off_minor, currency, at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: Favours
select l.offer_id, l.quantity, p.early_until, coalesce(r.voucher_id, '') as voucher_id, coalesce(r.code, '') as code
  from sales.lines l left join offers.prices p on p.id = l.price_id left join sales.redemptions r on r.order_id = l.order_id and r.line = l.line
 where l.order_id = $1 and (p.early_until is not null or r.voucher_id is not null) order by l.line;

-- name: SoldToOthers
-- A place that is kept counts as held since it was offered: for others like any, and for whom it is kept nobody counts who came after.
with mine as (select max(w.offered_at) as since from sales.waiting w where w.offer_id = $1 and w.person_id = $4 and w.state = 'offered' and w.offered_until > $3)
select (select coalesce(sum(l.quantity - l.returned), 0) from sales.lines l join sales.standing o on o.id = l.order_id join sales.orders x on x.id = o.id
         where l.offer_id = $1 and o.id <> $2 and (o.sold or o.held_until > $3) and (mine.since is null or x.placed_at <= mine.since))
     + (select count(*) from sales.waiting w
         where w.offer_id = $1 and w.person_id <> $4 and w.state = 'offered' and w.offered_until > $3 and (mine.since is null or w.offered_at <= mine.since))
  from mine;

-- name: MostUses
select coalesce(sum(uses), 0) as all_uses, coalesce(max(uses), 0) as of_one from (
    select r.buyer_id, sum(r.uses) as uses from sales.redemptions r join sales.standing o on o.id = r.order_id
     where r.voucher_id = $1
       and (o.sold or o.held_until > $2)
     group by r.buyer_id) u;

-- name: VoucherUses
select r.voucher_id, coalesce(sum(r.uses) filter (where o.sold), 0) as used,
       coalesce(sum(r.uses) filter (where o.held_until > $2), 0) as held
  from sales.redemptions r join sales.standing o on o.id = r.order_id where r.voucher_id = any($1::text[]) group by r.voucher_id;

-- name: Uses
select r.order_id, r.line, c.shown, r.uses, r.off_minor, r.currency, r.at,
       case when o.sold then 'used'
            when o.held_until > $4 then 'held'
            else 'free' end as state
  from sales.redemptions r join sales.standing o on o.id = r.order_id join offers.codes c on c.code = r.code
 where r.voucher_id = $1
   and ($2::text = '' or (r.order_id, r.line) < (split_part($2, '/', 1), case when $2 ~ '/[0-9]{1,4}$' then split_part($2, '/', 2)::int else 0 end))
 order by r.order_id desc, r.line desc limit $3;

-- name: CodesOf
select c.shown, coalesce(u.state, 'free') as state, coalesce(u.order_id, '') as order_id
  from offers.codes c
  left join lateral (
    select o.id as order_id, case when o.sold then 'used' else 'held' end as state
      from sales.redemptions r join sales.standing o on o.id = r.order_id
     where r.code = c.code
       and (o.sold or o.held_until > $2)
     order by o.id desc limit 1) u on true
 where c.voucher_id = $1 order by c.position;

-- name: CheckVoucherLimits
with used as (
    select r.voucher_id, r.code, r.buyer_id, sum(r.uses) as uses from sales.redemptions r join sales.orders o on o.id = r.order_id
     where o.state in ('paid', 'partially_refunded', 'disputed') group by r.voucher_id, r.code, r.buyer_id
)
select v.id, 'code ' || u.code as of, sum(u.uses) as uses from used u join offers.vouchers v on v.id = u.voucher_id
 where v.kind = 'batch' group by v.id, u.code having sum(u.uses) > 1
union all
select v.id, 'all', sum(u.uses) from used u join offers.vouchers v on v.id = u.voucher_id group by v.id having sum(u.uses) > v.use_limit
union all
select v.id, 'person ' || u.buyer_id, sum(u.uses) from used u join offers.vouchers v on v.id = u.voucher_id group by v.id, u.buyer_id having sum(u.uses) > v.per_person;

-- name: CheckRedemptions
select r.order_id, r.line, r.off_minor, l.discount_minor from sales.redemptions r
  left join sales.lines l on l.order_id = r.order_id and l.line = r.line left join sales.orders o on o.id = r.order_id
 where l.line is null or r.off_minor > l.discount_minor or r.uses <> l.quantity or r.currency <> o.currency or r.buyer_id <> o.buyer_id;

-- name: AddTerms
insert into sales.terms (order_id, withdrawal, begin_now, payable_from, agreed_at) values ($1, $2, $3, $4, $5);

-- name: Terms
select withdrawal, begin_now, payable_from from sales.terms where order_id = $1;

-- name: WithdrawalOf
select id, name, email, period_ends, refund_minor, kept_minor, declared_at from sales.withdrawals where order_id = $1;

-- name: AddWithdrawal
insert into sales.withdrawals (id, order_id, name, email, period_ends, refund_minor, kept_minor, currency, declared_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: SessionRuns
select id, starts_at, ends_at from catalog.sessions where id = any($1::text[]) and starts_at is not null and ends_at is not null order by id;

-- name: Certified
select exists (select 1 from journey.enrolments where enrolment_id = any($1::text[]) and reached & (select 1 << bit from journey.stages where stage = 'certified') > 0);

-- name: CheckWithdrawn
select w.order_id, o.state from sales.withdrawals w join sales.orders o on o.id = w.order_id
 where o.state not in ('withdrawn', 'refunded', 'lost', 'canceled')
    or exists (select 1 from enrolment.grants g where g.order_id = o.id and g.revoked_at is null)
    or exists (select 1 from enrolment.retakes r where r.order_id = o.id and r.revoked_at is null)
    or o.paid_at is not null and w.refund_minor > 0
       and w.refund_minor <> (select coalesce(sum(r.amount_minor), 0) from payments.refunds r join payments.payments p on p.id = r.payment_id
                               where p.order_id = o.id and r.reason = 'withdrawal ' || w.id);

-- name: SetPayment
update sales.orders set payment_id = $2 where id = $1;

-- name: Unasked
select o.id from sales.orders o left join payments.payments p on p.id = o.payment_id
 where o.state = 'awaiting_payment' and o.way in ('card', 'instalments') and o.expires_at < $1 and (p.id is null or p.state in ('failed', 'expired')) order by o.id limit 100;

-- name: Due
select t.order_id from sales.terms t join sales.orders o on o.id = t.order_id
 where t.payable_from <= $1 and o.state = 'awaiting_payment' and o.payment_id is null and o.way in ('card', 'instalments') and o.expires_at > $1 order by t.order_id limit 100;

-- name: Find
select o.id, o.state, o.way, b.full_name as buyer, coalesce(b.email, '') as email, coalesce(o.organisation, '') as organisation,
       l.title_en, l.title_fr, l.keys, o.total_minor, o.credited_minor, o.currency, o.placed_at, o.paid_at
  from sales.orders o join identity.people b on b.id = o.buyer_id
  join lateral (
    select (array_agg(coalesce(s.title_en, e.title_en) order by x.line))[1] as title_en, (array_agg(coalesce(s.title_fr, e.title_fr) order by x.line))[1] as title_fr,
           array_agg(coalesce(s.key, e.key) order by x.line) as keys
      from sales.lines x left join catalog.sessions s on s.id = x.session_id left join programs.editions e on e.id = x.edition_id
     where x.order_id = o.id) l on true
 where ($1::text = '' or o.id < $1) and ($2::text = '' or o.state = $2) and ($3::text = '' or o.way = $3)
   and ($4::text = '' or o.id = $4 or position($4 in b.email) > 0)
   and ($5::text = '' or $5 = any(l.keys))
   and ($6::timestamptz is null or o.placed_at >= $6) and ($7::timestamptz is null or o.placed_at < $7)
 order by o.id desc limit $8;

-- name: RefundCases
select r.id, p.order_id, r.state, r.reason, r.amount_minor as minor, coalesce(p.captured_currency, p.currency) as currency,
       coalesce(l.lines, '{}') as lines, coalesce(l.minors, '{}') as minors, r.requested_by, coalesce(w.full_name, r.requested_by) as proposer,
       coalesce(d.full_name, r.decided_by, '') as decider, r.requested_at, r.settled_at, b.full_name as buyer, coalesce(b.email, '') as email,
       r.owed_minor, coalesce(r.repayment_by, '') as repayment_by, coalesce(r.repaid_reference, '') as repaid_reference, p.by_hand, u.rank
  from payments.refunds r join payments.payments p on p.id = r.payment_id join sales.orders o on o.id = p.order_id join identity.people b on b.id = o.buyer_id
  left join identity.people w on r.requested_by = 'staff:' || w.id left join identity.people d on r.decided_by = 'staff:' || d.id
  left join lateral (select array_agg(x.line order by x.line) as lines, array_agg(x.minor order by x.line) as minors
               from (select z.line, sum(z.minor)::bigint as minor from sales.refund_lines z where z.refund_id = r.id group by z.line) x) l on true
 cross join lateral (select case r.state when 'failed' then 1 when 'proposed' then 0 else 2 end as rank) u
 where ($1::text = '' or p.order_id = $1) and ($3::text = '' or u.rank > $4 or u.rank = $4 and r.id < $3)
   and (not $2::bool or r.state in ('proposed', 'requested', 'pending')
        or r.state = 'failed' and (r.owed_minor > 0
           or r.repaid_minor = 0 and p.captured_minor > p.refunded_minor + p.lost_minor and not exists (select 1 from invoicing.documents n where n.reference = r.id)
              and not exists (select 1 from payments.refunds x where x.payment_id = r.payment_id and x.id > r.id and x.state in ('proposed', 'requested', 'pending', 'succeeded'))))
 order by u.rank, r.id desc limit $5;

-- name: DisputeCases
select d.id, p.order_id, d.state, d.reason, d.answer_by, d.amount_minor as minor, coalesce(p.captured_currency, p.currency) as currency, d.opened_at, d.closed_at,
       b.full_name as buyer, coalesce(b.email, '') as email
  from payments.disputes d join payments.payments p on p.id = d.payment_id join sales.orders o on o.id = p.order_id join identity.people b on b.id = o.buyer_id
 where ($1::text = '' or p.order_id = $1) order by d.closed_at is not null, d.answer_by nulls last, d.opened_at desc, d.id limit 200;

-- name: Disputes
select d.id, p.order_id, d.state, d.reason, d.answer_by, d.amount_minor as minor, coalesce(p.captured_currency, p.currency) as currency, d.opened_at, d.closed_at,
       b.full_name as buyer, coalesce(b.email, '') as email
  from payments.disputes d join payments.payments p on p.id = d.payment_id join sales.orders o on o.id = p.order_id join identity.people b on b.id = o.buyer_id
 where $1::text = '' or (d.opened_at, d.id) < (select x.opened_at, x.id from payments.disputes x where x.id = $1)
 order by d.opened_at desc, d.id desc limit $2;

-- name: UnpaidCases
select o.id as order_id, o.total_minor as minor, o.currency, o.placed_at, o.expires_at, b.full_name as buyer, coalesce(b.email, '') as email,
       case when o.state = 'payment_mismatch' then 'mismatch' when p.id is null then 'not_asked' when p.state in ('failed', 'expired') then 'failed'
            when p.state = 'pending' then 'pending' when p.by_hand then 'by_hand' else 'open' end as why
  from sales.orders o join identity.people b on b.id = o.buyer_id left join payments.payments p on p.id = o.payment_id
 where o.state in ('awaiting_payment', 'payment_mismatch')
 order by case when o.state = 'payment_mismatch' then 0 when p.state in ('failed', 'expired') then 1 when p.state = 'pending' then 2 else 3 end, o.id limit 200;

-- name: Attempts
select id, case when by_hand and state = 'open' then 'expected' else state end as state, method, amount_minor, currency, captured_minor, coalesce(captured_currency, currency) as captured_currency,
       refunded_minor + lost_minor as back_minor, created_at, captured_at
  from payments.payments where order_id = $1 order by id;

-- name: WaitedFor
select distinct w.offer_id from sales.waiting w
 where w.state in ('waiting', 'offered') and (w.offer_id = any($1::text[]) or w.edition_id = any($2::text[]) or w.sessions && $3::text[]) order by w.offer_id;

-- name: AllWaitedFor
select distinct w.offer_id from sales.waiting w where w.state in ('waiting', 'offered') order by w.offer_id;

-- name: LapsePlaces
update sales.waiting set state = 'lapsed', ended_at = $2 where state = 'offered' and offered_until <= $2 and offer_id = any($1::text[]);

-- name: Row
select id, offer_id, person_id, state, joined_at from sales.waiting where state = 'waiting' and offer_id = any($1::text[]) order by place;

-- name: OfferPlace
update sales.waiting set state = 'offered', offered_at = $2, offered_until = $3 where id = $1 and state = 'waiting';

-- name: EndWait
update sales.waiting set state = $2, ended_at = $3 where id = $1 and state in ('waiting', 'offered');

-- name: TakePlaces
update sales.waiting set state = 'taken', ended_at = $4, order_id = $1 where person_id = $2 and offer_id = any($3::text[]) and state in ('waiting', 'offered');

-- name: Wait
insert into sales.waiting (id, offer_id, edition_id, sessions, person_id, joined_at) values ($1, $2, $3, $4, $5, $6);

-- name: WaitingOf
select w.id, w.offer_id, w.person_id, w.state, w.joined_at, w.offered_until,
       (select count(*) from sales.waiting b where b.offer_id = w.offer_id and b.state = 'waiting' and b.place < w.place) as ahead
  from sales.waiting w where w.offer_id = $1 and w.person_id = $2 and w.state in ('waiting', 'offered');

-- name: WaitsOf
select w.id, w.offer_id, w.person_id, w.state, w.joined_at, w.offered_until,
       (select count(*) from sales.waiting b where b.offer_id = w.offer_id and b.state = 'waiting' and b.place < w.place) as ahead
  from sales.waiting w where w.person_id = $1 and w.offer_id = any($2::text[]) and w.state in ('waiting', 'offered') and (w.offered_until is null or w.offered_until > $3);

-- name: MyWaits
select w.id, w.offer_id, w.person_id, w.state, w.joined_at, w.offered_until,
       (select count(*) from sales.waiting b where b.offer_id = w.offer_id and b.state = 'waiting' and b.place < w.place) as ahead
  from sales.waiting w where w.person_id = $1 and w.state in ('waiting', 'offered')
   and ($2::text = '' or w.place > (select x.place from sales.waiting x where x.id = $2)) order by w.place limit $3;

-- name: WaitByID
select id, offer_id, person_id, state, joined_at, offered_until from sales.waiting where id = $1;

-- name: InRow
select offer_id, count(*) filter (where state = 'offered' and offered_until > $2) as offered, count(*) filter (where state = 'waiting') as waiting
  from sales.waiting where offer_id = any($1::text[]) and state in ('waiting', 'offered') group by offer_id;

-- name: CheckRowOrder
select a.id, b.id as before_her from sales.waiting a join sales.waiting b on b.offer_id = a.offer_id and b.place > a.place
 where a.state = 'waiting' and b.offered_at is not null or a.offered_at > b.offered_at;

-- name: CheckPlacesTaken
select w.id, w.order_id from sales.waiting w join sales.orders o on o.id = w.order_id
 where o.buyer_id <> w.person_id or not exists (select 1 from sales.lines l where l.order_id = o.id and l.offer_id = w.offer_id);

-- name: CheckPlacesKept
with kept as (
    select k.offer_id, k.edition_id, k.sessions, k.person_id from sales.offered k
), sold as (
    select coalesce(l.holder_id, o.buyer_id) as buyer_id, o.organisation, l.order_id, l.line, l.offer_id, l.edition_id, l.quantity - l.returned as quantity from sales.lines l join sales.standing o on o.id = l.order_id and o.sold
)
select f.id, f.quota as places from offers.offers f
 where f.id in (select k.offer_id from kept k)
   and f.quota < (select coalesce(sum(s.quantity), 0) from sold s where s.offer_id = f.id) + (select count(*) from kept k where k.offer_id = f.id)
union all
select c.id, c.capacity from catalog.sessions c
 where c.id in (select unnest(k.sessions) from kept k)
   and c.capacity < (select count(*) from (select s.buyer_id from sold s join sales.parts p on p.order_id = s.order_id and p.line = s.line and p.seat = 0 and p.place
                                            where p.session_id = c.id and s.organisation is null
                                           union select k.person_id from kept k where c.id = any(k.sessions)) people)
                  + (select coalesce(sum(s.quantity), 0) from sold s join sales.parts p on p.order_id = s.order_id and p.line = s.line and p.seat = 0
                      where p.session_id = c.id and s.organisation is not null)
union all
select e.id, e.capacity from programs.editions e
 where e.id in (select k.edition_id from kept k)
   and e.capacity < (select count(*) from (select s.buyer_id from sold s where s.edition_id = e.id and s.organisation is null
                                           union select k.person_id from kept k where k.edition_id = e.id) people)
                  + (select coalesce(sum(s.quantity), 0) from sold s where s.edition_id = e.id and s.organisation is not null);

-- name: SetWay
update sales.orders set way = $2, payment_id = $3, expires_at = $4 where id = $1;

-- name: OverdueByHand
select id from sales.orders where state = 'awaiting_payment' and way in ('desk', 'transfer', 'purchase_order') and expires_at < $1 order by id limit 100;

-- name: ReversalOf
select coalesce((select r.id from payments.receipts c join payments.refunds r on r.payment_id = c.payment_id and r.reversal
                  where c.id = $2 and c.organisation = $1 order by r.id desc limit 1), '');

-- name: Holdings
select line, max(seat) as last, count(*) filter (where state = 'reserved') as reserved, count(*) filter (where state = 'claimed') as claimed,
       count(*) filter (where state in ('returning', 'returned')) as returned
  from sales.seats where order_id = $1 group by line;

-- name: SeatsOf
select x.id, x.order_id, x.line, x.seat, x.state, coalesce(p.email, x.email, '') as email, coalesce(p.full_name, x.name, '') as name, coalesce(x.person_id, '') as person_id,
       coalesce(x.membership_id, '') as membership_id, x.given_at, x.claimed_at
  from sales.seats x left join identity.people p on p.id = x.person_id
 where x.order_id = $1 and x.state in ('reserved', 'claimed') and ($2::text = '' or x.id < $2) order by x.id desc limit $3;

-- name: SeatByID
select x.id, x.order_id, x.line, x.seat, x.state, coalesce(p.email, x.email, '') as email, coalesce(p.full_name, x.name, '') as name, coalesce(x.person_id, '') as person_id,
       coalesce(x.membership_id, '') as membership_id, x.given_at, x.claimed_at
  from sales.seats x left join identity.people p on p.id = x.person_id where x.id = $1;

-- name: SeatsOfLine
select x.id, x.order_id, x.line, x.seat, x.state, coalesce(p.email, x.email, '') as email, coalesce(p.full_name, x.name, '') as name, coalesce(x.person_id, '') as person_id,
       coalesce(x.membership_id, '') as membership_id, x.given_at, x.claimed_at
  from sales.seats x left join identity.people p on p.id = x.person_id
 where x.order_id = $1 and x.line = $2 and x.state in ('reserved', 'claimed') order by x.seat;

-- name: SeatsFor
select x.id, x.order_id, x.line, x.seat, x.state, coalesce(p.email, x.email, '') as email, coalesce(p.full_name, x.name, '') as name, coalesce(x.person_id, '') as person_id,
       coalesce(x.membership_id, '') as membership_id, x.given_at, x.claimed_at
  from sales.seats x left join identity.people p on p.id = x.person_id
 where x.order_id = $1 and x.line = $2 and (x.state = 'claimed' and x.person_id = $3 or x.state = 'reserved' and x.email = $4) order by x.state;

-- name: ReservedFor
select x.id, x.order_id, x.line, x.seat, x.state, x.email, coalesce(x.name, '') as name, '' as person_id, '' as membership_id, x.given_at, x.claimed_at
  from sales.seats x where x.email = $1 and x.state = 'reserved' order by x.id;

-- name: AddSeat
insert into sales.seats (id, order_id, line, seat, state, email, name, person_id, membership_id, link_id, given_at, claimed_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12);

-- name: ClaimSeat
update sales.seats set state = 'claimed', person_id = $2, membership_id = $3, claimed_at = $4 where id = $1;

-- name: EndSeat
update sales.seats set state = 'ended', ended_at = $2, ended_because = $3 where id = $1;

-- name: EndSeats
with ended as (
    update sales.seats x set state = 'ended', ended_at = $2, ended_because = $3 from (select id, state from sales.seats where order_id = $1 for update) was
     where x.id = was.id and was.state in ('reserved', 'claimed', 'returning') returning x.id, was.state
)
select id from ended where state = 'claimed' order by id;

-- name: SplitSeat
with share as (
    select s.position, s.session, s.weight, s.enrolment, s.sold, s.credited
      from jsonb_to_recordset($4::jsonb) as s(position int, session text, weight bigint, enrolment text, sold bigint, credited bigint)
), kept as (
    update sales.parts p set sold_minor = p.sold_minor - s.sold, credited_minor = p.credited_minor - s.credited
      from share s where p.order_id = $1 and p.line = $2 and p.seat = 0 and p.position = s.position
)
insert into sales.parts (order_id, line, seat, position, session_id, weight, enrolment_id, sold_minor, credited_minor)
select $1, $2, $3, s.position, s.session, s.weight, s.enrolment, s.sold, s.credited from share s;

-- name: MergeSeat
with back as (
    select p.position, p.sold_minor, p.credited_minor from sales.parts p where p.order_id = $1 and p.line = $2 and p.seat = $3
), emptied as (
    update sales.parts p set sold_minor = 0, credited_minor = 0 where p.order_id = $1 and p.line = $2 and p.seat = $3
)
update sales.parts p set sold_minor = p.sold_minor + b.sold_minor, credited_minor = p.credited_minor + b.credited_minor
  from back b where p.order_id = $1 and p.line = $2 and p.seat = 0 and p.position = b.position;

-- name: AddLink
insert into sales.claim_links (id, order_id, line, hash, max_uses, made_by, made_at, expires_at) values ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: LinkByHash
select k.id, k.order_id, k.line, k.max_uses, (select count(*) from sales.seats x where x.link_id = k.id) as uses, k.made_at, k.expires_at, k.revoked_at
  from sales.claim_links k where k.hash = $1;

-- name: LinksOf
select k.id, k.order_id, k.line, k.max_uses, (select count(*) from sales.seats x where x.link_id = k.id) as uses, k.made_at, k.expires_at, k.revoked_at
  from sales.claim_links k where k.order_id = $1 and ($2::text = '' or k.id < $2) order by k.id desc limit $3;

-- name: LinkByID
select k.id, k.order_id, k.line, k.max_uses, (select count(*) from sales.seats x where x.link_id = k.id) as uses, k.made_at, k.expires_at, k.revoked_at
  from sales.claim_links k where k.id = $1;

-- name: RevokeLink
update sales.claim_links set revoked_at = coalesce(revoked_at, $3) where id = $1 and order_id = $2;

-- name: CheckSeatsGiven
select l.order_id, l.line, l.quantity, count(*) as given from sales.lines l join sales.seats x on x.order_id = l.order_id and x.line = l.line and x.state <> 'ended'
 group by l.order_id, l.line, l.quantity having count(*) > l.quantity;

-- name: CheckSeatsEnrolled
select x.id, p.position from sales.seats x join sales.orders o on o.id = x.order_id join sales.parts p on p.order_id = x.order_id and p.line = x.line and p.seat = 0
 where x.state = 'claimed'
   and not exists (select 1 from sales.parts m join enrolment.enrolments e on e.id = m.enrolment_id
                     join enrolment.grants g on g.order_id = x.order_id and g.enrolment_id = e.id and g.revoked_at is null
                    where m.order_id = x.order_id and m.line = x.line and m.seat = x.seat and m.position = p.position
                      and e.session_id = p.session_id and e.learner_id = x.person_id)
union all
select x.id, 0 from sales.seats x join sales.lines l on l.order_id = x.order_id and l.line = x.line
 where x.state = 'claimed' and l.edition_id is not null
   and not exists (select 1 from enrolment.memberships m where m.id = x.membership_id and m.learner_id = x.person_id and m.edition_id = l.edition_id
                      and m.version = l.program_version and m.revoked_at is null)
union all
select g.order_id, 0 from enrolment.grants g join sales.orders o on o.id = g.order_id and o.organisation is not null
 where g.revoked_at is null
   and not exists (select 1 from sales.parts m join sales.seats x on x.order_id = m.order_id and x.line = m.line and x.seat = m.seat and x.state = 'claimed'
                    where m.order_id = g.order_id and m.enrolment_id = g.enrolment_id);

-- name: CheckSeatsMoney
select p.order_id, p.line, p.seat, p.sold_minor from sales.parts p join sales.orders o on o.id = p.order_id
 where p.seat > 0 and p.sold_minor <> p.credited_minor and o.state in ('paid', 'partially_refunded', 'disputed', 'accruing', 'billed')
   and not exists (select 1 from sales.seats x where x.order_id = p.order_id and x.line = p.line and x.seat = p.seat and x.state in ('claimed', 'returning', 'returned'))
union all
select p.order_id, p.line, p.seat, p.sold_minor from sales.parts p join sales.lines l on l.order_id = p.order_id and l.line = p.line
 where p.seat = 0 and p.sold_minor <> 0
   and (select count(*) from sales.seats x where x.order_id = p.order_id and x.line = p.line and x.state in ('claimed', 'returning', 'returned')) >= l.quantity;

-- name: CheckSeatTwice
select a.id, b.id as again from sales.seats a join sales.lines al on al.order_id = a.order_id and al.line = a.line
  join sales.seats b on b.person_id = a.person_id and b.id > a.id and b.state = 'claimed'
  join sales.lines bl on bl.order_id = b.order_id and bl.line = b.line and bl.formula = al.formula
 where a.state = 'claimed' and (al.session_id = bl.session_id or al.edition_id = bl.edition_id);

-- name: CheckSeatsStand
select x.id, o.state from sales.seats x join sales.orders o on o.id = x.order_id
 where x.state in ('reserved', 'claimed') and (o.organisation is null or o.state not in ('paid', 'partially_refunded', 'disputed', 'accruing', 'billed'));

-- name: Begun
select id from catalog.sessions where id = any($1::text[]) and starts_at <= $2;

-- name: TransfersOf
select t.id, t.order_id, t.line, t.from_id, f.full_name as from_name, t.email, coalesce(t.to_id, '') as to_id, t.state, t.offered_at, t.until
  from sales.transfers t join identity.people f on f.id = t.from_id where t.order_id = $1 and t.state in ('offered', 'accepted') order by t.line;

-- name: TransferByID
select t.id, t.order_id, t.line, t.from_id, f.full_name as from_name, t.email, coalesce(t.to_id, '') as to_id, t.state, t.offered_at, t.until
  from sales.transfers t join identity.people f on f.id = t.from_id where t.id = $1;

-- name: TransfersTo
select t.id, t.order_id, t.line, t.from_id, f.full_name as from_name, t.email, coalesce(t.to_id, '') as to_id, t.state, t.offered_at, t.until
  from sales.transfers t join identity.people f on f.id = t.from_id where t.email = $1 and t.state = 'offered' and t.until > $2 and ($3::text = '' or t.id > $3) order by t.id limit $4;

-- name: AddTransfer
insert into sales.transfers (id, order_id, line, from_id, email, state, offered_at, until) values ($1, $2, $3, $4, $5, 'offered', $6, $7);

-- name: EndTransfer
update sales.transfers set state = $2, to_id = $3, ended_at = $4 where id = $1 and state = 'offered';

-- name: KeptOfSale
-- What of an order's money was kept of what was sold to some enrolments ('': to nobody yet), and what was sold to each.
select r.enrolment_id, r.account, r.currency, r.minor, s.sold
  from (select coalesce(e.enrolment_id, '') as enrolment_id, e.account, t.currency, sum(e.minor)::bigint as minor
          from ledger.entries e join ledger.transactions t on t.id = e.transaction_id
         where e.order_id = $1 and coalesce(e.enrolment_id, '') = any($2::text[]) and e.account like 'cost:fee:%'
         group by 1, 2, 3 having sum(e.minor) <> 0) r
  join (select coalesce(e.enrolment_id, '') as enrolment_id, -sum(e.minor)::bigint as sold
          from ledger.entries e where e.order_id = $1 and coalesce(e.enrolment_id, '') = any($2::text[]) and e.account = 'revenue'
         group by 1 having sum(e.minor) < 0) s using (enrolment_id)
 order by 1, 2, 3;

-- name: CheckKept
-- What was kept of an order stands in proportion to what was sold to each, a unit more or less for each time that it was divided. What was kept before
-- the order was sold is placed within half an hour.
with sold as (
    select e.order_id, coalesce(e.enrolment_id, '') as enrolment_id, -sum(e.minor) as minor from ledger.entries e
     where e.account = 'revenue' and e.order_id is not null
       and not exists (select 1 from ledger.entries x join ledger.transactions t on t.id = x.transaction_id
                        where x.order_id = e.order_id and x.account = 'revenue' and t.kind = 'sale' and t.recorded_at > now() - interval '30 minutes')
     group by 1, 2 having sum(e.minor) < 0
), sums as (
    select order_id, sum(minor) as minor from sold group by 1
), kept as (
    select e.order_id, coalesce(e.enrolment_id, '') as enrolment_id, e.account, t.currency, sum(e.minor) as minor
      from ledger.entries e join ledger.transactions t on t.id = e.transaction_id where e.account like 'cost:fee:%' and e.order_id is not null group by 1, 2, 3, 4
), totals as (
    select e.order_id, e.account, t.currency, sum(e.minor) as minor, count(*) as divided
      from ledger.entries e join ledger.transactions t on t.id = e.transaction_id where e.account like 'cost:fee:%' and e.order_id is not null group by 1, 2, 3
)
select t.order_id, s.enrolment_id, t.account, coalesce(k.minor, 0) as kept, t.minor as of, s.minor as sold, x.minor as of_sold
  from totals t join sums x on x.order_id = t.order_id join sold s on s.order_id = t.order_id
  left join kept k on k.order_id = t.order_id and k.account = t.account and k.currency = t.currency and k.enrolment_id = s.enrolment_id
 where abs(coalesce(k.minor, 0) * x.minor - t.minor * s.minor) > x.minor * t.divided
union all
select k.order_id, k.enrolment_id, k.account, k.minor, null, 0, x.minor
  from kept k join sums x on x.order_id = k.order_id
 where k.minor <> 0 and not exists (select 1 from sold s where s.order_id = k.order_id and s.enrolment_id = k.enrolment_id);

-- name: HandOver
with enrolled as (
    update sales.parts p set enrolment_id = n.enrolment_id from unnest($3::int[], $4::text[]) as n(position, enrolment_id)
     where p.order_id = $1 and p.line = $2 and p.seat = 0 and p.position = n.position
)
update sales.lines set holder_id = $5, membership_id = $6 where order_id = $1 and line = $2;

-- name: CheckTransferred
select l.order_id, l.line, l.holder_id from sales.lines l join sales.orders o on o.id = l.order_id
  left join sales.transfers t on t.order_id = l.order_id and t.line = l.line and t.state = 'accepted'
 where t.to_id is distinct from l.holder_id or l.holder_id is not null and (o.organisation is not null or l.holder_id = o.buyer_id)
union all
select g.order_id, 0, e.learner_id from enrolment.grants g join enrolment.enrolments e on e.id = g.enrolment_id join sales.orders o on o.id = g.order_id
 where g.revoked_at is null and o.organisation is null
   and not exists (select 1 from sales.parts p join sales.lines l on l.order_id = p.order_id and l.line = p.line
                    where p.order_id = o.id and p.enrolment_id = e.id and e.learner_id = coalesce(l.holder_id, o.buyer_id));

-- name: SeatUnderWay
select coalesce(sum(l.minor), 0)::bigint from sales.refund_lines l join payments.refunds r on r.id = l.refund_id
 where l.order_id = $1 and l.line = $2 and l.seat = $3 and r.state in ('proposed', 'requested', 'pending');

-- name: SetRefundOfSeats
update sales.seats set refund_id = $2 where id = any($1::text[]);

-- name: SeatsReturned
select x.id, x.order_id, x.line, x.seat, x.state, coalesce(x.email, '') as email, coalesce(x.name, '') as name, coalesce(x.person_id, '') as person_id,
       coalesce(x.membership_id, '') as membership_id, x.given_at, x.claimed_at
  from sales.seats x
 where x.order_id = $2
   and (x.refund_id = $1 and x.state = 'returning'
        or x.state = 'claimed' and exists (select 1 from sales.refund_lines r where r.refund_id = $1 and r.line = x.line and r.seat = x.seat)
           and not exists (select 1 from sales.parts p where p.order_id = x.order_id and p.line = x.line and p.seat = x.seat and p.sold_minor <> p.credited_minor))
 order by x.id;

-- name: ReturnSeats
update sales.lines set returned = returned + $3 where order_id = $1 and line = $2;

-- name: SeatIsReturned
update sales.seats set state = 'returned', refund_id = $2 where id = $1;

-- name: SeatsApart
select x.id, x.order_id, x.line, x.seat, x.state, '' as email, '' as name, '' as person_id, '' as membership_id, x.given_at, x.claimed_at
  from sales.seats x where x.refund_id = $1 and x.order_id = $2 and x.state = 'returning' order by x.id;

-- name: CheckSeatsReturned
select l.order_id, l.line, l.returned, count(x.id) as seats from sales.lines l join sales.orders o on o.id = l.order_id and o.organisation is not null
  left join sales.seats x on x.order_id = l.order_id and x.line = l.line and x.state = 'returned'
 group by l.order_id, l.line, l.returned having count(x.id) <> l.returned
union all
select x.order_id, x.line, x.seat, p.sold_minor - p.credited_minor from sales.seats x join sales.parts p on p.order_id = x.order_id and p.line = x.line and p.seat = x.seat
 where x.state = 'returned' and p.sold_minor <> p.credited_minor
union all
select x.order_id, x.line, x.seat, 0 from sales.seats x left join payments.refunds r on r.id = x.refund_id
 where x.state = 'returning' and (r.state is null or r.state not in ('proposed', 'requested', 'pending'));

-- name: AddPlan
insert into sales.plans (order_id, on_default, end_after_days, agreed_at) values ($1, $2, $3, $4);

-- name: AddInstalment
insert into sales.instalments (order_id, n, amount_minor, due_at, state, next_at) values ($1, $2, $3, $4, $5, $6);

-- name: DropInstalments
delete from sales.instalments where order_id = $1;

-- name: DropPlan
delete from sales.plans where order_id = $1;

-- name: DropOpenInstalments
update sales.instalments set state = 'canceled', next_at = null, settled_at = $2 where order_id = $1 and state not in ('paid', 'canceled');

-- name: Schedules
select p.order_id, p.on_default, p.end_after_days, coalesce(p.customer_id, '') as customer_id, coalesce(p.method_id, '') as method_id, i.n, i.amount_minor, i.due_at, i.state,
       i.attempts, i.why, i.next_at, coalesce(i.payment_id, '') as payment_id, i.settled_at
  from sales.plans p join sales.instalments i on i.order_id = p.order_id where p.order_id = any($1::text[]) order by p.order_id, i.n;

-- name: MoveInstalment
update sales.instalments set state = $3, attempts = $4, why = $5, next_at = $6, payment_id = nullif($7, ''), settled_at = $8 where order_id = $1 and n = $2;

-- name: KeepCard
-- Events come in any order: the card that was left last is kept.
update sales.plans set customer_id = $2, method_id = $3, card_left_at = $4 where order_id = $1 and (card_left_at is null or card_left_at <= $4);

-- name: Held
select coalesce(sum(captured_minor - refunded_minor - lost_minor), 0)::bigint from payments.payments where order_id = $1 and state = 'captured';

-- name: ToRemind
select distinct order_id from sales.instalments where state = 'planned' and reminded_at is null and n > 1 and due_at <= $1 and order_id > $2 order by order_id limit $3;

-- name: Reminded
update sales.instalments set reminded_at = $3 where order_id = $1 and n = $2 and reminded_at is null and n > 1;

-- name: DueInstalments
select distinct order_id from sales.instalments where next_at <= $1 and order_id > $2 order by order_id limit $3;

-- name: GoesBack
select exists (select 1 from payments.refunds r join payments.payments p on p.id = r.payment_id
                where p.order_id = $1 and p.state = 'captured' and r.state in ('proposed', 'requested', 'pending'));

-- name: AtTheBank
select exists (select 1 from payments.disputes d join payments.payments p on p.id = d.payment_id where p.order_id = $1 and p.state = 'captured' and d.state = 'opened');

-- name: DefaultCases
select o.id as order_id, o.currency, b.full_name as buyer, coalesce(b.email, '') as email, i.n, i.amount_minor as minor, i.due_at, i.state, i.why, i.attempts, i.next_at, p.on_default,
       (select sum(x.amount_minor) from sales.instalments x where x.order_id = o.id and x.state not in ('paid', 'canceled'))::bigint as owed_minor
  from sales.instalments i join sales.plans p on p.order_id = i.order_id join sales.orders o on o.id = i.order_id join identity.people b on b.id = o.buyer_id
 where i.state in ('refused', 'needs_authentication', 'defaulted') order by i.state <> 'defaulted', i.due_at, i.order_id, i.n limit 200;

-- name: CheckInstalments
select o.id, o.total_minor, s.planned, s.owed, b.owed as ledger from sales.orders o
  left join lateral (select sum(i.amount_minor)::bigint as planned, coalesce(sum(i.amount_minor) filter (where i.state not in ('paid', 'canceled')), 0)::bigint as owed
                       from sales.instalments i where i.order_id = o.id) s on true
  left join lateral (select coalesce(sum(e.minor), 0)::bigint as owed from ledger.entries e where e.order_id = o.id and e.account = 'receivable') b on true
 where o.way = 'instalments' and (s.planned is distinct from o.total_minor or b.owed <> case when o.paid_at is null then 0 else s.owed end)
    or o.way <> 'instalments' and b.owed <> case when o.state = 'billed' then o.total_minor else 0 end;

-- name: CheckInstalmentsPaid
select i.order_id, i.n, i.state, p.id as payment, p.state as payment_state from sales.instalments i
  full join payments.payments p on p.id = i.payment_id
 where i.state = 'paid' and (p.state is distinct from 'captured' or p.instalment <> i.n or p.order_id <> i.order_id)
    or p.state = 'captured' and p.instalment is not null and i.state is distinct from 'paid';

-- name: CheckHeldBack
select g.order_id, g.hold, d.should from enrolment.grants g join sales.orders o on o.id = g.order_id
  left join lateral (select case p.on_default when 'keep' then 'certificate' else 'all' end as should from sales.plans p
                      where p.order_id = o.id and exists (select 1 from sales.instalments i where i.order_id = p.order_id and i.state = 'defaulted')) d on true
 where g.revoked_at is null and o.state in ('paid', 'partially_refunded', 'disputed') and g.hold is distinct from d.should;

-- name: Guesses
select who, count(*) as n, min(at) as first from sales.guesses where who = any($1::text[]) and at > $2 group by who;

-- name: AddGuess
with old as (delete from sales.guesses where at <= $3)
insert into sales.guesses (who, at) select w, $2 from unnest($1::text[]) as w;

-- name: WaitForAmount
select o.id from sales.orders o left join payments.payments p on p.id = o.payment_id
 where o.state in ('awaiting_payment', 'billed') and o.currency = $2 and o.total_minor - case when p.by_hand then p.captured_minor else 0 end = $1
 order by coalesce(p.by_hand, false) desc, o.id desc limit 5;

-- name: AddAccount
insert into sales.accounts (order_id, account, month, ends_at, due_days) values ($1, $2, $3, $4, $5);

-- name: AccountOfMonth
select order_id from sales.accounts where account = $1 and month = $2 and dropped_at is null;

-- name: AccountOf
select a.order_id, a.account, a.month, a.ends_at, a.due_days, a.billed_at, a.dropped_at, a.reminders from sales.accounts a where a.order_id = $1;

-- name: AccountsOf
select a.order_id, a.account, a.month, a.ends_at, a.due_days, a.billed_at, a.dropped_at, a.reminders, o.state, l.quantity as places, l.list_minor as price_minor,
       o.total_minor, o.currency, o.due_at, o.paid_at
  from sales.accounts a join sales.orders o on o.id = a.order_id join sales.lines l on l.order_id = o.id
 where a.account = $1 and a.dropped_at is null order by a.month desc, a.order_id limit 120;

-- name: LockAccount
select pg_advisory_xact_lock(hashtextextended('account:' || $1, 0));

-- name: AccountsToBill
select order_id, account from sales.accounts where ends_at <= $1 and billed_at is null and dropped_at is null and order_id > $2 order by order_id limit $3;

-- name: AccountsToRemind
select a.order_id, a.account from sales.accounts a join sales.orders o on o.id = a.order_id
 where o.state = 'billed' and a.reminders < $1 and o.due_at <= $2 and a.order_id > $3 order by a.order_id limit $4;

-- name: GrowAccount
-- Places more or fewer, at the price of the line; what nobody has of its parts takes them in or gives them up.
with grown as (
    update sales.lines set quantity = quantity + $2, total_minor = total_minor + $2 * list_minor where order_id = $1
), shared as (
    update sales.parts p set sold_minor = p.sold_minor + $2 * n.minor from unnest($3::int[], $4::bigint[]) as n(position, minor)
     where p.order_id = $1 and p.seat = 0 and p.position = n.position
)
update sales.orders o set total_minor = o.total_minor + $2 * l.list_minor from sales.lines l where o.id = $1 and l.order_id = o.id;

-- name: DropAccount
update sales.accounts set dropped_at = $2 where order_id = $1;

-- name: BillAccount
with noted as (update sales.accounts set billed_at = $5 where order_id = $1)
update sales.orders set state = $2, due_at = $3, payment_id = $4 where id = $1;

-- name: AccountReminded
update sales.accounts set reminders = $2 where order_id = $1;

-- name: CheckAccounts
-- Who is in at the end of a month stands in the one order of that month, and it says so many as there are.
select a.order_id, a.month, l.quantity, l.list_minor, o.total_minor, s.seats, 'adds up' as what
  from sales.accounts a join sales.orders o on o.id = a.order_id join sales.lines l on l.order_id = o.id
  cross join lateral (select count(*) as seats from sales.seats x where x.order_id = o.id and x.state in ('claimed', 'reserved', 'returning', 'returned')) s
 where o.state in ('accruing', 'billed') and (s.seats <> l.quantity or o.total_minor <> l.quantity * l.list_minor or l.discount_minor <> 0)
    or (a.billed_at is not null) <> (o.state not in ('accruing', 'canceled')) or (a.dropped_at is not null) <> (o.state = 'canceled')
union all
select a.order_id, a.month, 0, 0, o.total_minor, 0, 'not billed' from sales.accounts a join sales.orders o on o.id = a.order_id
 where o.state = 'accruing' and a.ends_at < (select at - interval '1 day' from platform.audit order by seq desc limit 1)
union all
select o.id, null, 0, 0, 0, 0, 'no account' from sales.orders o where o.state in ('accruing', 'billed') and not exists (select 1 from sales.accounts a where a.order_id = o.id);

-- name: CheckUnbilled
select o.id, o.state, o.total_minor, b.unbilled, b.accrued from sales.orders o
  join lateral (select coalesce(sum(e.minor) filter (where starts_with(e.account, 'unbilled:')), 0)::bigint as unbilled,
                       coalesce(sum(e.minor) filter (where e.account = 'accrued'), 0)::bigint as accrued
                  from ledger.entries e where e.order_id = o.id and (e.account = 'accrued' or starts_with(e.account, 'unbilled:'))) b on true
 where b.unbilled <> case when o.state = 'accruing' then o.total_minor else 0 end or b.unbilled + b.accrued <> 0;
