-- What people need to get into the console: sessions that can be shown without their secret, a bound on how often a
-- password may be tried, and the one-time link that makes the first administrator.

-- A session's secret is never stored and its hash never shown: this number stands for it in lists.
ALTER TABLE sessions ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY UNIQUE;

-- How much of a limit on attempts is used up. It is full again at `full_at_ms`, by the clock of the servers, after which
-- the row says nothing. What is limited - an address, an account - is hashed: this is no list of who tried what.
CREATE TABLE attempt_limits (
  key_hash bytea PRIMARY KEY,
  full_at_ms bigint NOT NULL
) WITH (fillfactor = 70);

CREATE TABLE setup_links (
  token_hash bytea PRIMARY KEY,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL
);
