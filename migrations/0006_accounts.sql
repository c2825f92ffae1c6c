-- What accounts have and what calls cost them: balances, the ledger, one row for each call, and the ids by which later calls
-- refer to earlier ones.

CREATE TABLE user_balances (
  user_id bigint PRIMARY KEY REFERENCES users,
  usd_micros bigint NOT NULL DEFAULT 0 CHECK (usd_micros >= 0),
  owed_micros bigint NOT NULL DEFAULT 0 CHECK (owed_micros >= 0),
  -- Every batch keeps the number and the holds of the open calls, so that a refusal is decided without reading those calls.
  open_holds integer NOT NULL DEFAULT 0 CHECK (open_holds >= 0),
  -- What open calls hold from the balance.
  held_micros bigint NOT NULL DEFAULT 0 CHECK (held_micros >= 0),
  -- Some key of the user has, or had, a spend limit: what its calls are charged is counted in key_spend.
  spend_limited boolean NOT NULL DEFAULT false,
  -- Only what the balance could not pay is owed, and a debt is paid before anything can be spent again.
  CONSTRAINT owed_means_empty CHECK (owed_micros = 0 OR usd_micros = 0)
) WITH (fillfactor = 50);
CREATE INDEX user_balances_owing ON user_balances (user_id) WHERE owed_micros > 0;
CALL realms_keep_rows_v1('user_balances', 'DELETE');

-- What calls of a key were charged or hold that began in a period. The first call of the period that has a spend limit for it makes the
-- row, with all that was spent until then; from then on every batch keeps it. The period `total` began at the epoch.
CREATE TABLE key_spend (
  user_id bigint NOT NULL,
  key_id bigint NOT NULL,
  period text NOT NULL CHECK (period IN ('day', 'week', 'month', 'total')),
  starts_at timestamptz NOT NULL,
  -- No check: a settlement never fails for it, and an audit compares it with the calls.
  spent_micros bigint NOT NULL,
  PRIMARY KEY (user_id, key_id, period, starts_at)
) WITH (fillfactor = 50);

-- The rates of calls and of tokens of a key, or with the key 0 of all calls of its user: when all of the limit is free again, in
-- microseconds since the epoch by the clock of the servers (GCRA).
CREATE TABLE call_rates (
  user_id bigint NOT NULL,
  key_id bigint NOT NULL,
  requests_us bigint NOT NULL DEFAULT 0,
  tokens_us bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (user_id, key_id)
) WITH (fillfactor = 50);

-- Calls whose clients named an idempotency key: one call has the key at a time, and its answer is kept for those who send it again. A
-- row is written in the batch of the call's hold. Another call takes it over when it is past its day, or when its call has ended without
-- an answer that could be kept.
CREATE TABLE call_claims (
  user_id bigint NOT NULL,
  -- SHA-256 of the key.
  key_hash bytea NOT NULL,
  -- SHA-256 of the route and the body.
  body_hash bytea NOT NULL,
  call_id uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  -- The connection of the journal that wrote it: where it is gone, nobody makes the call any more.
  backend_pid integer NOT NULL,
  backend_start timestamptz NOT NULL,
  -- The answer was larger than what is kept. The call is not made again.
  unkept boolean NOT NULL DEFAULT false,
  -- Headers and body, sealed. Null: there is none yet.
  answer bytea,
  answer_key_id text,
  PRIMARY KEY (user_id, key_hash),
  CHECK ((answer IS NULL) = (answer_key_id IS NULL))
);
CREATE INDEX call_claims_expiry ON call_claims (expires_at);

