/**
 * The schema of config.yaml: every key, its default and what it accepts, under the file's own snake_case names. The
 * types it decodes to are exact (integers of micros and fen, `Redacted` secrets), so nothing is parsed twice.
 * @internal
 */
import { Effect, Schema, SchemaTransformation } from "effect"
import {
  CHANNEL_KEYS_MAX,
  MULTIPLIER_MAX,
  PRICE_USD_PER_1M_MAX,
  SITE_TERMS_CHARACTERS_MAX,
  TOKENS_MAX,
  TOOL_USD_PER_CALL_MAX
} from "../domain/Bounds.ts"
import { channelTerms } from "../domain/ChannelTerms.ts"
import { modelTerms } from "../domain/ModelTerms.ts"
import { FEN_SCALE, MICROS_SCALE } from "../domain/Money.ts"
import { planOffer } from "../domain/Plan.ts"
import { CodeText } from "../domain/Code.ts"
import { groupTerms } from "../domain/UserGroup.ts"
import {
  daysKept,
  decimal,
  decimalUpTo,
  Flag,
  integer,
  limitUpTo,
  NonEmptyText,
  oneOf,
  optionalDecimal,
  Rate,
  Text,
  textUpTo,
  withDefault
} from "../domain/Scalars.ts"
import {
  Currency,
  Domain,
  EpayBillColumn,
  Host,
  HttpUrl,
  Image,
  IpRange,
  OptionalEmail,
  OptionalHost,
  OptionalHostPort,
  OptionalHttpUrl,
  PostgresUrl,
  Runners,
  Secret,
  TimeZone,
  TopupBonusText
} from "./ConfigScalars.ts"
import { Security, SignIn } from "./AccountSections.ts"
import { section } from "./ConfigSection.ts"
import { isMapping } from "./Mapping.ts"
import { PORT_MAX, settingBounds } from "./SettingBounds.ts"

const GRACE_SECONDS_MAX = 3_600
const BODY_BYTES_MAX = 1_073_741_824
const PRIORITY_MAX = 1_000_000
const WEIGHT_MAX = 1_000_000

/** Headers of the requests that carry traces, at most. */
const TRACE_HEADERS_MAX = 20

const SITE_NAME_CHARACTERS_MAX = 60
const SITE_NOTICE_CHARACTERS_MAX = 500
const SITE_CONTACT_CHARACTERS_MAX = 200

const SMTP_USER_CHARACTERS_MAX = 254

const SELLER_NAME_CHARACTERS_MAX = 100
const SELLER_ADDRESS_CHARACTERS_MAX = 300
const SELLER_TAX_ID_CHARACTERS_MAX = 60

const Fen = decimal(FEN_SCALE)
const Price = decimalUpTo(PRICE_USD_PER_1M_MAX.toString(), { scale: MICROS_SCALE })
const ToolPrice = decimalUpTo(TOOL_USD_PER_CALL_MAX.toString(), { scale: MICROS_SCALE })
const Multiplier = decimalUpTo(MULTIPLIER_MAX.toString(), { scale: MICROS_SCALE })

/** A list that may be left out; `items` are meant then. */
const listOf = <S extends Schema.Constraint>(item: S, items: ReadonlyArray<string> = []) =>
  Schema.Array(item).pipe(Schema.withDecodingDefaultKey(Effect.succeed(items)))

/** Addresses and ranges: a list, or a text with commas between them, as a variable has it. */
const IpRanges = Schema.Union([Schema.Array(Schema.Unknown), Schema.String]).pipe(
  Schema.decodeTo(
    Schema.Array(IpRange),
    SchemaTransformation.transform<ReadonlyArray<unknown>, ReadonlyArray<unknown> | string>({
      decode: (given) => typeof given === "string" ? given.split(",").filter((range) => range.trim() !== "") : given,
      encode: (ranges) => ranges
    })
  ),
  Schema.withDecodingDefaultKey(Effect.succeed([]))
)

const Server = section({
  host: withDefault(NonEmptyText, "127.0.0.1"),
  port: withDefault(integer({ min: 0, max: PORT_MAX }), 8080),
  /** Without a trailing slash; empty: it follows host and port. */
  publicUrl: withDefault(OptionalHttpUrl, ""),
  maxBodyBytes: withDefault(integer({ min: 1, max: BODY_BYTES_MAX }), 20_971_520),
  /** Processes that serve together; `auto`: one for each core, at most 8. */
  runners: withDefault(Runners, 1),
  shutdownGraceSeconds: withDefault(integer({ min: 0, max: GRACE_SECONDS_MAX }), 30),
  /** Addresses and ranges whose forwarding headers are believed. */
  trustedProxies: IpRanges,
  /** Hosts with link-local or metadata addresses that base URLs may name all the same. */
  linkLocalHostsAllowed: listOf(Host)
})

