-- What people are told outside the console. A notice is one event, written in the event's own transaction where there is one; what it is
-- sent by is decided later, and each delivery is tried until it is taken or too old. Amounts and ids in `data` are decimal texts.

CREATE TABLE notices (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- Names the event. However often it is written down, there is one notice.
  key text NOT NULL UNIQUE,
  kind text NOT NULL,
  -- Null: it is for root.
  user_id bigint REFERENCES users,
  data jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  -- When its deliveries were written. Null: not yet.
  spread_at timestamptz
);
CREATE INDEX notices_unspread ON notices (id) WHERE spread_at IS NULL;
CREATE INDEX notices_created ON notices (created_at);
CREATE INDEX notices_tests ON notices (coalesce(user_id, 0), created_at) WHERE kind = 'webhook_test';

-- Where a user's programs hear of notices, or the installation's (no user): one address each.
CREATE TABLE webhook_endpoints (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  user_id bigint REFERENCES users,
  url text NOT NULL CHECK (char_length(url) <= 2000),
  language text NOT NULL DEFAULT 'en' CHECK (language IN ('en', 'zh')),
  -- Kinds of notices that it does not get.
  muted text[] NOT NULL DEFAULT '{}',
  -- It answered that it is gone (410).
  disabled_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX webhook_endpoints_owner ON webhook_endpoints (coalesce(user_id, 0));

-- What deliveries are signed with. After a rotation the old one signs beside the new one for a day.
CREATE TABLE webhook_secrets (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  endpoint_id bigint NOT NULL REFERENCES webhook_endpoints ON DELETE CASCADE,
  secret_sealed bytea NOT NULL,
  key_id text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz
);
CREATE INDEX webhook_secrets_endpoint ON webhook_secrets (endpoint_id);

CREATE TABLE notice_deliveries (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- By which receivers know a repeat: Message-ID and webhook-id are made of it.
  uid uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
  notice_id bigint NOT NULL REFERENCES notices ON DELETE CASCADE,
  channel text NOT NULL CHECK (channel IN ('mail', 'webhook')),
  -- Whom it is for. Null: the installation's webhook.
  user_id bigint REFERENCES users,
  -- Where a mail goes, as it was when the delivery was made: whoever changes the address does not get what was for the one before.
  mail_to text,
  -- Null for mail, and once the endpoint is removed.
  endpoint_id bigint REFERENCES webhook_endpoints ON DELETE SET NULL,
  -- dropped: what it was for is gone. failed: refused for good, or tried too often.
  state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'failed', 'dropped')),
  attempts integer NOT NULL DEFAULT 0,
  -- Also the end of the lease of the server that is sending it.
  next_attempt_at timestamptz NOT NULL DEFAULT now(),
  -- Why the last attempt did not go well.
  problem text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL DEFAULT now(),
  ended_at timestamptz,
  CONSTRAINT notice_deliveries_ended CHECK ((state = 'waiting') = (ended_at IS NULL)),
  CONSTRAINT notice_deliveries_mail_to CHECK ((channel = 'mail') = (mail_to IS NOT NULL))
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX notice_deliveries_mail ON notice_deliveries (notice_id, user_id, mail_to) WHERE channel = 'mail';
CREATE UNIQUE INDEX notice_deliveries_webhook ON notice_deliveries (notice_id, endpoint_id) WHERE channel = 'webhook';
-- Webhooks of users that nobody answers do not stand before the others.
CREATE INDEX notice_deliveries_due ON notice_deliveries (next_attempt_at)
  WHERE state = 'waiting' AND (channel <> 'webhook' OR user_id IS NULL);
CREATE INDEX notice_deliveries_due_users ON notice_deliveries (next_attempt_at)
  WHERE state = 'waiting' AND channel = 'webhook' AND user_id IS NOT NULL;
CREATE INDEX notice_deliveries_due_endpoint ON notice_deliveries (endpoint_id, id) WHERE state = 'waiting';
CREATE INDEX notice_deliveries_user ON notice_deliveries (user_id, id);
CREATE INDEX notice_deliveries_failed ON notice_deliveries (id) WHERE state = 'failed';
CREATE INDEX notice_deliveries_endpoint ON notice_deliveries (endpoint_id, id);
-- For what goes with a notice that is removed.
CREATE INDEX notice_deliveries_notice ON notice_deliveries (notice_id);

