-- name: Add
insert into payments.payments (id, order_id, provider, demo, amount_minor, currency, state, description, email, lang, expires_at, created_at)
values ($1, $2, $3, $4, $5, $6, 'created', $7, $8, $9, $10, $11);

-- name: One
select id, order_id, provider, demo, amount_minor, currency, state, description, email, lang, coalesce(checkout_id, '') as checkout_id,
       coalesce(intent_id, '') as intent_id, pay_url, method, expires_at, captured_minor, coalesce(captured_currency, '') as captured_currency,
       refunded_minor, lost_minor, captured_at, by_hand, coalesce(pay_reference, '') as pay_reference, buyer_reference,
       coalesce(instalment, 0) as instalment, coalesce(customer_id, '') as customer_id, coalesce(method_id, '') as method_id, created_at
  from payments.payments where id = $1;

-- name: Lock
select id, order_id, provider, demo, amount_minor, currency, state, description, email, lang, coalesce(checkout_id, '') as checkout_id,
       coalesce(intent_id, '') as intent_id, pay_url, method, expires_at, captured_minor, coalesce(captured_currency, '') as captured_currency,
       refunded_minor, lost_minor, captured_at, by_hand, coalesce(pay_reference, '') as pay_reference, buyer_reference,
       coalesce(instalment, 0) as instalment, coalesce(customer_id, '') as customer_id, coalesce(method_id, '') as method_id
  from payments.payments where id = $1 for update;

-- name: Some
select id, order_id, provider, demo, amount_minor, currency, state, description, email, lang, coalesce(checkout_id, '') as checkout_id,
       coalesce(intent_id, '') as intent_id, pay_url, method, expires_at, captured_minor, coalesce(captured_currency, '') as captured_currency,
       refunded_minor, lost_minor, captured_at, by_hand, coalesce(pay_reference, '') as pay_reference, buyer_reference,
       coalesce(instalment, 0) as instalment, coalesce(customer_id, '') as customer_id, coalesce(method_id, '') as method_id
  from payments.payments where id = any($1::text[]);

-- name: OfFact
select id, order_id, provider, demo, amount_minor, currency, state, description, email, lang, coalesce(checkout_id, '') as checkout_id,
       coalesce(intent_id, '') as intent_id, pay_url, method, expires_at, captured_minor, coalesce(captured_currency, '') as captured_currency,
       refunded_minor, lost_minor, captured_at, by_hand, coalesce(pay_reference, '') as pay_reference, buyer_reference,
       coalesce(instalment, 0) as instalment, coalesce(customer_id, '') as customer_id, coalesce(method_id, '') as method_id
  from payments.payments
 where id = coalesce((select p.id from payments.payments p where p.id = $1), (select p.id from payments.payments p where p.checkout_id = nullif($2, '')),
                     (select p.id from payments.payments p where p.intent_id = nullif($3, '')));

-- name: Opened
update payments.payments
   set state = case when state = 'created' then 'open' else state end, checkout_id = $2, intent_id = coalesce(intent_id, nullif($3, '')), pay_url = $4
 where id = $1;

-- name: Captured
update payments.payments
   set state = $2, captured_minor = $3, captured_currency = $4, intent_id = coalesce(nullif($5, ''), intent_id), method = $6, captured_at = $7
 where id = $1;

-- name: Move
update payments.payments set state = $2
 where id = $1 and state in ('created', 'open', 'pending') and not (state = 'pending' and $2 = 'expired');

-- name: Forgotten
select id, order_id from payments.payments where state = 'created' and expires_at < $1 and id > $2 order by id limit 100;

-- name: AddEvent
-- With the job EventStored, in one statement: the provider waits for its answer. What says nothing to us is stored without one.
with fresh as (
    insert into payments.events (id, type, api_version, live, created_at, received_at, raw, state, note, handled_at)
    select $1, $2, $3, $4, $5, $6, $7, case when $8::bool then 'ignored' else 'received' end, case when $8 then 'it says nothing about our payments' else '' end, case when $8 then $6::timestamptz end
    on conflict (id) do nothing returning id
)
insert into jobs.queue (kind, args, created_at, due_at, rank)
select 'payments.event_stored', jsonb_build_object('event_id', fresh.id), now(), now(), 0 from fresh where not $8::bool;

-- name: Event
select id, type, api_version, created_at, live, raw, state from payments.events where id = $1;

-- name: Handled
update payments.events set state = $2, note = $3, handled_at = $4 where id = $1 and state = 'received';

