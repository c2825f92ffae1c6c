/**
 * What an API key may be when it is made: the bounds of its name, expiry, spending limit and models.
 */
import { Effect } from "effect"
import type { UserId } from "../domain/Ids.ts"
import { ApiKeyRefused } from "./IdentityError.ts"

const NAME_CHARACTERS_MAX = 100
const MODELS_MAX = 100
const MODEL_ID_LENGTH_MAX = 256

/** A key to be made. What is absent or null does not limit it. */
export interface NewApiKey {
  readonly userId: UserId
  /** What it is for, in at most 100 characters; may be empty. */
  readonly name: string
  readonly expiresAt?: Date | null
  /** What may be spent with it in all, in USD micros. */
  readonly spendLimitMicros?: bigint | null
  /** Ids of the only models it may use: 1 to 100 of them. */
  readonly allowedModels?: ReadonlyArray<string> | null
}

/** A text of at most 100 characters, without control characters; may be empty. */
export const isKeyName = (text: string): boolean =>
  text.length <= 2 * NAME_CHARACTERS_MAX && Array.from(text).length <= NAME_CHARACTERS_MAX && !/\p{Cc}/u.test(text)

const areModels = (ids: ReadonlyArray<string>): boolean =>
  ids.length >= 1 && ids.length <= MODELS_MAX &&
  ids.every((id) => id !== "" && id.length <= MODEL_ID_LENGTH_MAX && !/\p{Cc}/u.test(id))

/** What is wrong with the key, if anything is. */
const flawOf = (key: NewApiKey, nowMs: number): ApiKeyRefused["reason"] | undefined => {
  const { allowedModels = null, expiresAt = null, spendLimitMicros = null } = key
  if (!isKeyName(key.name)) return "name"
  // A date that is none compares as false.
  if (expiresAt !== null && !(expiresAt.getTime() > nowMs)) return "expiry"
  if (spendLimitMicros !== null && spendLimitMicros < 0n) return "spend_limit"
  return allowedModels === null || areModels(allowedModels) ? undefined : "models"
}

/** Fails for the first thing that is wrong. */
export const checkNewApiKey = (key: NewApiKey, nowMs: number): Effect.Effect<void, ApiKeyRefused> => {
  const reason = flawOf(key, nowMs)
  return reason === undefined ? Effect.void : Effect.fail(new ApiKeyRefused({ reason }))
}
