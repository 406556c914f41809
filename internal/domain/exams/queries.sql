-- name: Exams
select id, session_id, kind, title_en, title_fr, opens_at, closes_at, grade_ppm, diligence, identity, practice, prerequisites, max_attempts, included_attempts, wait_days,
       limit_minutes, pass_ppm, cancel_hours, offer_hours, appeal_days, house_verifies, version
  from exams.exams where session_id = $1 order by kind;

-- name: PutExam
insert into exams.exams (id, session_id, kind, title_en, title_fr, opens_at, closes_at, grade_ppm, diligence, identity, practice, prerequisites, max_attempts,
                         wait_days, limit_minutes, pass_ppm, cancel_hours, offer_hours, appeal_days, created_at, house_verifies, included_attempts)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)
on conflict on constraint one_exam_per_kind do update
   set title_en = excluded.title_en, title_fr = excluded.title_fr, opens_at = excluded.opens_at, closes_at = excluded.closes_at, grade_ppm = excluded.grade_ppm,
       diligence = excluded.diligence, identity = excluded.identity, practice = excluded.practice, prerequisites = excluded.prerequisites,
       max_attempts = excluded.max_attempts, wait_days = excluded.wait_days, limit_minutes = excluded.limit_minutes, pass_ppm = excluded.pass_ppm,
       cancel_hours = excluded.cancel_hours, offer_hours = excluded.offer_hours, appeal_days = excluded.appeal_days, house_verifies = excluded.house_verifies,
       included_attempts = excluded.included_attempts, version = exams.exams.version + 1;

-- name: UnknownCourses
select k from unnest($1::text[]) as k where not exists (select 1 from catalog.courses c where c.key = k) order by k;

-- name: Facts
select e.id as enrolment_id, exams.disputed(e.id) as disputed, coalesce(b.blocked, false) as blocked, b.until as blocked_until,
       case when i.verified then i.valid_until end as identity_until, coalesce(f.followed, '{}') as followed,
       exists (select 1 from exams.sittings p where p.enrolment_id = e.id and p.kind = 'practice' and p.state in ('passed', 'failed'))
         or exists (select 1 from gradebook.cells m join gradebook.columns k on k.id = m.column_id and k.kind = 'exercise'
                      join catalog.exercises x on x.session_id = k.session_id and x.label = k.label and x.activity = 'mock'
                     where m.enrolment_id = e.id and m.value >= 0) as practised,
       t.taken, t.paid, t.last_result, t.passed, r.retakes
  from enrolment.enrolments e
  left join lateral (select blocked, until from exams.blocks where enrolment_id = e.id order by seq desc limit 1) b on true
  left join lateral (select verified, valid_until from exams.identity_checks where learner_id = e.learner_id order by seq desc limit 1) i on true
  left join lateral (
      select array_agg(distinct c.key) as followed
        from enrolment.enrolments o join catalog.sessions s on s.id = o.session_id join catalog.courses c on c.id = s.course_id
        join journey.enrolments j on j.enrolment_id = o.id and j.reached & 64 <> 0
       where o.learner_id = e.learner_id) f on true
  cross join lateral (
      select count(*) as taken, count(p.id) as paid, max(x.result_at) as last_result, coalesce(bool_or(x.state = 'passed'), false) as passed
        from exams.sittings x left join enrolment.retakes p on p.used_by = x.id
       where x.enrolment_id = e.id and x.kind = $2 and x.state in ('passed', 'failed', 'no_show', 'withheld')) t
  cross join lateral ( -- that of a booked sitting is there for it still
      select count(*) as retakes from enrolment.retakes p left join exams.sittings x on x.id = p.used_by
       where p.enrolment_id = e.id and p.revoked_at is null and (p.used_by is null or x.state = 'booked')) r
 where e.id = any($1::text[]);

-- name: Stirs
select exists (select 1 from exams.decisions where enrolment_id = $1)
    or exists (select 1 from journey.enrolments where enrolment_id = $1 and reached & (64 | 128) <> 0)
    or exists (select 1 from exams.exams x join enrolment.enrolments e on e.session_id = x.session_id where e.id = $1);

