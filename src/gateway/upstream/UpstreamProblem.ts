/**
 * Why an upstream did not answer a call, and what follows: another channel is tried, the breaker counts it, or the client is
 * told. What is the operator's affair - credentials, quota, an unknown deployment - goes to the next channel and is never shown;
 * what is the request's own fault goes back to the client, cleaned of names that are the operator's.
 */
import type { FailureReason, SaidFailure } from "../../channels/FailureReason.ts"
import type { FrameFailure } from "../meter/FrameFailure.ts"
import type { OpenAiError, OpenAiErrorCode } from "../OpenAiError.ts"
import {
  credentials,
  encryptedContent,
  isOperators,
  isSuspended,
  isUnpaid,
  operatorsAccount,
  permission,
  requestsOwn,
  tooFast,
  tooLargeForTier,
  unknownModel,
  unknownReference
} from "./ProblemWords.ts"

/** An answer that another channel may better. */
export interface ChannelFailed {
  readonly _tag: "ChannelFailed"
  readonly code: Extract<
    OpenAiErrorCode,
    "upstream_error" | "upstream_timeout" | "upstream_rate_limited" | "rate_limit_exceeded"
  >
  /** What the breaker counts it for; null: it counts for none. */
  readonly scope: "model" | "channel" | null
  /** Of a 429: how long the user stays away from the channel, in seconds. */
  readonly retryAfterSeconds: number | undefined
  /** For the log. */
  readonly why: string
  /** For people. */
  readonly said: SaidFailure
  /** Given to the client when no channel answers, in place of our own words. */
  readonly refusal: RequestRefused | undefined
}

/** The request's own fault, in words that a client may see. */
export interface RequestRefused {
  readonly _tag: "RequestRefused"
  readonly status: number
  readonly error: OpenAiError
}

/** A failure that no error of the upstream describes. */
export const failedBecause = (
  { name }: { readonly name: string },
  why: string,
  more: Partial<Pick<ChannelFailed, "code" | "refusal" | "retryAfterSeconds" | "said" | "scope">> = {}
): ChannelFailed => ({
  _tag: "ChannelFailed",
  code: "upstream_error",
  scope: "model",
  retryAfterSeconds: undefined,
  why: `${name}: ${why}`,
  said: { reason: "upstream_error", status: null },
  refusal: undefined,
  ...more
})

export type UpstreamProblem = ChannelFailed | RequestRefused

/** An error as an upstream said it, in whatever shape. */
export interface SaidError {
  /** The HTTP status, or the one that an error frame names; undefined: none. */
  readonly status: number | undefined
  readonly code: string
  readonly type: string
  readonly message: string
  readonly param: string | null
  /** A page of HTML, or of a proxy: not the words of an API. */
  readonly isPage?: boolean
}

/** An error inside an answer, as one that was said. */
export const saidIn = (failure: FrameFailure): SaidError => ({
  status: failure.status,
  code: failure.code ?? "",
  type: failure.type ?? "",
  message: failure.message ?? "",
  param: null
})

/** Who asked for what; `upstreamModel` is never shown. */
export interface ProblemContext {
  readonly channel: string
  readonly model: string
  readonly upstreamModel: string
  /** Of a 429. */
  readonly retryAfterSeconds: number | undefined
}

const operatorsReason = (text: string): FailureReason =>
  isUnpaid(text) ? "unpaid" : isSuspended(text) ? "unauthorized" : "refused"

/** What proxies answer with pages of their own. */
const proxyStatuses: ReadonlySet<number> = new Set([400, 403, 413])

/** 4xx between the gateway and its upstream: nothing in a call's body makes them. */
const betweenServers: ReadonlySet<number> = new Set([
  405,
  406,
  407,
  409,
  410,
  411,
  412,
  415,
  417,
  421,
  424,
  425,
  426,
  428,
  431,
  451,
  498,
  499
])

/** The upstream does not have what the request refers to: it is another account's, or gone. */
export const isUnknownReference = ({ error, status }: RequestRefused): boolean =>
  (status === 400 || status === 404) && unknownReference.test(`${error.code ?? ""} ${error.message}`)

const textOf = (said: SaidError): string => `${said.code} ${said.type} ${said.message}`

const failed = (
  context: ProblemContext,
  said: SaidError,
  reason: FailureReason,
  scope: ChannelFailed["scope"],
  more: Partial<Pick<ChannelFailed, "code" | "refusal" | "retryAfterSeconds">> = {}
): ChannelFailed => ({
  _tag: "ChannelFailed",
  code: "upstream_error",
  scope,
  retryAfterSeconds: undefined,
  why: `${context.channel}: ${said.status ?? "error frame"} ${said.code}`.trim(),
  said: { reason, status: said.status ?? null },
  refusal: undefined,
  ...more
})

