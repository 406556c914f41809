-- name: Balances
select e.account, coalesce(c.number, '000') as number, coalesce(c.title_en, e.account) as title_en, coalesce(c.title_fr, e.account) as title_fr, e.currency,
       e.debit, e.credit, e.debit - e.credit as balance, e.entries
  from (select x.account, t.currency, coalesce(sum(x.minor) filter (where x.minor > 0), 0)::bigint as debit, coalesce(-sum(x.minor) filter (where x.minor < 0), 0)::bigint as credit,
               count(*) as entries
          from ledger.entries x join ledger.transactions t on t.id = x.transaction_id where t.occurred_at <= $1 group by x.account, t.currency) e
  left join lateral (select number, title_en, title_fr from accounting.chart where starts_with(e.account, prefix) order by length(prefix) desc limit 1) c on true
 order by number, e.account, e.currency;

-- name: Entries
select e.id, e.transaction_id, t.reference, t.kind, e.account, t.currency, e.minor, coalesce(e.order_id, '') as order_id, coalesce(e.enrolment_id, '') as enrolment_id,
       t.occurred_at, t.recorded_at
  from ledger.entries e join ledger.transactions t on t.id = e.transaction_id
 where e.account = $1 and ($2::text = '' or t.currency = $2) and ($3::timestamptz is null or t.occurred_at >= $3) and ($4::timestamptz is null or t.occurred_at < $4)
   and ($5::bigint is null or e.id < $5)
 order by e.id desc limit $6;

-- name: Known
select exists (select 1 from ledger.entries where account = $1);

-- name: OrderKnown
select exists (select 1 from sales.orders where id = $1);

-- name: OfOrder
select e.id, e.transaction_id, t.reference, t.kind, e.account, t.currency, e.minor, coalesce(e.order_id, '') as order_id, coalesce(e.enrolment_id, '') as enrolment_id,
       t.occurred_at, t.recorded_at
  from ledger.entries e join ledger.transactions t on t.id = e.transaction_id where e.order_id = $1 order by e.id;

-- name: BalancesOfOrder
select e.account, coalesce(c.number, '000') as number, coalesce(c.title_en, e.account) as title_en, coalesce(c.title_fr, e.account) as title_fr, e.currency,
       e.debit, e.credit, e.debit - e.credit as balance, e.entries
  from (select x.account, t.currency, coalesce(sum(x.minor) filter (where x.minor > 0), 0)::bigint as debit, coalesce(-sum(x.minor) filter (where x.minor < 0), 0)::bigint as credit,
               count(*) as entries
          from ledger.entries x join ledger.transactions t on t.id = x.transaction_id where x.order_id = $1 group by x.account, t.currency) e
  left join lateral (select number, title_en, title_fr from accounting.chart where starts_with(e.account, prefix) order by length(prefix) desc limit 1) c on true
 order by number, e.account, e.currency;

-- name: Journal
select e.id, e.transaction_id, t.reference, t.kind, e.account, t.currency, e.minor, coalesce(e.order_id, '') as order_id, coalesce(e.enrolment_id, '') as enrolment_id,
       t.occurred_at, t.recorded_at, dense_rank() over (order by t.occurred_at, t.id) as number,
       coalesce(c.number, '000') as chart, coalesce(c.title_fr, e.account) as title, coalesce(d.number, t.reference) as piece,
       case when e.account = 'receivable' then coalesce(o.buyer_id, '') else '' end as auxiliary,
       case when e.account = 'receivable' then coalesce(p.full_name, '') else '' end as buyer
  from ledger.entries e join ledger.transactions t on t.id = e.transaction_id
  left join sales.orders o on o.id = e.order_id
  left join identity.people p on p.id = o.buyer_id
  left join lateral (select x.series || '-' || lpad(x.number::text, 6, '0') as number from invoicing.documents x
                      where t.kind = 'sale' and x.kind = 'invoice' and x.order_id = e.order_id
                         or t.kind = 'refund' and x.kind = 'credit_note' and x.order_id = e.order_id and x.reference = split_part(t.reference, ':', 1)
                         or t.kind = 'tax' and x.id = split_part(t.reference, ':', 1) limit 1) d on true
  left join lateral (select number, title_fr from accounting.chart where starts_with(e.account, prefix) order by length(prefix) desc limit 1) c on true
 where t.occurred_at >= $1 and t.occurred_at < $2 and t.currency = $3
 order by t.occurred_at, t.id, e.id;

