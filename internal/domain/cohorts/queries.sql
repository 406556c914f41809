-- name: AddCohort
insert into cohorts.cohorts (id, organisation, key, name, offer_id, thing_id, agreement, order_id, line, seats, made_by, made_at, price_minor, price_currency, due_days)
values ($1, $2, $3, $4, $5, $6, $7, nullif($8, ''), nullif($9::int, 0), $10, $11, $12, $13, $14, $15);

-- name: PutCohort
update cohorts.cohorts set key = $2, name = $3, seats = $4, closed_at = case when $5 then coalesce(closed_at, $6::timestamptz) end, version = version + 1 where id = $1;

-- name: LockCohorts
select id from cohorts.cohorts where organisation = $1 and thing_id = $2 order by id for update;

-- name: ShareCohort
select id from cohorts.cohorts where id = $1 for share;

-- name: Cohort
select c.id, c.organisation, c.key, c.name, c.offer_id, c.thing_id, coalesce(s.key, '') as session_key, coalesce(e.key, '') as edition_key,
       coalesce(nullif(e.title_en, ''), nullif(s.title_en, ''), e.key, s.key) as title_en, coalesce(e.title_fr, s.title_fr) as title_fr, o.formula, c.agreement,
       coalesce(c.order_id, '') as order_id, coalesce(c.line, 0) as line, c.seats, c.price_minor, coalesce(c.price_currency, '') as price_currency, c.due_days, c.version, c.made_at, c.closed_at, n.waiting, n.enrolled, n.suspended, n.gone
  from cohorts.cohorts c join offers.offers o on o.id = c.offer_id
  left join catalog.sessions s on s.id = o.session_id left join programs.editions e on e.id = o.edition_id
  cross join lateral (
      select count(*) filter (where state = 'waiting') as waiting, count(*) filter (where state = 'enrolled') as enrolled,
             count(*) filter (where state = 'suspended') as suspended, count(*) filter (where state in ('withdrawn', 'transferred')) as gone
        from cohorts.members where cohort_id = c.id) n
 where c.id = $1;

-- name: BareCohort
-- As Cohort, without counting who is in it: for what is done of each member.
select c.id, c.organisation, c.key, c.name, c.offer_id, c.thing_id, coalesce(s.key, '') as session_key, coalesce(e.key, '') as edition_key,
       coalesce(nullif(e.title_en, ''), nullif(s.title_en, ''), e.key, s.key) as title_en, coalesce(e.title_fr, s.title_fr) as title_fr, o.formula, c.agreement,
       coalesce(c.order_id, '') as order_id, coalesce(c.line, 0) as line, c.seats, c.price_minor, coalesce(c.price_currency, '') as price_currency, c.due_days, c.version, c.made_at, c.closed_at
  from cohorts.cohorts c join offers.offers o on o.id = c.offer_id
  left join catalog.sessions s on s.id = o.session_id left join programs.editions e on e.id = o.edition_id
 where c.id = $1;

-- name: Cohorts
select c.id, c.organisation, c.key, c.name, c.offer_id, c.thing_id, coalesce(s.key, '') as session_key, coalesce(e.key, '') as edition_key,
       coalesce(nullif(e.title_en, ''), nullif(s.title_en, ''), e.key, s.key) as title_en, coalesce(e.title_fr, s.title_fr) as title_fr, o.formula, c.agreement,
       coalesce(c.order_id, '') as order_id, coalesce(c.line, 0) as line, c.seats, c.price_minor, coalesce(c.price_currency, '') as price_currency, c.due_days, c.version, c.made_at, c.closed_at, n.waiting, n.enrolled, n.suspended, n.gone
  from cohorts.cohorts c join offers.offers o on o.id = c.offer_id
  left join catalog.sessions s on s.id = o.session_id left join programs.editions e on e.id = o.edition_id
  cross join lateral (
      select count(*) filter (where state = 'waiting') as waiting, count(*) filter (where state = 'enrolled') as enrolled,
             count(*) filter (where state = 'suspended') as suspended, count(*) filter (where state in ('withdrawn', 'transferred')) as gone
        from cohorts.members where cohort_id = c.id) n
 where ($1 = '' or c.organisation = $1) and ($2 = '' or c.id < $2) order by c.id desc limit $3;

