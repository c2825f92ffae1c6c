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

-- Usage of everybody: the hours of 0005 know the channel too, and are found by hour alone. They are made anew from the calls
-- that the folds have passed, so that hours of the past have theirs. Whatever writes calls waits meanwhile, and then whatever
-- folds: the journal takes the two locks in this order, and a fold that is under way only reads calls. An old server's fold
-- that was waiting here finds no constraint to insert by and changes nothing.
LOCK TABLE usage_events IN SHARE ROW EXCLUSIVE MODE;
LOCK TABLE usage_folds IN EXCLUSIVE MODE;

CREATE OR REPLACE VIEW usage_calls AS
  SELECT id, user_id, date_trunc('hour', reserved_at, 'UTC') AS hour, model, coalesce(key_id, 0) AS key_id, funding, state,
      state = 'committed' OR (state = 'expired' AND charged_micros > 0) AS counts,
      coalesce(input_tokens, 0) AS input_tokens, coalesce(cached_input_tokens, 0) AS cached_input_tokens,
      coalesce(cache_write_tokens, 0) AS cache_write_tokens, coalesce(output_tokens, 0) AS output_tokens,
      coalesce(cost_micros, 0) AS cost_micros, coalesce(charged_micros, 0) AS charged_micros,
      coalesce(channel, '') AS channel
    FROM usage_events;

TRUNCATE usage_hours;
-- '': none is known, because the call ended before its channel did.
ALTER TABLE usage_hours ADD COLUMN channel text COLLATE "C" NOT NULL;
ALTER TABLE usage_hours DROP CONSTRAINT usage_hours_pkey;
INSERT INTO usage_hours (user_id, hour, model, key_id, funding, channel, calls, input_tokens, cached_input_tokens,
    cache_write_tokens, output_tokens, cost_micros, charged_micros)
  SELECT c.user_id, c.hour, c.model, c.key_id, c.funding, c.channel, count(*), sum(c.input_tokens),
      sum(c.cached_input_tokens), sum(c.cache_write_tokens), sum(c.output_tokens), sum(c.cost_micros), sum(c.charged_micros)
    FROM usage_calls c JOIN usage_folds f ON f.user_id = c.user_id AND c.id <= f.through
    WHERE c.counts AND NOT EXISTS (SELECT FROM usage_pending p WHERE p.user_id = c.user_id AND p.id = c.id)
    GROUP BY c.user_id, c.hour, c.model, c.key_id, c.funding, c.channel;
ALTER TABLE usage_hours ADD PRIMARY KEY (user_id, hour, model, key_id, funding, channel);
CREATE INDEX usage_hours_hour ON usage_hours (hour);

-- One row: every call that was reserved before has been folded, but for those that were open then or were written late.
CREATE TABLE usage_fold_rounds (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  folded_to timestamptz NOT NULL
) WITH (fillfactor = 50);

-- Folds up to p_calls_max of a user's calls that are older than the margin; answers how many it has passed, 0 when another
-- process is at it. The calls are read by a statement that begins after the lock is held, so it sees what everybody who held
-- it before has written.
CREATE FUNCTION realms_fold_usage_v2(p_user bigint, p_margin_ms bigint, p_calls_max integer) RETURNS integer
LANGUAGE plpgsql SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
  v_before uuid := realms_uuid_at_v1(floor(extract(epoch FROM now()) * 1000)::bigint - p_margin_ms);
  v_through uuid;
  v_last uuid;
  v_passed integer;
