-- name: One
select c.id, c.enrolment_id, c.learner_id, c.session_id, c.code, c.facts, c.issued_at, c.revoked_at, coalesce(c.revoked_reason, '') as revoked_reason, d.sha256
  from certificates.certificates c left join certificates.documents d on d.certificate_id = c.id
 where c.id = $1;

-- name: ByCode
select c.id, c.enrolment_id, c.learner_id, c.session_id, c.code, c.facts, c.issued_at, c.revoked_at, coalesce(c.revoked_reason, '') as revoked_reason, d.sha256
  from certificates.certificates c left join certificates.documents d on d.certificate_id = c.id
 where c.code = $1;

-- name: OfSitting
select c.id, c.enrolment_id, c.learner_id, c.session_id, c.code, c.facts, c.issued_at, c.revoked_at, coalesce(c.revoked_reason, '') as revoked_reason, d.sha256
  from certificates.certificates c left join certificates.documents d on d.certificate_id = c.id
 where c.sitting_id = $1 order by c.issued_at desc limit 1;

-- name: LiveOfEnrolment
select c.id, c.enrolment_id, c.learner_id, c.session_id, c.code, c.facts, c.issued_at, c.revoked_at, coalesce(c.revoked_reason, '') as revoked_reason, d.sha256
  from certificates.certificates c left join certificates.documents d on d.certificate_id = c.id
 where c.enrolment_id = $1 and c.revoked_at is null;

-- name: OfLearner
select c.id, c.enrolment_id, c.learner_id, c.session_id, c.code, c.facts, c.issued_at, c.revoked_at, coalesce(c.revoked_reason, '') as revoked_reason, d.sha256
  from certificates.certificates c left join certificates.documents d on d.certificate_id = c.id
 where c.learner_id = $1 order by (c.revoked_at is null) desc, c.issued_at desc;

-- name: Add
insert into certificates.certificates (id, enrolment_id, learner_id, session_id, sitting_id, code, facts, issued_at)
values ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: Revoke
update certificates.certificates set revoked_at = $2, revoked_reason = $3, revoked_by = $4 where id = $1 and revoked_at is null;

-- name: PDF
select pdf from certificates.documents where certificate_id = $1;

-- name: KeepPDF
insert into certificates.documents (certificate_id, pdf, sha256, rendered_at) values ($1, $2, $3, $4) on conflict do nothing;

-- name: CheckEarned
select c.id from certificates.certificates c join exams.sittings s on s.id = c.sitting_id
 where s.state <> 'passed' or s.enrolment_id <> c.enrolment_id
    or not exists (select 1 from enrolment.grants g
                    where g.enrolment_id = c.enrolment_id and 'certificate' = any(g.entitlements) and g.granted_at <= c.issued_at
                      and (g.revoked_at is null or g.revoked_at >= c.issued_at));

-- name: CheckOneLive
select learner_id, session_id, count(*) from certificates.certificates where revoked_at is null group by learner_id, session_id having count(*) > 1;

-- name: CheckHash
select certificate_id from certificates.documents where pdf <> '' and sha256 <> sha256(pdf) -- the paper of who was erased is not kept, its hash is;

-- name: CheckReversed
select c.id from certificates.certificates c
 where c.revoked_at is null
   and not exists (select 1 from enrolment.grants g where g.enrolment_id = c.enrolment_id and 'certificate' = any(g.entitlements)
                    and (g.revoked_at is null or g.revoked_at > now() - interval '15 minutes'));

-- name: CheckJourney
select j.enrolment_id, j.reached & 2048 <> 0 as journey_says from journey.enrolments j
 where (j.reached & 2048 <> 0) <> exists (select 1 from certificates.certificates c where c.enrolment_id = j.enrolment_id and c.revoked_at is null);
