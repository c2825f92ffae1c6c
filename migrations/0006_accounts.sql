-- What accounts have and what calls cost them: balances, the ledger, one row for each call, and the ids by which later calls
-- refer to earlier ones. The functions of the journal are the write side: a call of realms_journal_v1 is one batch, one
-- transaction, one round trip.

CREATE TABLE user_balances (
  user_id bigint PRIMARY KEY REFERENCES users,
  usd_micros bigint NOT NULL DEFAULT 0 CHECK (usd_micros >= 0),
  owed_micros bigint NOT NULL DEFAULT 0 CHECK (owed_micros >= 0),
  -- Every batch keeps the number and the holds of the open calls, so that a refusal is decided without reading those calls.
  open_holds integer NOT NULL DEFAULT 0 CHECK (open_holds >= 0),
  -- What open calls hold from the balance.
  held_micros bigint NOT NULL DEFAULT 0 CHECK (held_micros >= 0),
  -- Only what the balance could not pay is owed, and a debt is paid before anything can be spent again.
  CONSTRAINT owed_means_empty CHECK (owed_micros = 0 OR usd_micros = 0)
) WITH (fillfactor = 50);
CREATE TRIGGER keep_user_balances BEFORE DELETE ON user_balances
  FOR EACH ROW EXECUTE FUNCTION realms_refuse_change_v1();
CREATE TRIGGER keep_user_balances_all BEFORE TRUNCATE ON user_balances
  FOR EACH STATEMENT EXECUTE FUNCTION realms_refuse_change_v1();

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
CREATE TRIGGER keep_ledger_entries BEFORE UPDATE OR DELETE ON ledger_entries
  FOR EACH ROW EXECUTE FUNCTION realms_refuse_change_v1();
CREATE TRIGGER keep_ledger_entries_all BEFORE TRUNCATE ON ledger_entries
  FOR EACH STATEMENT EXECUTE FUNCTION realms_refuse_change_v1();

-- One row for each call: its reservation and its settlement. `id` is the request id too. No foreign keys: each would look up
-- and lock a row for every call, and what they guard cannot break. The journal locks the user's balance row and the
-- subscription's row before it writes here, and none of the rows that a call points to is ever deleted.
CREATE TABLE usage_events (
  id uuid PRIMARY KEY,
  user_id bigint NOT NULL,
  key_id bigint,
  state text NOT NULL CHECK (state IN ('reserved', 'committed', 'voided', 'expired')),
  funding text NOT NULL CHECK (funding IN ('balance', 'subscription', 'free')),
  subscription_id bigint,
  reserved_micros bigint NOT NULL CHECK (reserved_micros >= 0),
  -- The hold is a counted bound, below the call's ceiling.
  counted boolean NOT NULL DEFAULT false,
  cost_micros bigint CHECK (cost_micros >= 0),
  -- A call was charged charged_micros, on the date of settled_at, and late_charged_micros, on that of late_at. The first two
  -- never change after the settlement.
  charged_micros bigint CHECK (charged_micros >= 0),
  -- Signed, in micros: negative where more was charged at expiry than the call cost.
  late_charged_micros bigint NOT NULL DEFAULT 0,
  input_micros_per_1m bigint NOT NULL DEFAULT 0,
  cached_input_micros_per_1m bigint NOT NULL DEFAULT 0,
  cache_write_micros_per_1m bigint,
  output_micros_per_1m bigint NOT NULL DEFAULT 0,
  -- Tiers and prices of tools: {"tiers":[{"above":tokens,"input":"…","cached":"…","write":"…"|null,"output":"…"}],
  -- "tools":{"web":"…"|null,"file":"…"|null}}, in micros as text. Null: neither.
  price_extras jsonb,
  billing_multiplier_micros bigint NOT NULL DEFAULT 1000000,
  plan_multiplier_micros bigint NOT NULL DEFAULT 1000000,
  output_limit bigint NOT NULL DEFAULT 0,
  input_tokens bigint,
  cached_input_tokens bigint,
  cache_write_tokens bigint,
  output_tokens bigint,
  -- Calls of priced tools that the upstream ran. Null: none.
  web_search_calls integer,
  file_search_calls integer,
  -- Input tokens that were reported above the call's ceiling and not charged. Null: none.
  excess_tokens bigint,
  reserved_at timestamptz NOT NULL,
  lease_expires_at timestamptz NOT NULL,
  settled_at timestamptz,
  late_at timestamptz,
  status integer,
  latency_ms integer,
  ttft_ms integer,
  stream boolean NOT NULL DEFAULT false,
  -- It was committed after it had expired.
  late boolean NOT NULL DEFAULT false,
  usage_flagged boolean NOT NULL DEFAULT false,
  -- Codes of what was wrong with the reported usage, separated by spaces. Null: nothing.
  usage_flags text,
  usage_source text CHECK (usage_source IN ('upstream', 'estimated')),
  endpoint text NOT NULL,
  model text NOT NULL,
  upstream_model text,
  channel text,
  -- Why it ended as it did: the reason of a void, or the code of the error that the client saw.
  reason text,
  CHECK ((funding = 'subscription') = (subscription_id IS NOT NULL)),
  CHECK (state = 'reserved' OR (settled_at IS NOT NULL AND charged_micros IS NOT NULL)),
  CHECK (funding <> 'free' OR (reserved_micros = 0 AND coalesce(charged_micros, 0) = 0)),
  CONSTRAINT usage_events_late CHECK (
    CASE WHEN late_at IS NULL THEN late_charged_micros = 0 ELSE late AND charged_micros + late_charged_micros >= 0 END)
) WITH (fillfactor = 70);
CREATE INDEX usage_events_user ON usage_events (user_id, id);
CREATE INDEX usage_events_open ON usage_events (user_id) WHERE state = 'reserved';
-- An account has one counted hold open at a time.
CREATE UNIQUE INDEX usage_events_counted ON usage_events (user_id) WHERE counted AND state = 'reserved';
-- Rows are written in about the order of their settlement, so a few bounds find the pages of a day. An index of every row would
-- cost each settlement an entry.
CREATE INDEX usage_events_settled ON usage_events USING brin (settled_at) WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX usage_events_late_at ON usage_events (late_at) WHERE late_at IS NOT NULL;
CREATE TRIGGER keep_usage_events BEFORE DELETE ON usage_events
  FOR EACH ROW EXECUTE FUNCTION realms_refuse_change_v1();
