/**
 * How the pool's connections are shared out. Some questions cost the person who asks them nothing, so that anybody may ask them by the
 * thousand: each kind has a few connections, and together they leave the others to calls and pages.
 */

export const POOL_CONNECTIONS_MAX = 10

/** Connections that each kind of free question has at most. */
export const freeQuestionsMax = {
  /** API keys that this server does not know, such as invented ones. */
  apiKeys: 3,
  /** Idempotency keys and ids of stored items. */
  callReferences: 3,
  receipts: 2
}
