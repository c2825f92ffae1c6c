/**
 * Request fields that the dialects share: sampling, caching, who asks, the extras of common servers, and everything that is
 * refused because the gateway could not bound or bill what it does.
 *
 * @internal
 */
import {
  boolean,
  client,
  clientObject,
  clientWithPictures,
  dropped,
  either,
  type Fields,
  fields,
  forwarded,
  integer,
  list,
  number,
  object,
  oneOf,
  priced,
  refused,
  setting,
  type Shape,
  text,
  texts,
  together
} from "./Admission.ts"

/** Longest model name accepted, in UTF-16 units. */
export const MODEL_CHARS_MAX = 256
/** Largest token limit accepted. */
export const OUTPUT_LIMIT_TOKENS_MAX = 2 ** 31 - 1
/** Most alternatives that log probabilities may list. */
const LOGPROBS_MAX = 128

export const outputLimit: Shape = integer(1, OUTPUT_LIMIT_TOKENS_MAX)

/** An object whose members are scalars; which ones is for the upstream to judge. */
const scalars: Shape = object(fields({ chat_template: refused("It is a program that the upstream runs.") }))

/** Anthropic's and OpenRouter's marks for cached input. */
export const cacheControl: Shape = object(fields({
  type: setting(text),
  ttl: setting({ kind: "cacheTtl", usual: ["5m"] })
}))

/** OpenAI's marks for cached input. */
export const cacheBreakpoint: Shape = object(fields({
  mode: setting(text),
  ttl: setting({ kind: "cacheTtl", usual: ["30m"] })
}))

const reasoning: Shape = object(fields({
  effort: setting(text),
  summary: setting(text),
  generate_summary: setting(text),
  context: setting(text),
  mode: refused("Other modes run the model more often than the output limit says.", { off: ['"standard"'] })
}))

export const modelField: Fields = fields({
  model: priced({ kind: "text", charsMax: MODEL_CHARS_MAX }, "The model whose price counts.", { uncounted: true })
})

export const callerFields: Fields = fields({
  user: setting(text, "Replaced by a code, so that no other user can send the same value.", { identity: true }),
  safety_identifier: setting(text, "Replaced by a code, so that no other user can send the same value.", {
    identity: true
  }),
  prompt_cache_key: setting(text, "Replaced by a code, so that no other user can send the same value.", {
    identity: true
  }),
  cache_salt: setting(text, "Replaced by a code, as above. Sent to channels that know it.", {
    identity: true,
    knownOnly: true
  }),
  metadata: setting(clientObject, "Sent to channels that know it.", { knownOnly: true }),
  client_metadata: dropped("It describes your installation."),
  access_programs: dropped("Access programs are the operator's.")
})

export const samplingFields: Fields = fields({
  temperature: setting(number),
  top_p: setting(number),
  presence_penalty: setting(number),
  frequency_penalty: setting(number),
  seed: setting(number),
  stop: setting(either(text, texts)),
  logit_bias: setting(client),
  logprobs: setting(either(boolean, integer(0, LOGPROBS_MAX))),
  top_logprobs: setting(integer(0, LOGPROBS_MAX)),
  parallel_tool_calls: setting(boolean),
  reasoning_effort: setting(text),
  verbosity: setting(text),
  store: setting(boolean, "`false`: the upstream stores nothing, so later calls cannot refer to this one."),
  service_tier: setting(oneOf("auto", "default"), "Sent as `default`, to channels that know it.", { knownOnly: true }),
  cache_control: setting(cacheControl, "A `ttl` other than `5m` needs a model that prices it."),
  prompt_cache_retention: setting(text),
  prompt_cache_options: setting(
    object(fields({
      mode: setting(text),
      ttl: setting({ kind: "cacheTtl", usual: ["30m"] }),
      prewarm: refused("It fills a cache without an answer.", { off: ["false"] }),
      comparison_response_id: refused("It names a stored response.")
    })),
    "A `ttl` other than `30m` needs a model that prices it."
  )
})

