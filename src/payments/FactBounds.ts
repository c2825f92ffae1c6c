/**
 * Bounds on the texts and times of verified messages, so that each can be written down: what fits no index or no column of the database
 * would be refused each time that its provider sends it again.
 * @internal
 */
import { createHash } from "node:crypto"

/** Ids and references are no longer, in characters. Stripe's have 255 at most, trade numbers of EPay some 30. */
const ID_CHARACTERS_MAX = 255

const EVENT_KEY_CHARACTERS_MAX = 200

/** A provider's own word for a state, a kind or a reason, in characters. */
const WORD_CHARACTERS_MAX = 100

/** Times are before this, in seconds since the epoch: the year 9999. */
const SECONDS_MAX = 253_370_764_800

export const isId = (text: string): boolean => text !== "" && text.length <= ID_CHARACTERS_MAX

export const isWord = (text: string): boolean => text !== "" && text.length <= WORD_CHARACTERS_MAX

/** A word as it is kept, cut where it is too long. */
export const wordOf = (text: string): string =>
  text.length <= WORD_CHARACTERS_MAX ? text : `${text.slice(0, WORD_CHARACTERS_MAX).toWellFormed()}…`

/** Seconds since the epoch; undefined for what is no time. */
export const secondsOf = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isSafeInteger(value) && value > 0 && value < SECONDS_MAX ? value : undefined

export const digestOf = (text: string): string => createHash("sha256").update(text, "utf8").digest("hex")

/** The identity of an event; of one that is too long, its digest. */
export const eventKeyOf = (key: string): string =>
  key.length <= EVENT_KEY_CHARACTERS_MAX ? key : `sha256:${digestOf(key)}`