BEGIN
  -- An insert would wait for whoever has the row, so it is tried for the first fold only.
  IF NOT EXISTS (SELECT FROM usage_folds f WHERE f.user_id = p_user) THEN
    INSERT INTO usage_folds (user_id) VALUES (p_user) ON CONFLICT DO NOTHING;
  END IF;
  SELECT f.through INTO v_through FROM usage_folds f WHERE f.user_id = p_user FOR UPDATE SKIP LOCKED;
  IF NOT FOUND THEN
    RETURN 0;
  END IF;
  WITH taken AS MATERIALIZED (
    SELECT c.* FROM usage_calls c WHERE (c.user_id, c.id) > (p_user, v_through) AND (c.user_id, c.id) < (p_user, v_before)
      ORDER BY c.user_id, c.id LIMIT p_calls_max
  ), ready AS (
    DELETE FROM usage_pending p USING (
      SELECT q.id FROM usage_pending q
        CROSS JOIN LATERAL (SELECT e.state FROM usage_events e WHERE e.id = q.id OFFSET 0) e
        WHERE q.user_id = p_user AND e.state <> 'reserved' LIMIT p_calls_max
    ) r WHERE p.user_id = p_user AND p.id = r.id RETURNING p.id
  ), waiting AS (
    INSERT INTO usage_pending (user_id, id) SELECT t.user_id, t.id FROM taken t WHERE t.state = 'reserved'
  ), counted AS MATERIALIZED (
    SELECT t.* FROM taken t WHERE t.counts
    UNION ALL
    SELECT c.* FROM ready r CROSS JOIN LATERAL (SELECT v.* FROM usage_calls v WHERE v.id = r.id OFFSET 0) c WHERE c.counts
  ), by_hour AS (
    INSERT INTO usage_hours AS h (user_id, hour, model, key_id, funding, channel, calls, input_tokens,
        cached_input_tokens, cache_write_tokens, output_tokens, cost_micros, charged_micros)
      SELECT p_user, c.hour, c.model, c.key_id, c.funding, c.channel, count(*), sum(c.input_tokens),
          sum(c.cached_input_tokens), sum(c.cache_write_tokens), sum(c.output_tokens), sum(c.cost_micros), sum(c.charged_micros)
        FROM counted c GROUP BY c.hour, c.model, c.key_id, c.funding, c.channel
      ON CONFLICT (user_id, hour, model, key_id, funding, channel) DO UPDATE SET calls = h.calls + excluded.calls,
        input_tokens = h.input_tokens + excluded.input_tokens,
        cached_input_tokens = h.cached_input_tokens + excluded.cached_input_tokens,
        cache_write_tokens = h.cache_write_tokens + excluded.cache_write_tokens,
        output_tokens = h.output_tokens + excluded.output_tokens,
        cost_micros = h.cost_micros + excluded.cost_micros,
        charged_micros = h.charged_micros + excluded.charged_micros
  ), by_key AS (
    INSERT INTO usage_keys AS k (key_id, charged_micros)
      SELECT c.key_id, sum(c.charged_micros) FROM counted c WHERE c.key_id <> 0 GROUP BY c.key_id
      ON CONFLICT (key_id) DO UPDATE SET charged_micros = k.charged_micros + excluded.charged_micros
  )
  SELECT (SELECT count(*) FROM taken) + (SELECT count(*) FROM ready), (SELECT t.id FROM taken t ORDER BY t.id DESC LIMIT 1)
    INTO v_passed, v_last;
  IF v_last IS NOT NULL THEN
    UPDATE usage_folds f SET through = v_last WHERE f.user_id = p_user;
  END IF;
  RETURN v_passed;
END $$;

-- A commit that came after expiry changes a call that may be folded: what was counted of it is taken out, and what it has
-- become is put in, perhaps under another channel. What expired without a charge was not counted.
CREATE FUNCTION realms_usage_late_v2() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v_hour timestamptz := date_trunc('hour', NEW.reserved_at, 'UTC');
  v_key bigint := coalesce(NEW.key_id, 0);
BEGIN
  IF realms_usage_lock_v1(NEW.user_id) < NEW.id
    OR EXISTS (SELECT FROM usage_pending p WHERE p.user_id = NEW.user_id AND p.id = NEW.id) THEN
    RETURN NULL;
  END IF;
  IF OLD.charged_micros > 0 THEN
    UPDATE usage_hours h SET calls = h.calls - 1,
        input_tokens = h.input_tokens - coalesce(OLD.input_tokens, 0),
        cached_input_tokens = h.cached_input_tokens - coalesce(OLD.cached_input_tokens, 0),
        cache_write_tokens = h.cache_write_tokens - coalesce(OLD.cache_write_tokens, 0),
        output_tokens = h.output_tokens - coalesce(OLD.output_tokens, 0),
        cost_micros = h.cost_micros - OLD.cost_micros,
        charged_micros = h.charged_micros - OLD.charged_micros
      WHERE h.user_id = OLD.user_id AND h.hour = v_hour AND h.model = OLD.model AND h.key_id = v_key
        AND h.funding = OLD.funding AND h.channel = coalesce(OLD.channel, '');
  END IF;
  INSERT INTO usage_hours AS h (user_id, hour, model, key_id, funding, channel, calls, input_tokens, cached_input_tokens,
      cache_write_tokens, output_tokens, cost_micros, charged_micros)
    VALUES (NEW.user_id, v_hour, NEW.model, v_key, NEW.funding, coalesce(NEW.channel, ''), 1, coalesce(NEW.input_tokens, 0),
      coalesce(NEW.cached_input_tokens, 0), coalesce(NEW.cache_write_tokens, 0), coalesce(NEW.output_tokens, 0),
      NEW.cost_micros, NEW.charged_micros)
    ON CONFLICT (user_id, hour, model, key_id, funding, channel) DO UPDATE SET calls = h.calls + 1,
      input_tokens = h.input_tokens + excluded.input_tokens,
      cached_input_tokens = h.cached_input_tokens + excluded.cached_input_tokens,
      cache_write_tokens = h.cache_write_tokens + excluded.cache_write_tokens,
      output_tokens = h.output_tokens + excluded.output_tokens,
      cost_micros = h.cost_micros + excluded.cost_micros,
      charged_micros = h.charged_micros + excluded.charged_micros;
  IF v_key <> 0 THEN
    -- The row is made first, so that a decrease meets an existing row and the checks see the sum.
    INSERT INTO usage_keys VALUES (v_key, 0) ON CONFLICT DO NOTHING;
    UPDATE usage_keys k SET charged_micros = k.charged_micros + NEW.charged_micros - OLD.charged_micros
      WHERE k.key_id = v_key;
  END IF;
  RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER usage_events_late AFTER UPDATE OF late ON usage_events
  FOR EACH ROW WHEN (NEW.late AND NOT OLD.late) EXECUTE FUNCTION realms_usage_late_v2();
