/**
 * How many tokens a call can have: for input and output a lower, an expected and a ceiling number. The ceiling never depends on
 * funds; usage above it is impossible. Holds take the ceiling, calls whose usage is not known the expected number. Pure.
 */
import type { ModelTerms } from "../../domain/ModelTerms.ts"
import { IMAGE_TOKENS_MAX_DEFAULT } from "../../domain/ModelTerms.ts"
import type { Admitted, Call } from "../request/Call.ts"
import { contextOf, inputBounds } from "../request/InputBounds.ts"

/** Output tokens without a limit of the client, per choice, where a stream was told none. */
export interface OutputBounds {
  /** Tokens per choice that the upstream may make. */
  readonly limitPerChoice: number
  /** Over all choices. */
  readonly ceiling: number
  /** Of reasoning that is reported outside the completion. */
  readonly reasoningCeiling: number
}

export interface InputTokens {
  /** A count below it is missing. */
  readonly lower: number
  /** A count above it is impossible. */
  readonly ceiling: number
  /** What the hold takes: the ceiling with text and references capped by the context. */
  readonly held: number
  /** The part of `held` that is text, and the rest: a counted bound takes the place of the first only. */
  readonly heldText: number
  readonly heldRest: number
  /** UTF-8 bytes of the text. */
  readonly textBytes: number
  /** Integers of token arrays: each is a token, whatever a count of the text says. */
  readonly integers: number
}

export interface CallBounds {
  readonly input: InputTokens
  readonly output: OutputBounds
  /** What messages, parts and tools add to a count of the text, as far as that is known. */
  readonly overheadTokensExpected: number
  /** Calls of tools that the upstream may run and bill. */
  readonly toolCalls: number
}

/** What bounds a call beyond its own body. */
export interface BoundTerms {
  readonly model: ModelTerms
  /** The largest overhead of the channels that may get the call. */
  readonly channelOverheadTokens: number
  /** What its references bring in, at most. */
  readonly referenceTokens: number
}

const imageTokensMaxOf = (model: ModelTerms): number => model.imageTokensMax ?? IMAGE_TOKENS_MAX_DEFAULT

const cap = (tokens: number, contextTokens: number | null): number =>
  contextTokens === null ? tokens : Math.min(tokens, contextTokens)

const inputOf = (admitted: Admitted, terms: BoundTerms): InputTokens => {
  const { call, pricedToolCalls } = admitted
  const { inputOverheadTokens } = terms.model
  const contextTokens = contextOf(call, terms.model.contextTokens)
  const { integers, textBytes } = call.input
  const { lowerTokens, overheadTokens, textCeilingTokens } = inputBounds(call)
  const images = (call.input.images + call.input.possibleImages) * imageTokensMaxOf(terms.model)
  const rest = overheadTokens + images + inputOverheadTokens + terms.channelOverheadTokens
  // A file may fill the whole context, whatever its size; so may the results of a tool that the upstream runs.
  const text = call.input.files > 0 && contextTokens !== null
    ? Math.max(contextTokens, textCeilingTokens)
    : textCeilingTokens
  const ownCeiling = text + terms.referenceTokens + rest
  if (pricedToolCalls > 0 && contextTokens !== null) {
    const whole = contextTokens * (1 + pricedToolCalls)
    return {
      lower: lowerTokens,
      ceiling: Math.max(whole, ownCeiling),
      held: whole + images,
      heldText: 0,
      heldRest: whole + images,
      textBytes,
      integers
    }
  }
  // Files keep their ceiling when the text is counted, so they are not part of the text then.
  const heldText = call.input.files > 0 ? 0 : cap(text, contextTokens)
  const heldOther = cap(terms.referenceTokens + text, contextTokens) - heldText
  return {
    lower: lowerTokens,
    ceiling: ownCeiling,
    held: heldText + heldOther + rest,
    heldText,
    heldRest: heldOther + rest,
    textBytes,
    integers
  }
}

const outputOf = (call: Call, model: ModelTerms): OutputBounds => {
  if (call.dialect === "embeddings") return { limitPerChoice: 0, ceiling: 0, reasoningCeiling: 0 }
  const limitPerChoice = Math.min(call.outputLimit ?? model.maxOutputTokens, model.maxOutputTokens)
  return { limitPerChoice, ceiling: limitPerChoice * call.n, reasoningCeiling: model.maxOutputTokens * call.n }
}

/** A message's role and delimiters. */
const EXPECTED_TOKENS_PER_MESSAGE = 4

export const boundsOf = (admitted: Admitted, terms: BoundTerms): CallBounds => ({
  input: inputOf(admitted, terms),
  output: outputOf(admitted.call, terms.model),
  overheadTokensExpected: EXPECTED_TOKENS_PER_MESSAGE * admitted.call.input.messages,
  toolCalls: admitted.pricedToolCalls
})

/** The tokens of the input as far as they are known without the upstream: text by its count, the rest by half of its ceiling. */
export const expectedInputTokens = (
  call: Call,
  terms: BoundTerms,
  textTokens: number
): number => {
  const { fileBytes, files, images } = call.input
  const filesTokens = files === 0 ? 0 : cap(Math.ceil(fileBytes / FILE_BYTES_PER_TOKEN), terms.model.contextTokens)
  return Math.max(
    1,
    textTokens + Math.ceil((images * imageTokensMaxOf(terms.model)) / 2) + filesTokens + terms.referenceTokens
  )
}

/** A file is expected to have a token for so many bytes of it. */
const FILE_BYTES_PER_TOKEN = 4