-- Append-only.
CREATE TABLE ledger_entries (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  user_id bigint NOT NULL REFERENCES users,
  -- 1, 2, 3, … of each user.
  seq bigint NOT NULL,
  kind text NOT NULL,
  amount_micros bigint NOT NULL,
  -- The part of a debit that could not be collected and became debt. A waiver moves no money: here it has the part of the debt
  -- that it waives, as a decrease.
  owed_micros bigint NOT NULL DEFAULT 0,
  -- The spendable balance and the debt after the entry, in micros. Null: not known.
  usd_after bigint,
  owed_after bigint,
  ref_type text NOT NULL,
  ref_id text NOT NULL,
  actor text NOT NULL,
  note text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (ref_type, ref_id, kind),
  CONSTRAINT ledger_entries_seq UNIQUE (user_id, seq),
  CONSTRAINT ledger_entries_owed_micros_check CHECK (
    CASE WHEN kind = 'waiver' THEN amount_micros = 0 AND owed_micros < 0 ELSE owed_micros >= 0 END),
  CONSTRAINT ledger_entries_after CHECK (usd_after >= 0 AND owed_after >= 0)
);
CREATE INDEX ledger_entries_user ON ledger_entries (user_id, id);
CREATE INDEX ledger_entries_created ON ledger_entries (created_at);
CALL realms_keep_rows_v1('ledger_entries', 'UPDATE OR DELETE');

-- An open call: what is held for it, and everything that its settlement is computed from. `id` is the request id too. The row is
-- deleted in the transaction that writes the call's row in `usage_events`, so an id is in one of the two. No foreign keys: each
-- would look up and lock a row for every call, and what they guard cannot break. The journal locks the user's balance row and the
-- subscription's row before it writes here, and none of the rows that a call points to is ever deleted.
CREATE TABLE open_holds (
  id uuid PRIMARY KEY,
  user_id bigint NOT NULL,
  key_id bigint,
  funding text NOT NULL,
  subscription_id bigint,
  reserved_micros bigint NOT NULL,
  -- The hold is a counted bound, below the call's ceiling.
  counted boolean NOT NULL DEFAULT false,
  input_micros_per_1m bigint NOT NULL DEFAULT 0,
  cached_input_micros_per_1m bigint NOT NULL DEFAULT 0,
  cache_write_micros_per_1m bigint,
  output_micros_per_1m bigint NOT NULL DEFAULT 0,
  -- Tiers and prices of tools: {"tiers":[{"above":tokens,"input":"…","cached":"…","write":"…"|null,"output":"…"}],
  -- "tools":{"web":"…"|null,"file":"…"|null}}, in micros as text. Null: neither.
  price_extras jsonb,
  billing_multiplier_micros bigint NOT NULL DEFAULT 1000000,
  plan_multiplier_micros bigint NOT NULL DEFAULT 1000000,
  group_multiplier_micros bigint NOT NULL DEFAULT 1000000,
  output_limit bigint NOT NULL DEFAULT 0,
  reserved_at timestamptz NOT NULL,
  lease_expires_at timestamptz NOT NULL,
  stream boolean NOT NULL DEFAULT false,
  endpoint text NOT NULL,
  model text NOT NULL,
  -- One constraint instead of three: PostgreSQL reads the text of each again for every statement that writes.
  CONSTRAINT open_holds_funding CHECK (CASE funding
    WHEN 'balance' THEN subscription_id IS NULL AND reserved_micros >= 0
    WHEN 'subscription' THEN subscription_id IS NOT NULL AND reserved_micros >= 0
    WHEN 'free' THEN subscription_id IS NULL AND reserved_micros = 0
    ELSE false END)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
  autovacuum_vacuum_cost_delay = 0);
CREATE INDEX open_holds_user ON open_holds (user_id, id);
-- An account has one counted hold open at a time.
CREATE UNIQUE INDEX open_holds_counted ON open_holds (user_id) WHERE counted;

