-- +goose Up
-- What became of the mail of an invitation, and who wants no more reminders of it.
ALTER TABLE cohorts.invitations
    ADD COLUMN mailed_at  timestamptz,
    ADD COLUMN bounced_at timestamptz, -- its address takes no mail
    ADD COLUMN refused_at timestamptz; -- she wants no reminders
GRANT UPDATE (mailed_at, bounced_at, refused_at) ON cohorts.invitations TO cursus_app;
CREATE INDEX invitations_live ON cohorts.invitations (made_at) WHERE used_at IS NULL AND ended_at IS NULL AND refused_at IS NULL AND bounced_at IS NULL;

-- The steps of the ladder by which an invitation is recalled, each once: a step is so many days after the invitation, or, below nothing, before
-- one can join no more. The row says that a mail is about to be sent before it is.
CREATE TABLE cohorts.reminders (
    invitation_id text NOT NULL REFERENCES cohorts.invitations,
    step          int NOT NULL CHECK (step <> 0),
    state         text NOT NULL CHECK (state IN ('due', 'sending', 'sent', 'skipped', 'refused', 'uncertain')),
    noted_at      timestamptz NOT NULL,
    sent_at       timestamptz,
    PRIMARY KEY (invitation_id, step)
);
ALTER TABLE cohorts.reminders ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON cohorts.reminders TO cursus_app USING (platform.actor() = 'system');
GRANT SELECT, INSERT ON cohorts.reminders TO cursus_app;
GRANT UPDATE (state, sent_at) ON cohorts.reminders TO cursus_app;
