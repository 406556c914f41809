-- +goose Up
-- Who owns an organisation looks after its webhooks, as who manages it does.
DROP POLICY managers ON webhooks.endpoints;
CREATE POLICY partners ON webhooks.endpoints FOR SELECT TO cursus_app
    USING (EXISTS (SELECT 1 FROM identity.partners p WHERE p.organisation = endpoints.organisation AND p.role IN ('owner', 'manager') AND platform.actor() = 'learner:' || p.person_id));