-- name: DecidedOfSession
select distinct d.enrolment_id from exams.decisions d join enrolment.enrolments e on e.id = d.enrolment_id where e.session_id = $1 order by 1;

-- name: DueDecisions
-- Only the last decision of an exam counts; one that is decided anew has another time.
select distinct d.enrolment_id from exams.decisions d
 where d.review_at <= $1
   and not exists (select 1 from exams.decisions l where l.enrolment_id = d.enrolment_id and l.kind = d.kind and l.seq > d.seq)
 order by 1 limit $2;

-- name: KeepDecisions
insert into exams.decisions (enrolment_id, learner_id, kind, eligible, marks, conditions, review_at, cause, decided_at)
select d.enrolment_id, d.learner_id, d.kind, d.eligible::boolean, d.marks, d.conditions::jsonb, d.review_at::timestamptz, $8, $9
  from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
       as d(enrolment_id, learner_id, kind, eligible, marks, conditions, review_at)
  left join lateral (select marks, review_at from exams.decisions l where l.enrolment_id = d.enrolment_id and l.kind = d.kind order by seq desc limit 1) l on true
 where d.marks is distinct from l.marks or d.review_at::timestamptz is distinct from l.review_at;

-- name: Decisions
select seq, kind, eligible, conditions, cause, decided_at from exams.decisions where enrolment_id = $1 order by seq desc limit 500;

-- name: CheckIdentity
insert into exams.identity_checks (learner_id, method, verified, valid_until, note, recorded_by, recorded_at) values ($1, $2, $3, $4, $5, $6, $7);

-- name: IdentityChecks
select method, verified, valid_until, note, recorded_by, recorded_at from exams.identity_checks where learner_id = $1 order by seq desc limit 100;

-- name: Block
insert into exams.blocks (enrolment_id, learner_id, blocked, until, reason, recorded_by, recorded_at) values ($1, $2, $3, $4, $5, $6, $7);

-- name: Blocks
select blocked, until, reason, recorded_by, recorded_at from exams.blocks where enrolment_id = $1 order by seq desc limit 100;

-- name: Accommodate
insert into exams.accommodations (enrolment_id, learner_id, extra_minutes, percent, reason, recorded_by, recorded_at) values ($1, $2, $3, $4, $5, $6, $7);

-- name: Accommodations
select extra_minutes, percent, reason, recorded_by, recorded_at from exams.accommodations where enrolment_id = $1 order by seq desc limit 100;

-- name: Add
insert into exams.sittings (id, enrolment_id, learner_id, session_id, kind, attempt, state, eligibility, booked_at, slot_id, included)
values ($1, $2, $3, $4, $5, $6, 'booked', $7, $8, nullif($9::text, ''), $10);

-- name: One
select id, enrolment_id, learner_id, session_id, kind, attempt, state, score_ppm, reference, booked_at, result_at, coalesce(slot_id, '') as slot_id, held_state from exams.sittings where id = $1;

-- name: OfEnrolment
select id, enrolment_id, learner_id, session_id, kind, attempt, state, score_ppm, reference, booked_at, result_at, coalesce(slot_id, '') as slot_id, held_state
  from exams.sittings where enrolment_id = $1 and kind = $2 order by attempt desc;

-- name: AllOfEnrolment
select id, enrolment_id, learner_id, session_id, kind, attempt, state, score_ppm, reference, booked_at, result_at, coalesce(slot_id, '') as slot_id, held_state
  from exams.sittings where enrolment_id = $1 order by booked_at desc, id desc;

-- name: Result
update exams.sittings set state = $2, score_ppm = $3, reference = $4, result_at = $5, held_state = $6 where id = $1;

-- name: CheckEligible
select id, enrolment_id from exams.sittings where eligibility -> 'eligible' is distinct from 'true'::jsonb;

