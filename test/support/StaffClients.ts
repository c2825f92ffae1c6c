/**
 * Administrators of every role, each with a session of the administration's API.
 */
import { Effect, Redacted } from "effect"
import { randomUUID } from "node:crypto"
import { UserId } from "../../src/domain/Ids.ts"
import type { Role } from "../../src/identity/Roles.ts"
import { adminClient, type Answer } from "./AdminClient.ts"
import { openSession } from "./OpenSession.ts"
import { PaymentWorld } from "./PaymentWorld.ts"

export interface Staff {
  readonly id: UserId
  readonly email: string
  readonly get: (path: string) => Effect.Effect<Answer>
  readonly post: (path: string, body?: object) => Effect.Effect<Answer>
  readonly patch: (path: string, body: object) => Effect.Effect<Answer>
}

/** Another one at each time. */
export const staff = Effect.fnUntraced(function*(role: Role) {
  const { origin, sql } = yield* PaymentWorld
  const email = `${randomUUID()}@staff.example.com`
  const [row] = yield* Effect.orDie(
    sql<{ id: UserId }>`INSERT INTO users (email, role) VALUES (${email}, ${role}) RETURNING id`
  )
  const id = row?.id ?? UserId.make(0n)
  const token = yield* Effect.orDie(openSession(sql, id))
  const client = yield* adminClient(origin, Redacted.value(token))
  return { id, email, ...client, post: (path, body = {}) => client.post(path, body) } satisfies Staff
})
