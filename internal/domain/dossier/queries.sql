-- name: AddExport
insert into dossier.exports (id, person_id, asked_by, asked_at, total) values ($1, $2, $3, $4, $5)
on conflict (person_id) where state = 'pending' do update set state = dossier.exports.state -- which holds the row: it stays pending until we have answered
returning id;

-- name: Export
select id, person_id, asked_by, asked_at, state, done, total, coalesce(length(file), 0) as bytes, coalesce(encode(sha256, 'hex'), '') as sha256, ready_at, expires_at from dossier.exports where id = $1;

-- name: ExportsOf
select id, person_id, asked_by, asked_at, state, done, total, coalesce(length(file), 0) as bytes, coalesce(encode(sha256, 'hex'), '') as sha256, ready_at, expires_at
  from dossier.exports where person_id = $1 order by id desc limit 20;

-- name: ExportFile
select file from dossier.exports where id = $1 and state = 'ready' and expires_at > $2;

-- name: ExportGoes
update dossier.exports set done = $2 where id = $1 and state = 'pending';

-- name: ExportReady
update dossier.exports set state = 'ready', done = total, file = $2, sha256 = sha256($2), ready_at = $3, expires_at = $4 where id = $1 and state = 'pending';

-- name: Papers
select 'documents/' || d.id || '.pdf' as name, f.pdf as content from invoicing.documents d join invoicing.files f on f.document_id = d.id where d.buyer_id = $1
union all
select 'certificates/' || c.id || '.pdf', d.pdf from certificates.certificates c join certificates.documents d on d.certificate_id = c.id where c.learner_id = $1 and d.pdf <> ''
order by 1;

-- name: AddErasure
insert into dossier.erasures (id, person_id, asked_by, asked_at) values ($1, $2, $3, $4)
on conflict (person_id) where state in ('asked', 'approved') do update set state = dossier.erasures.state -- which holds the row: it stays open until we have answered
returning id;

-- name: OpenErasure
select id, person_id, state, asked_by, asked_at, coalesce(decided_by, '') as decided_by, decided_at, note, coalesce(done_by, '') as done_by, done_at
  from dossier.erasures where person_id = $1 and state in ('asked', 'approved');

-- name: Erasure
select id, person_id, state, asked_by, asked_at, coalesce(decided_by, '') as decided_by, decided_at, note, coalesce(done_by, '') as done_by, done_at from dossier.erasures where id = $1;

-- name: LockErasure
select id, person_id, state, asked_by, asked_at, coalesce(decided_by, '') as decided_by, decided_at, note, coalesce(done_by, '') as done_by, done_at from dossier.erasures where id = $1 for update;

-- name: Erasures
select id, person_id, state, asked_by, asked_at, coalesce(decided_by, '') as decided_by, decided_at, note, coalesce(done_by, '') as done_by, done_at
  from dossier.erasures where ($1::text = '' or state = $1) and ($2::text = '' or id < $2) order by id desc limit $3;

-- name: WithdrawErasure
update dossier.erasures set state = 'withdrawn' where id = $1;

-- name: DecideErasure
update dossier.erasures set state = $2, decided_by = $3, decided_at = $4, note = $5 where id = $1;

-- name: ErasureDone
update dossier.erasures set state = 'done', done_by = $2, done_at = $3 where id = $1;

-- name: InTheWay
select 'order-awaiting-payment' as why from sales.orders where buyer_id = $1 and state = 'awaiting_payment'
union select 'instalments-due' from sales.instalments i join sales.orders o on o.id = i.order_id where o.buyer_id = $1 and i.settled_at is null and o.state in ('paid', 'partially_refunded')
union select 'dispute-open' from payments.disputes d join payments.payments p on p.id = d.payment_id join sales.orders o on o.id = p.order_id where o.buyer_id = $1 and d.closed_at is null
union select 'refund-pending' from payments.refunds f join payments.payments p on p.id = f.payment_id join sales.orders o on o.id = p.order_id where o.buyer_id = $1 and f.state in ('requested', 'pending')
union select 'seat-reserved' from sales.seats s join identity.people p on p.email = s.email where p.id = $1 and s.state = 'reserved'
union select 'transfer-open' from sales.transfers t left join identity.people p on p.email = t.email where t.state = 'offered' and (t.from_id = $1 or p.id = $1)
union select 'exam-open' from exams.attempts where learner_id = $1 and state in ('started', 'ready_to_submit', 'submitted', 'second_review_required')
union select 'still-staff' from identity.roles where person_id = $1
union select 'system' from identity.clients where person_id = $1 and ended_at is null
order by 1;

