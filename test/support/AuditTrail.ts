/**
 * What tests of administrators need: two of them, what is on record, and how something was refused.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { UserId } from "../../src/domain/Ids.ts"
import type { Actor } from "../../src/platform/AuditLog.ts"

export const ada: Actor = { name: "user:1", userId: UserId.make(1n), address: "192.0.2.1" }
export const bob: Actor = { name: "user:2", userId: UserId.make(2n), address: "192.0.2.2" }

/** `actor action target` of each change, in order. */
export const trail = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ actor: string; action: string; target: string }>`
    SELECT actor, action, target FROM audit_log ORDER BY id`
  return rows.map(({ action, actor, target }) => `${actor} ${action} ${target}`)
})

/** The tag of the error that an effect fails with. */
export const tagOf = <A, R>(effect: Effect.Effect<A, { readonly _tag: string }, R>) =>
  Effect.map(Effect.flip(effect), ({ _tag }) => _tag)
