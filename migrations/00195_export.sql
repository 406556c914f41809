-- +goose Up
-- What other tools may read: views in a schema of their own, under a role that sees them and nothing else. Their owner is a role too: it
-- owns no table, is asked by row-level security like everybody else, and is granted the columns that the views show, one by one, so that
-- no view can come to show a name, an address or a code, whoever writes it.
-- +goose StatementBegin
DO $$
DECLARE r text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('cursus_export', 0)); -- roles belong to the whole server: other databases migrate too
    FOREACH r IN ARRAY ARRAY['cursus_views', 'cursus_export'] LOOP
        IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = r) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', r);
        END IF;
        IF NOT pg_has_role(r, 'MEMBER') THEN -- an owner who is no superuser works under the roles that she made
            EXECUTE format('GRANT %I TO CURRENT_USER', r);
        END IF;
    END LOOP;
    IF NOT pg_has_role('cursus_house', 'cursus_export', 'USAGE') THEN -- who writes the bulk exports reads the same views
        GRANT cursus_export TO cursus_house;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END $$;
-- +goose StatementEnd
CREATE SCHEMA export;
GRANT USAGE, CREATE ON SCHEMA export TO cursus_views;
GRANT USAGE ON SCHEMA export TO cursus_export;

-- What makes a pseudonym of a learner: who has the views can follow her through them, and cannot tell who she is.
CREATE TABLE export.secret (one boolean PRIMARY KEY DEFAULT true CHECK (one), secret bytea NOT NULL DEFAULT uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
INSERT INTO export.secret DEFAULT VALUES;
GRANT SELECT ON export.secret TO cursus_views;

-- Of to whom an invoice is made out only the country is shown.
ALTER TABLE invoicing.billing ADD COLUMN country text GENERATED ALWAYS AS (buyer -> 'address' ->> 'country') STORED;

GRANT USAGE ON SCHEMA catalog, programs, offers, enrolment, journey, ledger, gradebook, sales, invoicing, payments, certificates, surveys TO cursus_views;
GRANT SELECT (id, key, course_id, number, kind, language, starts_at, ends_at, enrol_from, enrol_until, threshold_ppm, capacity, publication, closed) ON catalog.sessions TO cursus_views;
GRANT SELECT (id, key, collection_id, title_en, title_fr, level, workload_hours, ects_hundredths) ON catalog.courses TO cursus_views;
GRANT SELECT (id, key) ON catalog.collections TO cursus_views;
GRANT SELECT (session_id, position, label, week, scored, activity) ON catalog.exercises TO cursus_views;
GRANT SELECT (id, key, state, current, draft) ON programs.programs TO cursus_views;
GRANT SELECT (id, key, program_id, version_number, title_en, title_fr, partner, state, starts_at, ends_at, enrol_from, enrol_until, capacity) ON programs.editions TO cursus_views;
GRANT SELECT (edition_id, session_id) ON programs.edition_sessions TO cursus_views;
GRANT SELECT (id, session_id, edition_id, formula, price_minor, currency, audience, quota, valid_from, valid_until, publication, withdrawn_at, created_at) ON offers.offers TO cursus_views;
GRANT SELECT (id, enrolment_id, order_id, formula, qualifying, granted_at) ON enrolment.grants TO cursus_views;
GRANT SELECT ON journey.enrolments, journey.stages TO cursus_views;
GRANT SELECT (seq, enrolment_id, session_id, stage, reached, at, recorded_at) ON journey.changes TO cursus_views;
GRANT SELECT (id, reference, kind, currency, occurred_at, recorded_at) ON ledger.transactions TO cursus_views;
GRANT SELECT ON ledger.entries TO cursus_views;
GRANT SELECT (id, session_id, kind, label, occurrence, merged_into) ON gradebook.columns TO cursus_views;
GRANT SELECT (seq, session_id, enrolment_id, column_id, at, value) ON gradebook.cells TO cursus_views;
GRANT SELECT (id, state, way, organisation, currency, total_minor, credited_minor, demo, placed_at, paid_at, closed_at) ON sales.orders TO cursus_views;
GRANT SELECT (order_id, line, offer_id, session_id, edition_id, formula, qualifying, quantity, returned, list_minor, discount_minor, total_minor, credited_minor) ON sales.lines TO cursus_views;
GRANT SELECT (order_id, line, enrolment_id) ON sales.parts TO cursus_views;
GRANT SELECT (order_id, country) ON invoicing.billing TO cursus_views;
GRANT SELECT (id, order_id, provider, state, demo, amount_minor, currency, captured_minor, captured_currency, refunded_minor, lost_minor, created_at, captured_at, instalment) ON payments.payments TO cursus_views;
GRANT SELECT (id, payment_id, state, amount_minor, requested_at, settled_at, reversal) ON payments.refunds TO cursus_views;
GRANT SELECT (id, payment_id, state, amount_minor, opened_at, closed_at) ON payments.disputes TO cursus_views;
GRANT SELECT (id, order_id, organisation) ON payments.receipts TO cursus_views;
GRANT SELECT (id, kind, enrolment_id, edition_id, session_id, learner_id, issued_at, revoked_at, replaced_at, replaces_id) ON certificates.certificates TO cursus_views;
GRANT SELECT (id, session_id, moment) ON surveys.questionnaires TO cursus_views;
GRANT SELECT (id, seq, questionnaire_id, session_id, enrolment_id, respondent, at) ON surveys.responses TO cursus_views;
GRANT SELECT (response_id, question, part, kind, value) ON surveys.answers TO cursus_views;
-- +goose StatementBegin
DO $$
DECLARE t record;
BEGIN
    FOR t IN SELECT DISTINCT c.oid::regclass AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
              WHERE c.relkind = 'r' AND c.relrowsecurity AND has_any_column_privilege('cursus_views', c.oid, 'SELECT') LOOP
        EXECUTE format('CREATE POLICY views ON %s FOR SELECT TO cursus_views USING (true)', t.name);
    END LOOP;
END $$;
-- +goose StatementEnd

CREATE VIEW export.programs AS
SELECT g.id AS program, g.key AS program_key, e.id AS edition, e.key AS edition_key, g.draft -> 'title' ->> 'en' AS title_en, g.draft -> 'title' ->> 'fr' AS title_fr, g.state AS program_state,
       e.version_number AS program_version, e.state AS edition_state, e.partner, e.capacity, e.starts_at, e.ends_at, e.enrol_from, e.enrol_until
  FROM programs.programs g LEFT JOIN programs.editions e ON e.program_id = g.id;

CREATE VIEW export.sessions AS
SELECT s.id AS session, s.key AS session_key, s.number AS session_number, c.key AS course_key, l.key AS collection_key, c.title_en AS course_title_en, c.title_fr AS course_title_fr,
       c.level, c.workload_hours, c.ects_hundredths, s.kind, s.language, s.publication AS state, s.closed, s.capacity, s.threshold_ppm, s.starts_at, s.ends_at, s.enrol_from, s.enrol_until
  FROM catalog.sessions s JOIN catalog.courses c ON c.id = s.course_id LEFT JOIN catalog.collections l ON l.id = c.collection_id;

CREATE VIEW export.edition_sessions AS
SELECT e.edition_id AS edition, e.session_id AS session FROM programs.edition_sessions e;

CREATE VIEW export.exercises AS
SELECT x.session_id AS session, x.position, x.label AS exercise, x.week, x.scored, x.activity FROM catalog.exercises x;

CREATE VIEW export.offers AS
SELECT o.id AS offer, o.session_id AS session, o.edition_id AS edition, o.formula, o.price_minor, o.currency, o.audience AS partner, o.quota, o.publication AS state, o.valid_from, o.valid_until,
       o.withdrawn_at, o.created_at
  FROM offers.offers o;

-- An enrolment stands with what it was bought with last, as in the outcome cube.
CREATE VIEW export.enrolments AS
SELECT j.enrolment_id AS enrolment, 'lrn_' || left(encode(sha256(k.secret || convert_to(j.learner_id, 'UTF8')), 'hex'), 32) AS learner, j.session_id AS session, s.key AS session_key,
       g.formula, g.order_id AS "order", l.offer_id AS offer, e.id AS edition, p.key AS program_key, coalesce(d.organisation, r.organisation) AS partner, b.country,
       to_char(j.enrolled_at AT TIME ZONE 'UTC', 'YYYY-MM') AS acquisition_month,
       j.reached & 1 <> 0 AS enrolled, j.reached & 2 <> 0 AS started, j.reached & 36 = 36 AS diligent, j.reached & 64 <> 0 AS succeeded, j.reached & 128 <> 0 AS eligible,
       j.reached & 256 <> 0 AS exam_booked, j.reached & 512 <> 0 AS exam_sat, j.reached & 1024 <> 0 AS exam_passed, j.reached & 2048 <> 0 AS certified, j.reached & 4096 <> 0 AS paying,
       j.enrolled_at, j.started_at, j.week2_at, j.succeeded_at, j.qualifying_at, j.exam_booked_at, j.exam_sat_at, j.exam_passed_at, j.certified_at
  FROM journey.enrolments j
  CROSS JOIN export.secret k
  JOIN catalog.sessions s ON s.id = j.session_id
  LEFT JOIN LATERAL (SELECT g.order_id, g.formula FROM enrolment.grants g WHERE g.enrolment_id = j.enrolment_id ORDER BY g.qualifying DESC, g.granted_at DESC, g.id DESC LIMIT 1) g ON true
  LEFT JOIN LATERAL (SELECT l.offer_id, l.edition_id FROM sales.parts a JOIN sales.lines l ON l.order_id = a.order_id AND l.line = a.line
                      WHERE a.order_id = g.order_id AND a.enrolment_id = j.enrolment_id ORDER BY l.line LIMIT 1) l ON true
  LEFT JOIN programs.editions e ON e.id = l.edition_id
  LEFT JOIN programs.programs p ON p.id = e.program_id
  LEFT JOIN sales.orders d ON d.id = g.order_id
  LEFT JOIN invoicing.billing b ON b.order_id = g.order_id
  LEFT JOIN LATERAL (SELECT r.organisation FROM payments.receipts r WHERE r.order_id = g.order_id AND r.organisation IS NOT NULL ORDER BY r.id LIMIT 1) r ON true;

CREATE VIEW export.stage_changes AS
SELECT c.seq AS change, c.enrolment_id AS enrolment, c.session_id AS session, c.stage, c.reached, c.at, c.recorded_at FROM journey.changes c;

CREATE VIEW export.exercise_results AS
SELECT r.enrolment_id AS enrolment, r.session_id AS session, k.label AS exercise, k.occurrence, x.week, x.scored, r.value AS score_ppb, r.at
  FROM (SELECT DISTINCT ON (c.column_id, c.enrolment_id) c.column_id, c.enrolment_id, c.session_id, c.at, c.value
          FROM gradebook.cells c ORDER BY c.column_id DESC, c.enrolment_id DESC, c.at DESC, c.seq DESC) r -- the order of an index, read backward
  JOIN gradebook.columns k ON k.id = r.column_id AND k.kind = 'exercise' AND k.merged_into IS NULL
  LEFT JOIN catalog.exercises x ON x.session_id = r.session_id AND x.label = k.label AND k.occurrence = 0
 WHERE r.value >= 0;

CREATE VIEW export.orders AS
SELECT o.id AS "order", o.state, o.way, o.organisation AS partner, b.country, o.total_minor, o.credited_minor, o.currency, o.demo, o.placed_at, o.paid_at, o.closed_at
  FROM sales.orders o LEFT JOIN invoicing.billing b ON b.order_id = o.id;

CREATE VIEW export.order_lines AS
SELECT l.order_id AS "order", l.line, l.offer_id AS offer, l.session_id AS session, l.edition_id AS edition, l.formula, l.qualifying, l.quantity, l.returned,
       l.list_minor, l.discount_minor, l.total_minor, l.credited_minor, o.currency
  FROM sales.lines l JOIN sales.orders o ON o.id = l.order_id;

CREATE VIEW export.payments AS
SELECT p.id AS payment, p.order_id AS "order", p.provider AS holder, p.instalment, p.state, p.amount_minor, p.captured_minor, p.refunded_minor, p.lost_minor,
       coalesce(p.captured_currency, p.currency) AS currency, p.demo, p.created_at, p.captured_at
  FROM payments.payments p;

CREATE VIEW export.refunds AS
SELECT r.id AS refund, r.payment_id AS payment, p.order_id AS "order", r.state, r.reversal, r.amount_minor, coalesce(p.captured_currency, p.currency) AS currency, r.requested_at, r.settled_at
  FROM payments.refunds r JOIN payments.payments p ON p.id = r.payment_id;

CREATE VIEW export.disputes AS
SELECT d.id AS dispute, d.payment_id AS payment, p.order_id AS "order", d.state, d.amount_minor, coalesce(p.captured_currency, p.currency) AS currency, d.opened_at, d.closed_at
  FROM payments.disputes d JOIN payments.payments p ON p.id = d.payment_id;

CREATE VIEW export.ledger_entries AS
SELECT e.id AS entry, e.transaction_id AS transaction, t.kind, t.reference, e.account, e.minor AS amount_minor, t.currency, e.order_id AS "order", e.enrolment_id AS enrolment, t.occurred_at, t.recorded_at
  FROM ledger.entries e JOIN ledger.transactions t ON t.id = e.transaction_id;

-- The code of a certificate leads to a name, so it is not here.
CREATE VIEW export.certificates AS
SELECT c.id AS certificate, c.kind, c.enrolment_id AS enrolment, c.edition_id AS edition, c.session_id AS session,
       'lrn_' || left(encode(sha256(k.secret || convert_to(c.learner_id, 'UTF8')), 'hex'), 32) AS learner,
       CASE WHEN c.revoked_at IS NOT NULL THEN 'revoked' WHEN c.replaced_at IS NOT NULL THEN 'replaced' ELSE 'issued' END AS state, c.replaces_id AS replaces, c.issued_at, c.revoked_at, c.replaced_at
  FROM certificates.certificates c CROSS JOIN export.secret k;

-- What people said last, as numbers: free text is not here. Who is not known to the house has a pseudonym of a pseudonym.
CREATE VIEW export.survey_answers AS
SELECT r.session_id AS session, x.moment, r.enrolment_id AS enrolment, 'rsp_' || left(encode(sha256(k.secret || convert_to(r.respondent, 'UTF8')), 'hex'), 32) AS respondent,
       a.kind, a.question, a.part, a.value, r.at
  FROM (SELECT DISTINCT ON (r.questionnaire_id, r.respondent) r.* FROM (SELECT id, seq, questionnaire_id, session_id, enrolment_id, respondent, at FROM surveys.responses) r
         ORDER BY r.questionnaire_id, r.respondent, r.at DESC, r.seq DESC) r
  JOIN surveys.answers a ON a.response_id = r.id AND a.kind <> 'text'
  JOIN surveys.questionnaires x ON x.id = r.questionnaire_id
  CROSS JOIN export.secret k;

-- The outcome cube as it stands now, along all of its dimensions: the same as the figure outcome_cube with the basis current and the rule
-- first. People stand with most of their money; money without an enrolment has a row without people.
CREATE VIEW export.outcome_cube AS
WITH money AS (
    SELECT e.enrolment_id, CASE WHEN e.enrolment_id IS NULL THEN e.order_id END AS order_id, t.currency,
           -sum(e.minor) FILTER (WHERE e.account = 'revenue') AS gross, sum(e.minor) FILTER (WHERE e.account = 'refunds') AS refunds, sum(e.minor) FILTER (WHERE e.account = 'disputes') AS disputes,
           sum(e.minor) FILTER (WHERE e.account LIKE 'cost:fee%') AS fees, sum(e.minor) FILTER (WHERE e.account LIKE 'cost:%' AND e.account NOT LIKE 'cost:fee%') AS costs
      FROM ledger.entries e JOIN ledger.transactions t ON t.id = e.transaction_id
     WHERE e.account IN ('revenue', 'refunds', 'disputes') OR e.account LIKE 'cost:%'
     GROUP BY e.enrolment_id, CASE WHEN e.enrolment_id IS NULL THEN e.order_id END, t.currency
), facts AS (
    SELECT n.acquisition_month, n.session_key, n.offer, n.program_key, n.partner, n.country, m.currency, m.gross, m.refunds, m.disputes, m.fees, m.costs,
           n.enrolled AND row_number() OVER (PARTITION BY n.enrolment ORDER BY m.gross DESC NULLS LAST, m.currency) = 1 AS counts,
           n.started, n.diligent, n.succeeded, n.eligible, n.exam_booked, n.exam_sat, n.exam_passed, n.certified, n.paying
      FROM export.enrolments n LEFT JOIN money m ON m.enrolment_id = n.enrolment
    UNION ALL
    SELECT to_char(d.paid_at AT TIME ZONE 'UTC', 'YYYY-MM'), NULL, l.offer_id, p.key, coalesce(d.organisation, r.organisation), b.country, m.currency, m.gross, m.refunds, m.disputes, m.fees, m.costs,
           false, false, false, false, false, false, false, false, false, false
      FROM money m
      LEFT JOIN sales.orders d ON d.id = m.order_id
      LEFT JOIN sales.lines l ON l.order_id = m.order_id AND l.line = 1
      LEFT JOIN programs.editions e ON e.id = l.edition_id
      LEFT JOIN programs.programs p ON p.id = e.program_id
      LEFT JOIN invoicing.billing b ON b.order_id = m.order_id
      LEFT JOIN LATERAL (SELECT r.organisation FROM payments.receipts r WHERE r.order_id = m.order_id AND r.organisation IS NOT NULL ORDER BY r.id LIMIT 1) r ON true
     WHERE m.enrolment_id IS NULL OR NOT EXISTS (SELECT 1 FROM journey.enrolments j WHERE j.enrolment_id = m.enrolment_id)
)
SELECT coalesce(acquisition_month, '') AS acquisition_month, coalesce(session_key, '') AS session_key, coalesce(offer, '') AS offer, coalesce(program_key, '') AS program_key,
       coalesce(partner, '') AS partner, coalesce(country, '') AS country, coalesce(currency, '') AS currency,
       count(*) FILTER (WHERE counts) AS enrolled, count(*) FILTER (WHERE counts AND started) AS started, count(*) FILTER (WHERE counts AND diligent) AS diligent,
       count(*) FILTER (WHERE counts AND succeeded) AS succeeded, count(*) FILTER (WHERE counts AND eligible) AS eligible, count(*) FILTER (WHERE counts AND exam_booked) AS exam_booked,
       count(*) FILTER (WHERE counts AND exam_sat) AS exam_sat, count(*) FILTER (WHERE counts AND exam_passed) AS exam_passed, count(*) FILTER (WHERE counts AND certified) AS certified,
       count(*) FILTER (WHERE counts AND paying) AS paying,
       coalesce(sum(gross), 0)::bigint AS gross_minor, coalesce(sum(refunds), 0)::bigint AS refunds_minor, coalesce(sum(disputes), 0)::bigint AS disputes_minor,
       coalesce(sum(fees), 0)::bigint AS fees_minor, coalesce(sum(costs), 0)::bigint AS costs_minor
  FROM facts
 GROUP BY 1, 2, 3, 4, 5, 6, 7
HAVING count(*) FILTER (WHERE counts) > 0 OR count(*) FILTER (WHERE currency IS NOT NULL) > 0;

-- The data dictionary is what the database says of its views: meaning | unit | source. docs/export.md is made from it.
-- +goose StatementBegin
DO $$
DECLARE c record;
BEGIN
    CREATE TEMPORARY TABLE said (view text, col text, meaning text, unit text, source text, PRIMARY KEY (view, col)) ON COMMIT DROP;
    INSERT INTO said VALUES
    ('programs', '', 'Programs with their editions; a program without an edition has one row.', '', ''),
    ('sessions', '', 'Sessions of courses.', '', ''),
    ('edition_sessions', '', 'Which sessions an edition of a program is made of.', '', ''),
    ('exercises', '', 'The exercises of a session and their weeks, as its map says.', '', ''),
    ('offers', '', 'What is or was for sale, with its list price.', '', ''),
    ('enrolments', '', 'Enrolments with what they were bought with last and how far they got: what holds now, and when it was first so.', '', ''),
    ('stage_changes', '', 'The history of stages, from which any past time can be asked. Nothing in it changes.', '', ''),
    ('exercise_results', '', 'The last score of each enrolment in each exercise.', '', ''),
    ('orders', '', 'Orders.', '', ''),
    ('order_lines', '', 'Lines of orders.', '', ''),
    ('payments', '', 'Attempts to pay, through a provider and by hand.', '', ''),
    ('refunds', '', 'Money that goes back.', '', ''),
    ('disputes', '', 'Payments that a bank contests.', '', ''),
    ('ledger_entries', '', 'Every entry of the ledger. The entries of a transaction sum to zero.', '', ''),
    ('certificates', '', 'Certificates with their state.', '', ''),
    ('survey_answers', '', 'What people answered last on scales and choices; free text is not exported.', '', ''),
    ('outcome_cube', '', 'The figure outcome_cube as of now along all dimensions: basis current, week-1 rule first. Sums of money are those of the ledger.', '', ''),
    ('*', 'session', 'Id of the session.', 'id', 'catalog.sessions.id'),
    ('*', 'session_key', 'Key of the session.', 'text', 'catalog.sessions.key'),
    ('*', 'edition', 'Id of the edition of a program.', 'id', 'programs.editions.id'),
    ('*', 'program_key', 'Key of the program.', 'text', 'programs.programs.key'),
    ('*', 'offer', 'Id of the offer.', 'id', 'offers.offers.id'),
    ('*', 'order', 'Id of the order.', 'id', 'sales.orders.id'),
    ('*', 'line', 'Number of the line in its order, from 1.', 'number', 'sales.lines.line'),
    ('*', 'payment', 'Id of the payment.', 'id', 'payments.payments.id'),
    ('*', 'enrolment', 'Id of the enrolment.', 'id', 'enrolment.enrolments.id'),
    ('*', 'learner', 'Pseudonym of the learner, the same in every view; it says nothing of who she is.', 'pseudonym', 'a keyed hash of identity.people.id'),
    ('*', 'partner', 'Key of the organisation that ordered, or took the money at its desk.', 'text', 'sales.orders.organisation, payments.receipts.organisation'),
    ('*', 'country', 'Country of billing.', 'ISO 3166-1 alpha-2', 'invoicing.billing.country'),
    ('*', 'currency', 'Currency of the amounts of the row.', 'ISO 4217', 'ledger.transactions.currency'),
    ('*', 'formula', 'Formula, such as DISCOVERY or QUALIFYING.', 'text', 'enrolment.grants.formula'),
    ('*', 'qualifying', 'Whether the formula leads to the certificate.', 'yes/no', 'enrolment.grants.qualifying'),
    ('*', 'starts_at', 'When it starts.', 'UTC time', 'catalog.sessions.starts_at, programs.editions.starts_at'),
    ('*', 'ends_at', 'When it ends.', 'UTC time', 'catalog.sessions.ends_at, programs.editions.ends_at'),
    ('*', 'enrol_from', 'From when people may enrol.', 'UTC time', 'catalog.sessions.enrol_from, programs.editions.enrol_from'),
    ('*', 'enrol_until', 'Until when people may enrol.', 'UTC time', 'catalog.sessions.enrol_until, programs.editions.enrol_until'),
    ('*', 'capacity', 'Places; empty: without limit.', 'number', 'catalog.sessions.capacity, programs.editions.capacity'),
    ('*', 'demo', 'Whether it is of a demonstration and no real money.', 'yes/no', 'sales.orders.demo, payments.payments.demo'),
    ('*', 'exercise', 'Label of the exercise in the grade report.', 'text', 'gradebook.columns.label, catalog.exercises.label'),
    ('*', 'week', 'Week of the course in which the exercise is; 0: of no week; empty: not in the map.', 'number', 'catalog.exercises.week'),
    ('*', 'scored', 'Whether the exercise counts for started and diligent.', 'yes/no', 'catalog.exercises.scored'),
    ('*', 'total_minor', 'What it costs after discounts.', 'minor units of currency', 'sales.orders.total_minor, sales.lines.total_minor'),
    ('*', 'credited_minor', 'What of it was taken back by credit notes.', 'minor units of currency', 'sales.orders.credited_minor, sales.lines.credited_minor'),
    ('*', 'recorded_at', 'When the house learnt it.', 'UTC time', 'journey.changes.recorded_at, ledger.transactions.recorded_at'),
    ('programs', 'program', 'Id of the program.', 'id', 'programs.programs.id'),
    ('programs', 'edition_key', 'Key of the edition.', 'text', 'programs.editions.key'),
    ('programs', 'title_en', 'Title of the program in English, as it is being edited.', 'text', 'programs.programs.draft'),
    ('programs', 'title_fr', 'Title of the program in French, as it is being edited.', 'text', 'programs.programs.draft'),
    ('programs', 'program_state', 'State of the program.', 'draft, in_review, published, archived', 'programs.programs.state'),
    ('programs', 'program_version', 'Version of the program that the edition gives.', 'number', 'programs.editions.version_number'),
    ('programs', 'edition_state', 'State of the edition.', 'draft, in_review, published, archived', 'programs.editions.state'),
    ('programs', 'partner', 'For whom the edition is given, as text; empty: for everybody.', 'text', 'programs.editions.partner'),
    ('sessions', 'session_number', 'Number of the session of its course.', 'number', 'catalog.sessions.number'),
    ('sessions', 'course_key', 'Key of the course.', 'text', 'catalog.courses.key'),
    ('sessions', 'collection_key', 'Key of the collection of the course.', 'text', 'catalog.collections.key'),
    ('sessions', 'course_title_en', 'Title of the course in English.', 'text', 'catalog.courses.title_en'),
    ('sessions', 'course_title_fr', 'Title of the course in French.', 'text', 'catalog.courses.title_fr'),
    ('sessions', 'level', 'Level of the course.', 'text', 'catalog.courses.level'),
    ('sessions', 'workload_hours', 'Work that the course asks for.', 'hours', 'catalog.courses.workload_hours'),
    ('sessions', 'ects_hundredths', 'ECTS of the course.', 'hundredths of a credit', 'catalog.courses.ects_hundredths'),
    ('sessions', 'kind', 'Kind of the session.', 'text', 'catalog.sessions.kind'),
    ('sessions', 'language', 'Language of the session; empty: that of the course.', 'text', 'catalog.sessions.language'),
    ('sessions', 'state', 'State of publication.', 'draft, in_review, published, archived', 'catalog.sessions.publication'),
    ('sessions', 'closed', 'Whether it was closed by hand.', 'yes/no', 'catalog.sessions.closed'),
    ('sessions', 'threshold_ppm', 'Grade from which a learner succeeds.', 'millionths', 'catalog.sessions.threshold_ppm'),
    ('exercises', 'position', 'Place in the course, from 1.', 'number', 'catalog.exercises.position'),
    ('exercises', 'activity', 'Kind of activity.', 'quiz, case_study, lab', 'catalog.exercises.activity'),
    ('offers', 'formula', 'Formula, such as DISCOVERY or QUALIFYING.', 'text', 'offers.offers.formula'),
    ('offers', 'price_minor', 'List price.', 'minor units of currency', 'offers.offers.price_minor'),
    ('offers', 'currency', 'Currency of the price.', 'ISO 4217', 'offers.offers.currency'),
    ('offers', 'partner', 'Key of the organisation to whose members alone it is offered; empty: to everybody.', 'text', 'offers.offers.audience'),
    ('offers', 'quota', 'Places that the offer sells; empty: without limit.', 'number', 'offers.offers.quota'),
    ('offers', 'state', 'State of publication.', 'draft, in_review, published, archived', 'offers.offers.publication'),
    ('offers', 'valid_from', 'From when it is for sale.', 'UTC time', 'offers.offers.valid_from'),
    ('offers', 'valid_until', 'Until when it is for sale.', 'UTC time', 'offers.offers.valid_until'),
    ('offers', 'withdrawn_at', 'When it was withdrawn.', 'UTC time', 'offers.offers.withdrawn_at'),
    ('offers', 'created_at', 'When it was made.', 'UTC time', 'offers.offers.created_at'),
    ('enrolments', 'order', 'Order with which it was bought last.', 'id', 'enrolment.grants.order_id'),
    ('enrolments', 'formula', 'Formula of that order, also where it was revoked since; paying says what is in force.', 'text', 'enrolment.grants.formula'),
    ('enrolments', 'acquisition_month', 'Month of the first enrolment.', 'YYYY-MM, UTC', 'journey.enrolments.enrolled_at'),
    ('enrolments', 'enrolled', 'Has not left.', 'yes/no', 'journey.enrolments.reached'),
    ('enrolments', 'started', 'Has a score in a scored exercise.', 'yes/no', 'journey.enrolments.reached'),
    ('enrolments', 'diligent', 'Did the first scored exercise of weeks 1 and 2.', 'yes/no', 'journey.enrolments.reached'),
    ('enrolments', 'succeeded', 'Has a grade at or above the threshold of the session.', 'yes/no', 'journey.enrolments.reached'),
    ('enrolments', 'eligible', 'May sit the exam.', 'yes/no', 'journey.enrolments.reached'),
    ('enrolments', 'exam_booked', 'Booked the exam.', 'yes/no', 'journey.enrolments.reached'),
    ('enrolments', 'exam_sat', 'Sat the exam.', 'yes/no', 'journey.enrolments.reached'),
    ('enrolments', 'exam_passed', 'Passed the exam.', 'yes/no', 'journey.enrolments.reached'),
    ('enrolments', 'certified', 'Has a certificate that is not revoked.', 'yes/no', 'journey.enrolments.reached'),
    ('enrolments', 'paying', 'Has a paid formula in force.', 'yes/no', 'journey.enrolments.reached'),
    ('enrolments', 'enrolled_at', 'When she first enrolled.', 'UTC time', 'journey.enrolments.enrolled_at'),
    ('enrolments', 'started_at', 'When she first started.', 'UTC time', 'journey.enrolments.started_at'),
    ('enrolments', 'week2_at', 'When she first did the first scored exercise of week 2.', 'UTC time', 'journey.enrolments.week2_at'),
    ('enrolments', 'succeeded_at', 'When she first succeeded.', 'UTC time', 'journey.enrolments.succeeded_at'),
    ('enrolments', 'qualifying_at', 'When she first had a paid formula.', 'UTC time', 'journey.enrolments.qualifying_at'),
    ('enrolments', 'exam_booked_at', 'When she first booked the exam.', 'UTC time', 'journey.enrolments.exam_booked_at'),
    ('enrolments', 'exam_sat_at', 'When she first sat the exam.', 'UTC time', 'journey.enrolments.exam_sat_at'),
    ('enrolments', 'exam_passed_at', 'When she first passed the exam.', 'UTC time', 'journey.enrolments.exam_passed_at'),
    ('enrolments', 'certified_at', 'When she was first certified.', 'UTC time', 'journey.enrolments.certified_at'),
    ('stage_changes', 'change', 'Number of the change: of two at the same time the higher holds.', 'number', 'journey.changes.seq'),
    ('stage_changes', 'stage', 'Stage.', 'enrolled, started, week1_first, week1_all, week1_any, week2_first, succeeded, eligible, exam_booked, exam_sat, exam_passed, certified, qualifying', 'journey.changes.stage'),
    ('stage_changes', 'reached', 'Whether it was reached or lost.', 'yes/no', 'journey.changes.reached'),
    ('stage_changes', 'at', 'Since when it is so.', 'UTC time', 'journey.changes.at'),
    ('exercise_results', 'occurrence', 'Of several exercises with one label, which; 0: the first.', 'number', 'gradebook.columns.occurrence'),
    ('exercise_results', 'score_ppb', 'Score.', 'billionths of the full score', 'gradebook.cells.value'),
    ('exercise_results', 'at', 'Time of the report in which this score first stood.', 'UTC time', 'gradebook.cells.at'),
    ('orders', 'state', 'State of the order; docs/states.md draws them.', 'text', 'sales.orders.state'),
    ('orders', 'way', 'How it is paid.', 'text', 'sales.orders.way'),
    ('orders', 'partner', 'Key of the organisation that ordered.', 'text', 'sales.orders.organisation'),
    ('orders', 'currency', 'Currency of the order.', 'ISO 4217', 'sales.orders.currency'),
    ('orders', 'placed_at', 'When it was placed.', 'UTC time', 'sales.orders.placed_at'),
    ('orders', 'paid_at', 'When it was paid.', 'UTC time', 'sales.orders.paid_at'),
    ('orders', 'closed_at', 'When it was closed without being paid, or to its end.', 'UTC time', 'sales.orders.closed_at'),
    ('order_lines', 'formula', 'Formula that was sold.', 'text', 'sales.lines.formula'),
    ('order_lines', 'qualifying', 'Whether the formula leads to the certificate.', 'yes/no', 'sales.lines.qualifying'),
    ('order_lines', 'quantity', 'Places that were sold.', 'number', 'sales.lines.quantity'),
    ('order_lines', 'returned', 'Places of them that were given back.', 'number', 'sales.lines.returned'),
    ('order_lines', 'list_minor', 'What all places cost before discounts.', 'minor units of currency', 'sales.lines.list_minor'),
    ('order_lines', 'discount_minor', 'Discount on all places.', 'minor units of currency', 'sales.lines.discount_minor'),
    ('order_lines', 'currency', 'Currency of the order.', 'ISO 4217', 'sales.orders.currency'),
    ('payments', 'holder', 'Who took the money: a provider, a bank, or the desk of a school.', 'text', 'payments.payments.provider'),
    ('payments', 'instalment', 'Number of the instalment that it pays; empty: the order at once.', 'number', 'payments.payments.instalment'),
    ('payments', 'state', 'State of the payment.', 'text', 'payments.payments.state'),
    ('payments', 'amount_minor', 'What is to be paid.', 'minor units of currency', 'payments.payments.amount_minor'),
    ('payments', 'captured_minor', 'What came in.', 'minor units of currency', 'payments.payments.captured_minor'),
    ('payments', 'refunded_minor', 'What of it went back.', 'minor units of currency', 'payments.payments.refunded_minor'),
    ('payments', 'lost_minor', 'What of it a bank took back.', 'minor units of currency', 'payments.payments.lost_minor'),
    ('payments', 'currency', 'Currency of what came in.', 'ISO 4217', 'payments.payments.captured_currency'),
    ('payments', 'created_at', 'When the attempt began.', 'UTC time', 'payments.payments.created_at'),
    ('payments', 'captured_at', 'When the money came in.', 'UTC time', 'payments.payments.captured_at'),
    ('refunds', 'refund', 'Id of the refund.', 'id', 'payments.refunds.id'),
    ('refunds', 'state', 'State of the refund.', 'text', 'payments.refunds.state'),
    ('refunds', 'reversal', 'Whether it reverses what had come in by hand, and came to nobody.', 'yes/no', 'payments.refunds.reversal'),
    ('refunds', 'amount_minor', 'What goes back.', 'minor units of currency', 'payments.refunds.amount_minor'),
    ('refunds', 'currency', 'Currency of the payment.', 'ISO 4217', 'payments.payments.captured_currency'),
    ('refunds', 'requested_at', 'When it was asked for.', 'UTC time', 'payments.refunds.requested_at'),
    ('refunds', 'settled_at', 'When it succeeded or failed.', 'UTC time', 'payments.refunds.settled_at'),
    ('disputes', 'dispute', 'Id of the dispute.', 'id', 'payments.disputes.id'),
    ('disputes', 'state', 'State of the dispute.', 'text', 'payments.disputes.state'),
    ('disputes', 'amount_minor', 'What is contested.', 'minor units of currency', 'payments.disputes.amount_minor'),
    ('disputes', 'currency', 'Currency of the payment.', 'ISO 4217', 'payments.payments.captured_currency'),
    ('disputes', 'opened_at', 'When it was opened.', 'UTC time', 'payments.disputes.opened_at'),
    ('disputes', 'closed_at', 'When it was decided.', 'UTC time', 'payments.disputes.closed_at'),
    ('ledger_entries', 'entry', 'Number of the entry.', 'number', 'ledger.entries.id'),
    ('ledger_entries', 'transaction', 'Id of the transaction.', 'id', 'ledger.transactions.id'),
    ('ledger_entries', 'kind', 'Kind of the transaction.', 'text', 'ledger.transactions.kind'),
    ('ledger_entries', 'reference', 'What the transaction books; unique in the ledger.', 'text', 'ledger.transactions.reference'),
    ('ledger_entries', 'account', 'Account.', 'text', 'ledger.entries.account'),
    ('ledger_entries', 'amount_minor', 'Amount: debits positive, credits negative.', 'minor units of currency', 'ledger.entries.minor'),
    ('ledger_entries', 'occurred_at', 'When it happened.', 'UTC time', 'ledger.transactions.occurred_at'),
    ('certificates', 'certificate', 'Id of the certificate.', 'id', 'certificates.certificates.id'),
    ('certificates', 'kind', 'Kind of the certificate.', 'text', 'certificates.certificates.kind'),
    ('certificates', 'state', 'Its state.', 'issued, replaced, revoked', 'certificates.certificates.revoked_at, certificates.certificates.replaced_at'),
    ('certificates', 'replaces', 'Id of the certificate that it replaces.', 'id', 'certificates.certificates.replaces_id'),
    ('certificates', 'issued_at', 'When it was issued.', 'UTC time', 'certificates.certificates.issued_at'),
    ('certificates', 'revoked_at', 'When it was revoked.', 'UTC time', 'certificates.certificates.revoked_at'),
    ('certificates', 'replaced_at', 'When another took its place.', 'UTC time', 'certificates.certificates.replaced_at'),
    ('survey_answers', 'moment', 'Which questionnaire of the session.', 'opening, closing', 'surveys.questionnaires.moment'),
    ('survey_answers', 'enrolment', 'Id of the enrolment; empty: who answered is not known to the house.', 'id', 'surveys.responses.enrolment_id'),
    ('survey_answers', 'respondent', 'Pseudonym of who answered, the same before and after.', 'pseudonym', 'a keyed hash of surveys.responses.respondent'),
    ('survey_answers', 'kind', 'Kind of the question.', 'skill, satisfaction, recommend, single, multiple', 'surveys.answers.kind'),
    ('survey_answers', 'question', 'Code of the question.', 'text', 'surveys.answers.question'),
    ('survey_answers', 'part', 'Before or after of a skill, the code of a choice, or empty.', 'text', 'surveys.answers.part'),
    ('survey_answers', 'value', 'Value of the scale; 1 for a choice.', '0 to 10', 'surveys.answers.value'),
    ('survey_answers', 'at', 'When it was answered.', 'UTC time', 'surveys.responses.at'),
    ('outcome_cube', 'acquisition_month', 'Month of the first enrolment, or of the payment where there is no enrolment yet.', 'YYYY-MM, UTC', 'journey.enrolments.enrolled_at, sales.orders.paid_at'),
    ('outcome_cube', 'enrolled', 'Enrolments that have not left.', 'number', 'journey.enrolments.reached'),
    ('outcome_cube', 'started', 'Of them, those that started.', 'number', 'journey.enrolments.reached'),
    ('outcome_cube', 'diligent', 'Of them, the diligent.', 'number', 'journey.enrolments.reached'),
    ('outcome_cube', 'succeeded', 'Of them, those that succeeded.', 'number', 'journey.enrolments.reached'),
    ('outcome_cube', 'eligible', 'Of them, those that may sit the exam.', 'number', 'journey.enrolments.reached'),
    ('outcome_cube', 'exam_booked', 'Of them, those that booked it.', 'number', 'journey.enrolments.reached'),
    ('outcome_cube', 'exam_sat', 'Of them, those that sat it.', 'number', 'journey.enrolments.reached'),
    ('outcome_cube', 'exam_passed', 'Of them, those that passed it.', 'number', 'journey.enrolments.reached'),
    ('outcome_cube', 'certified', 'Of them, the certified.', 'number', 'journey.enrolments.reached'),
    ('outcome_cube', 'paying', 'Of them, those with a paid formula in force.', 'number', 'journey.enrolments.reached'),
    ('outcome_cube', 'gross_minor', 'Sales.', 'minor units of currency', 'ledger.entries, account revenue'),
    ('outcome_cube', 'refunds_minor', 'Refunds.', 'minor units of currency', 'ledger.entries, account refunds'),
    ('outcome_cube', 'disputes_minor', 'Lost disputes.', 'minor units of currency', 'ledger.entries, account disputes'),
    ('outcome_cube', 'fees_minor', 'Fees of providers.', 'minor units of currency', 'ledger.entries, accounts cost:fee…'),
    ('outcome_cube', 'costs_minor', 'Other costs.', 'minor units of currency', 'ledger.entries, accounts cost:…');
    FOR c IN SELECT v.relname AS view, a.attname AS col, s.meaning || ' | ' || s.unit || ' | ' || s.source AS text
               FROM pg_class v JOIN pg_attribute a ON a.attrelid = v.oid AND a.attnum > 0
               CROSS JOIN LATERAL (SELECT * FROM said WHERE col = a.attname AND view IN (v.relname, '*') ORDER BY view = '*' LIMIT 1) s
              WHERE v.relnamespace = 'export'::regnamespace AND v.relkind = 'v' LOOP
        EXECUTE format('COMMENT ON COLUMN export.%I.%I IS %L', c.view, c.col, c.text);
    END LOOP;
    FOR c IN SELECT s.view, s.meaning FROM said s WHERE s.col = '' LOOP
        EXECUTE format('COMMENT ON VIEW export.%I IS %L', c.view, c.meaning);
    END LOOP;
END $$;
-- +goose StatementEnd

-- +goose StatementBegin
DO $$
DECLARE v text;
BEGIN
    FOR v IN SELECT viewname FROM pg_views WHERE schemaname = 'export' LOOP
        EXECUTE format('ALTER VIEW export.%I OWNER TO cursus_views', v);
        EXECUTE format('GRANT SELECT ON export.%I TO cursus_export', v);
    END LOOP;
END $$;
-- +goose StatementEnd
