/**
 * The shape of a checked configuration: exact integers for money, units in the names, secrets `Redacted`, every default
 * filled in. Types only.
 */
import type { LogLevel, Option, Redacted } from "effect"
import type { ChannelTerms } from "../domain/ChannelTerms.ts"
import type { ModelTerms } from "../domain/ModelTerms.ts"

/** An upstream declared in the file. An empty `apiKey` keeps it disabled. */
export interface ChannelConfig extends ChannelTerms {
  readonly name: string
  /** Without a trailing slash. */
  readonly baseUrl: string
  readonly apiKey: Redacted.Redacted<string>
  readonly priority: number
  readonly weight: number
  /** Our model id to the upstream's. */
  readonly models: Readonly<Record<string, string>>
}

/** A model with its prices, of which the cached one is the input price where the file gives none. */
export interface ModelConfig extends ModelTerms {
  readonly id: string
}

/** A plan for sale. A limit of zero is no limit. */
export interface PlanConfig {
  readonly code: string
  readonly name: string
  readonly priceFen: bigint
  readonly durationDays: number
  readonly limit5hMicros: bigint
  readonly limit1dMicros: bigint
  readonly limit7dMicros: bigint
  readonly limit30dMicros: bigint
  /** Scaled by 10^6: `1000000n` is times one. */
  readonly multiplierMicros: bigint
}

export interface ServerConfig {
  readonly host: string
  readonly port: number
  /** Without a trailing slash; built from host and port when the file gives none, see `publicUrlFor`. */
  readonly publicUrl: string
  /** True: `publicUrl` was not given, it follows host and port. */
  readonly publicUrlFollows: boolean
  readonly maxBodyBytes: number
  readonly shutdownGraceSeconds: number
  /** Addresses and ranges whose forwarding headers are believed. */
  readonly trustedProxies: ReadonlyArray<string>
  /** Hosts with link-local or metadata addresses that base URLs may name all the same. */
  readonly linkLocalHostsAllowed: ReadonlyArray<string>
}

/** How the installation presents itself. */
export interface SiteConfig {
  readonly name: string
  /** Shown on every page; empty: nothing is. */
  readonly notice: string
}

/** How the books are kept. */
export interface FinanceConfig {
  /** Whose days are closed: the IANA name. */
  readonly timeZone: string
  /**
   * Above this a second person confirms what is given in USD micros: credits, accepted payments, adjustments, codes, plans. Null:
   * nobody needs to.
   */
  readonly confirmAboveMicros: bigint | null
  /** The same in fen, for manual payments and refunds. */
  readonly confirmAboveFen: bigint | null
}

export interface BillingConfig {
  readonly enabled: boolean
  readonly payAsYouGo: boolean
  readonly minTopupFen: bigint
  readonly maxTopupFen: bigint
  /** Exact decimal text, above zero, at most six decimals. */
  readonly creditUsdPerCny: string
  /** Scaled by 10^6: `1000000n` is times one. */
  readonly multiplierMicros: bigint
  readonly defaultMaxOutputTokens: number
  readonly reservationLeaseSeconds: number
  readonly commitWaitMs: number
  readonly extendWaitMs: number
  readonly expiredReservation: "refund" | "charge"
  readonly onDisconnect: "cancel" | "drain"
  /** With `cancel`: how long some streams are read on after their client left, for their exact usage. */
  readonly drainSeconds: number
  /** With `drain`: how long a stream is read on after its client left. */
  readonly drainMaxSeconds: number
  /** Open reservations of one user, at most. */
  readonly maxOpenHoldsPerUser: number
}

export interface EpayConfig {
  readonly enabled: boolean
  readonly gateway: string
  readonly partnerId: string
  readonly key: Redacted.Redacted<string>
  readonly types: ReadonlyArray<string>
  /** What the gateway calls the columns of its list of trades: `trade_no=Trade number`; see `EpayBill.ts`. */
  readonly billColumns: ReadonlyArray<string>
}

export interface StripeConfig {
  readonly enabled: boolean
  readonly secretKey: Redacted.Redacted<string>
  /** Empty disables the webhook endpoint. */
  readonly webhookSecret: Redacted.Redacted<string>
  /** In lower case. */
  readonly currency: string
  /** Exact decimal text, above zero: minor units of `currency` for one fen. */
  readonly minorPerFen: string
  /** Empty: Stripe itself. */
  readonly apiBase: string
}

export interface RealmsConfig {
  readonly server: ServerConfig
  /** Absolute. */
  readonly dataDir: string
  /** None: the embedded PostgreSQL under `dataDir`. */
  readonly database: { readonly url: Option.Option<Redacted.Redacted<string>> }
  readonly site: SiteConfig
  readonly registration: { readonly mode: "open" | "closed" }
  readonly finance: FinanceConfig
  readonly billing: BillingConfig
  readonly payment: { readonly epay: EpayConfig; readonly stripe: StripeConfig }
  readonly channels: ReadonlyArray<ChannelConfig>
  readonly models: ReadonlyArray<ModelConfig>
  readonly plans: ReadonlyArray<PlanConfig>
  readonly masterKey: Option.Option<Redacted.Redacted<string>>
  readonly log: { readonly format: "pretty" | "json"; readonly level: LogLevel.LogLevel }
}
