-- The first schema: who there is, what they own, what each call held and cost, and the places that payments will fill.
-- Money is bigint: USD micros (1 USD = 1,000,000) or CNY fen. Multipliers are bigint scaled by 1,000,000.

CREATE TABLE users (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  email text NOT NULL CHECK (email = lower(email)),
  password_hash text,
  role text NOT NULL DEFAULT 'user' CHECK (role IN ('user', 'root')),
  disabled_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (email)
);

CREATE TABLE sessions (
  id_hash bytea PRIMARY KEY,
  user_id bigint NOT NULL REFERENCES users,
  created_at timestamptz NOT NULL DEFAULT now(),
  last_seen_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  user_agent text,
  address text
);
CREATE INDEX sessions_user ON sessions (user_id);

CREATE TABLE api_keys (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  user_id bigint NOT NULL REFERENCES users,
  name text NOT NULL DEFAULT '',
  key_hash bytea NOT NULL UNIQUE,
  hint text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz,
  revoked_at timestamptz,
  last_used_at timestamptz,
  spend_limit_micros bigint CHECK (spend_limit_micros >= 0),
  allowed_models text[]
);
CREATE INDEX api_keys_user ON api_keys (user_id);

CREATE TABLE user_balances (
  user_id bigint PRIMARY KEY REFERENCES users,
  usd_micros bigint NOT NULL DEFAULT 0 CHECK (usd_micros >= 0),
  owed_micros bigint NOT NULL DEFAULT 0 CHECK (owed_micros >= 0),
  -- Whatever is owed was collected down to zero first, and is paid back before anything is spendable again.
  CONSTRAINT owed_means_empty CHECK (owed_micros = 0 OR usd_micros = 0)
) WITH (fillfactor = 50);

CREATE TABLE ledger_entries (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  user_id bigint NOT NULL REFERENCES users,
  kind text NOT NULL,
  amount_micros bigint NOT NULL,
  -- The part of a debit that could not be collected and became owed.
  owed_micros bigint NOT NULL DEFAULT 0 CHECK (owed_micros >= 0),
  ref_type text NOT NULL,
  ref_id text NOT NULL,
  actor text NOT NULL,
  note text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (ref_type, ref_id, kind)
);
CREATE INDEX ledger_entries_user ON ledger_entries (user_id, id);

CREATE TABLE subscription_plans (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  code text NOT NULL UNIQUE,
  name text NOT NULL,
  price_fen bigint NOT NULL CHECK (price_fen >= 0),
  duration_days integer NOT NULL CHECK (duration_days > 0),
  limit_5h_micros bigint NOT NULL CHECK (limit_5h_micros >= 0),
  limit_1d_micros bigint NOT NULL CHECK (limit_1d_micros >= 0),
  limit_7d_micros bigint NOT NULL CHECK (limit_7d_micros >= 0),
  limit_30d_micros bigint NOT NULL CHECK (limit_30d_micros >= 0),
  multiplier_micros bigint NOT NULL DEFAULT 1000000 CHECK (multiplier_micros >= 0),
  declared boolean NOT NULL DEFAULT false,
  disabled_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE user_subscriptions (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  user_id bigint NOT NULL REFERENCES users,
  plan_id bigint REFERENCES subscription_plans,
  order_id bigint,
  status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'ended')),
  -- The terms bought; a limit of 0 means none.
  plan_code text NOT NULL,
  plan_name text NOT NULL,
  limit_5h_micros bigint NOT NULL CHECK (limit_5h_micros >= 0),
  limit_1d_micros bigint NOT NULL CHECK (limit_1d_micros >= 0),
  limit_7d_micros bigint NOT NULL CHECK (limit_7d_micros >= 0),
  limit_30d_micros bigint NOT NULL CHECK (limit_30d_micros >= 0),
  multiplier_micros bigint NOT NULL DEFAULT 1000000 CHECK (multiplier_micros >= 0),
  starts_at timestamptz NOT NULL,
  ends_at timestamptz NOT NULL,
  -- A random value that every writer of this row or of its usage replaces: a decision names the one it was made on.
  fence bigint NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  CHECK (ends_at > starts_at)
) WITH (fillfactor = 50);
CREATE INDEX user_subscriptions_user ON user_subscriptions (user_id, ends_at);

