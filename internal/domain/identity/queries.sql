-- name: KnownSubjects
select x.subject, x.person_id
  from unnest($2::text[]) as s(subject)
  join identity.external_ids x on x.source = $1 and x.subject = s.subject;

-- name: ErasedSubjects
select s.subject, x.person_id
  from unnest($2::text[]) as s(subject)
  join identity.external_ids x on x.source = $1 and x.subject = identity.erased_subject($1, s.subject)
 where exists (select 1 from identity.people p where p.erased_at is not null);

-- name: AddPeople
insert into identity.people (id, full_name, created_at)
select p.id, p.full_name, $3 from unnest($1::text[], $2::text[]) as p(id, full_name);

-- name: AddExternalIDs
insert into identity.external_ids (source, subject, person_id)
select $1, p.subject, p.person_id from unnest($2::text[], $3::text[]) as p(subject, person_id);

-- name: AddSubjects
-- Who was erased gets no new one.
insert into identity.external_ids (source, subject, person_id)
select $1, s.subject, s.person_id from unnest($2::text[], $3::text[]) as s(subject, person_id)
  join identity.people p on p.id = s.person_id and p.erased_at is null
on conflict do nothing;

-- name: SubjectsOf
select subject, person_id from identity.external_ids where source = $1 and person_id = any($2::text[]) order by person_id, subject;

-- name: AddExternalID
insert into identity.external_ids (source, subject, person_id) values ($1, $2, $3) on conflict do nothing;

-- name: Person
select id, coalesce(email, '') as email, full_name, lang, created_at from identity.people where id = $1;

-- name: PersonByEmail
select id, coalesce(email, '') as email, full_name, lang, created_at from identity.people where email = $1;

-- name: AddPerson
insert into identity.people (id, email, full_name, lang, created_at) values ($1, $2, $3, $4, $5)
on conflict on constraint person_email_once do nothing;

-- name: Roles
select role from identity.roles where person_id = $1 order by role;

-- name: GrantRole
insert into identity.roles (person_id, role, granted_at) values ($1, $2, $3) on conflict do nothing;

-- name: LinksSince
select count(*) from identity.tokens where kind = 'link' and email = $1 and created_at > $2;

-- name: AddLink
insert into identity.tokens (id, hash, kind, email, lang, next, created_at, expires_at) values ($1, $2, 'link', $3, $4, $5, $6, $7);

-- name: LiveLink
select email, lang from identity.tokens where id = $1 and kind = 'link' and ended_at is null and expires_at > $2;

-- name: SpendLink
update identity.tokens set ended_at = $2 where hash = $1 and kind = 'link' and ended_at is null and expires_at > $2 returning email, lang, next;

