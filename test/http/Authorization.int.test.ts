/**
 * Who gets in where: every route of the console, the administration, its API and the data plane, asked by everybody there is. The
 * routes are read from the source and from the API's own document, so that a new one is in the matrix without anybody's doing.
 */
import { assert, describe, layer } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { OpenApi } from "effect/http-api"
import { AdminApi } from "../../src/http/admin/AdminApi.ts"
import { ConsoleWorld } from "../support/ConsoleWorld.ts"
import { send } from "../support/TestHttp.ts"
import { sourceFiles, withoutComments } from "../tidy/SourceFiles.ts"

/** No row has it. */
const NOBODYS_ID = "999999999999"
const NOBODYS_UUID = "01890000-0000-7000-8000-000000000000"

interface PageRoute {
  readonly kind: "visitorPage" | "userPage" | "rootPage" | "visitorForm" | "userForm" | "rootForm"
  readonly path: string
}

/** Where pages are made; the maker's own file is not one of them. */
const pageFiles = sourceFiles(["src/http/console"], /\.tsx?$/).filter(({ path }) => !path.endsWith("/ConsoleRoute.ts"))

const pageRoutes: ReadonlyArray<PageRoute> = pageFiles.flatMap(({ text }) =>
  Array.from(withoutComments(text).matchAll(/\b(visitor|user|root)(Page|Form)\(\s*"(\/[^"]*)"/g), (match) => ({
    kind: `${match[1]}${match[2]}` as PageRoute["kind"],
    path: match[3] ?? ""
  }))
)