-- name: AddRefund
insert into payments.refunds (id, payment_id, amount_minor, state, provider_refund, reason, requested_by, requested_at)
values ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: Refund
select id, payment_id, amount_minor, state, coalesce(provider_refund, '') as provider_refund, reason, requested_by, requested_at, reversal, owed_minor,
       coalesce(repayment_by, '') as repayment_by, repaid_at is not null as repaid, coalesce(repaid_reference, '') as repaid_reference
  from payments.refunds where id = $1;

-- name: RefundOfFact
select id, payment_id, amount_minor, state, coalesce(provider_refund, '') as provider_refund, reason, requested_by
  from payments.refunds where payment_id = $3 and (id = $1 or provider_refund = nullif($2, ''))
 order by (id = $1) desc limit 1 for update;

-- name: DecideRefund
update payments.refunds set state = $2, decided_by = $3, decided_at = $4 where id = $1 and state = 'proposed';

-- name: RejectProposed
update payments.refunds set state = 'rejected', decided_by = $2, decided_at = $3 where payment_id = $1 and state = 'proposed' and not reversal returning id;

-- name: SettleRefund
update payments.refunds set state = $2, provider_refund = coalesce(nullif($3, ''), provider_refund), settled_at = $4, settles_minor = $5, excess_minor = $6
 where id = $1 and state in ('requested', 'pending');

-- name: Owed
select coalesce(sum(owed_minor), 0)::bigint as owed, coalesce(sum(repaid_minor), 0)::bigint as repaid from payments.refunds where payment_id = $1 and state = 'failed';

-- name: SayRepaid
update payments.refunds set repayment_by = $2, repaid_reference = $3 where id = $1;

-- name: UnsayRepaid
update payments.refunds set repayment_by = null, repaid_reference = null where id = $1;

-- name: Repaid
update payments.refunds set repaid_minor = owed_minor, owed_minor = 0, repaid_by = $2, repaid_at = $3 where id = $1;

-- name: SettleOwed
with owed as (
    select id, owed_minor, sum(owed_minor) over (order by id) - owed_minor as before from payments.refunds where payment_id = $1 and owed_minor > 0
)
update payments.refunds r set owed_minor = r.owed_minor - least(o.owed_minor, $2 - o.before) from owed o where r.id = o.id and o.before < $2;

-- name: FailRefund
update payments.refunds r set state = 'failed', provider_refund = coalesce(nullif($2, ''), r.provider_refund), settled_at = $3, settles_minor = 0,
       owed_minor = case old.state when 'succeeded' then r.amount_minor - r.excess_minor when 'failed' then r.owed_minor else least(r.amount_minor, $4) end
  from (select id, state from payments.refunds where id = $1) old
 where r.id = old.id
returning old.state, r.owed_minor, r.excess_minor;

-- name: AddRefunded
update payments.payments set refunded_minor = refunded_minor + $2 where id = $1;

-- name: AddLost
update payments.payments set lost_minor = lost_minor + $2 where id = $1;

-- name: PutDispute
-- Its turns in their order, whatever the order of the events: an earlier one says nothing new. It is one turn of its state that counts.
insert into payments.disputes (id, payment_id, amount_minor, state, opened_at, closed_at, reason, answer_by)
values ($1, $2, $3, $4, $5, case when $4 not in ('inquiry', 'opened') then $5::timestamptz end, $6, $7)
on conflict (id) do update set state = excluded.state, closed_at = excluded.closed_at, reason = excluded.reason, answer_by = coalesce(excluded.answer_by, disputes.answer_by)
 where array_position(array['inquiry', 'closed', 'opened', 'won', 'lost'], disputes.state) < array_position(array['inquiry', 'closed', 'opened', 'won', 'lost'], excluded.state);

-- name: CheckNeverMoreBack
select id, captured_minor, refunded_minor, lost_minor from payments.payments where refunded_minor + lost_minor > captured_minor;

-- name: CheckSums
select p.id, p.refunded_minor, p.lost_minor from payments.payments p
 where p.refunded_minor <> (select coalesce(sum(amount_minor), 0) from payments.refunds r where r.payment_id = p.id and r.state = 'succeeded')
    or p.lost_minor <> (select coalesce(sum(amount_minor), 0) from payments.disputes d where d.payment_id = p.id and d.state = 'lost');

-- name: CheckOneCapture
select order_id, instalment, count(*) from payments.payments where state = 'captured' group by order_id, instalment having count(*) > 1
union all
select order_id, null, count(*) from payments.payments where state = 'captured' group by order_id having bool_or(instalment is null) and bool_or(instalment is not null);

