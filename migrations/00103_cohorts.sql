-- +goose Up
-- A partner organisation's group in a session or in an edition of a program.
CREATE SCHEMA cohorts;
GRANT USAGE ON SCHEMA cohorts TO cursus_app;

CREATE TABLE cohorts.cohorts (
    id           text PRIMARY KEY CHECK (id LIKE 'coh\_%'),
    organisation text NOT NULL CONSTRAINT organisation_known REFERENCES identity.organisations,
    key          text NOT NULL CHECK (key ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$'), -- the organisation's own name of it, such as the id of a class
    name         text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    offer_id     text NOT NULL REFERENCES offers.offers, -- whose formula its members have
    thing_id     text NOT NULL,                          -- the session or edition that the offer is on
    agreement    text NOT NULL CHECK (agreement IN ('prepaid', 'pay_at_school')),
    order_id     text,                                   -- prepaid: the line of the organisation's order whose seats are given
    line         int,
    seats        int CHECK (seats BETWEEN 1 AND 1000000), -- null: without limit
    version      int NOT NULL DEFAULT 1,
    made_by      text NOT NULL REFERENCES identity.people,
    made_at      timestamptz NOT NULL,
    closed_at    timestamptz,                            -- nobody comes in any more
    FOREIGN KEY (order_id, line) REFERENCES sales.lines,
    CONSTRAINT cohort_key_once UNIQUE (organisation, key),
    CONSTRAINT prepaid_from_a_pool CHECK ((agreement = 'prepaid') = (order_id IS NOT NULL) AND (order_id IS NULL) = (line IS NULL))
);
CREATE UNIQUE INDEX one_cohort_per_pool ON cohorts.cohorts (order_id, line) WHERE order_id IS NOT NULL;
CREATE INDEX cohorts_by_thing ON cohorts.cohorts (organisation, thing_id);

-- Who is in a cohort, under the school's own key. Who has no account waits under it.
CREATE TABLE cohorts.members (
    id           text PRIMARY KEY CHECK (id LIKE 'cme\_%'),
    cohort_id    text NOT NULL REFERENCES cohorts.cohorts,
    organisation text NOT NULL,
    thing_id     text NOT NULL,
    student_key  text NOT NULL CHECK (length(student_key) BETWEEN 1 AND 255),
    state        text NOT NULL CONSTRAINT member_state_known CHECK (state IN ('waiting', 'enrolled', 'suspended', 'withdrawn', 'transferred')),
    email        text CHECK (length(email) BETWEEN 3 AND 254),
    given_name   text CHECK (length(given_name) <= 255),
    family_name  text CHECK (length(family_name) <= 255),
    lang         text CHECK (lang IN ('en', 'fr')),
    person_id    text REFERENCES identity.people, -- null: nobody has proven yet that she is this student
    order_id     text REFERENCES sales.orders,    -- under which she is, or is to be, enrolled
    seat_id      text REFERENCES sales.seats,     -- prepaid: her seat of it
    enrolled_at  timestamptz,                     -- while her right to learn stands, suspended or not
    waits_for    text CHECK (length(waits_for) BETWEEN 1 AND 60), -- why she is not enrolled yet: account, payment, or the code of what refused it
    tried_at     timestamptz,                     -- when she was last refused
    due          boolean NOT NULL DEFAULT true,   -- what follows of her state is still to be done in the rooms below
    tries        int NOT NULL DEFAULT 0,          -- orders that were placed for her: each has its own key
    added_by     text NOT NULL REFERENCES identity.people,
    added_at     timestamptz NOT NULL,
    changed_at   timestamptz NOT NULL,
    CONSTRAINT member_once UNIQUE (cohort_id, student_key),
    CONSTRAINT enrolled_is_somebody CHECK ((state <> 'enrolled' OR enrolled_at IS NOT NULL) AND (enrolled_at IS NULL OR person_id IS NOT NULL AND order_id IS NOT NULL))
);
CREATE UNIQUE INDEX student_in_one_cohort ON cohorts.members (organisation, thing_id, student_key) WHERE state IN ('waiting', 'enrolled', 'suspended');
CREATE UNIQUE INDEX address_in_one_cohort ON cohorts.members (organisation, thing_id, email) WHERE state IN ('waiting', 'enrolled', 'suspended');
CREATE UNIQUE INDEX person_in_one_cohort ON cohorts.members (organisation, thing_id, person_id) WHERE state IN ('waiting', 'enrolled', 'suspended');
CREATE INDEX members_by_key ON cohorts.members (organisation, student_key);
CREATE INDEX members_due ON cohorts.members (cohort_id, id) WHERE due;
CREATE INDEX members_by_cohort ON cohorts.members (cohort_id, id);
CREATE INDEX members_by_address ON cohorts.members (email) WHERE state = 'waiting' AND person_id IS NULL;
CREATE INDEX members_by_order ON cohorts.members (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX members_by_seat ON cohorts.members (seat_id) WHERE seat_id IS NOT NULL;
CREATE INDEX members_by_person ON cohorts.members (person_id) WHERE person_id IS NOT NULL;

-- Every move of a member, and why.
CREATE TABLE cohorts.moves (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    member_id  text NOT NULL REFERENCES cohorts.members,
    from_state text, -- null: she came
    to_state   text NOT NULL,
    cause      text NOT NULL CHECK (length(cause) BETWEEN 1 AND 200),
    moved_by   text NOT NULL,
    at         timestamptz NOT NULL
);
CREATE INDEX moves_by_member ON cohorts.moves (member_id, id);

ALTER TABLE cohorts.cohorts ENABLE ROW LEVEL SECURITY;
ALTER TABLE cohorts.members ENABLE ROW LEVEL SECURITY;
ALTER TABLE cohorts.moves ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON cohorts.cohorts TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY house ON cohorts.members TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY house ON cohorts.moves TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY school ON cohorts.cohorts FOR SELECT TO cursus_app
    USING (EXISTS (SELECT 1 FROM identity.managers m WHERE m.organisation = cohorts.organisation AND platform.actor() = 'learner:' || m.person_id));
CREATE POLICY school ON cohorts.members FOR SELECT TO cursus_app
    USING (EXISTS (SELECT 1 FROM identity.managers m WHERE m.organisation = members.organisation AND platform.actor() = 'learner:' || m.person_id));
CREATE POLICY own ON cohorts.members FOR SELECT TO cursus_app USING (platform.actor() = 'learner:' || person_id);
CREATE POLICY school ON cohorts.moves FOR SELECT TO cursus_app USING (EXISTS (SELECT 1 FROM cohorts.members m WHERE m.id = member_id));
GRANT SELECT, INSERT ON cohorts.cohorts, cohorts.members, cohorts.moves TO cursus_app;
GRANT UPDATE (key, name, seats, closed_at, version) ON cohorts.cohorts TO cursus_app;
GRANT UPDATE (state, email, given_name, family_name, lang, person_id, order_id, seat_id, enrolled_at, waits_for, tried_at, due, tries, changed_at) ON cohorts.members TO cursus_app;

-- What a school holds back of one of its learners while she is suspended, or after it withdrew her: her own orders are not touched by it,
-- and neither is what an unpaid instalment holds back.
ALTER TABLE enrolment.grants ADD COLUMN suspended boolean NOT NULL DEFAULT false;
GRANT UPDATE (suspended) ON enrolment.grants TO cursus_app;
