-- How money comes in and goes back: orders, the attempts to pay them, payments, refunds and disputes. A payment counts once, no
-- matter what settles it: it has one row, and everything about it locks that row first.

-- One number for every order, of both kinds, so that an id alone names it.
CREATE SEQUENCE order_ids AS bigint;

CREATE TABLE topup_orders (
  id bigint PRIMARY KEY DEFAULT nextval('order_ids'),
  user_id bigint NOT NULL REFERENCES users,
  amount_fen bigint NOT NULL CHECK (amount_fen > 0),
  credit_micros bigint NOT NULL CHECK (credit_micros >= 0),
  -- The rate that the credit was computed with, as decimal text: USD for one CNY.
  credit_usd_per_cny text NOT NULL,
  -- How much of the credit is a bonus.
  bonus_micros bigint NOT NULL DEFAULT 0,
  -- Who sold it, as the settings said when the order was placed, and who bought it, as the account said when it was paid.
  seller jsonb NOT NULL DEFAULT '{}',
  buyer jsonb,
  state text NOT NULL DEFAULT 'pending'
    CHECK (state IN ('pending', 'paid', 'cancelled', 'expired', 'refunded', 'disputed')),
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  settled_at timestamptz,
  CONSTRAINT topup_orders_bonus CHECK (bonus_micros >= 0 AND bonus_micros <= credit_micros)
);
CREATE INDEX topup_orders_user ON topup_orders (user_id, id);
CREATE INDEX topup_orders_pending ON topup_orders (expires_at) WHERE state = 'pending';
CREATE INDEX topup_orders_paid ON topup_orders (settled_at) WHERE state = 'paid';
CREATE INDEX topup_orders_created ON topup_orders (created_at);
CALL realms_keep_rows_v1('topup_orders', 'DELETE');

CREATE TABLE subscription_orders (
  id bigint PRIMARY KEY DEFAULT nextval('order_ids'),
  user_id bigint NOT NULL REFERENCES users,
  plan_id bigint NOT NULL REFERENCES subscription_plans,
  amount_fen bigint NOT NULL CHECK (amount_fen > 0),
  -- The plan's full terms when the order was placed.
  terms jsonb NOT NULL,
  -- As in top-ups.
  seller jsonb NOT NULL DEFAULT '{}',
  buyer jsonb,
  state text NOT NULL DEFAULT 'pending'
    CHECK (state IN ('pending', 'active', 'cancelled', 'expired', 'refunded', 'disputed')),
  subscription_id bigint REFERENCES user_subscriptions,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  settled_at timestamptz
);
CREATE INDEX subscription_orders_user ON subscription_orders (user_id, id);
CREATE INDEX subscription_orders_pending ON subscription_orders (expires_at) WHERE state = 'pending';
CREATE INDEX subscription_orders_active ON subscription_orders (settled_at) WHERE state = 'active';
CREATE INDEX subscription_orders_plan ON subscription_orders (plan_id) WHERE state = 'pending';
CREATE INDEX subscription_orders_created ON subscription_orders (created_at);
CALL realms_keep_rows_v1('subscription_orders', 'DELETE');

CREATE TABLE payment_attempts (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  order_kind text NOT NULL CHECK (order_kind IN ('topup', 'subscription')),
  order_id bigint NOT NULL,
  -- manual: money that root says was received elsewhere.
  provider text NOT NULL CHECK (provider IN ('epay', 'stripe', 'manual')),
  method text,
  amount_minor bigint NOT NULL CHECK (amount_minor > 0),
  currency text NOT NULL,
  -- Minor units of the currency for one fen, as decimal text, when the attempt was made.
  minor_per_fen text NOT NULL DEFAULT '1',
  merchant_reference text NOT NULL UNIQUE,
  provider_reference text,
  payment_reference text,
  -- EPay: the gateway's host when the attempt was made. Payments of different gateways may have the same number.
  gateway text NOT NULL DEFAULT '',
  -- Whose account the money goes to: EPay's pid, or a fingerprint of the Stripe account's key.
  merchant text NOT NULL DEFAULT '',
  -- processing: the payer has done their part and the money is on its way.
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'processing', 'paid', 'closed')),
  -- Who said that it was paid. Null: the provider did.
  completed_by text,
  session_url text,
  session_expires_at timestamptz,
  -- True while the provider may still take a payment for it, or have taken one that is not on record.
  payable boolean NOT NULL DEFAULT false,
  -- How often the provider was asked about it, and when it is asked next.
  checks integer NOT NULL DEFAULT 0,
  next_check_at timestamptz NOT NULL DEFAULT now() + interval '1 minute',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT payment_attempts_paid_check CHECK (state <> 'paid' OR payment_reference IS NOT NULL),
  CONSTRAINT payment_attempts_completed_check CHECK (provider <> 'manual' OR completed_by IS NOT NULL)
);
CREATE INDEX payment_attempts_order ON payment_attempts (order_id);
-- An order is paid by one attempt.
CREATE UNIQUE INDEX payment_attempts_paid ON payment_attempts (order_id) WHERE state = 'paid';
CREATE UNIQUE INDEX payment_attempts_payment ON payment_attempts (provider, gateway, merchant, payment_reference)
  WHERE payment_reference IS NOT NULL;
