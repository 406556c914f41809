-- name: NextBoundary
select min(t.at) as at from (
    select starts_at as at from catalog.sessions union all select ends_at from catalog.sessions
    union all select enrol_from from catalog.sessions union all select enrol_until from catalog.sessions
    union all select valid_from from offers.offers union all select valid_until from offers.offers
    union all select valid_from from offers.prices union all select valid_until from offers.prices
    union all select starts_at from programs.editions union all select ends_at from programs.editions
    union all select enrol_from from programs.editions union all select enrol_until from programs.editions
    union all select opens_at from programs.edition_sessions
    union all select starts_at from workshops.days union all select ends_at from workshops.days
) as t where t.at > $1;

-- name: OneImport
select pg_advisory_xact_lock(hashtextextended('exchange.import', 0));

-- name: Begin
savepoint thing;

-- name: End
release savepoint thing;

-- name: Undo
rollback to savepoint thing;

-- name: Sold
select exists (select 1 from sales.lines where offer_id = $1);
