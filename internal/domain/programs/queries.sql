-- name: AddProgram
insert into programs.programs (id, key, draft, state, changed_at, changed_by, created_at) values ($1, $2, $3, 'draft', $4, $5, $4);

-- name: SaveDraft
update programs.programs set draft = $2, state = 'draft', version = version + 1, changed_at = $3, changed_by = $4 where id = $1;

-- name: LockProgram
select id from programs.programs where id = $1 or key = $1 for update;

-- name: MoveProgram
update programs.programs set state = $2, current = coalesce($3::int, current), visible = $4, version = version + 1, changed_at = $5, changed_by = $6 where id = $1;

-- name: Program
select p.id, p.key, p.draft, p.version, p.state, coalesce(p.current, 0) as current, p.visible, p.changed_at, p.changed_by, v.content, v.published_at
  from programs.programs p left join programs.versions v on v.program_id = p.id and v.number = p.current
 where p.id = $1 or p.key = $1;

-- name: Programs
select p.id, p.key, p.draft, p.version, p.state, coalesce(p.current, 0) as current, p.visible, p.changed_at, p.changed_by, v.content, v.published_at
  from programs.programs p left join programs.versions v on v.program_id = p.id and v.number = p.current
 order by p.key;

-- name: PublicPrograms
select p.id, p.key, p.draft, p.version, p.state, p.current, p.visible, p.changed_at, p.changed_by, v.content, v.published_at
  from programs.programs p join programs.versions v on v.program_id = p.id and v.number = p.current
 where p.visible and p.key > $1
 order by p.key limit $2;

-- name: AddVersion
insert into programs.versions (program_id, number, content, published_at, published_by) values ($1, $2, $3, $4, $5);

-- name: AddVersionCourses
insert into programs.version_courses (program_id, number, course_id, position, optional)
select $1, $2, c.id, n.position, n.optional
  from unnest($3::text[], $4::int[], $5::bool[]) as n(key, position, optional) join catalog.courses c on c.key = n.key;

-- name: Versions
select number, content, published_at, published_by from programs.versions where program_id = $1 order by number desc;

-- name: Version
select number, content, published_at, published_by from programs.versions where program_id = $1 and number = $2;

-- name: VersionPublished
select published_at from programs.versions where program_id = $1 and number = $2;

-- name: KnownCourses
select key from catalog.courses where key = any($1::text[]);

-- name: AddEdition
insert into programs.editions (id, key, program_id, version_number, title_en, title_fr, lang, partner, capacity, starts_at, ends_at,
       enrol_from, enrol_until, state, changed_at, changed_by, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 'draft', $14, $15, $14);

-- name: SaveEdition
update programs.editions
   set program_id = $2, version_number = $3, title_en = $4, title_fr = $5, lang = $6, partner = $7, capacity = $8, starts_at = $9, ends_at = $10,
       enrol_from = $11, enrol_until = $12, state = $13, version = version + 1, changed_at = $14, changed_by = $15
 where id = $1;

-- name: MoveEdition
update programs.editions set state = $2, published_at = coalesce(published_at, $3), version = version + 1, changed_at = $4, changed_by = $5 where id = $1;

-- name: LockEdition
select id from programs.editions where id = $1 or key = $1 for update;

-- name: EditionsInForceWith
select e.id, e.key, e.program_id, p.key as program_key, e.version_number, e.title_en, e.title_fr, e.lang, e.partner, e.capacity, e.starts_at, e.ends_at,
       e.enrol_from, e.enrol_until, e.state, e.version, e.published_at is not null as promised
  from programs.editions e join programs.programs p on p.id = e.program_id
 where e.state = 'published' and (e.ends_at is null or e.ends_at > $2)
   and exists (select 1 from programs.edition_sessions k where k.edition_id = e.id and k.session_id = $1)
 order by e.key;

-- name: EditionsInForceOf
select key from programs.editions where program_id = $1 and state = 'published' and (ends_at is null or ends_at > $2) order by key limit 5;

-- name: UsesOfCourse
(select 'session ' || s.key as what from catalog.sessions s
  where s.course_id = $1 and s.publication = 'published' and not s.closed and (s.ends_at is null or s.ends_at > $2) order by s.key limit 5)
union all
(select 'program ' || p.key from programs.programs p join programs.version_courses v on v.program_id = p.id and v.number = p.current
  where v.course_id = $1 and p.visible order by p.key limit 5)
union all
(select 'edition ' || e.key from programs.editions e join programs.version_courses v on v.program_id = e.program_id and v.number = e.version_number
  where v.course_id = $1 and e.state = 'published' and (e.ends_at is null or e.ends_at > $2) order by e.key limit 5);

-- name: PublicCourses
select key from catalog.courses where key = any($1::text[]) and visible order by id for share;

