-- Plans and who has them: the plans for sale, subscriptions with the terms they were bought on, what is used of their windows,
-- subscriptions that root gave, and every change of a subscription.

CREATE TABLE subscription_plans (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  code text NOT NULL UNIQUE,
  name text NOT NULL,
  price_fen bigint NOT NULL CHECK (price_fen >= 0),
  duration_days integer NOT NULL CHECK (duration_days > 0),
  -- A limit of 0: the window is not limited.
  limit_5h_micros bigint NOT NULL CHECK (limit_5h_micros >= 0),
  limit_1d_micros bigint NOT NULL CHECK (limit_1d_micros >= 0),
  limit_7d_micros bigint NOT NULL CHECK (limit_7d_micros >= 0),
  limit_30d_micros bigint NOT NULL CHECK (limit_30d_micros >= 0),
  multiplier_micros bigint NOT NULL DEFAULT 1000000 CHECK (multiplier_micros >= 0),
  -- The group whose prices its calls have. Null: the plan sets none.
  group_code text REFERENCES user_groups (code),
  -- Limits of its user's calls while it runs. 0: it sets none.
  requests_per_minute integer NOT NULL DEFAULT 0 CHECK (requests_per_minute >= 0),
  tokens_per_minute integer NOT NULL DEFAULT 0 CHECK (tokens_per_minute >= 0),
  concurrent_calls integer NOT NULL DEFAULT 0 CHECK (concurrent_calls >= 0),
  -- How it is shown to buyers, which is no part of what they buy.
  description_en text NOT NULL DEFAULT '',
  description_zh text NOT NULL DEFAULT '',
  recommended boolean NOT NULL DEFAULT false,
  position integer NOT NULL DEFAULT 0 CHECK (position >= 0),
  -- The row comes from config.yaml.
  declared boolean NOT NULL DEFAULT false,
  disabled_at timestamptz,
  revision bigint NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER subscription_plans_revision BEFORE UPDATE ON subscription_plans
  FOR EACH ROW EXECUTE FUNCTION realms_count_revision_v1();

CREATE TABLE user_subscriptions (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  user_id bigint NOT NULL REFERENCES users,
  plan_id bigint REFERENCES subscription_plans,
  order_id bigint,
  -- suspended: the whole price was given back, and may come in again. The subscription's time does not run.
  status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended', 'ended')),
  -- The terms bought. A limit of 0: the window is not limited.
  plan_code text NOT NULL,
  plan_name text NOT NULL,
  limit_5h_micros bigint NOT NULL CHECK (limit_5h_micros >= 0),
  limit_1d_micros bigint NOT NULL CHECK (limit_1d_micros >= 0),
  limit_7d_micros bigint NOT NULL CHECK (limit_7d_micros >= 0),
  limit_30d_micros bigint NOT NULL CHECK (limit_30d_micros >= 0),
  multiplier_micros bigint NOT NULL DEFAULT 1000000 CHECK (multiplier_micros >= 0),
  group_code text REFERENCES user_groups (code),
  -- Limits of its user's calls while it runs. 0: it sets none.
  requests_per_minute integer NOT NULL DEFAULT 0 CHECK (requests_per_minute >= 0),
  tokens_per_minute integer NOT NULL DEFAULT 0 CHECK (tokens_per_minute >= 0),
  concurrent_calls integer NOT NULL DEFAULT 0 CHECK (concurrent_calls >= 0),
  starts_at timestamptz NOT NULL,
  ends_at timestamptz NOT NULL,
  -- Since when its time does not run: suspended, or ended for a price that was given back.
  suspended_at timestamptz,
  -- When root ended it. What a provider says later does not activate it again.
  withdrawn_at timestamptz,
  -- A random value that every writer of this row or of its usage replaces: a decision names the one it was made on.
  fence bigint NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  CHECK (ends_at > starts_at),
  CONSTRAINT user_subscriptions_suspended CHECK (status <> 'suspended' OR suspended_at IS NOT NULL),
  CONSTRAINT user_subscriptions_running CHECK (status <> 'active' OR suspended_at IS NULL)
) WITH (fillfactor = 50);
CREATE INDEX user_subscriptions_user ON user_subscriptions (user_id, ends_at);
CREATE INDEX user_subscriptions_plan ON user_subscriptions (plan_id) WHERE status = 'active';
CALL realms_keep_rows_v1('user_subscriptions', 'DELETE');

-- What is used of a subscription's windows, by minute.
CREATE TABLE subscription_usage (
  subscription_id bigint NOT NULL REFERENCES user_subscriptions,
  -- The start of the minute in which the calls were reserved.
  bucket_start timestamptz NOT NULL,
  micros bigint NOT NULL CHECK (micros >= 0),
  -- The part of `micros` that open calls hold.
  held_micros bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (subscription_id, bucket_start),
  CONSTRAINT subscription_usage_held CHECK (held_micros BETWEEN 0 AND micros)
) WITH (fillfactor = 50);

-- Minutes before `kept_from` may have been removed (retention.subscription_minutes_days): it is written before any of them is. One row.
CREATE TABLE subscription_usage_kept (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  kept_from timestamptz NOT NULL
);

-- Subscriptions that root gave. A grant is made once for its key, however often it is asked for.
CREATE TABLE subscription_grants (
  key text PRIMARY KEY,
  subscription_id bigint NOT NULL UNIQUE REFERENCES user_subscriptions,
  user_id bigint NOT NULL REFERENCES users,
  plan_code text NOT NULL,
  note text NOT NULL,
  actor text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CALL realms_keep_rows_v1('subscription_grants', 'UPDATE OR DELETE');

-- Every change of a subscription's status and times.
CREATE TABLE subscription_changes (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  subscription_id bigint NOT NULL REFERENCES user_subscriptions,
  at timestamptz NOT NULL DEFAULT now(),
  status_before text NOT NULL,
  starts_before timestamptz NOT NULL,
  ends_before timestamptz NOT NULL,
  status_after text NOT NULL,
  starts_after timestamptz NOT NULL,
  ends_after timestamptz NOT NULL
);
CREATE INDEX subscription_changes_subscription ON subscription_changes (subscription_id, id);

CREATE FUNCTION realms_note_subscription_change_v1() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO subscription_changes (subscription_id, status_before, starts_before, ends_before, status_after, starts_after,
      ends_after)
    VALUES (NEW.id, OLD.status, OLD.starts_at, OLD.ends_at, NEW.status, NEW.starts_at, NEW.ends_at);
  RETURN NULL;
END $$;

CREATE TRIGGER note_user_subscriptions AFTER UPDATE ON user_subscriptions FOR EACH ROW
  WHEN ((OLD.status, OLD.starts_at, OLD.ends_at) IS DISTINCT FROM (NEW.status, NEW.starts_at, NEW.ends_at))
  EXECUTE FUNCTION realms_note_subscription_change_v1();
CALL realms_keep_rows_v1('subscription_changes', 'UPDATE OR DELETE');
