/**
 * A program of the administration's API that has an administrator's session.
 */
import { Effect } from "effect"
import { ConsoleWorld } from "./ConsoleWorld.ts"
import { send } from "./TestHttp.ts"

export interface Answer {
  readonly status: number
  // What was answered is looked at by the test.
  // oxlint-disable-next-line no-explicit-any
  readonly json: any
}

export const adminClient = Effect.fnUntraced(function*(origin: string, session: string) {
  const cookie = `realms_session=${session}`
  const me = yield* send(`${origin}/api/admin/me`, { method: "GET", headers: { cookie } })
  const token = String(JSON.parse(me.text).csrf_token)
  /** The answer as it is. */
  const ask = (method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}) =>
    send(`${origin}/api/admin${path}`, {
      method,
      headers: { cookie, "x-csrf-token": token, ...headers },
      ...(body === undefined ? {} : { body })
    })
  const json = (method: string, path: string, body?: unknown) =>
    Effect.map(
      ask(method, path, body),
      ({ status, text }): Answer => ({ status, json: text === "" ? undefined : JSON.parse(text) })
    )
  return {
    ask,
    get: (path: string) => json("GET", path),
    post: (path: string, body: unknown = "") => json("POST", path, body),
    patch: (path: string, body: object) => json("PATCH", path, body)
  }
})

/** The same of another root at each time, with the world it is in. */
export const rootProgram = Effect.gen(function*() {
  const world = yield* ConsoleWorld
  const root = yield* world.root
  return { root, world, ...(yield* adminClient(world.origin, yield* world.session(root.id))) }
})
