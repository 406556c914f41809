-- name: Issue
with taken as (
    insert into invoicing.series as s (code, issuer, last, last_issued_at, issuer_key) values ($1, $2, 1, $3, $13)
    on conflict (code) do update set last = s.last + 1, last_issued_at = greatest(s.last_issued_at, excluded.last_issued_at)
     where s.issuer_key = excluded.issuer_key
    returning last, last_issued_at
), printed as ( -- the job Issued
    insert into jobs.queue (kind, args, created_at, due_at, rank)
    select 'invoicing.issued', jsonb_build_object('document_id', $4::text), now(), now(), 1 from taken
)
insert into invoicing.documents (id, series, number, kind, reference, order_id, buyer_id, corrects, amount_minor, currency, facts, issued_at)
select $4, $1, taken.last, $5, $6, $7, $8, $9, $10, $11, $12, taken.last_issued_at from taken
returning number, issued_at;

-- name: NumberOfOrder
select series, number from invoicing.documents where order_id = $1 and kind = 'invoice';

-- name: Corrected
select d.id, d.series, d.number, d.kind, d.order_id, d.buyer_id, d.amount_minor, d.currency, d.facts, d.issued_at, s.issuer_key, s.issuer,
       coalesce(i.series_credit_note, '{issuer}-{year}') as credit_series
  from invoicing.documents d join invoicing.series s on s.code = d.series left join invoicing.issuers i on i.key = s.issuer_key
 where d.order_id = $1 and d.kind in ('invoice', 'credit_note') order by d.kind desc, d.issued_at, d.id;

-- name: Document
select d.id, d.series, d.number, d.kind, d.order_id, d.buyer_id, d.amount_minor, d.currency, d.facts, d.issued_at, s.issuer_key, s.issuer, f.sha256
  from invoicing.documents d join invoicing.series s on s.code = d.series left join invoicing.files f on f.document_id = d.id
 where d.id = $1;

-- name: OfOrder
select d.id, d.series, d.number, d.kind, d.order_id, d.buyer_id, d.amount_minor, d.currency, d.facts, d.issued_at, s.issuer_key, s.issuer, f.sha256
  from invoicing.documents d join invoicing.series s on s.code = d.series left join invoicing.files f on f.document_id = d.id
 where d.order_id = $1 order by d.issued_at, d.id;

-- name: List
select d.id, d.series, d.number, d.kind, d.order_id, d.buyer_id, d.amount_minor, d.currency, d.facts, d.issued_at, s.issuer_key, s.issuer, f.sha256
  from invoicing.documents d join invoicing.series s on s.code = d.series left join invoicing.files f on f.document_id = d.id
 where ($1::text = '' or s.issuer_key = $1) and ($2::text = '' or d.kind = $2)
   and ($3::text = '' or d.order_id = $3 or d.series || '-' || lpad(d.number::text, 6, '0') = $3
        or position(lower($3) in lower(concat_ws(' ', d.facts -> 'buyer' ->> 'name', d.facts -> 'buyer' ->> 'company', d.facts -> 'buyer' ->> 'email', d.facts ->> 'buyer_name'))) > 0)
   and ($4::timestamptz is null or d.issued_at >= $4) and ($5::timestamptz is null or d.issued_at < $5)
   and ($6::text = '' or d.buyer_id = $6) and ($7::text = '' or d.id < $7)
 order by d.id desc limit $8;

-- name: Source
with chosen as (
    select coalesce((select s.issuer from invoicing.sellers s where s.kind = 'offer' and s.ref = any($2::text[]) order by array_position($2::text[], s.ref) limit 1),
                    (select s.issuer from invoicing.sellers s where s.kind = 'organisation' and s.ref = $3), $1) as key
)
select to_json(i) as issuer,
       coalesce((select json_agg(r order by r.key) from invoicing.regimes r
                  where r.issuer = i.key and r.valid_from <= $4::timestamptz::date and coalesce(r.valid_until > $4::timestamptz::date, true)), '[]') as regimes,
       coalesce((select json_object_agg(s.ref, s.regime) from invoicing.sellers s where s.kind = 'offer' and s.ref = any($2::text[]) and s.regime is not null), '{}') as by_offer,
       (select b.buyer from invoicing.billing b where b.order_id = $5) as billing
  from chosen join invoicing.issuers i on i.key = chosen.key;

