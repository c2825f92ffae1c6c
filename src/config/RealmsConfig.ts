/**
 * The shape of a checked configuration: exact integers for money, units in the names, secrets `Redacted`, every default
 * filled in. Most of it is what the schema of the file decodes to. Types only.
 */
import type { LogLevel, Option, Redacted } from "effect"
import type { ModelTerms } from "../domain/ModelTerms.ts"
import type { ConfigDocument } from "./ConfigSchema.ts"

/** An upstream of the file; `channelKeysOf` says which keys it has. */
export type ChannelConfig = ConfigDocument["channels"][number]

/** A model with its prices, of which the cached one is the input price where the file gives none. */
export interface ModelConfig extends ModelTerms {
  readonly id: string
}

export type GroupConfig = ConfigDocument["groups"][number]

export type PlanConfig = ConfigDocument["plans"][number]

export interface ServerConfig extends Omit<ConfigDocument["server"], "publicUrl"> {
  /** Without a trailing slash; built from host and port when the file gives none, see `publicUrlFor`. */
  readonly publicUrl: string
  /** True: `publicUrl` was not given, it follows host and port. */
  readonly publicUrlFollows: boolean
}

export type ClusterConfig = ConfigDocument["cluster"]

export type SiteConfig = ConfigDocument["site"]

export type SellerConfig = ConfigDocument["seller"]

export type SmtpConfig = ConfigDocument["smtp"]
export type SecurityConfig = ConfigDocument["security"]

export type FinanceConfig = ConfigDocument["finance"]

export type BillingConfig = ConfigDocument["billing"]

export type LimitsConfig = ConfigDocument["limits"]

export type RetentionConfig = ConfigDocument["retention"]

export type EpayConfig = ConfigDocument["payment"]["epay"]

export type StripeConfig = ConfigDocument["payment"]["stripe"]

export interface RealmsConfig {
  readonly server: ServerConfig
  readonly cluster: ClusterConfig
  /** Absolute. */
  readonly dataDir: string
  /** None: the embedded PostgreSQL under `dataDir`. */
  readonly database: { readonly url: Option.Option<Redacted.Redacted<string>> }
  readonly site: SiteConfig
  readonly seller: SellerConfig
  readonly smtp: SmtpConfig
  readonly registration: ConfigDocument["registration"]
  readonly security: SecurityConfig
  readonly signIn: ConfigDocument["signIn"]
  readonly finance: FinanceConfig
  readonly billing: BillingConfig
  readonly limits: LimitsConfig
  readonly retention: RetentionConfig
  readonly payment: ConfigDocument["payment"]
  readonly channels: ReadonlyArray<ChannelConfig>
  readonly models: ReadonlyArray<ModelConfig>
  readonly plans: ReadonlyArray<PlanConfig>
  readonly groups: ReadonlyArray<GroupConfig>
  readonly masterKey: Option.Option<Redacted.Redacted<string>>
  readonly telemetry: ConfigDocument["telemetry"]
  readonly log: {
    readonly format: "pretty" | "json"
    readonly level: LogLevel.LogLevel
    /** A line for each request. */
    readonly access: boolean
    /** A line for each call, so many a second at most. */
    readonly calls: boolean
  }
}
