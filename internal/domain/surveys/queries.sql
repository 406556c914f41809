-- name: Questionnaire
select x.id, x.session_id, s.key as session, x.moment, x.content, x.version, x.published
  from surveys.questionnaires x join catalog.sessions s on s.id = x.session_id
 where x.session_id = $1 and x.moment = $2;

-- name: Version
select content from surveys.versions where questionnaire_id = $1 and n = $2;

-- name: Put
insert into surveys.questionnaires as x (id, session_id, moment, content, created_at) values ($1, $2, $3, $4, $5)
on conflict (session_id, moment) do update set content = excluded.content, version = x.version + 1;

-- name: Publish
insert into surveys.versions (questionnaire_id, n, content, published_at) values ($1, $2, $3, $4);

-- name: SetPublished
update surveys.questionnaires set published = $2 where id = $1;

-- name: Asked
-- Under which codes people were asked for what, in either questionnaire of a session.
select distinct a.question ->> 'code' as code, a.question ->> 'kind' as kind
  from surveys.questionnaires x join surveys.versions v on v.questionnaire_id = x.id cross join lateral jsonb_array_elements(v.content -> 'questions') as a(question)
 where x.session_id = $1;

-- name: AddResponses
insert into surveys.responses (questionnaire_id, version, session_id, recorded_at, import_id, id, respondent, enrolment_id, learner_id, at, said)
select $1, $2, $3, $4, $5, r.id, r.respondent, nullif(r.enrolment_id, ''), nullif(r.learner_id, ''), r.at, r.said
  from unnest($6::text[], $7::text[], $8::text[], $9::text[], $10::timestamptz[], $11::bytea[]) as r(id, respondent, enrolment_id, learner_id, at, said);

-- name: AddAnswers
insert into surveys.answers (response_id, learner_id, question, part, kind, value, words)
select a.response_id, nullif(a.learner_id, ''), a.question, a.part, a.kind, a.value, a.words
  from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::text[]) as a(response_id, learner_id, question, part, kind, value, words);

-- name: LastAnswers
-- What somebody said last; a response without answers is a row without a question.
select r.at, coalesce(a.question, '') as question, coalesce(a.part, '') as part, coalesce(a.kind, '') as kind, coalesce(a.value, 0) as value, coalesce(a.words, '') as words
  from (select id, at from surveys.responses where questionnaire_id = $1 and respondent = $2 order by at desc, seq desc limit 1) r
  left join surveys.answers a on a.response_id = r.id
 order by a.question, a.part;

-- name: OpenOf
-- The published questionnaires of the sessions that a learner is in.
select e.id as enrolment_id, x.moment, v.content, exists (select 1 from surveys.responses r where r.questionnaire_id = x.id and r.respondent = e.id) as answered
  from enrolment.enrolments e join surveys.questionnaires x on x.session_id = e.session_id join surveys.versions v on v.questionnaire_id = x.id and v.n = x.published
 where e.learner_id = $1
 order by e.id, x.moment desc;

-- name: Kept
select respondent, at, said from surveys.responses where questionnaire_id = $1 order by respondent, at, seq;

-- name: Enrolled
-- Who is enrolled in a session, by all that other tools know them by. Who came with a report has her name at the platform as her name.
select e.id as enrolment_id, e.learner_id, coalesce(x.subject, '') as subject, coalesce(p.email, '') as email,
       coalesce(u.username, case when p.email is null then p.full_name end, '') as username
  from enrolment.enrolments e join identity.people p on p.id = e.learner_id
  left join identity.external_ids x on x.person_id = p.id and x.source = $2
  left join lms.usernames u on u.person_id = p.id and u.platform = $2
 where e.session_id = $1 and p.erased_at is null
 order by e.id;

-- name: Pseudonyms
select n.name, replace(identity.erased_subject($1, n.name), 'erased:', 'anon:') as pseudonym from unnest($2::text[]) as n(name);

