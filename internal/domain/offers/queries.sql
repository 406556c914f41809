-- name: PutFormula
insert into offers.formulas as f (key, title_en, title_fr, pitch_en, pitch_fr, call_en, call_fr, entitlements, qualifying, position, archived_at)
select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, case when $11::bool then $13::timestamptz end
 where $12::int = 0 or exists (select 1 from offers.formulas where key = $1)
on conflict (key) do update
   set title_en = excluded.title_en, title_fr = excluded.title_fr, pitch_en = excluded.pitch_en, pitch_fr = excluded.pitch_fr,
       call_en = excluded.call_en, call_fr = excluded.call_fr, entitlements = excluded.entitlements, qualifying = excluded.qualifying,
       position = excluded.position, archived_at = case when $11::bool then coalesce(f.archived_at, $13::timestamptz) end, version = f.version + 1
 where $12::int = 0 or f.version = $12::int;

-- name: Formula
select key, title_en, title_fr, pitch_en, pitch_fr, call_en, call_fr, entitlements, qualifying, position, archived_at is not null as archived, version
  from offers.formulas where key = $1;

-- name: Formulas
select key, title_en, title_fr, pitch_en, pitch_fr, call_en, call_fr, entitlements, qualifying, position, archived_at is not null as archived, version
  from offers.formulas order by position, key;

-- name: Add
insert into offers.offers (id, session_id, edition_id, formula, price_minor, currency, valid_from, valid_until, audience, quota, call_en, call_fr, created_at, withdrawal, publication)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15);

-- name: Move
update offers.offers set publication = $2, withdrawn_at = case when $2::text = 'archived' then $3::timestamptz end where id = $1;

-- name: LockOffer
select 1 from offers.offers where id = $1 for update;

-- name: Offer
select o.id, coalesce(o.session_id, '') as session_id, coalesce(s.key, '') as session_key, coalesce(o.edition_id, '') as edition_id,
       coalesce(e.key, '') as edition_key, o.formula, o.price_minor, o.currency, f.entitlements, f.qualifying, o.valid_from, o.valid_until,
       coalesce(o.audience, '') as audience, o.quota, o.call_en, o.call_fr, o.publication, o.withdrawn_at, o.created_at, s.capacity, o.withdrawal
  from offers.offers o join offers.formulas f on f.key = o.formula
  left join catalog.sessions s on s.id = o.session_id left join programs.editions e on e.id = o.edition_id
 where o.id = $1;

-- name: OfSession
select o.id, coalesce(o.session_id, '') as session_id, coalesce(s.key, '') as session_key, coalesce(o.edition_id, '') as edition_id,
       coalesce(e.key, '') as edition_key, o.formula, o.price_minor, o.currency, f.entitlements, f.qualifying, o.valid_from, o.valid_until,
       coalesce(o.audience, '') as audience, o.quota, o.call_en, o.call_fr, o.publication, o.withdrawn_at, o.created_at, s.capacity, o.withdrawal
  from offers.offers o join offers.formulas f on f.key = o.formula
  left join catalog.sessions s on s.id = o.session_id left join programs.editions e on e.id = o.edition_id
 where o.session_id = $1 and o.publication = 'published' and ('exam_retake' = any(f.entitlements)) = $3 and (o.audience is null or o.audience = any($2::text[]))
 order by f.position, o.currency, o.price_minor, o.id;

-- name: OfEdition
select o.id, coalesce(o.session_id, '') as session_id, coalesce(s.key, '') as session_key, coalesce(o.edition_id, '') as edition_id,
       coalesce(e.key, '') as edition_key, o.formula, o.price_minor, o.currency, f.entitlements, f.qualifying, o.valid_from, o.valid_until,
       coalesce(o.audience, '') as audience, o.quota, o.call_en, o.call_fr, o.publication, o.withdrawn_at, o.created_at, s.capacity, o.withdrawal
  from offers.offers o join offers.formulas f on f.key = o.formula
  left join catalog.sessions s on s.id = o.session_id left join programs.editions e on e.id = o.edition_id
 where o.edition_id = $1 and o.publication = 'published' and (o.audience is null or o.audience = any($2::text[]))
 order by f.position, o.currency, o.price_minor, o.id;

