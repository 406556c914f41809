-- +goose Up
-- Whether the institute verifies what a partner school that proctors proposes; where it does not, the school's word is the result.
ALTER TABLE exams.exams ADD COLUMN house_verifies boolean NOT NULL DEFAULT true;
GRANT UPDATE (house_verifies) ON exams.exams TO cursus_app;
-- What who proctored proposes.
ALTER TABLE exams.attempts ADD COLUMN proposal text NOT NULL DEFAULT '' CHECK (proposal IN ('', 'verify', 'reject'));
GRANT UPDATE (proposal) ON exams.attempts TO cursus_app;
