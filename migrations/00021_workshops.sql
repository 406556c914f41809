-- +goose Up
CREATE SCHEMA workshops;
GRANT USAGE ON SCHEMA workshops TO cursus_app;

-- A day on which a hybrid session meets in a room. Money is in minor units.
CREATE TABLE workshops.days (
    id             text PRIMARY KEY CHECK (id LIKE 'wsd\_%'),
    session_id     text NOT NULL REFERENCES catalog.sessions,
    title_en       text NOT NULL DEFAULT '' CHECK (length(title_en) <= 200),
    title_fr       text NOT NULL DEFAULT '' CHECK (length(title_fr) <= 200),
    place          text NOT NULL CHECK (length(place) BETWEEN 1 AND 300),
    zone           text NOT NULL CHECK (length(zone) BETWEEN 1 AND 60), -- of the place, as in the time zone database
    starts_at      timestamptz NOT NULL,
    ends_at        timestamptz NOT NULL,
    capacity       int NOT NULL CHECK (capacity BETWEEN 1 AND 10000),
    currency       text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    cost_minor     bigint NOT NULL DEFAULT 0 CHECK (cost_minor BETWEEN 0 AND 100000000000), -- of the day
    per_head_minor bigint NOT NULL DEFAULT 0 CHECK (per_head_minor BETWEEN 0 AND 100000000), -- and of each who attends
    state          text NOT NULL CHECK (state IN ('planned', 'held', 'canceled')),
    held_at        timestamptz,
    version        int NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL,
    CONSTRAINT day_ends_after_start CHECK (ends_at > starts_at AND ends_at - starts_at <= interval '24 hours'),
    CHECK ((held_at IS NOT NULL) = (state = 'held'))
);
CREATE INDEX days_by_session ON workshops.days (session_id, starts_at, id);
GRANT SELECT, INSERT ON workshops.days TO cursus_app;
GRANT UPDATE (title_en, title_fr, place, zone, starts_at, ends_at, capacity, currency, cost_minor, per_head_minor, state, held_at, version) ON workshops.days TO cursus_app;

-- A seat of an enrolled learner on a day. A seat that is given back stays, with when.
CREATE TABLE workshops.registrations (
    id            text PRIMARY KEY CHECK (id LIKE 'wrg\_%'),
    day_id        text NOT NULL REFERENCES workshops.days,
    enrolment_id  text NOT NULL REFERENCES enrolment.enrolments,
    learner_id    text NOT NULL REFERENCES identity.people,
    registered_at timestamptz NOT NULL,
    registered_by text NOT NULL CHECK (length(registered_by) BETWEEN 1 AND 100),
    left_at       timestamptz
);
CREATE UNIQUE INDEX one_seat_per_day ON workshops.registrations (day_id, enrolment_id) WHERE left_at IS NULL;
CREATE INDEX registrations_by_enrolment ON workshops.registrations (enrolment_id);
ALTER TABLE workshops.registrations ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON workshops.registrations TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY own ON workshops.registrations FOR SELECT TO cursus_app USING (platform.actor() = 'learner:' || learner_id);
GRANT SELECT, INSERT ON workshops.registrations TO cursus_app;
GRANT UPDATE (left_at) ON workshops.registrations TO cursus_app;

-- Who came: the last line of a learner and a day holds, the earlier ones are its history.
CREATE TABLE workshops.attendance (
    seq          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    day_id       text NOT NULL REFERENCES workshops.days,
    enrolment_id text NOT NULL REFERENCES enrolment.enrolments,
    learner_id   text NOT NULL REFERENCES identity.people,
    status       text NOT NULL CHECK (status IN ('present', 'absent', 'excused')),
    recorded_by  text NOT NULL CHECK (length(recorded_by) BETWEEN 1 AND 100),
    recorded_at  timestamptz NOT NULL
);
CREATE INDEX attendance_by_day ON workshops.attendance (day_id, enrolment_id, seq DESC);
CREATE INDEX attendance_by_enrolment ON workshops.attendance (enrolment_id, day_id, seq DESC);
CREATE TRIGGER attendance_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON workshops.attendance
    FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();
ALTER TABLE workshops.attendance ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON workshops.attendance TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY own ON workshops.attendance FOR SELECT TO cursus_app USING (platform.actor() = 'learner:' || learner_id);
GRANT SELECT, INSERT ON workshops.attendance TO cursus_app;

-- What her production was worth: the last line of an enrolment holds.
CREATE TABLE workshops.productions (
    seq          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    session_id   text NOT NULL REFERENCES catalog.sessions,
    enrolment_id text NOT NULL REFERENCES enrolment.enrolments,
    learner_id   text NOT NULL REFERENCES identity.people,
    grade_ppm    int NOT NULL CHECK (grade_ppm BETWEEN 0 AND 1000000),
    note         text NOT NULL DEFAULT '' CHECK (length(note) <= 500),
    recorded_by  text NOT NULL CHECK (length(recorded_by) BETWEEN 1 AND 100),
    recorded_at  timestamptz NOT NULL
);
CREATE INDEX productions_by_enrolment ON workshops.productions (enrolment_id, seq DESC);
CREATE INDEX productions_by_session ON workshops.productions (session_id, enrolment_id, seq DESC);
CREATE TRIGGER productions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON workshops.productions
    FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();
ALTER TABLE workshops.productions ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON workshops.productions TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY own ON workshops.productions FOR SELECT TO cursus_app USING (platform.actor() = 'learner:' || learner_id);
GRANT SELECT, INSERT ON workshops.productions TO cursus_app;

-- What was posted of the cost of a day: the ledger's reference is the day and the number; a correction takes the posting
-- before it back and posts anew.
CREATE TABLE workshops.costings (
    day_id      text NOT NULL REFERENCES workshops.days,
    number      int NOT NULL CHECK (number > 0),
    total_minor bigint NOT NULL CHECK (total_minor >= 0),
    currency    text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    enrolments  text[] NOT NULL,
    shares      bigint[] NOT NULL,
    recorded_by text NOT NULL CHECK (length(recorded_by) BETWEEN 1 AND 100),
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (day_id, number),
    CHECK (cardinality(enrolments) = cardinality(shares))
);
CREATE TRIGGER costings_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON workshops.costings
    FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();
GRANT SELECT, INSERT ON workshops.costings TO cursus_app;
