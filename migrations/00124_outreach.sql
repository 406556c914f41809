-- +goose Up
-- Mails that people may refuse: announcements, the weekly mail on one's progress, reminders; who was written to, and what became of it.
CREATE SCHEMA outreach;
GRANT USAGE ON SCHEMA outreach TO cursus_app;

CREATE TABLE outreach.campaigns (
    id           text PRIMARY KEY CHECK (id LIKE 'cmp\_%'),
    kind         text NOT NULL CHECK (kind IN ('announcement', 'weekly', 'nudge')),
    name         text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    occasion     text CONSTRAINT occasion_once UNIQUE CHECK (length(occasion) BETWEEN 1 AND 200), -- what makes two of a kind one: a session and a week, a list
    session_id   text REFERENCES catalog.sessions,   -- what it is about
    edition_id   text REFERENCES programs.editions,
    segment      jsonb NOT NULL,                      -- to whom an announcement goes, by what they did
    texts        jsonb NOT NULL,                      -- its words by standing ('' for one for all), in English and French
    hold_out_ppt int NOT NULL DEFAULT 0 CHECK (hold_out_ppt BETWEEN 0 AND 900), -- of a thousand people, how many are not written to
    state        text NOT NULL CHECK (state IN ('draft', 'scheduled', 'sending', 'done', 'canceled')),
    scheduled_at timestamptz,
    started_at   timestamptz,
    ended_at     timestamptz,
    version      int NOT NULL DEFAULT 1,
    made_by      text NOT NULL CHECK (length(made_by) BETWEEN 1 AND 200),
    made_at      timestamptz NOT NULL,
    CONSTRAINT about_one_thing CHECK (session_id IS NULL OR edition_id IS NULL),
    CONSTRAINT scheduled_has_a_time CHECK (state <> 'scheduled' OR scheduled_at IS NOT NULL),
    CONSTRAINT begun_has_a_time CHECK (state NOT IN ('sending', 'done') OR started_at IS NOT NULL),
    CONSTRAINT ended_has_a_time CHECK ((state IN ('done', 'canceled')) = (ended_at IS NOT NULL))
);
CREATE INDEX campaigns_due ON outreach.campaigns (scheduled_at) WHERE state = 'scheduled';
CREATE INDEX campaigns_sending ON outreach.campaigns (id) WHERE state = 'sending';

-- Who is written to, as found when a campaign began. The row is the intention: it is 'sending' before the mail server is asked, so that a
-- process that dies in between leaves a row that nobody sends again.
CREATE TABLE outreach.recipients (
    id              text PRIMARY KEY CHECK (id LIKE 'rcp\_%'),
    campaign_id     text NOT NULL REFERENCES outreach.campaigns,
    person_id       text NOT NULL REFERENCES identity.people,
    state           text NOT NULL CHECK (state IN ('waiting', 'sending', 'sent', 'uncertain', 'bounced', 'failed', 'skipped', 'held_out', 'canceled')),
    because         text NOT NULL DEFAULT '' CHECK (length(because) <= 40), -- of what was not sent
    standing        text NOT NULL DEFAULT '' CHECK (standing IN ('', 'on_time', 'behind', 'silent')),
    facts           jsonb NOT NULL DEFAULT '{}',        -- what the words say of her progress
    tries           int NOT NULL DEFAULT 0 CHECK (tries >= 0),
    due_at          timestamptz,
    tried_at        timestamptz,
    ended_at        timestamptz,
    unsubscribed_at timestamptz,
    CONSTRAINT once_per_campaign UNIQUE (campaign_id, person_id),
    CONSTRAINT waiting_is_due CHECK ((state = 'waiting') = (due_at IS NOT NULL)),
    CONSTRAINT ended_or_open CHECK ((state IN ('waiting', 'sending')) = (ended_at IS NULL)),
    CONSTRAINT sent_was_tried CHECK (state NOT IN ('sending', 'sent', 'uncertain', 'bounced', 'failed') OR tried_at IS NOT NULL),
    CONSTRAINT skipped_says_why CHECK (state <> 'skipped' OR because <> '')
);
CREATE INDEX recipients_due ON outreach.recipients (due_at, id) WHERE state = 'waiting';
CREATE INDEX recipients_sending ON outreach.recipients (tried_at) WHERE state = 'sending';
CREATE INDEX recipients_tried ON outreach.recipients (tried_at) WHERE tried_at IS NOT NULL;
CREATE INDEX recipients_by_person ON outreach.recipients (person_id);

-- The weekly mail of a session.
CREATE TABLE outreach.weekly (
    session_id text PRIMARY KEY REFERENCES catalog.sessions,
    enabled    boolean NOT NULL,
    weekday    int NOT NULL CHECK (weekday BETWEEN 1 AND 7), -- Monday is 1
    hour       int NOT NULL CHECK (hour BETWEEN 0 AND 23),   -- UTC
    texts      jsonb NOT NULL,
    version    int NOT NULL DEFAULT 1,
    changed_by text NOT NULL CHECK (length(changed_by) BETWEEN 1 AND 200),
    changed_at timestamptz NOT NULL
);

-- Addresses that a mail server refused for good. Only their hash is kept: it outlives the erasure of the person.
CREATE TABLE outreach.dead_addresses (
    address bytea PRIMARY KEY CHECK (length(address) = 32), -- SHA-256
    status  text NOT NULL CHECK (length(status) BETWEEN 1 AND 20),
    at      timestamptz NOT NULL
);

-- One row: who sends looks here first, so that all processes together keep to one rate.
CREATE TABLE outreach.pace (
    one      boolean PRIMARY KEY DEFAULT true CHECK (one),
    asked_at timestamptz
);
INSERT INTO outreach.pace DEFAULT VALUES;

ALTER TABLE outreach.campaigns ENABLE ROW LEVEL SECURITY;
ALTER TABLE outreach.recipients ENABLE ROW LEVEL SECURITY;
ALTER TABLE outreach.weekly ENABLE ROW LEVEL SECURITY;
ALTER TABLE outreach.dead_addresses ENABLE ROW LEVEL SECURITY;
ALTER TABLE outreach.pace ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON outreach.campaigns TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY house ON outreach.recipients TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY house ON outreach.weekly TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY house ON outreach.dead_addresses TO cursus_app USING (platform.actor() = 'system');
CREATE POLICY house ON outreach.pace TO cursus_app USING (platform.actor() = 'system');
GRANT SELECT, INSERT, UPDATE ON outreach.campaigns, outreach.recipients, outreach.weekly, outreach.dead_addresses, outreach.pace TO cursus_app;