-- name: CheckRetakes
-- Attempts are those that were included when they were booked, or paid for; what pays for one is the enrolment's own, and nobody has passed one of which the money went back.
select s.id, s.enrolment_id, 'not paid for' as what from exams.sittings s
 where s.state <> 'canceled' and s.included is not null and not exists (select 1 from enrolment.retakes r where r.used_by = s.id)
   and s.included <= (select count(*) from exams.sittings o where o.enrolment_id = s.enrolment_id and o.kind = s.kind and o.state <> 'canceled' and o.attempt < s.attempt
                         and not exists (select 1 from enrolment.retakes r where r.used_by = o.id))
union all
select r.id, r.enrolment_id, 'pays for what it cannot' from enrolment.retakes r left join exams.sittings s on s.id = r.used_by
 where r.used_by is not null and (s.state is null or s.state = 'canceled' or s.enrolment_id <> r.enrolment_id or s.included is null
                                  or s.state = 'passed' and r.revoked_at < now() - interval '15 minutes');

-- name: CheckPassed
select s.id, s.enrolment_id from exams.sittings s join journey.enrolments j on j.enrolment_id = s.enrolment_id
 where s.state = 'passed' and s.kind = 'proctored' and j.ever & 1024 = 0;

-- name: AddSlot
insert into exams.slots (id, exam_id, organisation, place, zone, starts_at, ends_at, capacity, created_at) values ($1, $2, nullif($3::text, ''), $4, $5, $6, $7, $8, $9);

-- name: Slot
select x.id, x.exam_id, e.session_id, s.key as session_key, e.kind, coalesce(x.organisation, '') as organisation, x.place, x.zone, x.starts_at, x.ends_at, x.capacity, x.state,
       x.version, e.cancel_hours, e.offer_hours,
       (select count(*) from exams.sittings t where t.slot_id = x.id and t.state <> 'canceled') as taken,
       (select count(*) from exams.waiting w where w.slot_id = x.id and w.state = 'offered' and w.offer_until > $2) as offered,
       (select count(*) from exams.waiting w where w.slot_id = x.id and w.state = 'waiting') as waiting
  from exams.slots x join exams.exams e on e.id = x.exam_id join catalog.sessions s on s.id = e.session_id
 where x.id = $1;

-- name: Slots
select x.id, x.exam_id, e.session_id, s.key as session_key, e.kind, coalesce(x.organisation, '') as organisation, x.place, x.zone, x.starts_at, x.ends_at, x.capacity, x.state,
       x.version, e.cancel_hours, e.offer_hours,
       (select count(*) from exams.sittings t where t.slot_id = x.id and t.state <> 'canceled') as taken,
       (select count(*) from exams.waiting w where w.slot_id = x.id and w.state = 'offered' and w.offer_until > $4) as offered,
       (select count(*) from exams.waiting w where w.slot_id = x.id and w.state = 'waiting') as waiting
  from exams.slots x join exams.exams e on e.id = x.exam_id join catalog.sessions s on s.id = e.session_id
 where ($1 = '' or e.session_id = $1) and ($2 = '' or x.organisation = $2) and x.starts_at >= $3
   and ($5 = '' or (x.starts_at, x.id) > (select a.starts_at, a.id from exams.slots a where a.id = $5))
 order by x.starts_at, x.id limit $6;

-- name: ProctoredSlots
select id from exams.slots where organisation = any($1::text[]) and starts_at >= $2 order by starts_at, id limit 200;

-- name: Candidates
select t.id as sitting_id, t.learner_id, p.full_name, case t.state when 'withheld' then 'booked' else t.state end as state, coalesce(a.state, '') as attempt_state, a.deadline_at,
       a.score_ppm, coalesce(a.proposal, '') as proposal, coalesce(a.limit_seconds, 0) / 60 as limit_minutes, coalesce(m.extra_minutes, 0) as extra_minutes, coalesce(m.percent, 100) as percent,
       case when i.verified and i.valid_until > $2 then i.valid_until end as identity_until, (select count(*) from exams.incidents c where c.sitting_id = t.id) as incidents
  from exams.sittings t join identity.people p on p.id = t.learner_id
  left join lateral (select * from exams.attempts where sitting_id = t.id order by n desc limit 1) a on true
  left join lateral (select extra_minutes, percent from exams.accommodations where enrolment_id = t.enrolment_id order by seq desc limit 1) m on true
  left join lateral (select verified, valid_until from exams.identity_checks where learner_id = t.learner_id order by seq desc limit 1) i on true
 where t.slot_id = $1 and t.state <> 'canceled' order by p.full_name, t.id limit 1000;

