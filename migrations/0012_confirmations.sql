-- Actions that wait for a second person: one person asks for an action, and another confirms or rejects it.

-- A row says who asked for what, and what comes of it. It is closed once; a row that is confirmed is closed by another person,
-- in the transaction that does what was asked.
CREATE TABLE confirmations (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  action text NOT NULL CHECK (action ~ '^[a-z_]+\.[a-z_]+$' AND length(action) <= 40),
  -- What was asked for, as its use case reads it.
  asked jsonb NOT NULL,
  -- What comes of it: compared when it is confirmed.
  facts jsonb NOT NULL,
  -- What it is worth; both null where that has no bound.
  usd_micros bigint CHECK (usd_micros >= 0),
  fen bigint CHECK (fen >= 0),
  note text NOT NULL,
  requested_by bigint NOT NULL REFERENCES users (id),
  -- The actor's name, as in the ledger and in the audit log.
  requested_as text NOT NULL,
  address text,
  requested_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL CHECK (expires_at > requested_at),
  state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'confirmed', 'rejected')),
  closed_by bigint REFERENCES users (id),
  closed_at timestamptz,
  close_note text NOT NULL DEFAULT '',
  CHECK ((state = 'pending') = (closed_by IS NULL) AND (closed_by IS NULL) = (closed_at IS NULL)),
  CHECK (state <> 'confirmed' OR (closed_by <> requested_by AND closed_at < expires_at))
);
CREATE INDEX confirmations_pending ON confirmations (expires_at) WHERE state = 'pending';
CREATE INDEX confirmations_requested_by ON confirmations (requested_by, requested_at);

CREATE FUNCTION realms_keep_confirmation_v1() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.state <> 'pending' OR NEW.state = 'pending'
    OR (NEW.id, NEW.action, NEW.asked, NEW.facts, NEW.note, NEW.requested_by, NEW.requested_as, NEW.requested_at, NEW.expires_at)
      IS DISTINCT FROM (OLD.id, OLD.action, OLD.asked, OLD.facts, OLD.note, OLD.requested_by, OLD.requested_as,
        OLD.requested_at, OLD.expires_at)
    OR (NEW.usd_micros, NEW.fen, NEW.address) IS DISTINCT FROM (OLD.usd_micros, OLD.fen, OLD.address)
  THEN
    RAISE EXCEPTION 'confirmation % is closed once, and never changed', OLD.id;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER keep_confirmations_closed BEFORE UPDATE ON confirmations
  FOR EACH ROW EXECUTE FUNCTION realms_keep_confirmation_v1();
CALL realms_keep_rows_v1('confirmations', 'DELETE');