-- name: Members
select m.id, m.cohort_id, m.student_key, m.state, coalesce(m.waits_for, '') as waits_for, coalesce(m.email, '') as email, coalesce(m.given_name, '') as given_name,
       coalesce(m.family_name, '') as family_name, coalesce(m.lang, '') as lang, m.person_id is not null as account, coalesce(m.person_id, '') as person_id,
       coalesce(m.order_id, '') as order_id, coalesce(m.seat_id, '') as seat_id, m.enrolled_at, m.added_at, m.changed_at, m.due, m.tries, m.added_by,
       coalesce(i.id, '') as invitation_id, i.made_at as invited_at, i.used_at as claimed_at, i.bounced_at, i.refused_at, coalesce(r.n, 0) as reminders, r.at as reminded_at
  from cohorts.members m
  left join lateral (select x.id, x.made_at, x.used_at, x.bounced_at, x.refused_at from cohorts.invitations x where x.member_id = m.id and x.ended_at is null order by x.id desc limit 1) i on true
  left join lateral (select count(*) as n, max(coalesce(x.sent_at, x.noted_at)) as at from cohorts.reminders x where x.invitation_id = i.id and x.state in ('sending', 'sent', 'uncertain')) r on true
 where m.cohort_id = $1 and ($2 = '' or m.state = $2) and ($4 = '' or m.id > $4)
   and ($3 = '' or position(lower($3) in lower(concat_ws(' ', m.student_key, m.email, m.given_name, m.family_name))) > 0)
 order by m.id limit $5;

-- name: Places
select m.id, m.student_key, m.state, coalesce(m.email, '') as email, coalesce(m.given_name, '') as given_name, coalesce(m.family_name, '') as family_name,
       coalesce(m.lang, '') as lang, coalesce(m.person_id, '') as person_id, coalesce(m.order_id, '') as order_id, m.enrolled_at is not null as granted
  from unnest($2::text[]) as k(student_key) join cohorts.members m on m.cohort_id = $1 and m.student_key = k.student_key;

-- name: AllPlaces
select m.id, m.student_key, m.state, coalesce(m.email, '') as email, coalesce(m.given_name, '') as given_name, coalesce(m.family_name, '') as family_name,
       coalesce(m.lang, '') as lang, coalesce(m.person_id, '') as person_id, coalesce(m.order_id, '') as order_id, m.enrolled_at is not null as granted
  from cohorts.members m where m.cohort_id = $1;

-- name: Elsewhere
select m.student_key, bool_or(m.thing_id = $2 and m.state in ('waiting', 'enrolled', 'suspended')) as away
  from unnest($4::text[]) as k(student_key) join cohorts.members m on m.organisation = $1 and m.student_key = k.student_key and m.cohort_id <> $3
 group by m.student_key;

-- name: Owners
select m.email, m.student_key from unnest($3::text[]) as k(email)
  join cohorts.members m on m.organisation = $1 and m.thing_id = $2 and m.email = k.email and m.state in ('waiting', 'enrolled', 'suspended');

-- name: AddMembers
insert into cohorts.members (id, cohort_id, organisation, thing_id, student_key, state, email, given_name, family_name, lang, due, added_by, added_at, changed_at)
select n.id, $1, $2, $3, n.student_key, n.state, nullif(n.email, ''), nullif(n.given_name, ''), nullif(n.family_name, ''), nullif(n.lang, ''), n.state = 'waiting', $4, $5, $5
  from unnest($6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[])
       as n(id, student_key, state, email, given_name, family_name, lang);

-- name: PutMembers
-- Who comes back without a right that stands is found anew: her account may be another student's by now.
update cohorts.members m
   set state = n.state, email = coalesce(nullif(n.email, ''), m.email), given_name = coalesce(nullif(n.given_name, ''), m.given_name),
       family_name = coalesce(nullif(n.family_name, ''), m.family_name), lang = coalesce(nullif(n.lang, ''), m.lang), due = true,
       waits_for = case when n.state = m.state then m.waits_for end, changed_at = $7,
       person_id = case when m.state in ('withdrawn', 'transferred') and n.state = 'waiting' then null else m.person_id end
  from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[]) as n(id, state, email, given_name, family_name, lang)
 where m.id = n.id;

