-- One payment counts once, whoever settles it: a row for each payment, which everything about it locks first.

ALTER TABLE payment_events DROP CONSTRAINT payment_events_outcome_check;
DROP INDEX payment_events_open;
DROP INDEX payment_events_parked;
UPDATE payment_events SET outcome = 'needs_review' WHERE outcome = 'exception';
UPDATE payment_events SET outcome = 'deferred' WHERE outcome = 'parked';
ALTER TABLE payment_events ADD CONSTRAINT payment_events_outcome_check
  CHECK (outcome IN ('received', 'deferred', 'applied', 'duplicate', 'ignored', 'needs_review'));
CREATE INDEX payment_events_open ON payment_events (id) WHERE outcome = 'needs_review' AND resolved_at IS NULL;
CREATE INDEX payment_events_deferred ON payment_events (id) WHERE outcome = 'deferred' AND resolved_at IS NULL;

-- manual: money that root says was received elsewhere.
ALTER TABLE payment_attempts DROP CONSTRAINT payment_attempts_provider_check, DROP CONSTRAINT payment_attempts_completed_check;
ALTER TABLE payment_events DROP CONSTRAINT payment_events_provider_check;
UPDATE payment_attempts SET provider = 'manual' WHERE provider = 'outside';
UPDATE payment_events SET provider = 'manual' WHERE provider = 'outside';
ALTER TABLE payment_attempts
  ADD CONSTRAINT payment_attempts_provider_check CHECK (provider IN ('epay', 'stripe', 'manual')),
  ADD CONSTRAINT payment_attempts_completed_check CHECK (provider <> 'manual' OR completed_by IS NOT NULL),
  -- EPay: the gateway's host when the attempt was made. Payments of different gateways may have the same number.
  ADD COLUMN gateway text NOT NULL DEFAULT '';
ALTER TABLE payment_events ADD CONSTRAINT payment_events_provider_check CHECK (provider IN ('epay', 'stripe', 'manual'));

