-- +goose Up
-- Who ever paid, was eligible, booked or was certified: one in a hundred, from whom most of the lists that make certificates are taken.
CREATE INDEX enrolments_rare ON journey.enrolments (enrolment_id) INCLUDE (session_id, reached, ever) WHERE ever & 6528 <> 0;
