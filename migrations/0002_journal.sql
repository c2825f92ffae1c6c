-- The write side of the accounts, versioned by name so that processes of two versions can run side by side: each calls
-- the version it was written for. A call of realms_journal_v1 is one batch, one transaction, one round trip.

-- Posts one ledger entry inside the caller's transaction. A repeat of (ref_type, ref_id, kind) posts nothing. A credit
-- pays what is owed first (an entry `recovery`). A debit in mode 'strict' is refused when the balance is short; in mode
-- 'owe' it takes what there is and the rest becomes owed.
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
  IF p_amount >= 0 THEN
    v_part := least(v_owed, p_amount);
    INSERT INTO ledger_entries (user_id, kind, amount_micros, ref_type, ref_id, actor, note)
      VALUES (p_user, p_kind, p_amount, p_ref_type, p_ref_id, p_actor, p_note);
    IF v_part > 0 THEN
      INSERT INTO ledger_entries (user_id, kind, amount_micros, ref_type, ref_id, actor, note)
        VALUES (p_user, 'recovery', -v_part, p_ref_type, p_ref_id || ':' || p_kind, 'system', 'owed, paid from a credit');
    END IF;
    v_usd := v_usd + p_amount - v_part;
    v_owed := v_owed - v_part;
  ELSE
    IF p_mode = 'strict' AND v_usd < -p_amount THEN
      RETURN QUERY SELECT 'short'::text, v_usd, v_owed;
      RETURN;
    END IF;
    v_part := least(v_usd, -p_amount);
    INSERT INTO ledger_entries (user_id, kind, amount_micros, owed_micros, ref_type, ref_id, actor, note)
      VALUES (p_user, p_kind, -v_part, -p_amount - v_part, p_ref_type, p_ref_id, p_actor, p_note);
    v_usd := v_usd - v_part;
    v_owed := v_owed + (-p_amount - v_part);
  END IF;
  UPDATE user_balances b SET usd_micros = v_usd, owed_micros = v_owed WHERE b.user_id = p_user;
  PERFORM pg_notify('realms', 'account:' || p_user);
  RETURN QUERY SELECT 'posted'::text, v_usd, v_owed;
END $$;