-- name: List
select o.id, coalesce(o.session_id, '') as session_id, coalesce(s.key, '') as session_key, coalesce(o.edition_id, '') as edition_id,
       coalesce(e.key, '') as edition_key, o.formula, o.price_minor, o.currency, f.entitlements, f.qualifying, o.valid_from, o.valid_until,
       coalesce(o.audience, '') as audience, o.quota, o.call_en, o.call_fr, o.publication, o.withdrawn_at, o.created_at, s.capacity, o.withdrawal
  from offers.offers o join offers.formulas f on f.key = o.formula
  left join catalog.sessions s on s.id = o.session_id left join programs.editions e on e.id = o.edition_id
 where ($1::text = '' or s.key = $1 or s.id = $1) and ($2::text = '' or e.key = $2 or e.id = $2) and ($4::text = '' or o.id < $4)
   and ($7::text = '' or $7 in (s.key, s.id, e.key, e.id))
   and ($3::text = '' or $3::text = case when o.publication = 'archived' then 'withdrawn' when o.publication <> 'published' then o.publication when $6::timestamptz < o.valid_from then 'waiting'
                                         when $6::timestamptz >= o.valid_until then 'ended' else 'standing' end)
 order by o.id desc limit $5;

-- name: ListPrices
select session_id, price_minor from offers.offers
 where session_id = any($1::text[]) and currency = $2 and formula = 'QUALIFYING' and audience is null and publication = 'published';

-- name: AddPrice
insert into offers.prices (id, offer_id, label_en, label_fr, price_minor, currency, valid_from, valid_until, audience, early_until, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11);

-- name: PutPrice
update offers.prices set label_en = $3, label_fr = $4, price_minor = $5, currency = $6, valid_from = $7, valid_until = $8, audience = $9, early_until = $10,
       archived_at = case when $11::bool then coalesce(archived_at, $12::timestamptz) end, version = version + 1
 where id = $1 and offer_id = $2 and ($13::int = 0 or version = $13::int);

-- name: Price
select id, offer_id, label_en, label_fr, price_minor, currency, valid_from, valid_until, coalesce(audience, '') as audience, early_until,
       archived_at is not null as archived, version, created_at
  from offers.prices where id = $1 and offer_id = $2;

-- name: Prices
select id, offer_id, label_en, label_fr, price_minor, currency, valid_from, valid_until, coalesce(audience, '') as audience, early_until,
       archived_at is not null as archived, version, created_at
  from offers.prices where offer_id = any($1::text[]) order by id;

-- name: AddVoucher
insert into offers.vouchers (id, kind, name, percent_ppm, use_limit, per_person, offer_ids, session_ids, edition_ids, formulas, organisation, valid_from, valid_until, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14);

-- name: AddAmount
insert into offers.voucher_amounts (voucher_id, currency, amount_minor) values ($1, $2, $3);

-- name: AddCodes
insert into offers.codes (code, voucher_id, shown, position)
select n.code, $1, n.shown, n.position from unnest($2::text[], $3::text[]) with ordinality as n(code, shown, position)
on conflict (code) do nothing;

-- name: FindOffers
select id from offers.offers where id = any($1::text[]);

-- name: FindSessions
select id from catalog.sessions where key = any($1::text[]) or id = any($1::text[]);

-- name: FindEditions
select id from programs.editions where key = any($1::text[]) or id = any($1::text[]);

-- name: FindFormulas
select key from offers.formulas where key = any($1::text[]);

-- name: PutVoucher
update offers.vouchers set name = $2, use_limit = $3, per_person = $4, offer_ids = $5, session_ids = $6, edition_ids = $7, formulas = $8, organisation = $9,
       valid_from = $10, valid_until = $11, archived_at = case when $12::bool then coalesce(archived_at, $13::timestamptz) end, version = version + 1
 where id = $1 and ($14::int = 0 or version = $14::int);