-- name: Agreements
select key, organisation, collects, holder, currency, share_ppm, valid_from, valid_until, version from accounting.agreements order by key;

-- name: LockPartner
select pg_advisory_xact_lock(hashtextextended('accounting:' || $1, 0));

-- name: Overlaps
select exists (select 1 from accounting.agreements a where a.key <> $1 and a.organisation = $2 and a.currency = $3 and a.collects = $4
                  and tstzrange(a.valid_from, a.valid_until) && case when $6::timestamptz <= $5::timestamptz then 'empty'::tstzrange else tstzrange($5, $6) end);

-- name: PutAgreement
insert into accounting.agreements as a (key, organisation, collects, holder, currency, share_ppm, valid_from, valid_until)
select $1, $2, $3, $4, $5, $6, $7, $8 where $9::int = 0 or exists (select 1 from accounting.agreements x where x.key = $1)
on conflict (key) do update set organisation = excluded.organisation, collects = excluded.collects, holder = excluded.holder, currency = excluded.currency,
       share_ppm = excluded.share_ppm, valid_from = excluded.valid_from, valid_until = excluded.valid_until, version = a.version + 1
 where $9::int = 0 or a.version = $9
returning version;

-- name: HolderOf
select holder from accounting.agreements
 where organisation = $1 and currency = $2 and collects = 'partner' order by (valid_from <= $3 and coalesce(valid_until > $3, true)) desc, valid_from desc limit 1;

-- name: AddSettlement
insert into accounting.settlements (id, organisation, direction, currency, amount_minor, reference, settled_at, recorded_by, recorded_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: Settlement
select id, organisation, direction, currency, amount_minor, reference, settled_at, recorded_at from accounting.settlements where id = $1;

-- name: Settlements
select id, organisation, direction, currency, amount_minor, reference, settled_at, recorded_at from accounting.settlements
 where organisation = $1 and currency = $2 and settled_at < $3 order by settled_at, id;

-- name: Collected
with moved as (
    select order_id, minor, occurred_at, by_partner from accounting.collected_of($1) where currency = $2 and occurred_at < $4
)
select key, collects, share_ppm, coalesce(sum(before), 0)::bigint as before, coalesce(sum(until), 0)::bigint as until, count(order_id) filter (where moved) as orders,
       coalesce(sum(round(before * share_ppm / 1000000)), 0)::bigint as share_before, coalesce(sum(round(until * share_ppm / 1000000)), 0)::bigint as share_until
  from (
select a.key, a.collects, a.share_ppm, m.order_id, coalesce(sum(m.minor) filter (where m.occurred_at < $3), 0) as before, coalesce(sum(m.minor), 0) as until, bool_or(m.occurred_at >= $3) as moved
  from accounting.agreements a
  left join moved m on m.by_partner = (a.collects = 'partner') and m.occurred_at >= a.valid_from and coalesce(m.occurred_at < a.valid_until, true)
 where a.organisation = $1 and a.currency = $2
 group by a.key, a.collects, a.share_ppm, m.order_id) each
 group by key, collects, share_ppm order by collects, key;

-- name: Sharers
select organisation from accounting.agreements union select organisation from accounting.shares order by 1;

-- name: SharesDue
-- What the shares of a school should be by what was collected, and the ledger does not have: by agreement and order. An agreement that says something
-- else than when a share was posted takes that back, and posts the new one.
with due as (
    select a.key as agreement, m.order_id, a.organisation, a.collects, a.holder, a.currency, round(sum(m.minor) * a.share_ppm / 1000000)::bigint as minor, max(m.occurred_at) as last
      from accounting.agreements a
      join accounting.collected_of($1) m on m.currency = a.currency and m.by_partner = (a.collects = 'partner') and m.occurred_at >= a.valid_from and coalesce(m.occurred_at < a.valid_until, true)
     where a.organisation = $1
     group by a.key, m.order_id
), posted as (
    select agreement, order_id, organisation, collects, holder, currency, sum(minor)::bigint as minor, max(occurred_at) as last from accounting.shares where organisation = $1 group by 1, 2, 3, 4, 5, 6
)
select agreement, order_id, organisation, collects, holder, currency, coalesce(d.minor, 0) - coalesce(p.minor, 0) as minor, case when d.last > p.last or p.last is null then d.last end as moved_at
  from due d full join posted p using (agreement, order_id, organisation, collects, holder, currency)
 where coalesce(d.minor, 0) <> coalesce(p.minor, 0)
 order by agreement, order_id, currency limit $2;

-- name: SoldTo
select e.order_id, coalesce(e.enrolment_id, '') as enrolment_id, -sum(e.minor)::bigint as minor from ledger.entries e join ledger.transactions t on t.id = e.transaction_id
 where e.order_id = any($1::text[]) and e.account = 'revenue' group by 1, 2 having sum(e.minor) < 0 order by 1, 2;

-- name: AddShares
insert into accounting.shares (id, agreement, order_id, organisation, collects, holder, currency, minor, occurred_at, posted_at)
select s.id, s.agreement, s.order_id, s.organisation, s.collects, s.holder, s.currency, s.minor, s.occurred_at, $10
  from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::timestamptz[])
       as s(id, agreement, order_id, organisation, collects, holder, currency, minor, occurred_at);