-- Settles one reservation with every case: money owed, more than was held, after expiry, never written. The caller
-- holds the balance row's lock. Answers what happened: moved, kept (already resolved), missing, leased (expiry too
-- early), stale (a subscription's extra charge was decided on another fence).
CREATE FUNCTION realms_settle_one_v1(
  p_id uuid, p_user bigint, p_kind text, p_cost bigint, p_charge bigint,
  p_input bigint, p_cached bigint, p_write bigint, p_output bigint, p_source text, p_flagged boolean,
  p_status integer, p_reason text, p_channel text, p_upstream text, p_latency integer, p_ttft integer,
  p_stale_subs bigint[]
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  v_row usage_events%ROWTYPE;
  v_usd bigint;
  v_owed bigint;
  v_held bigint;
  v_charged bigint;
  v_part bigint;
  v_late boolean := false;
BEGIN
  SELECT * INTO v_row FROM usage_events u WHERE u.id = p_id AND u.user_id = p_user FOR UPDATE;
  IF NOT FOUND THEN
    IF p_kind <> 'v' THEN
      RETURN 'missing';
    END IF;
    INSERT INTO usage_events (id, user_id, state, funding, reserved_micros, cost_micros, charged_micros, reserved_at,
        lease_expires_at, settled_at, endpoint, model, reason)
      VALUES (p_id, p_user, 'voided', 'free', 0, 0, 0, now(), now(), now(), '', '', coalesce(p_reason, 'tombstone'));
    RETURN 'moved';
  END IF;
  IF v_row.state = 'reserved' THEN
    IF p_kind IN ('e', 'x') AND v_row.lease_expires_at >= now() THEN
      RETURN 'leased';
    END IF;
    v_held := v_row.reserved_micros;
  ELSIF v_row.state = 'expired' AND p_kind = 'c' THEN
    v_late := true;
    v_held := v_row.charged_micros;
  ELSE
    RETURN 'kept';
  END IF;

  v_charged := CASE
    WHEN v_row.funding = 'free' THEN 0
    WHEN p_kind = 'c' THEN p_cost
    WHEN p_kind = 'x' THEN v_row.reserved_micros
    ELSE 0
  END;
  SELECT b.usd_micros, b.owed_micros INTO v_usd, v_owed FROM user_balances b WHERE b.user_id = p_user FOR UPDATE;
  IF v_row.funding = 'balance' AND v_charged <= v_held THEN
    v_part := least(v_owed, v_held - v_charged);
    v_usd := v_usd + (v_held - v_charged) - v_part;
    v_owed := v_owed - v_part;
  ELSIF v_row.funding = 'balance' THEN
    v_part := least(v_usd, v_charged - v_held);
    v_usd := v_usd - v_part;
    v_owed := v_owed + (v_charged - v_held - v_part);
    v_charged := v_held + v_part;
    v_part := 0;
  ELSIF v_row.funding = 'subscription' THEN
    v_part := 0;
    IF v_charged > v_held THEN
      IF v_row.subscription_id = ANY (p_stale_subs) THEN
        RETURN 'stale';
      END IF;
      -- What its windows had no room for is owed, and paid from the balance at once as far as that goes.
      v_charged := greatest(v_held, least(v_charged, p_charge));
      v_part := least(v_usd, p_cost - v_charged);
      v_usd := v_usd - v_part;
      v_owed := v_owed + (p_cost - v_charged - v_part);
    END IF;
    INSERT INTO subscription_usage AS s (subscription_id, bucket_start, micros)
      VALUES (v_row.subscription_id, date_trunc('minute', v_row.reserved_at), greatest(v_charged - v_held, 0))
      ON CONFLICT (subscription_id, bucket_start) DO UPDATE SET micros = s.micros + (v_charged - v_held);
  END IF;
  IF v_part > 0 THEN
    INSERT INTO ledger_entries (user_id, kind, amount_micros, ref_type, ref_id, actor, note)
      VALUES (p_user, 'recovery', -v_part, 'usage', p_id::text || CASE WHEN v_late THEN ':late' ELSE '' END, 'system',
        'owed, paid from a settled call');
  END IF;
  UPDATE user_balances b SET usd_micros = v_usd, owed_micros = v_owed
    WHERE b.user_id = p_user AND (b.usd_micros <> v_usd OR b.owed_micros <> v_owed);
  UPDATE usage_events u SET
      state = CASE p_kind WHEN 'c' THEN 'committed' WHEN 'v' THEN 'voided' ELSE 'expired' END,
      cost_micros = CASE p_kind WHEN 'c' THEN p_cost ELSE v_charged END,
      charged_micros = v_charged, settled_at = now(), late = v_late,
      input_tokens = p_input, cached_input_tokens = p_cached, cache_write_tokens = p_write, output_tokens = p_output,
      usage_source = p_source, usage_flagged = coalesce(p_flagged, false), status = p_status, reason = p_reason,
      channel = coalesce(p_channel, u.channel), upstream_model = coalesce(p_upstream, u.upstream_model),
      latency_ms = p_latency, ttft_ms = p_ttft
    WHERE u.id = p_id;
  RETURN 'moved';
END $$;

-- Each table is reached from the arguments, one index look-up a row: the journal's connections plan with neither sequential
-- scans nor hash or merge joins, because plans are kept from when the tables were small. What is reached by its id is
-- looked up apart (LATERAL) before its state is tested: the partial index on open reservations looks cheap and is not, for a
-- user with thousands of them.
-- One batch of the journal. Locks the balance rows, then the subscription rows, each in id order. Then what comes back
-- (settlements), then what is taken (reserves and extends) behind the guards, then one balance update a user. Writes
-- differences, summed only over rows that it really inserted or moved, so that repeating a batch changes nothing.
-- Answers one row 'user' a user (balance, owed, note: '', 'stale', 'rejected', 'unknown'), and a row for each entry
-- that did not go as the plain case: 'exists' (reserve), 'lost' (extend), 'kept' | 'missing' | 'leased' | 'stale' (settle),
-- 'posted' | 'repeated' | 'short' (ledger; `note` then is the entry's position).
CREATE FUNCTION realms_journal_v1(
  p_users bigint[], p_subs bigint[], p_fences bigint[], p_next bigint[],
  r_id uuid[], r_user bigint[], r_key bigint[], r_endpoint text[], r_model text[], r_stream boolean[],
  r_funding text[], r_sub bigint[], r_micros bigint[], r_output bigint[],
  r_in bigint[], r_cached bigint[], r_write bigint[], r_out bigint[], r_billing bigint[], r_plan bigint[],
  r_lease integer[], r_at bigint[],
  e_id uuid[], e_user bigint[], e_to bigint[],
  s_id uuid[], s_user bigint[], s_kind text[], s_cost bigint[], s_charge bigint[],
  s_in bigint[], s_cached bigint[], s_write bigint[], s_out bigint[], s_source text[], s_flagged boolean[],
  s_status integer[], s_reason text[], s_channel text[], s_upstream text[], s_latency integer[], s_ttft integer[],
  p_ledger jsonb
) RETURNS TABLE (tag text, user_id bigint, id uuid, usd bigint, owed bigint, note text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  v_stale_subs bigint[] := '{}';
  v_rejected bigint[] := '{}';
  v_exists uuid[] := '{}';
  v_moved uuid[] := '{}';
  v_back_user bigint[] := '{}';
  v_back bigint[] := '{}';
  v_taken_user bigint[] := '{}';
  v_taken bigint[] := '{}';
  v_use_sub bigint[] := '{}';
  v_use_at timestamptz[] := '{}';
  v_use bigint[] := '{}';
  v_some_user bigint[];
  v_some bigint[];
  v_some_sub bigint[];
  v_some_at timestamptz[];
  v_some_use bigint[];
  v_entry record;
  v_outcome record;
  v_answer text;
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
          cost_micros = CASE WHEN i.kind = 'c' THEN i.cost WHEN i.kind = 'x' THEN u.reserved_micros ELSE 0 END,
          charged_micros = CASE
            WHEN u.funding = 'free' THEN 0 WHEN i.kind = 'c' THEN i.cost WHEN i.kind = 'x' THEN u.reserved_micros ELSE 0
          END,
          settled_at = now(), input_tokens = i.tin, cached_input_tokens = i.tcached, cache_write_tokens = i.twrite,
          output_tokens = i.tout, usage_source = i.source, usage_flagged = coalesce(i.flagged, false),
          status = i.status, reason = i.reason, channel = coalesce(i.channel, u.channel),
          upstream_model = coalesce(i.upstream, u.upstream_model), latency_ms = i.latency, ttft_ms = i.ttft
        FROM unnest(s_id, s_user, s_kind, s_cost, s_in, s_cached, s_write, s_out, s_source, s_flagged, s_status,
            s_reason, s_channel, s_upstream, s_latency, s_ttft)
          AS i (id, user_id, kind, cost, tin, tcached, twrite, tout, source, flagged, status, reason, channel,
            upstream, latency, ttft)
        JOIN user_balances b ON b.user_id = i.user_id
        CROSS JOIN LATERAL (SELECT l.* FROM usage_events l WHERE l.id = i.id OFFSET 0 FOR UPDATE) h
        WHERE u.id = h.id AND h.user_id = i.user_id AND h.state = 'reserved'
          AND (i.kind = 'v' OR (i.kind IN ('e', 'x') AND h.lease_expires_at < now())
            OR (i.kind = 'c' AND (i.cost <= h.reserved_micros OR h.funding = 'free')))
          AND (b.owed_micros = 0 OR h.funding <> 'balance')
        RETURNING u.id, u.user_id, u.funding, u.subscription_id, u.reserved_at,
          u.reserved_micros - u.charged_micros AS back
    )
    SELECT coalesce(array_agg(m.id), '{}'),
        coalesce(array_agg(m.user_id) FILTER (WHERE m.funding = 'balance' AND m.back <> 0), '{}'),
        coalesce(array_agg(m.back) FILTER (WHERE m.funding = 'balance' AND m.back <> 0), '{}'),
        coalesce(array_agg(m.subscription_id) FILTER (WHERE m.funding = 'subscription' AND m.back <> 0), '{}'),
        coalesce(array_agg(date_trunc('minute', m.reserved_at))
          FILTER (WHERE m.funding = 'subscription' AND m.back <> 0), '{}'),
        coalesce(array_agg(-m.back) FILTER (WHERE m.funding = 'subscription' AND m.back <> 0), '{}')
      INTO v_moved, v_back_user, v_back, v_use_sub, v_use_at, v_use FROM moved m;
  END IF;

  IF cardinality(s_id) > cardinality(v_moved) OR p_ledger IS NOT NULL THEN
    UPDATE user_balances b SET usd_micros = b.usd_micros + d.back
      FROM (SELECT t.user_id, sum(t.back)::bigint AS back FROM unnest(v_back_user, v_back) AS t (user_id, back) GROUP BY 1) d
      WHERE b.user_id = d.user_id;
    v_back_user := '{}';
    v_back := '{}';
    FOR v_entry IN
      SELECT i.* FROM unnest(s_id, s_user, s_kind, s_cost, s_charge, s_in, s_cached, s_write, s_out, s_source, s_flagged,
          s_status, s_reason, s_channel, s_upstream, s_latency, s_ttft) WITH ORDINALITY
        AS i (id, user_id, kind, cost, charge, tin, tcached, twrite, tout, source, flagged, status, reason, channel,
          upstream, latency, ttft, position)
      WHERE NOT i.id = ANY (v_moved) ORDER BY i.position
    LOOP
      v_answer := realms_settle_one_v1(v_entry.id, v_entry.user_id, v_entry.kind, v_entry.cost, v_entry.charge,
        v_entry.tin, v_entry.tcached, v_entry.twrite, v_entry.tout, v_entry.source, v_entry.flagged, v_entry.status,
        v_entry.reason, v_entry.channel, v_entry.upstream, v_entry.latency, v_entry.ttft, v_stale_subs);
      IF v_answer <> 'moved' THEN
        RETURN QUERY SELECT v_answer, v_entry.user_id, v_entry.id, NULL::bigint, NULL::bigint, ''::text;
      END IF;
    END LOOP;
    IF p_ledger IS NOT NULL THEN
      FOR v_entry IN
        SELECT * FROM jsonb_to_recordset(p_ledger) AS l (user_id bigint, kind text, amount bigint, ref_type text,
          ref_id text, actor text, note text, mode text, place text)
      LOOP
        SELECT * INTO v_outcome FROM realms_ledger_entry_v1(v_entry.user_id, v_entry.kind, v_entry.amount,
          v_entry.ref_type, v_entry.ref_id, v_entry.actor, v_entry.note, v_entry.mode);
        RETURN QUERY SELECT v_outcome.outcome, v_entry.user_id, NULL::uuid, v_outcome.usd, v_outcome.owed, v_entry.place;
      END LOOP;
    END IF;
  END IF;

  -- What is taken, behind the guards. A user whose guard fails loses all reserves and extends of this batch.
  IF cardinality(r_id) > 0 OR cardinality(e_id) > 0 THEN
    SELECT coalesce(array_agg(u.id), '{}') INTO v_exists FROM usage_events u WHERE u.id = ANY (r_id);
    SELECT coalesce(array_agg(DISTINCT g.user_id), '{}') INTO v_rejected FROM (
      SELECT n.user_id FROM (
        SELECT t.user_id, sum(t.micros) AS micros FROM (
          SELECT r.user_id, r.micros FROM unnest(r_id, r_user, r_funding, r_micros) AS r (id, user_id, funding, micros)
            WHERE r.funding = 'balance' AND NOT r.id = ANY (v_exists)
          UNION ALL
          SELECT u.user_id, greatest(e.upto - u.reserved_micros, 0)
            FROM unnest(e_id, e_to) AS e (id, upto)
            CROSS JOIN LATERAL (SELECT l.* FROM usage_events l WHERE l.id = e.id OFFSET 0) u
            WHERE u.state = 'reserved' AND u.funding = 'balance'
        ) t GROUP BY t.user_id
      ) n
      LEFT JOIN user_balances b ON b.user_id = n.user_id
      LEFT JOIN (
        SELECT t.user_id, sum(t.back) AS back FROM unnest(v_back_user, v_back) AS t (user_id, back) GROUP BY t.user_id
      ) k ON k.user_id = n.user_id
      WHERE b.user_id IS NULL
        OR (n.micros > 0 AND (b.owed_micros > 0 OR b.usd_micros + coalesce(k.back, 0) < n.micros))
      UNION ALL
      SELECT s.user_id FROM user_subscriptions s WHERE s.id = ANY (v_stale_subs)
    ) g;

    IF cardinality(r_id) > 0 THEN
      WITH written AS (
        INSERT INTO usage_events (id, user_id, key_id, state, funding, subscription_id, reserved_micros, output_limit,
            input_micros_per_1m, cached_input_micros_per_1m, cache_write_micros_per_1m, output_micros_per_1m,
            billing_multiplier_micros, plan_multiplier_micros, reserved_at, lease_expires_at, stream, endpoint, model)
          SELECT r.id, r.user_id, r.key_id, 'reserved', r.funding, r.sub, r.micros, r.output, r.pin, r.pcached, r.pwrite,
              r.pout, r.billing, r.plan, to_timestamp(r.at / 1000.0), now() + make_interval(secs => r.lease), r.stream,
              r.endpoint, r.model
            FROM unnest(r_id, r_user, r_key, r_endpoint, r_model, r_stream, r_funding, r_sub, r_micros, r_output, r_in,
                r_cached, r_write, r_out, r_billing, r_plan, r_lease, r_at)
              AS r (id, user_id, key_id, endpoint, model, stream, funding, sub, micros, output, pin, pcached, pwrite,
                pout, billing, plan, lease, at)
            WHERE NOT r.user_id = ANY (v_rejected) AND NOT r.id = ANY (v_exists)
          ON CONFLICT (id) DO NOTHING
          RETURNING user_id, funding, subscription_id, reserved_at, reserved_micros
      )
      SELECT coalesce(array_agg(w.user_id) FILTER (WHERE w.funding = 'balance'), '{}'),
          coalesce(array_agg(w.reserved_micros) FILTER (WHERE w.funding = 'balance'), '{}'),
          coalesce(array_agg(w.subscription_id) FILTER (WHERE w.funding = 'subscription'), '{}'),
          coalesce(array_agg(date_trunc('minute', w.reserved_at)) FILTER (WHERE w.funding = 'subscription'), '{}'),
          coalesce(array_agg(w.reserved_micros) FILTER (WHERE w.funding = 'subscription'), '{}')
        INTO v_taken_user, v_taken, v_some_sub, v_some_at, v_some_use FROM written w;
      v_use_sub := v_use_sub || v_some_sub;
      v_use_at := v_use_at || v_some_at;
      v_use := v_use || v_some_use;
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
          RETURNING u.id, u.user_id, u.funding, u.subscription_id, u.reserved_at, f.upto - f.reserved_micros AS more
      )
      SELECT coalesce(array_agg(w.user_id) FILTER (WHERE w.funding = 'balance'), '{}'),
          coalesce(array_agg(w.more) FILTER (WHERE w.funding = 'balance'), '{}'),
          coalesce(array_agg(w.subscription_id) FILTER (WHERE w.funding = 'subscription'), '{}'),
          coalesce(array_agg(date_trunc('minute', w.reserved_at)) FILTER (WHERE w.funding = 'subscription'), '{}'),
          coalesce(array_agg(w.more) FILTER (WHERE w.funding = 'subscription'), '{}')
        INTO v_some_user, v_some, v_some_sub, v_some_at, v_some_use FROM raised w;
      v_taken_user := v_taken_user || v_some_user;
      v_taken := v_taken || v_some;
      v_use_sub := v_use_sub || v_some_sub;
      v_use_at := v_use_at || v_some_at;
      v_use := v_use || v_some_use;
      RETURN QUERY SELECT 'lost'::text, e.user_id, e.id, NULL::bigint, NULL::bigint, ''::text
        FROM unnest(e_id, e_user) AS e (id, user_id)
        LEFT JOIN LATERAL (SELECT l.* FROM usage_events l WHERE l.id = e.id OFFSET 0) u ON u.state = 'reserved'
        WHERE u.id IS NULL AND NOT e.user_id = ANY (v_rejected);
    END IF;
  END IF;

  IF cardinality(v_back_user) + cardinality(v_taken_user) > 0 THEN
    UPDATE user_balances b SET usd_micros = b.usd_micros + d.change
      FROM (
        SELECT t.user_id, sum(t.change)::bigint AS change FROM (
          SELECT k.user_id, k.micros AS change FROM unnest(v_back_user, v_back) AS k (user_id, micros)
          UNION ALL
          SELECT k.user_id, -k.micros FROM unnest(v_taken_user, v_taken) AS k (user_id, micros)
        ) t GROUP BY t.user_id
      ) d
      WHERE b.user_id = d.user_id AND d.change <> 0;
  END IF;
  IF cardinality(v_use_sub) > 0 THEN
    -- The row is made first, so that a net decrease meets an existing bucket and the check sees the sum.
    INSERT INTO subscription_usage (subscription_id, bucket_start, micros)
      SELECT DISTINCT t.sub, t.at, 0::bigint FROM unnest(v_use_sub, v_use_at) AS t (sub, at)
      ON CONFLICT (subscription_id, bucket_start) DO NOTHING;
    UPDATE subscription_usage s SET micros = s.micros + d.micros
      FROM (
        SELECT t.sub, t.at, sum(t.micros)::bigint AS micros
          FROM unnest(v_use_sub, v_use_at, v_use) AS t (sub, at, micros) GROUP BY 1, 2
      ) d
      WHERE s.subscription_id = d.sub AND s.bucket_start = d.at;
  END IF;
  IF cardinality(p_subs) > 0 THEN
    -- On a mismatch the value is nobody's: whatever else was decided on the announced one will not match either.
    UPDATE user_subscriptions s
      SET fence = CASE WHEN s.id = ANY (v_stale_subs) THEN hashtextextended(gen_random_uuid()::text, 0) ELSE f.next END
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
