-- name: AddCampaign
insert into outreach.campaigns (id, kind, name, occasion, session_id, edition_id, segment, texts, hold_out_ppt, state, started_at, made_by, made_at)
values ($1, $2, $3, nullif($4, ''), nullif($5, ''), nullif($6, ''), $7, $8, $9, $10, $11, $12, $13);

-- name: AddOccasion
-- A campaign that begins at once; nothing where its occasion was taken.
insert into outreach.campaigns (id, kind, name, occasion, session_id, segment, texts, hold_out_ppt, state, started_at, made_by, made_at)
values ($1, $2, $3, $4, $5, '{}', $6, $7, 'sending', $9, $8, $9)
on conflict on constraint occasion_once do nothing;

-- name: LockCampaign
select 1 from outreach.campaigns where id = $1 for update;

-- name: Campaign
select c.id, c.kind, c.name, coalesce(c.session_id, '') as session_id, coalesce(c.edition_id, '') as edition_id, coalesce(s.key, '') as session_key,
       coalesce(e.key, '') as edition_key, c.segment, c.texts, c.state, c.scheduled_at, c.started_at, c.ended_at, c.made_at, c.version, n.*
  from outreach.campaigns c left join catalog.sessions s on s.id = c.session_id left join programs.editions e on e.id = c.edition_id
  cross join lateral (
    select count(*) as recipients, count(*) filter (where r.state in ('waiting', 'sending')) as waiting, count(*) filter (where r.state = 'sent') as sent,
           count(*) filter (where r.state = 'uncertain') as uncertain, count(*) filter (where r.state = 'bounced') as bounced,
           count(*) filter (where r.state = 'failed') as failed, count(*) filter (where r.because = 'no_consent') as no_consent,
           count(*) filter (where r.state = 'skipped' and r.because = 'refused') as refused,
           count(*) filter (where r.because in ('no_address', 'dead_address')) as no_address, count(*) filter (where r.state = 'held_out') as held_out,
           count(*) filter (where r.state = 'canceled') as canceled, count(r.unsubscribed_at) as unsubscribed
      from outreach.recipients r where r.campaign_id = c.id) n
 where c.id = $1;

-- name: Campaigns
select c.id, c.kind, c.name, coalesce(c.session_id, '') as session_id, coalesce(c.edition_id, '') as edition_id, coalesce(s.key, '') as session_key,
       coalesce(e.key, '') as edition_key, c.segment, c.texts, c.state, c.scheduled_at, c.started_at, c.ended_at, c.made_at, c.version, n.*
  from outreach.campaigns c left join catalog.sessions s on s.id = c.session_id left join programs.editions e on e.id = c.edition_id
  cross join lateral (
    select count(*) as recipients, count(*) filter (where r.state in ('waiting', 'sending')) as waiting, count(*) filter (where r.state = 'sent') as sent,
           count(*) filter (where r.state = 'uncertain') as uncertain, count(*) filter (where r.state = 'bounced') as bounced,
           count(*) filter (where r.state = 'failed') as failed, count(*) filter (where r.because = 'no_consent') as no_consent,
           count(*) filter (where r.state = 'skipped' and r.because = 'refused') as refused,
           count(*) filter (where r.because in ('no_address', 'dead_address')) as no_address, count(*) filter (where r.state = 'held_out') as held_out,
           count(*) filter (where r.state = 'canceled') as canceled, count(r.unsubscribed_at) as unsubscribed
      from outreach.recipients r where r.campaign_id = c.id) n
 where ($1::text = '' or c.kind = $1) and ($2::text = '' or c.state = $2) and ($3::text = '' or c.id < $3)
 order by c.id desc limit $4;

-- name: ChangeCampaign
update outreach.campaigns set name = $2, session_id = nullif($3, ''), edition_id = nullif($4, ''), segment = $5, texts = $6, version = version + 1 where id = $1;

