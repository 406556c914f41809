-- name: One
select c.id, c.kind, c.stage, c.entitlement, coalesce(c.enrolment_id, '') as enrolment_id, c.learner_id, coalesce(c.session_id, '') as session_id, coalesce(c.edition_id, '') as edition_id,
       coalesce(c.sitting_id, '') as sitting_id, c.code, c.facts, c.issued_at, c.revoked_at, coalesce(c.revoked_reason, '') as revoked_reason, c.replaced_at, coalesce(c.replaces_id, '') as replaces_id,
       coalesce((select n.id from certificates.certificates n where n.replaces_id = c.id), '') as replaced_by_id, d.sha256, coalesce(d.signed, false) as signed
  from certificates.certificates c left join certificates.documents d on d.certificate_id = c.id
 where c.id = $1;

-- name: ByCode
select c.id, c.kind, c.stage, c.entitlement, coalesce(c.enrolment_id, '') as enrolment_id, c.learner_id, coalesce(c.session_id, '') as session_id, coalesce(c.edition_id, '') as edition_id,
       coalesce(c.sitting_id, '') as sitting_id, c.code, c.facts, c.issued_at, c.revoked_at, coalesce(c.revoked_reason, '') as revoked_reason, c.replaced_at, coalesce(c.replaces_id, '') as replaces_id,
       coalesce((select n.id from certificates.certificates n where n.replaces_id = c.id), '') as replaced_by_id, d.sha256, coalesce(d.signed, false) as signed
  from certificates.certificates c left join certificates.documents d on d.certificate_id = c.id
 where c.code = $1;

-- name: ByHash
select c.id, c.kind, c.stage, c.entitlement, coalesce(c.enrolment_id, '') as enrolment_id, c.learner_id, coalesce(c.session_id, '') as session_id, coalesce(c.edition_id, '') as edition_id,
       coalesce(c.sitting_id, '') as sitting_id, c.code, c.facts, c.issued_at, c.revoked_at, coalesce(c.revoked_reason, '') as revoked_reason, c.replaced_at, coalesce(c.replaces_id, '') as replaces_id,
       coalesce((select n.id from certificates.certificates n where n.replaces_id = c.id), '') as replaced_by_id, d.sha256, coalesce(d.signed, false) as signed
  from certificates.certificates c left join certificates.documents d on d.certificate_id = c.id
 where d.sha256 = $1 limit 1;

-- name: OfSitting
select c.id, c.kind, c.stage, c.entitlement, coalesce(c.enrolment_id, '') as enrolment_id, c.learner_id, coalesce(c.session_id, '') as session_id, coalesce(c.edition_id, '') as edition_id,
       coalesce(c.sitting_id, '') as sitting_id, c.code, c.facts, c.issued_at, c.revoked_at, coalesce(c.revoked_reason, '') as revoked_reason, c.replaced_at, coalesce(c.replaces_id, '') as replaces_id,
       coalesce((select n.id from certificates.certificates n where n.replaces_id = c.id), '') as replaced_by_id, d.sha256, coalesce(d.signed, false) as signed
  from certificates.certificates c left join certificates.documents d on d.certificate_id = c.id
 where c.sitting_id = $1 order by c.issued_at desc limit 1;

-- name: OfLearner
select c.id, c.kind, c.stage, c.entitlement, coalesce(c.enrolment_id, '') as enrolment_id, c.learner_id, coalesce(c.session_id, '') as session_id, coalesce(c.edition_id, '') as edition_id,
       coalesce(c.sitting_id, '') as sitting_id, c.code, c.facts, c.issued_at, c.revoked_at, coalesce(c.revoked_reason, '') as revoked_reason, c.replaced_at, coalesce(c.replaces_id, '') as replaces_id,
       coalesce((select n.id from certificates.certificates n where n.replaces_id = c.id), '') as replaced_by_id, d.sha256, coalesce(d.signed, false) as signed
  from certificates.certificates c left join certificates.documents d on d.certificate_id = c.id
 where c.learner_id = $1 and c.replaced_at is null order by (c.revoked_at is null) desc, c.issued_at desc, c.id desc;