CREATE TABLE subscription_usage (
  subscription_id bigint NOT NULL REFERENCES user_subscriptions,
  -- The start of the minute in which the calls were reserved.
  bucket_start timestamptz NOT NULL,
  micros bigint NOT NULL CHECK (micros >= 0),
  PRIMARY KEY (subscription_id, bucket_start)
) WITH (fillfactor = 50);

-- One row a call: its reservation and its settlement. `id` is the request id too. No foreign keys: each would look up and
-- lock a row for every call, and what they guard cannot break - the journal locks the user's balance row and the
-- subscription's row before it writes here, and none of the rows pointed to is ever deleted.
CREATE TABLE usage_events (
  id uuid PRIMARY KEY,
  user_id bigint NOT NULL,
  key_id bigint,
  state text NOT NULL CHECK (state IN ('reserved', 'committed', 'voided', 'expired')),
  funding text NOT NULL CHECK (funding IN ('balance', 'subscription', 'free')),
  subscription_id bigint,
  reserved_micros bigint NOT NULL CHECK (reserved_micros >= 0),
  cost_micros bigint CHECK (cost_micros >= 0),
  charged_micros bigint CHECK (charged_micros >= 0),
  input_micros_per_1m bigint NOT NULL DEFAULT 0,
  cached_input_micros_per_1m bigint NOT NULL DEFAULT 0,
  cache_write_micros_per_1m bigint,
  output_micros_per_1m bigint NOT NULL DEFAULT 0,
  billing_multiplier_micros bigint NOT NULL DEFAULT 1000000,
  plan_multiplier_micros bigint NOT NULL DEFAULT 1000000,
  output_limit bigint NOT NULL DEFAULT 0,
  input_tokens bigint,
  cached_input_tokens bigint,
  cache_write_tokens bigint,
  output_tokens bigint,
  reserved_at timestamptz NOT NULL,
  lease_expires_at timestamptz NOT NULL,
  settled_at timestamptz,
  status integer,
  latency_ms integer,
  ttft_ms integer,
  stream boolean NOT NULL DEFAULT false,
  late boolean NOT NULL DEFAULT false,
  usage_flagged boolean NOT NULL DEFAULT false,
  usage_source text CHECK (usage_source IN ('upstream', 'estimated')),
  endpoint text NOT NULL,
  model text NOT NULL,
  upstream_model text,
  channel text,
  -- Why it ended as it did: a void's reason, or the code of the error the client saw.
  reason text,
  CHECK ((funding = 'subscription') = (subscription_id IS NOT NULL)),
  CHECK (state = 'reserved' OR (settled_at IS NOT NULL AND charged_micros IS NOT NULL)),
  CHECK (funding <> 'free' OR (reserved_micros = 0 AND coalesce(charged_micros, 0) = 0))
) WITH (fillfactor = 70);
CREATE INDEX usage_events_user ON usage_events (user_id, id);
CREATE INDEX usage_events_open ON usage_events (user_id) WHERE state = 'reserved';

CREATE TABLE topup_orders (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  user_id bigint NOT NULL REFERENCES users,
  amount_fen bigint NOT NULL CHECK (amount_fen > 0),
  credit_micros bigint NOT NULL CHECK (credit_micros >= 0),
  state text NOT NULL DEFAULT 'pending'
    CHECK (state IN ('pending', 'paid', 'cancelled', 'expired', 'refunded', 'disputed')),
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  settled_at timestamptz
);
CREATE INDEX topup_orders_user ON topup_orders (user_id, id);

CREATE TABLE subscription_orders (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  user_id bigint NOT NULL REFERENCES users,
  plan_id bigint NOT NULL REFERENCES subscription_plans,
  amount_fen bigint NOT NULL CHECK (amount_fen > 0),
  -- The plan's full terms when the order was placed.
  terms jsonb NOT NULL,
  state text NOT NULL DEFAULT 'pending'
    CHECK (state IN ('pending', 'active', 'cancelled', 'expired', 'refunded', 'disputed')),
  subscription_id bigint REFERENCES user_subscriptions,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  settled_at timestamptz
);
CREATE INDEX subscription_orders_user ON subscription_orders (user_id, id);