CREATE INDEX payment_attempts_due ON payment_attempts (next_check_at)
  WHERE state IN ('open', 'processing') OR payable;
CALL realms_keep_rows_v1('payment_attempts', 'DELETE');

CREATE TABLE payments (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  provider text NOT NULL CHECK (provider IN ('epay', 'stripe', 'manual')),
  -- Within what the payment's number is unique: EPay's gateway host and pid. Empty where numbers are unique by themselves.
  merchant_scope text NOT NULL DEFAULT '',
  -- Stripe's payment intent, EPay's trade number, or what root wrote down of a manual payment.
  payment_id text NOT NULL,
  state text NOT NULL CHECK (state IN ('in_review', 'fulfilled', 'credited', 'refunded', 'dismissed')),
  -- Root says that it was received, not a provider.
  manual boolean NOT NULL DEFAULT false,
  -- In the minor unit of the currency.
  paid_minor bigint CHECK (paid_minor > 0),
  currency text,
  -- What verified events of a live provider say came in, in the minor unit: of the newest that says another sum. Null: only
  -- root's word says that it came in. The provider may be another than `provider`, where root wrote the payment down first.
  received_provider text CHECK (received_provider IN ('epay', 'stripe')),
  received_minor bigint CHECK (received_minor > 0),
  received_currency text,
  -- The attempt that it was made through, where that is known.
  attempt_id bigint REFERENCES payment_attempts,
  -- Whom it credited how much, in USD micros: a top-up's buyer, or whom root credited. Null: it gave a plan, or nothing.
  credited_user_id bigint REFERENCES users,
  credited_micros bigint CHECK (credited_micros > 0),
  -- What clawbacks have debited of that so far.
  debited_micros bigint NOT NULL DEFAULT 0 CHECK (debited_micros >= 0 AND debited_micros <= coalesce(credited_micros, 0)),
  -- What root took off the credit again where a payment had counted twice, in USD micros.
  corrected_micros bigint NOT NULL DEFAULT 0 CHECK (corrected_micros >= 0),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (provider, merchant_scope, payment_id),
  CHECK ((credited_micros IS NULL) = (credited_user_id IS NULL)),
  CHECK (credited_micros IS NULL OR state IN ('fulfilled', 'credited')),
  CHECK (state <> 'credited' OR credited_micros IS NOT NULL),
  CHECK (state <> 'fulfilled' OR (attempt_id IS NOT NULL AND paid_minor IS NOT NULL AND currency IS NOT NULL)),
  CONSTRAINT payments_taken CHECK (debited_micros + corrected_micros <= coalesce(credited_micros, 0)),
  CONSTRAINT payments_received CHECK (
    (received_minor IS NULL) = (received_provider IS NULL) AND (received_minor IS NULL) = (received_currency IS NULL))
) WITH (fillfactor = 80);
CREATE INDEX payments_payment_id ON payments (payment_id);
CREATE INDEX payments_attempt ON payments (attempt_id);
-- An order is fulfilled by one payment.
CREATE UNIQUE INDEX payments_fulfilled ON payments (attempt_id) WHERE state = 'fulfilled';
CALL realms_keep_rows_v1('payments', 'DELETE');

