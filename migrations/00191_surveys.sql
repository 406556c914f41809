-- +goose Up
-- What learners say of a session before and after it, and what they write in its forum.
CREATE SCHEMA surveys;
GRANT USAGE ON SCHEMA surveys TO cursus_app;

-- A questionnaire is one working copy; what people answer is a published version of it, which never changes.
CREATE TABLE surveys.questionnaires (
    id         text PRIMARY KEY CHECK (id LIKE 'qst\_%'),
    session_id text NOT NULL REFERENCES catalog.sessions,
    moment     text NOT NULL CHECK (moment IN ('opening', 'closing')),
    content    jsonb NOT NULL,
    version    int NOT NULL DEFAULT 1 CHECK (version > 0), -- of the working copy
    published  int NOT NULL DEFAULT 0 CHECK (published >= 0), -- the version that people answer; 0: none yet
    created_at timestamptz NOT NULL,
    CONSTRAINT one_questionnaire_per_moment UNIQUE (session_id, moment)
);
CREATE TABLE surveys.versions (
    questionnaire_id text NOT NULL REFERENCES surveys.questionnaires,
    n                int NOT NULL CHECK (n > 0),
    content          jsonb NOT NULL,
    published_at     timestamptz NOT NULL,
    PRIMARY KEY (questionnaire_id, n)
);
CREATE TRIGGER versions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON surveys.versions FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();

-- A file that was taken in: known by its bytes and by how its columns were read. The bytes themselves are not kept.
CREATE TABLE surveys.imports (
    id               text PRIMARY KEY CHECK (id LIKE 'svi\_%'),
    session_id       text NOT NULL REFERENCES catalog.sessions,
    questionnaire_id text REFERENCES surveys.questionnaires, -- null: posts of a forum
    sha256           bytea NOT NULL CHECK (length(sha256) = 32),
    file_name        text NOT NULL CHECK (length(file_name) <= 255),
    dialect          text NOT NULL CHECK (length(dialect) <= 40),
    collected_at     timestamptz NOT NULL,
    recorded_at      timestamptz NOT NULL,
    rows_new         int NOT NULL,
    rows_changed     int NOT NULL,
    rows_unchanged   int NOT NULL,
    rows_rejected    int NOT NULL,
    CONSTRAINT survey_content_once UNIQUE (session_id, sha256)
);
CREATE TABLE surveys.outcomes (
    import_id text NOT NULL REFERENCES surveys.imports,
    line      int NOT NULL,
    col       int NOT NULL,
    outcome   text NOT NULL CHECK (outcome IN ('new', 'changed', 'unchanged', 'rejected')),
    code      text NOT NULL,
    detail    text NOT NULL,
    PRIMARY KEY (import_id, line)
);

