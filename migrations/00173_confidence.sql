-- +goose Up
-- A mock exam can be a column of the grade reports.
ALTER TABLE catalog.exercises DROP CONSTRAINT exercises_activity_check,
    ADD CONSTRAINT exercises_activity_check CHECK (activity IN ('quiz', 'case_study', 'lab', 'mock'));

-- The way from a good grade to the exam: who is reminded of it and called, by whom, and what came of it.
CREATE SCHEMA confidence;
GRANT USAGE ON SCHEMA confidence TO cursus_app;

-- When the learners of a session are reminded of the exam that they may sit and have not booked; without a row, as the house does by itself.
CREATE TABLE confidence.plans (
    session_id   text PRIMARY KEY REFERENCES catalog.sessions,
    days         int[] NOT NULL CHECK (cardinality(days) <= 10), -- before it can be booked no more; none: nobody is reminded
    hold_out_ppt int NOT NULL CHECK (hold_out_ppt BETWEEN 0 AND 500), -- of a thousand learners, how many are neither reminded nor called, to see what that does
    version      int NOT NULL DEFAULT 1,
    changed_by   text NOT NULL CHECK (length(changed_by) BETWEEN 1 AND 200),
    changed_at   timestamptz NOT NULL
);

-- Each time that somebody was written to or called about her exam, or was left out to compare with.
CREATE TABLE confidence.contacts (
    seq          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    enrolment_id text NOT NULL REFERENCES enrolment.enrolments,
    learner_id   text NOT NULL REFERENCES identity.people,
    session_id   text NOT NULL REFERENCES catalog.sessions,
    how          text NOT NULL CHECK (how IN ('reminder', 'call')),
    step         int CHECK (step BETWEEN 1 AND 365), -- of a reminder: so many days before
    outcome      text NOT NULL,
    note         text NOT NULL DEFAULT '' CHECK (length(note) <= 1000),
    by           text NOT NULL CHECK (length(by) BETWEEN 1 AND 200),
    at           timestamptz NOT NULL,
    CONSTRAINT contact_outcome CHECK (CASE how WHEN 'reminder' THEN outcome IN ('written', 'held_out', 'skipped') AND step IS NOT NULL
                                               ELSE outcome IN ('reached', 'no_answer', 'call_back', 'will_book', 'will_not', 'wrong_number') AND step IS NULL END)
);
CREATE UNIQUE INDEX reminded_once ON confidence.contacts (enrolment_id, step) WHERE how = 'reminder';
CREATE INDEX contacts_by_enrolment ON confidence.contacts (enrolment_id, seq DESC);
CREATE INDEX contacts_by_session ON confidence.contacts (session_id, at);
CREATE INDEX contacts_by_learner ON confidence.contacts (learner_id);
CREATE TRIGGER contacts_append_only BEFORE DELETE OR TRUNCATE ON confidence.contacts FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();
CREATE TRIGGER contacts_only_wipes BEFORE UPDATE ON confidence.contacts FOR EACH ROW EXECUTE FUNCTION platform.only_wipes('note');

-- Who calls whom; the latest row holds, and an empty coach is nobody.
CREATE TABLE confidence.coaches (
    seq          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    enrolment_id text NOT NULL REFERENCES enrolment.enrolments,
    learner_id   text NOT NULL REFERENCES identity.people,
    coach        text REFERENCES identity.people,
    by           text NOT NULL CHECK (length(by) BETWEEN 1 AND 200),
    at           timestamptz NOT NULL
);
CREATE INDEX coaches_by_enrolment ON confidence.coaches (enrolment_id, seq DESC);
CREATE INDEX coaches_by_learner ON confidence.coaches (learner_id);
CREATE TRIGGER coaches_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON confidence.coaches FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();

-- The number under which a learner agreed to be called about her exam.
CREATE TABLE confidence.numbers (
    learner_id text PRIMARY KEY REFERENCES identity.people,
    number     text NOT NULL CHECK (number ~ '^\+?[0-9][0-9 ().-]{4,28}[0-9]$'),
    said_at    timestamptz NOT NULL
);

-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['contacts', 'coaches', 'numbers'] LOOP
        EXECUTE format('ALTER TABLE confidence.%I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY house ON confidence.%I TO cursus_app USING (platform.actor() = ''system'' OR platform.actor() LIKE ''staff:%%'')', t);
        EXECUTE format('GRANT SELECT, INSERT ON confidence.%I TO cursus_app', t);
    END LOOP;
END $$;
-- +goose StatementEnd
GRANT UPDATE (note) ON confidence.contacts TO cursus_app;
GRANT UPDATE, DELETE ON confidence.numbers TO cursus_app;
GRANT SELECT, INSERT, UPDATE ON confidence.plans TO cursus_app;

-- Until when the exam of a session can be booked: its window, or the start of its last slot, whichever comes first. Null: for ever.
CREATE FUNCTION confidence.closes_at(session text) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT least((SELECT e.closes_at FROM exams.exams e WHERE e.session_id = session AND e.kind = 'proctored'),
                 (SELECT max(x.starts_at) FROM exams.slots x JOIN exams.exams e ON e.id = x.exam_id WHERE e.session_id = session AND e.kind = 'proctored' AND x.state = 'planned'))
$$;

-- Who is held out is drawn by a hash, so that a learner is so at every step of a session, and stays so when the share grows.
CREATE FUNCTION confidence.held_out(session text, learner text, ppt int) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT ('x' || substr(encode(sha256(convert_to(session || '/' || learner, 'UTF8')), 'hex'), 1, 8))::bit(32)::bigint % 1000 < ppt
$$;
