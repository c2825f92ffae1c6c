-- What can be called and at what price: the models, and price files that were read, so that what is applied is what was
-- looked at. The names of the columns are those of config.yaml.

CREATE TABLE models (
  id text PRIMARY KEY,
  input_micros_per_1m bigint NOT NULL CHECK (input_micros_per_1m >= 0),
  cached_input_micros_per_1m bigint NOT NULL CHECK (cached_input_micros_per_1m >= 0),
  cache_write_micros_per_1m bigint CHECK (cache_write_micros_per_1m >= 0),
  output_micros_per_1m bigint NOT NULL CHECK (output_micros_per_1m >= 0),
  -- Prices of calls with more input tokens than above_input_tokens, ascending; amounts are decimal texts. Null: no tiers.
  price_tiers jsonb CHECK (jsonb_typeof(price_tiers) = 'array' AND jsonb_array_length(price_tiers) > 0),
  -- In micros a call. Null: the tool is not priced.
  web_search_micros bigint CHECK (web_search_micros >= 0),
  file_search_micros bigint CHECK (file_search_micros >= 0),
  -- What the catalogue says of it; empty: nothing.
  vendor text NOT NULL DEFAULT '' CHECK (char_length(vendor) <= 60),
  description text NOT NULL DEFAULT '' CHECK (char_length(description) <= 500),
  capabilities text[] NOT NULL DEFAULT '{}'
    CHECK (capabilities <@ '{tools,structured_output,vision,files,embeddings}'),
  -- Null: not known.
  context_tokens integer CHECK (context_tokens > 0),
  max_output_tokens integer NOT NULL CHECK (max_output_tokens > 0),
  default_output_tokens integer CHECK (default_output_tokens > 0),
  reasoning boolean NOT NULL DEFAULT false,
  input_overhead_tokens integer NOT NULL DEFAULT 1024 CHECK (input_overhead_tokens >= 0),
  image_tokens_max integer CHECK (image_tokens_max > 0),
  tokenizer_margin numeric NOT NULL DEFAULT 1.5 CHECK (tokenizer_margin >= 1),
  output_tokens_per_second integer NOT NULL DEFAULT 100 CHECK (output_tokens_per_second > 0),
  hosted_tools text NOT NULL DEFAULT 'drop' CHECK (hosted_tools IN ('drop', 'refuse', 'price')),
  tool_calls_max integer NOT NULL DEFAULT 5 CHECK (tool_calls_max > 0),
  -- The row comes from config.yaml.
  declared boolean NOT NULL DEFAULT false,
  disabled_at timestamptz,
  revision bigint NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT models_lengths CHECK (max_output_tokens <= context_tokens AND default_output_tokens <= max_output_tokens),
  -- The hold for priced tools is computed from the size of the context.
  CONSTRAINT models_hosted_tools CHECK (hosted_tools <> 'price'
    OR (context_tokens IS NOT NULL AND coalesce(web_search_micros, file_search_micros) IS NOT NULL))
);

CREATE TRIGGER models_revision BEFORE UPDATE ON models FOR EACH ROW EXECUTE FUNCTION realms_count_revision_v1();

-- A price file that was read.
CREATE TABLE price_imports (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  actor text NOT NULL,
  -- Entries of the file that are not models of text.
  skipped bigint NOT NULL CHECK (skipped >= 0),
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE price_offers (
  import_id bigint NOT NULL REFERENCES price_imports ON DELETE CASCADE,
  -- In the order of the file.
  position integer NOT NULL,
  provider text NOT NULL,
  model_id text NOT NULL,
  -- What the file says of the model, by the columns of models that it names. Null with a problem.
  terms jsonb CHECK (jsonb_typeof(terms) = 'object'),
  -- Some price was finer than a micro per 1M tokens and is rounded up.
  rounded boolean NOT NULL,
  -- Prices and lengths of the file that could not be read, by their names there.
  unread text[] NOT NULL,
  -- Why the offer cannot be applied; null: it can.
  problem text CHECK (problem IN ('id', 'missing', 'price')),
  PRIMARY KEY (import_id, position),
  CONSTRAINT price_offers_terms CHECK ((problem IS NULL) = (terms IS NOT NULL))
);
