-- +goose Up
-- At which provider the session of a browser was begun: what is needed to end it there too, and to end it here when it ends there. The ID token,
-- which says who she is, is sealed and goes with the session.
CREATE TABLE identity.provider_sessions (
    token_id text PRIMARY KEY REFERENCES identity.tokens ON DELETE CASCADE,
    provider text NOT NULL REFERENCES identity.providers,
    subject  text NOT NULL CHECK (length(subject) BETWEEN 1 AND 255),
    sid      text NOT NULL DEFAULT '' CHECK (length(sid) <= 255), -- of the session there; empty: it says none
    hint     bytea -- sealed; null: there is nowhere to show it
);
CREATE INDEX provider_sessions_by_subject ON identity.provider_sessions (provider, subject);
CREATE INDEX provider_sessions_by_sid ON identity.provider_sessions (provider, sid) WHERE sid <> '';
ALTER TABLE identity.provider_sessions ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON identity.provider_sessions TO cursus_app USING (platform.actor() = 'system');
GRANT SELECT, INSERT, DELETE ON identity.provider_sessions TO cursus_app;
GRANT UPDATE (provider, subject, sid, hint) ON identity.provider_sessions TO cursus_app;

-- The logout tokens that were taken, until they expire: none is taken twice.
CREATE TABLE identity.logout_tokens (
    provider   text NOT NULL REFERENCES identity.providers,
    hash       bytea NOT NULL CHECK (length(hash) = 32), -- of its id
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (provider, hash)
);
CREATE INDEX logout_tokens_by_expiry ON identity.logout_tokens (expires_at);
ALTER TABLE identity.logout_tokens ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON identity.logout_tokens TO cursus_app USING (platform.actor() = 'system');
GRANT SELECT, INSERT, DELETE ON identity.logout_tokens TO cursus_app;