-- name: CheckShares
with moved as (
    select t.reference, t.currency, sum(e.minor) filter (where e.account like 'cost:fee:partner:%')::bigint as cost
      from ledger.transactions t join ledger.entries e on e.transaction_id = t.id where t.kind = 'share' group by t.id
)
select coalesce(s.id, m.reference) as id, s.minor, m.cost from accounting.shares s full join moved m on m.reference = s.id
 where s.minor is distinct from m.cost or s.currency is distinct from m.currency
union all
select t.reference, null, sum(e.minor)::bigint from ledger.entries e join ledger.transactions t on t.id = e.transaction_id
 where t.kind <> 'share' and e.account like 'cost:fee:partner:%' group by t.id having sum(e.minor) <> 0; -- with a seat it goes from one learner to another

-- name: CheckSettlements
select coalesce(s.id, t.reference) as id, s.amount_minor, b.minor from accounting.settlements s
  full join (select reference, id from ledger.transactions where kind = 'partner_settlement') t on t.reference = s.id
  left join lateral (select sum(minor) filter (where minor > 0)::bigint as minor from ledger.entries where transaction_id = t.id) b on true
 where s.amount_minor is distinct from b.minor;

-- name: CheckPostings
select coalesce(p.order_id, b.order_id) as order_id, coalesce(p.kept, 0) as kept, coalesce(b.minor, 0) as ledger
  from (select order_id, sum(captured_minor - refunded_minor - lost_minor
                 - (select coalesce(sum(r.repaid_minor), 0) from payments.refunds r where r.payment_id = y.id and r.state = 'failed'))::bigint as kept
          from payments.payments y group by order_id) p
  full join (select order_id, sum(minor)::bigint as minor from ledger.entries where order_id is not null and account like 'clearing:%' group by order_id) b on b.order_id = p.order_id
 where coalesce(p.kept, 0) <> coalesce(b.minor, 0);

-- name: AddRun
insert into accounting.runs (id, asked_by, asked_at) values ($1, $2, $3);

-- name: LockRuns
select pg_advisory_xact_lock(hashtextextended('accounting:runs', 0));

-- name: LastNightly
select max(asked_at) from accounting.runs where asked_by = 'nightly';

-- name: Run
select id, asked_by, state, asked_at, ended_at, caught_up, standing, fresh, resolved, note from accounting.runs where id = $1;

-- name: Runs
select id, asked_by, state, asked_at, ended_at, caught_up, standing, fresh, resolved, note from accounting.runs order by asked_at desc, id desc limit $1;

-- name: CaughtUp
update accounting.runs set caught_up = caught_up + $2 where id = $1;

-- name: EndRun
update accounting.runs set state = $2, ended_at = $3, standing = $4, fresh = $5, resolved = $6, note = $7 where id = $1 and state = 'waiting';