-- name: Propose
update exams.attempts set proposal = $2 where id = $1;

-- name: Queue
-- What a provider verified waits for its score.
select w.kind, w.id, t.enrolment_id, s.key as session_key, p.full_name, w.detail, w.severity, w.proposal, w.at
  from (select case a.state when 'second_review_required' then 'second_review' else 'review' end as kind, a.sitting_id as id, a.sitting_id, a.state as detail, 0 as severity,
               a.proposal, coalesce(a.submitted_at, a.created_at) as at
          from exams.attempts a
         where (a.state in ('submitted', 'timed_out', 'second_review_required', 'error')
                or a.state = 'verified' and a.score_ppm is null and exists (select 1 from exams.sittings o where o.id = a.sitting_id and o.state = 'booked'))
           and not exists (select 1 from exams.attempts l where l.sitting_id = a.sitting_id and l.n > a.n)
        union all
        select 'incident', i.sitting_id, i.sitting_id, i.kind, i.severity, '', i.happened_at from exams.incidents i join exams.sittings o on o.id = i.sitting_id where o.state = 'booked'
        union all
        select 'appeal', l.id, l.sitting_id, 'open', 0, '', l.asked_at from exams.appeals l where l.state = 'open') w
  join exams.sittings t on t.id = w.sitting_id join catalog.sessions s on s.id = t.session_id join identity.people p on p.id = t.learner_id
 order by w.at, w.kind, w.id limit 200;

-- name: LockSlots
select id from exams.slots where id = any($1::text[]) order by id for update;

-- name: EditSlot
update exams.slots set organisation = nullif($2::text, ''), place = $3, zone = $4, starts_at = $5, ends_at = $6, capacity = $7, version = version + 1 where id = $1;

-- name: CancelSlot
with ended as (update exams.waiting set state = 'lapsed' where slot_id = $1 and state in ('waiting', 'offered'))
update exams.slots set state = 'canceled', version = version + 1 where id = $1;

-- name: BookedIn
select id from exams.sittings where slot_id = $1 and state = 'booked' order by id;

-- name: HasSlots
select exists (select 1 from exams.slots where exam_id = $1 and state = 'planned' and starts_at > $2);

-- name: SessionHasSlots
select exists (select 1 from exams.slots x join exams.exams e on e.id = x.exam_id where e.session_id = $1 and e.kind = 'proctored' and x.state = 'planned' and x.starts_at > $2);

-- name: Overlaps
select exists (select 1 from exams.sittings t join exams.slots x on x.id = t.slot_id
                where t.learner_id = $1 and t.state = 'booked' and t.id <> $4 and x.starts_at < $3 and x.ends_at > $2);

-- name: MoveSitting
update exams.sittings set slot_id = $2 where id = $1;

-- name: NoteMove
insert into exams.sitting_moves (sitting_id, learner_id, from_slot, to_slot, moved_by, moved_at) values ($1, $2, nullif($3::text, ''), nullif($4::text, ''), $5, $6);

-- name: Wait
insert into exams.waiting (slot_id, enrolment_id, learner_id, asked_at) values ($1, $2, $3, $4);

-- name: WaitOf
select w.seq, w.slot_id, w.enrolment_id, w.learner_id, w.state, w.asked_at, w.offer_until,
       (select count(*) from exams.waiting b where b.slot_id = w.slot_id and b.state = 'waiting' and b.seq < w.seq) as ahead
  from exams.waiting w where w.slot_id = $1 and w.enrolment_id = $2 and w.state in ('waiting', 'offered');

-- name: WaitsOf
select w.seq, w.slot_id, w.enrolment_id, w.learner_id, w.state, w.asked_at, w.offer_until,
       (select count(*) from exams.waiting b where b.slot_id = w.slot_id and b.state = 'waiting' and b.seq < w.seq) as ahead
  from exams.waiting w where w.enrolment_id = $1 and w.state in ('waiting', 'offered') order by w.seq;