-- name: Issuers
select to_json(i) as issuer, coalesce((select json_agg(r order by r.key, r.valid_from) from invoicing.regimes r where r.issuer = i.key), '[]') as regimes,
       coalesce((select json_agg(json_build_object('kind', s.kind, 'ref', s.ref, 'regime', coalesce(s.regime, '')) order by s.kind, s.ref)
                   from invoicing.sellers s where s.issuer = i.key), '[]') as sells
  from invoicing.issuers i order by i.key;

-- name: ClearSellers
delete from invoicing.sellers where issuer = $1;

-- name: AddSeller
insert into invoicing.sellers (issuer, kind, ref, regime) values ($1, $2, $3, $4) on conflict (kind, ref) do nothing;

-- name: EnsureIssuer
insert into invoicing.issuers (key, legal_name, updated_at) values ($1, $2, $3) on conflict (key) do nothing;

-- name: EnsureRegime
insert into invoicing.regimes (issuer, key, valid_from, category, rate_ppm, reason_code, mention_en, mention_fr, fallback)
values ($1, 'training', '2000-01-01', 'E', 0, 'VATEX-EU-132-1I', 'VAT exempt: vocational training, article 261-4-4° of the French tax code (CGI).',
        'TVA non applicable : exonération de la formation professionnelle continue, article 261-4-4° du CGI.', true);

-- name: PutIssuer
insert into invoicing.issuers as i (key, legal_name, legal_form, street, post_code, city, country, registration, registration_label, activity_number, vat_number,
       email, phone, bank, iban, bic, terms_en, terms_fr, series_invoice, series_credit_note, series_proforma, series_receipt, updated_at, zone)
select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $25
 where $24::int = 0 or exists (select 1 from invoicing.issuers x where x.key = $1)
on conflict (key) do update set legal_name = excluded.legal_name, legal_form = excluded.legal_form, street = excluded.street, post_code = excluded.post_code,
       city = excluded.city, country = excluded.country, registration = excluded.registration, registration_label = excluded.registration_label,
       activity_number = excluded.activity_number, vat_number = excluded.vat_number, email = excluded.email, phone = excluded.phone, bank = excluded.bank,
       iban = excluded.iban, bic = excluded.bic, terms_en = excluded.terms_en, terms_fr = excluded.terms_fr, series_invoice = excluded.series_invoice,
       series_credit_note = excluded.series_credit_note, series_proforma = excluded.series_proforma, series_receipt = excluded.series_receipt, zone = excluded.zone,
       version = i.version + 1, updated_at = excluded.updated_at
 where $24::int = 0 or i.version = $24
returning version;

-- name: ClearRegimes
delete from invoicing.regimes where issuer = $1;

-- name: AddRegime
insert into invoicing.regimes (issuer, key, valid_from, valid_until, category, rate_ppm, reason_code, mention_en, mention_fr, fallback)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);

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

-- name: CheckSums
with said as (
    select d.id, d.amount_minor, (d.facts ->> 'total_minor')::bigint as total, (d.facts ->> 'net_minor')::bigint as net, (d.facts ->> 'tax_minor')::bigint as tax, l.lines, l.each, t.taxes
      from invoicing.documents d
     cross join lateral (select row(sum((x ->> 'total_minor')::bigint), sum((x ->> 'net_minor')::bigint), sum((x ->> 'tax_minor')::bigint))::text as lines,
                                bool_and((x ->> 'total_minor')::bigint = (x ->> 'net_minor')::bigint + (x ->> 'tax_minor')::bigint
                                     and (x ->> 'total_minor')::bigint = (x ->> 'quantity')::bigint * (x ->> 'unit_minor')::bigint - (x ->> 'discount_minor')::bigint) as each
                           from jsonb_array_elements(d.facts -> 'lines') x) l
     cross join lateral (select row(sum((x ->> 'total_minor')::bigint), sum((x ->> 'net_minor')::bigint), sum((x ->> 'tax_minor')::bigint))::text as taxes
                           from jsonb_array_elements(d.facts -> 'taxes') x) t
     where d.facts ? 'lines'
)
select id, amount_minor, total, lines, taxes from said
 where not each or total <> amount_minor or net + tax <> total or lines <> row(total, net, tax)::text or taxes <> row(total, net, tax)::text;

