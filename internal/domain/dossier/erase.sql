-- What an erasure wipes of a person ($1), in this order: who she is goes last, because others are found by her address.

-- name: 01 mails and names of seats
update sales.seats set email = case when state = 'reserved' then email else null end, name = null
 where person_id = $1 or (state <> 'reserved' and email = (select p.email from identity.people p where p.id = $1));

-- name: 02 mails of transfers
update sales.transfers set email = 'erased@invalid' where to_id = $1 or email = (select p.email from identity.people p where p.id = $1);

-- name: 03 mails of payments
update payments.payments p set email = '' from sales.orders o where o.id = p.order_id and o.buyer_id = $1;

-- name: 04 the provider's words
update payments.events v set raw = '{}'::bytea
  from payments.payments p join sales.orders o on o.id = p.order_id
 where o.buyer_id = $1 and v.state <> 'received' and (position(convert_to(p.id, 'UTF8') in v.raw) > 0
    or p.checkout_id is not null and position(convert_to(p.checkout_id, 'UTF8') in v.raw) > 0
    or p.intent_id is not null and position(convert_to(p.intent_id, 'UTF8') in v.raw) > 0);

-- name: 05 the proctor's references
update exams.sittings set reference = '' where learner_id = $1 and reference <> '';

-- name: 05a notes on proofs of identity
update exams.identity_checks set note = '' where learner_id = $1 and note <> '';

-- name: 05b reasons of blocks
update exams.blocks set reason = '' where learner_id = $1 and reason <> '';

-- name: 05c reasons of accommodations
update exams.accommodations set reason = '' where learner_id = $1 and reason <> '';

-- name: 05d notes on attempts
update exams.attempt_events set note = '' where learner_id = $1 and note <> '';

-- name: 05e notes on incidents
update exams.incidents set note = '' where learner_id = $1 and note <> '';

-- name: 05f words of appeals
update exams.appeals set reason = '', answer = '' where learner_id = $1 and (reason <> '' or answer <> '');

-- name: 05g what providers of proctoring said
update exams.provider_events set raw = '', note = '' where learner_id = $1 and (raw <> '' or note <> '');

-- name: 05h addresses of set-ups
update exams.proctorings set launch_url = '' where learner_id = $1 and launch_url <> '';

-- name: 05y notes on calls
update confidence.contacts set note = '' where learner_id = $1 and note <> '';

-- name: 05z the number to call her under
delete from confidence.numbers where learner_id = $1;
-- name: 05s words of answers
update surveys.answers set words = '' where learner_id = $1 and words <> '';

-- name: 05x what providers of labs told
update labs.events set raw = '' where learner_id = $1 and raw <> '';

-- name: 06 notes on productions
update workshops.productions set note = '' where learner_id = $1 and note <> '';

-- name: 07 names on certificates
update certificates.certificates set facts = jsonb_set(facts, '{holder_name}', '"—"') where learner_id = $1;

-- name: 08 certificates on paper
update certificates.documents d set pdf = '' from certificates.certificates c where c.id = d.certificate_id and c.learner_id = $1 and d.pdf <> '';

-- name: 09 grade reports, profiles and ids as they came
update gradebook.collections c set content = ''
 where c.content <> '' and (c.session_id in (select e.session_id from enrolment.enrolments e where e.learner_id = $1)
    -- a list of ids enrols nobody: she may stand in that of any session of a platform that knows her
    or c.kind = 'anonymised_ids' and c.session_id in (select s.id from catalog.sessions s
       where exists (select 1 from identity.external_ids x where x.person_id = $1 and (x.source = s.platform or starts_with(x.source, s.platform || '#')))));

-- name: 09a answers and posts as they came
delete from surveys.pieces p using surveys.imports i
 where i.id = p.import_id and (i.session_id in (select e.session_id from enrolment.enrolments e where e.learner_id = $1) or i.id in (select r.import_id from surveys.responses r where r.learner_id = $1));

-- name: 09b results of exams as they came
update exams.result_files f set content = '' where f.content <> '' and f.session_id in (select e.session_id from enrolment.enrolments e where e.learner_id = $1);

-- name: 09c files that nobody has applied, or only just
delete from intakes.batches b where b.session_id in (select e.session_id from enrolment.enrolments e where e.learner_id = $1);

-- name: 10 what schools sent
update cohorts.members m set email = null, given_name = null, family_name = null, student_key = identity.erased_subject('cohorts:' || m.organisation, m.student_key)
 where (m.person_id = $1 or m.email = (select p.email from identity.people p where p.id = $1)) and m.student_key not like 'erased:%';

-- name: 11 names at learning platforms
delete from lms.usernames where person_id = $1;

-- name: 12 guesses of codes
delete from sales.guesses where who like '%' || $1::text || '%';

-- name: 13 replies to her requests
delete from platform.idempotency where principal like '%:' || $1::text;

-- name: 14 addresses of her acts
delete from platform.audit_origins o using platform.audit a where a.seq = o.seq and a.actor in ('learner:' || $1::text, 'staff:' || $1::text);

-- name: 15 addresses of her consents
update privacy.consents set origin = '' where person_id = $1 and origin <> '';

-- name: 16 files of her exports
update dossier.exports set state = 'expired', file = null where person_id = $1 and state <> 'expired';

-- name: 17 sign-ins
delete from identity.tokens where person_id = $1 or email = (select p.email from identity.people p where p.id = $1);

-- name: 18 roles
delete from identity.roles where person_id = $1;

-- name: 18 roles that were hinted at
delete from identity.role_hints where person_id = $1;

-- name: 19 roles at partners
delete from identity.partner_roles where person_id = $1;

-- name: 20 membership of organisations
delete from identity.members where person_id = $1;

-- name: 21 managers
delete from identity.managers where person_id = $1;

-- name: 22 cashiers
delete from identity.cashiers where person_id = $1;

-- name: 23 ids at learning platforms
update identity.external_ids set subject = identity.erased_subject(source, subject) where person_id = $1 and subject not like 'erased:%';

-- name: 24 what was written to her
update outreach.recipients set facts = '{}' where person_id = $1 and facts <> '{}';

-- name: 15 that her address takes no mail
delete from outreach.dead_addresses d using identity.people p where p.id = $1 and p.email is not null and d.address = sha256(convert_to(p.email, 'UTF8'));

-- name: 26 what a platform said of her
update lms.syncs s set detail = '' from enrolment.enrolments e where e.id = s.enrolment_id and e.learner_id = $1 and s.detail <> '';

-- name: 27 to whom no invoice was made out
update invoicing.billing b set buyer = '{}' where b.person_id = $1 and b.buyer <> '{}' and not exists (select 1 from invoicing.documents d where d.order_id = b.order_id);

-- name: 28 why a request of hers was refused
update dossier.erasures set note = '' where person_id = $1 and note <> '';

-- name: 25 badges
update badges.credentials b set jws = '' from certificates.certificates c where c.id = b.certificate_id and c.learner_id = $1 and b.jws <> '';

-- name: 29 digests that she wanted
update progress.readers set wanted = false where person_id = $1 and wanted;