CREATE TABLE payment_attempts (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  order_kind text NOT NULL CHECK (order_kind IN ('topup', 'subscription')),
  order_id bigint NOT NULL,
  provider text NOT NULL CHECK (provider IN ('epay', 'stripe')),
  method text,
  amount_minor bigint NOT NULL CHECK (amount_minor > 0),
  currency text NOT NULL,
  merchant_reference text NOT NULL UNIQUE,
  provider_reference text,
  payment_reference text,
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'paid', 'closed')),
  details jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX payment_attempts_order ON payment_attempts (order_kind, order_id);

CREATE TABLE payment_events (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  provider text NOT NULL CHECK (provider IN ('epay', 'stripe')),
  event_key text NOT NULL,
  kind text NOT NULL,
  attempt_id bigint REFERENCES payment_attempts,
  outcome text NOT NULL DEFAULT 'received',
  details jsonb NOT NULL DEFAULT '{}',
  note text NOT NULL DEFAULT '',
  received_at timestamptz NOT NULL DEFAULT now(),
  resolved_at timestamptz,
  UNIQUE (provider, event_key)
);

CREATE TABLE app_settings (
  key text PRIMARY KEY,
  value jsonb,
  secret bytea,
  key_id text,
  updated_at timestamptz NOT NULL DEFAULT now(),
  updated_by bigint REFERENCES users
);

CREATE TABLE channels (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL UNIQUE,
  base_url text NOT NULL,
  -- Sealed key of a channel made in the console. A declared channel's key is never in a table.
  api_key_sealed bytea,
  key_id text,
  priority integer NOT NULL DEFAULT 0,
  weight integer NOT NULL DEFAULT 1 CHECK (weight >= 0),
  stream_options boolean NOT NULL DEFAULT true,
  declared boolean NOT NULL DEFAULT false,
  disabled_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE models (
  id text PRIMARY KEY,
  input_micros_per_1m bigint NOT NULL CHECK (input_micros_per_1m >= 0),
  cached_input_micros_per_1m bigint NOT NULL CHECK (cached_input_micros_per_1m >= 0),
  cache_write_micros_per_1m bigint CHECK (cache_write_micros_per_1m >= 0),
  output_micros_per_1m bigint NOT NULL CHECK (output_micros_per_1m >= 0),
  max_output_tokens bigint NOT NULL CHECK (max_output_tokens > 0),
  reasoning boolean NOT NULL DEFAULT false,
  declared boolean NOT NULL DEFAULT false,
  disabled_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE channel_models (
  channel_id bigint NOT NULL REFERENCES channels,
  model_id text NOT NULL,
  upstream_model text NOT NULL,
  PRIMARY KEY (channel_id, model_id)
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

-- Financial rows are never deleted, and the ledger is append-only. The database refuses what the code must not do.
CREATE FUNCTION realms_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% of % is refused: financial rows are kept for ever', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER keep_ledger_entries BEFORE UPDATE OR DELETE ON ledger_entries
  FOR EACH ROW EXECUTE FUNCTION realms_refuse_change();
CREATE TRIGGER keep_ledger_entries_all BEFORE TRUNCATE ON ledger_entries
  FOR EACH STATEMENT EXECUTE FUNCTION realms_refuse_change();
CREATE TRIGGER keep_usage_events BEFORE DELETE ON usage_events
  FOR EACH ROW EXECUTE FUNCTION realms_refuse_change();
CREATE TRIGGER keep_usage_events_all BEFORE TRUNCATE ON usage_events
  FOR EACH STATEMENT EXECUTE FUNCTION realms_refuse_change();
CREATE TRIGGER keep_user_balances BEFORE DELETE ON user_balances
  FOR EACH ROW EXECUTE FUNCTION realms_refuse_change();
CREATE TRIGGER keep_user_subscriptions BEFORE DELETE ON user_subscriptions
  FOR EACH ROW EXECUTE FUNCTION realms_refuse_change();
CREATE TRIGGER keep_topup_orders BEFORE DELETE ON topup_orders
  FOR EACH ROW EXECUTE FUNCTION realms_refuse_change();
CREATE TRIGGER keep_subscription_orders BEFORE DELETE ON subscription_orders
  FOR EACH ROW EXECUTE FUNCTION realms_refuse_change();
CREATE TRIGGER keep_payment_attempts BEFORE DELETE ON payment_attempts
  FOR EACH ROW EXECUTE FUNCTION realms_refuse_change();
CREATE TRIGGER keep_payment_events BEFORE DELETE ON payment_events
  FOR EACH ROW EXECUTE FUNCTION realms_refuse_change();
