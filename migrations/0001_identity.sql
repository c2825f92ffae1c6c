-- Who uses the service, and how they prove it: users, the sessions of their browsers, their API keys, one-time links that make
-- the first root or set a new password, and how much of each rate limit is used up.
--
-- In every file: money is bigint, either USD micros (1 USD = 1,000,000) or CNY fen, and multipliers are bigint scaled by
-- 1,000,000. Functions have a version in their names, so that processes of two versions can run side by side: each calls the
-- functions that it was written for.

-- The counter of every table that people edit. It counts each change of a row, no matter who makes it: a form names the revision
-- that it was filled in on, so that two people cannot overwrite each other unseen.
CREATE FUNCTION realms_count_revision_v1() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.revision := OLD.revision + 1;
  RETURN NEW;
END $$;

-- Groups of users, each with its prices: what calls cost is multiplied with the group's multiplier. Users, plans and batches of
-- redemption codes name a group by its code, which never changes. A row is disabled and never deleted: those who have the group
-- keep it.
CREATE TABLE user_groups (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  code text NOT NULL UNIQUE CHECK (code ~ '^[a-z0-9-]{1,40}$'),
  name text NOT NULL,
  multiplier_micros bigint NOT NULL DEFAULT 1000000 CHECK (multiplier_micros >= 0),
  -- The row comes from config.yaml.
  declared boolean NOT NULL DEFAULT false,
  disabled_at timestamptz,
  revision bigint NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER user_groups_revision BEFORE UPDATE ON user_groups
  FOR EACH ROW EXECUTE FUNCTION realms_count_revision_v1();

-- Invitations to make an account: each for so many accounts, or for one address. Only the hash of its token is stored. Rows are kept:
-- users name the one that they came by.
CREATE TABLE invites (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  token_hash bytea NOT NULL UNIQUE,
  note text NOT NULL DEFAULT '',
  email text CHECK (email = lower(email)),
  uses_max integer NOT NULL CHECK (uses_max BETWEEN 1 AND 1000),
  uses integer NOT NULL DEFAULT 0 CHECK (uses BETWEEN 0 AND uses_max),
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  revoked_at timestamptz
);

CREATE TABLE users (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  email text NOT NULL CHECK (email = lower(email)),
  password_hash text,
  -- support reads users, calls and orders; finance sees to payments and the books.
  role text NOT NULL DEFAULT 'user' CHECK (role IN ('user', 'support', 'finance', 'root')),
  disabled_at timestamptz,
  -- Whom receipts name besides the address, where the user has said so.
  company_name text NOT NULL DEFAULT '',
  tax_id text NOT NULL DEFAULT '',
  -- In which notices are written: what the user chose or signed in with last. Null: nothing is known, English.
  language text CHECK (language IN ('en', 'zh')),
  created_at timestamptz NOT NULL DEFAULT now(),
  -- The user's own group, which an administrator sets, and that of the last redeemed code that had one.
  group_code text REFERENCES user_groups (code),
  redeemed_group_code text REFERENCES user_groups (code),
  invite_id bigint REFERENCES invites,
  -- When the user last proved that mail to the address reaches them. Null: never.
  email_verified_at timestamptz,
  -- Limits of calls that an administrator gave the user. Null: those of a running plan, else those of the settings.
  requests_per_minute integer CHECK (requests_per_minute > 0),
  tokens_per_minute integer CHECK (tokens_per_minute > 0),
  concurrent_calls integer CHECK (concurrent_calls > 0),
  UNIQUE (email)
);
CREATE INDEX users_roots ON users (id) WHERE role = 'root';
CREATE INDEX users_group ON users (group_code) WHERE group_code IS NOT NULL;
CREATE INDEX users_redeemed_group ON users (redeemed_group_code) WHERE redeemed_group_code IS NOT NULL;

CREATE TABLE sessions (
  -- A session's secret is never stored and its hash is never shown: lists name a session by this number.
  id bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
  id_hash bytea PRIMARY KEY,
  user_id bigint NOT NULL REFERENCES users,
  created_at timestamptz NOT NULL DEFAULT now(),
  last_seen_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  user_agent text,
  address text
);
CREATE INDEX sessions_user ON sessions (user_id);

-- Somebody whose password was right and whose second factor is still asked for. It is no session and opens nothing else. Only the
-- hash of its token is stored.
CREATE TABLE pending_logins (
  token_hash bytea PRIMARY KEY,
  user_id bigint NOT NULL REFERENCES users,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL
);
CREATE INDEX pending_logins_user ON pending_logins (user_id);

-- Second factors: the secret of an app that shows codes (TOTP, RFC 6238), and codes that work once where the app is lost.
CREATE TABLE totp_factors (
  user_id bigint PRIMARY KEY REFERENCES users,
  secret_sealed bytea NOT NULL,
  key_id text NOT NULL,
  -- The time step of the last code that was accepted: no code of this step or of an earlier one is accepted again.
  last_step bigint NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

-- What is left of a user's recovery codes, each as its hash.
CREATE TABLE recovery_codes (
  user_id bigint NOT NULL REFERENCES users,
  code_hash bytea NOT NULL,
  PRIMARY KEY (user_id, code_hash)
);

-- Passkeys (WebAuthn): the public keys of authenticators, each for one host name of this installation.
CREATE TABLE passkeys (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  user_id bigint NOT NULL REFERENCES users,
  credential_id bytea NOT NULL UNIQUE CHECK (octet_length(credential_id) BETWEEN 1 AND 1023),
  public_key bytea NOT NULL,
  -- What the authenticator counted to at its last use: a count that does not go up is that of a copy. 0: it does not count.
  sign_count bigint NOT NULL CHECK (sign_count >= 0),
  transports text[] NOT NULL,
  rp_id text NOT NULL,
  name text NOT NULL,
  -- The authenticator has known its owner, when it was registered or after the password: only then does it sign in alone.
  user_verified boolean NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  last_used_at timestamptz
);
CREATE INDEX passkeys_user ON passkeys (user_id);

-- Challenges that an authenticator has answered: each is good once. One that is over is refused by itself, and its row removed.
CREATE TABLE used_challenges (
  challenge text PRIMARY KEY,
  expires_at timestamptz NOT NULL
);

-- The networks that users have signed in from: an IPv4 address or the /64 of an IPv6 address. Signing in from another one is told.
CREATE TABLE login_networks (
  user_id bigint NOT NULL REFERENCES users,
  network text NOT NULL,
  last_seen_at timestamptz NOT NULL DEFAULT now(),
  -- Not since the password was changed: only who has the new one makes it known again.
  is_known boolean NOT NULL DEFAULT true,
  PRIMARY KEY (user_id, network)
);
CREATE INDEX login_networks_seen ON login_networks (last_seen_at);

-- Who users are at providers that sign people in: an issuer and its subject, which never changes, belong to one user.
CREATE TABLE identities (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  user_id bigint NOT NULL REFERENCES users,
  issuer text NOT NULL,
  subject text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  last_used_at timestamptz,
  UNIQUE (issuer, subject)
);
CREATE INDEX identities_user ON identities (user_id);

CREATE TABLE api_keys (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  user_id bigint NOT NULL REFERENCES users,
  -- call: pays for calls. admin: may do in /api/admin what its owner may do in the console, and nothing in /v1.
  kind text NOT NULL DEFAULT 'call' CHECK (kind IN ('call', 'admin')),
  name text NOT NULL DEFAULT '',
  key_hash bytea NOT NULL UNIQUE,
  hint text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz,
  revoked_at timestamptz,
  last_used_at timestamptz,
  -- Refused as if it were revoked, until its user resumes it.
  paused_at timestamptz,
  spend_limit_micros bigint CHECK (spend_limit_micros >= 0),
  -- What the limit is for: a UTC day, a week from Monday, a calendar month, or all time.
  spend_limit_period text NOT NULL DEFAULT 'total' CHECK (spend_limit_period IN ('day', 'week', 'month', 'total')),
  -- What may be spent with it besides, in a UTC day and in a calendar month.
  day_limit_micros bigint CHECK (day_limit_micros >= 0),
  month_limit_micros bigint CHECK (month_limit_micros >= 0),
  allowed_models text[],
  -- Null: the settings' limit of keys.
  requests_per_minute integer CHECK (requests_per_minute > 0),
  tokens_per_minute integer CHECK (tokens_per_minute > 0),
  concurrent_calls integer CHECK (concurrent_calls > 0),
  -- Addresses and ranges that it may be used from. Null: from everywhere.
  allowed_networks text[]
);
CREATE INDEX api_keys_user ON api_keys (user_id, id);

-- How much of a rate limit is used up. The limit is full again at `full_at_ms`, by the clock of the servers, and from then on
-- the row has no meaning. The key (an address, an account) is hashed: this is no list of who tried what.
CREATE TABLE attempt_limits (
  key_hash bytea PRIMARY KEY,
  full_at_ms bigint NOT NULL
) WITH (fillfactor = 70);

-- The one-time link that makes the first root. Only the hash of its token is stored.
CREATE TABLE setup_links (
  token_hash bytea PRIMARY KEY,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL
);

-- A link by which its user sets a new password, once. Only the hash of its token is stored.
CREATE TABLE password_links (
  token_hash bytea PRIMARY KEY,
  user_id bigint NOT NULL REFERENCES users,
  -- The address that it was sent to; null: an administrator has it.
  mailed_to text,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL
);
CREATE INDEX password_links_user ON password_links (user_id);

-- Links that are sent by mail, to make an account, to verify an address or to change it. Only the hash of its token is stored.
CREATE TABLE mail_links (
  token_hash bytea PRIMARY KEY,
  purpose text NOT NULL CHECK (purpose IN ('registration', 'verification', 'change')),
  email text NOT NULL CHECK (email = lower(email)),
  user_id bigint REFERENCES users,
  invite_hash bytea,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  CHECK ((purpose = 'registration') = (user_id IS NULL))
);
CREATE INDEX mail_links_user ON mail_links (user_id);
CREATE INDEX mail_links_email ON mail_links (email);
