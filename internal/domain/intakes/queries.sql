-- name: History
select id, kind, file_name, collected_at, recorded_at, taken_by, via, sha256, bytes, kept, rows, added, gone, back, changed, unchanged, rejected, ignored
  from intakes.history where session_id = $1 and ($2::timestamptz is null or (recorded_at, id) < ($2, $3)) order by recorded_at desc, id desc limit $4;

-- name: Intake
select id, kind, file_name, collected_at, recorded_at, taken_by, via, sha256, bytes, kept, rows, added, gone, back, changed, unchanged, rejected, ignored
  from intakes.history where session_id = $1 and id = $2;

-- name: Learners
select id, learner_id from enrolment.enrolments where id = any($1::text[]);

-- name: AddBatch
insert into intakes.batches (id, session_id, state, exams, asked_by, made_at, changed_at) values ($1, $2, $3, $4, $5, $6, $6);

-- name: Lock
select 1 from intakes.batches where id = $1 for update;

-- name: Batch
select b.id, s.key as session, b.session_id, b.state, b.version, b.mappings, b.exams, b.asked_by, b.made_at
  from intakes.batches b join catalog.sessions s on s.id = b.session_id where b.id = $1;

-- name: Waiting
select b.id, s.key as session, b.session_id, b.state, b.version, b.mappings, b.exams, b.asked_by, b.made_at
  from intakes.batches b join catalog.sessions s on s.id = b.session_id where b.session_id = $1 and b.state not in ('coming', 'applied') order by b.made_at desc, b.id desc limit 20;

-- name: Files
select id, place, file_name, coalesce(bytes, -1) as bytes, kind, collected_at, skipped, state, percent, taken, problem from intakes.files where batch_id = $1 order by place;

-- name: AddFile
insert into intakes.files (id, batch_id, place, file_name, state) values ($1, $2, $3, $4, 'coming');

-- name: AddPiece
insert into intakes.pieces (file_id, n, content) values ($1, $2, $3);

-- name: Piece
select content from intakes.pieces where file_id = $1 and n = $2;

-- name: FileCame
update intakes.files set bytes = $2, sha256 = $3, state = $4 where id = $1;

-- name: Say
update intakes.files set kind = $2, collected_at = $3, skipped = $4, percent = 0, state = case when state in ('tried', 'refused') and bytes is not null then 'waiting' else state end where id = $1;

-- name: Skip
update intakes.files set kind = $2, collected_at = $3, skipped = $4, percent = 0 where id = $1;

-- name: Move
update intakes.batches set state = $2, mappings = $3, exams = $4, asked_by = $5, changed_at = $6, version = version + 1 where id = $1;

-- name: Done
update intakes.batches set state = $2, changed_at = $3, version = version + 1 where id = $1;

-- name: Settle
update intakes.files set state = $2, taken = $3, problem = $4, percent = 100 where id = $1;

-- name: Progress
update intakes.files set percent = $2 where id = $1 and percent <> $2;

-- name: DropPieces
delete from intakes.pieces where file_id = $1;

-- name: DropAllPieces
delete from intakes.pieces where file_id in (select id from intakes.files where batch_id = $1);

-- name: DropBatch
delete from intakes.batches where id = $1;

-- name: Forget
delete from intakes.batches where changed_at < $1;