-- name: EndWait
update exams.waiting set state = $3 where slot_id = $1 and enrolment_id = $2 and state in ('waiting', 'offered');

-- name: LapseOffers
update exams.waiting set state = 'lapsed' where slot_id = $1 and state = 'offered' and offer_until <= $2;

-- name: OfferPlaces
update exams.waiting set state = 'offered', offered_at = $3, offer_until = $4
 where seq in (select seq from exams.waiting where slot_id = $1 and state = 'waiting' order by seq limit $2)
returning enrolment_id;

-- name: SlotsToServe
select distinct x.id from exams.slots x join exams.waiting w on w.slot_id = x.id
 where x.state = 'planned' and x.starts_at > $1
   and (w.state = 'offered' and w.offer_until <= $1
     or w.state = 'waiting' and x.capacity > (select count(*) from exams.sittings t where t.slot_id = x.id and t.state <> 'canceled')
                                           + (select count(*) from exams.waiting o where o.slot_id = x.id and o.state = 'offered' and o.offer_until > $1))
 order by 1 limit $2;

-- name: Unsound
select exams.disputed(s.enrolment_id) or $2 and exists (select 1 from enrolment.retakes r where r.used_by = s.id and r.revoked_at is not null)
  from exams.sittings s where s.id = $1;

-- name: UnpaidOf
-- The sitting that was to be paid for by a retake of which everything was given back.
select s.id from enrolment.retakes r join exams.sittings s on s.id = r.used_by where r.order_id = $1 and r.revoked_at is not null;

-- name: WithheldOf
select id from exams.sittings where enrolment_id = any($1::text[]) and state = 'withheld' order by id;

-- name: Begun
select exists (select 1 from exams.attempts where sitting_id = $1 and (started_at is not null or state in ('error', 'declined', 'expired')));

-- name: ExpireUnbegun
update exams.attempts set state = 'expired', version = version + 1
 where sitting_id = $1 and started_at is null and state in ('created', 'download_software_clicked', 'ready_to_start') and created_at <= $2;

-- name: Attempt
select id, sitting_id, learner_id, n, state, limit_seconds, created_at, started_at, deadline_at, submitted_at, score_ppm, reviewed_at, reviewer, code, proposal, version
  from exams.attempts where id = $1;

-- name: Attempts
select id, sitting_id, learner_id, n, state, limit_seconds, created_at, started_at, deadline_at, submitted_at, score_ppm, reviewed_at, reviewer, code, proposal, version
  from exams.attempts where sitting_id = $1 order by n desc;

-- name: AttemptByCode
select id, sitting_id, learner_id, n, state, limit_seconds, created_at, started_at, deadline_at, submitted_at, score_ppm, reviewed_at, reviewer, code, proposal, version
  from exams.attempts where code = $1;

-- name: NameAttempt
update exams.attempts set code = $2 where id = $1;

-- name: Sitters
-- Who ever booked an exam of a session, by all that a platform's file may call her.
select e.id as enrolment_id, coalesce(p.email, '') as email, coalesce(u.username, '') as username
  from enrolment.enrolments e join identity.people p on p.id = e.learner_id left join lms.usernames u on u.platform = $2 and u.person_id = e.learner_id
 where e.session_id = $1 and exists (select 1 from exams.sittings t where t.enrolment_id = e.id)
 order by e.id;

-- name: ResultFile
-- The last taking of a file.
select id, file_name, outcomes, refused, collected_at, imported_at, imported_by, via, bytes, encode(sha256, 'hex') as sha256
  from exams.result_files where session_id = $1 and kind = $2 and sha256 = $3 order by imported_at desc, id desc limit 1;

-- name: ResultFileByID
select id, file_name, kind, outcomes, refused, collected_at, imported_at, imported_by, via, bytes, encode(sha256, 'hex') as sha256 from exams.result_files where session_id = $1 and id = $2;

