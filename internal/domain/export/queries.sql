-- name: Dictionary
-- What the catalogue of the database says of the views; comments of columns are meaning | unit | source.
select v.relname as view, coalesce(obj_description(v.oid, 'pg_class'), '') as says, a.attname as col, format_type(a.atttypid, a.atttypmod) as kind,
       coalesce(col_description(v.oid, a.attnum), '') as said
  from pg_class v join pg_namespace n on n.oid = v.relnamespace join pg_attribute a on a.attrelid = v.oid and a.attnum > 0 and not a.attisdropped
 where n.nspname = 'export' and v.relkind = 'v'
 order by v.relname, a.attnum;

-- name: Unhurried
-- To compile a statement takes seconds, and each of these runs once; how long one may take is for who called to say.
select set_config('jit', 'off', true), set_config('statement_timeout', '0', true);

-- name: AddBulk
insert into export.bulk (id, format, asked_by, asked_at, total) values ($1, $2, $3, $4, (select count(*) from pg_views where schemaname = 'export'))
on conflict (format) where state = 'pending' do nothing;

-- name: PendingBulk
select id from export.bulk where format = $1 and state = 'pending';

-- name: Bulk
select id, format, asked_at, state, done, total, rows, bytes, coalesce(encode(sha256, 'hex'), '') as sha256, as_of, ready_at, expires_at from export.bulk where id = $1;

-- name: Bulks
select id, format, asked_at, state, done, total, rows, bytes, coalesce(encode(sha256, 'hex'), '') as sha256, as_of, ready_at, expires_at
  from export.bulk where $1::text = '' or id < $1 order by id desc limit $2;

-- name: Attempt
update export.bulk set attempt = attempt + 1, done = 0, rows = 0, bytes = 0 where id = $1 and state = 'pending' returning attempt, format;

-- name: DropPieces
delete from export.pieces where bulk_id = $1 and attempt < $2;

-- name: BulkGoes
update export.bulk set done = $3, rows = $4 where id = $1 and attempt = $2 and state = 'pending';

-- name: AddPiece
with b as (update export.bulk set bytes = bytes + length($4::bytea) where id = $1 and attempt = $2 and state = 'pending' returning id)
insert into export.pieces (bulk_id, attempt, n, content) select id, $2, $3, $4 from b;

-- name: BulkReady
update export.bulk set state = 'ready', done = total, rows = $3, sha256 = $4, as_of = $5, ready_at = $6, expires_at = $7 where id = $1 and attempt = $2 and state = 'pending';

-- name: Piece
select p.content from export.pieces p join export.bulk b on b.id = p.bulk_id and b.attempt = p.attempt where p.bulk_id = $1 and p.n = $2 and b.state = 'ready' and b.expires_at > $3;

-- name: View certificates
select * from export.certificates;

-- name: View disputes
select * from export.disputes;

-- name: View edition_sessions
select * from export.edition_sessions;

-- name: View enrolments
select * from export.enrolments;

-- name: View exercise_results
select * from export.exercise_results;

-- name: View exercises
select * from export.exercises;

-- name: View ledger_entries
select * from export.ledger_entries;

-- name: View offers
select * from export.offers;

-- name: View order_lines
select * from export.order_lines;

-- name: View orders
select * from export.orders;

-- name: View outcome_cube
select * from export.outcome_cube;

-- name: View payments
select * from export.payments;

-- name: View programs
select * from export.programs;

-- name: View refunds
select * from export.refunds;

-- name: View sessions
select * from export.sessions;

-- name: View stage_changes
select * from export.stage_changes;

-- name: View survey_answers
select * from export.survey_answers;