-- name: Runs
select kind, ran_at, last_rows, total_rows from dossier.runs;

-- name: Ran
insert into dossier.runs (kind, ran_at, last_rows, total_rows) values ($1, $2, $3, $3)
on conflict (kind) do update set ran_at = excluded.ran_at, last_rows = excluded.last_rows, total_rows = dossier.runs.total_rows + excluded.last_rows;

-- name: LockRetention
select pg_advisory_xact_lock(hashtextextended('dossier:retention', 0));

-- name: LastRun
select max(ran_at) from dossier.runs;

-- name: Forget sign_ins
delete from identity.tokens where expires_at < $1;

-- name: Forget provider_sessions
delete from identity.provider_sessions s using identity.tokens t where t.id = s.token_id and t.expires_at < $1;

-- name: Forget addresses
delete from platform.audit_origins o using platform.audit a where a.seq = o.seq and a.at < $1;

-- name: Forget addresses of consents
update privacy.consents set origin = '' where at < $1 and origin <> '';

-- name: Forget addresses of keys
update identity.keys set used_from = null where used_at < $1 and used_from is not null;

-- name: Forget guesses
delete from sales.guesses where at < $1;

-- name: Forget exports
update dossier.exports set state = 'expired', file = null where state = 'ready' and expires_at < $1;

-- name: Forget pieces of data exports
delete from export.pieces p using export.bulk b where b.id = p.bulk_id and b.state = 'ready' and b.expires_at < $1;

-- name: Forget data exports
update export.bulk set state = 'expired' where state = 'ready' and expires_at < $1;

-- name: Forget provider_events
update payments.events set raw = '{}'::bytea where state <> 'received' and received_at < $1 and raw <> '{}'::bytea;

-- name: Forget grade_files
update gradebook.collections set content = '' where recorded_at < $1 and content <> '';

-- name: Forget files of results
update exams.result_files set content = '' where imported_at < $1 and content <> '';

-- name: Forget proctor_references
update exams.sittings set reference = '' where result_at < $1 and reference <> '';

-- name: Forget lab_events
update labs.events set raw = '' where received_at < $1 and raw <> '';

-- name: Forget production_notes
update workshops.productions set note = '' where recorded_at < $1 and note <> '';

-- name: Forget survey_words
update surveys.answers a set words = '' from surveys.responses r where r.id = a.response_id and a.words <> '' and r.at < $1;

-- name: Forget files of answers
delete from surveys.pieces p using surveys.imports i where i.id = p.import_id and i.recorded_at < $1;

-- name: CheckErased
select p.id from identity.people p
 where p.erased_at is not null and (p.email is not null or p.full_name <> '—'
    or exists (select 1 from identity.tokens t where t.person_id = p.id) or exists (select 1 from identity.roles r where r.person_id = p.id)
    or exists (select 1 from identity.external_ids x where x.person_id = p.id and x.subject not like 'erased:%'));

-- name: EraseName
update identity.people set email = null, full_name = '—', erased_at = $2 where id = $1;

-- name: Named
select 'email' as what, '' as organisation, p.email as value from identity.people p where p.id = $1 and p.email is not null
union all
select 'name', '', p.full_name from identity.people p where p.id = $1
union all
select 'key', m.organisation, m.student_key from cohorts.members m
 where (m.person_id = $1 or m.email = (select p.email from identity.people p where p.id = $1)) and m.student_key not like 'erased:%'
union all
select 'username', '', u.username from lms.usernames u where u.person_id = $1;

-- name: Elsewhere jobs
delete from jobs.queue j where exists (select 1 from unnest($1::text[]) c where j.args::text ~ c or j.failure ~ c);

-- name: Elsewhere replies
delete from platform.idempotency i where exists (select 1 from unnest($1::text[]) c where position(convert_to(c, 'UTF8') in i.body) > 0 or position(c in i.request_hash) > 0);

-- name: Elsewhere answers of partners
update webhooks.attempts a set response = '' where a.response <> '' and exists (select 1 from unnest($1::text[]) c where a.response ~ c);

-- name: Rules
select kind, days, version from dossier.rules;

-- name: PutRule
insert into dossier.rules as r (kind, days, changed_by, changed_at) values ($1, $2, $3, $4)
on conflict (kind) do update set days = excluded.days, version = r.version + 1, changed_by = excluded.changed_by, changed_at = excluded.changed_at;