-- name: Move
update outreach.campaigns set state = $2, scheduled_at = coalesce($3::timestamptz, scheduled_at), ended_at = $4, version = version + 1 where id = $1;

-- name: CancelWaiting
update outreach.recipients set state = 'canceled', due_at = null, ended_at = $2 where campaign_id = $1 and state = 'waiting';

-- name: Recipients
select r.id, r.person_id, r.state, r.because, r.standing, r.tries, r.tried_at, r.unsubscribed_at, p.full_name, coalesce(p.email, '') as email
  from outreach.recipients r join identity.people p on p.id = r.person_id
 where r.campaign_id = $1 and ($2::text = '' or r.state = $2) and r.id > $3
 order by r.id limit $4;

-- name: SegmentKnown
select $1::text = '' or exists (select 1 from catalog.collections where key = $1) as collection,
       $2::text = '' or exists (select 1 from offers.formulas where key = $2) as formula;

-- name: Segment
-- Everybody of a segment who is not yet enrolled in what is announced.
select distinct e.learner_id
  from enrolment.enrolments e
  join catalog.sessions s on s.id = e.session_id
  join catalog.courses c on c.id = s.course_id
  left join catalog.collections k on k.id = c.collection_id
  left join journey.enrolments j on j.enrolment_id = e.id
 where ($1::text = '' or k.key = $1) and ($2::text = '' or c.key = $2) and ($3::text = '' or s.key = $3)
   and ($4::int = 0 or coalesce(j.ever, 0) & $4 = $4)
   and ($5::text = '' or exists (select 1 from enrolment.grants g where g.enrolment_id = e.id and g.formula = $5))
   and not exists (select 1 from enrolment.enrolments o join enrolment.grants g on g.enrolment_id = o.id and g.revoked_at is null
                    where o.learner_id = e.learner_id and (o.session_id = nullif($6, '')
                       or o.session_id in (select session_id from programs.edition_sessions where edition_id = nullif($7, ''))))
 order by e.learner_id;

-- name: Audience
select p.id as person_id, coalesce(p.email, '') as email,
       exists (select 1 from enrolment.enrolments e join enrolment.grants g on g.enrolment_id = e.id where e.learner_id = p.id) as customer,
       p.email is not null and exists (select 1 from outreach.dead_addresses d where d.address = sha256(convert_to(p.email, 'UTF8'))) as dead
  from identity.people p where p.id = any($1::text[]) order by p.id;

-- name: AddRecipients
insert into outreach.recipients (id, campaign_id, person_id, state, because, standing, facts, due_at, ended_at)
select n.id, $1, n.person_id, n.state, n.because, n.standing, n.facts::jsonb, case when n.state = 'waiting' then $2::timestamptz end,
       case when n.state <> 'waiting' then $2::timestamptz end
  from unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[]) as n(id, person_id, state, because, standing, facts)
on conflict on constraint once_per_campaign do nothing;

-- name: LockPace
select 1 from outreach.pace for update;

-- name: Spent
select count(*) from outreach.recipients where tried_at > $1;

-- name: Take
select r.id, r.person_id, r.campaign_id, r.standing, r.facts, r.tries, coalesce(p.email, '') as email, p.full_name, p.lang,
       p.email is not null and exists (select 1 from outreach.dead_addresses d where d.address = sha256(convert_to(p.email, 'UTF8'))) as dead,
       exists (select 1 from enrolment.enrolments e join enrolment.grants g on g.enrolment_id = e.id where e.learner_id = p.id) as customer
  from outreach.recipients r join outreach.campaigns c on c.id = r.campaign_id join identity.people p on p.id = r.person_id
 where r.state = 'waiting' and r.due_at <= $1 and c.state = 'sending'
 order by r.due_at, r.id limit $2
   for update of r skip locked;

-- name: Skip
update outreach.recipients set state = 'skipped', because = $2, due_at = null, ended_at = $3 where id = $1;

-- name: Intend
update outreach.recipients set state = 'sending', tries = tries + 1, due_at = null, tried_at = $2 where id = $1;