-- An EPay event's key was host, pid, trade and status; the host may have a port.
CREATE FUNCTION pg_temp.epay_scope(event_key text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT regexp_replace(
    regexp_replace(event_key, ':(unreadable:[0-9a-f]{16}|asked:[0-9]+)$', ''),
    '^(.*):([^:]*):[^:]*:[^:]*$', '\1|\2')
$$;
UPDATE payment_attempts a SET gateway = split_part(pg_temp.epay_scope(e.event_key), '|', 1)
  FROM payment_events e
  WHERE a.provider = 'epay' AND e.provider = 'epay' AND e.merchant_reference = a.merchant_reference
    AND split_part(pg_temp.epay_scope(e.event_key), '|', 2) = a.merchant AND a.merchant <> '';

CREATE TABLE payments (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  provider text NOT NULL CHECK (provider IN ('epay', 'stripe', 'manual')),
  -- Whose numbers its id is one of: EPay's gateway host and pid. Empty where ids are unique by themselves.
  merchant_scope text NOT NULL DEFAULT '',
  -- Stripe's payment intent, EPay's trade number, or what root wrote down of a manual payment.
  payment_id text NOT NULL,
  state text NOT NULL CHECK (state IN ('in_review', 'fulfilled', 'credited', 'refunded', 'dismissed')),
  -- Root says that it was received, not a provider.
  manual boolean NOT NULL DEFAULT false,
  -- In the minor unit of the currency.
  paid_minor bigint CHECK (paid_minor > 0),
  currency text,
  -- The attempt that it was made through, where that is known.
  attempt_id bigint REFERENCES payment_attempts,
  -- Whom it credited how much, in USD micros: a top-up's buyer, or whom root credited. Null: it gave a plan, or nothing.
  credited_user_id bigint REFERENCES users,
  credited_micros bigint CHECK (credited_micros > 0),
  -- What clawbacks have debited of that so far.
  debited_micros bigint NOT NULL DEFAULT 0 CHECK (debited_micros >= 0 AND debited_micros <= coalesce(credited_micros, 0)),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (provider, merchant_scope, payment_id),
  CHECK ((credited_micros IS NULL) = (credited_user_id IS NULL)),
  CHECK (credited_micros IS NULL OR state IN ('fulfilled', 'credited')),
  CHECK (state <> 'credited' OR credited_micros IS NOT NULL),
  CHECK (state <> 'fulfilled' OR (attempt_id IS NOT NULL AND paid_minor IS NOT NULL AND currency IS NOT NULL))
) WITH (fillfactor = 80);
CREATE INDEX payments_payment_id ON payments (payment_id);
CREATE INDEX payments_attempt ON payments (attempt_id);
-- An order is fulfilled by one payment.
CREATE UNIQUE INDEX payments_fulfilled ON payments (attempt_id) WHERE state = 'fulfilled';
CREATE TRIGGER keep_payments BEFORE DELETE ON payments FOR EACH ROW EXECUTE FUNCTION realms_refuse_change();
CREATE TRIGGER keep_payments_all BEFORE TRUNCATE ON payments FOR EACH STATEMENT EXECUTE FUNCTION realms_refuse_change();

ALTER TABLE payment_events ADD COLUMN payment_id bigint REFERENCES payments;
CREATE INDEX payment_events_of_payment ON payment_events (payment_id);
ALTER TABLE payment_events DROP CONSTRAINT payment_events_resolution_check;
ALTER TABLE payment_events ADD CONSTRAINT payment_events_resolution_check
  -- accepted: as the payment of its order. completed: named when root completed an order. fulfilled: a fitting event came later.
  CHECK (resolution IN ('accepted', 'credited', 'completed', 'refunded', 'dismissed', 'fulfilled'));
-- One resolution resolves every event of its payment; the payment has the credit.
DROP INDEX payment_events_credited;
ALTER TABLE payment_events DROP CONSTRAINT payment_events_credit;

-- Payments of the time before this table. One that two events say something different of has the strongest of it.
INSERT INTO payments (provider, merchant_scope, payment_id, state, manual, paid_minor, currency, attempt_id, credited_user_id,
    credited_micros, debited_micros)
  SELECT a.provider, CASE WHEN a.provider = 'epay' THEN a.gateway || '|' || a.merchant ELSE '' END, a.payment_reference,
      'fulfilled', a.completed_by IS NOT NULL, a.amount_minor, a.currency, a.id,
      CASE WHEN o.kind = 'topup' THEN o.user_id END, CASE WHEN o.kind = 'topup' THEN o.credit_micros END, a.debited_micros
    FROM payment_attempts a JOIN orders o ON o.id = a.order_id
    WHERE a.state = 'paid';
INSERT INTO payments (provider, merchant_scope, payment_id, state, paid_minor, currency, attempt_id, credited_user_id,
    credited_micros)
  SELECT DISTINCT ON (e.provider, e.payment_reference) e.provider,
      CASE WHEN e.provider = 'epay' THEN pg_temp.epay_scope(e.event_key) ELSE '' END,
      e.payment_reference,
      CASE e.resolution WHEN 'credited' THEN 'credited' WHEN 'refunded' THEN 'refunded' WHEN 'dismissed' THEN 'dismissed'
        ELSE 'in_review' END,
      CASE WHEN e.amount_minor > 0 THEN e.amount_minor END, e.currency, a.id, e.credited_user_id, e.credited_micros
    FROM payment_events e
    LEFT JOIN payment_attempts a ON a.merchant_reference = e.merchant_reference AND a.provider = e.provider
    WHERE e.payment_reference IS NOT NULL AND e.outcome = 'needs_review' AND e.fact IN ('Paid', 'Unreadable')
      AND NOT EXISTS (SELECT FROM payments p WHERE p.provider = e.provider AND p.payment_id = e.payment_reference)
    ORDER BY e.provider, e.payment_reference,
      array_position(ARRAY['credited', 'refunded', 'dismissed'], e.resolution) NULLS LAST, e.id;
UPDATE payment_events e SET payment_id = p.id FROM payments p
  WHERE p.provider = e.provider AND p.payment_id = e.payment_reference;
DROP INDEX payment_attempts_payment;
CREATE UNIQUE INDEX payment_attempts_payment ON payment_attempts (provider, gateway, merchant, payment_reference)
  WHERE payment_reference IS NOT NULL;
ALTER TABLE payment_attempts DROP COLUMN debited_micros;
DROP FUNCTION pg_temp.epay_scope;

-- What a top-up credits, or has credited: root may accept a payment in proportion.
CREATE OR REPLACE VIEW orders AS
  SELECT t.id, 'topup' AS kind, t.user_id, t.amount_fen,
      coalesce((SELECT p.credited_micros FROM payment_attempts a JOIN payments p ON p.attempt_id = a.id
        WHERE a.order_id = t.id AND p.state = 'fulfilled'), t.credit_micros) AS credit_micros,
      NULL::text AS plan_code, NULL::jsonb AS terms, t.state, NULL::bigint AS subscription_id, t.created_at, t.expires_at,
      t.settled_at
    FROM topup_orders t
  UNION ALL
  SELECT id, 'subscription', user_id, amount_fen, NULL, terms ->> 'code', terms, state, subscription_id, created_at,
      expires_at, settled_at
    FROM subscription_orders;