/** Every use of the makers of routes; one whose path is not written out would be missed. */
const usesOfMakers = pageFiles.reduce(
  (sum, { text }) => sum + (withoutComments(text).match(/\b(visitor|user|root)(Page|Form)\(/g)?.length ?? 0),
  0
)

const filled = (path: string): string =>
  path.replaceAll(/:kind\b/g, "topup").replaceAll(/:provider\b|\{provider\}/g, "stripe")
    .replaceAll(/:request_id\b|\{request_id\}/g, NOBODYS_UUID)
    .replaceAll(/:token\b/g, "x".repeat(43)).replaceAll(/:\w+|\{\w+\}/g, NOBODYS_ID)

const apiRoutes = Object.entries(OpenApi.fromApi(AdminApi).paths).flatMap(([path, methods]) =>
  Object.keys(methods).map((method) => ({ method: method.toUpperCase(), path }))
)

const people = Effect.gen(function*() {
  const world = yield* ConsoleWorld
  const user = yield* world.user(1_000_000n)
  const other = yield* world.user(1_000_000n)
  const root = yield* world.root
  const keyOf = (userId: bigint) => Effect.orDie(world.keys.create({ userId, name: "calls" }))
  const call = yield* keyOf(user.id)
  const revoked = yield* keyOf(user.id)
  yield* Effect.orDie(world.keys.revoke(revoked.id))
  const rootCookie = `realms_session=${yield* world.session(root.id)}`
  const api = (path: string, method: string, headers: Readonly<Record<string, string>>, body?: unknown) =>
    send(`${world.origin}/api/admin${path}`, { method, headers, body })
  const me = JSON.parse((yield* api("/me", "GET", { cookie: rootCookie })).text)
  const asRoot = { cookie: rootCookie, "x-csrf-token": String(me.csrf_token) }
  const makeKey = Effect.map(api("/keys", "POST", asRoot, { name: "matrix" }), ({ text }) => JSON.parse(text))
  const adminKey = yield* makeKey
  const revokedAdminKey = yield* makeKey
  yield* api(`/keys/${revokedAdminKey.id}/revoke`, "POST", asRoot)
  const ended = yield* world.session(root.id)
  yield* world.sql`DELETE FROM sessions WHERE id_hash = sha256(${ended}::bytea)`
  const bearer = (key: string) => ({ authorization: `Bearer ${key}` })
  return {
    world,
    other,
    user,
    root,
    headers: {
      anonymous: {},
      user: { cookie: `realms_session=${yield* world.session(user.id)}` },
      root: { cookie: rootCookie },
      rootWithToken: asRoot,
      endedSession: { cookie: `realms_session=${ended}` },
      key: bearer(Redacted.value(call.key)),
      revokedKey: bearer(Redacted.value(revoked.key)),
      adminKey: bearer(String(adminKey.key)),
      revokedAdminKey: bearer(String(revokedAdminKey.key))
    }
  }
}).pipe(Effect.orDie)

type Who = keyof Effect.Success<typeof people>["headers"]

describe("authorization", () => {
  layer(ConsoleWorld.layerOf(), { timeout: 120_000 })((it) => {
    it.effect("finds the routes", () =>
      Effect.sync(() => {
        assert.isAbove(apiRoutes.length, 5)
        assert.strictEqual(pageRoutes.length, usesOfMakers)
        for (const { kind, path } of pageRoutes) {
          assert.strictEqual(kind.startsWith("root"), path.startsWith("/admin"), `${kind} ${path}`)
        }
      }))

    it.effect("keeps the administration's API to administrators", () =>
      Effect.gen(function*() {
        const { headers, world } = yield* people
        const expected: Readonly<Record<Who, (method: string) => number | undefined>> = {
          anonymous: () => 401,
          user: () => 403,
          root: (method) => method === "GET" ? undefined : 403,
          rootWithToken: () => undefined,
          endedSession: () => 401,
          key: () => 403,
          revokedKey: () => 401,
          adminKey: () => undefined,
          revokedAdminKey: () => 401
        }
        const wrong: Array<string> = []
        for (const { method, path } of apiRoutes) {
          for (const [who, of] of Object.entries(expected)) {
            const sent = headers[who as Who]
            const body = method === "GET" ? undefined : {}
            const { status } = yield* send(`${world.origin}${filled(path)}`, { method, headers: sent, body })
            const wanted = of(method)
            const isRight = wanted === undefined ? status !== 401 && status !== 403 && status < 500 : status === wanted
            if (!isRight) wrong.push(`${who}: ${method} ${path} answered ${status}`)
          }
        }
        assert.deepStrictEqual(wrong, [])
      }))

    it.effect("keeps pages to those they are for", () =>
      Effect.gen(function*() {
        const { headers, world } = yield* people
        const wrong: Array<string> = []
        const ask = (who: Who, { kind, path }: PageRoute) =>
          send(`${world.origin}${filled(path)}`, {
            method: kind.endsWith("Page") ? "GET" : "POST",
            headers: { ...headers[who], "content-type": "application/x-www-form-urlencoded" },
            body: kind.endsWith("Page") ? undefined : ""
          })
        const check = (who: Who, route: PageRoute, isRight: (status: number) => boolean) =>
          Effect.map(ask(who, route), ({ status }) => {
            if (!isRight(status)) wrong.push(`${who}: ${route.kind} ${route.path} answered ${status}`)
          })
        // Keys are no sessions: with one alone, a visitor is nobody.
        const nobodies: ReadonlyArray<Who> = ["anonymous", "endedSession", "key", "adminKey", "revokedKey"]
        for (const route of pageRoutes) {
          if (route.kind === "userPage" || route.kind === "rootPage") {
            for (const who of nobodies) yield* check(who, route, (status) => status === 303)
          }
          if (route.kind === "userForm" || route.kind === "rootForm") {
            for (const who of nobodies) yield* check(who, route, (status) => status === 403)
          }
          if (route.kind === "rootPage" || route.kind === "rootForm") {
            yield* check("user", route, (status) => status === 404)
          }
          // Without its token no form is carried out; one that takes files has no body of this type either.
          if (route.kind.endsWith("Form")) {
            yield* check("root", route, (status) => [403, 404, 415].includes(status))
          }
          if (route.kind === "rootPage") yield* check("root", route, (status) => [200, 303, 404].includes(status))
        }
        assert.deepStrictEqual(wrong, [])
      }))

    it.effect("keeps what is one user's from another", () =>
      Effect.gen(function*() {
        const { headers, other, world } = yield* people
        const order = yield* Effect.orDie(world.orders.topup(other.id, 10_000n))
        const key = yield* Effect.orDie(world.keys.create({ userId: other.id, name: "theirs" }))
        for (const path of [`/orders/${order.id}`, `/pay/topup/${order.id}`, `/keys/${key.id}/revoke`]) {
          const { status } = yield* send(`${world.origin}${path}`, { method: "GET", headers: headers.user })
          assert.strictEqual(status, 404, path)
        }
      }))

    it.effect("lets none but keys for calls into the data plane", () =>
      Effect.gen(function*() {
        const { headers, world } = yield* people
        for (const path of ["/v1/models", "/v1/models/gpt-4o-mini", `/v1/usage/${NOBODYS_UUID}`]) {
          for (const who of Object.keys(headers) as ReadonlyArray<Who>) {
            const { status } = yield* send(`${world.origin}${path}`, { method: "GET", headers: headers[who] })
            assert.strictEqual(status === 401, who !== "key", `${who}: ${path} answered ${status}`)
          }
        }
        const body = { model: "gpt-4o-mini", messages: [{ role: "user", content: "hi" }] }
        for (const path of ["/v1/chat/completions", "/v1/responses"]) {
          for (const who of ["anonymous", "user", "root", "revokedKey", "adminKey"] as const) {
            const { status } = yield* send(`${world.origin}${path}`, { method: "POST", headers: headers[who], body })
            assert.strictEqual(status, 401, `${who}: ${path}`)
          }
        }
      }))
  })
})
