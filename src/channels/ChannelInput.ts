/**
 * What a channel made in the console may be: the bounds of each field, looked at before anything is written, and all problems
 * at once.
 */
import { Redacted } from "effect"
import { baseUrlOf, type OutboundGuard } from "../config/OutboundUrl.ts"
import { CHANNEL_KEYS_MAX } from "../domain/Bounds.ts"
import { type ChannelSettings, channelSettings } from "../domain/ChannelTerms.ts"
import type { ChannelProblem } from "./ChannelError.ts"

export const CHANNEL_NAME_LENGTH_MAX = 100
export const CHANNEL_KEY_LENGTH_MAX = 4_096

/** Models that one channel serves, at most. */
export const CHANNEL_MODELS_MAX = 1_000

const MODEL_NAME_LENGTH_MAX = 200

/** A channel as it is to be. */
export interface ChannelInput extends ChannelSettings {
  readonly name: string
  readonly baseUrl: string
  /** They take the place of those that it has. None: those stay; a new channel needs one. */
  readonly apiKeys: ReadonlyArray<Redacted.Redacted<string>>
  /** Our model ids to the upstream's. */
  readonly models: Readonly<Record<string, string>>
}

/** Keys without blanks around them, empty ones and repeated ones. */
export const trimmedKeys = (
  keys: ReadonlyArray<Redacted.Redacted<string>>
): ReadonlyArray<Redacted.Redacted<string>> =>
  Array.from(new Set(keys.map((key) => Redacted.value(key).trim())))
    .filter((key) => key !== "")
    .map((key) => Redacted.make(key))

/** The same without what people type around it: blanks, and slashes at the end of an address's path. */
export const trimmed = (input: ChannelInput): ChannelInput => ({
  ...input,
  name: input.name.trim(),
  baseUrl: baseUrlOf(input.baseUrl.trim()),
  apiKeys: trimmedKeys(input.apiKeys),
  models: Object.fromEntries(
    Object.entries(input.models).map(([model, upstream]) => [model.trim(), upstream.trim()])
  )
})

/** Whether the second of two good addresses leads elsewhere: on servers that many share the path says whose it is. */
export const isElsewhere = (before: string, after: string): boolean =>
  URL.parse(before)?.href !== URL.parse(after)?.href

const isLine = (text: string, lengthMax: number): boolean =>
  text.length >= 1 && text.length <= lengthMax && !/\p{Cc}/u.test(text)

/** What goes into a header as it is. */
const isHeaderText = (text: string): boolean => text.length <= CHANNEL_KEY_LENGTH_MAX && /^[\x21-\x7e]+$/.test(text)

/** What is wrong with trimmed keys, `more` of which the channel has already. */
export const keyProblems = (
  keys: ReadonlyArray<Redacted.Redacted<string>>,
  more: number
): ReadonlyArray<ChannelProblem> => {
  if (keys.length + more > CHANNEL_KEYS_MAX) return [{ field: "api_key", reason: "many" }]
  return keys.every((key) => isHeaderText(Redacted.value(key))) ? [] : [{ field: "api_key", reason: "characters" }]
}

const modelProblems = (
  models: Readonly<Record<string, string>>,
  known: ReadonlySet<string>
): ReadonlyArray<ChannelProblem> => {
  const entries = Object.entries(models)
  if (entries.length > CHANNEL_MODELS_MAX) return [{ field: "models", reason: "many", models: [] }]
  const unknown = entries.flatMap(([model]) => known.has(model) ? [] : [model])
  const unnamed = entries.flatMap(([model, upstream]) => isLine(upstream, MODEL_NAME_LENGTH_MAX) ? [] : [model])
  return [
    ...unknown.length === 0 ? [] : [{ field: "models" as const, reason: "unknown" as const, models: unknown }],
    ...unnamed.length === 0 ? [] : [{ field: "models" as const, reason: "upstream" as const, models: unnamed }]
  ]
}

/** Everything that is wrong with a trimmed input. `known` are the ids of all models. */
export const problemsOf = (
  input: ChannelInput,
  { guard, isNew, known }: {
    readonly guard: OutboundGuard
    readonly isNew: boolean
    readonly known: ReadonlySet<string>
  }
): ReadonlyArray<ChannelProblem> => {
  const address = guard.problemOf(input.baseUrl)
  const problems: Array<ChannelProblem> = []
  if (!isLine(input.name, CHANNEL_NAME_LENGTH_MAX)) problems.push({ field: "name", reason: "length" })
  if (address !== undefined) problems.push({ field: "base_url", reason: address })
  if (input.apiKeys.length === 0 && isNew) problems.push({ field: "api_key", reason: "missing" })
  problems.push(...keyProblems(input.apiKeys, 0))
  const terms = channelSettings.wrong(input).map((field) => ({ field, reason: "range" as const }))
  return [...problems, ...terms, ...modelProblems(input.models, known)]
}
