/**
 * Who gets in where: every route of the console, the administration, its API and the data plane, asked by everybody there is. The
 * routes are those of the console's own table and of the API's own document, so that a new one is in the matrix without anybody's doing.
 */
import { assert, describe, layer } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { OpenApi } from "effect/http-api"
import { UserId } from "../../src/domain/Ids.ts"
import { AdminApi } from "../../src/http/admin/AdminApi.ts"
import { mayUse } from "../../src/http/AdminPolicy.ts"
import { consoleRoutes } from "../../src/http/console/ConsoleRoutes.ts"
import type { Role } from "../../src/identity/Roles.ts"
import { ConsoleWorld } from "../support/ConsoleWorld.ts"
import { send } from "../support/TestHttp.ts"

/** No row has it. */
const NOBODYS_ID = "999999999999"
const NOBODYS_UUID = "01890000-0000-7000-8000-000000000000"

interface PageRoute {
  readonly kind: "visitorPage" | "userPage" | "adminPage" | "visitorForm" | "userForm" | "adminForm"
  readonly path: string
}

/** What the server serves, from the table that adds it to the router. */
const pageRoutes: ReadonlyArray<PageRoute> = consoleRoutes.map(({ access, method, path }) => ({
  kind: `${access === "anyone" ? "visitor" : access}${method === "GET" ? "Page" : "Form"}`,
  path
}))

const filled = (path: string): string =>
  path.replaceAll(/:kind\b/g, "topup").replaceAll("{kind}", "ledger").replaceAll(/:provider\b|\{provider\}/g, "stripe")
    .replaceAll(/:request_id\b|\{request_id\}/g, NOBODYS_UUID)
    .replaceAll(/:token\b/g, "x".repeat(43)).replaceAll(/:\w+|\{\w+\}/g, NOBODYS_ID)

const apiRoutes = Object.entries(OpenApi.fromApi(AdminApi).paths).flatMap(([path, methods]) =>
  Object.keys(methods).map((method) => ({ method: method.toUpperCase(), path }))
)

/** What others than root may use of the API, written out here once more. What is not here is for root alone. */
const supportApi: ReadonlySet<string> = new Set([
  "GET /me",
  "GET /overview",
  "GET /users",
  "GET /users/{id}",
  "GET /users/{id}/ledger",
  "GET /users/{id}/keys",
  "GET /users/{id}/subscriptions",
  "GET /usage",
  "GET /usage/calls",
  "GET /usage/calls/{id}",
  "GET /usage/channels",
  "GET /orders",
  "GET /orders/{id}"
])

const financeApi: ReadonlySet<string> = new Set([
  ...supportApi,
  "GET /payments",
  "GET /payments/{id}",
  "POST /payments/{id}/accept",
  "POST /payments/{id}/credit",
  "POST /payments/{id}/refund",
  "POST /payments/{id}/refunded",
  "POST /payments/{id}/dismiss",
  "POST /orders/{id}/complete",
  "POST /orders/{id}/refunds",
  "POST /orders/{id}/refunds/{refund_id}/retry",
  "POST /orders/{id}/refunds/{refund_id}/settle",
  "GET /confirmations",
  "GET /confirmations/{id}",
  "POST /confirmations/{id}/confirm",
  "POST /confirmations/{id}/reject",
  "GET /statements",
  "GET /statements/days",
  "GET /statements/liability",
  "GET /exports/{kind}",
  "POST /bills/check"
])

/** The same of pages and their forms. */
const supportPages: ReadonlySet<string> = new Set([
  "/admin",
  "/admin/search",
  "/admin/users",
  "/admin/users/users.csv",
  "/admin/users/:id",
  "/admin/usage",
  "/admin/usage/days.svg",
  "/admin/usage/models.svg",
  "/admin/usage/calls",
  "/admin/usage/calls.csv",
  "/admin/usage/:id",
  "/admin/orders",
  "/admin/orders/:id"
])

