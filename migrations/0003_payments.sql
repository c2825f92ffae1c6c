-- Money in: what orders, attempts and events need to be settled exactly once, whatever is replayed, reordered or concurrent.

-- One number for every order, whatever its kind, so that an id alone names it. No order exists before this migration.
CREATE SEQUENCE order_ids AS bigint;
ALTER TABLE topup_orders ALTER COLUMN id DROP IDENTITY;
ALTER TABLE topup_orders ALTER COLUMN id SET DEFAULT nextval('order_ids');
ALTER TABLE subscription_orders ALTER COLUMN id DROP IDENTITY;
ALTER TABLE subscription_orders ALTER COLUMN id SET DEFAULT nextval('order_ids');

-- The rate that the credit was computed with, as decimal text: USD for one CNY.
ALTER TABLE topup_orders ADD COLUMN credit_usd_per_cny text NOT NULL;
CREATE INDEX topup_orders_pending ON topup_orders (expires_at) WHERE state = 'pending';
CREATE INDEX subscription_orders_pending ON subscription_orders (expires_at) WHERE state = 'pending';

CREATE VIEW orders AS
  SELECT id, 'topup' AS kind, user_id, amount_fen, credit_micros, NULL::text AS plan_code, NULL::jsonb AS terms, state,
      NULL::bigint AS subscription_id, created_at, expires_at, settled_at
    FROM topup_orders
  UNION ALL
  SELECT id, 'subscription', user_id, amount_fen, NULL, terms ->> 'code', terms, state, subscription_id, created_at,
      expires_at, settled_at
    FROM subscription_orders;

-- processing: the payer has done their part and the money is on its way.
ALTER TABLE payment_attempts DROP CONSTRAINT payment_attempts_state_check;
ALTER TABLE payment_attempts
  ADD CONSTRAINT payment_attempts_state_check CHECK (state IN ('open', 'processing', 'paid', 'closed')),
  ADD CONSTRAINT payment_attempts_paid_check CHECK (state <> 'paid' OR payment_reference IS NOT NULL),
  -- Whose account the money goes to: EPay's pid, or a fingerprint of the Stripe account's key.
  ADD COLUMN merchant text NOT NULL DEFAULT '',
  -- Minor units of the currency for one fen, as decimal text, when the attempt was made.
  ADD COLUMN minor_per_fen text NOT NULL DEFAULT '1',
  ADD COLUMN session_url text,
  ADD COLUMN session_expires_at timestamptz,
  -- True while the provider may still take a payment for it, or have taken one that is not on record.
  ADD COLUMN payable boolean NOT NULL DEFAULT false,
  -- What refunds and disputes of this payment have taken back of the credit so far, in micros.
  ADD COLUMN debited_micros bigint NOT NULL DEFAULT 0 CHECK (debited_micros >= 0),
  -- How often the provider was asked about it, and when it is asked next.
  ADD COLUMN checks integer NOT NULL DEFAULT 0,
  ADD COLUMN next_check_at timestamptz NOT NULL DEFAULT now() + interval '1 minute';
CREATE UNIQUE INDEX payment_attempts_payment ON payment_attempts (provider, payment_reference)
  WHERE payment_reference IS NOT NULL;
-- An order is fulfilled by one payment.
CREATE UNIQUE INDEX payment_attempts_paid ON payment_attempts (order_id) WHERE state = 'paid';
DROP INDEX payment_attempts_order;
CREATE INDEX payment_attempts_order ON payment_attempts (order_id);
CREATE INDEX payment_attempts_due ON payment_attempts (next_check_at)
  WHERE state IN ('open', 'processing') OR payable;

ALTER TABLE payment_events
  ADD CONSTRAINT payment_events_outcome_check
    CHECK (outcome IN ('received', 'parked', 'applied', 'duplicate', 'ignored', 'exception')),
  ADD COLUMN payment_reference text,
  ADD COLUMN merchant_reference text,
  ADD COLUMN amount_minor bigint,
  ADD COLUMN currency text,
  -- When the provider says it happened, seconds since the epoch; 0 where it does not say.
  ADD COLUMN at_seconds bigint NOT NULL DEFAULT 0,
  -- What it says, in our words: Paid, Refunded, ...
  ADD COLUMN fact text NOT NULL,
  -- The refund or dispute it is about, and whether that was won; null elsewhere.
  ADD COLUMN subject text,
  ADD COLUMN won boolean,
  ADD COLUMN deliveries integer NOT NULL DEFAULT 1;
CREATE INDEX payment_events_payment ON payment_events (provider, payment_reference);
CREATE INDEX payment_events_attempt ON payment_events (attempt_id);
CREATE INDEX payment_events_open ON payment_events (id) WHERE outcome = 'exception' AND resolved_at IS NULL;

-- The guards against TRUNCATE that the ledger and the calls have, for every other financial table.
CREATE TRIGGER keep_user_balances_all BEFORE TRUNCATE ON user_balances
  FOR EACH STATEMENT EXECUTE FUNCTION realms_refuse_change();
CREATE TRIGGER keep_user_subscriptions_all BEFORE TRUNCATE ON user_subscriptions
  FOR EACH STATEMENT EXECUTE FUNCTION realms_refuse_change();
CREATE TRIGGER keep_topup_orders_all BEFORE TRUNCATE ON topup_orders
  FOR EACH STATEMENT EXECUTE FUNCTION realms_refuse_change();
CREATE TRIGGER keep_subscription_orders_all BEFORE TRUNCATE ON subscription_orders
  FOR EACH STATEMENT EXECUTE FUNCTION realms_refuse_change();
CREATE TRIGGER keep_payment_attempts_all BEFORE TRUNCATE ON payment_attempts
  FOR EACH STATEMENT EXECUTE FUNCTION realms_refuse_change();
CREATE TRIGGER keep_payment_events_all BEFORE TRUNCATE ON payment_events
  FOR EACH STATEMENT EXECUTE FUNCTION realms_refuse_change();
