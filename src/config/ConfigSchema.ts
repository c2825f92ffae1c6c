/**
 * The schema of config.yaml: every key, its default and what it accepts, under the file's own snake_case names. The
 * types it decodes to are exact (integers of micros and fen, `Redacted` secrets), so nothing is parsed twice.
 * @internal
 */
import { Record, Schema } from "effect"
import {
  DURATION_DAYS_MAX,
  MULTIPLIER_MAX,
  PRICE_USD_PER_1M_MAX,
  TOKENS_MAX,
  TOOL_USD_PER_CALL_MAX
} from "../domain/Bounds.ts"
import { channelTermList } from "../domain/ChannelTermList.ts"
import { modelTermList } from "../domain/ModelTermList.ts"
import { FEN_SCALE, MICROS_SCALE } from "../domain/Money.ts"
import type { TermList } from "../domain/Term.ts"
import {
  Currency,
  decimal,
  decimalUpTo,
  EpayBillColumn,
  Flag,
  Host,
  HttpUrl,
  integer,
  IpRange,
  NonEmptyText,
  ofTerm,
  oneOf,
  optionalDecimal,
  OptionalHttpUrl,
  orElse,
  PostgresUrl,
  Rate,
  Secret,
  Text,
  textUpTo,
  TimeZone
} from "./ConfigScalars.ts"

const PORT_MAX = 65_535
const GRACE_SECONDS_MAX = 3_600
const LEASE_SECONDS_MAX = 86_400
const WAIT_MS_MAX = 600_000
const DRAIN_SECONDS_MAX = 86_400
const OPEN_HOLDS_MAX = 1_000_000
const BODY_BYTES_MAX = 1_073_741_824
const PRIORITY_MAX = 1_000_000
const WEIGHT_MAX = 1_000_000

const SITE_NAME_CHARACTERS_MAX = 60
const SITE_NOTICE_CHARACTERS_MAX = 500

const Fen = decimal(FEN_SCALE)
const Micros = decimal(MICROS_SCALE)
const Price = decimalUpTo(MICROS_SCALE, PRICE_USD_PER_1M_MAX.toString())
const ToolPrice = decimalUpTo(MICROS_SCALE, TOOL_USD_PER_CALL_MAX.toString())
const Multiplier = decimalUpTo(MICROS_SCALE, MULTIPLIER_MAX.toString())

const Server = Schema.Struct({
  host: orElse(NonEmptyText, "127.0.0.1"),
  port: orElse(integer(0, PORT_MAX), 8080),
  public_url: orElse(OptionalHttpUrl, ""),
  max_body_bytes: orElse(integer(1, BODY_BYTES_MAX), 20_971_520),
  shutdown_grace_seconds: orElse(integer(0, GRACE_SECONDS_MAX), 30),
  trusted_proxies: Schema.optionalKey(Schema.Array(IpRange)),
  link_local_hosts_allowed: Schema.optionalKey(Schema.Array(Host))
})

const Site = Schema.Struct({
  name: orElse(textUpTo(1, SITE_NAME_CHARACTERS_MAX), "Realms"),
  notice: orElse(textUpTo(0, SITE_NOTICE_CHARACTERS_MAX), "")
})

const Finance = Schema.Struct({
  time_zone: orElse(TimeZone, "UTC"),
  confirm_above_usd: orElse(optionalDecimal(MICROS_SCALE), ""),
  confirm_above_cny: orElse(optionalDecimal(FEN_SCALE), "")
})

const Billing = Schema.Struct({
  enabled: orElse(Flag, true),
  pay_as_you_go: orElse(Flag, true),
  min_topup_cny: orElse(Fen, "10.00"),
  max_topup_cny: orElse(Fen, "10000.00"),
  credit_usd_per_cny: orElse(Rate, "0.14"),
  multiplier: orElse(Multiplier, "1"),
  default_max_output_tokens: orElse(integer(1, TOKENS_MAX), 4096),
  reservation_lease_seconds: orElse(integer(1, LEASE_SECONDS_MAX), 60),
  commit_wait_ms: orElse(integer(0, WAIT_MS_MAX), 500),
  extend_wait_ms: orElse(integer(0, WAIT_MS_MAX), 2000),
  expired_reservation: orElse(oneOf(["refund", "charge"]), "refund"),
  on_disconnect: orElse(oneOf(["cancel", "drain"]), "cancel"),
  drain_seconds: orElse(integer(0, DRAIN_SECONDS_MAX), 10),
  drain_max_seconds: orElse(integer(0, DRAIN_SECONDS_MAX), 600),
  max_open_holds_per_user: orElse(integer(1, OPEN_HOLDS_MAX), 2000)
})