-- Orders of both kinds. `credit_micros` is what a top-up will credit, or what it has credited: root may accept a payment in
-- proportion. `bonus_micros` is how much of that is a bonus.
CREATE VIEW orders AS
  SELECT t.id, 'topup' AS kind, t.user_id, t.amount_fen,
      coalesce((SELECT p.credited_micros FROM payment_attempts a JOIN payments p ON p.attempt_id = a.id
        WHERE a.order_id = t.id AND p.state = 'fulfilled'), t.credit_micros) AS credit_micros,
      CASE WHEN t.bonus_micros = 0 THEN 0 ELSE coalesce(
        (SELECT trunc(t.bonus_micros::numeric * p.credited_micros / t.credit_micros)::bigint
          FROM payment_attempts a JOIN payments p ON p.attempt_id = a.id
          WHERE a.order_id = t.id AND p.state = 'fulfilled'), t.bonus_micros) END AS bonus_micros,
      NULL::text AS plan_code, NULL::jsonb AS terms, t.state, NULL::bigint AS subscription_id, t.created_at, t.expires_at,
      t.settled_at, t.seller, t.buyer
    FROM topup_orders t
  UNION ALL
  SELECT id, 'subscription', user_id, amount_fen, NULL, 0, terms ->> 'code', terms, state, subscription_id, created_at,
      expires_at, settled_at, seller, buyer
    FROM subscription_orders;

-- Refunds and disputes are rows by their providers' ids: what they claw back is computed from the rows, never from sums.
CREATE TABLE payment_refunds (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  provider text NOT NULL CHECK (provider IN ('epay', 'stripe')),
  -- The provider's id of the payment, and the payment once it is known here.
  payment_reference text NOT NULL,
  payment_id bigint REFERENCES payments,
  -- The provider's id of the refund. Null where it gave none, or not yet.
  refund_id text,
  -- In the minor unit of the currency.
  amount_minor bigint NOT NULL CHECK (amount_minor >= 0),
  currency text NOT NULL,
  -- The first three count as given back.
  state text NOT NULL CHECK (state IN ('pending', 'requires_action', 'succeeded', 'failed', 'canceled')),
  -- Of a refund that root asked for: the key of the form or request. Sent twice, it is one refund.
  request_key text UNIQUE,
  requested_by text,
  note text NOT NULL DEFAULT '',
  -- Why it failed, or why there is no answer.
  problem text NOT NULL DEFAULT '',
  -- The provider was asked with this row's id, so that its events name it.
  named boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (provider, refund_id),
  CHECK ((request_key IS NULL) = (requested_by IS NULL)),
  CHECK (request_key IS NULL OR payment_id IS NOT NULL)
) WITH (fillfactor = 80);
CREATE INDEX payment_refunds_payment ON payment_refunds (provider, payment_reference);
CREATE INDEX payment_refunds_of_payment ON payment_refunds (payment_id);
-- One at a time: the next can be asked for when it is known what became of this one.
CREATE UNIQUE INDEX payment_refunds_open ON payment_refunds (payment_id)
  WHERE request_key IS NOT NULL AND refund_id IS NULL AND state = 'pending';
CALL realms_keep_rows_v1('payment_refunds', 'DELETE');

CREATE TABLE payment_disputes (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  provider text NOT NULL CHECK (provider IN ('epay', 'stripe')),
  payment_reference text NOT NULL,
  payment_id bigint REFERENCES payments,
  dispute_id text NOT NULL,
  -- What is disputed, in the minor unit of the currency.
  amount_minor bigint NOT NULL CHECK (amount_minor >= 0),
  currency text NOT NULL,
  -- The provider's own words.
  status text NOT NULL,
  reason text NOT NULL DEFAULT '',
  -- Until when it can be answered.
  due_at timestamptz,
  -- What it has taken, computed from all events about it.
  taken_minor bigint NOT NULL CHECK (taken_minor >= 0),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (provider, dispute_id)
) WITH (fillfactor = 80);
CREATE INDEX payment_disputes_payment ON payment_disputes (provider, payment_reference);
CREATE INDEX payment_disputes_of_payment ON payment_disputes (payment_id);
CALL realms_keep_rows_v1('payment_disputes', 'DELETE');
