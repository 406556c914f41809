-- +goose Up
-- Whether both of a couple have a stage at an instant (9999-12-31: now): whoever ever had it, or has it and has not left. It is one expression of the
-- columns of the couple, so that it is found in what the indexes hold.
CREATE FUNCTION analytics.together(c analytics.couples, stage int, of_ever boolean, true_at timestamptz) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
SELECT CASE WHEN of_ever THEN CASE stage WHEN 1 THEN c.enrolled_ever WHEN 2 THEN c.started_ever WHEN 64 THEN c.succeeded_ever ELSE c.certified_ever END <= true_at
            ELSE CASE stage WHEN 1 THEN c.enrolled_since WHEN 2 THEN c.started_since WHEN 64 THEN c.succeeded_since ELSE c.certified_since END <= true_at
             AND coalesce(CASE stage WHEN 1 THEN c.enrolled_until WHEN 2 THEN c.started_until WHEN 64 THEN c.succeeded_until ELSE c.certified_until END, 'infinity') > true_at END
$$;