-- A call that has ended: its reservation as it was in `open_holds`, and its settlement. Partitions are ranges of the id, which
-- begins with the time of the request, so that PRIMARY KEY (id) is one constraint. A row whose month has no partition goes into the
-- default one.
CREATE TABLE usage_events (
  LIKE open_holds INCLUDING DEFAULTS,
  state text NOT NULL CHECK (state IN ('committed', 'voided', 'expired')),
  cost_micros bigint NOT NULL CHECK (cost_micros >= 0),
  -- A call was charged charged_micros, on the date of settled_at, and late_charged_micros, on that of late_at. The first two
  -- never change after the settlement.
  charged_micros bigint NOT NULL CHECK (charged_micros >= 0),
  -- Signed, in micros: negative where more was charged at expiry than the call cost.
  late_charged_micros bigint NOT NULL DEFAULT 0,
  input_tokens bigint,
  cached_input_tokens bigint,
  cache_write_tokens bigint,
  output_tokens bigint,
  -- Calls of priced tools that the upstream ran. Null: none.
  web_search_calls integer,
  file_search_calls integer,
  -- Input tokens that were reported above the call's ceiling and not charged. Null: none.
  excess_tokens bigint,
  settled_at timestamptz NOT NULL,
  late_at timestamptz,
  status integer,
  latency_ms integer,
  ttft_ms integer,
  -- It was committed after it had expired.
  late boolean NOT NULL DEFAULT false,
  usage_flagged boolean NOT NULL DEFAULT false,
  -- Codes of what was wrong with the reported usage, separated by spaces. Null: nothing.
  usage_flags text,
  usage_source text CHECK (usage_source IN ('upstream', 'estimated')),
  upstream_model text,
  channel text,
  -- Why it ended as it did: the reason of a void, or the code of the error that the client saw.
  reason text,
  PRIMARY KEY (id),
  CONSTRAINT usage_events_funding CHECK (CASE funding
    WHEN 'balance' THEN subscription_id IS NULL AND reserved_micros >= 0
    WHEN 'subscription' THEN subscription_id IS NOT NULL AND reserved_micros >= 0
    WHEN 'free' THEN subscription_id IS NULL AND reserved_micros = 0 AND charged_micros = 0
    ELSE false END),
  CONSTRAINT usage_events_late CHECK (
    CASE WHEN late_at IS NULL THEN late_charged_micros = 0 ELSE late AND charged_micros + late_charged_micros >= 0 END)
) PARTITION BY RANGE (id);
CREATE INDEX usage_events_user ON usage_events (user_id, id);
-- Rows are written in the order of their settlement, so a few bounds find the pages of a day. An index of every row would cost
-- each settlement an entry.
CREATE INDEX usage_events_settled ON usage_events USING brin (settled_at) WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX usage_events_late_at ON usage_events (late_at) WHERE late_at IS NOT NULL;
CALL realms_keep_rows_v1('usage_events', 'DELETE');
CREATE TABLE usage_events_default PARTITION OF usage_events DEFAULT;
-- Triggers of statements are not inherited.
CREATE TRIGGER keep_usage_events_all BEFORE TRUNCATE ON usage_events_default
  FOR EACH STATEMENT EXECUTE FUNCTION realms_refuse_change_v1();

-- Open calls with the columns of those that have ended, and all calls.
CREATE VIEW open_calls AS
  SELECT h.*, 'reserved'::text AS state, NULL::bigint AS cost_micros, NULL::bigint AS charged_micros,
      0::bigint AS late_charged_micros, NULL::bigint AS input_tokens, NULL::bigint AS cached_input_tokens,
      NULL::bigint AS cache_write_tokens, NULL::bigint AS output_tokens, NULL::integer AS web_search_calls,
      NULL::integer AS file_search_calls, NULL::bigint AS excess_tokens, NULL::timestamptz AS settled_at,
      NULL::timestamptz AS late_at, NULL::integer AS status, NULL::integer AS latency_ms, NULL::integer AS ttft_ms,
      false AS late, false AS usage_flagged, NULL::text AS usage_flags, NULL::text AS usage_source,
      NULL::text AS upstream_model, NULL::text AS channel, NULL::text AS reason
    FROM open_holds h;
CREATE VIEW calls AS SELECT * FROM usage_events UNION ALL SELECT * FROM open_calls;