-- name: AddMoves
insert into cohorts.moves (member_id, from_state, to_state, cause, moved_by, at)
select n.id, nullif(n.from_state, ''), n.to_state, $4, $5, $6
  from unnest($1::text[], $2::text[], $3::text[]) as n(id, from_state, to_state) where n.from_state <> n.to_state;

-- name: CheckEnrolled
select m.id, m.order_id from cohorts.members m
 where m.enrolled_at is not null
   and not exists (select 1 from enrolment.grants g join enrolment.enrolments e on e.id = g.enrolment_id join sales.orders o on o.id = g.order_id
                    where g.order_id = m.order_id and e.learner_id = m.person_id and g.revoked_at is null and o.state in ('paid', 'partially_refunded', 'disputed', 'accruing', 'billed'));

-- name: CheckSuspended
select g.id, g.suspended from enrolment.grants g join enrolment.enrolments e on e.id = g.enrolment_id
  left join cohorts.members m on m.order_id = g.order_id and m.person_id = e.learner_id and m.enrolled_at is not null
 where g.revoked_at is null and g.suspended <> coalesce(m.state <> 'enrolled', false);

-- name: CheckSeats
select c.id, c.seats, count(*) as members from cohorts.cohorts c join cohorts.members m on m.cohort_id = c.id and m.state in ('waiting', 'enrolled', 'suspended')
 group by c.id having count(*) > c.seats;

-- name: CheckMoves
select m.id, m.state, l.to_state from cohorts.members m
  left join lateral (select to_state from cohorts.moves x where x.member_id = m.id order by x.id desc limit 1) l on true
 where l.to_state is distinct from m.state;

-- name: ShareCohortOf
select c.id from cohorts.cohorts c join cohorts.members m on m.cohort_id = c.id where m.id = $1 for share of c;

-- name: LockMember
select m.id, m.cohort_id, m.student_key, m.state, coalesce(m.waits_for, '') as waits_for, coalesce(m.email, '') as email, coalesce(m.given_name, '') as given_name,
       coalesce(m.family_name, '') as family_name, coalesce(m.lang, '') as lang, m.person_id is not null as account, coalesce(m.person_id, '') as person_id,
       coalesce(m.order_id, '') as order_id, coalesce(m.seat_id, '') as seat_id, m.enrolled_at, m.added_at, m.changed_at, m.due, m.tries, m.added_by
  from cohorts.members m where m.id = $1 for update;

-- name: StoreMember
update cohorts.members set state = $2, person_id = nullif($3, ''), order_id = nullif($4, ''), seat_id = nullif($5, ''), enrolled_at = $6, waits_for = nullif($7, ''),
       due = $8, tries = $9, changed_at = $10 where id = $1;

-- name: AddMove
insert into cohorts.moves (member_id, from_state, to_state, cause, moved_by, at) values ($1, $2, $3, $4, $5, $6);

-- name: MatchAccounts
-- By the school's own key where it is known to be hers, or else by her address. Who is in the cohort's group already is not matched twice.
update cohorts.members m set person_id = x.person_id
  from (select distinct on (person_id) id, person_id
          from (select m.id, coalesce(k.person_id, p.id) as person_id, m.organisation, m.thing_id
                  from unnest($1::text[]) as n(id) join cohorts.members m on m.id = n.id
                  left join identity.external_ids k on k.source = m.organisation and k.subject = m.student_key
                  left join identity.people p on p.email = m.email
                 where m.state = 'waiting' and m.person_id is null) f
         where person_id is not null
           and not exists (select 1 from cohorts.members o where o.organisation = f.organisation and o.thing_id = f.thing_id and o.person_id = f.person_id
                              and o.state in ('waiting', 'enrolled', 'suspended'))
         order by person_id, id) x
 where m.id = x.id;

-- name: Park
-- Who has no account waits for one; at a school's desk an address is enough.
update cohorts.members m set due = false, waits_for = 'account'
  from unnest($2::text[]) as n(id), cohorts.cohorts c
 where m.id = n.id and c.id = $1 and m.state = 'waiting' and m.person_id is null and (c.agreement <> 'pay_at_school' or m.email is null);

-- name: Due
select id from cohorts.members where cohort_id = $1 and due order by id limit $2;