-- name: ResultFileContent
-- Of a file that was tried again the bytes are kept with the first taking.
select f.content from exams.result_files f join exams.result_files of on of.session_id = f.session_id and of.kind = f.kind and of.sha256 = f.sha256
 where of.session_id = $1 and of.id = $2 and f.content <> '' limit 1;

-- name: KeepResultFile
insert into exams.result_files (id, session_id, kind, sha256, file_name, outcomes, refused, imported_by, imported_at, collected_at, bytes, via, content)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13);

-- name: AddAttempt
insert into exams.attempts (id, sitting_id, learner_id, n, state, limit_seconds, created_at) values ($1, $2, $3, $4, 'created', $5, $6);

-- name: StoreAttempt
update exams.attempts
   set state = $2, started_at = $3, deadline_at = $4, submitted_at = $5, score_ppm = $6, reviewed_at = $7, reviewer = $8, version = version + 1
 where id = $1;

-- name: NoteEvent
insert into exams.attempt_events (attempt_id, learner_id, event, from_state, to_state, note, by, at) values ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: EventsOf
select e.attempt_id, e.event, e.from_state, e.to_state, e.note, e.by, e.at
  from exams.attempt_events e join exams.attempts a on a.id = e.attempt_id where a.sitting_id = $1 order by e.seq desc limit 500;

-- name: OverdueAttempts
select id from exams.attempts where state in ('started', 'ready_to_submit') and deadline_at <= $1 order by deadline_at limit $2;

-- name: UnbegunAttempts
select a.id from exams.attempts a join exams.sittings s on s.id = a.sitting_id
  left join exams.slots x on x.id = s.slot_id left join exams.exams e on e.session_id = s.session_id and e.kind = s.kind
 where a.state in ('created', 'download_software_clicked', 'ready_to_start') and s.state = 'booked' and (x.ends_at <= $1 or e.closes_at <= $1)
 order by a.created_at limit $2;

-- name: Report
insert into exams.incidents (sitting_id, learner_id, kind, severity, note, happened_at, recorded_by, recorded_at) values ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: Incidents
select kind, severity, note, happened_at, recorded_by, recorded_at from exams.incidents where sitting_id = $1 order by happened_at desc, seq desc limit 500;

-- name: Appeal
insert into exams.appeals (id, sitting_id, learner_id, reason, first_reviewer, asked_at) values ($1, $2, $3, $4, $5, $6);

-- name: OneAppeal
select id, sitting_id, learner_id, reason, state, first_reviewer, asked_at, decided_by, decided_at, answer from exams.appeals where id = $1;

-- name: AppealOf
select id, sitting_id, learner_id, reason, state, first_reviewer, asked_at, decided_by, decided_at, answer from exams.appeals where sitting_id = $1;

-- name: OpenAppeals
select id, sitting_id, learner_id, reason, state, first_reviewer, asked_at, decided_by, decided_at, answer from exams.appeals where state = 'open' order by asked_at, id limit 200;

-- name: Rule
update exams.appeals set state = $2, decided_by = $3, decided_at = $4, answer = $5 where id = $1;

-- name: CheckPlaces
select x.id, x.capacity from exams.slots x
 where x.capacity < (select count(*) from exams.sittings t where t.slot_id = x.id and t.state <> 'canceled');

-- name: CheckAppeals
select id from exams.appeals where decided_by <> '' and decided_by = first_reviewer;

-- name: CheckAttempts
-- While a person looks again at what had been verified, the result stands until she decides.
select s.id from exams.sittings s
 where s.state = 'passed' and exists (select 1 from exams.attempts a where a.sitting_id = s.id)
   and not exists (select 1 from exams.attempts a where a.sitting_id = s.id and (a.state = 'verified' or a.state = 'second_review_required'
       and exists (select 1 from exams.attempt_events v where v.attempt_id = a.id and v.to_state = 'verified')));