/** How servers of one database, on several machines, reach one another. */
const Cluster = section({
  /** The address of this machine that the others reach, and that is listened on. Empty: this server knows no others. */
  host: withDefault(Text, ""),
  /** The first of several: each server of this machine takes a free one. 0: any. */
  port: withDefault(integer({ min: 0, max: PORT_MAX }), 7810),
  /** Where the others find this one, if that is not where it listens: host:port. None: it is. */
  advertise: withDefault(OptionalHostPort, ""),
  /**
   * Who decides on an account. `arrival`: the server that a call arrives at, and the owner where several servers write one account at
   * once. `owner`: always the owner.
   */
  decide: withDefault(oneOf(["arrival", "owner"]), "arrival")
})

/** How the installation presents itself. */
export const Site = section({
  name: withDefault(textUpTo(1, SITE_NAME_CHARACTERS_MAX), "Realms"),
  /** Shown on every page; empty: nothing is. */
  notice: withDefault(textUpTo(0, SITE_NOTICE_CHARACTERS_MAX), ""),
  /** Empty: ours. */
  logo: withDefault(Image, ""),
  /** How to reach the operator: an e-mail address, an address of the web, or a text; empty: nothing is said. */
  contact: withDefault(textUpTo(0, SITE_CONTACT_CHARACTERS_MAX), ""),
  /** Terms of use, or the address at which they are read; empty: there are none. */
  terms: withDefault(textUpTo(0, SITE_TERMS_CHARACTERS_MAX), "")
})

/** Who sells here, as receipts name it; empty: nothing is said. */
export const Seller = section({
  name: withDefault(textUpTo(0, SELLER_NAME_CHARACTERS_MAX), ""),
  address: withDefault(textUpTo(0, SELLER_ADDRESS_CHARACTERS_MAX), ""),
  taxId: withDefault(textUpTo(0, SELLER_TAX_ID_CHARACTERS_MAX), "")
})

/** Where mail is handed over; off until there is a host. */
export const Smtp = section({
  host: withDefault(OptionalHost, ""),
  port: withDefault(integer(settingBounds["smtp.port"]), 587),
  /** `starttls` and `tls` refuse a server that cannot prove who it is. */
  security: withDefault(oneOf(["starttls", "tls", "none"]), "starttls"),
  /** Empty: the server asks for no credentials. */
  user: withDefault(textUpTo(0, SMTP_USER_CHARACTERS_MAX), ""),
  password: withDefault(Secret, ""),
  /** The address that mail is from; its name is that of the site. */
  from: withDefault(OptionalEmail, "")
})

export const Registration = section({
  mode: withDefault(oneOf(["open", "invite", "closed"]), "open"),
  /** The only domains whose addresses register; none: any. */
  emailDomains: listOf(Domain)
})

/** How the books are kept. */
export const Finance = section({
  /** Whose days are closed: the IANA name. */
  timeZone: withDefault(TimeZone, "UTC"),
  /**
   * Above this a second person confirms what is given in USD micros: credits, accepted payments, adjustments, codes, plans. Null:
   * nobody needs to.
   */
  confirmAboveMicros: withDefault(optionalDecimal(MICROS_SCALE), ""),
  /** The same in fen, for manual payments and refunds. */
  confirmAboveFen: withDefault(optionalDecimal(FEN_SCALE), "")
})

