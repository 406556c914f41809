-- name: Add
insert into offers.offers (id, session_id, formula, price_minor, currency, valid_from, valid_until, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: Offer
select o.id, o.session_id, s.key as session_key, o.formula, o.price_minor, o.currency, f.entitlements, f.qualifying,
       o.valid_from, o.valid_until, o.withdrawn_at is not null as withdrawn
  from offers.offers o join offers.formulas f on f.key = o.formula join catalog.sessions s on s.id = o.session_id
 where o.id = $1;

-- name: OfSession
select o.id, o.session_id, s.key as session_key, o.formula, o.price_minor, o.currency, f.entitlements, f.qualifying,
       o.valid_from, o.valid_until, o.withdrawn_at is not null as withdrawn
  from offers.offers o join offers.formulas f on f.key = o.formula join catalog.sessions s on s.id = o.session_id
 where o.session_id = $1 and o.withdrawn_at is null
 order by f.position, o.price_minor, o.id;