-- name: ImportByContent
select i.id, coalesce(x.moment, '') as moment, i.file_name, i.dialect, i.collected_at, i.recorded_at, i.rows_new, i.rows_changed, i.rows_unchanged, i.rows_rejected,
       coalesce(encode(i.file_sha256, 'hex'), '') as sha256, i.bytes, i.via, i.imported_by
  from surveys.imports i left join surveys.questionnaires x on x.id = i.questionnaire_id
 where i.session_id = $1 and i.sha256 = $2;

-- name: Imports
select i.id, coalesce(x.moment, '') as moment, i.file_name, i.dialect, i.collected_at, i.recorded_at, i.rows_new, i.rows_changed, i.rows_unchanged, i.rows_rejected,
       coalesce(encode(i.file_sha256, 'hex'), '') as sha256, i.bytes, i.via, i.imported_by
  from surveys.imports i left join surveys.questionnaires x on x.id = i.questionnaire_id
 where i.session_id = $1 and ($2 = '' or i.id < $2)
 order by i.id desc limit $3;

-- name: AddImport
insert into surveys.imports (id, session_id, questionnaire_id, sha256, file_name, dialect, collected_at, recorded_at, rows_new, rows_changed, rows_unchanged, rows_rejected, file_sha256, bytes, via, imported_by)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16);

-- name: AddPiece
insert into surveys.pieces (import_id, n, content) values ($1, $2, $3);

-- name: Piece
select content from surveys.pieces where import_id = $1 and n = $2;

-- name: Import
select i.id, coalesce(x.moment, '') as moment, i.file_name, i.dialect, i.collected_at, i.recorded_at, i.rows_new, i.rows_changed, i.rows_unchanged, i.rows_rejected,
       coalesce(encode(i.file_sha256, 'hex'), '') as sha256, i.bytes, i.via, i.imported_by
  from surveys.imports i left join surveys.questionnaires x on x.id = i.questionnaire_id
 where i.session_id = $1 and i.id = $2;

-- name: AddOutcomes
-- A line that is wrong twice is told of once.
insert into surveys.outcomes (import_id, line, col, outcome, code, detail)
select $1, o.line, o.col, o.outcome, o.code, o.detail
  from unnest($2::int[], $3::int[], $4::text[], $5::text[], $6::text[]) as o(line, col, outcome, code, detail)
on conflict do nothing;

-- name: Outcomes
select line, col, outcome, code, detail from surveys.outcomes where import_id = $1 order by line;

-- name: KnownPosts
select p.post_id, p.thread_id, p.kind, p.created_at, m.answered
  from surveys.posts p left join lateral (select m.answered from surveys.marks m where m.session_id = p.session_id and m.thread_id = p.post_id and m.at <= $2 order by m.at desc, m.seq desc limit 1) m on true
 where p.session_id = $1;

-- name: AddPosts
insert into surveys.posts (session_id, recorded_at, import_id, post_id, thread_id, kind, enrolment_id, learner_id, author, cohort, created_at)
select $1, $2, $3, p.post_id, p.thread_id, p.kind, nullif(p.enrolment_id, ''), nullif(p.learner_id, ''), p.author, p.cohort, p.created_at
  from unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::timestamptz[]) as p(post_id, thread_id, kind, enrolment_id, learner_id, author, cohort, created_at);

-- name: AddMarks
insert into surveys.marks (session_id, at, recorded_at, thread_id, answered) select $1, $2, $3, m.thread_id, m.answered from unnest($4::text[], $5::bool[]) as m(thread_id, answered);

-- name: CheckTheyAreEnrolled
select r.id from surveys.responses r join enrolment.enrolments e on e.id = r.enrolment_id where e.session_id <> r.session_id or e.learner_id <> r.learner_id
union all
select p.session_id || ' ' || p.post_id from surveys.posts p join enrolment.enrolments e on e.id = p.enrolment_id where e.session_id <> p.session_id or e.learner_id <> p.learner_id;

-- name: CheckAnswersWereAsked
select a.response_id, a.question from surveys.answers a join surveys.responses r on r.id = a.response_id join surveys.versions v on v.questionnaire_id = r.questionnaire_id and v.n = r.version
 where not exists (select 1 from jsonb_array_elements(v.content -> 'questions') as x(question) where x.question ->> 'code' = a.question and x.question ->> 'kind' = a.kind);