-- name: List
select c.id, c.kind, c.stage, c.entitlement, coalesce(c.enrolment_id, '') as enrolment_id, c.learner_id, coalesce(c.session_id, '') as session_id, coalesce(c.edition_id, '') as edition_id,
       coalesce(c.sitting_id, '') as sitting_id, c.code, c.facts, c.issued_at, c.revoked_at, coalesce(c.revoked_reason, '') as revoked_reason, c.replaced_at, coalesce(c.replaces_id, '') as replaces_id,
       coalesce((select n.id from certificates.certificates n where n.replaces_id = c.id), '') as replaced_by_id, d.sha256, coalesce(d.signed, false) as signed
  from certificates.certificates c left join certificates.documents d on d.certificate_id = c.id
 where ($1::text = '' or c.kind = $1) and ($2::text = '' or c.session_id = (select s.id from catalog.sessions s where s.key = $2))
   and ($3::text = '' or c.edition_id = (select e.id from programs.editions e where e.key = $3))
   and case $4::text when '' then true when 'revoked' then c.revoked_at is not null when 'replaced' then c.replaced_at is not null else c.revoked_at is null and c.replaced_at is null end
   and ($5::text = '' or c.code = lower($5) or position(lower($5) in lower(c.facts ->> 'holder_name')) > 0)
   and ($6::text = '' or c.id < $6)
 order by c.id desc limit $7;

-- name: Add
insert into certificates.certificates (id, kind, stage, entitlement, enrolment_id, learner_id, session_id, edition_id, sitting_id, code, facts, issued_at, replaces_id)
values ($1, $2, $3, $4, nullif($5, ''), $6, nullif($7, ''), nullif($8, ''), nullif($9, ''), $10, $11, $12, nullif($13, ''));

-- name: Live
select id from certificates.certificates where learner_id = $1 and kind = $2 and coalesce(session_id, edition_id) = $3 and revoked_at is null and replaced_at is null;

-- name: CourseTitles
select key, title_en, title_fr from catalog.courses where key = any($1::text[]);

-- name: Lock
select 1 from certificates.certificates where id = $1 for update;

-- name: Revoke
update certificates.certificates set revoked_at = $2, revoked_reason = $3, revoked_by = $4 where id = $1 and revoked_at is null and replaced_at is null;

-- name: Reinstate
update certificates.certificates set revoked_at = null, revoked_reason = null, revoked_by = null where id = $1 and revoked_at is not null;

-- name: Replace
update certificates.certificates set replaced_at = $2 where id = $1;

-- name: LiveBehind
-- What an enrolment leads to: its own certificates, and those of the editions that its learner follows.
select c.id from enrolment.enrolments e join certificates.certificates c on c.enrolment_id = e.id or c.learner_id = e.learner_id and c.edition_id is not null
 where e.id = $1 and c.revoked_at is null and c.replaced_at is null order by c.id;

-- name: Change
insert into certificates.changes (certificate_id, change, reason, by, at) values ($1, $2, $3, $4, $5);

-- name: History
select change, reason, by, at from certificates.changes where certificate_id = $1 order by id;

-- name: Organisations
select key, name from identity.organisations where key = any($1::text[]);

-- name: Kinds
select key, subject, heading, reason, stage, entitlement, workshops, cosigned, coalesce(layout_id, '') as layout_id, version from certificates.kinds order by key;

-- name: Kind
select key, subject, heading, reason, stage, entitlement, workshops, cosigned, coalesce(layout_id, '') as layout_id, version from certificates.kinds where key = $1;

-- name: PutKind
update certificates.kinds set heading = $3, reason = $4, workshops = $5, cosigned = $6, layout_id = nullif($7, ''), version = version + 1
 where key = $1 and ($2::int = 0 or version = $2);

-- name: Layouts
select id, name, coalesce(organisation, '') as organisation, design, saved_at, version from certificates.layouts order by name limit 500;

-- name: Layout
select id, name, coalesce(organisation, '') as organisation, design, saved_at, version from certificates.layouts where id = $1;