const Epay = Schema.Struct({
  enabled: orElse(Flag, false),
  gateway: orElse(OptionalHttpUrl, ""),
  partner_id: orElse(Text, ""),
  key: orElse(Secret, ""),
  types: Schema.optionalKey(Schema.Array(NonEmptyText)),
  bill_columns: Schema.optionalKey(Schema.Array(EpayBillColumn))
})

const Stripe = Schema.Struct({
  enabled: orElse(Flag, false),
  secret_key: orElse(Secret, ""),
  webhook_secret: orElse(Secret, ""),
  currency: orElse(Currency, "cny"),
  minor_per_fen: orElse(Rate, "1"),
  api_base: orElse(OptionalHttpUrl, "")
})

/** Terms may be left out; what then holds is said where the document becomes a configuration. */
const optionalTerms = <K extends string, T>(list: TermList<K, T>) =>
  Record.map(list, (term) => Schema.optionalKey(ofTerm(term)))

const Channel = Schema.Struct({
  name: NonEmptyText,
  base_url: HttpUrl,
  api_key: orElse(Secret, ""),
  priority: orElse(integer(0, PRIORITY_MAX), 0),
  weight: orElse(integer(1, WEIGHT_MAX), 1),
  models: Schema.optionalKey(Schema.Record(Schema.String, NonEmptyText)),
  ...optionalTerms(channelTermList)
})

const prices = {
  input_usd_per_1m: Price,
  cached_input_usd_per_1m: Schema.optionalKey(Price),
  cache_write_usd_per_1m: Schema.optionalKey(Price),
  output_usd_per_1m: Price
}

const PriceTier = Schema.Struct({ above_input_tokens: integer(1, TOKENS_MAX), ...prices })

const Tools = Schema.Struct({
  web_search_usd_per_call: Schema.optionalKey(ToolPrice),
  file_search_usd_per_call: Schema.optionalKey(ToolPrice)
})

const Model = Schema.Struct({
  id: NonEmptyText,
  ...prices,
  price_tiers: Schema.optionalKey(Schema.Array(PriceTier)),
  tools: Schema.optionalKey(Tools),
  ...optionalTerms(modelTermList)
})

const Plan = Schema.Struct({
  code: NonEmptyText,
  name: NonEmptyText,
  price_cny: Fen,
  duration_days: integer(1, DURATION_DAYS_MAX),
  limit_5h_usd: orElse(Micros, "0"),
  limit_1d_usd: orElse(Micros, "0"),
  limit_7d_usd: orElse(Micros, "0"),
  limit_30d_usd: orElse(Micros, "0"),
  multiplier: orElse(Multiplier, "1")
})

const Log = Schema.Struct({
  format: Schema.optionalKey(oneOf(["pretty", "json"])),
  level: orElse(oneOf(["all", "trace", "debug", "info", "warn", "error", "fatal", "none"]), "info")
})

/** The whole document, with its sections present: see {@link withSections}. */
export const ConfigDocument = Schema.Struct({
  server: Server,
  data_dir: orElse(NonEmptyText, "./data"),
  database: Schema.Struct({ url: orElse(PostgresUrl, "") }),
  site: Site,
  registration: Schema.Struct({ mode: orElse(oneOf(["open", "closed"]), "open") }),
  finance: Finance,
  billing: Billing,
  payment: Schema.Struct({ epay: Epay, stripe: Stripe }),
  channels: Schema.Array(Channel),
  models: Schema.Array(Model),
  plans: Schema.Array(Plan),
  log: Log
})
export type ConfigDocument = typeof ConfigDocument.Type

const isMapping = (raw: unknown): raw is Readonly<Record<string, unknown>> =>
  typeof raw === "object" && raw !== null && !Array.isArray(raw)

/**
 * Adds the sections that the file leaves out, empty. (A default on a section's schema would judge the section's shape
 * first and its values only when that is right: half of the problems would be reported at a time.)
 */
export const withSections = (raw: unknown): unknown => {
  if (!isMapping(raw)) return raw
  const payment = raw["payment"] ?? {}
  return {
    server: {},
    database: {},
    site: {},
    registration: {},
    finance: {},
    billing: {},
    channels: [],
    models: [],
    plans: [],
    log: {},
    ...raw,
    payment: isMapping(payment) ? { epay: {}, stripe: {}, ...payment } : payment
  }
}