-- The smallest UUIDv7 of a millisecond since the epoch.
CREATE FUNCTION realms_uuid_at_v1(p_ms bigint) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT (lpad(to_hex(greatest(p_ms, 0)), 12, '0') || '00000000000000000000')::uuid
$$;

-- The smallest UUIDv7 of a day at 0:00 UTC.
CREATE FUNCTION realms_uuid_on_v1(p_day date) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT realms_uuid_at_v1((p_day - '1970-01-01'::date)::bigint * 86400000)
$$;

-- Makes the partitions of `usage_events` for this month, the months ahead, and up to 24 months that the default partition has
-- rows of, which are moved; answers how many. A month begins at 0:00 UTC. Ids of times before 2020, or beyond the months ahead,
-- stay in the default partition. Nobody is kept waiting: a lock that is not free is tried again in a later round.
CREATE FUNCTION realms_make_usage_events_v1(p_months_ahead integer) RETURNS integer LANGUAGE plpgsql
SET lock_timeout = '100ms' SET timezone = 'UTC' AS $$
DECLARE
  v_end date := date_trunc('month', now())::date + make_interval(months => p_months_ahead + 1);
  v_month date;
  v_found uuid;
  v_made integer := 0;
BEGIN
  -- One server at a time is enough.
  IF NOT pg_try_advisory_xact_lock(hashtextextended('realms_usage_events', 0)) THEN RETURN 0; END IF;
  FOR v_month IN SELECT generate_series(date_trunc('month', now()), v_end - interval '1 month', interval '1 month')::date LOOP
    v_made := v_made + realms_make_usage_month_v1(v_month);
  END LOOP;
  FOR i IN 1..24 LOOP
    SELECT d.id INTO v_found FROM usage_events_default d
      WHERE d.id >= realms_uuid_on_v1('2020-01-01') AND d.id < realms_uuid_on_v1(v_end) ORDER BY d.id LIMIT 1;
    EXIT WHEN NOT FOUND;
    v_made := v_made + realms_make_usage_month_v1(date_trunc('month',
      to_timestamp(('x' || left(replace(v_found::text, '-', ''), 12))::bit(48)::bigint / 1000.0))::date);
  END LOOP;
  RETURN v_made;
END $$;

-- Makes the partition of the month that begins on p_month, where it is missing. Answers 1 when it made one, else 0.
CREATE FUNCTION realms_make_usage_month_v1(p_month date) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  v_name text := 'usage_events_' || to_char(p_month, 'YYYYMM');
  v_from uuid := realms_uuid_on_v1(p_month);
  v_to uuid := realms_uuid_on_v1((p_month + interval '1 month')::date);
