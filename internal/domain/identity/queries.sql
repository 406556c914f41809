-- name: KnownSubjects
select x.subject, x.person_id
  from unnest($2::text[]) as s(subject)
  join identity.external_ids x on x.source = $1 and x.subject = s.subject;

-- name: AddPeople
insert into identity.people (id, full_name, created_at)
select p.id, p.full_name, $3 from unnest($1::text[], $2::text[]) as p(id, full_name);

-- name: AddExternalIDs
insert into identity.external_ids (source, subject, person_id)
select $1, p.subject, p.person_id from unnest($2::text[], $3::text[]) as p(subject, person_id);
