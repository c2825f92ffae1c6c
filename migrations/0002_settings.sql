-- How the service is set up and who changed it: settings that win over config.yaml, and the audit log of everything that root
-- and the other roles change.

-- A row is either a text that the file could have, or a sealed secret with the id of the key that seals it.
CREATE TABLE app_settings (
  key text PRIMARY KEY,
  value jsonb,
  secret bytea,
  key_id text,
  updated_at timestamptz NOT NULL DEFAULT now(),
  updated_by bigint REFERENCES users,
  CONSTRAINT app_settings_one CHECK ((value IS NULL) <> (secret IS NULL)),
  CONSTRAINT app_settings_key CHECK ((secret IS NULL) = (key_id IS NULL))
);

-- One row once an administrator has put the list of first steps away.
CREATE TABLE first_steps (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  dismissed_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE audit_log (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT now(),
  actor text NOT NULL,
  action text NOT NULL,
  target text NOT NULL,
  before jsonb,
  after jsonb,
  address text
);
CREATE INDEX audit_log_action ON audit_log (action, id);
CREATE INDEX audit_log_actor ON audit_log (actor, id);
CREATE INDEX audit_log_target ON audit_log (target, id);

-- The guard of every table whose rows are kept for ever: the database refuses what the code must not do.
CREATE FUNCTION realms_refuse_change_v1() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% of % is refused: financial rows are kept for ever', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'restrict_violation';
END $$;

-- Has a table refuse these changes of its rows, 'DELETE' or 'UPDATE OR DELETE', and to be emptied.
CREATE PROCEDURE realms_keep_rows_v1(p_table text, p_changes text) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format(
    'CREATE TRIGGER %I BEFORE %s ON %I FOR EACH ROW EXECUTE FUNCTION realms_refuse_change_v1()',
    'keep_' || p_table, p_changes, p_table
  );
  EXECUTE format(
    'CREATE TRIGGER %I BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION realms_refuse_change_v1()',
    'keep_' || p_table || '_all', p_table
  );
END $$;

CALL realms_keep_rows_v1('audit_log', 'UPDATE OR DELETE');
