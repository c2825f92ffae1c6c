/**
 * The bounds of the settings that are whole numbers, as data: the schema of config.yaml checks by them, and the page of a setting names
 * them where a value is refused.
 * @internal
 */
import { TOKENS_MAX } from "../domain/Bounds.ts"
import { CONCURRENT_MAX, RATE_MAX } from "../domain/CallLimits.ts"

export interface IntegerBounds {
  readonly min: number
  readonly max: number
  /** 0 is right too, although it is below `min`. */
  readonly orZero?: true
}

export const PORT_MAX = 65_535

const DRAIN_SECONDS = { min: 0, max: 86_400 }
const WAIT_MS = { min: 0, max: 600_000 }

/** 0 is no limit. */
const RATE = { min: 0, max: RATE_MAX }
const CONCURRENT = { min: 0, max: CONCURRENT_MAX }

const RETENTION_DAYS_MAX = 36_500

export const settingBounds = {
  "smtp.port": { min: 1, max: PORT_MAX },
  "security.keys_per_hour": { min: 1, max: 1_000 },
  "billing.default_max_output_tokens": { min: 1, max: TOKENS_MAX },
  "billing.reservation_lease_seconds": { min: 1, max: 86_400 },
  "billing.commit_wait_ms": WAIT_MS,
  "billing.extend_wait_ms": WAIT_MS,
  "billing.drain_seconds": DRAIN_SECONDS,
  "billing.drain_max_seconds": DRAIN_SECONDS,
  "billing.max_open_holds_per_user": { min: 1, max: 1_000_000 },
  "limits.key_requests_per_minute": RATE,
  "limits.key_tokens_per_minute": RATE,
  "limits.key_concurrent_calls": CONCURRENT,
  "limits.user_requests_per_minute": RATE,
  "limits.user_tokens_per_minute": RATE,
  "limits.user_concurrent_calls": CONCURRENT,
  // 0 is for ever.
  "retention.refused_calls_days": { min: 1, max: RETENTION_DAYS_MAX, orZero: true },
  "retention.subscription_minutes_days": { min: 400, max: RETENTION_DAYS_MAX, orZero: true }
} as const satisfies Readonly<Record<string, IntegerBounds>>