-- What users are told by mail. Without a row: everything, and no threshold of the balance.
CREATE TABLE notice_preferences (
  user_id bigint PRIMARY KEY REFERENCES users,
  low_balance_micros bigint CHECK (low_balance_micros > 0),
  -- When it was told that the balance is below; null while it is not.
  low_balance_told_at timestamptz,
  plan_ending_days integer NOT NULL DEFAULT 3 CHECK (plan_ending_days BETWEEN 1 AND 14),
  -- Kinds of notices that are not mailed.
  muted_mail text[] NOT NULL DEFAULT '{}'
);
CREATE INDEX notice_preferences_low_balance ON notice_preferences (user_id) WHERE low_balance_micros IS NOT NULL;

-- Conditions that root is told of once while they last. One that is not seen for some time is over.
CREATE TABLE notice_conditions (
  kind text NOT NULL,
  subject text NOT NULL,
  since timestamptz NOT NULL DEFAULT now(),
  seen_at timestamptz NOT NULL DEFAULT now(),
  told_at timestamptz,
  PRIMARY KEY (kind, subject)
);

-- Plans that end within the next days.
CREATE INDEX user_subscriptions_ending ON user_subscriptions (ends_at) WHERE status = 'active';

-- What an order was for, and who bought it, as notices say it.
CREATE FUNCTION realms_noted_order_v1(p_attempt bigint) RETURNS TABLE (user_id bigint, data jsonb) LANGUAGE sql STABLE AS $$
  SELECT coalesce(t.user_id, s.user_id), jsonb_build_object('order_id', a.order_id::text, 'order_kind', a.order_kind,
      'plan', s.terms ->> 'name')
    FROM payment_attempts a
      LEFT JOIN topup_orders t ON a.order_kind = 'topup' AND t.id = a.order_id
      LEFT JOIN subscription_orders s ON a.order_kind = 'subscription' AND s.id = a.order_id
    WHERE a.id = p_attempt
$$;

-- No writer of payments can forget a notice, and no text of one can make a payment fail: there is none.
CREATE FUNCTION realms_note_payment_v1() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO notices (key, kind, user_id, data)
    SELECT 'payment:' || NEW.id, 'payment_received', coalesce(NEW.credited_user_id, o.user_id),
        coalesce(o.data, '{}') || jsonb_build_object('payment_id', NEW.id::text, 'paid_minor', NEW.paid_minor::text,
          'currency', NEW.currency, 'credit_micros', NEW.credited_micros::text)
      FROM (SELECT) one LEFT JOIN realms_noted_order_v1(NEW.attempt_id) o ON true
      WHERE coalesce(NEW.credited_user_id, o.user_id) IS NOT NULL
    ON CONFLICT (key) DO NOTHING;
  RETURN NULL;
END $$;
CREATE TRIGGER note_new_payments AFTER INSERT ON payments FOR EACH ROW
  WHEN (NEW.state IN ('fulfilled', 'credited')) EXECUTE FUNCTION realms_note_payment_v1();
CREATE TRIGGER note_payments AFTER UPDATE ON payments FOR EACH ROW
  WHEN (NEW.state IN ('fulfilled', 'credited') AND OLD.state IS DISTINCT FROM NEW.state)
  EXECUTE FUNCTION realms_note_payment_v1();

-- Of refunds that have arrived, by their ids: what only a sum told of is told again by its refunds.
CREATE FUNCTION realms_note_refund_v1() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO notices (key, kind, user_id, data)
    SELECT 'refund:' || NEW.id, 'refund', coalesce(p.credited_user_id, o.user_id),
        coalesce(o.data, '{}') || jsonb_build_object('refund_id', NEW.id::text, 'payment_id', p.id::text,
          'amount_minor', NEW.amount_minor::text, 'currency', NEW.currency)
      FROM payments p LEFT JOIN realms_noted_order_v1(p.attempt_id) o ON true
      WHERE p.id = NEW.payment_id AND coalesce(p.credited_user_id, o.user_id) IS NOT NULL
    ON CONFLICT (key) DO NOTHING;
  RETURN NULL;