export const Billing = section({
  enabled: withDefault(Flag, true),
  payAsYouGo: withDefault(Flag, true),
  minTopupFen: withDefault(Fen, "10.00"),
  maxTopupFen: withDefault(Fen, "10000.00"),
  /** Exact decimal text, above zero, at most six decimals. */
  creditUsdPerCny: withDefault(Rate, "0.14"),
  /** Offered at one click, as far as they can be bought. */
  topupPresetsFen: listOf(Fen, ["10.00", "30.00", "50.00", "100.00", "200.00", "500.00"]),
  /** What is given on top from some amount on. */
  topupBonuses: listOf(TopupBonusText),
  /** Scaled by 10^6: `1000000n` is times one. */
  multiplierMicros: withDefault(Multiplier, "1"),
  defaultMaxOutputTokens: withDefault(integer(settingBounds["billing.default_max_output_tokens"]), 4096),
  reservationLeaseSeconds: withDefault(integer(settingBounds["billing.reservation_lease_seconds"]), 60),
  commitWaitMs: withDefault(integer(settingBounds["billing.commit_wait_ms"]), 500),
  extendWaitMs: withDefault(integer(settingBounds["billing.extend_wait_ms"]), 2000),
  expiredReservation: withDefault(oneOf(["refund", "charge"]), "refund"),
  onDisconnect: withDefault(oneOf(["cancel", "drain"]), "cancel"),
  /** With `cancel`: how long some streams are read on after their client left, for their exact usage. */
  drainSeconds: withDefault(integer(settingBounds["billing.drain_seconds"]), 10),
  /** With `drain`: how long a stream is read on after its client left. */
  drainMaxSeconds: withDefault(integer(settingBounds["billing.drain_max_seconds"]), 600),
  /** Open reservations of one user, at most. */
  maxOpenHoldsPerUser: withDefault(integer(settingBounds["billing.max_open_holds_per_user"]), 2000)
}, { multiplierMicros: "multiplier" })

/** What calls are limited to where nothing else is said of a key, or of a user. Null: they are not. */
export const Limits = section({
  keyRequestsPerMinute: withDefault(limitUpTo(settingBounds["limits.key_requests_per_minute"].max), 0),
  keyTokensPerMinute: withDefault(limitUpTo(settingBounds["limits.key_tokens_per_minute"].max), 0),
  keyConcurrentCalls: withDefault(limitUpTo(settingBounds["limits.key_concurrent_calls"].max), 0),
  userRequestsPerMinute: withDefault(limitUpTo(settingBounds["limits.user_requests_per_minute"].max), 0),
  userTokensPerMinute: withDefault(limitUpTo(settingBounds["limits.user_tokens_per_minute"].max), 0),
  userConcurrentCalls: withDefault(limitUpTo(settingBounds["limits.user_concurrent_calls"].max), 0)
})

/** How long is kept what is not money, in days. Null: for ever. */
export const Retention = section({
  refusedCallsDays: withDefault(daysKept(settingBounds["retention.refused_calls_days"]), 7),
  /** Longer than a provider may take to dispute a payment, and far longer than any window. */
  subscriptionMinutesDays: withDefault(daysKept(settingBounds["retention.subscription_minutes_days"]), 0)
})

const Epay = section({
  enabled: withDefault(Flag, false),
  gateway: withDefault(OptionalHttpUrl, ""),
  partnerId: withDefault(Text, ""),
  key: withDefault(Secret, ""),
  types: listOf(NonEmptyText, ["alipay", "wxpay"]),
  /** What the gateway calls the columns of its list of trades: `trade_no=Trade number`; see `EpayBill.ts`. */
  billColumns: listOf(EpayBillColumn, ["trade_no=trade_no", "money=money"])
})

const Stripe = section({
  enabled: withDefault(Flag, false),
  secretKey: withDefault(Secret, ""),
  /** Empty disables the webhook endpoint. */
  webhookSecret: withDefault(Secret, ""),
  /** In lower case. */
  currency: withDefault(Currency, "cny"),
  /** Exact decimal text, above zero: minor units of `currency` for one fen. */
  minorPerFen: withDefault(Rate, "1"),
  /** Empty: Stripe itself. */
  apiBase: withDefault(OptionalHttpUrl, "")
}, { minorPerFen: "minor_per_fen" })

export const Payment = section({ epay: Epay, stripe: Stripe })

/** An upstream. Without any key that is not empty it is kept disabled. */
const Channel = section({
  name: NonEmptyText,
  baseUrl: HttpUrl,
  apiKey: withDefault(Secret, ""),
  /** More of them, see `channelKeysOf`. */
  apiKeys: Schema.Array(Secret).pipe(
    Schema.check(Schema.isMaxLength(CHANNEL_KEYS_MAX)),
    Schema.withDecodingDefaultTypeKey(Effect.succeed([]))
  ),
  priority: withDefault(integer({ min: 0, max: PRIORITY_MAX }), 0),
  weight: withDefault(integer({ min: 0, max: WEIGHT_MAX }), 1),
  /** Our model id to the upstream's. */
  models: Schema.Record(Schema.String, NonEmptyText).pipe(Schema.withDecodingDefaultTypeKey(Effect.succeed({}))),
  ...channelTerms.text
})

const prices = {
  inputMicrosPer1m: Price,
  /** Left out: the price of input. */
  cachedInputMicrosPer1m: Schema.optionalKey(Price),
  cacheWriteMicrosPer1m: Schema.optionalKey(Price),
  outputMicrosPer1m: Price
}