CREATE TRIGGER keep_usage_events_all BEFORE TRUNCATE ON usage_events
  FOR EACH STATEMENT EXECUTE FUNCTION realms_refuse_change_v1();

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
  IF NOT pg_try_advisory_xact_lock(hashtextextended('realms_response_refs', 0)) THEN
    RETURN 0;
  END IF;
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

-- What the end of a reservation does to money: the one place in SQL that says so. Of p_held micros held (charged, where the
-- reservation has expired) the call is due its cost ('c'), the hold ('x'), or nothing ('v', 'e'). What is held beyond that goes
-- back, and pays what is owed first where the balance had held it. What is due beyond the hold is paid by the funding: a
-- subscription as far as its windows have room (the charge is at most p_charge_max), the rest from the balance, and what
-- is left is owed. `recovered`: the part of the change of the balance that is a ledger entry. It is planned into the
-- statements that use it; OFFSET 0 has `due` computed once.
CREATE FUNCTION realms_settlement_v1(
  p_funding text, p_kind text, p_held bigint, p_cost bigint, p_charge_max bigint, p_usd bigint, p_owed bigint
) RETURNS TABLE (charged bigint, usd_change bigint, owed_change bigint, window_change bigint, recovered bigint)
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT
    CASE
      WHEN due <= p_held THEN due
      WHEN p_funding = 'balance' THEN p_held + least(p_usd, due - p_held)
      ELSE least(due, greatest(p_charge_max, p_held))
    END,
    CASE
      WHEN p_funding = 'balance' AND due <= p_held THEN p_held - due - least(p_owed, p_held - due)
      WHEN due <= p_held THEN 0
      WHEN p_funding = 'balance' THEN -least(p_usd, due - p_held)
      ELSE -least(p_usd, due - least(due, greatest(p_charge_max, p_held)))
    END,
    CASE
      WHEN due > p_held AND p_funding = 'balance' THEN due - p_held - least(p_usd, due - p_held)
      WHEN due > p_held THEN greatest(due - least(due, greatest(p_charge_max, p_held)) - p_usd, 0)
      WHEN p_owed = 0 OR p_funding <> 'balance' THEN 0
      ELSE -least(p_owed, p_held - due)
    END,
    CASE WHEN p_funding = 'subscription' THEN least(due, greatest(p_charge_max, p_held)) - p_held ELSE 0 END,
    CASE
      WHEN due > p_held AND p_funding = 'subscription' THEN least(p_usd, due - least(due, greatest(p_charge_max, p_held)))
      WHEN due > p_held OR p_owed = 0 OR p_funding <> 'balance' THEN 0
      ELSE least(p_owed, p_held - due)
    END
  FROM (
    SELECT CASE
        WHEN p_funding = 'free' THEN 0
        WHEN p_kind = 'c' THEN p_cost
        WHEN p_kind = 'x' THEN p_held
        ELSE 0
      END AS due
    OFFSET 0
  ) d
