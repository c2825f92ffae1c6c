-- The write side of accounts. A call of a function of the journal is one batch, one transaction, one round trip: of
-- realms_journal_plain_v1 where everything goes as decided, which nearly all do, else of realms_journal_v1.

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

-- Adds to what keys have spent, in the periods that p_at lies in, as far as there are rows for them.
CREATE FUNCTION realms_count_spend_v1(p_user bigint[], p_key bigint[], p_at timestamptz[], p_micros bigint[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  UPDATE key_spend s SET spent_micros = s.spent_micros + d.micros
    FROM (
      SELECT t.user_id, t.key_id, p.period, CASE p.period WHEN 'total' THEN to_timestamp(0)
          ELSE date_trunc(p.period, t.at, 'UTC') END AS starts_at, sum(t.micros)::bigint AS micros
        FROM unnest(p_user, p_key, p_at, p_micros) AS t (user_id, key_id, at, micros)
        CROSS JOIN (VALUES ('day'), ('week'), ('month'), ('total')) AS p (period)
        WHERE t.key_id IS NOT NULL AND t.micros <> 0 GROUP BY 1, 2, 3, 4
    ) d
    WHERE s.user_id = d.user_id AND s.key_id = d.key_id AND s.period = d.period AND s.starts_at = d.starts_at;
END $$;

-- What calls of a key were charged or hold that began in a period: folded ones by the sums of usage_keys and usage_hours, the others by
-- index, which are open holds, those of the last minutes, and those that the fold passed. The caller holds the balance row's lock.
CREATE FUNCTION realms_key_spent_v1(p_user bigint, p_key bigint, p_period text, p_start timestamptz) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
  v_end timestamptz := CASE p_period WHEN 'total' THEN 'infinity'
    ELSE ((p_start AT TIME ZONE 'UTC') + ('1 ' || p_period)::interval) AT TIME ZONE 'UTC' END;
BEGIN
  RETURN (
    SELECT coalesce(sum(c.micros), 0)::bigint FROM (
      SELECT k.charged_micros AS micros FROM usage_keys k WHERE p_period = 'total' AND k.key_id = p_key
      UNION ALL
      SELECT u.charged_micros FROM usage_hours u WHERE p_period <> 'total' AND u.key_id = p_key AND u.key_id <> 0
        AND u.hour >= p_start AND u.hour < v_end
      UNION ALL
      SELECT h.reserved_micros FROM open_holds h WHERE h.user_id = p_user AND h.key_id = p_key
        AND h.reserved_at >= p_start AND h.reserved_at < v_end
      UNION ALL
      SELECT e.charged_micros + e.late_charged_micros FROM usage_events e
        WHERE e.user_id BETWEEN p_user AND p_user AND e.key_id = p_key AND (e.user_id, e.id) > (p_user, coalesce(
          (SELECT f.through FROM usage_folds f WHERE f.user_id = p_user), '00000000-0000-0000-0000-000000000000'))
          AND e.reserved_at >= p_start AND e.reserved_at < v_end
      UNION ALL
      SELECT e.charged_micros + e.late_charged_micros
        FROM usage_pending p CROSS JOIN LATERAL (SELECT l.* FROM usage_events l WHERE l.id = p.id OFFSET 0) e
        WHERE p.user_id = p_user AND e.key_id = p_key AND e.reserved_at >= p_start AND e.reserved_at < v_end
    ) c
  );
END $$;

-- Makes the rows of key_spend that a batch needs and that are not there, each with what its key has spent until now. True: it made one.
CREATE FUNCTION realms_open_spend_v1(p_limits jsonb) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_users bigint[];
BEGIN
  WITH made AS (
    INSERT INTO key_spend (user_id, key_id, period, starts_at, spent_micros)
      SELECT m.u, m.k, m.p, m.since, realms_key_spent_v1(m.u, m.k, m.p, m.since) FROM (
        SELECT DISTINCT i.u, i.k, i.p, to_timestamp(i.s / 1000) AS since
          FROM jsonb_to_recordset(p_limits) AS i (u bigint, k bigint, p text, s bigint) WHERE i.p IS NOT NULL
      ) m
      WHERE NOT EXISTS (
        SELECT FROM key_spend s
          WHERE s.user_id = m.u AND s.key_id = m.k AND s.period = m.p AND s.starts_at = m.since
      )
      RETURNING user_id
  )
  SELECT array_agg(DISTINCT m.user_id) INTO v_users FROM made m;
  IF v_users IS NULL THEN
    RETURN false;
  END IF;
  UPDATE user_balances b SET spend_limited = true WHERE b.user_id = ANY (v_users) AND NOT b.spend_limited;
  RETURN true;
END $$;

-- The users of a batch whose limits leave no room for what it takes. p_limits has an item for each: of a user (u) and a key (k, 0: all
-- of the user's), micros (m) toward the limit (l) of the period (p) that began at s (ms); or a request and its tokens at `at` (µs), as
-- the parts of a minute that they take (rq, tk, µs); or one more open call, of so many (o). What else is in it limits nothing. Limits may
-- have been changed between the calls of a batch: each is held to its own, with what those before it take, as it was decided; else the
-- batch of a mixture would be rejected for ever. The caller holds the locks of the balance rows.
CREATE FUNCTION realms_over_limits_v1(p_limits jsonb) RETURNS bigint[] LANGUAGE plpgsql AS $$
BEGIN
  RETURN (
    WITH items AS MATERIALIZED (
      SELECT i.* FROM ROWS FROM (jsonb_to_recordset(p_limits)
        AS (u bigint, k bigint, p text, s bigint, l bigint, m bigint, at bigint, rq bigint, tk bigint, o integer))
        WITH ORDINALITY AS i (u, k, p, s, l, m, at, rq, tk, o, position)
    )
    SELECT coalesce(array_agg(DISTINCT x.u), '{}') FROM (
      SELECT c.u FROM (
        SELECT t.u, t.k, t.p, t.s, min(t.room) AS room FROM (
          SELECT i.u, i.k, i.p, i.s, i.l - sum(i.m) OVER (PARTITION BY i.u, i.k, i.p, i.s ORDER BY i.position) AS room
            FROM items i WHERE i.p IS NOT NULL
        ) t GROUP BY t.u, t.k, t.p, t.s
      ) c
      WHERE c.room < coalesce((
        SELECT s.spent_micros FROM key_spend s
          WHERE s.user_id = c.u AND s.key_id = c.k AND s.period = c.p AND s.starts_at = to_timestamp(c.s / 1000)), 0)
      UNION ALL
      SELECT w.u FROM (
        SELECT i.u, i.k, min(i.at) AS since, max(i.at) AS upto, sum(i.rq) AS rq, sum(i.tk) AS tk
          FROM items i WHERE i.at IS NOT NULL GROUP BY i.u, i.k
      ) w
      LEFT JOIN call_rates r ON r.user_id = w.u AND r.key_id = w.k
      WHERE (w.rq > 0 AND greatest(r.requests_us, w.since) + w.rq > w.upto + 60000000)
        OR (w.tk > 0 AND greatest(r.tokens_us, w.since) + w.tk > w.upto + 60000000)
      UNION ALL
      SELECT c.u FROM (
        SELECT t.u, t.k, min(t.room) AS room FROM (
          SELECT i.u, i.k, i.o - row_number() OVER (PARTITION BY i.u, i.k ORDER BY i.position) AS room
            FROM items i WHERE i.o IS NOT NULL
        ) t GROUP BY t.u, t.k
      ) c
      WHERE c.room < (SELECT count(*) FROM open_holds h WHERE h.user_id = c.u AND h.key_id = c.k)
    ) x
  );
END $$;

-- Corrects the rates of tokens by what the settled calls p_moved (id) have used (c, µs), before it is asked what they leave.
CREATE FUNCTION realms_correct_rates_v1(p_limits jsonb, p_moved uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  UPDATE call_rates r SET tokens_us = greatest(r.tokens_us + d.c, 0)
    FROM (
      SELECT i.u, i.k, sum(i.c) AS c FROM jsonb_to_recordset(p_limits) AS i (u bigint, k bigint, id uuid, c bigint)
        WHERE i.c IS NOT NULL AND i.id = ANY (p_moved) GROUP BY i.u, i.k
    ) d
    WHERE r.user_id = d.u AND r.key_id = d.k;
END $$;

-- Moves the rates of a batch. Users in p_rejected, and calls (id) in p_unheld, take nothing.
CREATE FUNCTION realms_take_limits_v1(p_limits jsonb, p_rejected bigint[], p_unheld uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO call_rates (user_id, key_id)
    SELECT DISTINCT i.u, i.k FROM jsonb_to_recordset(p_limits) AS i (u bigint, k bigint, id uuid, at bigint)
      WHERE i.at IS NOT NULL AND NOT i.u = ANY (p_rejected) AND NOT i.id = ANY (p_unheld)
    ON CONFLICT DO NOTHING;
  UPDATE call_rates r SET
      requests_us = CASE WHEN d.rq > 0 THEN greatest(r.requests_us, d.since) + d.rq ELSE r.requests_us END,
      tokens_us = CASE WHEN d.tk > 0 THEN greatest(r.tokens_us, d.since) + d.tk ELSE r.tokens_us END
    FROM (
      SELECT i.u, i.k, min(i.at) AS since, sum(i.rq) AS rq, sum(i.tk) AS tk
        FROM jsonb_to_recordset(p_limits) AS i (u bigint, k bigint, id uuid, at bigint, rq bigint, tk bigint)
        WHERE i.at IS NOT NULL AND NOT i.u = ANY (p_rejected) AND NOT i.id = ANY (p_unheld) GROUP BY i.u, i.k
    ) d
    WHERE r.user_id = d.u AND r.key_id = d.k;
END $$;

-- Whether the process is there that wrote a claim, as far as its connection tells.
CREATE FUNCTION realms_claim_alive_v1(p_pid integer, p_start timestamptz) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM pg_stat_activity a WHERE a.pid = p_pid AND a.backend_start = p_start)
$$;

-- Whether the call of a claim that has no answer has ended for good: nothing is held for it, and nobody is about to keep its answer. A
-- process that lives keeps it, or gives the claim up, within a moment of the settlement; one whose connection is gone may live all the
-- same, and what it has charged is about to be kept.
CREATE FUNCTION realms_claim_ended_v1(p_call uuid, p_alive boolean) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN NOT EXISTS (SELECT FROM open_holds h WHERE h.id = p_call) AND NOT EXISTS (
    SELECT FROM usage_events u WHERE u.id = p_call AND (p_alive OR u.state = 'committed')
      AND greatest(u.settled_at, u.late_at) > now() - interval '1 minute'
  );
END $$;

-- Takes idempotency keys for calls that are to be held: of each the user (u), the call (id), and the hashes of the key (k) and of the
-- body (b). Answers the calls whose key another one has. Users in p_rejected take nothing. The caller holds the locks of the balance
-- rows.
CREATE FUNCTION realms_claim_v1(p_claims jsonb, p_rejected bigint[]) RETURNS uuid[] LANGUAGE plpgsql AS $$
DECLARE
  v_taken uuid[];
BEGIN
  WITH wanted AS (
    SELECT DISTINCT ON (i.u, i.k) i.u, i.id, decode(i.k, 'hex') AS key_hash, decode(i.b, 'hex') AS body_hash
      FROM jsonb_to_recordset(p_claims) AS i (u bigint, id uuid, k text, b text)
      WHERE NOT i.u = ANY (p_rejected)
  ), taken AS (
    INSERT INTO call_claims AS c (user_id, key_hash, body_hash, call_id, expires_at, backend_pid, backend_start)
      SELECT w.u, w.key_hash, w.body_hash, w.id, now() + interval '1 day', a.pid, a.backend_start
        FROM wanted w CROSS JOIN (
          SELECT s.pid, s.backend_start FROM pg_stat_activity s WHERE s.pid = pg_backend_pid()
        ) a
      ON CONFLICT (user_id, key_hash) DO UPDATE SET body_hash = excluded.body_hash, call_id = excluded.call_id,
          created_at = now(), expires_at = excluded.expires_at, backend_pid = excluded.backend_pid,
          backend_start = excluded.backend_start, unkept = false, answer = NULL, answer_key_id = NULL
        WHERE c.call_id = excluded.call_id OR c.expires_at <= now() OR (c.answer IS NULL AND NOT c.unkept
          AND realms_claim_ended_v1(c.call_id, realms_claim_alive_v1(c.backend_pid, c.backend_start)))
      RETURNING c.call_id
  )
  SELECT coalesce(array_agg(t.call_id), '{}') INTO v_taken FROM taken t;
  RETURN (
    SELECT coalesce(array_agg(i.id), '{}') FROM jsonb_to_recordset(p_claims) AS i (u bigint, id uuid)
      WHERE NOT i.u = ANY (p_rejected) AND NOT i.id = ANY (v_taken)
  );
END $$;

-- Settles one reservation in every case: money owed, more than was held, after expiry, never written. The caller
-- holds the balance row's lock. Answers what happened: moved, late (moved, after expiry), kept (already resolved), missing,
-- leased (expiry too early), stale (a subscription's extra charge was decided on another fence); and what is charged in all.
CREATE FUNCTION realms_settle_one_v1(
  p_id uuid, p_user bigint, p_kind text, p_cost bigint, p_charge bigint,
  p_input bigint, p_cached bigint, p_write bigint, p_output bigint, p_web integer, p_file integer, p_excess bigint,
  p_source text, p_flagged boolean, p_flags text, p_status integer, p_reason text, p_channel text, p_upstream text,
  p_latency integer, p_ttft integer, p_stale_subs bigint[], OUT o_answer text, OUT o_charged bigint
) LANGUAGE plpgsql AS $$
DECLARE
  v_hold open_holds%ROWTYPE;
  v_row usage_events%ROWTYPE;
  v_change record;
  v_usd bigint;
  v_owed bigint;
  v_held bigint;
  v_late boolean := false;
BEGIN
  SELECT * INTO v_hold FROM open_holds h WHERE h.id = p_id AND h.user_id = p_user FOR UPDATE;
  IF FOUND THEN
    IF p_kind IN ('e', 'x') AND v_hold.lease_expires_at >= now() THEN
      o_answer := 'leased';
      RETURN;
    END IF;
    v_held := v_hold.reserved_micros;
  ELSE
    SELECT * INTO v_row FROM usage_events u WHERE u.id = p_id AND u.user_id = p_user FOR UPDATE;
    IF NOT FOUND THEN
      IF p_kind <> 'v' THEN
        o_answer := 'missing';
        RETURN;
      END IF;
      IF EXISTS (SELECT FROM open_holds h WHERE h.id = p_id) THEN
        RAISE unique_violation USING MESSAGE = 'the reservation is of another user';
      END IF;
      INSERT INTO usage_events (id, user_id, state, funding, reserved_micros, cost_micros, charged_micros, reserved_at,
          lease_expires_at, settled_at, endpoint, model, reason)
        VALUES (p_id, p_user, 'voided', 'free', 0, 0, 0, now(), now(), now(), '', '', coalesce(p_reason, 'tombstone'));
      o_answer := 'moved';
      o_charged := 0;
      RETURN;
    END IF;
    IF v_row.state <> 'expired' OR p_kind <> 'c' THEN
      o_answer := 'kept';
      RETURN;
    END IF;
    v_late := true;
    v_held := v_row.charged_micros;
    v_hold.funding := v_row.funding;
    v_hold.key_id := v_row.key_id;
    v_hold.subscription_id := v_row.subscription_id;
    v_hold.reserved_at := v_row.reserved_at;
    v_hold.reserved_micros := 0;
  END IF;

  -- From here on reserved_micros is what is still held.
  SELECT s.*, b.spend_limited INTO v_change FROM user_balances b
    CROSS JOIN LATERAL realms_settlement_v1(v_hold.funding, p_kind, v_held, p_cost, p_charge, b.usd_micros, b.owed_micros) s
    WHERE b.user_id = p_user FOR UPDATE OF b;
  IF v_hold.funding = 'subscription' THEN
    IF p_kind = 'c' AND p_cost > v_held AND v_hold.subscription_id = ANY (p_stale_subs) THEN
      o_answer := 'stale';
      RETURN;
    END IF;
    INSERT INTO subscription_usage AS s (subscription_id, bucket_start, micros)
      VALUES (v_hold.subscription_id, date_trunc('minute', v_hold.reserved_at), greatest(v_change.window_change, 0))
      ON CONFLICT (subscription_id, bucket_start)
        DO UPDATE SET micros = s.micros + v_change.window_change, held_micros = s.held_micros - v_hold.reserved_micros;
  END IF;
  UPDATE user_balances b SET usd_micros = b.usd_micros + v_change.usd_change,
      owed_micros = b.owed_micros + v_change.owed_change,
      held_micros = b.held_micros - CASE WHEN v_hold.funding = 'balance' THEN v_hold.reserved_micros ELSE 0 END,
      open_holds = b.open_holds - CASE WHEN v_late THEN 0 ELSE 1 END
    WHERE b.user_id = p_user RETURNING b.usd_micros, b.owed_micros INTO v_usd, v_owed;
  IF v_change.recovered > 0 THEN
    PERFORM realms_append_entry_v1(p_user, 'recovery', -v_change.recovered, 0, 'usage',
      p_id::text || CASE WHEN v_late THEN ':late' ELSE '' END, 'system', 'owed, paid from a settled call', v_usd, v_owed);
  END IF;
  IF v_late THEN
    UPDATE usage_events u SET
        state = 'committed', cost_micros = p_cost, late = true, late_at = now(),
        late_charged_micros = v_change.charged - u.charged_micros,
        input_tokens = p_input, cached_input_tokens = p_cached, cache_write_tokens = p_write, output_tokens = p_output,
        web_search_calls = p_web, file_search_calls = p_file, excess_tokens = p_excess,
        usage_source = p_source, usage_flagged = coalesce(p_flagged, false), usage_flags = p_flags, status = p_status,
        reason = p_reason, channel = coalesce(p_channel, u.channel), upstream_model = coalesce(p_upstream, u.upstream_model),
        latency_ms = p_latency, ttft_ms = p_ttft
      WHERE u.id = p_id;
  ELSE
    DELETE FROM open_holds h WHERE h.id = p_id;
    INSERT INTO usage_events (id, user_id, key_id, funding, subscription_id, reserved_micros, counted, input_micros_per_1m,
        cached_input_micros_per_1m, cache_write_micros_per_1m, output_micros_per_1m, price_extras, billing_multiplier_micros,
        plan_multiplier_micros, group_multiplier_micros, output_limit, reserved_at, lease_expires_at, stream, endpoint, model,
        state, cost_micros, charged_micros, settled_at, input_tokens, cached_input_tokens, cache_write_tokens, output_tokens,
        web_search_calls, file_search_calls, excess_tokens, usage_source, usage_flagged, usage_flags, status, reason, channel,
        upstream_model, latency_ms, ttft_ms)
      VALUES (p_id, p_user, v_hold.key_id, v_hold.funding, v_hold.subscription_id, v_hold.reserved_micros, v_hold.counted,
        v_hold.input_micros_per_1m, v_hold.cached_input_micros_per_1m, v_hold.cache_write_micros_per_1m,
        v_hold.output_micros_per_1m, v_hold.price_extras, v_hold.billing_multiplier_micros, v_hold.plan_multiplier_micros,
        v_hold.group_multiplier_micros, v_hold.output_limit, v_hold.reserved_at, v_hold.lease_expires_at, v_hold.stream,
        v_hold.endpoint, v_hold.model,
        CASE p_kind WHEN 'c' THEN 'committed' WHEN 'v' THEN 'voided' ELSE 'expired' END,
        CASE p_kind WHEN 'c' THEN p_cost ELSE v_change.charged END, v_change.charged, now(), p_input, p_cached, p_write,
        p_output, p_web, p_file, p_excess, p_source, coalesce(p_flagged, false), p_flags, p_status, p_reason, p_channel,
        p_upstream, p_latency, p_ttft);
  END IF;
  IF v_change.spend_limited THEN
    PERFORM realms_count_spend_v1(ARRAY[p_user], ARRAY[v_hold.key_id], ARRAY[v_hold.reserved_at],
      ARRAY[v_change.charged - v_held]);
  END IF;
  o_answer := CASE WHEN v_late THEN 'late' ELSE 'moved' END;
  o_charged := v_change.charged;
END $$;

-- One batch of the journal, whatever is in it. Locks the balance rows, then the subscription rows, each in id order. Then it
-- writes what comes back (settlements, one by one in their order), then what is taken (reserves and extends) behind the guards. It
-- writes differences, summed only over rows that it really inserted or moved, so that repeating a batch changes nothing.
--
-- p_max are the open reservations that each of p_users may have, null where that is not limited. p_refs has the ids that
-- upstreams stored of settled calls, or is null. p_limits has what the batch takes of limits, and p_claims the idempotency keys that it
-- takes; each may be null. An array of columns may end early: what is missing is null.
--
-- Answers one row 'user' a user (balance, owed, note: '', 'stale', 'rejected', 'unknown'), and a row for each entry
-- that did not go as the plain case: 'exists' | 'claimed' (reserve: its idempotency key is another call's), 'lost' (extend), 'kept' | 'missing' | 'leased' | 'stale' (settle);
-- 'charged' | 'late' (settle): moved, at a charge (`usd`) other than the given one, or after expiry.
--
-- Each table is reached from the arguments, one index look-up a row: the journal's connections plan with neither sequential
-- scans nor hash or merge joins, because plans are kept from when the tables were small. What is reached by its id is
-- looked up apart (LATERAL) before anything else is asked of it.
CREATE FUNCTION realms_journal_v1(
  p_users bigint[], p_max integer[], p_subs bigint[], p_fences bigint[], p_next bigint[],
  r_id uuid[], r_user bigint[], r_key bigint[], r_endpoint text[], r_model text[], r_stream boolean[],
  r_funding text[], r_sub bigint[], r_micros bigint[], r_output bigint[],
  r_in bigint[], r_cached bigint[], r_write bigint[], r_out bigint[], r_extras text[], r_billing bigint[], r_plan bigint[],
  r_group bigint[], r_lease integer[], r_at bigint[], r_counted boolean[],
  e_id uuid[], e_user bigint[], e_to bigint[],
  s_id uuid[], s_user bigint[], s_kind text[], s_cost bigint[], s_charge bigint[],
  s_in bigint[], s_cached bigint[], s_write bigint[], s_out bigint[], s_web integer[], s_file integer[], s_excess bigint[],
  s_source text[], s_flagged boolean[], s_flags text[], s_status integer[], s_reason text[], s_channel text[],
  s_upstream text[], s_latency integer[], s_ttft integer[], p_refs jsonb, p_limits jsonb, p_claims jsonb
) RETURNS TABLE (tag text, user_id bigint, id uuid, usd bigint, owed bigint, note text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  v_stale_subs bigint[] := '{}';
  v_rejected bigint[] := '{}';
  v_exists uuid[] := '{}';
  v_claimed uuid[] := '{}';
  v_moved uuid[] := '{}';
  -- Differences of balances not yet written, one element for each row that was taken.
  v_user bigint[] := '{}';
  v_held bigint[] := '{}';
  v_holds integer[] := '{}';
  -- The same of windows.
  v_sub bigint[] := '{}';
  v_at timestamptz[] := '{}';
  v_use bigint[] := '{}';
  v_limited boolean;
  v_more_key bigint[];
  v_more_sum bigint[];
  v_more_since timestamptz[];
  v_more_user bigint[];
  v_more_held bigint[];
  v_more_sub bigint[];
  v_more_at timestamptz[];
  v_more_use bigint[];
  v_entry record;
  v_settled record;
BEGIN
  SELECT bool_or(l.spend_limited) INTO v_limited FROM (
    SELECT b.spend_limited FROM user_balances b WHERE b.user_id = ANY (p_users) ORDER BY b.user_id FOR UPDATE
  ) l;
  IF cardinality(p_subs) > 0 THEN
    SELECT coalesce(array_agg(l.id) FILTER (WHERE l.fence IS DISTINCT FROM f.fence), '{}') INTO v_stale_subs
      FROM unnest(p_subs, p_fences) AS f (id, fence)
      LEFT JOIN (
        SELECT s.id, s.fence FROM user_subscriptions s WHERE s.id = ANY (p_subs) ORDER BY s.id FOR UPDATE
      ) l ON l.id = f.id;
  END IF;

  -- What comes back.
  FOR v_entry IN
    SELECT i.* FROM unnest(s_id, s_user, s_kind, s_cost, s_charge, s_in, s_cached, s_write, s_out, s_web, s_file, s_excess,
        s_source, s_flagged, s_flags, s_status, s_reason, s_channel, s_upstream, s_latency, s_ttft) WITH ORDINALITY
      AS i (id, user_id, kind, cost, charge, tin, tcached, twrite, tout, web, file, excess, source, flagged, flags, status,
        reason, channel, upstream, latency, ttft, position)
    ORDER BY i.position
  LOOP
    v_settled := realms_settle_one_v1(v_entry.id, v_entry.user_id, v_entry.kind, v_entry.cost, v_entry.charge,
      v_entry.tin, v_entry.tcached, v_entry.twrite, v_entry.tout, v_entry.web, v_entry.file, v_entry.excess, v_entry.source,
      v_entry.flagged, v_entry.flags, v_entry.status, v_entry.reason, v_entry.channel, v_entry.upstream, v_entry.latency,
      v_entry.ttft, v_stale_subs);
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
  IF p_refs IS NOT NULL THEN
    PERFORM realms_store_references_v1(p_refs, v_moved);
  END IF;
  IF p_limits IS NOT NULL THEN
    PERFORM realms_correct_rates_v1(p_limits, v_moved);
  END IF;

  -- What is taken, behind the guards. A user whose guard fails loses all reserves and extends of this batch.
  IF cardinality(r_id) > 0 OR cardinality(e_id) > 0 THEN
    SELECT coalesce(array_agg(r.id), '{}') INTO v_exists FROM unnest(r_id) AS r (id)
      WHERE EXISTS (SELECT FROM open_holds h WHERE h.id = r.id) OR EXISTS (SELECT FROM usage_events u WHERE u.id = r.id);
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
          SELECT h.user_id, greatest(e.upto - h.reserved_micros, 0), 0, NULL
            FROM unnest(e_id, e_to) AS e (id, upto)
            CROSS JOIN LATERAL (SELECT l.* FROM open_holds l WHERE l.id = e.id OFFSET 0) h
            WHERE h.funding = 'balance'
        ) t GROUP BY t.user_id
      ) n
      LEFT JOIN user_balances b ON b.user_id = n.user_id
      WHERE b.user_id IS NULL
        OR (n.micros > 0 AND (b.owed_micros > 0 OR b.usd_micros < n.micros))
        OR (n.holds > 0 AND b.open_holds + n.holds > n.holds_max)
      UNION ALL
      SELECT s.user_id FROM user_subscriptions s WHERE s.id = ANY (v_stale_subs)
    ) g;
    IF p_limits IS NOT NULL THEN
      v_limited := realms_open_spend_v1(p_limits) OR v_limited;
      v_rejected := v_rejected || realms_over_limits_v1(p_limits);
    END IF;
    IF true = ANY (r_counted) THEN
      -- Settlements of this batch are written: what is open now stays open.
      SELECT v_rejected || coalesce(array_agg(c.user_id), '{}') INTO v_rejected FROM (
        SELECT r.user_id, count(*) AS wanted FROM unnest(r_id, r_user, r_counted) AS r (id, user_id, counted)
          WHERE r.counted AND NOT r.id = ANY (v_exists) GROUP BY r.user_id
      ) c
      WHERE c.wanted > 1 OR EXISTS (SELECT FROM open_holds h WHERE h.user_id = c.user_id AND h.counted);
    END IF;

    IF p_claims IS NOT NULL THEN
      v_claimed := realms_claim_v1(p_claims, v_rejected);
    END IF;

    IF cardinality(r_id) > 0 THEN
      WITH written AS (
        INSERT INTO open_holds (id, user_id, key_id, funding, subscription_id, reserved_micros, counted, input_micros_per_1m,
        cached_input_micros_per_1m, cache_write_micros_per_1m, output_micros_per_1m, price_extras, billing_multiplier_micros,
        plan_multiplier_micros, group_multiplier_micros, output_limit, reserved_at, lease_expires_at, stream, endpoint, model)
          SELECT r.id, r.user_id, r.key_id, r.funding, r.sub, r.micros, coalesce(r.counted, false), r.pin, r.pcached,
              r.pwrite, r.pout, r.extras::jsonb, r.billing, r.plan, coalesce(r.grp, 1000000), r.output,
              to_timestamp(r.at::float8 / 1000), now() + make_interval(secs => r.lease), r.stream, r.endpoint, r.model
            FROM unnest(r_id, r_user, r_key, r_endpoint, r_model, r_stream, r_funding, r_sub, r_micros, r_output, r_in,
                r_cached, r_write, r_out, r_extras, r_billing, r_plan, r_group, r_lease, r_at, r_counted)
              AS r (id, user_id, key_id, endpoint, model, stream, funding, sub, micros, output, pin, pcached, pwrite,
                pout, extras, billing, plan, grp, lease, at, counted)
            WHERE NOT r.user_id = ANY (v_rejected) AND NOT r.id = ANY (v_exists) AND NOT r.id = ANY (v_claimed)
          ON CONFLICT (id) DO NOTHING
          RETURNING user_id, subscription_id, reserved_at, reserved_micros,
            CASE WHEN funding = 'balance' THEN reserved_micros ELSE 0 END AS held
      )
      SELECT coalesce(array_agg(w.user_id), '{}'), coalesce(array_agg(w.held), '{}'),
          coalesce(array_agg(w.subscription_id) FILTER (WHERE w.subscription_id IS NOT NULL), '{}'),
          coalesce(array_agg(date_trunc('minute', w.reserved_at)) FILTER (WHERE w.subscription_id IS NOT NULL), '{}'),
          coalesce(array_agg(w.reserved_micros) FILTER (WHERE w.subscription_id IS NOT NULL), '{}')
        INTO v_user, v_held, v_sub, v_at, v_use FROM written w;
      v_holds := array_fill(1, ARRAY[cardinality(v_user)]);
      IF cardinality(v_claimed) > 0 THEN
        RETURN QUERY SELECT 'claimed'::text, r.user_id, r.id, NULL::bigint, NULL::bigint, ''::text
          FROM unnest(r_id, r_user) AS r (id, user_id) WHERE r.id = ANY (v_claimed) AND NOT r.id = ANY (v_exists);
      END IF;
      IF cardinality(v_exists) > 0 THEN
        RETURN QUERY SELECT 'exists'::text, r.user_id, r.id, NULL::bigint, NULL::bigint, ''::text
          FROM unnest(r_id, r_user) AS r (id, user_id)
          WHERE r.id = ANY (v_exists) AND NOT r.user_id = ANY (v_rejected);
      END IF;
    END IF;

    IF cardinality(e_id) > 0 THEN
      WITH before AS (
        SELECT h.id, h.reserved_micros, e.upto
          FROM unnest(e_id, e_user, e_to) AS e (id, user_id, upto)
          JOIN open_holds h ON h.id = e.id AND h.user_id = e.user_id
          WHERE NOT h.user_id = ANY (v_rejected)
          ORDER BY h.id FOR UPDATE OF h
      ), raised AS (
        UPDATE open_holds h SET reserved_micros = f.upto FROM before f
          WHERE h.id = f.id AND f.reserved_micros < f.upto
          RETURNING h.user_id, h.subscription_id, h.reserved_at, f.upto - f.reserved_micros AS more,
            CASE WHEN h.funding = 'balance' THEN f.upto - f.reserved_micros ELSE 0 END AS held, h.key_id
      )
      SELECT coalesce(array_agg(w.user_id), '{}'), coalesce(array_agg(w.held), '{}'),
          coalesce(array_agg(w.subscription_id) FILTER (WHERE w.subscription_id IS NOT NULL), '{}'),
          coalesce(array_agg(date_trunc('minute', w.reserved_at)) FILTER (WHERE w.subscription_id IS NOT NULL), '{}'),
          coalesce(array_agg(w.more) FILTER (WHERE w.subscription_id IS NOT NULL), '{}'),
          array_agg(w.key_id), array_agg(w.reserved_at), array_agg(w.more)
        INTO v_more_user, v_more_held, v_more_sub, v_more_at, v_more_use, v_more_key, v_more_since, v_more_sum FROM raised w;
      v_user := v_user || v_more_user;
      v_held := v_held || v_more_held;
      v_holds := v_holds || array_fill(0, ARRAY[cardinality(v_more_user)]);
      v_sub := v_sub || v_more_sub;
      v_at := v_at || v_more_at;
      v_use := v_use || v_more_use;
      RETURN QUERY SELECT 'lost'::text, e.user_id, e.id, NULL::bigint, NULL::bigint, ''::text
        FROM unnest(e_id, e_user) AS e (id, user_id)
        WHERE NOT EXISTS (SELECT FROM open_holds h WHERE h.id = e.id) AND NOT e.user_id = ANY (v_rejected);
    END IF;
  END IF;

  IF p_limits IS NOT NULL THEN
    PERFORM realms_take_limits_v1(p_limits, v_rejected, v_exists || v_claimed);
  END IF;
  IF v_limited AND cardinality(v_user) > 0 THEN
    PERFORM realms_count_spend_v1(array_agg(h.user_id), array_agg(h.key_id), array_agg(h.reserved_at),
        array_agg(h.reserved_micros))
      FROM unnest(r_id) AS r (id) CROSS JOIN LATERAL (SELECT l.* FROM open_holds l WHERE l.id = r.id OFFSET 0) h
      WHERE NOT r.id = ANY (v_exists);
    PERFORM realms_count_spend_v1(v_more_user, v_more_key, v_more_since, v_more_sum);
  END IF;

  IF cardinality(v_user) > 0 THEN
    UPDATE user_balances b SET usd_micros = b.usd_micros - d.held, held_micros = b.held_micros + d.held,
        open_holds = b.open_holds + d.holds
      FROM (
        SELECT t.user_id, sum(t.held)::bigint AS held, sum(t.holds)::integer AS holds
          FROM unnest(v_user, v_held, v_holds) AS t (user_id, held, holds) GROUP BY t.user_id
      ) d
      WHERE b.user_id = d.user_id;
  END IF;
  PERFORM realms_use_windows_v1(v_sub, v_at, v_use, v_use);
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

-- Stores the ids that upstreams gave of the calls in p_moved.
CREATE FUNCTION realms_store_references_v1(p_refs jsonb, p_moved uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO response_refs (channel_id, user_id, response_id, item_ids, input_tokens, output_tokens)
    SELECT m.channel, m.user_id, m.response, ARRAY(SELECT jsonb_array_elements_text(m.items)), m.tin, m.tout
      FROM jsonb_to_recordset(p_refs)
        AS m (id uuid, user_id bigint, channel bigint, response text, items jsonb, tin bigint, tout bigint)
      WHERE m.id = ANY (p_moved);
END $$;

-- Adds to the windows of subscriptions, each element to the minute of p_at: what counts as used, and what open calls hold of it.
CREATE FUNCTION realms_use_windows_v1(p_sub bigint[], p_at timestamptz[], p_use bigint[], p_held bigint[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF cardinality(p_sub) > 0 THEN
    -- The row is made first, so that a net decrease meets an existing bucket and the check sees the sum.
    INSERT INTO subscription_usage (subscription_id, bucket_start, micros)
      SELECT DISTINCT t.sub, t.at, 0::bigint FROM unnest(p_sub, p_at) AS t (sub, at)
      ON CONFLICT (subscription_id, bucket_start) DO NOTHING;
    UPDATE subscription_usage s SET micros = s.micros + d.micros, held_micros = s.held_micros + d.held
      FROM (
        SELECT t.sub, t.at, sum(t.micros)::bigint AS micros, sum(t.held)::bigint AS held
          FROM unnest(p_sub, p_at, p_use, p_held) AS t (sub, at, micros, held) GROUP BY 1, 2
      ) d
      WHERE s.subscription_id = d.sub AND s.bucket_start = d.at;
  END IF;
END $$;

-- One batch of the journal in which everything goes as decided: nobody owes anything, every fence matches, every reserve is new
-- and covered, every settlement finds its hold and only gives back. Where anything is not so, the whole batch is refused with
-- SQLSTATE RL001, or by a check of a table, and nothing is written: then it is for realms_journal_v1, whose arguments these are.
-- Answers the balance of each user.
--
-- Each statement begins after the locks are held, and so sees what their last holders have written. Most of a small batch's time is
-- the start of its statements: what a batch has none of is not started, and p_from and p_to, between which all ids of reserves are,
-- leave the partitions closed that can have none of them.
CREATE FUNCTION realms_journal_plain_v1(
  p_users bigint[], p_max integer[], p_subs bigint[], p_fences bigint[], p_next bigint[],
  r_id uuid[], r_user bigint[], r_key bigint[], r_endpoint text[], r_model text[], r_stream boolean[],
  r_funding text[], r_sub bigint[], r_micros bigint[], r_output bigint[],
  r_in bigint[], r_cached bigint[], r_write bigint[], r_out bigint[], r_extras text[], r_billing bigint[], r_plan bigint[],
  r_group bigint[], r_lease integer[], r_at bigint[],
  s_id uuid[], s_user bigint[], s_kind text[], s_cost bigint[], s_charge bigint[],
  s_in bigint[], s_cached bigint[], s_write bigint[], s_out bigint[], s_web integer[], s_file integer[], s_excess bigint[],
  s_source text[], s_flagged boolean[], s_flags text[], s_status integer[], s_reason text[], s_channel text[],
  s_upstream text[], s_latency integer[], s_ttft integer[], p_refs jsonb, p_limits jsonb, p_claims jsonb, p_from uuid, p_to uuid
) RETURNS TABLE (user_id bigint, usd bigint) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  v_limited boolean;
  v_matching bigint;
  v_ended bigint;
  -- Differences of balances, one element for each row that moved.
  v_user bigint[] := '{}';
  v_usd bigint[] := '{}';
  v_held bigint[] := '{}';
  v_holds integer[] := '{}';
  v_taken_user bigint[];
  v_taken_held bigint[];
  -- The same of windows; null: none.
  v_sub bigint[];
  v_at timestamptz[];
  v_use bigint[];
  v_use_held bigint[];
  v_taken_sub bigint[];
  v_taken_at timestamptz[];
  v_taken_use bigint[];
BEGIN
  SELECT bool_or(l.spend_limited) INTO v_limited FROM (
    SELECT b.spend_limited FROM user_balances b WHERE b.user_id = ANY (p_users) ORDER BY b.user_id FOR UPDATE
  ) l;
  IF cardinality(p_subs) > 0 THEN
    SELECT count(*) INTO v_matching FROM (
      SELECT s.id, s.fence FROM user_subscriptions s WHERE s.id = ANY (p_subs) ORDER BY s.id FOR UPDATE
    ) l JOIN unnest(p_subs, p_fences) AS f (id, fence) ON f.id = l.id AND f.fence = l.fence;
    IF v_matching <> cardinality(p_subs) THEN
      RAISE EXCEPTION 'a fence has changed' USING ERRCODE = 'RL001';
    END IF;
  END IF;

  IF cardinality(s_id) > 0 THEN
    WITH settled AS (
      INSERT INTO usage_events (id, user_id, key_id, funding, subscription_id, reserved_micros, counted, input_micros_per_1m,
          cached_input_micros_per_1m, cache_write_micros_per_1m, output_micros_per_1m, price_extras, billing_multiplier_micros,
          plan_multiplier_micros, group_multiplier_micros, output_limit, reserved_at, lease_expires_at, stream, endpoint, model,
          state, cost_micros, charged_micros, settled_at, input_tokens, cached_input_tokens, cache_write_tokens, output_tokens,
          web_search_calls, file_search_calls, excess_tokens, usage_source, usage_flagged, usage_flags, status, reason,
          channel, upstream_model, latency_ms, ttft_ms)
        SELECT h.id, h.user_id, h.key_id, h.funding, h.subscription_id, h.reserved_micros, h.counted, h.input_micros_per_1m,
            h.cached_input_micros_per_1m, h.cache_write_micros_per_1m, h.output_micros_per_1m, h.price_extras,
            h.billing_multiplier_micros, h.plan_multiplier_micros, h.group_multiplier_micros, h.output_limit, h.reserved_at,
            h.lease_expires_at, h.stream, h.endpoint, h.model,
            CASE i.kind WHEN 'c' THEN 'committed' ELSE 'voided' END, CASE i.kind WHEN 'c' THEN i.cost ELSE 0 END, i.charge,
            now(), i.tin, i.tcached, i.twrite, i.tout, i.web, i.file, i.excess, i.source, coalesce(i.flagged, false), i.flags,
            i.status, i.reason, i.channel, i.upstream, i.latency, i.ttft
          FROM (
            SELECT unnest(s_id) AS id, unnest(s_user) AS user_id, unnest(s_kind) AS kind, unnest(s_cost) AS cost,
              unnest(s_charge) AS charge, unnest(s_in) AS tin, unnest(s_cached) AS tcached, unnest(s_write) AS twrite,
              unnest(s_out) AS tout, unnest(s_web) AS web, unnest(s_file) AS file, unnest(s_excess) AS excess,
              unnest(s_source) AS source, unnest(s_flagged) AS flagged, unnest(s_flags) AS flags, unnest(s_status) AS status,
              unnest(s_reason) AS reason, unnest(s_channel) AS channel, unnest(s_upstream) AS upstream,
              unnest(s_latency) AS latency, unnest(s_ttft) AS ttft
          ) i
          CROSS JOIN LATERAL (SELECT l.* FROM open_holds l WHERE l.id = i.id OFFSET 0) h
          WHERE h.user_id = i.user_id AND i.kind IN ('c', 'v') AND i.charge <= h.reserved_micros
            AND i.charge = CASE WHEN i.kind = 'c' AND h.funding <> 'free' THEN i.cost ELSE 0 END
        RETURNING user_id, subscription_id, reserved_at, reserved_micros, charged_micros,
          CASE WHEN funding = 'balance' THEN reserved_micros ELSE 0 END AS held,
          CASE WHEN funding = 'balance' THEN charged_micros ELSE 0 END AS charged
    ), ended AS (
      DELETE FROM open_holds h WHERE h.id = ANY (s_id) RETURNING 1
    )
    SELECT (SELECT count(*) FROM ended), array_agg(s.user_id), array_agg(s.held - s.charged), array_agg(-s.held),
        array_agg(s.subscription_id) FILTER (WHERE s.subscription_id IS NOT NULL),
        array_agg(date_trunc('minute', s.reserved_at)) FILTER (WHERE s.subscription_id IS NOT NULL),
        array_agg(s.charged_micros - s.reserved_micros) FILTER (WHERE s.subscription_id IS NOT NULL),
        array_agg(-s.reserved_micros) FILTER (WHERE s.subscription_id IS NOT NULL)
      INTO v_ended, v_user, v_usd, v_held, v_sub, v_at, v_use, v_use_held FROM settled s;
    IF v_ended <> cardinality(s_id) OR cardinality(v_user) IS DISTINCT FROM cardinality(s_id) THEN
      RAISE EXCEPTION 'a settlement does not go as decided' USING ERRCODE = 'RL001';
    END IF;
    v_holds := array_fill(-1, ARRAY[cardinality(s_id)]);
    IF v_limited THEN
      PERFORM realms_count_spend_v1(array_agg(u.user_id), array_agg(u.key_id), array_agg(u.reserved_at),
          array_agg(u.charged_micros - u.reserved_micros))
        FROM unnest(s_id) AS s (id) CROSS JOIN LATERAL (SELECT l.* FROM usage_events l WHERE l.id = s.id OFFSET 0) u;
    END IF;
  END IF;
  IF p_limits IS NOT NULL THEN
    PERFORM realms_correct_rates_v1(p_limits, s_id);
    v_limited := realms_open_spend_v1(p_limits) OR v_limited;
    IF cardinality(realms_over_limits_v1(p_limits)) > 0 THEN
      RAISE EXCEPTION 'a limit leaves no room' USING ERRCODE = 'RL001';
    END IF;
    PERFORM realms_take_limits_v1(p_limits, '{}', '{}');
  END IF;

  IF p_claims IS NOT NULL AND cardinality(realms_claim_v1(p_claims, '{}')) > 0 THEN
    RAISE EXCEPTION 'an idempotency key is another call''s' USING ERRCODE = 'RL001';
  END IF;

  IF cardinality(r_id) > 0 THEN
    WITH taken AS (
      INSERT INTO open_holds (id, user_id, key_id, funding, subscription_id, reserved_micros, counted, input_micros_per_1m,
          cached_input_micros_per_1m, cache_write_micros_per_1m, output_micros_per_1m, price_extras, billing_multiplier_micros,
          plan_multiplier_micros, group_multiplier_micros, output_limit, reserved_at, lease_expires_at, stream, endpoint, model)
        SELECT r.id, r.user_id, r.key_id, r.funding, r.sub, r.micros, false, r.pin, r.pcached, r.pwrite, r.pout,
            r.extras::jsonb, r.billing, r.plan, coalesce(r.grp, 1000000), r.output, to_timestamp(r.at::float8 / 1000),
            now() + make_interval(secs => r.lease), r.stream, r.endpoint, r.model
          FROM (
            SELECT unnest(r_id) AS id, unnest(r_user) AS user_id, unnest(r_key) AS key_id, unnest(r_endpoint) AS endpoint,
              unnest(r_model) AS model, unnest(r_stream) AS stream, unnest(r_funding) AS funding, unnest(r_sub) AS sub,
              unnest(r_micros) AS micros, unnest(r_output) AS output, unnest(r_in) AS pin, unnest(r_cached) AS pcached,
              unnest(r_write) AS pwrite, unnest(r_out) AS pout, unnest(r_extras) AS extras, unnest(r_billing) AS billing,
              unnest(r_plan) AS plan, unnest(r_group) AS grp, unnest(r_lease) AS lease, unnest(r_at) AS at
          ) r
          WHERE r.id BETWEEN p_from AND p_to
            AND NOT EXISTS (SELECT FROM usage_events u WHERE u.id = r.id AND u.id BETWEEN p_from AND p_to)
        RETURNING user_id, subscription_id, reserved_at, reserved_micros,
          CASE WHEN funding = 'balance' THEN reserved_micros ELSE 0 END AS held
    )
    SELECT array_agg(t.user_id), array_agg(t.held),
        array_agg(t.subscription_id) FILTER (WHERE t.subscription_id IS NOT NULL),
        array_agg(date_trunc('minute', t.reserved_at)) FILTER (WHERE t.subscription_id IS NOT NULL),
        array_agg(t.reserved_micros) FILTER (WHERE t.subscription_id IS NOT NULL)
      INTO v_taken_user, v_taken_held, v_taken_sub, v_taken_at, v_taken_use FROM taken t;
    IF cardinality(v_taken_user) IS DISTINCT FROM cardinality(r_id) THEN
      RAISE EXCEPTION 'a reserve is not new' USING ERRCODE = 'RL001';
    END IF;
    IF v_limited THEN
      PERFORM realms_count_spend_v1(array_agg(h.user_id), array_agg(h.key_id), array_agg(h.reserved_at),
          array_agg(h.reserved_micros))
        FROM unnest(r_id) AS r (id) CROSS JOIN LATERAL (SELECT l.* FROM open_holds l WHERE l.id = r.id OFFSET 0) h;
    END IF;
  END IF;

  RETURN QUERY UPDATE user_balances b SET usd_micros = b.usd_micros + d.usd, held_micros = b.held_micros + d.held,
      open_holds = b.open_holds + d.holds
    FROM (
      SELECT t.user_id, sum(t.usd)::bigint AS usd, sum(t.held)::bigint AS held, sum(t.holds)::integer AS holds,
          max(t.holds_max) AS holds_max
        FROM (
          SELECT unnest(v_user) AS user_id, unnest(v_usd) AS usd, unnest(v_held) AS held, unnest(v_holds) AS holds,
            NULL::integer AS holds_max
          UNION ALL
          SELECT t.user_id, -t.held, t.held, 1, NULL FROM (
            SELECT unnest(v_taken_user) AS user_id, unnest(v_taken_held) AS held
          ) t
          UNION ALL
          SELECT unnest(p_users), 0, 0, 0, unnest(p_max)
        ) t GROUP BY t.user_id
    ) d
    WHERE b.user_id = d.user_id AND b.owed_micros = 0 AND (d.holds_max IS NULL OR b.open_holds + d.holds <= d.holds_max)
    RETURNING b.user_id, b.usd_micros;
  GET DIAGNOSTICS v_matching = ROW_COUNT;
  IF v_matching <> cardinality(p_users) THEN
    RAISE EXCEPTION 'somebody owes or has too many calls open' USING ERRCODE = 'RL001';
  END IF;

  IF p_refs IS NOT NULL THEN
    PERFORM realms_store_references_v1(p_refs, s_id);
  END IF;
  IF v_sub IS NOT NULL OR v_taken_sub IS NOT NULL THEN
    PERFORM realms_use_windows_v1(v_sub || v_taken_sub, v_at || v_taken_at, v_use || v_taken_use, v_use_held || v_taken_use);
  END IF;
  IF cardinality(p_subs) > 0 THEN
    UPDATE user_subscriptions s SET fence = f.next FROM unnest(p_subs, p_next) AS f (id, next) WHERE s.id = f.id;
  END IF;
END $$;