const financePages: ReadonlySet<string> = new Set([
  ...supportPages,
  "/admin/payments",
  "/admin/payments/:id",
  "/admin/statements",
  "/admin/statements/days",
  "/admin/statements/liability",
  "/admin/statements/statement.csv",
  "/admin/exports",
  "/admin/exports/:kind",
  "/admin/confirmations",
  "/admin/confirmations/:id"
])

const financeForms: ReadonlySet<string> = new Set([
  "/admin/orders/:id/complete",
  "/admin/orders/:id/refund",
  "/admin/orders/:id/refunds/:refund",
  "/admin/orders/:id/refunds/:refund/retry",
  "/admin/confirmations/:id/confirm",
  "/admin/confirmations/:id/reject",
  "/admin/bills/check"
])

/** Forms that stand on the page of something else. */
const isWithoutPage = (path: string): boolean => /\/(?:retry|confirm|reject)$/.test(path)

const actions = ["accept", "accept_part", "credit", "refund", "refunded", "dismiss"]

const people = Effect.gen(function*() {
  const world = yield* ConsoleWorld
  const user = yield* world.user(1_000_000n)
  const other = yield* world.user(1_000_000n)
  const [support, finance] = yield* Effect.forEach(
    ["support", "finance"] as const,
    (role) =>
      Effect.tap(world.user(0n), ({ id }) => Effect.orDie(world.sql`UPDATE users SET role = ${role} WHERE id = ${id}`))
  )
  const root = yield* world.root
  const keyOf = (userId: UserId) => Effect.orDie(world.keys.create({ userId, name: "calls" }))
  const call = yield* keyOf(user.id)
  const revoked = yield* keyOf(user.id)
  yield* Effect.orDie(world.keys.revoke(revoked.id))
  const rootCookie = `realms_session=${yield* world.session(root.id)}`
  const api = (path: string, method: string, headers: Readonly<Record<string, string>>, body?: unknown) =>
    send(`${world.origin}/api/admin${path}`, { method, headers, body })
  const me = JSON.parse((yield* api("/me", "GET", { cookie: rootCookie })).text)
  const asRoot = { cookie: rootCookie, "x-csrf-token": String(me.csrf_token) }
  const asStaff = Effect.fnUntraced(function*(userId: UserId) {
    const cookie = `realms_session=${yield* world.session(userId)}`
    const { csrf_token } = JSON.parse((yield* api("/me", "GET", { cookie })).text)
    return { cookie, "x-csrf-token": String(csrf_token) }
  })
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
      support: yield* asStaff(support?.id ?? UserId.make(0n)),
      finance: yield* asStaff(finance?.id ?? UserId.make(0n)),
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
        assert.isAbove(pageRoutes.length, 80)
        for (const kind of ["adminPage", "adminForm", "userPage", "userForm", "visitorPage", "visitorForm"]) {
          assert.isAbove(pageRoutes.filter((route) => route.kind === kind).length, 0, kind)
        }
        for (const { kind, path } of pageRoutes) {
          assert.strictEqual(kind.startsWith("admin"), path.startsWith("/admin"), `${kind} ${path}`)
        }
      }))

    it.effect("keeps the administration's API to administrators", () =>
      Effect.gen(function*() {
        const { headers, world } = yield* people
        const expected: Readonly<Record<Who, (method: string, path: string) => number | undefined>> = {
          support: (method, path) => supportApi.has(`${method} ${path.replace("/api/admin", "")}`) ? undefined : 403,
          finance: (method, path) => financeApi.has(`${method} ${path.replace("/api/admin", "")}`) ? undefined : 403,
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
            const wanted = of(method, path)
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
          if (route.kind === "userPage" || route.kind === "adminPage") {
            for (const who of nobodies) yield* check(who, route, (status) => status === 303)
          }
          if (route.kind === "userForm" || route.kind === "adminForm") {
            for (const who of nobodies) yield* check(who, route, (status) => status === 403)
          }
          if (route.kind === "adminPage" || route.kind === "adminForm") {
            yield* check("user", route, (status) => status === 404)
          }
          // Without its token no form is carried out; one that takes files has no body of this type either.
          if (route.kind.endsWith("Form")) {
            yield* check("root", route, (status) => [403, 404, 415].includes(status))
          }
          if (route.kind === "adminPage") yield* check("root", route, (status) => [200, 303, 404].includes(status))
        }
        assert.deepStrictEqual(wrong, [])
      }))

    it.effect("opens to support and finance the pages that are theirs, and no other", () =>
      Effect.sync(() => {
        const opened = (role: Role, method: "GET" | "POST") =>
          pageRoutes.filter(({ kind }) => kind === (method === "GET" ? "adminPage" : "adminForm"))
            .map(({ path }) => path).filter((path) => mayUse(role, method, filled(path)))
        const sorted = (paths: ReadonlySet<string> | ReadonlyArray<string>) => [...paths].toSorted()
        assert.deepStrictEqual(sorted(opened("support", "GET")), sorted(supportPages))
        assert.deepStrictEqual(opened("support", "POST"), [])
        const ownForms = (paths: ReadonlyArray<string>) => sorted(paths.filter((path) => !path.endsWith(":action")))
        assert.deepStrictEqual(
          ownForms(opened("finance", "GET")),
          sorted([...financePages, ...[...financeForms].filter((path) => !isWithoutPage(path))])
        )
        assert.deepStrictEqual(ownForms(opened("finance", "POST")), sorted(financeForms))
        for (const method of ["GET", "POST"]) {
          for (const action of actions) assert.isTrue(mayUse("finance", method, `/admin/payments/7/${action}`))
          for (
            const path of [
              "/admin/payments/7/correct",
              "/admin/users/new",
              "/admin/usersx",
              "/admin/",
              "/administration",
              "//admin"
            ]
          ) {
            if (method === "POST" || path !== "/admin/") {
              assert.isFalse(mayUse("finance", method, path), `${method} ${path}`)
            }
            assert.isFalse(mayUse("user", method, path))
            assert.isTrue(mayUse("root", method, path))
          }
        }
      }))

    it.effect("carries out no form of a role that may not send it, whatever its token", () =>
      Effect.gen(function*() {
        const { headers, user, world } = yield* people
        const csrf = (who: "support" | "finance") => headers[who]["x-csrf-token"]
        const post = (who: "support" | "finance", path: string) =>
          send(`${world.origin}${path}`, {
            method: "POST",
            headers: { cookie: headers[who].cookie, "content-type": "application/x-www-form-urlencoded" },
            body: String(new URLSearchParams({ csrf_token: csrf(who), role: "root", amount: "5", note: "n" }))
          })
        for (const who of ["support", "finance"] as const) {
          for (
            const path of [
              `/admin/users/${user.id}/role`,
              `/admin/users/${user.id}/adjust`,
              "/admin/settings",
              "/admin/keys"
            ]
          ) {
            assert.strictEqual((yield* post(who, path)).status, 404, `${who} ${path}`)
          }
        }
        const [row] = yield* world.sql<{ role: string }>`SELECT role FROM users WHERE id = ${user.id}`
        assert.strictEqual(row?.role, "user")
        // What they may, they may.
        const read = (who: "support" | "finance", path: string) =>
          Effect.map(send(`${world.origin}${path}`, { method: "GET", headers: headers[who] }), ({ status }) => status)
        assert.strictEqual(yield* read("support", `/admin/users/${user.id}`), 200)
        assert.strictEqual(yield* read("support", "/admin/payments"), 404)
        assert.strictEqual(yield* read("finance", "/admin/payments"), 200)
        assert.strictEqual(yield* read("finance", "/admin"), 200)
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
