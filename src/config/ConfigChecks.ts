/**
 * The rules of a configuration that concern more than one value: names that must be unique, amounts in order, and no
 * real payment provider behind an address that its callbacks cannot reach.
 * @internal
 */
import { Option, Redacted } from "effect"
import { isIP } from "node:net"
import type { ConfigProblem } from "./ConfigProblem.ts"
import type { ConfigDocument } from "./ConfigSchema.ts"
import { modelProblems } from "./ConfigTerms.ts"

/** True for a host that only this machine can reach, and for the wildcard addresses, which name no reachable host. */
export const isLoopbackHost = (host: string): boolean => {
  const name = host.toLowerCase().replace(/^\[|\]$/g, "").replace(/\.$/, "")
  if (name === "localhost" || name.endsWith(".localhost") || name === "0.0.0.0" || name === "::" || name === "::1") {
    return true
  }
  return isIP(name) === 4 ? name.startsWith("127.") : /^::ffff:(?:127\.|7f)/.test(name)
}

/** True for a host at which nobody but this machine reaches a listener. */
const isOwnHost = (host: string): boolean => isLoopbackHost(host) && host !== "0.0.0.0" && host !== "::"

/** The same for the host of a URL; false for any other text. */
export const isLoopbackUrl = (url: string): boolean => URL.canParse(url) && isLoopbackHost(new URL(url).hostname)

/** An address whose answers nobody on the way can forge or read: https, or this machine. */
export const isHttpsOrLoopback = (url: string): boolean =>
  URL.canParse(url) && (new URL(url).protocol === "https:" || isLoopbackUrl(url))

const duplicates = (list: string, key: string, values: ReadonlyArray<string>): ReadonlyArray<ConfigProblem> =>
  values.flatMap((value, index) => {
    const first = values.indexOf(value)
    return first === index ? [] : [{ path: [list, index, key], message: `is the same as ${list}[${first}].${key}` }]
  })

/** Amounts offered at one click, at most. */
const TOPUP_PRESETS_MAX = 12

/** Steps of the bonus, at most. */
const TOPUP_BONUSES_MAX = 20

const tooMany = (key: string, items: ReadonlyArray<unknown>, max: number): ReadonlyArray<ConfigProblem> =>
  items.length > max ? [{ path: ["billing", key], message: `expected at most ${max} of them` }] : []

const twice = (key: string, amounts: ReadonlyArray<bigint>): ReadonlyArray<ConfigProblem> =>
  new Set(amounts).size < amounts.length ? [{ path: ["billing", key], message: "expected each amount once" }] : []

const unreachableProvider = (
  publicHostIsLoopback: boolean,
  provider: {
    readonly section: string
    readonly enabled: boolean
    readonly endpointKey: string
    readonly endpoint: string
  }
): ReadonlyArray<ConfigProblem> =>
  provider.enabled && publicHostIsLoopback && !isLoopbackUrl(provider.endpoint)
    ? [{
      path: ["payment", provider.section, "enabled"],
      message: "cannot be true while server.public_url is a loopback address, which the provider's callbacks cannot " +
        `reach: set server.public_url (only a ${provider.endpointKey} on loopback goes with a loopback address)`
    }]
    : []

const smtpProblems = ({ from, host, security, user }: ConfigDocument["smtp"]): ReadonlyArray<ConfigProblem> => [
  ...host !== "" && from === ""
    ? [{ path: ["smtp", "from"], message: "expected the address that mail is from, because smtp.host is set" }]
    : [],
  ...host !== "" && user !== "" && security === "none" && !isOwnHost(host)
    ? [{
      path: ["smtp", "security"],
      message: "expected starttls or tls: without them the password would be sent in clear to another machine"
    }]
    : []
]

const unencrypted = (provider: string, key: string, url: string): ReadonlyArray<ConfigProblem> =>
  url === "" || isHttpsOrLoopback(url) ? [] : [{
    path: ["sign_in", provider, key],
    message: "expected an https:// address (http:// only on loopback): the client's secret is sent to it"
  }]

