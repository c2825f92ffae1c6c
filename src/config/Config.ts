/**
 * The configuration of a process, for all other folders: how it is loaded, its shape, and the service that carries it.
 * Secrets are `Redacted` from the moment they are read.
 */
export { AppConfig } from "./AppConfig.ts"
export { channelKeysOf } from "./ConfigChannelKeys.ts"
export { isHttpsOrLoopback, isLoopbackHost, isLoopbackUrl } from "./ConfigChecks.ts"
export { ConfigInvalid } from "./ConfigInvalid.ts"
export { load, type LoadOptions, publicUrlFor, testConfig } from "./ConfigLoad.ts"
export type {
  BillingConfig,
  ChannelConfig,
  EpayConfig,
  GroupConfig,
  LimitsConfig,
  ModelConfig,
  PlanConfig,
  RealmsConfig,
  ServerConfig,
  SiteConfig,
  StripeConfig
} from "./RealmsConfig.ts"
