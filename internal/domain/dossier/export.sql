-- One statement for each table in which something stands of a person ($1): its rows as JSON, without secrets. The name is that of the
-- table; a test holds that every table of the database is here or excused.

-- name: identity.people
select to_jsonb(x) as row from identity.people x where x.id = $1;

-- name: identity.external_ids
select to_jsonb(x) as row from identity.external_ids x where x.person_id = $1 order by x.source, x.subject;

-- name: identity.roles
select to_jsonb(x) as row from identity.roles x where x.person_id = $1 order by x.role;

-- name: identity.partner_roles
select to_jsonb(x) as row from identity.partner_roles x where x.person_id = $1 order by x.organisation, x.role;

-- name: identity.members
select to_jsonb(x) as row from identity.members x where x.person_id = $1 order by x.organisation;

-- name: identity.managers
select to_jsonb(x) as row from identity.managers x where x.person_id = $1 order by x.organisation;

-- name: identity.cashiers
select to_jsonb(x) as row from identity.cashiers x where x.person_id = $1 order by x.organisation;

-- name: identity.tokens
select to_jsonb(x) - 'hash' as row from identity.tokens x
 where x.person_id = $1 or x.email = (select p.email from identity.people p where p.id = $1) order by x.id;

-- name: identity.provider_sessions
select to_jsonb(x) - 'hint' as row from identity.provider_sessions x join identity.tokens t on t.id = x.token_id where t.person_id = $1 order by x.token_id;

-- name: identity.role_hints
select to_jsonb(x) as row from identity.role_hints x where x.person_id = $1 order by x.provider, x.role, x.group_name;

-- name: enrolment.enrolments
select to_jsonb(x) as row from enrolment.enrolments x where x.learner_id = $1 order by x.id;

-- name: enrolment.grants
select to_jsonb(x) as row from enrolment.grants x join enrolment.enrolments e on e.id = x.enrolment_id where e.learner_id = $1 order by x.id;

-- name: enrolment.retakes
select to_jsonb(x) as row from enrolment.retakes x join enrolment.enrolments e on e.id = x.enrolment_id where e.learner_id = $1 order by x.id;

-- name: enrolment.memberships
select to_jsonb(x) as row from enrolment.memberships x where x.learner_id = $1 order by x.id;

-- name: lms.usernames
select to_jsonb(x) as row from lms.usernames x where x.person_id = $1 order by x.platform;

-- name: lms.syncs
select to_jsonb(x) as row from lms.syncs x join enrolment.enrolments e on e.id = x.enrolment_id where e.learner_id = $1 order by x.enrolment_id;

-- name: journey.enrolments
select to_jsonb(x) as row from journey.enrolments x where x.learner_id = $1 order by x.enrolment_id;

-- name: journey.changes
select to_jsonb(x) as row from journey.changes x join journey.enrolments e on e.enrolment_id = x.enrolment_id where e.learner_id = $1 order by x.seq;

-- name: gradebook.members
select to_jsonb(x) as row from gradebook.members x join enrolment.enrolments e on e.id = x.enrolment_id where e.learner_id = $1 order by x.enrolment_id;

-- name: gradebook.cells
select to_jsonb(x) || jsonb_build_object('kind', c.kind, 'label', c.label) as row
  from gradebook.cells x join enrolment.enrolments e on e.id = x.enrolment_id join gradebook.columns c on c.id = x.column_id where e.learner_id = $1 order by x.seq;

-- name: gradebook.cohorts
select to_jsonb(x) as row from gradebook.cohorts x join enrolment.enrolments e on e.id = x.enrolment_id where e.learner_id = $1 order by x.seq;

-- name: workshops.registrations
select to_jsonb(x) as row from workshops.registrations x where x.learner_id = $1 order by x.id;

-- name: workshops.attendance
select to_jsonb(x) as row from workshops.attendance x where x.learner_id = $1 order by x.seq;

-- name: workshops.productions
select to_jsonb(x) as row from workshops.productions x where x.learner_id = $1 order by x.seq;

-- name: labs.launches
select to_jsonb(x) as row from labs.launches x where x.learner_id = $1 order by x.id;

-- name: labs.events
select to_jsonb(x) || jsonb_build_object('raw', encode(x.raw, 'escape')) as row from labs.events x where x.learner_id = $1 order by x.seq;

-- name: exams.sittings
select to_jsonb(x) as row from exams.sittings x where x.learner_id = $1 order by x.id;

