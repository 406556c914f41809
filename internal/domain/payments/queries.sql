-- name: Add
insert into payments.payments (id, order_id, provider, demo, amount_minor, currency, state, description, email, lang, expires_at, created_at)
values ($1, $2, $3, $4, $5, $6, 'created', $7, $8, $9, $10, $11);

-- name: One
select id, order_id, provider, demo, amount_minor, currency, state, description, email, lang, coalesce(checkout_id, '') as checkout_id,
       coalesce(intent_id, '') as intent_id, pay_url, method, expires_at, captured_minor, coalesce(captured_currency, '') as captured_currency,
       refunded_minor, lost_minor, captured_at
  from payments.payments where id = $1;

-- name: Lock
select id, order_id, provider, demo, amount_minor, currency, state, description, email, lang, coalesce(checkout_id, '') as checkout_id,
       coalesce(intent_id, '') as intent_id, pay_url, method, expires_at, captured_minor, coalesce(captured_currency, '') as captured_currency,
       refunded_minor, lost_minor, captured_at
  from payments.payments where id = $1 for update;

-- name: Some
select id, order_id, provider, demo, amount_minor, currency, state, description, email, lang, coalesce(checkout_id, '') as checkout_id,
       coalesce(intent_id, '') as intent_id, pay_url, method, expires_at, captured_minor, coalesce(captured_currency, '') as captured_currency,
       refunded_minor, lost_minor, captured_at
  from payments.payments where id = any($1::text[]);

-- name: OfFact
select id, order_id, provider, demo, amount_minor, currency, state, description, email, lang, coalesce(checkout_id, '') as checkout_id,
       coalesce(intent_id, '') as intent_id, pay_url, method, expires_at, captured_minor, coalesce(captured_currency, '') as captured_currency,
       refunded_minor, lost_minor, captured_at
  from payments.payments where id = $1 or checkout_id = nullif($2, '') or intent_id = nullif($3, '') limit 1;

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
select order_id from payments.payments where state = 'created' and expires_at < $1 order by id limit 100;

-- name: AddEvent
insert into payments.events (id, type, api_version, live, created_at, received_at, raw) values ($1, $2, $3, $4, $5, $6, $7)
on conflict (id) do nothing;

-- name: Event
select id, type, api_version, created_at, live, raw, state from payments.events where id = $1;

-- name: Handled
update payments.events set state = $2, note = $3, handled_at = $4 where id = $1 and state = 'received';

-- name: RefundsUnderWay
select coalesce(sum(amount_minor), 0)::bigint from payments.refunds where payment_id = $1 and state in ('proposed', 'requested', 'pending');

-- name: AddRefund
insert into payments.refunds (id, payment_id, amount_minor, state, provider_refund, reason, requested_by, requested_at)
values ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: Refund
select id, payment_id, amount_minor, state, coalesce(provider_refund, '') as provider_refund, reason, requested_by from payments.refunds where id = $1;

-- name: RefundOfFact
select id, payment_id, amount_minor, state, coalesce(provider_refund, '') as provider_refund, reason, requested_by
  from payments.refunds where payment_id = $3 and (id = $1 or provider_refund = nullif($2, ''))
 order by (id = $1) desc limit 1 for update;

-- name: DecideRefund
update payments.refunds set state = $2, decided_by = $3, decided_at = $4 where id = $1 and state = 'proposed';

-- name: RejectProposed
update payments.refunds set state = 'rejected', decided_by = $2, decided_at = $3 where payment_id = $1 and state = 'proposed' returning id;

-- name: SettleRefund
update payments.refunds set state = $2, provider_refund = coalesce(nullif($3, ''), provider_refund), settled_at = $4
 where id = $1 and state in ('requested', 'pending');

-- name: FailRefund
update payments.refunds r set state = 'failed', provider_refund = coalesce(nullif($2, ''), r.provider_refund), settled_at = $3
  from (select id, state from payments.refunds where id = $1) old
 where r.id = old.id
returning old.state;

-- name: AddRefunded
update payments.payments set refunded_minor = refunded_minor + $2 where id = $1;

-- name: AddLost
update payments.payments set lost_minor = lost_minor + $2 where id = $1;

-- name: PutDispute
insert into payments.disputes (id, payment_id, amount_minor, state, opened_at, closed_at)
values ($1, $2, $3, $4, $5, case when $4 <> 'opened' then $5::timestamptz end)
on conflict (id) do update set state = excluded.state, closed_at = excluded.closed_at
 where disputes.state = 'opened' and excluded.state <> 'opened' or disputes.state = 'won' and excluded.state = 'lost';

-- name: CheckNeverMoreBack
select id, captured_minor, refunded_minor, lost_minor from payments.payments where refunded_minor + lost_minor > captured_minor;

-- name: CheckSums
select p.id, p.refunded_minor, p.lost_minor from payments.payments p
 where p.refunded_minor <> (select coalesce(sum(amount_minor), 0) from payments.refunds r where r.payment_id = p.id and r.state = 'succeeded')
    or p.lost_minor <> (select coalesce(sum(amount_minor), 0) from payments.disputes d where d.payment_id = p.id and d.state = 'lost');

-- name: CheckOneCapture
select order_id, count(*) from payments.payments where state = 'captured' group by order_id having count(*) > 1;

-- name: CheckSurplusRefunded
select p.id from payments.payments p
 where p.state = 'surplus' and not exists (select 1 from payments.refunds r where r.payment_id = p.id);

-- name: Currencies
select distinct coalesce(captured_currency, currency) as currency from payments.payments order by 1;