-- name: LayoutOfOrganisation
select id, name, coalesce(organisation, '') as organisation, design, saved_at, version from certificates.layouts where organisation = any($1::text[])
 order by array_position($1::text[], organisation) limit 1;

-- name: AddLayout
insert into certificates.layouts (id, name, organisation, design, saved_at, saved_by) values ($1, $2, nullif($3, ''), $4, $5, $6);

-- name: PutLayout
update certificates.layouts set name = $3, organisation = nullif($4, ''), design = $5, saved_at = $6, saved_by = $7, version = version + 1
 where id = $1 and ($2::int = 0 or version = $2);

-- name: AddImage
insert into certificates.images (sha256, png, added_at) values ($1, $2, $3) on conflict do nothing;

-- name: Images
select sha256, png from certificates.images where sha256 = any($1::text[]);

-- name: PDF
select pdf from certificates.documents where certificate_id = $1;

-- name: KeepPDF
insert into certificates.documents (certificate_id, pdf, sha256, rendered_at, signed) values ($1, $2, $3, $4, $5) on conflict do nothing;

-- name: CheckEarned
-- A later review may find a sitting not passed: its certificate goes then.
select c.id from certificates.certificates c left join exams.sittings s on s.id = c.sitting_id
 where case c.stage when 'exam_passed' then s.enrolment_id <> c.enrolment_id
                      or not exists (select 1 from journey.enrolments j where j.enrolment_id = c.enrolment_id and j.ever & 1024 <> 0)
                      or c.revoked_at is null and c.replaced_at is null and s.state not in ('passed', 'withheld') and s.result_at < now() - interval '15 minutes'
                    when 'succeeded' then not exists (select 1 from journey.enrolments j where j.enrolment_id = c.enrolment_id and j.ever & 64 <> 0)
                    else not exists (select 1 from enrolment.memberships m
                                      where m.learner_id = c.learner_id and m.edition_id = c.edition_id and (c.entitlement = '' or c.entitlement = any(m.entitlements)) and m.granted_at <= c.issued_at
                                        and (m.revoked_at is null or m.revoked_at >= c.issued_at)) end
    or c.enrolment_id is not null and c.entitlement <> ''
       and not exists (select 1 from enrolment.grants g
                        where g.enrolment_id = c.enrolment_id and c.entitlement = any(g.entitlements) and g.granted_at <= c.issued_at
                          and (g.revoked_at is null or g.revoked_at >= c.issued_at));

-- name: CheckOneLive
select learner_id, kind, coalesce(session_id, edition_id) as subject, count(*) from certificates.certificates
 where revoked_at is null and replaced_at is null group by 1, 2, 3 having count(*) > 1;

-- name: CheckHistory
select c.id from certificates.certificates c
 where c.replaced_at is not null and not exists (select 1 from certificates.certificates n where n.replaces_id = c.id)
    or (select h.change from certificates.changes h where h.certificate_id = c.id order by h.id desc limit 1)
       is distinct from case when c.replaced_at is not null then 'replaced' when c.revoked_at is not null then 'revoked'
                             when exists (select 1 from certificates.changes h where h.certificate_id = c.id and h.change = 'reinstated') then 'reinstated' else 'awarded' end;

-- name: CheckHash
-- The paper of who was erased is not kept, its hash is.
select certificate_id from certificates.documents where pdf <> '' and sha256 <> sha256(pdf);

-- name: CheckReversed
select c.id from certificates.certificates c
 where c.revoked_at is null and c.replaced_at is null and c.entitlement <> ''
   and not exists (select 1 from enrolment.grants g where g.enrolment_id = c.enrolment_id and c.entitlement = any(g.entitlements)
                    and (g.revoked_at is null or g.revoked_at > now() - interval '15 minutes'))
   and not exists (select 1 from enrolment.memberships m where m.learner_id = c.learner_id and m.edition_id = c.edition_id and c.entitlement = any(m.entitlements)
                    and (m.revoked_at is null or m.revoked_at > now() - interval '15 minutes'));

