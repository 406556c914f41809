-- name: AddConsent
insert into privacy.consents (person_id, purpose, text, given, at, said_by, origin) values ($1, $2, $3, $4, $5, $6, left($7, 100));

-- name: Consents
select distinct on (purpose) purpose, text, given, at, said_by from privacy.consents where person_id = $1 order by purpose, seq desc;

-- name: LockConsents
select pg_advisory_xact_lock(hashtextextended('consents:' || $1, 0));

-- name: WhoConsents
select person_id from (
  select distinct on (c.person_id) c.person_id, c.given from privacy.consents c
   where c.person_id = any($1::text[]) and c.purpose = $2 order by c.person_id, c.seq desc) last
 where given order by person_id;

-- name: LastWords
select distinct on (person_id) person_id, given from privacy.consents
 where person_id = any($1::text[]) and purpose = $2 order by person_id, seq desc;
