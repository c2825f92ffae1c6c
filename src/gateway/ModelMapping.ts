/**
 * The models that an upstream says it has, beside those that the installation serves: under which name each is or would be served.
 * Pure.
 */
import { isObject } from "./JsonValue.ts"

/** Models of one upstream, at most; more are left out, and the page says so. */
export const UPSTREAM_MODELS_MAX = 5_000

const ID_LENGTH_MAX = 200

const isId = (id: unknown): id is string =>
  typeof id === "string" && id !== "" && id.length <= ID_LENGTH_MAX && !/[\p{Cc}\s]/u.test(id)

/** `models/gemini-2.5-pro` is called `gemini-2.5-pro`. */
const idIn = (entry: unknown): string | undefined => {
  if (isId(entry)) return entry
  if (!isObject(entry)) return undefined
  if (isId(entry.id)) return entry.id
  const name = entry.name ?? entry.model
  return isId(name) ? name.replace(/^models\//, "") : undefined
}

/**
 * The ids in an answer of `GET /models`: OpenAI's `data`, the `models` of others, or a bare list. Undefined where it is neither of
 * them. In alphabetical order, each once.
 */
export const upstreamModelsIn = (json: unknown): ReadonlyArray<string> | undefined => {
  const list = Array.isArray(json) ? json : isObject(json) ? json.data ?? json.models : undefined
  if (!Array.isArray(list)) return undefined
  const ids = new Set<string>()
  for (const entry of list) {
    const id = idIn(entry)
    if (id !== undefined) ids.add(id)
  }
  return [...ids].toSorted().slice(0, UPSTREAM_MODELS_MAX)
}

export interface MappedModel {
  /** As the upstream calls it. */
  readonly upstream: string
  /** As it is served, or would be. */
  readonly model: string
  readonly isServed: boolean
  /** `known`: the installation has that model. `offered`: a file of prices has it, so that it can be added. `unknown`: neither. */
  readonly state: "known" | "offered" | "unknown"
}

interface Catalogued {
  /** The channel's models, ours to the upstream's. */
  readonly served: Readonly<Record<string, string>>
  readonly known: ReadonlySet<string>
  readonly offered: ReadonlySet<string>
}

/** The names under which a model may be served: its own, and that without the vendor before it. */
export const namesOf = (upstream: string): ReadonlyArray<string> => {
  const short = upstream.slice(upstream.lastIndexOf("/") + 1)
  return short === "" || short === upstream ? [upstream] : [upstream, short]
}

export const mappedModels = (
  upstreamModels: ReadonlyArray<string>,
  { known, offered, served }: Catalogued
): ReadonlyArray<MappedModel> => {
  const servedAs = new Map(Object.entries(served).toSorted().map(([model, upstream]) => [upstream, model]))
  return upstreamModels.map((upstream) => {
    const names = namesOf(upstream)
    const model = servedAs.get(upstream) ?? names.find((name) => known.has(name)) ??
      names.find((name) => offered.has(name)) ?? upstream
    const state = known.has(model) ? "known" : offered.has(model) ? "offered" : "unknown"
    return { upstream, model, isServed: servedAs.has(upstream), state }
  })
}

export const listedStates = ["served", "unserved", "new"] as const

/** What a list of such models is narrowed to; what is left out does not matter. */
export interface MappedFilter {
  /** A part of the upstream's name, in any case. */
  readonly text?: string | undefined
  /** `new`: the installation has no such model yet. */
  readonly state?: typeof listedStates[number] | undefined
  /** Names that come after this one. */
  readonly after?: string | undefined
}

export const isListed = (
  { isServed, state, upstream }: MappedModel,
  { after = "", state: asked, text = "" }: MappedFilter
): boolean =>
  (asked === undefined || isServed === (asked === "served")) && (asked !== "new" || state !== "known") &&
  upstream.toLowerCase().includes(text.toLowerCase()) && upstream > after

/** A model of the upstream that was looked at, and under which name it is to be served; null: it is not. */
export interface ModelChoice {
  readonly upstream: string
  readonly model: string | null
}

/** What a channel serves after choices were made; two that are given one name are said by it. */
export const servedAfter = (
  served: Readonly<Record<string, string>>,
  choices: ReadonlyArray<ModelChoice>
): { readonly models: Readonly<Record<string, string>> } | { readonly twice: string } => {
  const looked = new Set(choices.map(({ upstream }) => upstream))
  // Several of ours may be one of the upstream's: those that still are stay.
  const wanted = new Map(choices.flatMap(({ model, upstream }) => model === null ? [] : [[upstream, model] as const]))
  const models = new Map(
    Object.entries(served).filter(([, upstream]) => !looked.has(upstream) || wanted.has(upstream))
  )
  for (const [upstream, model] of wanted) {
    const before = models.get(model)
    if (before !== undefined && before !== upstream) return { twice: model }
    // A new name takes the place of the one that was shown.
    const shown = Object.entries(served).toSorted().findLast(([, name]) => name === upstream)?.[0]
    if (shown !== undefined && shown !== model) models.delete(shown)
    models.set(model, upstream)
  }
  return { models: Object.fromEntries(models) }
}
