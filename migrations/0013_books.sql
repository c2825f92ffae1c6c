-- Books: entries of the ledger that are numbered and say what the account had after them, late commits as movements of their own,
-- movements of cash with the dates on which they were written, and days that are closed for ever. Writers wait meanwhile.
LOCK TABLE user_balances IN EXCLUSIVE MODE;

-- Old entries have their numbers and not the balances after them: what calls held at that time is not known any more.
ALTER TABLE ledger_entries
  -- 1, 2, 3, … of each user.
  ADD COLUMN seq bigint,
  -- The spendable balance and the debt after the entry, in micros. Null: from before there were these columns.
  ADD COLUMN usd_after bigint,
  ADD COLUMN owed_after bigint;
ALTER TABLE ledger_entries DISABLE TRIGGER keep_ledger_entries;
UPDATE ledger_entries e SET seq = n.seq
  FROM (SELECT id, row_number() OVER (PARTITION BY user_id ORDER BY id) AS seq FROM ledger_entries) n WHERE n.id = e.id;
ALTER TABLE ledger_entries ENABLE TRIGGER keep_ledger_entries;
ALTER TABLE ledger_entries ALTER COLUMN seq SET NOT NULL,
  ADD CONSTRAINT ledger_entries_seq UNIQUE (user_id, seq),
  ADD CONSTRAINT ledger_entries_after CHECK (usd_after >= 0 AND owed_after >= 0);
CREATE INDEX ledger_entries_created ON ledger_entries (created_at);

-- What a call was charged is the sum of charged_micros, on the date of settled_at, and late_charged_micros, on that of late_at. The
-- first two never change again. Late commits from before these columns have everything in the first two.
ALTER TABLE usage_events
  -- Signed, in micros: less where more was charged at expiry than the call cost.
  ADD COLUMN late_charged_micros bigint NOT NULL DEFAULT 0,
  ADD COLUMN late_at timestamptz,
  ADD CONSTRAINT usage_events_late CHECK (
    CASE WHEN late_at IS NULL THEN late_charged_micros = 0 ELSE late AND charged_micros + late_charged_micros >= 0 END);
-- Calls are written about in the order of their settlement, so that the pages of one day are told from few bounds. An index of
-- every row would cost each settlement an entry.
CREATE INDEX usage_events_settled ON usage_events USING brin (settled_at) WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX usage_events_late_at ON usage_events (late_at) WHERE late_at IS NOT NULL;

-- The one statement that writes an entry. The caller holds the balance row's lock and has written the balance.
CREATE FUNCTION realms_append_entry_v1(
  p_user bigint, p_kind text, p_amount bigint, p_owed bigint, p_ref_type text, p_ref_id text, p_actor text, p_note text,
  p_usd_after bigint, p_owed_after bigint
) RETURNS void LANGUAGE sql AS $$
  INSERT INTO ledger_entries (user_id, kind, amount_micros, owed_micros, ref_type, ref_id, actor, note, usd_after, owed_after, seq)
    VALUES (p_user, p_kind, p_amount, p_owed, p_ref_type, p_ref_id, p_actor, p_note, p_usd_after, p_owed_after,
      (SELECT coalesce(max(e.seq), 0) + 1 FROM ledger_entries e WHERE e.user_id = p_user))
$$;