-- name: EventsWaiting
select count(*) from payments.events where state = 'received';

-- name: OurPayments
select id, order_id, coalesce(captured_currency, currency) as currency, captured_minor - refunded_minor - lost_minor as kept from payments.payments
 where provider = $1 and (captured_minor > 0 or id = any($2::text[]));

-- name: ClearingOf
-- What a provider holds for us before what it kept for itself and what it paid out, which its book of charges does not tell.
select currency, sum(minor)::bigint as minor
  from (select t.currency, e.minor from ledger.entries e join ledger.transactions t on t.id = e.transaction_id where e.account = $1
        union all select currency, minor from payments.fees where 'clearing:' || provider = $1
        union all select currency, fee_minor - minor from payments.movements where 'clearing:' || provider = $1) x
 group by currency;

-- name: Inside
select 'payment_ledger' as kind, coalesce(p.order_id, b.order_id) as object, coalesce(p.order_id, b.order_id) as order_id, coalesce(p.id, '') as payment_id,
       coalesce(p.currency, '') as currency, coalesce(b.minor, 0) as ours, coalesce(p.kept, 0) as theirs
  from (select order_id, min(id) as id, min(currency) as currency, sum(captured_minor - refunded_minor - lost_minor
                 - (select coalesce(sum(r.repaid_minor), 0) from payments.refunds r where r.payment_id = y.id and r.state = 'failed'))::bigint as kept
          from payments.payments y group by order_id) p
  full join (select order_id, sum(minor)::bigint as minor from ledger.entries where order_id is not null and account like 'clearing:%' group by order_id) b on b.order_id = p.order_id
 where coalesce(p.kept, 0) <> coalesce(b.minor, 0)
union all
select 'order_ledger', o.id, o.id, coalesce(o.payment_id, ''), o.currency, b.minor, case when o.paid_at is null and o.state <> 'billed' then 0 else o.total_minor - o.credited_minor end
  from sales.orders o
  join lateral (select coalesce(sum(e.minor), 0)::bigint as minor from ledger.entries e
                 where e.order_id = o.id and (e.account like 'clearing:%' or e.account in ('receivable', 'advances', 'overpaid', 'suspense', 'refunds_payable'))) b on true
 where b.minor <> case when o.paid_at is null and o.state <> 'billed' then 0 else o.total_minor - o.credited_minor end
union all
select 'paid_not_enrolled', o.id, o.id, coalesce(o.payment_id, ''), o.currency, 0, sum(p.sold_minor)::bigint
  from sales.orders o join sales.parts p on p.order_id = o.id join sales.lines l on l.order_id = p.order_id and l.line = p.line
 where o.paid_at is not null and o.organisation is null
   and not exists (select 1 from enrolment.grants g join enrolment.enrolments e on e.id = g.enrolment_id
                    where g.order_id = o.id and e.id = p.enrolment_id and e.session_id = p.session_id and e.learner_id = coalesce(l.holder_id, o.buyer_id))
   and not exists (select 1 from enrolment.retakes r where r.order_id = o.id and r.enrolment_id = p.enrolment_id)
 group by o.id, o.payment_id, o.currency
union all
select 'enrolled_not_paid', o.id, o.id, coalesce(o.payment_id, ''), o.currency, o.total_minor, o.total_minor - o.credited_minor
  from sales.orders o
 where o.state not in ('paid', 'partially_refunded', 'disputed', 'accruing', 'billed')
   and (exists (select 1 from enrolment.grants g where g.order_id = o.id and g.revoked_at is null)
        or exists (select 1 from enrolment.retakes r where r.order_id = o.id and r.revoked_at is null))
union all
select 'document_ledger', coalesce(d.order_id, b.order_id), coalesce(d.order_id, b.order_id), '', coalesce(d.currency, b.currency), coalesce(d.minor, 0), coalesce(b.minor, 0)
  from (select order_id, min(currency) as currency, sum(case kind when 'invoice' then amount_minor else -amount_minor end)::bigint as minor
          from invoicing.documents where kind in ('invoice', 'credit_note') group by order_id) d
  full join (select e.order_id, min(t.currency) as currency, -sum(e.minor)::bigint as minor from ledger.entries e join ledger.transactions t on t.id = e.transaction_id
              where e.account in ('revenue', 'refunds') and e.order_id is not null group by e.order_id) b on b.order_id = d.order_id
 where coalesce(d.minor, 0) <> coalesce(b.minor, 0)
