-- What root needs to run the service: a record of every change, settings that win over the file, rows that two people cannot
-- overwrite unseen, keys of the administration's API, links for a new password, exceptions that are resolved, and codes.

-- Who changed what is kept for ever, as money is.
CREATE INDEX audit_log_action ON audit_log (action, id);
CREATE INDEX audit_log_actor ON audit_log (actor, id);
CREATE INDEX audit_log_target ON audit_log (target, id);
CREATE TRIGGER keep_audit_log BEFORE UPDATE OR DELETE ON audit_log
  FOR EACH ROW EXECUTE FUNCTION realms_refuse_change();
CREATE TRIGGER keep_audit_log_all BEFORE TRUNCATE ON audit_log
  FOR EACH STATEMENT EXECUTE FUNCTION realms_refuse_change();

-- An override is either a text that the file could have, or a sealed secret with the id of the key that seals it.
ALTER TABLE app_settings
  ADD CONSTRAINT app_settings_one CHECK ((value IS NULL) <> (secret IS NULL)),
  ADD CONSTRAINT app_settings_key CHECK ((secret IS NULL) = (key_id IS NULL));
ALTER TABLE channels
  ADD CONSTRAINT channels_key CHECK ((api_key_sealed IS NULL) = (key_id IS NULL)),
  ADD CONSTRAINT channels_declared CHECK (NOT declared OR api_key_sealed IS NULL);

-- Every change of a row that people edit counts, whoever makes it: a form names the revision that it was filled in on.
CREATE FUNCTION realms_count_revision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.revision := OLD.revision + 1;
  RETURN NEW;
END $$;
ALTER TABLE channels ADD COLUMN revision bigint NOT NULL DEFAULT 1;
ALTER TABLE models ADD COLUMN revision bigint NOT NULL DEFAULT 1;
ALTER TABLE subscription_plans ADD COLUMN revision bigint NOT NULL DEFAULT 1;
CREATE TRIGGER channels_revision BEFORE UPDATE ON channels FOR EACH ROW EXECUTE FUNCTION realms_count_revision();
CREATE TRIGGER models_revision BEFORE UPDATE ON models FOR EACH ROW EXECUTE FUNCTION realms_count_revision();
CREATE TRIGGER subscription_plans_revision BEFORE UPDATE ON subscription_plans
  FOR EACH ROW EXECUTE FUNCTION realms_count_revision();

-- call: pays for calls. admin: may do in /api/admin what its owner may do in the console, and nothing at all in /v1.
ALTER TABLE api_keys ADD COLUMN kind text NOT NULL DEFAULT 'call' CHECK (kind IN ('call', 'admin'));

-- A link by which its user sets a new password, once. Only the hash of its token is stored.
CREATE TABLE password_links (
  token_hash bytea PRIMARY KEY,
  user_id bigint NOT NULL REFERENCES users,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL
);
CREATE INDEX password_links_user ON password_links (user_id);

-- Users, and what root gives and takes. A grant is made once for its key, however often it is asked for. A subscription that
-- root has ended is not taken up again by what a provider says later.
ALTER TABLE user_subscriptions ADD COLUMN withdrawn_at timestamptz;
CREATE TABLE subscription_grants (
  key text PRIMARY KEY,
  subscription_id bigint NOT NULL UNIQUE REFERENCES user_subscriptions,
  user_id bigint NOT NULL REFERENCES users,
  plan_code text NOT NULL,
  note text NOT NULL,
  actor text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER keep_subscription_grants BEFORE UPDATE OR DELETE ON subscription_grants
  FOR EACH ROW EXECUTE FUNCTION realms_refuse_change();
CREATE TRIGGER keep_subscription_grants_all BEFORE TRUNCATE ON subscription_grants
  FOR EACH STATEMENT EXECUTE FUNCTION realms_refuse_change();