-- name: ClearSessions
delete from programs.edition_sessions where edition_id = $1 and not session_id = any($2::text[]);

-- name: PutSessions
insert into programs.edition_sessions (edition_id, course_id, session_id, opening, opens_at)
select $1, s.course_id, n.session_id, n.opening, nullif(n.opens_at, '')::timestamptz
  from unnest($2::text[], $3::text[], $4::text[]) as n(session_id, opening, opens_at) join catalog.sessions s on s.id = n.session_id
 where not exists (select 1 from programs.edition_sessions k where k.edition_id = $1 and k.session_id = n.session_id);

-- name: SetOpenings
update programs.edition_sessions k set opening = n.opening, opens_at = nullif(n.opens_at, '')::timestamptz
  from unnest($2::text[], $3::text[], $4::text[]) as n(session_id, opening, opens_at)
 where k.edition_id = $1 and k.session_id = n.session_id;

-- name: Edition
select e.id, e.key, e.program_id, p.key as program_key, e.version_number, e.title_en, e.title_fr, e.lang, e.partner, e.capacity, e.starts_at, e.ends_at,
       e.enrol_from, e.enrol_until, e.state, e.version, e.published_at is not null as promised
  from programs.editions e join programs.programs p on p.id = e.program_id
 where e.id = $1 or e.key = $1;

-- name: Editions
select e.id, e.key, e.program_id, p.key as program_key, e.version_number, e.title_en, e.title_fr, e.lang, e.partner, e.capacity, e.starts_at, e.ends_at,
       e.enrol_from, e.enrol_until, e.state, e.version, e.published_at is not null as promised
  from programs.editions e join programs.programs p on p.id = e.program_id
 where $1 = '' or p.id = $1 or p.key = $1
 order by p.key, e.starts_at desc nulls last, e.key;

-- name: PublicEditions
select e.id, e.key, e.program_id, p.key as program_key, e.version_number, e.title_en, e.title_fr, e.lang, e.partner, e.capacity, e.starts_at, e.ends_at,
       e.enrol_from, e.enrol_until, e.state, e.version, e.published_at is not null as promised
  from programs.editions e join programs.programs p on p.id = e.program_id
 where e.state = 'published' and ($1 = '' or p.id = $1 or p.key = $1)
   and ($2 = '' or exists (
       select 1 from programs.editions a join programs.programs ap on ap.id = a.program_id
        where a.id = $2 and (p.key, coalesce(a.starts_at, '-infinity'), e.key) > (ap.key, coalesce(e.starts_at, '-infinity'), a.key)))
 order by p.key, e.starts_at desc nulls last, e.key limit $3;

-- name: PublishedEditionsOf
select e.id, e.key, e.program_id, p.key as program_key, e.version_number, e.title_en, e.title_fr, e.lang, e.partner, e.capacity, e.starts_at, e.ends_at,
       e.enrol_from, e.enrol_until, e.state, e.version, e.published_at is not null as promised
  from programs.editions e join programs.programs p on p.id = e.program_id
 where e.state = 'published' and e.program_id = any($1::text[])
 order by p.key, e.starts_at desc nulls last, e.key;

-- name: EditionSessions
select k.edition_id, c.key as course_key, k.session_id, s.key as session_key, k.opening, k.opens_at, s.starts_at, s.ends_at, s.closed
  from programs.edition_sessions k
  join catalog.sessions s on s.id = k.session_id
  join catalog.courses c on c.id = k.course_id
  join programs.editions e on e.id = k.edition_id
  left join programs.version_courses v on v.program_id = e.program_id and v.number = e.version_number and v.course_id = k.course_id
 where k.edition_id = any($1::text[])
 order by k.edition_id, v.position nulls last, c.key;

-- name: CheckSessionOfCourse
select k.edition_id, k.session_id from programs.edition_sessions k join catalog.sessions s on s.id = k.session_id where s.course_id <> k.course_id;

-- name: CheckEditionWhole
select e.key, v.course_id from programs.editions e
  join programs.version_courses v on v.program_id = e.program_id and v.number = e.version_number and not v.optional
 where e.published_at is not null
   and not exists (select 1 from programs.edition_sessions k where k.edition_id = e.id and k.course_id = v.course_id);

-- name: CheckVersionCourses
with said as (
    select v.program_id, v.number, jsonb_path_query(v.content, 'strict $.**.course.key') #>> '{}' as key from programs.versions v
), kept as (
    select v.program_id, v.number, c.key from programs.version_courses v join catalog.courses c on c.id = v.course_id
)
select coalesce(s.program_id, k.program_id) as program_id, coalesce(s.number, k.number) as number, coalesce(s.key, k.key) as course
  from said s full join kept k on k.program_id = s.program_id and k.number = s.number and k.key = s.key
 where s.key is null or k.key is null;
