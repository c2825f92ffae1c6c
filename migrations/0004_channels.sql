-- Where calls are sent: the channels to the upstreams, and which models each of them serves under which name. The names of the
-- columns are those of config.yaml.

CREATE TABLE channels (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL UNIQUE,
  base_url text NOT NULL,
  priority integer NOT NULL DEFAULT 0,
  weight integer NOT NULL DEFAULT 1 CHECK (weight >= 0),
  unknown_fields text NOT NULL DEFAULT 'drop' CHECK (unknown_fields IN ('drop', 'forward', 'refuse')),
  -- Request fields that only some upstreams know, and this one does.
  known_fields text[] NOT NULL DEFAULT '{stream_options}',
  first_byte_timeout_seconds integer NOT NULL DEFAULT 120 CHECK (first_byte_timeout_seconds > 0),
  idle_timeout_seconds integer NOT NULL DEFAULT 600 CHECK (idle_timeout_seconds > 0),
  stores_responses boolean NOT NULL DEFAULT false,
  input_overhead_tokens integer NOT NULL DEFAULT 0 CHECK (input_overhead_tokens >= 0),
  max_connections integer NOT NULL DEFAULT 2048 CHECK (max_connections > 0),
  -- The row comes from config.yaml.
  declared boolean NOT NULL DEFAULT false,
  disabled_at timestamptz,
  revision bigint NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER channels_revision BEFORE UPDATE ON channels FOR EACH ROW EXECUTE FUNCTION realms_count_revision_v1();

CREATE TABLE channel_models (
  channel_id bigint NOT NULL REFERENCES channels,
  model_id text NOT NULL,
  upstream_model text NOT NULL,
  -- When the upstream was seen to report output tokens of this model that it does not show. Null: not yet.
  hidden_output_at timestamptz,
  PRIMARY KEY (channel_id, model_id)
);
CREATE INDEX channel_models_model ON channel_models (model_id);

-- The keys that a channel is called with, and what is held against each of them.
CREATE TABLE channel_keys (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  channel_id bigint NOT NULL REFERENCES channels,
  -- A hash by which a key is known again, such as one of config.yaml at the next start.
  digest bytea NOT NULL,
  -- The last characters, by which people know it.
  hint text NOT NULL,
  -- The sealed key where it was entered in the console. A key of config.yaml is never in a table.
  key_sealed bytea,
  key_id text,
  -- The upstream asked to wait: the key is passed over until then.
  cooling_until timestamptz,
  -- The upstream refused it for good, which a request of ours has confirmed: it is not used until one of the probes succeeds.
  out_reason text CHECK (out_reason IN ('unauthorized', 'unpaid')),
  out_status integer,
  out_at timestamptz,
  probe_at timestamptz,
  -- Probes that have failed since.
  probes integer NOT NULL DEFAULT 0 CHECK (probes >= 0),
  -- What its account had left when somebody asked, in the upstream's own words.
  balance text,
  balance_currency text,
  balance_problem text,
  balance_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (channel_id, digest),
  CONSTRAINT channel_keys_sealed CHECK ((key_sealed IS NULL) = (key_id IS NULL)),
  CONSTRAINT channel_keys_out CHECK ((out_reason IS NULL) = (out_at IS NULL) AND (out_at IS NULL) = (probe_at IS NULL))
);
CREATE INDEX channel_keys_probe ON channel_keys (probe_at) WHERE probe_at IS NOT NULL;

-- How a channel did: written every few seconds by each process, so that it outlives restarts. Apart from the channel's row, whose
-- revision counts what people change.
CREATE TABLE channel_health (
  channel_id bigint PRIMARY KEY REFERENCES channels,
  -- Of calls.
  success_at timestamptz,
  failure_at timestamptz,
  failure_reason text,
  failure_status integer,
  CONSTRAINT channel_health_failure CHECK ((failure_at IS NULL) = (failure_reason IS NULL))
);

-- What the last test of a channel's model came to. No reason: it works.
CREATE TABLE channel_tests (
  channel_id bigint NOT NULL REFERENCES channels,
  model_id text NOT NULL,
  tested_at timestamptz NOT NULL DEFAULT now(),
  reason text,
  status integer,
  latency_ms integer NOT NULL CHECK (latency_ms >= 0),
  PRIMARY KEY (channel_id, model_id)
);

-- The last test of all channels, of which there is one at a time.
CREATE TABLE channel_test_runs (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  started_at timestamptz NOT NULL DEFAULT now(),
  ended_at timestamptz,
  total integer NOT NULL CHECK (total >= 0),
  done integer NOT NULL DEFAULT 0 CHECK (done >= 0),
  failed integer NOT NULL DEFAULT 0 CHECK (failed >= 0)
);

-- The models that an upstream said it has, when somebody asked.
CREATE TABLE channel_upstream_models (
  channel_id bigint PRIMARY KEY REFERENCES channels,
  fetched_at timestamptz NOT NULL DEFAULT now(),
  models text[] NOT NULL
);
