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
insert into offers.offers (id, session_id, edition_id, formula, price_minor, currency, valid_from, valid_until, audience, quota, call_en, call_fr, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13);

-- name: Withdraw
update offers.offers set withdrawn_at = $2 where id = $1 and withdrawn_at is null;

-- name: Offer
select o.id, coalesce(o.session_id, '') as session_id, coalesce(s.key, '') as session_key, coalesce(o.edition_id, '') as edition_id,
       coalesce(e.key, '') as edition_key, o.formula, o.price_minor, o.currency, f.entitlements, f.qualifying, o.valid_from, o.valid_until,
       coalesce(o.audience, '') as audience, o.quota, o.call_en, o.call_fr, o.withdrawn_at, o.created_at, s.capacity
  from offers.offers o join offers.formulas f on f.key = o.formula
  left join catalog.sessions s on s.id = o.session_id left join programs.editions e on e.id = o.edition_id
 where o.id = $1;

-- name: OfSession
select o.id, coalesce(o.session_id, '') as session_id, coalesce(s.key, '') as session_key, coalesce(o.edition_id, '') as edition_id,
       coalesce(e.key, '') as edition_key, o.formula, o.price_minor, o.currency, f.entitlements, f.qualifying, o.valid_from, o.valid_until,
       coalesce(o.audience, '') as audience, o.quota, o.call_en, o.call_fr, o.withdrawn_at, o.created_at, s.capacity
  from offers.offers o join offers.formulas f on f.key = o.formula
  left join catalog.sessions s on s.id = o.session_id left join programs.editions e on e.id = o.edition_id
 where o.session_id = $1 and o.withdrawn_at is null and (o.audience is null or o.audience = any($2::text[]))
 order by f.position, o.currency, o.price_minor, o.id;

-- name: OfEdition
select o.id, coalesce(o.session_id, '') as session_id, coalesce(s.key, '') as session_key, coalesce(o.edition_id, '') as edition_id,
       coalesce(e.key, '') as edition_key, o.formula, o.price_minor, o.currency, f.entitlements, f.qualifying, o.valid_from, o.valid_until,
       coalesce(o.audience, '') as audience, o.quota, o.call_en, o.call_fr, o.withdrawn_at, o.created_at, s.capacity
  from offers.offers o join offers.formulas f on f.key = o.formula
  left join catalog.sessions s on s.id = o.session_id left join programs.editions e on e.id = o.edition_id
 where o.edition_id = $1 and o.withdrawn_at is null and (o.audience is null or o.audience = any($2::text[]))
 order by f.position, o.currency, o.price_minor, o.id;

-- name: List
select o.id, coalesce(o.session_id, '') as session_id, coalesce(s.key, '') as session_key, coalesce(o.edition_id, '') as edition_id,
       coalesce(e.key, '') as edition_key, o.formula, o.price_minor, o.currency, f.entitlements, f.qualifying, o.valid_from, o.valid_until,
       coalesce(o.audience, '') as audience, o.quota, o.call_en, o.call_fr, o.withdrawn_at, o.created_at, s.capacity
  from offers.offers o join offers.formulas f on f.key = o.formula
  left join catalog.sessions s on s.id = o.session_id left join programs.editions e on e.id = o.edition_id
 where ($1::text = '' or s.key = $1 or s.id = $1) and ($2::text = '' or e.key = $2 or e.id = $2) and ($4::text = '' or o.id < $4)
   and ($7::text = '' or $7 in (s.key, s.id, e.key, e.id))
   and ($3::text = '' or $3::text = case when o.withdrawn_at is not null then 'withdrawn' when $6::timestamptz < o.valid_from then 'waiting'
                                         when $6::timestamptz >= o.valid_until then 'ended' else 'standing' end)
 order by o.id desc limit $5;

-- name: ListPrices
select session_id, price_minor from offers.offers
 where session_id = any($1::text[]) and currency = $2 and formula = 'QUALIFYING' and audience is null and withdrawn_at is null;
