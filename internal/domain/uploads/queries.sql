-- name: Busy
select exists (select 1 from uploads.uploads where cohort_id = $1 and state = 'applying');

-- name: Add
insert into uploads.uploads (id, cohort_id, file_name, bytes, sha256, format, mode, class, rows, unended, state, made_by, made_at)
values ($1, $2, $3, $4, decode($5, 'hex'), $6, $7, $8, $9, $10, 'checking', $11, $12);

-- name: AddContent
insert into uploads.contents (upload_id, rows, rows_sha256) values ($1, $2::bytea, sha256($2::bytea));

-- name: Lock
select 1 from uploads.uploads where id = $1 for update;

-- name: Upload
select id, cohort_id, file_name, bytes, encode(sha256, 'hex') as sha256, format, mode, class, rows, unended, state, report, problem, problem_detail,
       made_by, made_at, checked_at, coalesce(asked_by, '') as asked_by, applied_at
  from uploads.uploads where id = $1 and ($2::text = '' or cohort_id = $2);

-- name: Uploads
select id, cohort_id, file_name, bytes, encode(sha256, 'hex') as sha256, format, mode, class, rows, unended, state, report, problem, problem_detail,
       made_by, made_at, checked_at, coalesce(asked_by, '') as asked_by, applied_at
  from uploads.uploads where cohort_id = $1 and ($2::text = '' or id < $2) order by id desc limit $3;

-- name: Ask
update uploads.uploads set state = $2, problem = '', problem_detail = '', asked_by = $3 where id = $1;

-- name: Settle
update uploads.uploads
   set state = $2, report = $3::jsonb, problem = $4, problem_detail = $5, checked_at = case when $2 = 'checked' then $6::timestamptz else checked_at end,
       applied_at = case when $2 = 'applied' then $6::timestamptz end
 where id = $1;

-- name: Fail
update uploads.uploads set state = $2, problem = $3, problem_detail = $4 where id = $1;

-- name: Rows
select rows from uploads.contents where upload_id = $1;

-- name: Outcome
select outcome from uploads.contents where upload_id = $1 and outcome is not null;

-- name: PutOutcome
update uploads.contents set outcome = $2 where upload_id = $1;

-- name: Forget
delete from uploads.contents c using uploads.uploads u where u.id = c.upload_id and u.made_at < $1 and u.state not in ('checking', 'applying');

-- name: CheckMoves
select m.cause from cohorts.moves m where m.cause like 'upl\_%' and not exists (select 1 from uploads.uploads u where u.id = m.cause and u.state = 'applied') limit 10;

-- name: CheckContents
select upload_id from uploads.contents where sha256(rows) <> rows_sha256;

-- name: Files
select u.id, c.organisation, u.state, coalesce(u.report::text, '') as report
  from uploads.uploads u join cohorts.cohorts c on c.id = u.cohort_id
 where u.report is not null or exists (select 1 from uploads.contents x where x.upload_id = u.id) order by u.id;

-- name: DropContent
delete from uploads.contents where upload_id = $1;

-- name: WipeReport
update uploads.uploads set report = report || '{"refused": [], "gone": []}'::jsonb, problem_detail = '' where id = $1;
