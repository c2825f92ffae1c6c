/** The line that `log.access` has for each request: what was asked and answered, and nothing that is secret. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger, References } from "effect"
import { loggedPath, makeAccessLog } from "../../src/http/AccessLog.ts"
import { listening } from "../support/Listening.ts"
import { until } from "../support/Until.ts"

describe("the access log", () => {
  it.live("has one line for each request, without queries and secret links", () =>
    Effect.gen(function*() {
      const lines: Array<unknown> = []
      const logger = Logger.make(({ message }) => void lines.push(message))
      const note = yield* makeAccessLog.pipe(
        Effect.provide(Logger.layer([logger])),
        Effect.provideService(References.MinimumLogLevel, "Info")
      )
      const { url: origin } = yield* listening((request, response) => {
        note(request, response)
        response.writeHead(request.url === "/" ? 200 : 404).end("ok")
      })
      for (const path of ["/", "/setup/secret-token?x=1", "/v1/models?key=secret"]) {
        yield* Effect.promise(() => fetch(`${origin}${path}`).then((response) => response.text()))
      }
      yield* until("each request has its line", Effect.sync(() => lines.length === 3))
      const facts = lines.map((line) => (Array.isArray(line) ? line[1] : undefined))
      assert.containSubset(facts, [
        { method: "GET", path: "/", status: 200 },
        { path: "/setup/…", status: 404 },
        { path: "/v1/models", status: 404 }
      ])
      assert.notInclude(JSON.stringify(lines), "secret")
    }).pipe(Effect.scoped))

  it("leaves the token out of every spelling of its path that the router takes", () => {
    const token = "kT0-_".repeat(9).slice(0, 43)
    for (const path of ["/setup/", "//setup/", "/SETUP/", "/%73etup/", "/reset//", "http://example.com/reset/"]) {
      assert.notInclude(loggedPath(`${path}${token}`), token.slice(0, 10))
    }
    // Whatever follows: also what is too short, or has characters that no token has.
    for (const path of ["/register/", "/Register//", "/account/email/verify/", "/account//email/change/"]) {
      assert.notInclude(loggedPath(`${path}kT0-%2F.short`), "short")
    }
    assert.strictEqual(loggedPath("/account/email"), "/account/email")
    const call = "/v1/usage/01890000-0000-7000-8000-000000000000"
    assert.strictEqual(loggedPath(call), call)
  })
})