-- name: Record
update outreach.recipients
   set state = $3, because = $4, due_at = $5, ended_at = case when $3 <> 'waiting' then $6::timestamptz end
 where id = $1 and state = 'sending' and tries = $2;

-- name: AddDead
insert into outreach.dead_addresses (address, status, at) values ($1, $2, $3) on conflict do nothing;

-- name: ToBegin
select id from outreach.campaigns where state = 'scheduled' and scheduled_at <= $1 order by scheduled_at, id limit 1 for update skip locked;

-- name: Begin
update outreach.campaigns set state = 'sending', started_at = $2, version = version + 1 where id = $1;

-- name: Forsake
update outreach.recipients set state = 'uncertain', because = 'interrupted', ended_at = $2 where state = 'sending' and tried_at <= $1;

-- name: Finish
update outreach.campaigns c set state = 'done', ended_at = $1, version = version + 1
 where c.state = 'sending' and not exists (select 1 from outreach.recipients r where r.campaign_id = c.id and r.state in ('waiting', 'sending'))
returning c.id;

-- name: Ask
update outreach.pace set asked_at = $1
 where (asked_at is null or asked_at <= $2)
   and (exists (select 1 from outreach.recipients r join outreach.campaigns c on c.id = r.campaign_id where r.state = 'waiting' and r.due_at <= $1 and c.state = 'sending')
     or exists (select 1 from outreach.campaigns where state = 'scheduled' and scheduled_at <= $1));

-- name: Link
select c.kind, r.person_id from outreach.recipients r join outreach.campaigns c on c.id = r.campaign_id where r.id = $1;

-- name: Unsubscribed
update outreach.recipients set unsubscribed_at = $2 where id = $1 and unsubscribed_at is null;

-- name: KnownAddress
select exists (select 1 from identity.people where email = $1);

-- name: Bounced
update outreach.recipients r set state = 'bounced', because = left($3, 40), ended_at = $4
  from identity.people p where r.id = $1 and p.id = r.person_id and p.email = $2 and r.state in ('sent', 'uncertain');

-- name: SessionsOfEdition
select session_id from programs.edition_sessions where edition_id = $1 order by session_id;

-- name: Effect
select (e.opened_at at time zone 'UTC')::date - ($3::timestamptz at time zone 'UTC')::date as day,
       count(*) filter (where r.id is not null) as mailed, count(*) filter (where r.id is null) as others
  from enrolment.enrolments e
  left join outreach.recipients r on r.campaign_id = $1 and r.person_id = e.learner_id and r.state in ('sent', 'uncertain')
 where e.session_id = any($2::text[]) and e.opened_at >= $4 and e.opened_at < $5
 group by 1 order by 1;

-- name: NudgeEffect
-- Of the two groups of a nudge: who had not reached a stage of the session $2 when it began at $3, and of them who has it at $4 by what was known at $5
-- (null: now). Who was skipped when the groups were drawn is in none; what became of a mail later moves nobody.
with people as (
    select e.id, r.state = 'held_out' as held
      from outreach.recipients r join enrolment.enrolments e on e.learner_id = r.person_id and e.session_id = $2
     where r.campaign_id = $1 and not (r.state = 'skipped' and r.ended_at <= $3)
), ways as (
    select p.held, s.stage,
           coalesce((select c.reached from journey.changes c where c.enrolment_id = p.id and c.stage = s.stage and c.at <= $3 and ($5::timestamptz is null or c.recorded_at <= $5)
                      order by c.at desc, c.seq desc limit 1), false) as before,
           coalesce((select c.reached from journey.changes c where c.enrolment_id = p.id and c.stage = s.stage and ($4::timestamptz is null or c.at <= $4)
                        and ($5::timestamptz is null or c.recorded_at <= $5) order by c.at desc, c.seq desc limit 1), false) as now
      from people p cross join journey.stages s
    union all
    select p.held, 'worked', false, exists (
             select 1 from gradebook.cells c join gradebook.columns k on k.id = c.column_id and k.kind = 'exercise'
              where c.enrolment_id = p.id and c.at > $3 and ($4::timestamptz is null or c.at <= $4) and c.value >= 0
                and ($5::timestamptz is null or c.recorded_at is null or c.recorded_at <= $5))
      from people p
)
select stage, held, count(*) filter (where not before) as of, count(*) filter (where not before and now) as reached from ways group by stage, held;

