-- +goose Up
-- What partner schools and the institute are told of, over HTTP, when it happens.
CREATE SCHEMA webhooks;
GRANT USAGE ON SCHEMA webhooks TO cursus_app;

CREATE TABLE webhooks.endpoints (
    id               text PRIMARY KEY CHECK (id LIKE 'whe\_%'),
    organisation     text CONSTRAINT organisation_known REFERENCES identity.organisations, -- null: the institute, which hears of everything
    url              text NOT NULL CHECK (length(url) BETWEEN 1 AND 500),
    description      text NOT NULL DEFAULT '' CHECK (length(description) <= 200),
    types            text[] NOT NULL, -- empty: all
    state            text NOT NULL CHECK (state IN ('enabled', 'disabled')),
    disabled_because text CHECK (disabled_because IN ('asked', 'gone', 'failing')),
    disabled_at      timestamptz,
    failing_since    timestamptz, -- the first failure after the last success
    busy_until       timestamptz, -- a worker sends to it until then
    asked_at         timestamptz, -- when a worker was last asked to
    version          int NOT NULL DEFAULT 1,
    made_by          text NOT NULL REFERENCES identity.people,
    made_at          timestamptz NOT NULL,
    CONSTRAINT disabled_says_why CHECK ((state = 'disabled') = (disabled_because IS NOT NULL) AND (disabled_because IS NULL) = (disabled_at IS NULL))
);
CREATE INDEX endpoints_by_organisation ON webhooks.endpoints (organisation, id);

-- What signs, sealed under a key that is not in the database. An old secret lives on for a day after the new one was made.
CREATE TABLE webhooks.secrets (
    endpoint_id text NOT NULL REFERENCES webhooks.endpoints ON DELETE CASCADE,
    n           int NOT NULL CHECK (n > 0),
    sealed      bytea NOT NULL CHECK (length(sealed) BETWEEN 40 AND 200),
    made_at     timestamptz NOT NULL,
    until       timestamptz,
    PRIMARY KEY (endpoint_id, n)
);

-- What happened, in the very bytes that are signed. Its cause tells it from another of its type, so that a reaction that runs twice
-- tells once.
CREATE TABLE webhooks.events (
    id      text PRIMARY KEY CHECK (id LIKE 'evt\_%'),
    type    text NOT NULL CHECK (type ~ '^[a-z]+(\.[a-z_]+)+$'),
    cause   text NOT NULL CHECK (length(cause) BETWEEN 1 AND 200),
    at      timestamptz NOT NULL,
    body    text NOT NULL CHECK (length(body) BETWEEN 2 AND 65536),
    made_at timestamptz NOT NULL,
    CONSTRAINT told_once UNIQUE (type, cause)
);
CREATE INDEX events_by_time ON webhooks.events (made_at);

CREATE TABLE webhooks.deliveries (
    id          text PRIMARY KEY CHECK (id LIKE 'whd\_%'),
    endpoint_id text NOT NULL REFERENCES webhooks.endpoints ON DELETE CASCADE,
    event_id    text NOT NULL REFERENCES webhooks.events,
    state       text NOT NULL CHECK (state IN ('pending', 'delivered', 'failed', 'held')),
    step        int NOT NULL DEFAULT 0 CHECK (step >= 0),  -- attempts since it was last asked for
    tried       int NOT NULL DEFAULT 0 CHECK (tried >= 0), -- attempts in all
    status      int,                                       -- of the last answer
    made_at     timestamptz NOT NULL,
    due_at      timestamptz,
    ended_at    timestamptz,
    CONSTRAINT delivered_to_each_once UNIQUE (endpoint_id, event_id),
    CONSTRAINT pending_is_due CHECK ((state = 'pending') = (due_at IS NOT NULL) AND (state = 'pending') = (ended_at IS NULL))
);
CREATE INDEX deliveries_due ON webhooks.deliveries (endpoint_id, due_at, id) WHERE state = 'pending';
CREATE INDEX deliveries_by_time ON webhooks.deliveries (endpoint_id, id);
CREATE INDEX deliveries_ended ON webhooks.deliveries (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX deliveries_by_event ON webhooks.deliveries (event_id);

CREATE TABLE webhooks.attempts (
    delivery_id text NOT NULL REFERENCES webhooks.deliveries ON DELETE CASCADE,
    n           int NOT NULL CHECK (n > 0),
    at          timestamptz NOT NULL,
    duration_ms bigint NOT NULL CHECK (duration_ms >= 0),
    status      int,                                     -- of the answer
    failure     text CHECK (length(failure) BETWEEN 1 AND 40), -- where there was none
    response    text NOT NULL DEFAULT '' CHECK (octet_length(response) <= 6144), -- its beginning
    PRIMARY KEY (delivery_id, n),
    CONSTRAINT answered_or_failed CHECK ((status IS NULL) <> (failure IS NULL))
);

ALTER TABLE webhooks.endpoints ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhooks.secrets ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhooks.events ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhooks.deliveries ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhooks.attempts ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON webhooks.endpoints TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY house ON webhooks.secrets TO cursus_app USING (platform.actor() = 'system');
CREATE POLICY house ON webhooks.events TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY house ON webhooks.deliveries TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY house ON webhooks.attempts TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY managers ON webhooks.endpoints FOR SELECT TO cursus_app
    USING (EXISTS (SELECT 1 FROM identity.managers m WHERE m.organisation = endpoints.organisation AND platform.actor() = 'learner:' || m.person_id));
CREATE POLICY managers ON webhooks.deliveries FOR SELECT TO cursus_app USING (EXISTS (SELECT 1 FROM webhooks.endpoints e WHERE e.id = endpoint_id));
CREATE POLICY managers ON webhooks.events FOR SELECT TO cursus_app USING (EXISTS (SELECT 1 FROM webhooks.deliveries d WHERE d.event_id = events.id));
CREATE POLICY managers ON webhooks.attempts FOR SELECT TO cursus_app USING (EXISTS (SELECT 1 FROM webhooks.deliveries d WHERE d.id = delivery_id));
GRANT SELECT, INSERT, UPDATE, DELETE ON webhooks.endpoints, webhooks.secrets, webhooks.deliveries TO cursus_app;
GRANT SELECT, INSERT, DELETE ON webhooks.events, webhooks.attempts TO cursus_app;

-- Whose an order is beside its buyer's: the organisation's that bought, the school's at whose desk it was paid, and the school's for
-- whose members alone everything in it was offered.
CREATE VIEW webhooks.owners WITH (security_invoker = true) AS
    SELECT o.id AS order_id, o.organisation FROM sales.orders o WHERE o.organisation IS NOT NULL
    UNION
    SELECT r.order_id, r.organisation FROM payments.receipts r WHERE r.order_id IS NOT NULL AND r.organisation IS NOT NULL
    UNION
    SELECT l.order_id, min(f.audience) FROM sales.lines l JOIN offers.offers f ON f.id = l.offer_id
     GROUP BY l.order_id HAVING count(*) = count(f.audience) AND min(f.audience) = max(f.audience);
GRANT SELECT ON webhooks.owners TO cursus_app;
