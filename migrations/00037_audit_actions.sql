-- +goose Up
-- What is acted on may have two words: workshop_day.planned.
ALTER TABLE platform.audit DROP CONSTRAINT audit_action_check, ADD CONSTRAINT audit_action_check CHECK (action ~ '^[a-z_]+(\.[a-z_]+)+$');
