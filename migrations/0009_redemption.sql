-- Redemption codes: a code gives its user money or a plan, once. Batches, their codes, and who has redeemed them.

-- A batch says what its codes give, and that is never changed. All texts of a batch are sealed as one, so that root can have
-- them again.
CREATE TABLE redemption_batches (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL,
  note text NOT NULL DEFAULT '',
  kind text NOT NULL CHECK (kind IN ('balance', 'plan')),
  usd_micros bigint CHECK (usd_micros > 0),
  -- The plan's full terms when the batch was made, as an order has them.
  terms jsonb,
  -- A user who redeems one of its codes gets this group, and so its prices. Null: prices stay as they are.
  group_code text REFERENCES user_groups (code),
  codes integer NOT NULL CHECK (codes > 0),
  -- How many users may redeem each code. 1: a code for one user; more: a code that is shared.
  uses_max integer NOT NULL CHECK (uses_max > 0),
  expires_at timestamptz,
  disabled_at timestamptz,
  codes_sealed bytea NOT NULL,
  key_id text NOT NULL,
  revision bigint NOT NULL DEFAULT 1,
  -- The key of the form or request that made it: sent twice, it is one batch.
  request_key text UNIQUE,
  created_at timestamptz NOT NULL DEFAULT now(),
  -- Null: on the command line.
  created_by bigint REFERENCES users,
  CONSTRAINT redemption_batches_gift CHECK (
    (kind = 'balance') = (usd_micros IS NOT NULL) AND (kind = 'plan') = (terms IS NOT NULL))
);
CREATE TRIGGER redemption_batches_revision BEFORE UPDATE ON redemption_batches
  FOR EACH ROW EXECUTE FUNCTION realms_count_revision_v1();
CALL realms_keep_rows_v1('redemption_batches', 'DELETE');
CREATE TRIGGER keep_redemption_batches_gift
  BEFORE UPDATE OF kind, usd_micros, terms, group_code, codes, uses_max ON redemption_batches
  FOR EACH ROW EXECUTE FUNCTION realms_refuse_change_v1();

CREATE TABLE redemption_codes (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  batch_id bigint NOT NULL REFERENCES redemption_batches,
  -- Of the text only the hash is here, to look the code up by.
  code_hash bytea NOT NULL UNIQUE,
  -- Its last characters.
  hint text NOT NULL,
  uses integer NOT NULL DEFAULT 0,
  uses_max integer NOT NULL,
  disabled_at timestamptz,
  CONSTRAINT redemption_codes_uses CHECK (uses BETWEEN 0 AND uses_max)
);
CREATE INDEX redemption_codes_batch ON redemption_codes (batch_id, id);
CALL realms_keep_rows_v1('redemption_codes', 'DELETE');

-- The ledger entry of a balance code has the reference <code_id>:<user_id>.
CREATE TABLE redemptions (
  id bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
  code_id bigint NOT NULL REFERENCES redemption_codes,
  user_id bigint NOT NULL REFERENCES users,
  -- What a plan code gave. Null for a balance code.
  subscription_id bigint UNIQUE REFERENCES user_subscriptions,
  at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (code_id, user_id)
);
CALL realms_keep_rows_v1('redemptions', 'UPDATE OR DELETE');