-- name: CheckJourney
select j.enrolment_id, j.reached & 2048 <> 0 as journey_says from journey.enrolments j
 where (j.reached & 2048 <> 0) <> exists (select 1 from certificates.certificates c where c.enrolment_id = j.enrolment_id and c.stage = 'exam_passed' and c.revoked_at is null and c.replaced_at is null);

-- name: AddBatch
insert into certificates.batches (id, kind, session_id, edition_id, subject, made_by, made_at) values ($1, $2, nullif($3, ''), nullif($4, ''), $5, $6, $7);

-- name: AddSessionItems
-- Who may have earned a certificate of a session and has none: the stage is one of the bits of the journey.
insert into certificates.batch_items (batch_id, learner_id)
select $1, j.learner_id from journey.enrolments j
 where j.session_id = $2 and j.reached & $4::int = $4::int
   and not exists (select 1 from certificates.certificates c
                    where c.learner_id = j.learner_id and c.kind = $3 and c.session_id = $2 and c.revoked_at is null and c.replaced_at is null);

-- name: AddEditionItems
insert into certificates.batch_items (batch_id, learner_id)
select distinct $1, m.learner_id from enrolment.memberships m
 where m.edition_id = $2 and m.revoked_at is null and ($4::text = '' or $4 = any(m.entitlements))
   and not exists (select 1 from certificates.certificates c
                    where c.learner_id = m.learner_id and c.kind = $3 and c.edition_id = $2 and c.revoked_at is null and c.replaced_at is null);

-- name: HoldBatch
-- One hand at a time awards for a batch: another waits until it has ended.
select awarded_at is null from certificates.batches where id = $1 for update;

-- name: WaitingItems
select learner_id from certificates.batch_items where batch_id = $1 and state = 'waiting' order by learner_id limit $2;

-- name: SettleItem
update certificates.batch_items set state = $3, certificate_id = nullif($4, ''), problem = $5 where batch_id = $1 and learner_id = $2;

-- name: BatchAwarded
update certificates.batches set awarded_at = $2 where id = $1;

-- name: Batch
select b.id, b.kind, case when b.session_id is null then 'edition' else 'session' end as of, b.subject, b.made_by, b.made_at, b.awarded_at,
       n.total, n.waiting, n.issued, n.refused, n.printed
  from certificates.batches b
  left join lateral (select count(*)::int as total, (count(*) filter (where i.state = 'waiting'))::int as waiting, (count(*) filter (where i.state = 'issued'))::int as issued,
                            (count(*) filter (where i.state = 'refused'))::int as refused, count(d.certificate_id)::int as printed
                       from certificates.batch_items i left join certificates.documents d on d.certificate_id = i.certificate_id where i.batch_id = b.id) n on true
 where b.id = $1;

-- name: Batches
select b.id, b.kind, case when b.session_id is null then 'edition' else 'session' end as of, b.subject, b.made_by, b.made_at, b.awarded_at,
       n.total, n.waiting, n.issued, n.refused, n.printed
  from certificates.batches b
  left join lateral (select count(*)::int as total, (count(*) filter (where i.state = 'waiting'))::int as waiting, (count(*) filter (where i.state = 'issued'))::int as issued,
                            (count(*) filter (where i.state = 'refused'))::int as refused, count(d.certificate_id)::int as printed
                       from certificates.batch_items i left join certificates.documents d on d.certificate_id = i.certificate_id where i.batch_id = b.id) n on true
 where $1::text = '' or b.id < $1
 order by b.id desc limit $2;

-- name: RefusedItems
select learner_id, problem from certificates.batch_items where batch_id = $1 and state = 'refused' order by learner_id limit $2;

-- name: CheckBatches
select b.id from certificates.batches b
 where b.awarded_at is not null and exists (select 1 from certificates.batch_items i where i.batch_id = b.id and i.state = 'waiting')
    or exists (select 1 from certificates.batch_items i join certificates.certificates c on c.id = i.certificate_id where i.batch_id = b.id and c.learner_id <> i.learner_id);