-- name: Weekly
select session_id, '' as key, enabled, weekday, hour, texts, version from outreach.weekly where session_id = $1;

-- name: PutWeekly
insert into outreach.weekly as w (session_id, enabled, weekday, hour, texts, changed_by, changed_at)
select $1::text, $2::bool, $3::int, $4::int, $5::jsonb, $7::text, $8::timestamptz where $6::int <= 0 or exists (select 1 from outreach.weekly where session_id = $1)
on conflict (session_id) do update set enabled = $2, weekday = $3, hour = $4, texts = $5, changed_by = $7, changed_at = $8, version = w.version + 1
 where $6 = -1 or w.version = $6;

-- name: WeeklyRunning
select w.session_id, s.key, w.enabled, w.weekday, w.hour, w.texts, w.version
  from outreach.weekly w join catalog.sessions s on s.id = w.session_id
 where w.enabled and s.starts_at <= $1 and (s.ends_at is null or s.ends_at > $1)
 order by w.session_id;

-- name: Standings
-- Who is enrolled in a session now, with the quizzes that she has not done: of the weeks before $2, and of that week.
with quizzes as (
    select x.label, x.week, x.position from catalog.exercises x
     where x.session_id = $1 and x.scored and x.activity = 'quiz' and x.week between 1 and $2
), done as (
    select distinct c.enrolment_id, k.label
      from (select distinct on (enrolment_id, column_id) enrolment_id, column_id, value
              from gradebook.cells where session_id = $1 order by enrolment_id, column_id, at desc, seq desc) c
      join gradebook.columns k on k.id = c.column_id and k.kind = 'exercise' and k.session_id = $1
     where c.value >= 0
)
select e.learner_id, j.reached & 2 <> 0 as started, j.reached & 64 <> 0 as succeeded,
       coalesce((select array_agg(z.label order by z.week, z.position) from quizzes z
         where z.week < $2 and not exists (select 1 from done d where d.enrolment_id = e.id and d.label = z.label)), '{}') as missing,
       coalesce((select array_agg(z.label order by z.position) from quizzes z
         where z.week = $2 and not exists (select 1 from done d where d.enrolment_id = e.id and d.label = z.label)), '{}') as open
  from enrolment.enrolments e join journey.enrolments j on j.enrolment_id = e.id
 where e.session_id = $1 and j.reached & 1 <> 0
 order by e.learner_id;

-- name: Openings
-- Courses of published editions that opened by date between $1 and $2, and of which no mail was begun: at the latest of the start of the edition, that
-- of the session and the date of the rule, as a learner's path says it.
select k.edition_id, e.key as edition_key, k.session_id, s.key as session_key, x.at
  from (select p.*, row_number() over (partition by p.edition_id, p.opening order by o.position nulls last, p.session_id)::int as nth
          from programs.edition_sessions p join programs.editions y on y.id = p.edition_id
          left join programs.version_courses o on o.program_id = y.program_id and o.number = y.version_number and o.course_id = p.course_id) k
  join programs.editions e on e.id = k.edition_id and e.state = 'published'
  join catalog.sessions s on s.id = k.session_id
  cross join lateral (select greatest(s.starts_at, e.starts_at, k.opens_at, case when k.opening = 'monthly' then e.starts_at + make_interval(months => k.nth - 1) end) as at) x
 where k.opening in ('at_once', 'on_date', 'monthly') and x.at > $1 and x.at <= $2
   and not exists (select 1 from outreach.campaigns c where c.occasion = 'opening/' || k.edition_id || '/' || k.session_id)
 order by x.at, k.edition_id, k.session_id;