/** What vLLM, SGLang, llama.cpp, OpenRouter, Qwen, Zhipu, DeepSeek, Mistral, Groq and others add. */
export const serverFields: Fields = fields({
  top_k: setting(number),
  min_p: setting(number),
  top_a: setting(number),
  typical_p: setting(number),
  repetition_penalty: setting(number),
  length_penalty: setting(number),
  random_seed: setting(number),
  stop_token_ids: setting(list(number)),
  bad_words: setting(texts),
  thinking: setting(either(boolean, text, scalars), "An object may hold scalars only."),
  thinking_budget: setting(number),
  enable_thinking: setting(boolean),
  reasoning: setting(either(boolean, text, reasoning), "An object may hold scalars only."),
  reasoning_format: setting(text),
  reasoning_split: setting(boolean),
  include_reasoning: setting(boolean),
  chat_template_kwargs: forwarded(scalars, "Scalars only; they are counted, since a template may print them."),
  add_generation_prompt: setting(boolean),
  continue_final_message: setting(boolean),
  add_special_tokens: setting(boolean),
  skip_special_tokens: setting(boolean),
  spaces_between_special_tokens: setting(boolean),
  include_stop_str_in_output: setting(boolean),
  safe_prompt: setting(boolean),
  truncate_prompt_tokens: setting(number),
  structured_outputs: forwarded(clientObject),
  guided_json: forwarded(client),
  guided_regex: forwarded(text),
  guided_choice: forwarded(texts),
  guided_grammar: forwarded(text),
  documents: forwarded(clientWithPictures, "Counted as text.")
})

const elsewhere = dropped("The gateway cannot see or bound what it brings in.")

/** Names under which upstreams take input from elsewhere, or as numbers of their own. */
export const unseenFields: Fields = fields({
  attachments: elsewhere,
  files: elsewhere,
  file_ids: elsewhere,
  images: elsewhere,
  image_data: elsewhere,
  videos: elsewhere,
  video_data: elsewhere,
  audios: elsewhere,
  audio_data: elsewhere,
  multi_modal_data: elsewhere,
  data_sources: elsewhere,
  thread_id: elsewhere,
  assistant_id: elsewhere,
  tool_resources: elsewhere,
  preset: elsewhere,
  input_ids: elsewhere,
  input_embeds: elsewhere,
  prompt_token_ids: elsewhere,
  prompt_embeds: elsewhere,
  kv_transfer_params: elsewhere
})

const otherLimit = "It is another name of the output limit. Send the one of this endpoint."

export const refusedFields: Fields = fields({
  background: refused("Background calls are not metered.", { shape: boolean, off: ["false"] }),
  conversation: refused("It names stored input that the gateway cannot see. Send the content inline.", { off: ['""'] }),
  prompt: refused("It names stored input that the gateway cannot see. Send the content inline.", { off: ['""'] }),
  cached_content: refused("It names stored input that the gateway cannot see. Send the content inline.", {
    off: ['""']
  }),
  prediction: refused("Rejected predictions are billed on top of every limit."),
  audio: refused("Audio is not metered."),
  modalities: setting({ kind: "texts", of: ["text"] }, "Only `text`: other output is not metered."),
  best_of: refused("It makes more output than is returned.", { off: ["1"] }),
  use_beam_search: refused("It makes more output than is returned.", { off: ["false"] }),
  num_return_sequences: refused("Send `n`.", { off: ["1"] }),
  min_tokens: refused("It makes output longer than the model would.", { off: ["0"] }),
  ignore_eos: refused("It makes output longer than the model would.", { off: ["false"] }),
  max_new_tokens: refused(otherLimit),
  n_predict: refused(otherLimit),
  num_predict: refused(otherLimit),
  models: refused("Send one `model`.", { off: ["[]"] }),
  route: refused("Send one `model`."),
  speed: refused("Other speeds have other prices.", { off: ['"standard"'] }),
  inference_geo: refused("Other places have other prices."),
  priority: refused("The order of calls is the operator's.", { off: ["0"] }),
  request_id: refused("Request ids are the gateway's."),
  enable_search: refused("The upstream would bill searches.", { off: ["false"] }),
  search_parameters: refused("The upstream would bill searches.", { off: ['{"mode":"off"}'] }),
  plugins: refused("The upstream would bill plugins.", { off: ["[]"] }),
  moderation: refused("It runs another model."),
  context_management: refused("It runs the model again on the same input."),
  mm_processor_kwargs: refused("It changes how many tokens an image has."),
  chat_template: refused("It is a program that the upstream runs."),
  extra_body: refused("Send its members as fields of the request.", { off: ["{}"] }),
  generate: refused("A call without an answer is not metered.", { off: ["true"] })
})

export const streamFields = (members: Fields): Fields =>
  fields({
    stream: priced(boolean, "", { uncounted: true }),
    stream_options: setting(object(members), "Sent to channels that know it.", { knownOnly: true })
  })

/** How a tool is chosen. Only `type` is read, to see whether it names a tool that the upstream runs. */
export const toolChoice: Shape = either(
  text,
  object(fields({
    type: forwarded(text),
    mode: forwarded(text),
    name: forwarded(text),
    server_label: forwarded(text),
    function: forwarded(client),
    custom: forwarded(client),
    tools: forwarded(client),
    allowed_tools: forwarded(client)
  }))
)

export const sharedFields: Fields = together(callerFields, samplingFields, serverFields, unseenFields, refusedFields)
