/**
 * The kinds of values that only config.yaml holds: addresses, secrets, time zones and images.
 * @internal
 */
import { Option, Redacted } from "effect"
import { normalizeEmail } from "../domain/EmailAddress.ts"
import { parseIpRange } from "../domain/IpRange.ts"
import { readEpayColumn } from "../domain/EpayBill.ts"
import { scalar, textOf } from "../domain/Scalars.ts"
import { readSiteImage, SITE_IMAGE_BYTES_MAX } from "../domain/SiteImage.ts"
import { printTopupBonus, readTopupBonus } from "../domain/TopupBonus.ts"
import { type HostPort, printHostPort, readHostPort } from "./ClusterAddress.ts"
import { baseUrlOf } from "./OutboundUrl.ts"
import { readRunnerCount, RUNNERS_EXPECTED } from "./RunnerCount.ts"
import { zoneNamed } from "./TimeZones.ts"

const asIs = (text: string): string => text

const hostOf = (raw: unknown): string | undefined => {
  const text = textOf(raw)?.toLowerCase().replace(/^\[|\]$/g, "")
  return text !== undefined && /^[a-z0-9.:-]{1,253}$/.test(text) ? text : undefined
}

/** A host name or IP address, in lower case. */
export const Host = scalar("a host name or an IP address", hostOf, asIs)

/** A domain of e-mail addresses, in lower case. */
export const Domain = scalar("a domain such as example.com", (raw) => {
  const domain = textOf(raw)?.trim().toLowerCase().replace(/^@/, "") ?? ""
  return normalizeEmail(`x@${domain}`) === undefined ? undefined : domain
}, asIs)

const inClear = (secret: Redacted.Redacted<string>): string => Redacted.value(secret)

/** Encodes in clear. */
export const Secret = scalar("a text", (raw) => {
  const text = textOf(raw)
  return text === undefined ? undefined : Redacted.make(text)
}, inClear)

export const PostgresUrl = scalar("a postgres:// URL, or nothing", (raw) => {
  const text = textOf(raw)
  if (text === undefined) return undefined
  return text === "" || (/^postgres(?:ql)?:\/\//.test(text) && URL.canParse(text)) ? Redacted.make(text) : undefined
}, inClear)

const httpUrl = (raw: unknown): string | undefined => {
  const text = textOf(raw)
  if (text === undefined || !URL.canParse(text)) return undefined
  return /^https?:$/.test(new URL(text).protocol) ? baseUrlOf(text) : undefined
}

/** An http(s) URL, kept without trailing slashes. */
export const HttpUrl = scalar("an http:// or https:// URL", httpUrl, asIs)

/** An http(s) URL or nothing, kept without trailing slashes. */
export const OptionalHttpUrl = scalar(
  "an http:// or https:// URL, or nothing",
  (raw) => textOf(raw) === "" ? "" : httpUrl(raw),
  asIs
)

/** A host and a port, or nothing. */
export const OptionalHostPort = scalar("a host and a port such as 10.0.0.5:7810, or nothing", (raw) => {
  const text = textOf(raw)
  if (text === "") return Option.none<HostPort>()
  const address = readHostPort(text ?? "")
  return address === undefined ? undefined : Option.some(address)
}, (address) => Option.match(address, { onNone: () => "", onSome: printHostPort }))

/** A host name or IP address, in lower case, or nothing. */
export const OptionalHost = scalar("a host name or an IP address, or nothing", (raw) => {
  const text = textOf(raw)
  return text === "" ? "" : hostOf(raw)
}, asIs)

/** An e-mail address, in lower case, or nothing. */
export const OptionalEmail = scalar("an e-mail address, or nothing", (raw) => {
  const text = textOf(raw)
  return text === undefined || text === "" ? text : normalizeEmail(text)
}, asIs)

/** How many runners; `auto` is resolved to a number. */
export const Runners = scalar(RUNNERS_EXPECTED, (raw) => readRunnerCount(textOf(raw) ?? ""), String)

/** An IP address, or a range of them as address/prefix. */
export const IpRange = scalar(
  "an IP address or a range such as 10.0.0.0/8",
  (raw) => parseIpRange(textOf(raw) ?? ""),
  asIs
)

/** A column of an EPay gateway's list of trades. */
export const EpayBillColumn = scalar(
  "trade_no, money, refund, fee, time or state, then = and the title of the column (of state, and :value)",
  (raw) => {
    const column = readEpayColumn(textOf(raw) ?? "")
    return column === undefined ? undefined : column.join("=")
  },
  asIs
)

/** From which amount on what is given on top of a top-up. */
export const TopupBonusText = scalar(
  'an amount in CNY, a colon and a percentage up to 100, such as "100.00: 5 percent"',
  (raw) => readTopupBonus(textOf(raw) ?? ""),
  printTopupBonus
)

/** A time zone by its IANA name. */
export const TimeZone = scalar("the IANA name of a time zone, such as Asia/Shanghai", (raw) => {
  const text = textOf(raw)
  return text === undefined ? undefined : zoneNamed(text)
}, asIs)

/** A currency code of three letters, in lower case. */
export const Currency = scalar("a currency code of three letters", (raw) => {
  const text = textOf(raw)?.toLowerCase()
  return text !== undefined && /^[a-z]{3}$/.test(text) ? text : undefined
}, asIs)

/** A small image as a `data:` URL. */
export const Image = scalar(
  `a data: URL of a PNG, JPEG or WebP image of at most ${SITE_IMAGE_BYTES_MAX} bytes, or nothing`,
  (raw) => {
    const text = textOf(raw)
    return text === undefined || text === "" || readSiteImage(text) !== undefined ? text : undefined
  },
  asIs
)