-- name: AddToken
insert into identity.tokens (id, hash, kind, person_id, name, scopes, created_at, expires_at, proven_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: Token
select p.id, coalesce(p.email, '') as email, p.full_name, p.lang, p.created_at, t.scopes, t.proven_at,
       array(select r.role from identity.roles r where r.person_id = p.id order by r.role) as roles,
       array(select distinct a.role from identity.partners a where a.person_id = p.id) as partner_roles
  from identity.tokens t join identity.people p on p.id = t.person_id
 where t.kind = $1 and t.hash = $2 and t.ended_at is null and t.expires_at > $3;

-- name: ProveSession
update identity.tokens set proven_at = greatest(proven_at, $3) where hash = $1 and kind = 'browser' and person_id = $2 and ended_at is null and expires_at > $4;

-- name: EndToken
with ended as (update identity.tokens set ended_at = $2 where hash = $1 and ended_at is null returning id)
delete from identity.provider_sessions s using ended where s.token_id = ended.id;

-- name: LinkByAddress
insert into identity.external_ids (source, subject, person_id)
select distinct on (p.id) $1, s.subject, p.id
  from unnest($2::text[], $3::text[]) as s(subject, address)
  join identity.people p on p.email = s.address
 where not exists (select 1 from identity.external_ids x where x.source = $1 and x.person_id = p.id)
 order by p.id, s.subject
on conflict do nothing
returning subject, person_id;

-- name: SetName
update identity.people set full_name = $2 where id = $1;

-- name: LockSource
select pg_advisory_xact_lock(hashtextextended('identity:' || $1, 0));

-- name: PutOrganisation
insert into identity.organisations (key, name, created_at) values ($1, $2, $3) on conflict (key) do update set name = excluded.name;

-- name: Join
insert into identity.members (organisation, person_id, since) values ($1, $2, $3) on conflict do nothing;

-- name: Organisations
select o.key, o.name, (select count(*) from identity.members m where m.organisation = o.key)::int as members from identity.organisations o order by o.key;

-- name: OrganisationsOf
select organisation from identity.members where person_id = $1 order by organisation;

-- name: PutCashier
insert into identity.cashiers (organisation, person_id, since) values ($1, $2, $3) on conflict do nothing;

-- name: DesksOf
select organisation from identity.cashiers where person_id = $1 order by organisation;

-- name: DropCashier
delete from identity.cashiers where organisation = $1 and person_id = $2;

-- name: DropRole
delete from identity.roles where person_id = $1 and role = $2;

-- name: PutManager
insert into identity.managers (organisation, person_id, since) values ($1, $2, $3) on conflict do nothing;

-- name: DropManager
delete from identity.managers where organisation = $1 and person_id = $2;

-- name: Managers
select p.id as person_id, p.full_name, coalesce(p.email, '') as email
  from identity.managers m join identity.people p on p.id = m.person_id where m.organisation = $1 order by p.full_name, p.id;

-- name: ManagedBy
select o.key, o.name from identity.managers m join identity.organisations o on o.key = m.organisation where m.person_id = $1 order by o.key;

-- name: Organisation
select key, name from identity.organisations where key = $1;

-- name: AddClient
insert into identity.clients (id, organisation, name, person_id, roles, scopes, networks, per_minute, created_at)
values ($1, nullif($2, ''), $3, $4, $5, $6, $7::text[]::cidr[], $8, $9);

-- name: LockClient
select id from identity.clients where id = $1 for update;

-- name: Client
select id, coalesce(organisation, '') as organisation, name, person_id, roles, scopes, networks::text[] as networks, per_minute, version, created_at, ended_at
  from identity.clients where id = $1;

-- name: Clients
select id, coalesce(organisation, '') as organisation, name, person_id, roles, scopes, networks::text[] as networks, per_minute, version, created_at, ended_at
  from identity.clients where ($1 = '' or organisation = $1) and ($2 = '' or id < $2) order by id desc limit $3;

-- name: EditClient
update identity.clients set name = $2, scopes = $3, networks = $4::text[]::cidr[], per_minute = $5, version = version + 1 where id = $1;

-- name: EndRoles
with partner as (delete from identity.partner_roles where person_id = $1), cashier as (delete from identity.cashiers where person_id = $1),
     manager as (delete from identity.managers where person_id = $1)
delete from identity.roles where person_id = $1;

-- name: EndClient
update identity.clients set ended_at = $2, version = version + 1 where id = $1;

-- name: Keys
select id, client_id, prefix, created_at, expires_at, ended_at, used_at, coalesce(used_from, '') as used_from
  from identity.keys where client_id = any($1) order by id desc;

-- name: AddKey
insert into identity.keys (id, client_id, place, prefix, hash, created_at, expires_at)
select $1, $2, min(p.place), $3, $4, $5, $6
  from (values (1), (2)) as p(place)
 where not exists (select 1 from identity.keys k where k.client_id = $2 and k.place = p.place and k.ended_at is null);

-- name: EndKey
update identity.keys set ended_at = $2 where id = $1 and ended_at is null;

-- name: KeyUsed
update identity.keys set used_at = $2, used_from = left(nullif($3, ''), 100) where id = $1;

-- name: OfKey
select p.id, coalesce(p.email, '') as email, p.full_name, p.lang, p.created_at, c.scopes, c.networks::text[] as networks, c.id as client_id, k.id as key_id,
       c.per_minute, k.used_at, array(select r.role from identity.roles r where r.person_id = p.id order by r.role) as roles,
       array(select distinct a.role from identity.partners a where a.person_id = p.id) as partner_roles
  from identity.keys k join identity.clients c on c.id = k.client_id join identity.people p on p.id = c.person_id
 where k.hash = $1 and k.ended_at is null and k.expires_at > $2 and c.ended_at is null;

-- name: OfGrant
select p.id, coalesce(p.email, '') as email, p.full_name, p.lang, p.created_at, array(select unnest(t.scopes) intersect select unnest(c.scopes)) as scopes,
       c.networks::text[] as networks, c.id as client_id, k.id as key_id, c.per_minute, k.used_at,
       array(select r.role from identity.roles r where r.person_id = p.id order by r.role) as roles,
       array(select distinct a.role from identity.partners a where a.person_id = p.id) as partner_roles
  from identity.tokens t join identity.keys k on k.id = t.key_id join identity.clients c on c.id = k.client_id join identity.people p on p.id = c.person_id
 where t.hash = $1 and t.kind = 'api' and t.ended_at is null and t.expires_at > $2 and k.ended_at is null and k.expires_at > $2 and c.ended_at is null;

-- name: AddGrant
insert into identity.tokens (id, hash, kind, person_id, name, scopes, created_at, expires_at, key_id) values ($1, $2, 'api', $3, 'client credentials', $4, $5, $6, $7);

-- name: LockOrganisation
select key from identity.organisations where key = $1 for update;

-- name: PutPartnerRole
insert into identity.partner_roles (organisation, person_id, role, since) values ($1, $2, $3, $4) on conflict do nothing;

-- name: DropPartnerRole
delete from identity.partner_roles where organisation = $1 and person_id = $2 and role = $3;

-- name: PartnerRoles
select a.organisation, a.role, a.since, p.id as person_id, p.full_name, coalesce(p.email, '') as email
  from identity.partners a join identity.people p on p.id = a.person_id where a.organisation = $1 order by p.full_name, p.id, a.role;

-- name: PartnerRolesOf
select a.organisation, a.role, a.since, p.id as person_id, p.full_name, coalesce(p.email, '') as email
  from identity.partners a join identity.people p on p.id = a.person_id where a.person_id = $1 order by a.organisation, a.role;

-- name: Names
select id, full_name from identity.people where id = any($1::text[]);

-- name: Providers
select id, name, issuer, client_id, people, domains, coalesce(organisation, '') as organisation, key_claim, claims, enabled, version, created_at
  from identity.providers order by name, id;

-- name: LockProvider
select id from identity.providers where id = $1 for update;

-- name: ProviderSecret
select secret from identity.providers where id = $1;

-- name: AddProvider
insert into identity.providers (id, name, issuer, client_id, secret, people, domains, organisation, key_claim, enabled, created_at, claims)
values ($1, $2, $3, $4, $5, $6, $7, nullif($8, ''), $9, $10, $11, $12);

-- name: EditProvider
update identity.providers set name = $2, client_id = $3, secret = coalesce($4, secret), people = $5, domains = $6, organisation = nullif($7, ''), key_claim = $8,
       enabled = $9, claims = $10, version = version + 1 where id = $1;

-- name: AddSubject
insert into identity.external_ids (source, subject, person_id) values ($1, $2, $3);

-- name: Hints
select h.person_id, p.full_name, coalesce(p.email, '') as email, h.role, h.group_name, h.said_at, o.has
  from identity.role_hints h join identity.people p on p.id = h.person_id join identity.providers v on v.id = h.provider
 cross join lateral (select exists (select 1 from identity.roles r where r.person_id = h.person_id and r.role = h.role)
                         or exists (select 1 from identity.partners a where a.person_id = h.person_id and a.role = h.role and a.organisation = v.organisation) as has) o
 where h.provider = $1 order by o.has, p.full_name, h.person_id, h.role, h.group_name limit 200;

-- name: DropHints
delete from identity.role_hints where provider = $1 and person_id = $2;

-- name: AddHints
insert into identity.role_hints (provider, person_id, role, group_name, said_at)
select $1, $2, h.role, h.group_name, $5 from unnest($3::text[], $4::text[]) as h(role, group_name);

-- name: ProviderSession
select s.provider, s.hint from identity.provider_sessions s join identity.tokens t on t.id = s.token_id
 where t.hash = $1 and t.kind = 'browser' and t.ended_at is null and t.expires_at > $2;

-- name: PutProviderSession
insert into identity.provider_sessions (token_id, provider, subject, sid, hint)
select t.id, $2, $3, $4, $5 from identity.tokens t where t.hash = $1 and t.kind = 'browser'
on conflict (token_id) do update set provider = excluded.provider, subject = excluded.subject, sid = excluded.sid, hint = excluded.hint;

-- name: ForgetProviderSessions
delete from identity.provider_sessions s using identity.tokens t where t.id = s.token_id and t.expires_at <= $1;

-- name: EndProviderSessions
with over as (
    delete from identity.provider_sessions s
     where s.provider = $1 and ($2 = '' or s.subject = $2) and ($3 = '' and $2 <> '' or $3 <> '' and (s.sid = $3 or s.sid = '' and $2 <> ''))
    returning s.token_id)
update identity.tokens t set ended_at = $4 from over where t.id = over.token_id and t.ended_at is null and t.expires_at > $4 returning t.person_id;

-- name: ForgetLogoutTokens
delete from identity.logout_tokens where expires_at <= $1;

-- name: AddLogoutToken
insert into identity.logout_tokens (provider, hash, expires_at) values ($1, $2, $3) on conflict do nothing;
