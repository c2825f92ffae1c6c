/**
 * A channel as its form has it, and the channel that a form asks for. Its models are lines: `model`, or `model = upstream` where the
 * upstream calls it something else.
 */
import { Redacted, Result } from "effect"
import { type ChannelSettings, channelSettings } from "../domain/ChannelTerms.ts"
import type { AdminChannel } from "./AdminChannel.ts"
import type { ChannelProblem } from "./ChannelError.ts"
import type { ChannelInput } from "./ChannelInput.ts"

export interface ChannelFormInput {
  readonly input: ChannelInput
  /** On which line of the form each model stands, from 1. */
  readonly lines: ReadonlyMap<string, number>
  /** Lines that name a model again. One that names none is a model without a name, which there is not. */
  readonly repeated: ReadonlyArray<{ readonly line: number; readonly model: string }>
  /** Of choices that are not offered. */
  readonly found: ReadonlyArray<ChannelProblem>
}

/** The models of a form's lines; `more` are served besides them. */
const readModels = (text: string, more: ReadonlyArray<string>) => {
  const models = new Map<string, string>()
  const lines = new Map<string, number>()
  const repeated: Array<ChannelFormInput["repeated"][number]> = []
  for (const [at, whole] of text.split(/\r\n|\r|\n/).entries()) {
    if (whole.trim() === "") continue
    const line = at + 1
    const equals = whole.indexOf("=")
    const model = (equals === -1 ? whole : whole.slice(0, equals)).trim()
    const upstream = equals === -1 ? model : whole.slice(equals + 1).trim()
    if (!models.has(model)) {
      models.set(model, upstream)
      lines.set(model, line)
    } else if (model !== "") repeated.push({ line, model })
  }
  for (const model of more) if (!models.has(model)) models.set(model, model)
  return { models: Object.fromEntries(models), lines, repeated }
}

/** The keys of a form, one on each line. */
export const keysIn = (form: URLSearchParams): ReadonlyArray<Redacted.Redacted<string>> =>
  (form.get("api_key") ?? "").split(/\r\n|\r|\n/).map((key) => Redacted.make(key))

/** Terms that were not sent are those of `kept`; `known` are the ids of all models. */
export const readChannelForm = (
  form: URLSearchParams,
  { kept, known }: { readonly kept: ChannelSettings; readonly known: ReadonlyArray<string> }
): ChannelFormInput => {
  const settings = channelSettings.readForm(form, kept)
  const { models, ...read } = readModels(form.get("models") ?? "", form.has("all_models") ? known : [])
  return {
    input: {
      ...Result.getOrElse(settings, () => kept),
      name: form.get("name") ?? "",
      baseUrl: form.get("base_url") ?? "",
      apiKeys: keysIn(form),
      models
    },
    ...read,
    found: Result.isFailure(settings) ? settings.failure.map((field) => ({ field, reason: "range" as const })) : []
  }
}

/** A channel's models as the form's lines. */
export const linesOf = (models: Readonly<Record<string, string>>): string =>
  Object.entries(models)
    .toSorted(([a], [b]) => a < b ? -1 : 1)
    .map(([model, upstream]) => model === upstream ? model : `${model} = ${upstream}`)
    .join("\n")

export const toChannelForm = (channel: AdminChannel): URLSearchParams =>
  new URLSearchParams([
    ["name", channel.name],
    ["base_url", channel.baseUrl],
    ["models", linesOf(channel.models)],
    ...channelSettings.toForm(channel)
  ])
