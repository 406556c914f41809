-- +goose Up
-- A formula is data that staff write: its name and its words, what it opens, whether it counts as paid. An archived one is not
-- offered anew; what was offered and sold under it stays.
ALTER TABLE offers.formulas
    ADD COLUMN title_en    text NOT NULL DEFAULT '' CHECK (length(title_en) <= 80),
    ADD COLUMN title_fr    text NOT NULL DEFAULT '' CHECK (length(title_fr) <= 80),
    ADD COLUMN pitch_en    text NOT NULL DEFAULT '' CHECK (length(pitch_en) <= 300),
    ADD COLUMN pitch_fr    text NOT NULL DEFAULT '' CHECK (length(pitch_fr) <= 300),
    ADD COLUMN call_en     text NOT NULL DEFAULT '' CHECK (length(call_en) <= 80), -- the words of the button; empty: the house's own
    ADD COLUMN call_fr     text NOT NULL DEFAULT '' CHECK (length(call_fr) <= 80),
    ADD COLUMN archived_at timestamptz,
    ADD COLUMN version     int NOT NULL DEFAULT 1,
    DROP CONSTRAINT entitlements_known,
    ADD CONSTRAINT entitlements_known CHECK (entitlements <@ ARRAY['knowledge', 'practice', 'know_how', 'labs', 'extra_content',
        'proctored_exam', 'certificate', 'workshop', 'manager_report', 'coaching'] AND cardinality(entitlements) > 0);
UPDATE offers.formulas SET title_en = 'DISCOVERY', title_fr = 'DÉCOUVERTE', pitch_en = 'Read, watch and test your knowledge, at no cost.',
    pitch_fr = 'Lire, regarder et tester ses connaissances, sans rien payer.' WHERE key = 'DISCOVERY';
UPDATE offers.formulas SET title_en = 'QUALIFYING', title_fr = 'QUALIFIANTE', pitch_en = 'Practise on real equipment, sit the supervised exam, earn the certificate.',
    pitch_fr = 'S’exercer sur de vrais équipements, passer l’examen surveillé, obtenir le certificat.' WHERE key = 'QUALIFYING';
GRANT INSERT, UPDATE ON offers.formulas TO cursus_app;

-- Organisations whose members are offered what the public is not.
CREATE TABLE identity.organisations (
    key        text PRIMARY KEY CHECK (key ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$'),
    name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    created_at timestamptz NOT NULL
);
CREATE TABLE identity.members (
    organisation text NOT NULL CONSTRAINT organisation_known REFERENCES identity.organisations,
    person_id    text NOT NULL REFERENCES identity.people,
    since        timestamptz NOT NULL,
    PRIMARY KEY (organisation, person_id)
);
CREATE INDEX members_by_person ON identity.members (person_id);
ALTER TABLE identity.members ENABLE ROW LEVEL SECURITY;
CREATE POLICY house ON identity.members TO cursus_app USING (platform.actor() = 'system' OR platform.actor() LIKE 'staff:%');
CREATE POLICY own ON identity.members FOR SELECT TO cursus_app USING (platform.actor() = 'learner:' || person_id);
GRANT SELECT, INSERT, UPDATE ON identity.organisations TO cursus_app;
GRANT SELECT, INSERT, DELETE ON identity.members TO cursus_app;

-- An offer is on a session or on an edition of a program, never on both.
ALTER TABLE offers.offers
    ALTER COLUMN session_id DROP NOT NULL,
    ADD COLUMN edition_id text CHECK (length(edition_id) BETWEEN 1 AND 40),
    ADD COLUMN audience   text CONSTRAINT offer_audience_known REFERENCES identity.organisations, -- null: the public
    ADD COLUMN quota      int CONSTRAINT offer_quota CHECK (quota BETWEEN 1 AND 1000000),         -- null: as many as come
    ADD COLUMN call_en    text NOT NULL DEFAULT '' CHECK (length(call_en) <= 80),
    ADD COLUMN call_fr    text NOT NULL DEFAULT '' CHECK (length(call_fr) <= 80),
    ADD CONSTRAINT offer_on_one_thing CHECK (num_nonnulls(session_id, edition_id) = 1);
DROP INDEX offers.one_offer_per_formula_and_currency;
CREATE UNIQUE INDEX one_offer_per_formula_and_currency
    ON offers.offers (coalesce(session_id, edition_id), formula, currency, coalesce(audience, '')) WHERE withdrawn_at IS NULL;
CREATE INDEX offers_by_session ON offers.offers (session_id) WHERE withdrawn_at IS NULL;
CREATE INDEX offers_by_edition ON offers.offers (edition_id) WHERE withdrawn_at IS NULL;
