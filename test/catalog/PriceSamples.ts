/**
 * Excerpts of the two price lists as they are published, with what makes them awkward left in: numbers as programs print
 * floats, entries that are no models of text, several providers of one model, and prices of other kinds beside.
 */

/** As https://models.dev/api.json is laid out. */
export const modelsDev = `{
  "openai": {
    "id": "openai", "env": ["OPENAI_API_KEY"], "npm": "@ai-sdk/openai", "name": "OpenAI",
    "models": {
      "gpt-4o-mini": {
        "id": "gpt-4o-mini", "name": "GPT-4o mini", "attachment": true, "reasoning": false, "tool_call": true,
        "modalities": {"input": ["text", "image"], "output": ["text"]},
        "cost": {"input": 0.15, "output": 0.6, "cache_read": 0.08},
        "limit": {"context": 128000, "output": 16384}
      },
      "o4-mini": {
        "id": "o4-mini", "name": "o4-mini", "reasoning": true,
        "modalities": {"input": ["text"], "output": ["text"]},
        "cost": {"input": 1.1, "output": 4.4, "cache_read": 0.275},
        "limit": {"context": 200000, "output": 100000}
      },
      "text-embedding-3-small": {
        "id": "text-embedding-3-small", "name": "text-embedding-3-small", "family": "text-embedding", "reasoning": false,
        "modalities": {"input": ["text"], "output": ["text"]},
        "cost": {"input": 0.02, "output": 0}, "limit": {"context": 8191, "output": 1536}
      },
      "gpt-image-1": {
        "id": "gpt-image-1", "modalities": {"input": ["text"], "output": ["image"]}, "cost": {"input": 5, "output": 40}
      }
    }
  },
  "anthropic": {
    "id": "anthropic", "name": "Anthropic",
    "models": {
      "claude-sonnet-4-5": {
        "id": "claude-sonnet-4-5", "reasoning": true,
        "cost": {"input": 3, "output": 15, "cache_read": 0.3, "cache_write": 3.75,
          "context_over_200k": {"input": 6, "output": 22.5}},
        "limit": {"context": 200000, "output": 64000}
      }
    }
  },
  "reseller": {
    "id": "reseller", "name": "Reseller",
    "models": {
      "o4-mini": {"id": "o4-mini", "cost": {"input": 1.2, "output": 4.8}, "limit": {"context": 1, "output": 0}},
      "fine": {"id": "fine", "cost": {"input": 1e-7, "output": 0.1234567}},
      "no price": {"id": "no price", "cost": {"input": 1, "output": 2}},
      "unpriced": {"id": "unpriced", "limit": {"context": 1000, "output": 10}},
      "negative": {"id": "negative", "cost": {"input": -1, "output": 2}},
      "absurd": {"id": "absurd", "cost": {"input": 100000.000001, "output": 2}},
      "words": {"id": "words", "cost": {"input": "cheap", "output": 2}}
    }
  }
}`

/** As LiteLLM's model_prices_and_context_window.json is laid out. */
export const liteLlm = `{
  "sample_spec": {
    "max_tokens": "LEGACY parameter", "input_cost_per_token": 0.0000, "output_cost_per_token": 0.000,
    "litellm_provider": "one of https://docs.litellm.ai/docs/providers", "mode": "one of: chat, embedding"
  },
  "gpt-4o-mini": {
    "max_tokens": 16384, "max_input_tokens": 128000, "max_output_tokens": 16384,
    "input_cost_per_token": 1.5e-07, "output_cost_per_token": 6e-07, "cache_read_input_token_cost": 7.5e-08,
    "litellm_provider": "openai", "mode": "chat", "supports_vision": true
  },
  "azure/o4-mini": {
    "max_tokens": 100000, "input_cost_per_token": 1.1e-06, "output_cost_per_token": 4.4e-06,
    "cache_read_input_token_cost": 2.75e-07, "litellm_provider": "azure", "mode": "responses",
    "supports_reasoning": true
  },
  "openrouter/anthropic/claude-sonnet-4.5": {
    "input_cost_per_token": 3e-06, "output_cost_per_token": 1.5e-05, "cache_creation_input_token_cost": 3.75e-06,
    "cache_read_input_token_cost": 3.0000000000000004e-07,
    "input_cost_per_token_above_200k_tokens": 6e-06, "litellm_provider": "openrouter", "mode": "chat"
  },
  "text-embedding-3-small": {
    "input_cost_per_token": 2e-08, "output_cost_per_token": 0.0, "litellm_provider": "openai", "mode": "embedding",
    "max_input_tokens": 8191, "max_tokens": 8191, "output_vector_size": 1536, "input_cost_per_token_batches": 1e-08
  },
  "bedrock/cohere.embed-v4:0": {
    "input_cost_per_token": 1.2e-07, "litellm_provider": "bedrock", "mode": "embedding", "max_tokens": 128000,
    "max_output_tokens": 1536, "input_cost_per_image": 4.7e-07, "output_vector_size": 1536
  },
  "dall-e-3": {"input_cost_per_pixel": 1e-8, "litellm_provider": "openai", "mode": "image_generation"}
}`
