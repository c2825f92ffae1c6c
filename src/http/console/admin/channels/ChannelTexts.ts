/**
 * What the terms of a channel are called on its pages, and what is said of a form that was refused and of a test of a channel.
 */
import { CHANNELS_MAX } from "../../../../channels/ChannelAdmin.ts"
import type { ChannelProblem } from "../../../../channels/ChannelError.ts"
import type { ChannelFormInput } from "../../../../channels/ChannelForm.ts"
import { CHANNEL_MODELS_MAX } from "../../../../channels/ChannelInput.ts"
import type { FailureReason } from "../../../../channels/FailureReason.ts"
import { CHANNEL_KEYS_MAX } from "../../../../domain/Bounds.ts"
import { withoutCredentials } from "../../../../config/OutboundUrl.ts"
import { type ChannelSettings, channelSettings } from "../../../../domain/ChannelTerms.ts"
import type { ChannelTestOutcome } from "../../../../gateway/ChannelTest.ts"
import type { FormState, Problems } from "../../Answer.ts"
import { type PageContext, sayOf, type UserContext } from "../../PageContext.ts"
import { shownTerms } from "../Terms.tsx"

export const channelTermsOf = (context: PageContext) => {
  const say = sayOf(context, "channelTerm")
  const channels = sayOf(context, "channels")
  return shownTerms(context, channelSettings, {
    priority: { label: channels("priority"), hint: channels("priority.hint") },
    weight: { label: channels("weight"), hint: channels("weight.hint") },
    unknownFields: {
      label: say("unknown"),
      hint: say("unknown.hint"),
      options: { drop: say("unknown.drop"), forward: say("unknown.forward"), refuse: say("unknown.refuse") }
    },
    knownFields: { label: say("known"), hint: say("known.hint") },
    firstByteTimeoutSeconds: { label: say("first"), hint: say("first.hint") },
    idleTimeoutSeconds: { label: say("idle"), hint: say("idle.hint") },
    storesResponses: { label: say("stores"), hint: say("stores.hint") },
    inputOverheadTokens: { label: say("overhead"), hint: say("overhead.hint") },
    maxConnections: { label: say("connections"), hint: say("connections.hint") }
  })
}

/** So many lines are complained of one by one. */
const LINES_NAMED_MAX = 5

/** A form as it is shown: a credential that was typed into the address is not sent back. */
export const shownState = ({ problems, values }: FormState): FormState => {
  const shown = new URLSearchParams(values)
  shown.delete("api_key")
  if (values.has("base_url")) shown.set("base_url", withoutCredentials(values.get("base_url") ?? ""))
  return { values: shown, problems }
}

const modelTexts = (
  context: UserContext,
  problem: Extract<ChannelProblem, { readonly field: "models" }>,
  { lines }: Pick<ChannelFormInput, "lines">
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

type FieldProblem = Exclude<ChannelProblem, { readonly field: "models" | keyof ChannelSettings }>

const textOf = (context: UserContext, problem: FieldProblem): string => {
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
      return {
        missing: say("key.missing"),
        characters: say("key.characters"),
        many: say("key.many", { max: CHANNEL_KEYS_MAX })
      }[problem.reason]
    case "form":
      return say("many", { max: CHANNELS_MAX })
  }
}

const isTerm = (
  problem: ChannelProblem
): problem is Extract<ChannelProblem, { field: keyof ChannelSettings }> =>
  Object.hasOwn(channelSettings.fields, problem.field)

/** The problems of a form by field, those of its lines and those that `ChannelAdmin` found. */
export const problemTexts = (
  context: UserContext,
  form: Pick<ChannelFormInput, "lines" | "repeated">,
  found: ReadonlyArray<ChannelProblem>
): Problems => {
  const say = sayOf(context, "channels")
  const texts: { [field: string]: string } = {}
  const models = form.repeated.map((again) => say("models.twice", again))
  for (const problem of found) {
    if (problem.field === "models") models.push(...modelTexts(context, problem, form))
    else if (isTerm(problem)) Object.assign(texts, channelTermsOf(context).problems([problem.field]))
    else texts[problem.field] ??= textOf(context, problem)
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

/** A failure in words. */
export const failureText = (context: Pick<PageContext, "language">, reason: FailureReason): string =>
  sayOf(context, "channels")(`test.${reason}`)

/** What a test came to; `unknown_model` was not even asked. */
export type TestResult = ChannelTestOutcome | "unknown_model"

export const testText = (context: Pick<PageContext, "language" | "formats">, result: TestResult): string => {
  const say = sayOf(context, "channels")
  if (result === "unknown_model") return say("test.unknown")
  const { model, reason, status } = result
  const seconds = context.formats.seconds(result.latencyMs)
  if (reason === null) return say("test.ok", { model, seconds })
  const why = failureText(context, reason)
  return status === null
    ? say("test.failed", { model, seconds, reason: why })
    : say("test.failed.status", { model, seconds, status, reason: why })
}
