-- +goose Up
-- Who watches over exams for us. An exam without a provider is watched over by people: staff, or a partner school.
CREATE TABLE exams.providers (
    key          text PRIMARY KEY CHECK (key ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$'),
    name         text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    kind         text NOT NULL CHECK (kind IN ('rest', 'lti')),
    base_url     text NOT NULL CHECK (length(base_url) BETWEEN 1 AND 500), -- where its API begins; of lti: where a login begins
    target_url   text NOT NULL DEFAULT '' CHECK (length(target_url) <= 500), -- of lti: where its messages go
    deployment   text NOT NULL DEFAULT '' CHECK (length(deployment) <= 200), -- of lti
    client_id    text NOT NULL CHECK (length(client_id) BETWEEN 1 AND 200),
    issuer       text NOT NULL DEFAULT '' CHECK (length(issuer) <= 500),   -- of what it signs with keys of its own
    keys_url     text NOT NULL DEFAULT '' CHECK (length(keys_url) <= 500), -- where it publishes them
    on_violation text NOT NULL DEFAULT 'reject' CHECK (on_violation IN ('reject', 'second_review', 'pass')),
    setup_url    text NOT NULL DEFAULT '' CHECK (length(setup_url) <= 500), -- what to install, for who sits
    guide_en     text NOT NULL DEFAULT '' CHECK (length(guide_en) <= 2000),
    guide_fr     text NOT NULL DEFAULT '' CHECK (length(guide_fr) <= 2000),
    enabled      boolean NOT NULL,
    version      int NOT NULL DEFAULT 1,
    made_at      timestamptz NOT NULL,
    -- How it goes.
    failures     int NOT NULL DEFAULT 0, -- calls in vain, in a row
    failure      text NOT NULL DEFAULT '' CHECK (length(failure) <= 300),
    answered_at  timestamptz, -- its last good answer
    heard_at     timestamptz, -- its last message that was taken
    refused_at   timestamptz, -- the last one that was not
    CHECK (kind = 'rest' OR target_url <> '' AND keys_url <> '')
);
GRANT SELECT, INSERT ON exams.providers TO cursus_app;
GRANT UPDATE (name, kind, base_url, target_url, deployment, client_id, issuer, keys_url, on_violation, setup_url, guide_en, guide_fr, enabled, version, failures, failure,
    answered_at, heard_at, refused_at) ON exams.providers TO cursus_app;

-- What opens it (client), what signs its messages to us (callback), and what signs ours to it (key). Sealed under a key that is not in the database.
CREATE TABLE exams.provider_secrets (
    provider text NOT NULL REFERENCES exams.providers,
    purpose  text NOT NULL CHECK (purpose IN ('client', 'callback', 'key')),
    n        int NOT NULL CHECK (n > 0),
    sealed   bytea NOT NULL CHECK (length(sealed) BETWEEN 29 AND 8200),
    made_at  timestamptz NOT NULL,
    ends_at  timestamptz, -- it was replaced, and holds until then, so that the other side can change over
    PRIMARY KEY (provider, purpose, n)
);
ALTER TABLE exams.provider_secrets ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON exams.provider_secrets TO cursus_app USING (platform.actor() = 'system');
GRANT SELECT, INSERT ON exams.provider_secrets TO cursus_app;
GRANT UPDATE (ends_at) ON exams.provider_secrets TO cursus_app;

-- Which provider watches over an exam.
CREATE TABLE exams.watched (
    exam_id   text PRIMARY KEY REFERENCES exams.exams,
    provider  text NOT NULL REFERENCES exams.providers,
    chosen_at timestamptz NOT NULL
);
CREATE INDEX watched_by_provider ON exams.watched (provider);
GRANT SELECT, INSERT, DELETE ON exams.watched TO cursus_app;
GRANT UPDATE (provider, chosen_at) ON exams.watched TO cursus_app;

-- What a provider calls an exam.
CREATE TABLE exams.registrations (
    provider      text NOT NULL REFERENCES exams.providers,
    exam_id       text NOT NULL REFERENCES exams.exams,
    external_id   text NOT NULL CHECK (length(external_id) BETWEEN 1 AND 200),
    registered_at timestamptz NOT NULL,
    PRIMARY KEY (provider, exam_id)
);
GRANT SELECT, INSERT ON exams.registrations TO cursus_app;