-- name: exams.decisions
select to_jsonb(x) as row from exams.decisions x where x.learner_id = $1 order by x.seq;

-- name: exams.identity_checks
select to_jsonb(x) as row from exams.identity_checks x where x.learner_id = $1 order by x.seq;

-- name: exams.blocks
select to_jsonb(x) as row from exams.blocks x where x.learner_id = $1 order by x.seq;

-- name: exams.accommodations
select to_jsonb(x) as row from exams.accommodations x where x.learner_id = $1 order by x.seq;

-- name: exams.sitting_moves
select to_jsonb(x) as row from exams.sitting_moves x where x.learner_id = $1 order by x.seq;

-- name: exams.waiting
select to_jsonb(x) as row from exams.waiting x where x.learner_id = $1 order by x.seq;

-- name: exams.attempts
select to_jsonb(x) as row from exams.attempts x where x.learner_id = $1 order by x.id;

-- name: exams.attempt_events
select to_jsonb(x) as row from exams.attempt_events x where x.learner_id = $1 order by x.seq;

-- name: exams.proctorings
select to_jsonb(x) as row from exams.proctorings x where x.learner_id = $1 order by x.attempt_id;

-- name: exams.proctor_launches
select to_jsonb(x) as row from exams.proctor_launches x where x.learner_id = $1 order by x.id;

-- name: exams.provider_events
select to_jsonb(x) - 'raw' - 'digest' as row from exams.provider_events x where x.learner_id = $1 order by x.id;

-- name: exams.incidents
select to_jsonb(x) as row from exams.incidents x where x.learner_id = $1 order by x.seq;

-- name: exams.appeals
select to_jsonb(x) as row from exams.appeals x where x.learner_id = $1 order by x.id;

-- name: surveys.responses
select to_jsonb(x) - 'said' as row from surveys.responses x where x.learner_id = $1 order by x.seq;

-- name: surveys.answers
select to_jsonb(x) as row from surveys.answers x where x.learner_id = $1 order by x.response_id, x.question, x.part;

-- name: outreach.invitations
select to_jsonb(x) as row from outreach.invitations x where x.learner_id = $1 order by x.enrolment_id, x.moment;

-- name: surveys.posts
select to_jsonb(x) as row from surveys.posts x where x.learner_id = $1 order by x.created_at, x.post_id;

-- name: certificates.certificates
select to_jsonb(x) as row from certificates.certificates x where x.learner_id = $1 order by x.id;

-- name: certificates.changes
select to_jsonb(x) - 'id' as row from certificates.changes x join certificates.certificates c on c.id = x.certificate_id where c.learner_id = $1 order by x.id;

-- name: certificates.batch_items
select to_jsonb(x) as row from certificates.batch_items x where x.learner_id = $1 order by x.batch_id;

-- name: sales.orders
select to_jsonb(x) as row from sales.orders x where x.buyer_id = $1 order by x.id;

-- name: sales.lines
select to_jsonb(x) as row from sales.lines x join sales.orders o on o.id = x.order_id where o.buyer_id = $1 or x.holder_id = $1 order by x.order_id, x.line;

-- name: sales.parts
select to_jsonb(x) as row from sales.parts x join sales.orders o on o.id = x.order_id where o.buyer_id = $1 order by x.order_id, x.position;

-- name: sales.terms
select to_jsonb(x) as row from sales.terms x join sales.orders o on o.id = x.order_id where o.buyer_id = $1 order by x.order_id;

-- name: sales.plans
select to_jsonb(x) as row from sales.plans x join sales.orders o on o.id = x.order_id where o.buyer_id = $1 order by x.order_id;

-- name: sales.instalments
select to_jsonb(x) as row from sales.instalments x join sales.orders o on o.id = x.order_id where o.buyer_id = $1 order by x.order_id, x.n;

-- name: sales.redemptions
select to_jsonb(x) as row from sales.redemptions x where x.buyer_id = $1 order by x.order_id, x.line;

-- name: sales.refund_lines
select to_jsonb(x) as row from sales.refund_lines x join sales.orders o on o.id = x.order_id where o.buyer_id = $1 order by x.refund_id, x.line;

-- name: sales.withdrawals
select to_jsonb(x) as row from sales.withdrawals x join sales.orders o on o.id = x.order_id where o.buyer_id = $1 order by x.id;

-- name: sales.waiting
select to_jsonb(x) as row from sales.waiting x where x.person_id = $1 order by x.id;

