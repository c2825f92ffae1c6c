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

-- Redemption codes: whoever has the text has the money, once. A batch says what its codes give, and that is never changed; of a
-- text only the hash is there to look it up by, and all texts of a batch are sealed as one, so that root can have them again.
CREATE TABLE redemption_batches (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL,
  note text NOT NULL DEFAULT '',
  kind text NOT NULL CHECK (kind IN ('balance', 'plan')),
  usd_micros bigint CHECK (usd_micros > 0),
  -- The plan's full terms when the batch was made, as an order has them.
  terms jsonb,
  codes integer NOT NULL CHECK (codes > 0),
  -- Of each code, every one by another user. 1: a code for one; more: a code that is shared.
  uses_max integer NOT NULL CHECK (uses_max > 0),
  expires_at timestamptz,
  disabled_at timestamptz,
  codes_sealed bytea NOT NULL,
  key_id text NOT NULL,
  revision bigint NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL DEFAULT now(),
  -- Null: on the command line.
  created_by bigint REFERENCES users,
  CONSTRAINT redemption_batches_gift CHECK (
    (kind = 'balance') = (usd_micros IS NOT NULL) AND (kind = 'plan') = (terms IS NOT NULL))
);
CREATE TABLE redemption_codes (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  batch_id bigint NOT NULL REFERENCES redemption_batches,
  code_hash bytea NOT NULL UNIQUE,
  -- Its last characters.
  hint text NOT NULL,
  uses integer NOT NULL DEFAULT 0,
  uses_max integer NOT NULL,
  disabled_at timestamptz,
  CONSTRAINT redemption_codes_uses CHECK (uses BETWEEN 0 AND uses_max)
);
CREATE INDEX redemption_codes_batch ON redemption_codes (batch_id, id);
-- A balance code's ledger entry has the reference <code_id>:<user_id>.
CREATE TABLE redemptions (
  id bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
  code_id bigint NOT NULL REFERENCES redemption_codes,
  user_id bigint NOT NULL REFERENCES users,
  -- What a plan code gave; null for a balance code.
  subscription_id bigint UNIQUE REFERENCES user_subscriptions,
  at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (code_id, user_id)
);
CREATE TRIGGER redemption_batches_revision BEFORE UPDATE ON redemption_batches
  FOR EACH ROW EXECUTE FUNCTION realms_count_revision();
CREATE TRIGGER keep_redemption_batches BEFORE DELETE ON redemption_batches
  FOR EACH ROW EXECUTE FUNCTION realms_refuse_change();
CREATE TRIGGER keep_redemption_batches_all BEFORE TRUNCATE ON redemption_batches
  FOR EACH STATEMENT EXECUTE FUNCTION realms_refuse_change();
CREATE TRIGGER keep_redemption_batches_gift
  BEFORE UPDATE OF kind, usd_micros, terms, codes, uses_max ON redemption_batches
  FOR EACH ROW EXECUTE FUNCTION realms_refuse_change();
CREATE TRIGGER keep_redemption_codes BEFORE DELETE ON redemption_codes
  FOR EACH ROW EXECUTE FUNCTION realms_refuse_change();
CREATE TRIGGER keep_redemption_codes_all BEFORE TRUNCATE ON redemption_codes
  FOR EACH STATEMENT EXECUTE FUNCTION realms_refuse_change();
CREATE TRIGGER keep_redemptions BEFORE UPDATE OR DELETE ON redemptions
  FOR EACH ROW EXECUTE FUNCTION realms_refuse_change();
CREATE TRIGGER keep_redemptions_all BEFORE TRUNCATE ON redemptions
  FOR EACH STATEMENT EXECUTE FUNCTION realms_refuse_change();
