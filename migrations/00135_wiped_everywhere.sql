-- +goose Up
-- What names somebody elsewhere than in her own rows, and goes with her: the key that a school has for her, what a partner's server
-- answered, whom an invoice would have been made out to that never came.
GRANT UPDATE (student_key) ON cohorts.members TO cursus_app;
GRANT UPDATE (response) ON webhooks.attempts TO cursus_app;
GRANT UPDATE (buyer) ON invoicing.billing TO cursus_app;

-- The retention schedule is data: what staff changed of it. A kind that is not here has the days that the code proposes.
CREATE TABLE dossier.rules (
    kind       text PRIMARY KEY CHECK (length(kind) BETWEEN 1 AND 40),
    days       int NOT NULL CHECK (days >= 0),
    version    int NOT NULL DEFAULT 2 CHECK (version > 1), -- 1: as proposed
    changed_by text NOT NULL CHECK (length(changed_by) BETWEEN 1 AND 200),
    changed_at timestamptz NOT NULL
);
GRANT SELECT, INSERT ON dossier.rules TO cursus_app;
GRANT UPDATE (days, version, changed_by, changed_at) ON dossier.rules TO cursus_app;
