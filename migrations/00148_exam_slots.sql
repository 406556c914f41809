-- +goose Up
-- A slot is a place and a time at which so many may sit an exam. Times are UTC; the zone says what clock hangs on the wall there.
CREATE TABLE exams.slots (
    id           text PRIMARY KEY CHECK (id LIKE 'slt\_%'),
    exam_id      text NOT NULL REFERENCES exams.exams,
    organisation text REFERENCES identity.organisations, -- the partner school that proctors; null: the institute
    place        text NOT NULL CHECK (length(place) BETWEEN 1 AND 300),
    zone         text NOT NULL CHECK (length(zone) BETWEEN 1 AND 60),
    starts_at    timestamptz NOT NULL,
    ends_at      timestamptz NOT NULL,
    capacity     int NOT NULL CHECK (capacity BETWEEN 1 AND 10000),
    state        text NOT NULL DEFAULT 'planned' CHECK (state IN ('planned', 'canceled')),
    version      int NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL,
    CONSTRAINT slot_ends_after_start CHECK (ends_at > starts_at AND ends_at <= starts_at + interval '24 hours')
);
CREATE INDEX slots_by_exam ON exams.slots (exam_id, starts_at, id);
CREATE INDEX slots_by_time ON exams.slots (starts_at, id);
CREATE INDEX slots_by_organisation ON exams.slots (organisation, starts_at) WHERE organisation IS NOT NULL;
GRANT SELECT, INSERT ON exams.slots TO cursus_app;
GRANT UPDATE (organisation, place, zone, starts_at, ends_at, capacity, state, version) ON exams.slots TO cursus_app;

ALTER TABLE exams.sittings
    ADD COLUMN slot_id text REFERENCES exams.slots,
    ADD COLUMN held_state text NOT NULL DEFAULT '' CHECK (held_state IN ('', 'passed', 'failed', 'no_show')), -- the result that is withheld
    DROP CONSTRAINT sittings_state_check,
    ADD CONSTRAINT sittings_state_check CHECK (state IN ('booked', 'withheld', 'passed', 'failed', 'no_show', 'canceled')),
    ADD CONSTRAINT withheld_says_what CHECK ((state = 'withheld') = (held_state <> ''));
CREATE INDEX sittings_by_slot ON exams.sittings (slot_id) WHERE slot_id IS NOT NULL;
CREATE INDEX sittings_withheld ON exams.sittings (enrolment_id) WHERE state = 'withheld';
DROP INDEX exams.one_open_sitting;
CREATE UNIQUE INDEX one_open_sitting ON exams.sittings (enrolment_id, kind) WHERE state IN ('booked', 'withheld');
GRANT UPDATE (slot_id, held_state) ON exams.sittings TO cursus_app;

-- Which slots a sitting was in.
CREATE TABLE exams.sitting_moves (
    seq        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sitting_id text NOT NULL REFERENCES exams.sittings,
    learner_id text NOT NULL REFERENCES identity.people,
    from_slot  text REFERENCES exams.slots,
    to_slot    text REFERENCES exams.slots, -- null: it was canceled
    moved_by   text NOT NULL,
    moved_at   timestamptz NOT NULL
);
CREATE INDEX sitting_moves_by_sitting ON exams.sitting_moves (sitting_id, seq);
CREATE TRIGGER sitting_moves_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON exams.sitting_moves FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();

-- Who waits for a place in a slot, in the order of their numbers; a place that became free is kept for the first of them for a time.
CREATE TABLE exams.waiting (
    seq          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    slot_id      text NOT NULL REFERENCES exams.slots,
    enrolment_id text NOT NULL REFERENCES enrolment.enrolments,
    learner_id   text NOT NULL REFERENCES identity.people,
    state        text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'offered', 'taken', 'lapsed', 'left')),
    asked_at     timestamptz NOT NULL,
    offered_at   timestamptz,
    offer_until  timestamptz,
    CHECK ((offered_at IS NULL) = (offer_until IS NULL))
);
CREATE UNIQUE INDEX waits_once ON exams.waiting (slot_id, enrolment_id) WHERE state IN ('waiting', 'offered');
CREATE INDEX waiting_in_order ON exams.waiting (slot_id, seq) WHERE state IN ('waiting', 'offered');
CREATE INDEX waiting_by_learner ON exams.waiting (learner_id);
GRANT UPDATE (state, offered_at, offer_until) ON exams.waiting TO cursus_app;
-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['sitting_moves', 'waiting'] LOOP
        EXECUTE format('ALTER TABLE exams.%I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY house ON exams.%I TO cursus_app USING (platform.actor() = ''system'' OR platform.actor() LIKE ''staff:%%'')', t);
        EXECUTE format('CREATE POLICY own ON exams.%I FOR SELECT TO cursus_app USING (platform.actor() = ''learner:'' || learner_id)', t);
        EXECUTE format('GRANT SELECT, INSERT ON exams.%I TO cursus_app', t);
    END LOOP;
END $$;
-- +goose StatementEnd
