-- +goose Up
-- A collection is written, read by somebody else and published like everything that staff author: its words are versions, of which the
-- public sees the published one.
CREATE TABLE catalog.collection_versions (
    collection_id text NOT NULL REFERENCES catalog.collections,
    version       int NOT NULL CHECK (version > 0),
    title_en      text NOT NULL CHECK (length(title_en) <= 200),
    title_fr      text NOT NULL CHECK (length(title_fr) <= 200),
    summary_en    text NOT NULL CHECK (length(summary_en) <= 2000),
    summary_fr    text NOT NULL CHECK (length(summary_fr) <= 2000),
    written_by    text NOT NULL,
    written_at    timestamptz NOT NULL,
    PRIMARY KEY (collection_id, version),
    CHECK (title_en <> '' OR title_fr <> '')
);
-- What was written before this was kept only in its last wording.
INSERT INTO catalog.collection_versions (collection_id, version, title_en, title_fr, summary_en, summary_fr, written_by, written_at)
SELECT id, version, title_en, title_fr, summary_en, summary_fr, 'system', now() FROM catalog.collections;
CREATE TRIGGER collection_versions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON catalog.collection_versions
    FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();
GRANT SELECT, INSERT ON catalog.collection_versions TO cursus_app;

ALTER TABLE catalog.collections
    DROP COLUMN title_en, DROP COLUMN title_fr, DROP COLUMN summary_en, DROP COLUMN summary_fr,
    ADD COLUMN state             text NOT NULL DEFAULT 'draft' CHECK (state IN ('draft', 'review', 'published', 'archived')), -- of the working copy
    ADD COLUMN visible           boolean NOT NULL DEFAULT false, -- the public sees what was published last
    ADD COLUMN published_version int NOT NULL DEFAULT 0 CHECK (published_version BETWEEN 0 AND version), -- 0: never published
    ADD COLUMN published_at      timestamptz;
UPDATE catalog.collections SET state = 'published', visible = true, published_version = version;
ALTER TABLE catalog.collections
    ADD CONSTRAINT collection_visible_published CHECK (NOT visible OR published_version > 0),
    ADD CONSTRAINT collection_version_kept FOREIGN KEY (id, version) REFERENCES catalog.collection_versions DEFERRABLE INITIALLY DEFERRED;