-- name: CheckLineCredits
with lines as (
    select coalesce(d.corrects, d.id) as invoice, d.kind, (x ->> 'position')::int as position, (x ->> 'total_minor')::bigint as total, (x ->> 'tax_minor')::bigint as tax
      from invoicing.documents d cross join lateral jsonb_array_elements(d.facts -> 'lines') x
     where d.facts ? 'lines' and d.kind in ('invoice', 'credit_note')
)
select invoice, position, sum(total) filter (where kind = 'invoice')::bigint as total, sum(total) filter (where kind = 'credit_note')::bigint as credited
  from lines group by invoice, position
having sum(case kind when 'invoice' then total else -total end) < 0 and bool_or(kind = 'invoice')
    or sum(case kind when 'invoice' then tax else -tax end) < 0 and bool_or(kind = 'invoice');

-- name: CheckRevenue
with documents as (
    select currency, sum(case kind when 'invoice' then amount_minor else -amount_minor end) as minor from invoicing.documents
     where kind in ('invoice', 'credit_note') group by currency
), book as (
    select t.currency, -sum(e.minor) as minor
      from ledger.entries e join ledger.transactions t on t.id = e.transaction_id
     where e.account in ('revenue', 'refunds') group by t.currency
)
select coalesce(d.currency, b.currency) as currency, coalesce(d.minor, 0)::bigint as documents, coalesce(b.minor, 0)::bigint as ledger
  from documents d full join book b on b.currency = d.currency
 where coalesce(d.minor, 0) <> coalesce(b.minor, 0);

-- name: CheckTax
with documents as (
    select currency, sum(case kind when 'invoice' then 1 else -1 end * coalesce((facts ->> 'tax_minor')::bigint, 0)) as minor from invoicing.documents
     where kind in ('invoice', 'credit_note') group by currency
), book as (
    select t.currency, -sum(e.minor) filter (where e.account = 'tax') as owed, sum(e.minor) filter (where e.account = 'revenue:tax') as minor
      from ledger.entries e join ledger.transactions t on t.id = e.transaction_id
     where e.account = 'tax' and t.kind = 'tax' or e.account = 'revenue:tax' group by t.currency
)
select coalesce(d.currency, b.currency) as currency, coalesce(d.minor, 0)::bigint as documents, coalesce(b.minor, 0)::bigint as ledger
  from documents d full join book b on b.currency = d.currency
 where coalesce(d.minor, 0) <> coalesce(b.minor, 0) or coalesce(b.minor, 0) <> coalesce(b.owed, 0);

-- name: CheckHash
select document_id from invoicing.files where sha256(pdf) <> sha256;

-- name: PDF
select pdf from invoicing.files where document_id = $1;

-- name: KeepPDF
insert into invoicing.files (document_id, pdf, sha256, made_at) values ($1, $2, $3, $4) on conflict (document_id) do nothing;

-- name: PutBilling
insert into invoicing.billing as b (order_id, person_id, buyer, updated_at)
select $1, $2, $3, $4 where $5::int = 0 or exists (select 1 from invoicing.billing x where x.order_id = $1)
on conflict (order_id) do update set buyer = excluded.buyer, version = b.version + 1, updated_at = excluded.updated_at where $5::int = 0 or b.version = $5
returning version;

-- name: Billing
select buyer, version from invoicing.billing where order_id = $1;
