-- Calls that were refused before they had a hold, for the lists of calls: kept some days and a bounded number for each user, by
-- the code that writes them. Nothing here is financial.
CREATE TABLE refused_calls (
  user_id bigint NOT NULL,
  -- The request id, a UUIDv7: a batch that is written again changes nothing.
  id uuid NOT NULL,
  key_id bigint,
  at timestamptz NOT NULL,
  -- Null where the refusal came before the body was read.
  model text CHECK (length(model) <= 256),
  endpoint text NOT NULL CHECK (length(endpoint) <= 64),
  status smallint NOT NULL CHECK (status IN (400, 402, 403, 404, 429)),
  code text NOT NULL CHECK (length(code) <= 64),
  PRIMARY KEY (user_id, id)
);
CREATE INDEX refused_calls_at ON refused_calls (at);
