-- name: Issue
with taken as (
    insert into invoicing.series as s (code, issuer, last, last_issued_at) values ($1, $2, 1, $3)
    on conflict (code) do update set last = s.last + 1, last_issued_at = greatest(s.last_issued_at, excluded.last_issued_at)
    returning last, last_issued_at
)
insert into invoicing.documents (id, series, number, kind, reference, order_id, buyer_id, corrects, amount_minor, currency, facts, issued_at)
select $4, $1, taken.last, $5, $6, $7, $8, $9, $10, $11, $12, taken.last_issued_at from taken
returning number, issued_at;

-- name: NumberOfOrder
select series, number from invoicing.documents where order_id = $1 and kind = 'invoice';

-- name: InvoiceOf
select id, facts from invoicing.documents where order_id = $1 and kind = 'invoice';

-- name: CheckGapless
select s.code, s.last, count(d.number) as documents, max(d.number) as highest
  from invoicing.series s left join invoicing.documents d on d.series = s.code
 group by s.code, s.last having count(d.number) <> s.last or max(d.number) <> s.last;

-- name: CheckDates
select series, number from (
    select series, number, issued_at, lag(issued_at) over (partition by series order by number) as before from invoicing.documents) d
 where issued_at < before;

-- name: CheckCredits
select i.id, i.amount_minor, sum(c.amount_minor)::bigint as credited
  from invoicing.documents i join invoicing.documents c on c.corrects = i.id
 group by i.id, i.amount_minor having sum(c.amount_minor) > i.amount_minor;

-- name: CheckRevenue
with documents as (
    select currency, sum(case kind when 'invoice' then amount_minor else -amount_minor end) as minor from invoicing.documents group by currency
), book as (
    select t.currency, -sum(e.minor) as minor
      from ledger.entries e join ledger.transactions t on t.id = e.transaction_id
     where e.account in ('revenue', 'refunds') group by t.currency
)
select coalesce(d.currency, b.currency) as currency, coalesce(d.minor, 0)::bigint as documents, coalesce(b.minor, 0)::bigint as ledger
  from documents d full join book b on b.currency = d.currency
 where coalesce(d.minor, 0) <> coalesce(b.minor, 0);
