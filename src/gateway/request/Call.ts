/**
 * One parsed call to `/v1/*`, in the terms that all dialects share: what bounds it, what it refers to, and what must be
 * changed before it is forwarded. Parsing knows neither model nor channel; `admit` and `forwardBody` bring those in.
 */
import type { JsonField, RawJson } from "./JsonFields.ts"

/** Which of OpenAI's APIs a call, and so its answer, speaks. */
export type Dialect = "chat" | "responses" | "embeddings"

export type OutputLimitField = "max_tokens" | "max_completion_tokens" | "max_output_tokens"

/** What the input of a call amounts to, before it is priced. */
export interface InputTally {
  /** UTF-8 bytes of the text that reaches the model: messages, instructions, tools, schemas, every counted field. */
  readonly textBytes: number
  /** The part of them that stands in reasoning fields; upstreams may leave those out, so they are in no lower bound. */
  readonly reasoningBytes: number
  /**
   * The part of them that most upstreams are not sent: unknown fields, and tools that they would run. It is in no lower bound and no
   * estimate.
   */
  readonly unsentBytes: number
  /** Integers of token arrays (embeddings). */
  readonly integers: number
  /** Messages or items, content parts and tools: each costs a fixed overhead. */
  readonly messages: number
  readonly parts: number
  readonly tools: number
  readonly images: number
  /** Places in what belongs to the client where an upstream may find an image: they count in the ceiling, and in no estimate. */
  readonly possibleImages: number
  /** Images given by URL rather than inline. */
  readonly imageUrls: number
  readonly files: number
  /** Bytes of the inline files' base64 text. */
  readonly fileBytes: number
}

export const emptyTally: InputTally = {
  textBytes: 0,
  reasoningBytes: 0,
  unsentBytes: 0,
  integers: 0,
  messages: 0,
  parts: 0,
  tools: 0,
  images: 0,
  possibleImages: 0,
  imageUrls: 0,
  files: 0,
  fileBytes: 0
}

/** An item without its content: the upstream has it stored. `response`: `previous_response_id`. */
export interface Reference {
  readonly kind: "response" | "item"
  readonly id: string
  readonly param: string
}

/** Where a call first holds what its model's rules may refuse, as OpenAI writes a place: `tools[1].type`. */
export interface CallPlaces {
  readonly hostedTool?: string
  /** A cache lifetime that has a price of its own. */
  readonly longCacheTtl?: string
  readonly file?: string
}

export interface Call {
  readonly _tag: "Call"
  readonly dialect: Dialect
  /** The body as the client sent it, decoded, and its top-level members. */
  readonly body: Uint8Array
  readonly fields: ReadonlyArray<JsonField>
  readonly model: string
  readonly stream: boolean
  /** Answers asked for; each may be as long as `outputLimit`. */
  readonly n: number
  /** The client's own limit in tokens per answer, and the field it used. */
  readonly outputLimit: number | undefined
  readonly outputLimitField: OutputLimitField | undefined
  /** The client asked for the usage frame (`stream_options.include_usage`). */
  readonly wantsUsage: boolean
  /** False: the client asked the upstream to store nothing. */
  readonly store: boolean
  readonly input: InputTally
  /** The texts behind `input`, where they were read along; else `textOf` reads them when they are wanted. */
  readonly texts?: ReadonlyArray<string>
  readonly references: ReadonlyArray<Reference>
  /** Types of the tools that the upstream would run itself, each once. */
  readonly hostedTools: ReadonlyArray<string>
  /** The top-level fields that hold such tools; absent: none does. */
  readonly hostedFields?: ReadonlyArray<string>
  readonly places?: CallPlaces
  /** `max_tool_calls` of the client. */
  readonly toolCallsMax: number | undefined
  /** Top-level fields that the dialect's table does not name. */
  readonly unknownFields: ReadonlyArray<string>
}

/** A refusal with 400; `param` names the place. */
export interface Refused {
  readonly _tag: "Refused"
  readonly status: 400
  readonly code: "invalid_request_error" | "unsupported_parameter" | "context_length_exceeded" | "reference_not_found"
  readonly param: string | null
  readonly message: string
}

/** A call that its model's rules admit. */
export interface Admitted {
  readonly _tag: "Admitted"
  readonly call: Call
  /** Calls of priced tools that the upstream may make; 0 when none is priced. */
  readonly pricedToolCalls: number
  /** Names for `x-realms-dropped-fields`, whatever the channel: hosted tools and what went with them. */
  readonly dropped: ReadonlyArray<string>
  /** Raw JSON that replaces top-level fields, whatever the channel; undefined removes the field. Absent: none changes. */
  readonly changes?: ReadonlyMap<string, RawJson | undefined>
}
