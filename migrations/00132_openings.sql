-- +goose Up
-- The mail that says that a course of a program opens.
ALTER TABLE outreach.campaigns DROP CONSTRAINT campaigns_kind_check;
ALTER TABLE outreach.campaigns ADD CONSTRAINT campaigns_kind_check CHECK (kind IN ('announcement', 'weekly', 'nudge', 'opening'));