-- name: StillDue
select m.id from unnest($1::text[]) as n(id) join cohorts.members m on m.id = n.id where m.due order by m.id limit $2;

-- name: MatchPerson
update cohorts.members m set person_id = $1, due = true
  from (select distinct on (m.organisation, m.thing_id) m.id from cohorts.members m
         where m.state = 'waiting' and m.person_id is null
           and (m.email = (select p.email from identity.people p where p.id = $1)
                or exists (select 1 from identity.external_ids k where k.source = m.organisation and k.subject = m.student_key and k.person_id = $1))
           and not exists (select 1 from cohorts.members o where o.organisation = m.organisation and o.thing_id = m.thing_id and o.person_id = $1
                              and o.state in ('waiting', 'enrolled', 'suspended'))
         order by m.organisation, m.thing_id, m.id) x
 where m.id = x.id returning m.id;

-- name: Retry
with again as (
    update cohorts.members m set due = true, tried_at = null
     where not m.due
       and (m.tried_at <= $1 and (m.state = 'waiting' or m.enrolled_at is null and m.order_id is not null)
            or m.state = 'waiting' and m.waits_for = 'payment' and exists (select 1 from sales.orders o where o.id = m.order_id and o.state <> 'awaiting_payment'))
    returning m.cohort_id
)
select distinct cohort_id from again
union select cohort_id from cohorts.members where due and changed_at <= $1;

-- name: OfOrder
select id from cohorts.members where order_id = $1 order by id;

-- name: OfSeat
select id from cohorts.members where seat_id = $1;

-- name: Refuse
update cohorts.members set waits_for = case when state = 'waiting' and order_id is null then left($2, 60) else waits_for end, due = false, tried_at = $3, tries = tries + 1 where id = $1;

-- name: CountDue
select count(*) from cohorts.members m where m.cohort_id = $1 and m.due and exists (select 1 from cohorts.moves v where v.member_id = m.id and v.cause = $2);

-- name: PlacesByID
select m.id, m.student_key, m.state, coalesce(m.email, '') as email, coalesce(m.given_name, '') as given_name, coalesce(m.family_name, '') as family_name,
       coalesce(m.lang, '') as lang, coalesce(m.person_id, '') as person_id, coalesce(m.order_id, '') as order_id, m.enrolled_at is not null as granted
  from cohorts.members m where m.id = any($1::text[]);

-- name: LeaveCohort
update cohorts.members set state = 'transferred', waits_for = null, due = true, changed_at = $2 where id = any($1::text[]);

-- name: JoinCohort
-- Where she begins anew she is found anew, unless the school's key is known to be hers.
insert into cohorts.members as m (id, cohort_id, organisation, thing_id, student_key, state, email, given_name, family_name, lang, person_id, order_id, seat_id, enrolled_at,
       waits_for, due, tries, added_by, added_at, changed_at)
select n.fresh, $1, $2, $3, o.student_key, n.state, o.email, o.given_name, o.family_name, o.lang, case when n.carried then o.person_id end,
       case when n.carried then o.order_id end, case when n.carried then o.seat_id end, case when n.carried then o.enrolled_at end,
       case when n.carried and o.enrolled_at is null then 'payment' end, true, 0, $4, $5, $5
  from unnest($6::text[], $7::text[], $8::text[], $9::boolean[]) as n(old, fresh, state, carried) join cohorts.members o on o.id = n.old
on conflict on constraint member_once do update
   set state = excluded.state, email = excluded.email, given_name = excluded.given_name, family_name = excluded.family_name, lang = excluded.lang,
       person_id = excluded.person_id, order_id = excluded.order_id, seat_id = excluded.seat_id, enrolled_at = excluded.enrolled_at, waits_for = excluded.waits_for,
       due = true, changed_at = excluded.changed_at;

-- name: LetGo
update cohorts.members m set order_id = null, seat_id = null, enrolled_at = null
  from unnest($1::text[], $2::boolean[]) as n(id, carried) where m.id = n.id and n.carried;

