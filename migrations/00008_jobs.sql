-- +goose Up
-- The tables of the queue are made by its library (platform/jobs); the application's role may use whatever it makes.
CREATE SCHEMA jobs;
GRANT USAGE ON SCHEMA jobs TO cursus_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA jobs GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO cursus_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA jobs GRANT USAGE, SELECT ON SEQUENCES TO cursus_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA jobs GRANT EXECUTE ON FUNCTIONS TO cursus_app;