-- name: CheckSurplusRefunded
select p.id from payments.payments p
 where p.state = 'surplus' and not exists (select 1 from payments.refunds r where r.payment_id = p.id);

-- name: Currencies
select distinct coalesce(captured_currency, currency) as currency from payments.payments order by 1;

-- name: NextPayReference
select nextval('payments.pay_references');

-- name: AddByHand
insert into payments.payments (id, order_id, provider, demo, amount_minor, currency, state, description, email, lang, expires_at, created_at, by_hand, pay_reference, buyer_reference)
values ($1, $2, $3, $4, $5, $6, 'open', $7, $8, $9, $10, $11, true, $12, $13);

-- name: OfReference
select id, order_id, provider, demo, amount_minor, currency, state, description, email, lang, coalesce(checkout_id, '') as checkout_id,
       coalesce(intent_id, '') as intent_id, pay_url, method, expires_at, captured_minor, coalesce(captured_currency, '') as captured_currency,
       refunded_minor, lost_minor, captured_at, by_hand, coalesce(pay_reference, '') as pay_reference, buyer_reference,
       coalesce(instalment, 0) as instalment, coalesce(customer_id, '') as customer_id, coalesce(method_id, '') as method_id
  from payments.payments where pay_reference = $1;

-- name: Collect
update payments.payments set state = $2, captured_minor = $3, captured_currency = $4, method = $5, captured_at = $6 where id = $1;

-- name: LockReceived
select pg_advisory_xact_lock(hashtextextended('received:' || $1 || ':' || $2, 0));

-- name: ReceiptOf
select id, way, holder, coalesce(organisation, '') as organisation, reference, amount_minor, currency, payer, label, received_at, recorded_by, recorded_at,
       coalesce(order_id, '') as order_id, coalesce(payment_id, '') as payment_id, coalesce(surplus_id, '') as surplus_id, state, coalesce(sent_back, '') as sent_back, settled_at
  from payments.receipts where holder = $1 and reference = $2;

-- name: LockReceipt
select id, way, holder, coalesce(organisation, '') as organisation, reference, amount_minor, currency, payer, label, received_at, recorded_by, recorded_at,
       coalesce(order_id, '') as order_id, coalesce(payment_id, '') as payment_id, coalesce(surplus_id, '') as surplus_id, state, coalesce(sent_back, '') as sent_back, settled_at
  from payments.receipts where id = $1 for update;

-- name: AddReceipt
insert into payments.receipts (id, holder, organisation, way, reference, amount_minor, currency, payer, label, received_at, recorded_by, recorded_at, state)
values ($1, $2, nullif($3, ''), $4, $5, $6, $7, $8, $9, $10, $11, $12, 'unmatched');

-- name: AddProof
insert into payments.proofs (receipt_id, name, media_type, sha256, content) values ($1, $2, $3, $4, $5);

-- name: Paper
select coalesce(r.organisation, '') as organisation, p.name, p.media_type, p.content from payments.proofs p join payments.receipts r on r.id = p.receipt_id where r.id = $1;

-- name: CountReceipt
update payments.receipts set state = 'counted', order_id = $2, payment_id = nullif($3, ''), surplus_id = nullif($4, ''), settled_by = $5, settled_at = $6 where id = $1 and state = 'unmatched';

-- name: SendBackReceipt
update payments.receipts set state = 'sent_back', sent_back = $2, settled_by = $3, settled_at = $4 where id = $1 and state = 'unmatched';

-- name: Receipts
select r.id, r.way, r.holder, coalesce(r.organisation, '') as organisation, r.reference, r.amount_minor, r.currency, r.payer, r.label, r.received_at, r.recorded_by, r.recorded_at,
       coalesce(r.order_id, '') as order_id, coalesce(r.payment_id, '') as payment_id, coalesce(r.surplus_id, '') as surplus_id, coalesce(x.captured_minor, 0) as surplus_minor, r.state,
       coalesce(r.sent_back, '') as sent_back, r.settled_at, coalesce(v.id, '') as reversal, coalesce(v.state, '') as reversal_state,
       coalesce(f.name, '') as proof_name, coalesce(encode(f.sha256, 'hex'), '') as proof_sha256
  from payments.receipts r
  left join payments.payments x on x.id = r.surplus_id
  left join payments.proofs f on f.receipt_id = r.id
  left join lateral (select id, state from payments.refunds where payment_id = r.payment_id and reversal order by id desc limit 1) v on true
 where ($1::text = '' or r.organisation = $1) and ($2::text = '' or r.state = $2) and ($3::text = '' or r.id < $3) order by r.id desc limit $4;