-- name: Member
select m.id, m.cohort_id, m.student_key, m.state, coalesce(m.waits_for, '') as waits_for, coalesce(m.email, '') as email, coalesce(m.given_name, '') as given_name,
       coalesce(m.family_name, '') as family_name, coalesce(m.lang, '') as lang, m.person_id is not null as account, coalesce(m.person_id, '') as person_id,
       coalesce(m.order_id, '') as order_id, coalesce(m.seat_id, '') as seat_id, m.enrolled_at, m.added_at, m.changed_at, m.due, m.tries, m.added_by
  from cohorts.members m where m.id = $1;

-- name: Invitation
select id, member_id, expires_at, used_at, coalesce(used_by, '') as used_by, ended_at, bounced_at, refused_at from cohorts.invitations where id = $1;

-- name: EndInvitations
update cohorts.invitations set ended_at = $2 where member_id = any($1::text[]) and used_at is null and ended_at is null;

-- name: AddInvitations
insert into cohorts.invitations (id, member_id, made_by, made_at, expires_at) select n.id, n.member_id, $3, $4, $5 from unnest($1::text[], $2::text[]) as n(id, member_id);

-- name: UseInvitation
update cohorts.invitations set used_at = $2, used_by = $3 where id = $1;

-- name: CheckBilled
-- A month that is over is billed once with all who were in it (sales); here, that who is in stands in one.
select m.id, m.order_id, m.seat_id from cohorts.members m join cohorts.cohorts c on c.id = m.cohort_id and c.agreement = 'invoiced_monthly'
 where m.enrolled_at is not null
   and not exists (select 1 from sales.seats x join sales.orders o on o.id = x.order_id and o.organisation = c.organisation
                    where x.id = m.seat_id and x.order_id = m.order_id and x.person_id = m.person_id and x.state = 'claimed');

-- name: Leavers
-- Who was carried to another cohort on the same offer takes her place of the month along.
select m.id from cohorts.members m join sales.seats x on x.id = m.seat_id join sales.accounts a on a.order_id = x.order_id
 where a.account = $1 and a.billed_at is null and m.due and m.state in ('withdrawn', 'transferred') order by m.id limit $2;

-- name: Inviting
select distinct c.id as cohort_id, c.offer_id from cohorts.invitations i join cohorts.members m on m.id = i.member_id join cohorts.cohorts c on c.id = m.cohort_id
 where i.used_at is null and i.ended_at is null and i.refused_at is null and i.bounced_at is null and i.expires_at > $1 and m.state = 'waiting' order by c.id;

-- name: ToRemind
-- Of the steps that have come for an invitation the one that came last is due, if none was noted since; those before it that nobody noted are
-- passed over, so that who looks late writes once.
with come as (
    select i.id, s.step, s.before, i.made_at, row_number() over (partition by i.id order by case when s.step > 0 then i.made_at + s.step * interval '1 day' else s.before end desc, s.step) as latest
      from cohorts.invitations i join cohorts.members m on m.id = i.member_id
      cross join unnest($3::int[], $4::timestamptz[]) as s(step, before)
     where m.cohort_id = $1 and m.state = 'waiting' and m.person_id is null and m.email is not null
       and i.used_at is null and i.ended_at is null and i.refused_at is null and i.bounced_at is null and i.expires_at > $2 and i.made_at <= s.before
), open as (
    select c.id, c.step from come c
     where c.latest = 1 and not exists (select 1 from cohorts.reminders r where r.invitation_id = c.id and r.step = c.step) order by c.id limit $5
), noted as (
    insert into cohorts.reminders (invitation_id, step, state, noted_at)
    select c.id, c.step, case when c.step = o.step then 'due' else 'skipped' end, $2 from open o join come c on c.id = o.id
    on conflict (invitation_id, step) do nothing returning invitation_id as id, step, state
)
select id, step from noted where state = 'due' order by id;

-- name: LockReminder
select state from cohorts.reminders where invitation_id = $1 and step = $2 for update;

-- name: MoveReminder
update cohorts.reminders set state = $3, sent_at = $4 where invitation_id = $1 and step = $2;

-- name: Mailed
update cohorts.invitations set mailed_at = coalesce(mailed_at, $2) where id = $1;

-- name: Bounced
update cohorts.invitations set bounced_at = coalesce(bounced_at, $2) where id = $1 and used_at is null;

-- name: StopReminders
update cohorts.invitations set refused_at = coalesce(refused_at, $2) where id = $1;
