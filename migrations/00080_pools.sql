-- +goose Up
-- A link by which seats of a line are claimed. Its token is shown once; what is kept is a hash.
CREATE TABLE sales.claim_links (
    id         text PRIMARY KEY CHECK (id LIKE 'lnk\_%'),
    order_id   text NOT NULL,
    line       int NOT NULL,
    hash       bytea NOT NULL CONSTRAINT claim_link_once UNIQUE,
    max_uses   int NOT NULL CHECK (max_uses BETWEEN 1 AND 10000),
    made_by    text NOT NULL REFERENCES identity.people,
    made_at    timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    FOREIGN KEY (order_id, line) REFERENCES sales.lines,
    CONSTRAINT claim_link_lives CHECK (expires_at > made_at)
);
CREATE INDEX claim_links_by_line ON sales.claim_links (order_id, line);

-- A seat of an organisation's line from when it is given to somebody: reserved for an address, claimed by a person, ended when it is
-- hers no more. Its number is that of its parts, which hold its share of the money while it is claimed; it is never given again. What
-- nobody was given has no row.
CREATE TABLE sales.seats (
    id            text PRIMARY KEY CHECK (id LIKE 'sea\_%'),
    order_id      text NOT NULL,
    line          int NOT NULL,
    seat          int NOT NULL CHECK (seat > 0),
    state         text NOT NULL CONSTRAINT seat_state_known CHECK (state IN ('reserved', 'claimed', 'returning', 'returned', 'ended')),
    email         text CHECK (length(email) BETWEEN 3 AND 254), -- for whom it is or was reserved
    name          text CHECK (length(name) <= 255),
    person_id     text REFERENCES identity.people,
    membership_id text REFERENCES enrolment.memberships,
    link_id       text REFERENCES sales.claim_links,
    given_at      timestamptz NOT NULL,
    claimed_at    timestamptz,
    ended_at      timestamptz,
    ended_because text CHECK (length(ended_because) <= 200),
    FOREIGN KEY (order_id, line) REFERENCES sales.lines,
    CONSTRAINT seat_once UNIQUE (order_id, line, seat),
    CONSTRAINT reserved_for_an_address CHECK (state <> 'reserved' OR email IS NOT NULL),
    CONSTRAINT claimed_by_somebody CHECK (state <> 'claimed' OR person_id IS NOT NULL AND claimed_at IS NOT NULL),
    CONSTRAINT ended_says_why CHECK ((state = 'ended') = (ended_at IS NOT NULL) AND (ended_at IS NULL) = (ended_because IS NULL))
);
CREATE UNIQUE INDEX one_seat_per_person ON sales.seats (order_id, line, person_id) WHERE state = 'claimed';
CREATE UNIQUE INDEX one_seat_per_address ON sales.seats (order_id, line, email) WHERE state = 'reserved';
CREATE INDEX seats_by_person ON sales.seats (person_id) WHERE state = 'claimed';
CREATE INDEX seats_by_address ON sales.seats (email) WHERE state = 'reserved';
CREATE INDEX seats_by_link ON sales.seats (link_id) WHERE link_id IS NOT NULL;

ALTER TABLE sales.claim_links ENABLE ROW LEVEL SECURITY;
ALTER TABLE sales.seats ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON sales.claim_links TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY house ON sales.seats TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY managers ON sales.claim_links FOR SELECT TO cursus_app USING (EXISTS (SELECT 1 FROM sales.orders o WHERE o.id = order_id));
CREATE POLICY managers ON sales.seats FOR SELECT TO cursus_app USING (EXISTS (SELECT 1 FROM sales.orders o WHERE o.id = order_id));
CREATE POLICY own ON sales.seats FOR SELECT TO cursus_app USING (platform.actor() = 'learner:' || person_id);
GRANT SELECT, INSERT ON sales.claim_links, sales.seats TO cursus_app;
GRANT UPDATE (revoked_at) ON sales.claim_links TO cursus_app;
GRANT UPDATE (state, person_id, membership_id, claimed_at, ended_at, ended_because) ON sales.seats TO cursus_app;

-- A seat that was hers, went to another and came back is granted anew by the same order: once at a time.
ALTER TABLE enrolment.grants DROP CONSTRAINT one_grant_per_order;
CREATE UNIQUE INDEX one_grant_per_order ON enrolment.grants (order_id, enrolment_id, (CASE WHEN revoked_at IS NULL THEN '' ELSE id END));
ALTER TABLE enrolment.memberships DROP CONSTRAINT one_membership_per_order;
CREATE UNIQUE INDEX one_membership_per_order ON enrolment.memberships (order_id, edition_id, learner_id, (CASE WHEN revoked_at IS NULL THEN '' ELSE id END));
