-- What providers say about payments: one row for each verified event, with what was decided on it and how root resolved it.

CREATE TABLE payment_events (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  provider text NOT NULL CHECK (provider IN ('epay', 'stripe', 'manual')),
  event_key text NOT NULL,
  kind text NOT NULL,
  -- What it says, in our words: Paid, Refunded, ...
  fact text NOT NULL,
  attempt_id bigint REFERENCES payment_attempts,
  payment_id bigint REFERENCES payments,
  payment_reference text,
  merchant_reference text,
  amount_minor bigint,
  currency text,
  -- When the provider says it happened, in seconds since the epoch; 0 where it does not say.
  at_seconds bigint NOT NULL DEFAULT 0,
  -- The refund or dispute that it is about. Null for other events.
  subject text,
  -- Of a refund or a dispute: its state, or the provider's own word.
  status text,
  -- What the provider's balance says that a dispute took, in the minor unit. Null where it does not say.
  taken_minor bigint,
  outcome text NOT NULL DEFAULT 'received'
    CHECK (outcome IN ('received', 'deferred', 'applied', 'duplicate', 'ignored', 'needs_review')),
  -- Why it has its outcome: a code and values; `note` has the words.
  reason jsonb,
  note text NOT NULL DEFAULT '',
  details jsonb NOT NULL DEFAULT '{}',
  deliveries integer NOT NULL DEFAULT 1,
  received_at timestamptz NOT NULL DEFAULT now(),
  -- accepted: as the payment of its order. completed: named when root completed an order. fulfilled: a fitting event came later.
  resolution text CHECK (resolution IN ('accepted', 'credited', 'completed', 'refunded', 'dismissed', 'fulfilled')),
  resolution_note text,
  resolved_by text,
  resolved_at timestamptz,
  -- What the resolution `credited` has put into the ledger.
  credited_user_id bigint REFERENCES users,
  credited_micros bigint CHECK (credited_micros > 0),
  UNIQUE (provider, event_key),
  CONSTRAINT payment_events_resolved CHECK ((resolution IS NULL) = (resolved_at IS NULL)
    AND (resolution IS NULL) = (resolved_by IS NULL) AND (resolution IS NULL) = (resolution_note IS NULL))
);
CREATE INDEX payment_events_payment ON payment_events (provider, payment_reference);
CREATE INDEX payment_events_of_payment ON payment_events (payment_id);
CREATE INDEX payment_events_attempt ON payment_events (attempt_id);
CREATE INDEX payment_events_reference ON payment_events (merchant_reference) WHERE merchant_reference IS NOT NULL;
CREATE INDEX payment_events_dispute ON payment_events (provider, subject) WHERE fact = 'Dispute';
CREATE INDEX payment_events_open ON payment_events (id) WHERE outcome = 'needs_review' AND resolved_at IS NULL;
CREATE INDEX payment_events_deferred ON payment_events (id) WHERE outcome = 'deferred' AND resolved_at IS NULL;
CALL realms_keep_rows_v1('payment_events', 'DELETE');