/** Sorts an error. An error that nothing here knows counts as the upstream's failure, except a 4xx, which is the request's. */
export const problemOf = (said: SaidError, context: ProblemContext): UpstreamProblem => {
  const text = textOf(said)
  const { status } = said
  // An error that names a parameter is about the request, whatever its words quote.
  const namesParameter = status !== undefined && said.param !== null && said.param !== "model"
  const isAccounts = operatorsAccount.test(text) && !requestsOwn.test(text)
  const isRequests = !isAccounts && (namesParameter || requestsOwn.test(text))
  if (encryptedContent.test(text)) return failed(context, said, "refused", null, { refusal: refused(said, context) })
  if (status === 401) return failed(context, said, "unauthorized", "channel")
  if (status === 402) return failed(context, said, "unpaid", "channel")
  if (!isRequests && isOperators(text)) {
    // A message may quote the request: alone it closes no channel for everybody.
    const isCertain = status === undefined || status === 403 || status === 429 ||
      isOperators(`${said.code} ${said.type}`)
    return failed(context, said, operatorsReason(text), isCertain ? "channel" : "model")
  }
  if (
    status === 429 || (!isRequests && (status === undefined || status === 400 || status === 403) && tooFast.test(text))
  ) {
    return failed(context, said, "rate_limited", "model", {
      code: "upstream_rate_limited",
      retryAfterSeconds: context.retryAfterSeconds ?? 1
    })
  }
  if (status === 408 || status === 504) return failed(context, said, "timeout", "model", { code: "upstream_timeout" })
  if (isRequests && (status === undefined || (status >= 400 && status < 500))) return refused(said, context)
  if (status === undefined && credentials.test(text)) {
    return failed(context, said, "unauthorized", credentials.test(`${said.code} ${said.type}`) ? "channel" : "model")
  }
  if (status === undefined) return failed(context, said, "upstream_error", "model")
  if (status < 400 || status >= 500) return failed(context, said, "upstream_error", "model")
  return clientErrorOf(status, text, said, context)
}

/** A 4xx whose words say nothing of quota, rate or the request's own limits. */
const clientErrorOf = (status: number, text: string, said: SaidError, context: ProblemContext): UpstreamProblem => {
  // Whatever stands before the upstream judged by what it could see. It may still be the size of the body.
  if (said.isPage === true && proxyStatuses.has(status)) {
    return failed(context, said, "refused", "model", status === 413 ? { refusal: refused(said, context) } : {})
  }
  // The path is ours: a 404 that does not speak of the request's own ids is a wrong address or an unknown deployment.
  if (status === 404 || unknownModel.test(text)) return failed(context, said, "not_found", "model")
  if (credentials.test(text) && (status === 400 || status === 403)) {
    const isCertain = status === 403 || credentials.test(`${said.code} ${said.type}`)
    return failed(context, said, "unauthorized", isCertain ? "channel" : "model")
  }
  if (status === 403 && permission.test(text)) return failed(context, said, "unauthorized", "model")
  if (status === 413 && tooLargeForTier.test(text)) return failed(context, said, "rate_limited", "model")
  if (betweenServers.has(status)) return failed(context, said, "refused", "model")
  return refused(said, context)
}

/**
 * Identifiers and keys of the operator's account, by their beginnings; signed tokens, Amazon's keys and resources, Google's projects,
 * Azure's hosts and subscriptions, and numbers of accounts.
 */
const accountIds = new RegExp(
  [
    /\b(?:org|sk|pk|ak|gsk|csk|xai|nvapi|hf|fw|r8|tgp|pplx|proj|acct|wrkspc)[-_][A-Za-z0-9_-]{6,}/,
    /\b(?:key|user|req|team)[-_](?=[A-Za-z_-]*\d)[A-Za-z0-9_-]{6,}/,
    /\bAIza[\w-]{20,}|\bya29\.[\w-]+|\beyJ[\w-]{8,}(?:\.[\w-]+){1,2}|\bA[KS]IA[A-Z0-9]{12,}/,
    /\barn:[\w:/.-]+|\b(?:projects|subscriptions|resourceGroups)\/[^\s/'"]+/,
    /\b[\w-]+\.(?:openai|cognitiveservices|services\.ai)\.azure\.com/,
    /(?<=(?:\b(?:account|subscription|uid)(?: id)?|账户|账号|帐户|帐号)[^\w]{0,3})(?=[\w-]*\d{4})[\w-]{6,}/
  ].map(({ source }) => source).join("|"),
  "gi"
)
const bearerToken = /\bbearer\s+\S+/gi

const hidden = "[hidden]"

/** Words that would name whose account it is. */
const namesOrganisation = /organi[sz]ation|\bproject\b|\bworkspace\b|\btenant\b/i

const generic = "The upstream refused this request."

/** The message as a client may see it: without keys, account ids and the upstream's name of the model. */
export const cleaned = (message: string, context: Pick<ProblemContext, "model" | "upstreamModel">): string => {
  const text = message.replace(accountIds, hidden).replace(bearerToken, hidden)
  const named = context.upstreamModel === context.model ? text : renamed(text, context)
  return named.trim() === "" || namesOrganisation.test(named) ? generic : named.slice(0, MESSAGE_CHARACTERS_MAX)
}

/** The upstream's name of the model, as a word of its own, becomes ours. */
const renamed = (text: string, { model, upstreamModel }: Pick<ProblemContext, "model" | "upstreamModel">): string =>
  text.replace(
    new RegExp(`(?<![\\w.-])${upstreamModel.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}(?![\\w-])`, "gi"),
    () => model
  )

/** Longer messages of an upstream are cut, in UTF-16 units. */
const MESSAGE_CHARACTERS_MAX = 4_000

/** A code, a type or the path of a parameter as a client may see it. */
const identifier = (text: string, context: Pick<ProblemContext, "model" | "upstreamModel">): string =>
  renamed(text.replace(accountIds, hidden), context).slice(0, IDENTIFIER_CHARACTERS_MAX)

const IDENTIFIER_CHARACTERS_MAX = 100

const refused = (said: SaidError, context: ProblemContext): RequestRefused => ({
  _tag: "RequestRefused",
  status: said.status !== undefined && said.status >= 400 && said.status < 500 ? said.status : 400,
  error: {
    message: cleaned(said.message, context),
    type: said.type === "" ? "invalid_request_error" : identifier(said.type, context),
    param: said.param && identifier(said.param, context),
    code: said.code === "" ? null : identifier(said.code, context)
  }
})