const headerProblems = (headers: ConfigDocument["telemetry"]["traces"]["headers"]): ReadonlyArray<ConfigProblem> =>
  Object.entries(headers).flatMap(([name, value]) =>
    /^[a-z0-9!#$%&'*+.^_`|~-]{1,100}$/i.test(name) && /^[\x20-\x7e]*$/.test(Redacted.value(value)) ? [] : [{
      path: ["telemetry", "traces", "headers", name],
      message: "expected the name of a header, and a value of printable ASCII"
    }]
  )

/** All violations in a document that decoded. */
export const checkConfig = (document: ConfigDocument): ReadonlyArray<ConfigProblem> => {
  const { billing, payment, server, smtp, telemetry } = document
  const loopback = server.publicUrl === "" ? isLoopbackHost(server.host) : isLoopbackUrl(server.publicUrl)
  return [
    ...(document.cluster.host === "0.0.0.0" || document.cluster.host === "::") &&
        Option.isNone(document.cluster.advertise)
      ? [{
        path: ["cluster", "host"],
        message: "expected an address that the other servers reach, or cluster.advertise"
      }]
      : [],
    ...duplicates("channels", "name", document.channels.map((channel) => channel.name)),
    ...duplicates("models", "id", document.models.map((model) => model.id)),
    ...document.models.flatMap(modelProblems),
    ...duplicates("plans", "code", document.plans.map((plan) => plan.code)),
    ...duplicates("groups", "code", document.groups.map((group) => group.code)),
    ...document.plans.flatMap(({ groupCode }, index) =>
      groupCode === null || document.groups.some(({ code }) => code === groupCode)
        ? []
        : [{ path: ["plans", index, "group"], message: "expected the code of one of groups" }]
    ),
    ...billing.minTopupFen <= 0n
      ? [{ path: ["billing", "min_topup_cny"], message: "expected an amount above zero" }]
      : [],
    ...billing.maxTopupFen < billing.minTopupFen
      ? [{ path: ["billing", "max_topup_cny"], message: "expected at least billing.min_topup_cny" }]
      : [],
    ...tooMany("topup_presets_cny", billing.topupPresetsFen, TOPUP_PRESETS_MAX),
    ...tooMany("topup_bonuses", billing.topupBonuses, TOPUP_BONUSES_MAX),
    ...twice("topup_presets_cny", billing.topupPresetsFen),
    ...twice("topup_bonuses", billing.topupBonuses.map(({ fromFen }) => fromFen)),
    ...payment.epay.gateway === "" || isHttpsOrLoopback(payment.epay.gateway) ? [] : [{
      path: ["payment", "epay", "gateway"],
      message:
        "expected an https:// address (http:// only on loopback): the gateway's answers are not signed, and the " +
        "merchant key is sent to it"
    }],
    ...unencrypted("oidc", "issuer", document.signIn.oidc.issuer),
    ...unencrypted("github", "url", document.signIn.github.url),
    ...unreachableProvider(loopback, {
      section: "epay",
      enabled: payment.epay.enabled,
      endpointKey: "gateway",
      endpoint: payment.epay.gateway
    }),
    ...unreachableProvider(loopback, {
      section: "stripe",
      enabled: payment.stripe.enabled,
      endpointKey: "api_base",
      endpoint: payment.stripe.apiBase
    }),
    ...telemetry.metrics.port !== 0 && !isOwnHost(telemetry.metrics.host) &&
        Redacted.value(telemetry.metrics.token) === ""
      ? [{
        path: ["telemetry", "metrics", "token"],
        message:
          "expected a token: others than this machine reach telemetry.metrics.host, and metrics say what is earned here"
      }]
      : [],
    ...smtpProblems(smtp),
    ...headerProblems(telemetry.traces.headers)
  ]
}
