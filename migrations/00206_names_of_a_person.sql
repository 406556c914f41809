-- +goose Up
-- What somebody is called elsewhere is asked for by person and source: from one index, also before anything is known of how the table is filled.
DROP INDEX identity.external_ids_by_person;
CREATE INDEX external_ids_by_person ON identity.external_ids (person_id, source);
