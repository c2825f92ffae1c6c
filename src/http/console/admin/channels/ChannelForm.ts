/**
 * What the form of a channel means: its fields as the input of `ChannelAdmin`, its lines of models with their numbers, and the
 * problems that either of them found, beside the fields they are of.
 */
import { Redacted, Result } from "effect"
import { type AdminChannel, CHANNELS_MAX } from "../../../../channels/ChannelAdmin.ts"
import type { ChannelProblem } from "../../../../channels/ChannelError.ts"
import {
  CHANNEL_MODELS_MAX,
  CHANNEL_PRIORITY_MAX,
  CHANNEL_WEIGHT_MAX,
  type ChannelInput
} from "../../../../channels/ChannelInput.ts"
import { withoutCredentials } from "../../../../config/OutboundUrl.ts"
import { type ChannelTerms, channelTerms } from "../../../../domain/ChannelTerms.ts"
import { columnOf } from "../../../../domain/Row.ts"
import type { Problems } from "../../Answer.ts"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { readTermFields, termEntries, termProblem } from "../terms/TermForm.ts"

/** So many lines are complained of one by one. */
const LINES_NAMED_MAX = 5

export interface ChannelFormInput {
  readonly input: ChannelInput
  /** On which line of the form each model stands, from 1. */
  readonly lines: ReadonlyMap<string, number>
  /** Of lines that name a model again. One that names none is a model without a name, which there is not. */
  readonly problems: ReadonlyArray<string>
  /** Of choices that are not offered. */
  readonly found: ReadonlyArray<ChannelProblem>
}

const integerOf = (text: string | null): number => /^\d{1,9}$/.test(text?.trim() ?? "") ? Number(text) : NaN

/** The models of a form's lines; `all` adds those of `known` that no line names. */
const readModels = (context: UserContext, text: string, all: ReadonlyArray<string>) => {
  const say = sayOf(context, "channels")
  const models = new Map<string, string>()
  const lines = new Map<string, number>()
  const problems: Array<string> = []
  for (const [at, whole] of text.split(/\r\n|\r|\n/).entries()) {
    if (whole.trim() === "") continue
    const line = at + 1
    const equals = whole.indexOf("=")
    const model = (equals === -1 ? whole : whole.slice(0, equals)).trim()
    const upstream = equals === -1 ? model : whole.slice(equals + 1).trim()
    if (!models.has(model)) {
      models.set(model, upstream)
      lines.set(model, line)
    } else if (model !== "") problems.push(say("models.twice", { line, model }))
  }
  for (const model of all) if (!models.has(model)) models.set(model, model)
  return { models: Object.fromEntries(models), lines, problems }
}

/** Terms that were not sent are those of `kept`; `known` are the ids of all models. */
export const readChannelForm = (
  context: UserContext,
  fields: URLSearchParams,
  { kept, known }: { readonly kept: ChannelTerms; readonly known: ReadonlyArray<string> }
): ChannelFormInput => {
  const terms = readTermFields(channelTerms, fields, kept)
  const { lines, models, problems } = readModels(
    context,
    fields.get("models") ?? "",
    fields.get("all_models") === null ? [] : known
  )
  return {
    input: {
      ...Result.getOrElse(terms, () => kept),
      name: fields.get("name") ?? "",
      baseUrl: fields.get("base_url") ?? "",
      apiKey: Redacted.make(fields.get("api_key") ?? ""),
      priority: integerOf(fields.get("priority")),
      weight: integerOf(fields.get("weight")),
      models
    },
    lines,
    problems,
    found: Result.isFailure(terms) ? terms.failure.map((field) => ({ field, reason: "range" as const })) : []
  }
}

/** The fields of a form that was refused, as it is shown again: a credential that was typed into the address is not sent back. */
export const shownFields = (fields: URLSearchParams): URLSearchParams => {
  const shown = new URLSearchParams(fields)
  shown.set("base_url", withoutCredentials(fields.get("base_url") ?? ""))
  return shown
}

/** A channel's models as the form's lines. */
export const linesOf = (models: Readonly<Record<string, string>>): string =>
  Object.entries(models)
    .toSorted(([a], [b]) => a < b ? -1 : 1)
    .map(([model, upstream]) => model === upstream ? model : `${model} = ${upstream}`)
    .join("\n")

/** A channel as its form has it. */
export const formOf = (channel: AdminChannel): URLSearchParams =>
  new URLSearchParams([
    ["name", channel.name],
    ["base_url", channel.baseUrl],
    ["priority", channel.priority.toString()],
    ["weight", channel.weight.toString()],
    ["models", linesOf(channel.models)],
    ...termEntries(channelTerms, channel).map(([name, text]) => [name, text])
  ])

const modelTexts = (
  context: UserContext,
  problem: Extract<ChannelProblem, { readonly field: "models" }>,
  { lines }: ChannelFormInput
): ReadonlyArray<string> => {
  const say = sayOf(context, "channels")
  switch (problem.reason) {
    case "many":
      return [say("models.many", { max: CHANNEL_MODELS_MAX })]
    case "unknown":
      return problem.models.map((model) => {
        const line = lines.get(model) ?? "?"
        return model === "" ? say("models.unnamed", { line }) : say("models.unknown", { model, line })
      })
    case "upstream":
      return problem.models.map((model) => say("models.upstream", { line: lines.get(model) ?? "?" }))
  }
}

const textOf = (context: UserContext, problem: Exclude<ChannelProblem, { readonly field: "models" }>): string => {
  const say = sayOf(context, "channels")
  switch (problem.field) {
    case "name":
      return problem.reason === "length" ? say("name.length") : say("name.taken")
    case "base_url":
      return {
        url: say("url.url"),
        credentials: say("url.credentials"),
        secret: say("url.secret"),
        fragment: say("url.fragment"),
        forbidden: say("url.forbidden")
      }[problem.reason]
    case "api_key":
      return problem.reason === "missing" ? say("key.missing") : say("key.characters")
    case "priority":
      return say("priority.range", { max: CHANNEL_PRIORITY_MAX })
    case "weight":
      return say("weight.range", { max: CHANNEL_WEIGHT_MAX })
    case "form":
      return say("many", { max: CHANNELS_MAX })
    default:
      return termProblem(context, channelTerms.fields[problem.field].kind)
  }
}

/** The problems of a form by field, those of its lines and those that `ChannelAdmin` found. */
export const problemTexts = (
  context: UserContext,
  form: ChannelFormInput,
  found: ReadonlyArray<ChannelProblem>
): Problems => {
  const say = sayOf(context, "channels")
  const texts: { [field: string]: string } = {}
  const models = [...form.problems]
  for (const problem of found) {
    if (problem.field === "models") models.push(...modelTexts(context, problem, form))
    else texts[columnOf(problem.field)] ??= textOf(context, problem)
  }
  if (models.length > 0) {
    const rest = models.length - LINES_NAMED_MAX
    texts["models"] = [
      ...models.slice(0, LINES_NAMED_MAX),
      ...rest > 0 ? [say("models.more", { count: rest })] : []
    ].join(" ")
  }
  return texts
}