BEGIN
  IF to_regclass(v_name) IS NOT NULL THEN
    RETURN 0;
  END IF;
  EXECUTE format('CREATE TABLE %I (LIKE usage_events INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', v_name);
  IF EXISTS (SELECT FROM usage_events_default d WHERE d.id >= v_from AND d.id < v_to) THEN
    -- The rows move from one partition to another. A statement that begins meanwhile waits for the lock of the table, and so finds
    -- the new partition; without it, the statement would search the old partitions only, and miss the rows.
    LOCK TABLE ONLY usage_events IN ACCESS EXCLUSIVE MODE;
    LOCK TABLE usage_events_default IN ACCESS EXCLUSIVE MODE;
    ALTER TABLE usage_events_default DISABLE TRIGGER keep_usage_events;
    EXECUTE format('WITH moved AS (DELETE FROM usage_events_default WHERE id >= %L AND id < %L RETURNING *)
      INSERT INTO %I SELECT * FROM moved', v_from, v_to, v_name);
    ALTER TABLE usage_events_default ENABLE TRIGGER keep_usage_events;
  END IF;
  -- Refused by PostgreSQL where a row has come into the default partition meanwhile; then it is for the next round.
  EXECUTE format('ALTER TABLE usage_events ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', v_name, v_from, v_to);
  EXECUTE format('CREATE TRIGGER keep_usage_events_all BEFORE TRUNCATE ON %I
    FOR EACH STATEMENT EXECUTE FUNCTION realms_refuse_change_v1()', v_name);
  RETURN 1;
END $$;

SELECT realms_make_usage_events_v1(2);

-- What an upstream stored of each call, so that a later call may refer to it. Each day is a partition, which is dropped when the
-- references of its day are no longer kept. A row whose day has no partition goes into the default one, so that no commit fails
-- for that.
CREATE TABLE response_refs (
  created_at timestamptz NOT NULL DEFAULT now(),
  channel_id bigint NOT NULL,
  user_id bigint NOT NULL,
  response_id text NOT NULL,
  item_ids text[] NOT NULL,
  input_tokens bigint NOT NULL CHECK (input_tokens >= 0),
  output_tokens bigint NOT NULL CHECK (output_tokens >= 0)
) PARTITION BY RANGE (created_at);
CREATE TABLE response_refs_default PARTITION OF response_refs DEFAULT;
-- Finds a row by any of its ids. fastupdate is off: emptying the index's pending list would delay a batch of calls now and then.
CREATE INDEX response_refs_ids ON response_refs USING gin ((item_ids || response_id)) WITH (fastupdate = off);

-- Makes the partitions of today, of the days ahead, and of the days that the default partition has rows of, which are moved;
-- answers how many. A day begins at 0:00 UTC. Nobody is kept waiting: a lock that is not free is tried again in a later round.
CREATE FUNCTION realms_make_response_refs_v1(p_days_ahead integer) RETURNS integer LANGUAGE plpgsql
SET lock_timeout = '100ms' SET timezone = 'UTC' AS $$
DECLARE
  v_day date;
  v_name text;
  v_made integer := 0;
BEGIN
  IF NOT pg_try_advisory_xact_lock(hashtextextended('realms_response_refs', 0)) THEN RETURN 0; END IF;
  FOR v_day IN
    SELECT current_date + i FROM generate_series(0, p_days_ahead) AS i
    UNION SELECT d.created_at::date FROM response_refs_default d
    ORDER BY 1
  LOOP
    v_name := 'response_refs_' || to_char(v_day, 'YYYYMMDD');
    CONTINUE WHEN to_regclass(v_name) IS NOT NULL;
    EXECUTE format('CREATE TABLE %I (LIKE response_refs INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', v_name);
    LOCK TABLE response_refs_default IN ACCESS EXCLUSIVE MODE;
    EXECUTE format('WITH moved AS (DELETE FROM response_refs_default WHERE created_at >= %L AND created_at < %L RETURNING *)
      INSERT INTO %I SELECT * FROM moved', v_day::timestamptz, (v_day + 1)::timestamptz, v_name);
    EXECUTE format('ALTER TABLE response_refs ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', v_name,
      v_day::timestamptz, (v_day + 1)::timestamptz);
    v_made := v_made + 1;
  END LOOP;
  RETURN v_made;
END $$;

-- Drops the partitions of days that have been over for p_days_kept days; answers how many.
CREATE FUNCTION realms_drop_response_refs_v1(p_days_kept integer) RETURNS integer LANGUAGE plpgsql
SET lock_timeout = '100ms' SET timezone = 'UTC' AS $$
DECLARE
  v_name text;
  v_dropped integer := 0;
BEGIN
  FOR v_name IN
    SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
      WHERE i.inhparent = 'response_refs'::regclass AND c.relname ~ '^response_refs_\d{8}$'
        AND to_date(right(c.relname, 8), 'YYYYMMDD') < current_date - p_days_kept
      ORDER BY c.relname
  LOOP
    EXECUTE format('DROP TABLE %I', v_name);
    v_dropped := v_dropped + 1;
  END LOOP;
  RETURN v_dropped;
END $$;

SELECT realms_make_response_refs_v1(2);

-- The one statement that writes an entry. The caller holds the lock of the balance row and passes the balance after the entry.
CREATE FUNCTION realms_append_entry_v1(
  p_user bigint, p_kind text, p_amount bigint, p_owed bigint, p_ref_type text, p_ref_id text, p_actor text, p_note text,
  p_usd_after bigint, p_owed_after bigint
) RETURNS void LANGUAGE sql AS $$
  INSERT INTO ledger_entries (user_id, kind, amount_micros, owed_micros, ref_type, ref_id, actor, note, usd_after,
      owed_after, seq)
    VALUES (p_user, p_kind, p_amount, p_owed, p_ref_type, p_ref_id, p_actor, p_note, p_usd_after, p_owed_after,
      (SELECT coalesce(max(e.seq), 0) + 1 FROM ledger_entries e WHERE e.user_id = p_user))
$$;

-- Posts one ledger entry inside the caller's transaction. A repeat of (ref_type, ref_id, kind) posts nothing. A credit
-- pays what is owed first (an entry `recovery`). A debit in mode 'strict' is refused when the balance is short; in mode
-- 'owe' it takes what there is and the rest becomes owed. Mode 'waive' takes p_amount off what is owed, and is refused when
-- less is owed.
CREATE FUNCTION realms_ledger_entry_v1(
  p_user bigint, p_kind text, p_amount bigint, p_ref_type text, p_ref_id text, p_actor text, p_note text, p_mode text
) RETURNS TABLE (outcome text, usd bigint, owed bigint) LANGUAGE plpgsql AS $$
DECLARE
  v_usd bigint;
  v_owed bigint;
  v_part bigint;
BEGIN
  SELECT b.usd_micros, b.owed_micros INTO v_usd, v_owed FROM user_balances b WHERE b.user_id = p_user FOR UPDATE;
  IF NOT FOUND THEN
    RETURN QUERY SELECT 'unknown_user'::text, 0::bigint, 0::bigint;
    RETURN;
  END IF;
  IF EXISTS (SELECT FROM ledger_entries e WHERE e.ref_type = p_ref_type AND e.ref_id = p_ref_id AND e.kind = p_kind) THEN
    RETURN QUERY SELECT 'repeated'::text, v_usd, v_owed;
    RETURN;
  END IF;
  IF p_mode = 'waive' THEN
    IF v_owed < p_amount THEN
      RETURN QUERY SELECT 'short'::text, v_usd, v_owed;
      RETURN;
    END IF;
    v_owed := v_owed - p_amount;
    PERFORM realms_append_entry_v1(p_user, p_kind, 0, -p_amount, p_ref_type, p_ref_id, p_actor, p_note, v_usd, v_owed);
  ELSIF p_amount >= 0 THEN
    v_part := least(v_owed, p_amount);
    v_usd := v_usd + p_amount;
    PERFORM realms_append_entry_v1(p_user, p_kind, p_amount, 0, p_ref_type, p_ref_id, p_actor, p_note, v_usd, v_owed);
    IF v_part > 0 THEN
      v_usd := v_usd - v_part;
      v_owed := v_owed - v_part;
      PERFORM realms_append_entry_v1(p_user, 'recovery', -v_part, 0, p_ref_type, p_ref_id || ':' || p_kind, 'system',
        'owed, paid from a credit', v_usd, v_owed);
    END IF;
  ELSE
    IF p_mode = 'strict' AND v_usd < -p_amount THEN
      RETURN QUERY SELECT 'short'::text, v_usd, v_owed;
      RETURN;
    END IF;
    v_part := least(v_usd, -p_amount);
    v_usd := v_usd - v_part;
    v_owed := v_owed + (-p_amount - v_part);
    PERFORM realms_append_entry_v1(p_user, p_kind, -v_part, -p_amount - v_part, p_ref_type, p_ref_id, p_actor, p_note, v_usd,
      v_owed);
  END IF;
  UPDATE user_balances b SET usd_micros = v_usd, owed_micros = v_owed WHERE b.user_id = p_user;
  PERFORM pg_notify('realms', 'account:' || p_user);
  RETURN QUERY SELECT 'posted'::text, v_usd, v_owed;
END $$;