-- name: PayBacks
select r.id, p.order_id, p.provider, r.amount_minor, coalesce(p.captured_currency, p.currency) as currency, r.reason, r.requested_at, p.state = 'surplus' as surplus,
       coalesce((select string_agg(distinct x.payer, ', ') from payments.receipts x where (x.payment_id = p.id or x.surplus_id = p.id) and x.payer <> ''), '') as payer
  from payments.refunds r join payments.payments p on p.id = r.payment_id
 where p.by_hand and r.state = 'requested' and not r.reversal and ($1::text = '' or r.id > $1) order by r.id limit $2;

-- name: MarkReversal
update payments.refunds set reversal = true where id = $1;

-- name: CheckReceived
with moved as (
    select split_part(t.reference, ':', 1) as id, e.account, t.currency, sum(e.minor)::bigint as minor
      from ledger.entries e join ledger.transactions t on t.id = e.transaction_id where t.kind = 'received' and e.account like 'clearing:%' group by 1, 2, 3
)
select coalesce(r.id, m.id) as id, r.amount_minor, m.minor from payments.receipts r
  full join moved m on m.id = r.id and m.account = 'clearing:' || r.holder and m.currency = r.currency
 where r.amount_minor is distinct from m.minor;

-- name: CheckCollected
select p.id, p.captured_minor, sum(r.amount_minor - coalesce(x.captured_minor, 0))::bigint as came
  from payments.payments p left join payments.receipts r on r.payment_id = p.id left join payments.payments x on x.id = r.surplus_id
 where p.by_hand and not exists (select 1 from payments.receipts s where s.surplus_id = p.id)
 group by p.id, p.captured_minor having p.captured_minor <> coalesce(sum(r.amount_minor - coalesce(x.captured_minor, 0)), 0);

-- name: OfInstalment
update payments.payments set instalment = $2, customer_id = nullif($3, ''), method_id = nullif($4, '') where id = $1;

-- name: Charged
update payments.payments set state = 'pending', intent_id = coalesce(intent_id, nullif($2, '')) where id = $1 and state = 'created';

-- name: LockCaptured
select id, order_id, provider, demo, amount_minor, currency, state, description, email, lang, coalesce(checkout_id, '') as checkout_id,
       coalesce(intent_id, '') as intent_id, pay_url, method, expires_at, captured_minor, coalesce(captured_currency, '') as captured_currency,
       refunded_minor, lost_minor, captured_at, by_hand, coalesce(pay_reference, '') as pay_reference, buyer_reference,
       coalesce(instalment, 0) as instalment, coalesce(customer_id, '') as customer_id, coalesce(method_id, '') as method_id
  from payments.payments where order_id = $1 and state = 'captured' order by id for update;

-- name: UnderWay
-- What goes back already, and what came back from a bank: it is owed, or was paid otherwise, and is not given back twice.
select payment_id, sum(case when state = 'failed' then owed_minor + repaid_minor else amount_minor end)::bigint as minor
  from payments.refunds where payment_id = any($1::text[]) and state in ('proposed', 'requested', 'pending', 'failed') group by payment_id;

-- name: OpenPages
select id from payments.payments where order_id = $1 and instalment = $2 and state in ('created', 'open') and checkout_id is not null and expires_at > $3;

-- name: KnownReceipt
select exists (select 1 from payments.receipts where holder = $1 and reference = $2);

-- name: FeesReadUntil
-- $2 whether the first is asked for though they were read: it is found in all payments.
select case when $2::bool or r.read_until is null then (select min(created_at) from payments.payments where provider = $1 and not by_hand) end as since, r.read_until
  from (select max(read_until) as read_until from payments.fees_read where provider = $1) r;

-- name: FeesRead
insert into payments.fees_read as r (provider, read_until) values ($1, $2)
on conflict (provider) do update set read_until = greatest(r.read_until, excluded.read_until);

-- name: PayersOfFees
select f.n, p.id, p.order_id, p.state, p.captured_at
  from unnest($2::text[], $3::text[]) with ordinality as f(payment_id, intent_id, n)
  join payments.payments p on p.provider = $1 and not p.by_hand
   and p.id = coalesce((select x.id from payments.payments x where x.id = f.payment_id), (select x.id from payments.payments x where x.intent_id = nullif(f.intent_id, '')));

