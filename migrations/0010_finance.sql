-- The books: movements of cash with the dates on which they were written, and days that are closed for ever. Triggers of the
-- orders' tables write the movements.

-- Each movement is written in the transaction that causes it. Amounts are signed, in the minor unit: what comes in is positive.
-- The sum of `in_review` and `dismissed` is what was received and is not allocated. `plan_sold` and `plan_returned` are what
-- plans were paid with and what of it went back. These four move no cash.
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
CALL realms_keep_rows_v1('cash_movements', 'UPDATE OR DELETE');

-- The time that the provider's newest event gives, of a payment or of its refund or dispute p_subject. What root said is not
-- counted: it is not the provider's word.
CREATE FUNCTION realms_told_at_v1(p_provider text, p_payment text, p_subject text) RETURNS timestamptz
LANGUAGE sql STABLE AS $$
  SELECT to_timestamp(e.at_seconds) FROM payment_events e
    WHERE e.provider = p_provider AND e.payment_reference = p_payment AND e.at_seconds > 0
      AND e.subject IS NOT DISTINCT FROM p_subject AND e.event_key NOT LIKE 'root:%'
    ORDER BY e.id DESC LIMIT 1
$$;

-- The kinds of movement that a payment is booked under, with its amounts.
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

-- Brings what is booked of a plan's payment to what was paid and to what has come back of it. Nothing of no payment.
CREATE FUNCTION realms_book_plan_v1(p_payment bigint) RETURNS void LANGUAGE sql STRICT AS $$
  WITH plan AS (
    SELECT p.id, p.provider, p.currency, p.paid_minor,
        least(p.paid_minor, coalesce((
          SELECT sum(r.amount_minor) FROM payment_refunds r WHERE r.payment_id = p.id AND r.currency = p.currency
            AND r.state IN ('pending', 'requires_action', 'succeeded')), 0) + coalesce((
          SELECT sum(d.taken_minor) FROM payment_disputes d
            WHERE d.payment_id = p.id AND d.currency = p.currency), 0)) AS returned
      FROM payments p JOIN payment_attempts a ON a.id = p.attempt_id AND a.order_kind = 'subscription'
      WHERE p.id = p_payment AND p.state = 'fulfilled'
  ), due AS (
    SELECT plan.id, plan.provider, plan.currency, k.kind, k.amount - coalesce((
        SELECT sum(m.amount_minor) FROM cash_movements m WHERE m.payment_id = plan.id AND m.kind = k.kind), 0) AS amount
      FROM plan CROSS JOIN LATERAL (VALUES ('plan_sold', plan.paid_minor), ('plan_returned', -plan.returned)) AS k (kind, amount)
  )
  INSERT INTO cash_movements (kind, provider, currency, amount_minor, payment_id)
    SELECT kind, provider, currency, amount, id FROM due WHERE amount <> 0
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
        -- The provider has said nothing yet of a refund that root asks for.
        CASE WHEN NEW.refund_id IS NOT NULL THEN realms_told_at_v1(NEW.provider, NEW.payment_reference, NEW.refund_id) END);
  END IF;
  PERFORM realms_book_plan_v1(NEW.payment_id);
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
  PERFORM realms_book_plan_v1(NEW.payment_id);
  RETURN NULL;
END $$;

CREATE TRIGGER book_payments AFTER INSERT OR UPDATE ON payments FOR EACH ROW EXECUTE FUNCTION realms_book_payment_v1();
CREATE TRIGGER book_payment_refunds AFTER INSERT OR UPDATE ON payment_refunds
  FOR EACH ROW EXECUTE FUNCTION realms_book_refund_v1();
CREATE TRIGGER book_payment_disputes AFTER INSERT OR UPDATE ON payment_disputes
  FOR EACH ROW EXECUTE FUNCTION realms_book_dispute_v1();

-- Days that are closed: nothing is booked in them any more, and what was is in `lines`.
CREATE TABLE statement_days (
  day date PRIMARY KEY,
  -- The zone whose day it was.
  time_zone text NOT NULL,
  -- The day has the movements from the first moment on and before the second. It begins where the day before it ends.
  starts_at timestamptz NOT NULL UNIQUE,
  ends_at timestamptz NOT NULL CHECK (ends_at > starts_at),
  closed_at timestamptz NOT NULL DEFAULT now() CHECK (closed_at >= ends_at),
  lines jsonb NOT NULL
);
CALL realms_keep_rows_v1('statement_days', 'UPDATE OR DELETE');

-- When a local day begins. Where clocks go back over midnight there are two such moments, and the first counts.
CREATE FUNCTION realms_midnight_v1(p_day date, p_zone text) RETURNS timestamptz LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN ((at - interval '1 hour') AT TIME ZONE p_zone)::date = p_day THEN at - interval '1 hour' ELSE at END
    FROM (SELECT p_day::timestamp AT TIME ZONE p_zone AS at) m
$$;

-- The first moment of a day of the books. A closed day begins where it was closed from. A day after the closed days begins at its
-- midnight, but never before the last closed day ended, and the first of them exactly where that ended. A day ends where the
-- next one begins.
CREATE FUNCTION realms_day_starts_v1(p_day date, p_zone text) RETURNS timestamptz LANGUAGE sql STABLE AS $$
  SELECT coalesce(
    (SELECT d.starts_at FROM statement_days d WHERE d.day = p_day),
    -- A date that was skipped when the time zone was changed has no length.
    (SELECT d.starts_at FROM statement_days d WHERE d.day > p_day
      AND EXISTS (SELECT FROM statement_days b WHERE b.day < p_day) ORDER BY d.day LIMIT 1),
    (SELECT CASE WHEN p_day = l.day + 1 THEN l.ends_at ELSE greatest(l.ends_at, realms_midnight_v1(p_day, p_zone)) END
      FROM statement_days l WHERE l.day < p_day ORDER BY l.day DESC LIMIT 1),
    realms_midnight_v1(p_day, p_zone))
$$;
