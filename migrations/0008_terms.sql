-- What a model and a channel have besides prices and addresses: lengths, bounds, tools, and what an upstream knows. The names
-- are those of config.yaml. Rows that are there already get the defaults.

-- Token counts are at most 10^8.
ALTER TABLE models ALTER COLUMN max_output_tokens TYPE integer;
ALTER TABLE models
  -- Prices for calls with more input tokens than above_input_tokens, ascending; amounts are decimal texts. Null: none.
  ADD COLUMN price_tiers jsonb CHECK (jsonb_typeof(price_tiers) = 'array' AND jsonb_array_length(price_tiers) > 0),
  -- In micros a call. Null: the tool is not priced.
  ADD COLUMN web_search_micros bigint CHECK (web_search_micros >= 0),
  ADD COLUMN file_search_micros bigint CHECK (file_search_micros >= 0),
  -- Null: not known.
  ADD COLUMN context_tokens integer CHECK (context_tokens > 0),
  ADD COLUMN default_output_tokens integer CHECK (default_output_tokens > 0),
  ADD COLUMN input_overhead_tokens integer NOT NULL DEFAULT 1024 CHECK (input_overhead_tokens >= 0),
  ADD COLUMN image_tokens_max integer CHECK (image_tokens_max > 0),
  ADD COLUMN tokenizer_margin numeric NOT NULL DEFAULT 1.5 CHECK (tokenizer_margin >= 1),
  ADD COLUMN output_tokens_per_second integer NOT NULL DEFAULT 100 CHECK (output_tokens_per_second > 0),
  ADD COLUMN hosted_tools text NOT NULL DEFAULT 'drop' CHECK (hosted_tools IN ('drop', 'refuse', 'price')),
  ADD COLUMN tool_calls_max integer NOT NULL DEFAULT 5 CHECK (tool_calls_max > 0),
  ADD CONSTRAINT models_lengths CHECK (max_output_tokens <= context_tokens AND default_output_tokens <= max_output_tokens),
  -- Priced tools are held for at the size of the context.
  ADD CONSTRAINT models_hosted_tools CHECK (hosted_tools <> 'price'
    OR (context_tokens IS NOT NULL AND coalesce(web_search_micros, file_search_micros) IS NOT NULL));

ALTER TABLE channels
  ADD COLUMN unknown_fields text NOT NULL DEFAULT 'drop' CHECK (unknown_fields IN ('drop', 'forward', 'refuse')),
  -- Request fields that only some upstreams know, and this one does.
  ADD COLUMN known_fields text[] NOT NULL DEFAULT '{stream_options}',
  ADD COLUMN first_byte_timeout_seconds integer NOT NULL DEFAULT 120 CHECK (first_byte_timeout_seconds > 0),
  ADD COLUMN idle_timeout_seconds integer NOT NULL DEFAULT 600 CHECK (idle_timeout_seconds > 0),
  ADD COLUMN stores_responses boolean NOT NULL DEFAULT false,
  ADD COLUMN input_overhead_tokens integer NOT NULL DEFAULT 0 CHECK (input_overhead_tokens >= 0),
  ADD COLUMN max_connections integer NOT NULL DEFAULT 2048 CHECK (max_connections > 0);
UPDATE channels SET known_fields = '{}' WHERE NOT stream_options;
ALTER TABLE channels DROP COLUMN stream_options;

-- When the upstream was seen to report output tokens of this model that it does not show. Null: not yet.
ALTER TABLE channel_models ADD COLUMN hidden_output_at timestamptz;

-- Files of prices are read anew: what a file says of a model is kept as the columns of models that it names. The files that
-- were kept until now are dropped; nothing refers to them.
DELETE FROM price_imports;
ALTER TABLE price_offers
  DROP COLUMN input_micros_per_1m,
  DROP COLUMN cached_input_micros_per_1m,
  DROP COLUMN cache_write_micros_per_1m,
  DROP COLUMN output_micros_per_1m,
  DROP COLUMN max_output_tokens,
  DROP COLUMN reasoning,
  DROP COLUMN tiered,
  -- Null with a problem.
  ADD COLUMN terms jsonb CHECK (jsonb_typeof(terms) = 'object'),
  -- Prices and lengths of the file that could not be read, by their names there.
  ADD COLUMN unread text[] NOT NULL,
  ADD CONSTRAINT price_offers_terms CHECK ((problem IS NULL) = (terms IS NOT NULL));