-- name: AddFees
insert into payments.fees (id, provider, payment_id, kind, minor, currency, charged_at, posted_at)
select f.id, $1, f.payment_id, f.kind, f.minor, f.currency, f.charged_at, $8
  from unnest($2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::timestamptz[]) as f(id, payment_id, kind, minor, currency, charged_at)
 order by f.id -- so that two sweeps wait for each other in one order
on conflict (id) do nothing
returning id;

-- name: SoldShares
select e.order_id, coalesce(e.enrolment_id, '') as enrolment_id, -sum(e.minor)::bigint as minor from ledger.entries e
 where e.order_id = any($1::text[]) and e.account = 'revenue' group by e.order_id, e.enrolment_id having sum(e.minor) < 0 order by 1, 2;

-- name: KeptOfNobody
-- Orders of which something was kept that stands with nobody, though all that they sold is somebody's.
select k.order_id from (select order_id from ledger.entries where enrolment_id is null and order_id is not null and account like 'cost:fee:%' group by order_id, account having sum(minor) <> 0) k
 where exists (select 1 from ledger.entries e where e.order_id = k.order_id and e.account = 'revenue' and e.enrolment_id is not null)
   and coalesce((select sum(e.minor) from ledger.entries e where e.order_id = k.order_id and e.account = 'revenue' and e.enrolment_id is null), 0) = 0
 group by k.order_id order by k.order_id limit $1;

-- name: KeptAtOrders
select e.order_id, e.account, t.currency, sum(e.minor)::bigint as minor from ledger.entries e join ledger.transactions t on t.id = e.transaction_id
 where e.order_id = any($1::text[]) and e.enrolment_id is null and e.account like 'cost:fee:%' group by 1, 2, 3 having sum(e.minor) <> 0 order by 1, 2, 3;

-- name: Fees
select id, minor, currency from payments.fees where provider = $1;

-- name: CheckFees
with moved as (
    select t.reference, t.currency, coalesce(sum(e.minor) filter (where e.account like 'cost:fee:%'), 0)::bigint as cost, coalesce(-sum(e.minor) filter (where e.account like 'clearing:%'), 0)::bigint as kept
      from ledger.transactions t join ledger.entries e on e.transaction_id = t.id where t.kind = 'fee' group by t.id
)
select coalesce(f.id, m.reference) as id, f.minor, m.cost, m.kept from payments.fees f full join moved m on m.reference = 'fee:' || f.id
 where f.minor is distinct from m.cost or f.minor is distinct from m.kept or f.currency is distinct from m.currency
union all
select t.reference, null, sum(e.minor)::bigint, null from ledger.entries e join ledger.transactions t on t.id = e.transaction_id
 where t.kind <> 'fee' and e.account in (select 'cost:fee:' || provider from payments.fees) group by t.id having sum(e.minor) <> 0; -- with a seat it goes from one learner to another

-- name: AddMovements
insert into payments.movements (id, provider, kind, minor, fee_minor, currency, moved_at, posted_at)
select m.id, $1, m.kind, m.minor, m.fee_minor, m.currency, m.moved_at, $8
  from unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::text[], $7::timestamptz[]) as m(id, kind, minor, fee_minor, currency, moved_at)
 order by m.id -- as of fees
on conflict (id) do nothing
returning id;

-- name: Movements
select id, minor - fee_minor as net, currency from payments.movements where provider = $1;

-- name: CheckMovements
select coalesce(m.id, t.reference) as id, m.kind, m.minor - m.fee_minor as net, t.held, t.cost
  from payments.movements m
  full join (select t.reference, t.kind, t.currency, coalesce(sum(e.minor) filter (where e.account like 'clearing:%' and e.account <> 'clearing:bank'), 0)::bigint as held,
                    coalesce(sum(e.minor) filter (where e.account like 'cost:%'), 0)::bigint as cost
               from ledger.transactions t join ledger.entries e on e.transaction_id = t.id where starts_with(t.kind, 'moved_') group by t.id) t
    on t.reference = 'moved:' || m.id and t.kind = 'moved_' || m.kind and t.currency = m.currency
 where (m.minor - m.fee_minor) is distinct from t.held
    or t.cost is distinct from case m.kind when 'payout' then m.fee_minor when 'fee' then m.fee_minor - m.minor else 0 end
union all
select t.reference, t.kind, null, null, sum(e.minor)::bigint from ledger.entries e join ledger.transactions t on t.id = e.transaction_id
 where not starts_with(t.kind, 'moved_') and e.account in (select 'cost:fee:' || provider || ':account' from payments.movements union select 'others:' || provider from payments.movements)
 group by t.id;
