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

-- Models, prices and plans: which channels serve a model, who has a plan, and files of prices as they were read, so that what
-- is applied is what was looked at.
CREATE INDEX channel_models_model ON channel_models (model_id);
CREATE INDEX user_subscriptions_plan ON user_subscriptions (plan_id) WHERE status = 'active';
CREATE INDEX subscription_orders_plan ON subscription_orders (plan_id) WHERE state = 'pending';
CREATE TABLE price_imports (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  actor text NOT NULL,
  -- Entries of the file that are no models of text.
  skipped bigint NOT NULL CHECK (skipped >= 0),
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE price_offers (
  import_id bigint NOT NULL REFERENCES price_imports ON DELETE CASCADE,
  -- In the order of the file.
  position integer NOT NULL,
  provider text NOT NULL,
  model_id text NOT NULL,
  input_micros_per_1m bigint,
  cached_input_micros_per_1m bigint,
  cache_write_micros_per_1m bigint,
  output_micros_per_1m bigint,
  -- Null: the file does not say, and what the model has stays.
  max_output_tokens bigint,
  reasoning boolean,
  -- Some price was finer than a micro per 1M tokens and is rounded up.
  rounded boolean NOT NULL,
  -- The file has other prices for some calls, such as those with a long context; they are not taken.
  tiered boolean NOT NULL,
  -- Why it cannot be taken; null: it can.
  problem text CHECK (problem IN ('id', 'missing', 'price')),
  PRIMARY KEY (import_id, position),
  CHECK (problem IS NOT NULL OR
    (input_micros_per_1m IS NOT NULL AND cached_input_micros_per_1m IS NOT NULL AND output_micros_per_1m IS NOT NULL))
);
