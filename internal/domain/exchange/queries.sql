-- name: NextBoundary
select min(t.at) as at from (
    select starts_at as at from catalog.sessions union all select ends_at from catalog.sessions
    union all select enrol_from from catalog.sessions union all select enrol_until from catalog.sessions
    union all select valid_from from offers.offers union all select valid_until from offers.offers
    union all select starts_at from programs.editions union all select ends_at from programs.editions
    union all select enrol_from from programs.editions union all select enrol_until from programs.editions
    union all select opens_at from programs.edition_sessions
    union all select starts_at from workshops.days union all select ends_at from workshops.days
) as t where t.at > $1;