-- name: sales.seats
select to_jsonb(x) as row from sales.seats x where x.person_id = $1 or x.email = (select p.email from identity.people p where p.id = $1) order by x.id;

-- name: sales.claim_links
select to_jsonb(x) - 'hash' as row from sales.claim_links x where x.made_by = $1 order by x.id;

-- name: sales.transfers
select to_jsonb(x) as row from sales.transfers x where x.from_id = $1 or x.to_id = $1 or x.email = (select p.email from identity.people p where p.id = $1) order by x.id;

-- name: sales.guesses
select to_jsonb(x) as row from sales.guesses x where x.who like '%' || $1::text || '%' order by x.id;

-- name: payments.payments
select to_jsonb(x) - 'pay_url' as row from payments.payments x join sales.orders o on o.id = x.order_id where o.buyer_id = $1 order by x.id;

-- name: payments.refunds
select to_jsonb(x) as row from payments.refunds x join payments.payments p on p.id = x.payment_id join sales.orders o on o.id = p.order_id where o.buyer_id = $1 order by x.id;

-- name: payments.disputes
select to_jsonb(x) as row from payments.disputes x join payments.payments p on p.id = x.payment_id join sales.orders o on o.id = p.order_id where o.buyer_id = $1 order by x.id;

-- name: payments.receipts
select to_jsonb(x) as row from payments.receipts x join sales.orders o on o.id = x.order_id where o.buyer_id = $1 order by x.id;

-- name: payments.proofs
select to_jsonb(x) - 'content' as row from payments.proofs x join payments.receipts r on r.id = x.receipt_id join sales.orders o on o.id = r.order_id where o.buyer_id = $1 order by x.receipt_id;

-- name: invoicing.documents
select to_jsonb(x) as row from invoicing.documents x where x.buyer_id = $1 order by x.id;

-- name: invoicing.billing
select to_jsonb(x) as row from invoicing.billing x where x.person_id = $1 order by x.order_id;

-- name: ledger.entries
select to_jsonb(x) as row from ledger.entries x join sales.orders o on o.id = x.order_id where o.buyer_id = $1 order by x.id;

-- name: cohorts.members
select to_jsonb(x) as row from cohorts.members x where x.person_id = $1 order by x.id;

-- name: cohorts.moves
select to_jsonb(x) as row from cohorts.moves x join cohorts.members m on m.id = x.member_id where m.person_id = $1 order by x.id;

-- name: cohorts.reminders
select to_jsonb(x) as row from cohorts.reminders x join cohorts.invitations i on i.id = x.invitation_id join cohorts.members m on m.id = i.member_id
 where m.person_id = $1 or i.used_by = $1 order by x.invitation_id, x.step;

-- name: cohorts.invitations
select to_jsonb(x) as row from cohorts.invitations x join cohorts.members m on m.id = x.member_id where m.person_id = $1 or x.used_by = $1 order by x.id;

-- name: privacy.consents
select to_jsonb(x) as row from privacy.consents x where x.person_id = $1 order by x.seq;

-- name: dossier.exports
select to_jsonb(x) - 'file' as row from dossier.exports x where x.person_id = $1 order by x.id;

-- name: dossier.erasures
select to_jsonb(x) as row from dossier.erasures x where x.person_id = $1 order by x.id;

-- name: platform.audit
select to_jsonb(x) || jsonb_build_object('origin', coalesce(o.origin, '')) as row from platform.audit x left join platform.audit_origins o on o.seq = x.seq
 where x.actor in ('learner:' || $1::text, 'staff:' || $1::text) or x.object = $1 order by x.seq;

-- name: platform.idempotency
select to_jsonb(x) - '{request_hash,body}'::text[] as row from platform.idempotency x where x.principal like '%:' || $1::text order by x.created_at;

-- name: progress.readers
select to_jsonb(x) as row from progress.readers x where x.person_id = $1 order by x.group_id;

-- name: progress.digests
select to_jsonb(x) as row from progress.digests x where x.person_id = $1 order by x.id;

-- name: confidence.contacts
select to_jsonb(x) as row from confidence.contacts x where x.learner_id = $1 order by x.seq;

-- name: confidence.coaches
select to_jsonb(x) as row from confidence.coaches x where x.learner_id = $1 order by x.seq;

-- name: confidence.numbers
select to_jsonb(x) as row from confidence.numbers x where x.learner_id = $1;

-- name: outreach.recipients
select to_jsonb(x) as row from outreach.recipients x where x.person_id = $1 order by x.id;