-- name: MembersOfEdition
-- Whose school does not hold her back.
select distinct m.learner_id from enrolment.memberships m
 where m.edition_id = $1 and m.revoked_at is null
   and not exists (select 1 from enrolment.grants g where g.order_id = m.order_id and g.suspended and g.revoked_at is null
                      and g.enrolment_id in (select n.id from enrolment.enrolments n where n.learner_id = m.learner_id))
 order by m.learner_id;

-- name: Found
-- What was found of these people when a campaign began.
select person_id, state from outreach.recipients where campaign_id = $1 and person_id = any($2::text[]) order by person_id;

-- name: Inviting
select enabled, version from outreach.inviting where session_id = $1;

-- name: PutInviting
insert into outreach.inviting (session_id, enabled, version, changed_by, changed_at) values ($1, $2, $3, $4, $5)
on conflict (session_id) do update set enabled = $2, version = $3, changed_by = $4, changed_at = $5;

-- name: InvitingSessions
select session_id from outreach.inviting where enabled order by session_id;

-- name: Invited
select x.moment, count(*) filter (where i.outcome = 'written')::int as invited, count(*) filter (where i.outcome = 'skipped')::int as left_out,
       count(*) filter (where i.outcome = 'written' and exists (select 1 from surveys.responses r where r.session_id = x.session_id and r.questionnaire_id = x.id and r.respondent = i.enrolment_id))::int as answered,
       (select count(distinct r.respondent) from surveys.responses r where r.session_id = x.session_id and r.questionnaire_id = x.id)::int as answers
  from surveys.questionnaires x left join outreach.invitations i on i.session_id = x.session_id and i.moment = x.moment
 where x.session_id = $1 group by x.id order by x.moment desc;

-- name: Uninvited
-- Who is enrolled, is not held back, has not answered and was not invited yet.
select e.id as enrolment_id, e.learner_id
  from enrolment.enrolments e join journey.enrolments j on j.enrolment_id = e.id
 where e.session_id = $1 and j.reached & 1 <> 0
   and exists (select 1 from enrolment.grants g where g.enrolment_id = e.id and g.revoked_at is null and not g.suspended)
   and not exists (select 1 from outreach.invitations i where i.enrolment_id = e.id and i.moment = $2)
   and not exists (select 1 from surveys.responses r where r.session_id = $1 and r.questionnaire_id = $3 and r.respondent = e.id)
 order by e.id limit $4;

-- name: NoteInvited
insert into outreach.invitations (enrolment_id, moment, session_id, learner_id, outcome, at)
select i.enrolment_id, $2, $1, i.learner_id, i.outcome, $3 from unnest($4::text[], $5::text[], $6::text[]) as i(enrolment_id, learner_id, outcome);

-- name: CheckOver
select c.id, c.state, r.id from outreach.campaigns c join outreach.recipients r on r.campaign_id = c.id
 where c.state = 'done' and r.state in ('waiting', 'sending') or c.state = 'canceled' and r.state = 'waiting';

-- name: CheckDead
select r.id from outreach.recipients r join identity.people p on p.id = r.person_id
  join outreach.dead_addresses d on d.address = sha256(convert_to(p.email, 'UTF8')) where r.tried_at > d.at;

-- name: CheckUnsubscribed
select r.id from outreach.recipients r join outreach.campaigns c on c.id = r.campaign_id
  cross join lateral (
    select w.given from privacy.consents w
     where w.person_id = r.person_id and w.at < r.tried_at
       and w.purpose = case c.kind when 'weekly' then 'progress_mail' when 'opening' then 'progress_mail' when 'nudge' then 'nudges' when 'exam' then 'nudges' when 'survey' then 'nudges' else 'news' end
     order by w.seq desc limit 1) said
 where not said.given;