DROP FUNCTION realms_usage_late_v1();
DROP FUNCTION realms_fold_usage_v1(bigint, bigint, integer);

-- Orders by when they were paid, for the overview.
CREATE INDEX topup_orders_paid ON topup_orders (settled_at) WHERE state = 'paid';
CREATE INDEX subscription_orders_active ON subscription_orders (settled_at) WHERE state = 'active';

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

-- Orders that root completes, exceptions that root resolves, and money that root gives back.

-- outside: paid past both providers, by bank transfer or in cash.
ALTER TABLE payment_attempts DROP CONSTRAINT payment_attempts_provider_check;
ALTER TABLE payment_attempts
  ADD CONSTRAINT payment_attempts_provider_check CHECK (provider IN ('epay', 'stripe', 'outside')),
  -- Who said that it was paid; null: the provider did.
  ADD COLUMN completed_by text,
  ADD CONSTRAINT payment_attempts_completed_check CHECK (provider <> 'outside' OR completed_by IS NOT NULL);
ALTER TABLE payment_events DROP CONSTRAINT payment_events_provider_check;
ALTER TABLE payment_events
  ADD CONSTRAINT payment_events_provider_check CHECK (provider IN ('epay', 'stripe', 'outside')),
  -- completed: the payment was named when root completed an order as paid.
  ADD COLUMN resolution text CHECK (resolution IN ('credited', 'refunded', 'dismissed', 'completed')),
  ADD COLUMN resolution_note text,
  ADD COLUMN resolved_by text,
  -- What a resolution `credited` has put into the ledger, under the event's reference.
  ADD COLUMN credited_user_id bigint REFERENCES users,
  ADD COLUMN credited_micros bigint CHECK (credited_micros > 0),
  ADD CONSTRAINT payment_events_resolved CHECK ((resolution IS NULL) = (resolved_at IS NULL)
    AND (resolution IS NULL) = (resolved_by IS NULL) AND (resolution IS NULL) = (resolution_note IS NULL)),
  ADD CONSTRAINT payment_events_credit CHECK ((resolution IS NOT DISTINCT FROM 'credited')
    = (credited_micros IS NOT NULL) AND (credited_micros IS NULL) = (credited_user_id IS NULL));
-- A payment is credited once, whatever else is said about it.
CREATE UNIQUE INDEX payment_events_credited ON payment_events (provider, payment_reference) WHERE resolution = 'credited';
CREATE INDEX payment_events_reference ON payment_events (merchant_reference) WHERE merchant_reference IS NOT NULL;
CREATE INDEX payment_events_parked ON payment_events (id) WHERE outcome = 'parked' AND resolved_at IS NULL;

-- A refund that root asks for: on record before the provider hears of it, so that one whose answer was lost is seen.
CREATE TABLE refund_requests (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- Of the form or request that asked for it: sent twice, it is one.
  request_key text NOT NULL UNIQUE,
  attempt_id bigint NOT NULL REFERENCES payment_attempts,
  order_id bigint NOT NULL,
  -- In the minor unit of the attempt's currency.
  amount_minor bigint NOT NULL CHECK (amount_minor > 0),
  note text NOT NULL,
  requested_by text NOT NULL,
  -- unknown: the provider's answer was none.
  state text NOT NULL DEFAULT 'requested' CHECK (state IN ('requested', 'done', 'failed', 'unknown')),
  provider_refund text,
  problem text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX refund_requests_order ON refund_requests (order_id, id);
-- One at a time: the next is asked for when it is known what became of this one.
CREATE UNIQUE INDEX refund_requests_open ON refund_requests (attempt_id) WHERE state IN ('requested', 'unknown');
CREATE TRIGGER keep_refund_requests BEFORE DELETE ON refund_requests
  FOR EACH ROW EXECUTE FUNCTION realms_refuse_change();
CREATE TRIGGER keep_refund_requests_all BEFORE TRUNCATE ON refund_requests
  FOR EACH STATEMENT EXECUTE FUNCTION realms_refuse_change();

-- Everybody's orders, by day and by state.
CREATE INDEX topup_orders_created ON topup_orders (created_at);
CREATE INDEX subscription_orders_created ON subscription_orders (created_at);
