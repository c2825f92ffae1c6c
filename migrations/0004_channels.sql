-- Where calls are sent: the channels to the upstreams, and which models each of them serves under which name. The names of the
-- columns are those of config.yaml.

CREATE TABLE channels (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL UNIQUE,
  base_url text NOT NULL,
  -- The sealed key of a channel that was made in the console. The key of one from config.yaml is never in a table.
  api_key_sealed bytea,
  key_id text,
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
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT channels_key CHECK ((api_key_sealed IS NULL) = (key_id IS NULL)),
  CONSTRAINT channels_declared CHECK (NOT declared OR api_key_sealed IS NULL)
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