-- name: Voucher
select v.id, v.kind, v.name, v.percent_ppm, v.use_limit, v.per_person, v.offer_ids,
       array(select s.key from catalog.sessions s where s.id = any(v.session_ids) order by s.key) as sessions,
       array(select e.key from programs.editions e where e.id = any(v.edition_ids) order by e.key) as editions,
       v.formulas, coalesce(v.organisation, '') as organisation, v.valid_from, v.valid_until, v.archived_at is not null as archived, v.version, v.created_at,
       coalesce((select json_agg(json_build_object('amount_minor', a.amount_minor, 'currency', a.currency) order by a.currency)
                   from offers.voucher_amounts a where a.voucher_id = v.id), '[]') as amounts,
       case when v.kind = 'code' then coalesce((select c.shown from offers.codes c where c.voucher_id = v.id and c.position = 1), '') else '' end as code,
       coalesce((select max(c.position) from offers.codes c where c.voucher_id = v.id), 0) as codes, '' as found
  from offers.vouchers v where v.id = $1;

-- name: OfCode
select v.id, v.kind, v.name, v.percent_ppm, v.use_limit, v.per_person, v.offer_ids,
       array(select s.key from catalog.sessions s where s.id = any(v.session_ids) order by s.key) as sessions,
       array(select e.key from programs.editions e where e.id = any(v.edition_ids) order by e.key) as editions,
       v.formulas, coalesce(v.organisation, '') as organisation, v.valid_from, v.valid_until, v.archived_at is not null as archived, v.version, v.created_at,
       coalesce((select json_agg(json_build_object('amount_minor', a.amount_minor, 'currency', a.currency) order by a.currency)
                   from offers.voucher_amounts a where a.voucher_id = v.id), '[]') as amounts,
       case when v.kind = 'code' then coalesce((select c.shown from offers.codes c where c.voucher_id = v.id and c.position = 1), '') else '' end as code,
       coalesce((select max(c.position) from offers.codes c where c.voucher_id = v.id), 0) as codes, k.shown as found
  from offers.codes k join offers.vouchers v on v.id = k.voucher_id where k.code = $1;

-- name: Vouchers
select v.id, v.kind, v.name, v.percent_ppm, v.use_limit, v.per_person, v.offer_ids,
       array(select s.key from catalog.sessions s where s.id = any(v.session_ids) order by s.key) as sessions,
       array(select e.key from programs.editions e where e.id = any(v.edition_ids) order by e.key) as editions,
       v.formulas, coalesce(v.organisation, '') as organisation, v.valid_from, v.valid_until, v.archived_at is not null as archived, v.version, v.created_at,
       coalesce((select json_agg(json_build_object('amount_minor', a.amount_minor, 'currency', a.currency) order by a.currency)
                   from offers.voucher_amounts a where a.voucher_id = v.id), '[]') as amounts,
       case when v.kind = 'code' then coalesce((select c.shown from offers.codes c where c.voucher_id = v.id and c.position = 1), '') else '' end as code,
       coalesce((select max(c.position) from offers.codes c where c.voucher_id = v.id), 0) as codes
  from offers.vouchers v
 where ($1::text = '' or v.name ilike '%' || replace(replace(replace($1, '\', '\\'), '%', '\%'), '_', '\_') || '%'
        or $2::text <> '' and exists (select 1 from offers.codes c where c.code = $2 and c.voucher_id = v.id))
   and ($3::text = '' or ($3::text = 'archived') = (v.archived_at is not null)) and ($4::text = '' or v.id < $4)
 order by v.id desc limit $5;

-- name: Plans
select offer_id, currency, instalments, every, unit, first_ppm, least_minor, on_default, end_after_days, archived_at is not null as archived, version
  from offers.plans where offer_id = any($1::text[]) order by offer_id, currency;

-- name: PutPlan
insert into offers.plans as p (offer_id, currency, instalments, every, unit, first_ppm, least_minor, on_default, end_after_days, archived_at, created_at)
select $1, $2, $3, $4, $5, $6, $7, $8, $9, case when $10::bool then $11::timestamptz end, $11 where $12::int = 0 or exists (select 1 from offers.plans x where x.offer_id = $1 and x.currency = $2)
on conflict (offer_id, currency) do update set instalments = excluded.instalments, every = excluded.every, unit = excluded.unit, first_ppm = excluded.first_ppm,
       least_minor = excluded.least_minor, on_default = excluded.on_default, end_after_days = excluded.end_after_days,
       archived_at = case when excluded.archived_at is not null then coalesce(p.archived_at, excluded.archived_at) end, version = p.version + 1
 where $12::int = 0 or p.version = $12
returning version;