-- name: Sittings
select t.id, t.enrolment_id, t.learner_id, t.session_id, t.kind, t.attempt, t.state, t.score_ppm, t.reference, t.booked_at, t.result_at, coalesce(t.slot_id, '') as slot_id, t.held_state
  from exams.sittings t
 where ($1 = '' or t.state = $1 or $1 = 'review' and exists (select 1 from exams.attempts a where a.sitting_id = t.id
            and a.n = (select max(n) from exams.attempts where sitting_id = t.id)
            and (a.state in ('submitted', 'timed_out', 'second_review_required', 'error') or a.state = 'verified' and a.score_ppm is null and t.state = 'booked')))
   and ($2 = '' or t.id < $2)
 order by t.id desc limit $3;

-- name: LockProvider
select pg_advisory_xact_lock(hashtextextended('exams.providers ' || $1, 0));

-- name: Providers
select p.key, p.name, p.kind, p.base_url, p.target_url, p.deployment, p.client_id, p.issuer, p.keys_url, p.on_violation, p.setup_url, p.guide_en, p.guide_fr, p.enabled, p.version,
       p.failures, p.failure, p.answered_at, p.heard_at, p.refused_at,
       (select count(*) from exams.watched w where w.provider = p.key) as exams,
       (select count(*) from exams.proctorings g where g.provider = p.key and g.due_at is not null) as untold,
       (select count(*) from exams.provider_events v where v.provider = p.key and v.state = 'parked') as parked,
       (select count(*) from exams.provider_secrets c where c.provider = p.key and c.purpose <> 'client' and (c.ends_at is null or c.ends_at > $2)) as secrets
  from exams.providers p where $1 = '' or p.key = $1 order by p.key;

