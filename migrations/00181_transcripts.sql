-- +goose Up
-- A transcript says of each course of a program how far somebody got: a kind that asks for nothing but to follow the program.
ALTER TABLE certificates.kinds DROP CONSTRAINT kinds_stage_check, DROP CONSTRAINT kinds_check,
    ADD CONSTRAINT kinds_stage_check CHECK (stage IN ('succeeded', 'exam_passed', 'path_complete', 'followed')),
    ADD CONSTRAINT kinds_check CHECK ((subject = 'edition') = (stage IN ('path_complete', 'followed')));
INSERT INTO certificates.kinds (key, subject, heading, reason, stage, entitlement, workshops, cosigned) VALUES
    ('transcript', 'edition', '{"en": "Transcript of Records", "fr": "Relevé de notes"}',
     '{"en": "for having followed the program", "fr": "pour avoir suivi le programme"}', 'followed', '', false, false);