-- Posts one ledger entry inside the caller's transaction. A repeat of (ref_type, ref_id, kind) posts nothing. A credit
-- pays what is owed first (an entry `recovery`). A debit in mode 'strict' is refused when the balance is short; in mode
-- 'owe' it takes what there is and the rest becomes owed. Mode 'waive' takes p_amount off what is owed, and is refused when
-- less is owed.
CREATE OR REPLACE FUNCTION realms_ledger_entry_v1(
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

-- Settles one reservation with every case: money owed, more than was held, after expiry, never written. The caller
-- holds the balance row's lock. Answers what happened: moved, late (moved, after expiry), kept (already resolved), missing,
-- leased (expiry too early), stale (a subscription's extra charge was decided on another fence); and what is charged in all.
CREATE OR REPLACE FUNCTION realms_settle_one_v2(
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

-- Reports count what was charged in all.
CREATE OR REPLACE VIEW usage_calls AS
  SELECT id, user_id, date_trunc('hour', reserved_at, 'UTC') AS hour, model, coalesce(key_id, 0) AS key_id, funding, state,
      state = 'committed' OR (state = 'expired' AND charged_micros > 0) AS counts,
      coalesce(input_tokens, 0) AS input_tokens, coalesce(cached_input_tokens, 0) AS cached_input_tokens,
      coalesce(cache_write_tokens, 0) AS cache_write_tokens, coalesce(output_tokens, 0) AS output_tokens,
      coalesce(cost_micros, 0) AS cost_micros, coalesce(charged_micros, 0) + late_charged_micros AS charged_micros,
      coalesce(channel, '') AS channel
    FROM usage_events;
DO $migration$
DECLARE
  v_before text := pg_get_functiondef('realms_usage_late_v2'::regproc);
BEGIN
  -- Two sums: what the call is put in with, and the difference for its key.
  IF regexp_count(v_before, 'NEW\.charged_micros') <> 2 THEN
    RAISE EXCEPTION 'realms_usage_late_v2 is not the one of 0006';
  END IF;
  EXECUTE replace(replace(v_before, 'NEW.charged_micros', '(NEW.charged_micros + NEW.late_charged_micros)'),
    'realms_usage_late_v2', 'realms_usage_late_v3');
END $migration$;
CREATE OR REPLACE TRIGGER usage_events_late AFTER UPDATE OF late ON usage_events
  FOR EACH ROW WHEN (NEW.late AND NOT OLD.late) EXECUTE FUNCTION realms_usage_late_v3();
DROP FUNCTION realms_usage_late_v2();

-- What verified events of a live provider say came in for a payment, in the minor unit: of the newest that says another sum. Null:
-- nothing but root's word. A payment that root wrote down under another name has the provider that told of it.
ALTER TABLE payments
  ADD COLUMN received_provider text CHECK (received_provider IN ('epay', 'stripe')),
  ADD COLUMN received_minor bigint CHECK (received_minor > 0),
  ADD COLUMN received_currency text,
  ADD CONSTRAINT payments_received CHECK (
    (received_minor IS NULL) = (received_provider IS NULL) AND (received_minor IS NULL) = (received_currency IS NULL));

-- Movements of cash, each written in the transaction that causes it and kept for ever. Amounts are signed, in the minor unit:
-- what comes in is positive. Of `in_review` and `dismissed` the sum is what was received and is not allocated; of `plan_sold`
-- and `plan_returned`, what plans were paid with and what of it went back. These four move no cash.
CREATE TABLE cash_movements (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  booked_at timestamptz NOT NULL DEFAULT now(),
  -- When the provider says that it happened, where it does.
  provider_at timestamptz,
  kind text NOT NULL CHECK (kind IN ('payment', 'payment_correction', 'manual', 'refund', 'refund_returned', 'dispute',
    'dispute_returned', 'in_review', 'dismissed', 'plan_sold', 'plan_returned')),
  provider text NOT NULL,
  currency text NOT NULL,
  amount_minor bigint NOT NULL CHECK (amount_minor <> 0),
  payment_id bigint REFERENCES payments,
  refund_id bigint REFERENCES payment_refunds,
  dispute_id bigint REFERENCES payment_disputes
);
CREATE INDEX cash_movements_booked ON cash_movements (booked_at);
CREATE INDEX cash_movements_payment ON cash_movements (payment_id);
CREATE INDEX cash_movements_refund ON cash_movements (refund_id) WHERE refund_id IS NOT NULL;
CREATE INDEX cash_movements_dispute ON cash_movements (dispute_id) WHERE dispute_id IS NOT NULL;
CREATE INDEX payment_refunds_of_payment ON payment_refunds (payment_id);
CREATE INDEX payment_disputes_of_payment ON payment_disputes (payment_id);
CREATE TRIGGER keep_cash_movements BEFORE UPDATE OR DELETE ON cash_movements
  FOR EACH ROW EXECUTE FUNCTION realms_refuse_change();
CREATE TRIGGER keep_cash_movements_all BEFORE TRUNCATE ON cash_movements
  FOR EACH STATEMENT EXECUTE FUNCTION realms_refuse_change();

-- The moment that the newest of a provider's events of a payment names, of the refund or dispute p_subject where it is given. What root
-- said is no provider's word.
CREATE FUNCTION realms_told_at_v1(p_provider text, p_payment text, p_subject text) RETURNS timestamptz
LANGUAGE sql STABLE AS $$
  SELECT to_timestamp(e.at_seconds) FROM payment_events e
    WHERE e.provider = p_provider AND e.payment_reference = p_payment AND e.at_seconds > 0
      AND e.subject IS NOT DISTINCT FROM p_subject AND e.event_key NOT LIKE 'root:%'
    ORDER BY e.id DESC LIMIT 1
$$;

-- The lines that a payment is in, with its amounts.
CREATE FUNCTION realms_payment_lines_v1(p payments) RETURNS TABLE (line text, provider text, currency text, amount bigint)
LANGUAGE sql IMMUTABLE AS $$
  SELECT 'payment', p.received_provider, p.received_currency, p.received_minor WHERE p.received_minor IS NOT NULL
  UNION ALL
  SELECT 'manual', p.provider, p.currency, p.paid_minor
    WHERE p.manual AND p.received_minor IS NULL AND p.paid_minor IS NOT NULL
  UNION ALL
  SELECT p.state, p.received_provider, p.received_currency, p.received_minor
    WHERE p.received_minor IS NOT NULL AND p.state IN ('in_review', 'dismissed')
$$;

-- Brings what is booked of a plan's payment to what was paid and to what has come back of it.
CREATE FUNCTION realms_book_plan_v1(p_payment bigint, p_at timestamptz DEFAULT now()) RETURNS void LANGUAGE sql AS $$
  WITH plan AS (
    SELECT p.id, p.provider, p.currency, p.paid_minor,
        least(p.paid_minor, coalesce((
          SELECT sum(r.amount_minor) FROM payment_refunds r WHERE r.payment_id = p.id AND r.currency = p.currency
            AND r.state IN ('pending', 'requires_action', 'succeeded')), 0) + coalesce((
          SELECT sum(d.taken_minor) FROM payment_disputes d WHERE d.payment_id = p.id AND d.currency = p.currency), 0)) AS returned
      FROM payments p JOIN payment_attempts a ON a.id = p.attempt_id AND a.order_kind = 'subscription'
      WHERE p.id = p_payment AND p.state = 'fulfilled'
  ), due AS (
    SELECT plan.id, plan.provider, plan.currency, k.kind, k.amount - coalesce((
        SELECT sum(m.amount_minor) FROM cash_movements m WHERE m.payment_id = plan.id AND m.kind = k.kind), 0) AS amount
      FROM plan CROSS JOIN LATERAL (VALUES ('plan_sold', plan.paid_minor), ('plan_returned', -plan.returned)) AS k (kind, amount)
  )
  INSERT INTO cash_movements (booked_at, kind, provider, currency, amount_minor, payment_id)
    SELECT p_at, kind, provider, currency, amount, id FROM due WHERE amount <> 0
$$;

CREATE FUNCTION realms_book_payment_v1() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v_old payments;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    v_old := OLD;
  END IF;
  INSERT INTO cash_movements (kind, provider, currency, amount_minor, payment_id, provider_at)
    SELECT CASE WHEN line = 'payment' AND v_old.received_minor IS NOT NULL THEN 'payment_correction' ELSE line END, provider,
        currency, coalesce(n.amount, 0) - coalesce(o.amount, 0), NEW.id,
        CASE WHEN line = 'payment' THEN realms_told_at_v1(provider, NEW.payment_id, NULL) END
      FROM realms_payment_lines_v1(NEW) n FULL JOIN realms_payment_lines_v1(v_old) o USING (line, provider, currency)
      WHERE coalesce(n.amount, 0) <> coalesce(o.amount, 0);
  PERFORM realms_book_plan_v1(NEW.id);
  RETURN NULL;
END $$;

CREATE FUNCTION realms_book_refund_v1() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v_old bigint := 0;
  v_new bigint := CASE WHEN NEW.state IN ('pending', 'requires_action', 'succeeded') THEN NEW.amount_minor ELSE 0 END;
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.state IN ('pending', 'requires_action', 'succeeded') THEN
    v_old := OLD.amount_minor;
  END IF;
  IF v_new <> v_old THEN
    INSERT INTO cash_movements (kind, provider, currency, amount_minor, payment_id, refund_id, provider_at)
      VALUES (CASE WHEN v_new > v_old THEN 'refund' ELSE 'refund_returned' END, NEW.provider, NEW.currency, v_old - v_new,
        NEW.payment_id, NEW.id,
        -- Of one that root asks for, the provider has said nothing yet.
        CASE WHEN NEW.refund_id IS NOT NULL THEN realms_told_at_v1(NEW.provider, NEW.payment_reference, NEW.refund_id) END);
  END IF;
  IF NEW.payment_id IS NOT NULL THEN
    PERFORM realms_book_plan_v1(NEW.payment_id);
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION realms_book_dispute_v1() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v_old bigint := 0;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    v_old := OLD.taken_minor;
  END IF;
  IF NEW.taken_minor <> v_old THEN
    INSERT INTO cash_movements (kind, provider, currency, amount_minor, payment_id, dispute_id, provider_at)
      VALUES (CASE WHEN NEW.taken_minor > v_old THEN 'dispute' ELSE 'dispute_returned' END, NEW.provider, NEW.currency,
        v_old - NEW.taken_minor, NEW.payment_id, NEW.id,
        realms_told_at_v1(NEW.provider, NEW.payment_reference, NEW.dispute_id));
  END IF;
  IF NEW.payment_id IS NOT NULL THEN
    PERFORM realms_book_plan_v1(NEW.payment_id);
  END IF;
  RETURN NULL;
END $$;

-- The time before: each movement on the date on which the event came in that told of it, or else on that of its row.
WITH said AS (
  SELECT e.id, e.payment_id, e.provider, e.currency, e.amount_minor, e.received_at, e.at_seconds,
      lag(e.amount_minor) OVER w AS amount_before, lag(e.currency) OVER w AS currency_before, lag(e.provider) OVER w AS provider_before
    FROM payment_events e
    WHERE e.fact = 'Paid' AND e.provider <> 'manual' AND e.event_key NOT LIKE 'root:%' AND e.outcome NOT IN ('ignored', 'received')
      AND e.payment_id IS NOT NULL AND e.amount_minor > 0
    WINDOW w AS (PARTITION BY e.payment_id ORDER BY e.received_at, e.id)
), changes AS (
  -- In the same currency the difference; in another one, what was said before is taken back.
  SELECT id, payment_id, received_at, at_seconds, amount_before, provider, currency,
      amount_minor - CASE WHEN currency_before = currency THEN amount_before ELSE 0 END AS amount
    FROM said
  UNION ALL
  SELECT id, payment_id, received_at, at_seconds, amount_before, provider_before, currency_before, -amount_before
    FROM said WHERE currency_before <> currency
)
INSERT INTO cash_movements (booked_at, provider_at, kind, provider, currency, amount_minor, payment_id)
  SELECT received_at, CASE WHEN at_seconds > 0 THEN to_timestamp(at_seconds) END,
      CASE WHEN amount_before IS NULL THEN 'payment' ELSE 'payment_correction' END, provider, currency, amount, payment_id
    FROM changes WHERE amount <> 0 ORDER BY id;
UPDATE payments p SET received_provider = m.provider, received_minor = m.amount, received_currency = m.currency
  FROM (
    SELECT payment_id, provider, currency, sum(amount_minor) AS amount
      FROM cash_movements GROUP BY payment_id, provider, currency HAVING sum(amount_minor) > 0
  ) m
  WHERE p.id = m.payment_id;
INSERT INTO cash_movements (booked_at, kind, provider, currency, amount_minor, payment_id)
  SELECT coalesce((SELECT min(e.received_at) FROM payment_events e WHERE e.payment_id = p.id AND e.fact IN ('Paid', 'Unreadable')),
      p.created_at), l.line, l.provider, l.currency, l.amount, p.id
    FROM payments p CROSS JOIN LATERAL realms_payment_lines_v1(p) l WHERE l.line <> 'payment' ORDER BY p.id;
INSERT INTO cash_movements (booked_at, kind, provider, currency, amount_minor, payment_id, refund_id)
  SELECT * FROM (
    SELECT least(r.created_at, (SELECT min(e.received_at) FROM payment_events e
          WHERE r.request_key IS NULL AND e.provider = r.provider AND e.payment_reference = r.payment_reference
            AND (e.subject = r.refund_id OR r.refund_id IS NULL AND e.fact = 'Refunded') AND e.fact <> 'Dispute')) AS at,
        'refund' AS kind, r.provider, r.currency, -r.amount_minor, r.payment_id, r.id
      FROM payment_refunds r WHERE r.amount_minor > 0
    UNION ALL
    SELECT least(r.updated_at, (SELECT min(e.received_at) FROM payment_events e
          WHERE e.provider = r.provider AND e.payment_reference = r.payment_reference AND e.subject = r.refund_id
            AND (e.fact = 'RefundFailed' OR e.fact = 'Refund' AND e.status IN ('failed', 'canceled')))),
        'refund_returned', r.provider, r.currency, r.amount_minor, r.payment_id, r.id
      FROM payment_refunds r WHERE r.amount_minor > 0 AND r.state IN ('failed', 'canceled')
  ) r ORDER BY at, id, kind;
INSERT INTO cash_movements (booked_at, kind, provider, currency, amount_minor, payment_id, dispute_id)
  SELECT least(d.created_at, (SELECT min(e.received_at) FROM payment_events e
        WHERE e.provider = d.provider AND e.payment_reference = d.payment_reference AND e.subject = d.dispute_id
          AND e.fact = 'Dispute')),
      'dispute', d.provider, d.currency, -d.taken_minor, d.payment_id, d.id
    FROM payment_disputes d WHERE d.taken_minor > 0 ORDER BY d.id;
INSERT INTO cash_movements (booked_at, kind, provider, currency, amount_minor, payment_id)
  SELECT coalesce(o.settled_at, p.created_at), 'plan_sold', p.provider, p.currency, p.paid_minor, p.id
    FROM payments p JOIN payment_attempts a ON a.id = p.attempt_id AND a.order_kind = 'subscription'
      JOIN subscription_orders o ON o.id = a.order_id
    WHERE p.state = 'fulfilled' ORDER BY p.id;
SELECT realms_book_plan_v1(b.payment_id, b.at) FROM (
    SELECT m.payment_id, max(m.booked_at) AS at FROM cash_movements m
      WHERE m.kind IN ('refund', 'refund_returned', 'dispute', 'dispute_returned') AND m.payment_id IS NOT NULL GROUP BY 1
  ) b;

CREATE TRIGGER book_payments AFTER INSERT OR UPDATE ON payments FOR EACH ROW EXECUTE FUNCTION realms_book_payment_v1();
CREATE TRIGGER book_payment_refunds AFTER INSERT OR UPDATE ON payment_refunds
  FOR EACH ROW EXECUTE FUNCTION realms_book_refund_v1();
CREATE TRIGGER book_payment_disputes AFTER INSERT OR UPDATE ON payment_disputes
  FOR EACH ROW EXECUTE FUNCTION realms_book_dispute_v1();

-- When a local day begins. Where clocks go back over midnight there are two, and the first counts.
CREATE FUNCTION realms_midnight_v1(p_day date, p_zone text) RETURNS timestamptz LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN ((at - interval '1 hour') AT TIME ZONE p_zone)::date = p_day THEN at - interval '1 hour' ELSE at END
    FROM (SELECT p_day::timestamp AT TIME ZONE p_zone AS at) m
$$;

-- Days that are closed: nothing is booked in them any more, and what was is in `lines`.
CREATE TABLE statement_days (
  day date PRIMARY KEY,
  -- The zone whose day it was.
  time_zone text NOT NULL,
  -- The movements from the first moment on, and before the second. Each day begins where the one before it ends.
  starts_at timestamptz NOT NULL UNIQUE,
  ends_at timestamptz NOT NULL CHECK (ends_at > starts_at),
  closed_at timestamptz NOT NULL DEFAULT now() CHECK (closed_at >= ends_at),
  lines jsonb NOT NULL
);
CREATE TRIGGER keep_statement_days BEFORE UPDATE OR DELETE ON statement_days
  FOR EACH ROW EXECUTE FUNCTION realms_refuse_change();
CREATE TRIGGER keep_statement_days_all BEFORE TRUNCATE ON statement_days
  FOR EACH STATEMENT EXECUTE FUNCTION realms_refuse_change();

-- The first moment of a day of the books: as it was closed; for those after the closed days, never before the last of them ended, and
-- at once where it ended. A day ends where the next one begins.
CREATE FUNCTION realms_day_starts_v1(p_day date, p_zone text) RETURNS timestamptz LANGUAGE sql STABLE AS $$
  SELECT coalesce(
    (SELECT d.starts_at FROM statement_days d WHERE d.day = p_day),
    -- A date that was skipped, when the time zone was changed, is as long as nothing.
    (SELECT d.starts_at FROM statement_days d WHERE d.day > p_day
      AND EXISTS (SELECT FROM statement_days b WHERE b.day < p_day) ORDER BY d.day LIMIT 1),
    (SELECT CASE WHEN p_day = l.day + 1 THEN l.ends_at ELSE greatest(l.ends_at, realms_midnight_v1(p_day, p_zone)) END
      FROM statement_days l WHERE l.day < p_day ORDER BY l.day DESC LIMIT 1),
    realms_midnight_v1(p_day, p_zone))
$$;