$$;

-- Settles one reservation in every case: money owed, more than was held, after expiry, never written. The caller
-- holds the balance row's lock. Answers what happened: moved, late (moved, after expiry), kept (already resolved), missing,
-- leased (expiry too early), stale (a subscription's extra charge was decided on another fence); and what is charged in all.
CREATE FUNCTION realms_settle_one_v1(
  p_id uuid, p_user bigint, p_kind text, p_cost bigint, p_charge bigint,
  p_input bigint, p_cached bigint, p_write bigint, p_output bigint, p_source text, p_flagged boolean,
  p_status integer, p_reason text, p_channel text, p_upstream text, p_latency integer, p_ttft integer,
  p_stale_subs bigint[], OUT o_answer text, OUT o_charged bigint
) LANGUAGE plpgsql AS $$
DECLARE
  v_row usage_events%ROWTYPE;
  v_change record;
  v_usd bigint;
  v_owed bigint;
  v_held bigint;
  v_released bigint;
  v_late boolean := false;
BEGIN
  SELECT * INTO v_row FROM usage_events u WHERE u.id = p_id AND u.user_id = p_user FOR UPDATE;
  IF NOT FOUND THEN
    IF p_kind <> 'v' THEN
      o_answer := 'missing';
      RETURN;
    END IF;
    INSERT INTO usage_events (id, user_id, state, funding, reserved_micros, cost_micros, charged_micros, reserved_at,
        lease_expires_at, settled_at, endpoint, model, reason)
      VALUES (p_id, p_user, 'voided', 'free', 0, 0, 0, now(), now(), now(), '', '', coalesce(p_reason, 'tombstone'));
    o_answer := 'moved';
    o_charged := 0;
    RETURN;
  END IF;
  IF v_row.state = 'reserved' THEN
    IF p_kind IN ('e', 'x') AND v_row.lease_expires_at >= now() THEN
      o_answer := 'leased';
      RETURN;
    END IF;
    v_held := v_row.reserved_micros;
    v_released := v_row.reserved_micros;
  ELSIF v_row.state = 'expired' AND p_kind = 'c' THEN
    v_late := true;
    v_held := v_row.charged_micros;
    v_released := 0;
  ELSE
    o_answer := 'kept';
    RETURN;
  END IF;

  SELECT s.* INTO v_change FROM user_balances b
    CROSS JOIN LATERAL realms_settlement_v1(v_row.funding, p_kind, v_held, p_cost, p_charge, b.usd_micros, b.owed_micros) s
    WHERE b.user_id = p_user FOR UPDATE OF b;
  IF v_row.funding = 'subscription' THEN
    IF p_kind = 'c' AND p_cost > v_held AND v_row.subscription_id = ANY (p_stale_subs) THEN
      o_answer := 'stale';
      RETURN;
    END IF;
    INSERT INTO subscription_usage AS s (subscription_id, bucket_start, micros)
      VALUES (v_row.subscription_id, date_trunc('minute', v_row.reserved_at), greatest(v_change.window_change, 0))
      ON CONFLICT (subscription_id, bucket_start)
        DO UPDATE SET micros = s.micros + v_change.window_change, held_micros = s.held_micros - v_released;
  END IF;
  UPDATE user_balances b SET usd_micros = b.usd_micros + v_change.usd_change,
      owed_micros = b.owed_micros + v_change.owed_change,
      held_micros = b.held_micros - CASE WHEN v_row.funding = 'balance' THEN v_released ELSE 0 END,
      open_holds = b.open_holds - CASE WHEN v_late THEN 0 ELSE 1 END
    WHERE b.user_id = p_user RETURNING b.usd_micros, b.owed_micros INTO v_usd, v_owed;
  IF v_change.recovered > 0 THEN
    PERFORM realms_append_entry_v1(p_user, 'recovery', -v_change.recovered, 0, 'usage',
      p_id::text || CASE WHEN v_late THEN ':late' ELSE '' END, 'system', 'owed, paid from a settled call', v_usd, v_owed);
  END IF;
  UPDATE usage_events u SET
      state = CASE p_kind WHEN 'c' THEN 'committed' WHEN 'v' THEN 'voided' ELSE 'expired' END,
      cost_micros = CASE p_kind WHEN 'c' THEN p_cost ELSE v_change.charged END,
      charged_micros = CASE WHEN v_late THEN u.charged_micros ELSE v_change.charged END,
      settled_at = CASE WHEN v_late THEN u.settled_at ELSE now() END,
      late = v_late,
      late_charged_micros = CASE WHEN v_late THEN v_change.charged - u.charged_micros ELSE 0 END,
      late_at = CASE WHEN v_late THEN now() END,
      input_tokens = p_input, cached_input_tokens = p_cached, cache_write_tokens = p_write, output_tokens = p_output,
      usage_source = p_source, usage_flagged = coalesce(p_flagged, false), status = p_status, reason = p_reason,
      channel = coalesce(p_channel, u.channel), upstream_model = coalesce(p_upstream, u.upstream_model),
      latency_ms = p_latency, ttft_ms = p_ttft
    WHERE u.id = p_id;
  o_answer := CASE WHEN v_late THEN 'late' ELSE 'moved' END;
  o_charged := v_change.charged;
END $$;

-- One batch of the journal. Locks the balance rows, then the subscription rows, each in id order. Then it writes what comes back
-- (settlements), then what is taken (reserves and extends) behind the guards, then one balance update a user. It writes
-- differences, summed only over rows that it really inserted or moved, so that repeating a batch changes nothing.
--
-- The settlements of users in p_ordered depend on one another, and are written one by one in their order. p_max are the open
-- reservations that each of p_users may have, null where that is not limited. p_more has what few settled calls have (priced
-- tools, flags, ids that the upstream stored), or is null. An array of columns may end early: what is missing is null.
--
-- Answers one row 'user' a user (balance, owed, note: '', 'stale', 'rejected', 'unknown'), and a row for each entry
-- that did not go as the plain case: 'exists' (reserve), 'lost' (extend), 'kept' | 'missing' | 'leased' | 'stale' (settle);
-- 'charged' | 'late' (settle): moved, at a charge (`usd`) other than the given one, or after expiry.
--
-- Each table is reached from the arguments, one index look-up a row: the journal's connections plan with neither sequential
-- scans nor hash or merge joins, because plans are kept from when the tables were small. What is reached by its id is
-- looked up apart (LATERAL) before its state is tested: the partial index on open reservations looks cheap and is not, for a
-- user with thousands of them.
CREATE FUNCTION realms_journal_v1(
  p_users bigint[], p_max integer[], p_subs bigint[], p_fences bigint[], p_next bigint[], p_ordered bigint[],
  r_id uuid[], r_user bigint[], r_key bigint[], r_endpoint text[], r_model text[], r_stream boolean[],
  r_funding text[], r_sub bigint[], r_micros bigint[], r_output bigint[],
  r_in bigint[], r_cached bigint[], r_write bigint[], r_out bigint[], r_extras text[], r_billing bigint[], r_plan bigint[],
  r_lease integer[], r_at bigint[], r_counted boolean[],
  e_id uuid[], e_user bigint[], e_to bigint[],
  s_id uuid[], s_user bigint[], s_kind text[], s_cost bigint[], s_charge bigint[],
  s_in bigint[], s_cached bigint[], s_write bigint[], s_out bigint[], s_source text[], s_flagged boolean[],
  s_status integer[], s_reason text[], s_channel text[], s_upstream text[], s_latency integer[], s_ttft integer[],
  p_more jsonb
) RETURNS TABLE (tag text, user_id bigint, id uuid, usd bigint, owed bigint, note text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  v_stale_subs bigint[] := '{}';
  v_rejected bigint[] := '{}';
  v_exists uuid[] := '{}';
  v_moved uuid[] := '{}';
  v_odd uuid[] := '{}';
  -- Differences of balances not yet written, one element for each row that moved.
  v_user bigint[] := '{}';
  v_usd bigint[] := '{}';
  v_held bigint[] := '{}';
  v_holds integer[] := '{}';
  -- The same of windows.
  v_sub bigint[] := '{}';
  v_at timestamptz[] := '{}';
  v_use bigint[] := '{}';
  v_use_held bigint[] := '{}';
  v_more_user bigint[];
  v_more_usd bigint[];
  v_more_held bigint[];
  v_more_sub bigint[];
  v_more_at timestamptz[];
  v_more_use bigint[];
  v_entry record;
  v_settled record;
BEGIN
  PERFORM FROM user_balances b WHERE b.user_id = ANY (p_users) ORDER BY b.user_id FOR UPDATE;
  IF cardinality(p_subs) > 0 THEN
    SELECT coalesce(array_agg(l.id) FILTER (WHERE l.fence IS DISTINCT FROM f.fence), '{}') INTO v_stale_subs
      FROM unnest(p_subs, p_fences) AS f (id, fence)
      LEFT JOIN (
        SELECT s.id, s.fence FROM user_subscriptions s WHERE s.id = ANY (p_subs) ORDER BY s.id FOR UPDATE
      ) l ON l.id = f.id;
  END IF;

  -- What comes back: settlements that only return money, in one statement; every other case one by one, in order.
  IF cardinality(s_id) > 0 THEN
    WITH moved AS (
      UPDATE usage_events u SET
          state = CASE i.kind WHEN 'c' THEN 'committed' WHEN 'v' THEN 'voided' ELSE 'expired' END,
          cost_micros = CASE i.kind WHEN 'c' THEN i.cost ELSE a.charged END,
          charged_micros = a.charged,
          settled_at = now(), input_tokens = i.tin, cached_input_tokens = i.tcached, cache_write_tokens = i.twrite,
          output_tokens = i.tout, usage_source = i.source, usage_flagged = coalesce(i.flagged, false),
          status = i.status, reason = i.reason, channel = coalesce(i.channel, u.channel),
          upstream_model = coalesce(i.upstream, u.upstream_model), latency_ms = i.latency, ttft_ms = i.ttft
        FROM unnest(s_id, s_user, s_kind, s_cost, s_charge, s_in, s_cached, s_write, s_out, s_source, s_flagged, s_status,
            s_reason, s_channel, s_upstream, s_latency, s_ttft)
          AS i (id, user_id, kind, cost, charge, tin, tcached, twrite, tout, source, flagged, status, reason, channel,
            upstream, latency, ttft)
        JOIN user_balances b ON b.user_id = i.user_id
        CROSS JOIN LATERAL (
          SELECT l.ctid AS place, l.user_id, l.state, l.funding, l.reserved_micros, l.lease_expires_at
            FROM usage_events l WHERE l.id = i.id OFFSET 0 FOR UPDATE
        ) h
        CROSS JOIN LATERAL realms_settlement_v1(h.funding, i.kind, h.reserved_micros, i.cost, i.charge, b.usd_micros,
          b.owed_micros) a
        WHERE u.ctid = h.place AND h.user_id = i.user_id AND h.state = 'reserved'
          AND (i.kind IN ('c', 'v') OR h.lease_expires_at < now())
          AND a.usd_change >= 0 AND a.owed_change = 0 AND a.window_change <= 0
          AND NOT i.user_id = ANY (p_ordered)
        RETURNING u.id, u.user_id, u.subscription_id, u.reserved_at, u.reserved_micros, a.usd_change, a.window_change,
          CASE WHEN u.funding = 'balance' THEN u.reserved_micros ELSE 0 END AS held, u.charged_micros <> i.charge AS odd
    )
    SELECT coalesce(array_agg(m.id), '{}'), coalesce(array_agg(m.user_id), '{}'), coalesce(array_agg(m.usd_change), '{}'),
        coalesce(array_agg(-m.held), '{}'), coalesce(array_agg(m.id) FILTER (WHERE m.odd), '{}'),
        coalesce(array_agg(m.subscription_id) FILTER (WHERE m.subscription_id IS NOT NULL), '{}'),
        coalesce(array_agg(date_trunc('minute', m.reserved_at)) FILTER (WHERE m.subscription_id IS NOT NULL), '{}'),
        coalesce(array_agg(m.window_change) FILTER (WHERE m.subscription_id IS NOT NULL), '{}'),
        coalesce(array_agg(-m.reserved_micros) FILTER (WHERE m.subscription_id IS NOT NULL), '{}')
      INTO v_moved, v_user, v_usd, v_held, v_odd, v_sub, v_at, v_use, v_use_held FROM moved m;
    v_holds := array_fill(-1, ARRAY[cardinality(v_moved)]);
    IF cardinality(v_odd) > 0 THEN
      RETURN QUERY SELECT 'charged'::text, u.user_id, u.id, u.charged_micros, NULL::bigint, ''::text
        FROM usage_events u WHERE u.id = ANY (v_odd);
    END IF;
  END IF;

  IF cardinality(s_id) > cardinality(v_moved) THEN
    UPDATE user_balances b SET usd_micros = b.usd_micros + d.usd, held_micros = b.held_micros + d.held,
        open_holds = b.open_holds + d.holds
      FROM (
        SELECT t.user_id, sum(t.usd)::bigint AS usd, sum(t.held)::bigint AS held, sum(t.holds)::integer AS holds
          FROM unnest(v_user, v_usd, v_held, v_holds) AS t (user_id, usd, held, holds) GROUP BY t.user_id
      ) d
      WHERE b.user_id = d.user_id;
    v_user := '{}';
    v_usd := '{}';
    v_held := '{}';
    v_holds := '{}';
    FOR v_entry IN
      SELECT i.* FROM unnest(s_id, s_user, s_kind, s_cost, s_charge, s_in, s_cached, s_write, s_out, s_source, s_flagged,
          s_status, s_reason, s_channel, s_upstream, s_latency, s_ttft) WITH ORDINALITY
        AS i (id, user_id, kind, cost, charge, tin, tcached, twrite, tout, source, flagged, status, reason, channel,
          upstream, latency, ttft, position)
      WHERE NOT i.id = ANY (v_moved) ORDER BY i.position
    LOOP
      v_settled := realms_settle_one_v1(v_entry.id, v_entry.user_id, v_entry.kind, v_entry.cost, v_entry.charge,
        v_entry.tin, v_entry.tcached, v_entry.twrite, v_entry.tout, v_entry.source, v_entry.flagged, v_entry.status,
        v_entry.reason, v_entry.channel, v_entry.upstream, v_entry.latency, v_entry.ttft, v_stale_subs);
      IF v_settled.o_answer IN ('moved', 'late') THEN
        v_moved := v_moved || v_entry.id;
      END IF;
      IF v_settled.o_answer = 'moved' AND v_settled.o_charged <> v_entry.charge THEN
        v_settled.o_answer := 'charged';
      END IF;
      IF v_settled.o_answer <> 'moved' THEN
        RETURN QUERY SELECT v_settled.o_answer, v_entry.user_id, v_entry.id, v_settled.o_charged, NULL::bigint, ''::text;
      END IF;
    END LOOP;
  END IF;

  IF p_more IS NOT NULL THEN
    UPDATE usage_events u SET web_search_calls = m.web, file_search_calls = m.file, usage_flags = m.flags,
        excess_tokens = m.excess
      FROM jsonb_to_recordset(p_more) AS m (id uuid, web integer, file integer, flags text, excess bigint)
      WHERE u.id = m.id AND m.id = ANY (v_moved)
        AND (m.web IS NOT NULL OR m.file IS NOT NULL OR m.flags IS NOT NULL OR m.excess IS NOT NULL);
    INSERT INTO response_refs (channel_id, user_id, response_id, item_ids, input_tokens, output_tokens)
      SELECT m.channel, m.user_id, m.response, ARRAY(SELECT jsonb_array_elements_text(m.items)), m.tin, m.tout
        FROM jsonb_to_recordset(p_more)
          AS m (id uuid, user_id bigint, channel bigint, response text, items jsonb, tin bigint, tout bigint)
        WHERE m.response IS NOT NULL AND m.id = ANY (v_moved);
  END IF;

  -- What is taken, behind the guards. A user whose guard fails loses all reserves and extends of this batch.
  IF cardinality(r_id) > 0 OR cardinality(e_id) > 0 THEN
    SELECT coalesce(array_agg(u.id), '{}') INTO v_exists FROM usage_events u WHERE u.id = ANY (r_id);
    SELECT coalesce(array_agg(DISTINCT g.user_id), '{}') INTO v_rejected FROM (
      SELECT n.user_id FROM (
        SELECT t.user_id, sum(t.micros) AS micros, sum(t.holds) AS holds, max(t.holds_max) AS holds_max FROM (
          SELECT r.user_id, CASE WHEN r.funding = 'balance' THEN r.micros ELSE 0 END AS micros, 1 AS holds,
              NULL::integer AS holds_max
            FROM unnest(r_id, r_user, r_funding, r_micros) AS r (id, user_id, funding, micros)
            WHERE NOT r.id = ANY (v_exists)
          UNION ALL
          SELECT p.user_id, 0, 0, p.holds_max FROM unnest(p_users, p_max) AS p (user_id, holds_max)
            WHERE p.holds_max IS NOT NULL
          UNION ALL
          SELECT u.user_id, greatest(e.upto - u.reserved_micros, 0), 0, NULL
            FROM unnest(e_id, e_to) AS e (id, upto)
            CROSS JOIN LATERAL (SELECT l.* FROM usage_events l WHERE l.id = e.id OFFSET 0) u
            WHERE u.state = 'reserved' AND u.funding = 'balance'
        ) t GROUP BY t.user_id
      ) n
      LEFT JOIN user_balances b ON b.user_id = n.user_id
      LEFT JOIN (
        SELECT t.user_id, sum(t.usd) AS usd, sum(t.holds) AS holds
          FROM unnest(v_user, v_usd, v_holds) AS t (user_id, usd, holds) GROUP BY t.user_id
      ) k ON k.user_id = n.user_id
      WHERE b.user_id IS NULL
        OR (n.micros > 0 AND (b.owed_micros > 0 OR b.usd_micros + coalesce(k.usd, 0) < n.micros))
        OR (n.holds > 0 AND b.open_holds + coalesce(k.holds, 0) + n.holds > n.holds_max)
      UNION ALL
      SELECT s.user_id FROM user_subscriptions s WHERE s.id = ANY (v_stale_subs)
    ) g;
    IF true = ANY (r_counted) THEN
      -- Settlements of this batch are written: what is open now stays open.
      SELECT v_rejected || coalesce(array_agg(c.user_id), '{}') INTO v_rejected FROM (
        SELECT r.user_id, count(*) AS wanted FROM unnest(r_id, r_user, r_counted) AS r (id, user_id, counted)
          WHERE r.counted AND NOT r.id = ANY (v_exists) GROUP BY r.user_id
      ) c
      WHERE c.wanted > 1
        OR EXISTS (SELECT FROM usage_events u WHERE u.user_id = c.user_id AND u.counted AND u.state = 'reserved');
    END IF;

    IF cardinality(r_id) > 0 THEN
      WITH written AS (
        INSERT INTO usage_events (id, user_id, key_id, state, funding, subscription_id, reserved_micros, output_limit,
            input_micros_per_1m, cached_input_micros_per_1m, cache_write_micros_per_1m, output_micros_per_1m, price_extras,
            billing_multiplier_micros, plan_multiplier_micros, reserved_at, lease_expires_at, stream, endpoint, model,
            counted)
          SELECT r.id, r.user_id, r.key_id, 'reserved', r.funding, r.sub, r.micros, r.output, r.pin, r.pcached, r.pwrite,
              r.pout, r.extras::jsonb, r.billing, r.plan, to_timestamp(r.at::float8 / 1000),
              now() + make_interval(secs => r.lease), r.stream, r.endpoint, r.model, coalesce(r.counted, false)
            FROM unnest(r_id, r_user, r_key, r_endpoint, r_model, r_stream, r_funding, r_sub, r_micros, r_output, r_in,
                r_cached, r_write, r_out, r_extras, r_billing, r_plan, r_lease, r_at, r_counted)
              AS r (id, user_id, key_id, endpoint, model, stream, funding, sub, micros, output, pin, pcached, pwrite,
                pout, extras, billing, plan, lease, at, counted)
            WHERE NOT r.user_id = ANY (v_rejected) AND NOT r.id = ANY (v_exists)
          ON CONFLICT (id) DO NOTHING
          RETURNING user_id, subscription_id, reserved_at, reserved_micros,
            CASE WHEN funding = 'balance' THEN reserved_micros ELSE 0 END AS held
      )
      SELECT coalesce(array_agg(w.user_id), '{}'), coalesce(array_agg(-w.held), '{}'), coalesce(array_agg(w.held), '{}'),
          coalesce(array_agg(w.subscription_id) FILTER (WHERE w.subscription_id IS NOT NULL), '{}'),
          coalesce(array_agg(date_trunc('minute', w.reserved_at)) FILTER (WHERE w.subscription_id IS NOT NULL), '{}'),
          coalesce(array_agg(w.reserved_micros) FILTER (WHERE w.subscription_id IS NOT NULL), '{}')
        INTO v_more_user, v_more_usd, v_more_held, v_more_sub, v_more_at, v_more_use FROM written w;
      v_user := v_user || v_more_user;
      v_usd := v_usd || v_more_usd;
      v_held := v_held || v_more_held;
      v_holds := v_holds || array_fill(1, ARRAY[cardinality(v_more_user)]);
      v_sub := v_sub || v_more_sub;
      v_at := v_at || v_more_at;
      v_use := v_use || v_more_use;
      v_use_held := v_use_held || v_more_use;
      IF cardinality(v_exists) > 0 THEN
        RETURN QUERY SELECT 'exists'::text, r.user_id, r.id, NULL::bigint, NULL::bigint, ''::text
          FROM unnest(r_id, r_user) AS r (id, user_id)
          WHERE r.id = ANY (v_exists) AND NOT r.user_id = ANY (v_rejected);
      END IF;
    END IF;

    IF cardinality(e_id) > 0 THEN
      WITH before AS (
        SELECT u.id, u.user_id, u.reserved_micros, u.state, e.upto
          FROM unnest(e_id, e_user, e_to) AS e (id, user_id, upto)
          JOIN usage_events u ON u.id = e.id AND u.user_id = e.user_id
          WHERE NOT u.user_id = ANY (v_rejected)
          ORDER BY u.id FOR UPDATE OF u
      ), raised AS (
        UPDATE usage_events u SET reserved_micros = f.upto FROM before f
          WHERE u.id = f.id AND f.state = 'reserved' AND f.reserved_micros < f.upto
          RETURNING u.id, u.user_id, u.subscription_id, u.reserved_at, f.upto - f.reserved_micros AS more,
            CASE WHEN u.funding = 'balance' THEN f.upto - f.reserved_micros ELSE 0 END AS held
      )
      SELECT coalesce(array_agg(w.user_id), '{}'), coalesce(array_agg(-w.held), '{}'), coalesce(array_agg(w.held), '{}'),
          coalesce(array_agg(w.subscription_id) FILTER (WHERE w.subscription_id IS NOT NULL), '{}'),
          coalesce(array_agg(date_trunc('minute', w.reserved_at)) FILTER (WHERE w.subscription_id IS NOT NULL), '{}'),
          coalesce(array_agg(w.more) FILTER (WHERE w.subscription_id IS NOT NULL), '{}')
        INTO v_more_user, v_more_usd, v_more_held, v_more_sub, v_more_at, v_more_use FROM raised w;
      v_user := v_user || v_more_user;
      v_usd := v_usd || v_more_usd;
      v_held := v_held || v_more_held;
      v_holds := v_holds || array_fill(0, ARRAY[cardinality(v_more_user)]);
      v_sub := v_sub || v_more_sub;
      v_at := v_at || v_more_at;
      v_use := v_use || v_more_use;
      v_use_held := v_use_held || v_more_use;
      RETURN QUERY SELECT 'lost'::text, e.user_id, e.id, NULL::bigint, NULL::bigint, ''::text
        FROM unnest(e_id, e_user) AS e (id, user_id)
        LEFT JOIN LATERAL (SELECT l.* FROM usage_events l WHERE l.id = e.id OFFSET 0) u ON u.state = 'reserved'
        WHERE u.id IS NULL AND NOT e.user_id = ANY (v_rejected);
    END IF;
  END IF;

  IF cardinality(v_user) > 0 THEN
    UPDATE user_balances b SET usd_micros = b.usd_micros + d.usd, held_micros = b.held_micros + d.held,
        open_holds = b.open_holds + d.holds
      FROM (
        SELECT t.user_id, sum(t.usd)::bigint AS usd, sum(t.held)::bigint AS held, sum(t.holds)::integer AS holds
          FROM unnest(v_user, v_usd, v_held, v_holds) AS t (user_id, usd, held, holds) GROUP BY t.user_id
      ) d
      WHERE b.user_id = d.user_id AND (d.usd <> 0 OR d.held <> 0 OR d.holds <> 0);
  END IF;
  IF cardinality(v_sub) > 0 THEN
    -- The row is made first, so that a net decrease meets an existing bucket and the check sees the sum.
    INSERT INTO subscription_usage (subscription_id, bucket_start, micros)
      SELECT DISTINCT t.sub, t.at, 0::bigint FROM unnest(v_sub, v_at) AS t (sub, at)
      ON CONFLICT (subscription_id, bucket_start) DO NOTHING;
    UPDATE subscription_usage s SET micros = s.micros + d.micros, held_micros = s.held_micros + d.held
      FROM (
        SELECT t.sub, t.at, sum(t.micros)::bigint AS micros, sum(t.held)::bigint AS held
          FROM unnest(v_sub, v_at, v_use, v_use_held) AS t (sub, at, micros, held) GROUP BY 1, 2
      ) d
      WHERE s.subscription_id = d.sub AND s.bucket_start = d.at;
  END IF;
  IF cardinality(p_subs) > 0 THEN
    -- After a mismatch the announced value is never stored, so that nothing else that was decided on it matches either. The
    -- fence stays as it is when this batch wrote nothing of the subscription: a new one would reject the next write of the
    -- process that knows the fence, and two processes of one user could go on rejecting each other. Where the batch has
    -- settled calls of the subscription, its windows have changed, and a new fence has every process read them again.
    UPDATE user_subscriptions s SET fence = CASE
        WHEN NOT s.id = ANY (v_stale_subs) THEN f.next
        WHEN EXISTS (SELECT FROM usage_events u WHERE u.id = ANY (v_moved) AND u.subscription_id = s.id)
          THEN hashtextextended(gen_random_uuid()::text, 0)
        ELSE s.fence
      END
      FROM unnest(p_subs, p_next) AS f (id, next) WHERE s.id = f.id;
  END IF;

  RETURN QUERY SELECT 'user'::text, p.user_id, NULL::uuid, b.usd_micros, b.owed_micros,
      CASE WHEN b.user_id IS NULL THEN 'unknown'
        WHEN p.user_id = ANY (v_rejected) THEN 'rejected'
        WHEN cardinality(v_stale_subs) > 0 AND EXISTS (
          SELECT FROM user_subscriptions s WHERE s.id = ANY (v_stale_subs) AND s.user_id = p.user_id
        ) THEN 'stale'
        ELSE ''
      END
    FROM unnest(p_users) AS p (user_id) LEFT JOIN user_balances b ON b.user_id = p.user_id;
END $$;
