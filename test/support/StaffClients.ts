/**
 * Administrators of every role, each with a session of the administration's API.
 */
import { Effect, Redacted } from "effect"
import { randomUUID } from "node:crypto"
import { UserId } from "../../src/domain/Ids.ts"
import type { Role } from "../../src/identity/Roles.ts"
import { PaymentWorld } from "./PaymentWorld.ts"
import { send } from "./TestHttp.ts"

export interface Staff {
  readonly id: UserId
  readonly email: string
  readonly get: (path: string) => Effect.Effect<Answer>
  readonly post: (path: string, body?: object) => Effect.Effect<Answer>
  readonly patch: (path: string, body: object) => Effect.Effect<Answer>
}

export interface Answer {
  readonly status: number
  // What was answered is looked at by the test.
  // oxlint-disable-next-line no-explicit-any
  readonly json: any
}

/** Another one at each time. */
export const staff = Effect.fnUntraced(function*(role: Role) {
  const { origin, sessions, sql } = yield* PaymentWorld
  const email = `${randomUUID()}@staff.example.com`
  const [row] = yield* Effect.orDie(
    sql<{ id: UserId }>`INSERT INTO users (email, role) VALUES (${email}, ${role}) RETURNING id`
  )
  const id = row?.id ?? UserId.make(0n)
  const token = yield* Effect.orDie(sessions.open({ userId: id, userAgent: "test", address: "127.0.0.1" }))
  const cookie = `realms_session=${Redacted.value(token)}`
  const me = yield* send(`${origin}/api/admin/me`, { method: "GET", headers: { cookie } })
  const csrf = { "x-csrf-token": String(JSON.parse(me.text).csrf_token) }
  const ask = (method: string, path: string, body?: object) =>
    Effect.map(
      send(`${origin}/api/admin${path}`, {
        method,
        headers: { cookie, ...csrf },
        ...(body === undefined ? {} : { body })
      }),
      ({ status, text }): Answer => ({ status, json: text === "" ? undefined : JSON.parse(text) })
    )
  return {
    id,
    email,
    get: (path) => ask("GET", path),
    post: (path, body = {}) => ask("POST", path, body),
    patch: (path, body) => ask("PATCH", path, body)
  } satisfies Staff
})