-- name: PutProvider
insert into exams.providers (key, name, kind, base_url, target_url, deployment, client_id, issuer, keys_url, on_violation, setup_url, guide_en, guide_fr, enabled, made_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
on conflict (key) do update
   set name = excluded.name, base_url = excluded.base_url, target_url = excluded.target_url, deployment = excluded.deployment, client_id = excluded.client_id, issuer = excluded.issuer,
       keys_url = excluded.keys_url, on_violation = excluded.on_violation, setup_url = excluded.setup_url, guide_en = excluded.guide_en, guide_fr = excluded.guide_fr,
       enabled = excluded.enabled, version = exams.providers.version + 1;

-- name: NextProviderSecret
select coalesce(max(n), 0) + 1 from exams.provider_secrets where provider = $1 and purpose = $2;

-- name: AddProviderSecret
with older as (update exams.provider_secrets set ends_at = $6 where provider = $1 and purpose = $2 and (ends_at is null or ends_at > $6))
insert into exams.provider_secrets (provider, purpose, n, sealed, made_at) values ($1, $2, $3, $4, $5);

-- name: ProviderSecrets
select purpose, n, sealed from exams.provider_secrets where provider = $1 and (ends_at is null or ends_at > $2) order by purpose, n desc;

-- name: ProviderSecret
select sealed from exams.provider_secrets where provider = $1 and purpose = $2 and n = $3;

-- name: ProviderWell
update exams.providers set failures = 0, failure = '', answered_at = $2 where key = $1;

-- name: ProviderIll
update exams.providers set failures = failures + 1, failure = $2 where key = $1;

-- name: ProviderHeard
update exams.providers set heard_at = $2 where key = $1;

-- name: ProviderRefused
update exams.providers set refused_at = $2 where key = $1 and (refused_at is null or refused_at <= $3);

-- name: Watches
select provider from exams.watched where exam_id = $1;

-- name: Watch
insert into exams.watched (exam_id, provider, chosen_at) values ($1, $2, $3)
on conflict (exam_id) do update set provider = excluded.provider, chosen_at = excluded.chosen_at;

-- name: Unwatch
delete from exams.watched where exam_id = $1;

-- name: Registration
select external_id from exams.registrations where provider = $1 and exam_id = $2;

-- name: Register
insert into exams.registrations (provider, exam_id, external_id, registered_at) values ($1, $2, $3, $4) on conflict do nothing;

-- name: Proctoring
select g.attempt_id, g.learner_id, g.provider, p.kind as language, g.exam_id, coalesce(g.external_id, '') as external_id, g.launch_url, g.told, g.due_at, g.tried, g.failure, g.verdict, g.verdict_at,
       g.wants_end, g.ended_at
  from exams.proctorings g join exams.providers p on p.key = g.provider where g.attempt_id = $1;

-- name: AddProctoring
insert into exams.proctorings (attempt_id, learner_id, provider, exam_id, due_at, external_id) values ($1, $2, $3, $4, $5, $6);

-- name: StirProctoring
update exams.proctorings set due_at = $2 where attempt_id = $1;

-- name: LeaseProctoring
-- Who holds it takes it again.
update exams.proctorings set leased_until = $3 where attempt_id = $1 and ($4 or leased_until is null or leased_until <= $2);

-- name: ReleaseProctoring
-- Of a provider that is off, what is to be told waits.
update exams.proctorings set leased_until = null, due_at = case when $2 then null else due_at end where attempt_id = $1;

-- name: ProctoringKnown
update exams.proctorings set external_id = $2, launch_url = $3, tried = 0, failure = '' where attempt_id = $1;

-- name: ProctoringTold
update exams.proctorings set told = $2, tried = 0, failure = '' where attempt_id = $1;

-- name: ProctoringFailed
update exams.proctorings set leased_until = null, due_at = $2, tried = tried + 1, failure = $3 where attempt_id = $1;

-- name: DueProctorings
select g.attempt_id from exams.proctorings g join exams.providers p on p.key = g.provider
 where g.due_at <= $1 and (g.leased_until is null or g.leased_until <= $1) and p.enabled order by g.due_at limit $2;

-- name: AddProviderEvent
insert into exams.provider_events (id, provider, message, digest, attempt, subject, event, verdict, severity, said_at, note, raw, received_at, wants_end)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
on conflict on constraint message_of_provider do nothing;

-- name: ProviderEventDigest
select digest from exams.provider_events where provider = $1 and message = $2;

-- name: LockProviderEvent
select id, provider, attempt, subject, event, verdict, severity, said_at, note, state, tried, wants_end from exams.provider_events where id = $1 for update;

-- name: AttemptOfProvider
select attempt_id from exams.proctorings where provider = $1 and external_id = $2;

-- name: Park
update exams.provider_events set state = 'parked', due_at = $2, tried = tried + 1 where id = $1;

-- name: ProviderEventWorked
update exams.provider_events set state = $2, learner_id = $3, worked_at = $4, due_at = null where id = $1;

-- name: Reviewed
update exams.proctorings set verdict = $2, verdict_at = $3 where attempt_id = $1;

-- name: ParkedOf
select id from exams.provider_events where provider = $1 and attempt = $2 and state = 'parked' order by id;

-- name: DueParked
select id from exams.provider_events where state = 'parked' and due_at <= $1 order by due_at limit $2;

-- name: ProviderEvents
select id, attempt, event, verdict, state, note, said_at, received_at
  from exams.provider_events where provider = $1 and ($2 = '' or state = $2) and ($3 = '' or id < $3) order by id desc limit $4;

-- name: CheckProctors
-- Where the provider had the last word: a person, or a file of results, may have said otherwise.
select a.id from exams.proctorings g join exams.attempts a on a.id = g.attempt_id
 where a.reviewer = '' and a.state not in ('declined', 'expired', 'ready_to_resume', 'resumed')
   and (g.verdict = 'passed' and a.state <> 'verified' or g.verdict = 'suspicious' and a.state <> 'second_review_required')
   and (select l.by from exams.attempt_events l where l.attempt_id = a.id order by l.seq desc limit 1) = 'provider:' || g.provider;

-- name: WantsEnd
update exams.proctorings set wants_end = true where attempt_id = $1;

-- name: Ended
update exams.proctorings set ended_at = $2 where attempt_id = $1 and ended_at is null;

-- name: AddProctorLaunch
insert into exams.proctor_launches (id, attempt_id, learner_id, provider, ends, issued_at, expires_at) values ($1, $2, $3, $4, $5, $6, $7);

-- name: LockProctorLaunch
select id, attempt_id, learner_id, provider, ends, expires_at, redeemed_at from exams.proctor_launches where id = $1 for update;

-- name: RedeemProctorLaunch
update exams.proctor_launches set redeemed_at = $2 where id = $1;