END $$;
CREATE TRIGGER note_new_refunds AFTER INSERT ON payment_refunds FOR EACH ROW
  WHEN (NEW.state = 'succeeded' AND NEW.payment_id IS NOT NULL AND NEW.amount_minor > 0
    AND (NEW.refund_id IS NOT NULL OR NEW.request_key IS NOT NULL))
  EXECUTE FUNCTION realms_note_refund_v1();
CREATE TRIGGER note_refunds AFTER UPDATE ON payment_refunds FOR EACH ROW
  WHEN (NEW.state = 'succeeded' AND NEW.payment_id IS NOT NULL AND NEW.amount_minor > 0
    AND (NEW.refund_id IS NOT NULL OR NEW.request_key IS NOT NULL)
    AND (OLD.state, OLD.payment_id, OLD.refund_id) IS DISTINCT FROM (NEW.state, NEW.payment_id, NEW.refund_id))
  EXECUTE FUNCTION realms_note_refund_v1();

-- Who was told that money is on its way back is told when it is not.
CREATE FUNCTION realms_note_failed_refund_v1() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO notices (key, kind, user_id, data)
    SELECT 'refund_failed:' || NEW.id, 'refund_failed', n.user_id, n.data FROM notices n WHERE n.key = 'refund:' || NEW.id
    ON CONFLICT (key) DO NOTHING;
  RETURN NULL;
END $$;
CREATE TRIGGER note_failed_refunds AFTER UPDATE ON payment_refunds FOR EACH ROW
  WHEN (OLD.state = 'succeeded' AND NEW.state IN ('failed', 'canceled')) EXECUTE FUNCTION realms_note_failed_refund_v1();

-- A dispute that is on record has a notice of its own. A review that is open again is told again.
CREATE FUNCTION realms_note_review_v1() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO notices (key, kind, data)
    SELECT 'review:' || NEW.id || coalesce(':' || CASE WHEN TG_OP = 'UPDATE' THEN extract(epoch FROM OLD.resolved_at) END, ''),
        'review_needed', jsonb_build_object('event_id', NEW.id::text, 'provider', NEW.provider,
        'event', NEW.kind, 'amount_minor', NEW.amount_minor::text, 'currency', NEW.currency)
      WHERE NOT (NEW.fact = 'Dispute' AND EXISTS (SELECT FROM payment_disputes d
        WHERE d.provider = NEW.provider AND d.dispute_id = NEW.subject))
    ON CONFLICT (key) DO NOTHING;
  RETURN NULL;
END $$;
CREATE TRIGGER note_new_reviews AFTER INSERT ON payment_events FOR EACH ROW
  WHEN (NEW.outcome = 'needs_review' AND NEW.resolved_at IS NULL) EXECUTE FUNCTION realms_note_review_v1();
CREATE TRIGGER note_reviews AFTER UPDATE ON payment_events FOR EACH ROW
  WHEN (NEW.outcome = 'needs_review' AND NEW.resolved_at IS NULL
    AND (OLD.outcome IS DISTINCT FROM NEW.outcome OR OLD.resolved_at IS NOT NULL))
  EXECUTE FUNCTION realms_note_review_v1();

-- A dispute is told when it comes, and when it comes to ask for an answer.
CREATE FUNCTION realms_note_dispute_v1() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO notices (key, kind, data) VALUES ('dispute:' || NEW.id || ':' || NEW.status, 'dispute', jsonb_build_object(
      'dispute_id', NEW.dispute_id, 'provider', NEW.provider, 'reason', NEW.reason, 'amount_minor', NEW.amount_minor::text,
      'currency', NEW.currency, 'due_at', to_char(NEW.due_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')))
    ON CONFLICT (key) DO NOTHING;
  RETURN NULL;
END $$;
CREATE TRIGGER note_new_disputes AFTER INSERT ON payment_disputes FOR EACH ROW EXECUTE FUNCTION realms_note_dispute_v1();
CREATE TRIGGER note_disputes AFTER UPDATE ON payment_disputes FOR EACH ROW
  WHEN (OLD.status <> NEW.status AND NEW.status IN ('needs_response', 'warning_needs_response'))
  EXECUTE FUNCTION realms_note_dispute_v1();