const Tools = section({
  webSearchMicros: Schema.optionalKey(ToolPrice),
  fileSearchMicros: Schema.optionalKey(ToolPrice)
}, { webSearchMicros: "web_search_usd_per_call", fileSearchMicros: "file_search_usd_per_call" })

const Model = section({
  id: NonEmptyText,
  ...prices,
  priceTiers: Schema.optionalKey(
    Schema.Array(section({ aboveInputTokens: integer({ min: 1, max: TOKENS_MAX }), ...prices }))
  ),
  tools: Schema.optionalKey(Tools),
  ...modelTerms.text,
  /** Left out: the default, or the context's length where that is shorter. */
  maxOutputTokens: Schema.optionalKey(modelTerms.fields.maxOutputTokens.text)
}, modelTerms.keys)

const Plan = section({ code: NonEmptyText, ...planOffer.text }, planOffer.keys)

const Group = section({ code: CodeText, ...groupTerms.text }, groupTerms.keys)

const Log = section({
  format: Schema.optionalKey(oneOf(["pretty", "json"])),
  level: withDefault(oneOf(["all", "trace", "debug", "info", "warn", "error", "fatal", "none"]), "info"),
  /** A line for each request. */
  access: withDefault(Flag, false),
  /** A line for each call, so many a second at most. */
  calls: withDefault(Flag, true)
})

const Metrics = section({
  /** Who asks has to send it; empty: only programs on this machine are answered. */
  token: withDefault(Secret, ""),
  /** Where metrics have a listener of their own. */
  host: withDefault(Host, "127.0.0.1"),
  /** Its port; 0: they are at /metrics of the server. A runner adds its place. */
  port: withDefault(integer({ min: 0, max: PORT_MAX }), 0)
})

const Traces = section({
  /** Where traces are sent, by OTLP over HTTP; empty: there are none. */
  url: withDefault(OptionalHttpUrl, ""),
  /** Of every request to `url`. */
  headers: Schema.Record(Schema.String, Secret).pipe(
    Schema.check(Schema.isMaxProperties(TRACE_HEADERS_MAX)),
    Schema.withDecodingDefaultTypeKey(Effect.succeed({}))
  ),
  /** The share of calls that are traced, scaled by 10^6. */
  sampleRatioMicros: withDefault(decimalUpTo("1", { scale: MICROS_SCALE }), "0.05")
}, { sampleRatioMicros: "sample_ratio" })

const Telemetry = section({ metrics: Metrics, traces: Traces })

/** The sections of which every key is a setting, which an administrator may change in the browser. */
export const settingSections = {
  site: Site,
  seller: Seller,
  smtp: Smtp,
  registration: Registration,
  security: Security,
  signIn: SignIn,
  finance: Finance,
  billing: Billing,
  limits: Limits,
  retention: Retention,
  payment: Payment
}

/** The whole document, with its sections present: see {@link withSections}. */
export const ConfigDocument = section({
  server: Server,
  cluster: Cluster,
  dataDir: withDefault(NonEmptyText, "./data"),
  database: section({ url: withDefault(PostgresUrl, "") }),
  ...settingSections,
  channels: Schema.Array(Channel),
  models: Schema.Array(Model),
  plans: Schema.Array(Plan),
  groups: Schema.Array(Group),
  telemetry: Telemetry,
  log: Log
})
export type ConfigDocument = typeof ConfigDocument.Type

/**
 * Adds the sections that the file leaves out, empty. (A default on a section's schema would judge the section's shape
 * first and its values only when that is right: half of the problems would be reported at a time.)
 */
export const withSections = (raw: unknown): unknown => {
  if (!isMapping(raw)) return raw
  const payment = raw["payment"] ?? {}
  const telemetry = raw["telemetry"] ?? {}
  const signIn = raw["sign_in"] ?? {}
  return {
    server: {},
    cluster: {},
    database: {},
    site: {},
    seller: {},
    smtp: {},
    registration: {},
    security: {},
    finance: {},
    billing: {},
    limits: {},
    retention: {},
    channels: [],
    models: [],
    plans: [],
    groups: [],
    log: {},
    ...raw,
    payment: isMapping(payment) ? { epay: {}, stripe: {}, ...payment } : payment,
    sign_in: isMapping(signIn) ? { oidc: {}, github: {}, ...signIn } : signIn,
    telemetry: isMapping(telemetry) ? { metrics: {}, traces: {}, ...telemetry } : telemetry
  }
}