-- What somebody answered at one time: all of it again when she changes a word, so that any past date can be asked. Who is not known here
-- has a pseudonym, under which her opening and her closing answers find each other.
CREATE TABLE surveys.responses (
    id               text PRIMARY KEY CHECK (id LIKE 'rsp\_%'),
    seq              bigint GENERATED ALWAYS AS IDENTITY,
    questionnaire_id text NOT NULL REFERENCES surveys.questionnaires,
    version          int NOT NULL,
    session_id       text NOT NULL REFERENCES catalog.sessions,
    enrolment_id     text REFERENCES enrolment.enrolments,
    learner_id       text REFERENCES identity.people,
    respondent       text NOT NULL CHECK (length(respondent) BETWEEN 1 AND 100),
    at               timestamptz NOT NULL,
    recorded_at      timestamptz NOT NULL,
    import_id        text REFERENCES surveys.imports,
    said             bytea NOT NULL CHECK (length(said) = 32), -- a hash of the answers without free text, to see whether anything changed
    CONSTRAINT respondent_is_her_enrolment CHECK ((enrolment_id IS NULL) = (learner_id IS NULL) AND (enrolment_id IS NULL OR respondent = enrolment_id)),
    FOREIGN KEY (questionnaire_id, version) REFERENCES surveys.versions
);
CREATE INDEX responses_by_session ON surveys.responses (session_id, questionnaire_id, respondent, at DESC, seq DESC);
CREATE INDEX responses_by_learner ON surveys.responses (learner_id) WHERE learner_id IS NOT NULL;
CREATE TABLE surveys.answers (
    response_id text NOT NULL REFERENCES surveys.responses,
    learner_id  text,
    question    text NOT NULL CHECK (length(question) BETWEEN 1 AND 40),
    part        text NOT NULL, -- before or after of a skill, the code of a choice, or empty
    kind        text NOT NULL CHECK (kind IN ('skill', 'satisfaction', 'recommend', 'single', 'multiple', 'text')),
    value       int NOT NULL CHECK (value BETWEEN 0 AND 10), -- of a scale; 1 for a choice and for a text
    words       text NOT NULL DEFAULT '' CHECK (length(words) <= 4000),
    PRIMARY KEY (response_id, question, part)
);
CREATE INDEX answers_by_learner ON surveys.answers (learner_id) WHERE learner_id IS NOT NULL;
CREATE TRIGGER responses_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON surveys.responses FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();
CREATE TRIGGER answers_append_only BEFORE DELETE OR TRUNCATE ON surveys.answers FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();
CREATE TRIGGER answers_only_wipes BEFORE UPDATE ON surveys.answers FOR EACH ROW EXECUTE FUNCTION platform.only_wipes('words');

-- A post of a forum, without its words. An author who is not enrolled has a pseudonym.
CREATE TABLE surveys.posts (
    session_id   text NOT NULL REFERENCES catalog.sessions,
    post_id      text NOT NULL CHECK (length(post_id) BETWEEN 1 AND 100),
    thread_id    text NOT NULL CHECK (length(thread_id) BETWEEN 1 AND 100),
    kind         text NOT NULL CHECK (kind IN ('question', 'discussion', 'response', 'comment')),
    enrolment_id text REFERENCES enrolment.enrolments,
    learner_id   text REFERENCES identity.people,
    author       text NOT NULL CHECK (length(author) BETWEEN 1 AND 100),
    cohort       text NOT NULL CHECK (length(cohort) <= 255),
    created_at   timestamptz NOT NULL,
    recorded_at  timestamptz NOT NULL,
    import_id    text NOT NULL REFERENCES surveys.imports,
    PRIMARY KEY (session_id, post_id),
    CHECK ((kind IN ('question', 'discussion')) = (post_id = thread_id)),
    CHECK ((enrolment_id IS NULL) = (learner_id IS NULL) AND (enrolment_id IS NULL OR author = enrolment_id))
);
CREATE INDEX posts_by_learner ON surveys.posts (learner_id) WHERE learner_id IS NOT NULL;
-- Whether a thread was marked as answered: a step function over the time of the exports.
CREATE TABLE surveys.marks (
    seq         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    session_id  text NOT NULL,
    thread_id   text NOT NULL,
    answered    boolean NOT NULL,
    at          timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL
);
CREATE INDEX marks_by_thread ON surveys.marks (session_id, thread_id, at DESC, seq DESC);
CREATE TRIGGER posts_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON surveys.posts FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();
CREATE TRIGGER marks_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON surveys.marks FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change();

GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA surveys TO cursus_app;
GRANT UPDATE (content, version, published) ON surveys.questionnaires TO cursus_app;
GRANT UPDATE (words) ON surveys.answers TO cursus_app;
-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['responses', 'answers', 'posts'] LOOP
        EXECUTE format('ALTER TABLE surveys.%I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY house ON surveys.%I TO cursus_app USING (platform.actor() = ''system'' OR platform.actor() LIKE ''staff:%%'')', t);
        EXECUTE format('CREATE POLICY everything ON surveys.%I TO cursus_house USING (true)', t);
        EXECUTE format('CREATE POLICY own ON surveys.%I FOR SELECT TO cursus_app USING (platform.actor() = ''learner:'' || learner_id)', t);
    END LOOP;
END $$;
-- +goose StatementEnd