union all
select 'event_waiting', e.id, '', '', '', 0, 0 from payments.events e where e.state = 'received' and e.received_at < $1::timestamptz - interval '15 minutes'
 order by 1, 2;

-- name: PutDifference
insert into accounting.differences as d (id, kind, object, order_id, payment_id, currency, ours_minor, theirs_minor, first_seen, last_seen, run_id)
select n.id, n.kind, n.object, nullif(n.order_id, ''), nullif(n.payment_id, ''), n.currency, n.ours, n.theirs, $8, $8, $9
  from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $10::bigint[]) as n(id, kind, object, order_id, payment_id, currency, ours, theirs)
on conflict (kind, object) where resolved_at is null
do update set ours_minor = excluded.ours_minor, theirs_minor = excluded.theirs_minor, last_seen = excluded.last_seen, run_id = excluded.run_id;

-- name: Resolve
update accounting.differences set resolved_at = $2 where resolved_at is null and run_id <> $1 and ($3 or kind not like 'provider%');

-- name: Standing
select count(*) as standing, count(*) filter (where first_seen = $1) as fresh from accounting.differences where resolved_at is null;

-- name: Differences
select id, kind, object, coalesce(order_id, '') as order_id, coalesce(payment_id, '') as payment_id, currency, ours_minor, theirs_minor, first_seen, last_seen, resolved_at
  from accounting.differences
 where ($1::text = '' or kind = $1) and ($2::text = '' or ($2 = 'open') = (resolved_at is null)) and ($3::text = '' or id < $3) order by id desc limit $4;

-- name: Difference
select id, kind, object, coalesce(order_id, '') as order_id, coalesce(payment_id, '') as payment_id, currency, ours_minor, theirs_minor, first_seen, last_seen, resolved_at
  from accounting.differences where id = $1;

-- name: InvestigatedPayments
select id, order_id, provider, state, amount_minor, currency, captured_minor, refunded_minor, lost_minor, method, created_at, captured_at
  from payments.payments where order_id = nullif($1, '') or id = nullif($2, '') order by id limit 50;

-- name: InvestigatedEvents
select e.id, e.type, e.state, e.note, e.created_at, e.received_at, e.handled_at from payments.events e
 where e.id = $1 or exists (select 1 from unnest($2::text[]) as p(id) where position(convert_to(p.id, 'UTF8') in e.raw) > 0) order by e.created_at, e.id limit 50;

-- name: InvestigatedGrants
select g.id, g.enrolment_id, e.session_id, g.formula, g.granted_at, g.revoked_at from enrolment.grants g join enrolment.enrolments e on e.id = g.enrolment_id
 where g.order_id = $1 order by g.id limit 100;

-- name: InvestigatedOrder
select o.id, o.state, o.total_minor, o.credited_minor, o.currency, o.way, o.placed_at, o.paid_at from sales.orders o where o.id = $1;

-- name: InvestigatedAudit
select at, actor, action, detail::text as detail from platform.audit where object = any($1::text[]) order by seq limit 100;

-- name: Desks
select distinct on (organisation) organisation, holder, currency from accounting.agreements
 where organisation = any($1::text[]) and ($2::text = '' or currency = $2) and collects = 'partner' and valid_from <= $3 and coalesce(valid_until > $3, true)
 order by organisation, key;

-- name: OnAccount
-- What an organisation has on its account, and what was invoiced to it and not paid, before an instant. Every order of an organisation that is
-- owed while its learners are enrolled is one of an account.
select coalesce(sum(e.minor) filter (where starts_with(e.account, 'unbilled:')), 0)::bigint as unbilled, coalesce(sum(e.minor) filter (where e.account = 'receivable'), 0)::bigint as invoiced
  from sales.accounts a join sales.orders o on o.id = a.order_id and o.organisation = $1 and o.currency = $2
  join ledger.entries e on e.order_id = o.id join ledger.transactions t on t.id = e.transaction_id and t.occurred_at < $3;
