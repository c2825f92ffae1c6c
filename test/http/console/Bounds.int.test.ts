/**
 * What pages do at their bounds: parts of pages that cannot be had, addresses that say nothing of who is there, and more
 * pages than are made at once.
 */
import { assert, describe, it, layer } from "@effect/vitest"
import { Deferred, Effect, Fiber, Option, Stream } from "effect"
import { Headers } from "effect/http"
import { UserId } from "../../../src/domain/Ids.ts"
import { clientAddress, isNear } from "../../../src/http/console/ClientAddress.ts"
import { inTurns } from "../../../src/http/console/Csv.ts"
import { PAGES_OF_USER_MAX, PageTurns } from "../../../src/http/console/PageTurns.ts"
import { ConsoleClient } from "../../support/ConsoleClient.ts"
import { asUser, ConsoleWorld } from "../../support/ConsoleWorld.ts"
import { send } from "../../support/TestHttp.ts"

layer(ConsoleWorld.layerOf({ billing: { pay_as_you_go: false } }), { excludeTestServices: true })(
  "pages at their bounds",
  (it) => {
    it.effect("a part of a page is not answered by a page for signing in: the whole page is asked for again", () =>
      Effect.gen(function*() {
        const { origin } = yield* ConsoleWorld
        const visitor = new ConsoleClient(origin)
        const answer = yield* visitor.get("/pay/topup/1/status?version=x", { "hx-request": "true" })
        assert.strictEqual(answer.status, 204)
        assert.strictEqual(answer.headers["hx-refresh"], "true")
        assert.strictEqual(answer.text, "")
        assert.match((yield* visitor.get("/login")).text, /noSwap[^>]*4xx[^>]*5xx/)
      }))

    it.effect("strangers behind a proxy that is not known lock out nobody but one another's guesses at an account", () =>
      Effect.gen(function*() {
        const world = yield* ConsoleWorld
        const owner = yield* world.user(0n)
        const stranger = new ConsoleClient(world.origin, { headers: { "x-forwarded-for": "203.0.113.9" } })
        yield* stranger.get("/login")
        for (let tries = 0; tries < 40; tries++) {
          const answer = yield* stranger.post("/login", {
            email: `nobody-${tries}@example.com`,
            password: "a guess at it"
          })
          assert.strictEqual(answer.status, 422)
        }
        const email = owner.email
        assert.strictEqual((yield* stranger.post("/login", { email, password: world.password })).status, 303)
      }))

    it.effect("credit that no call is paid with is not sold", () =>
      Effect.gen(function*() {
        const { client, user, world } = yield* asUser
        const page = yield* client.get("/topup")
        assert.include(page.text, "there is nothing to top up")
        assert.strictEqual((yield* client.post("/topup/create", { amount_cny: "10.00" })).status, 422)
        assert.deepStrictEqual(yield* world.orders.list(user.id), [])
      }))

    it.effect("a file is the same however it is encoded, and however many ask for it at once", () =>
      Effect.gen(function*() {
        const { origin } = yield* ConsoleWorld
        const page = yield* new ConsoleClient(origin).get("/login")
        const path = /href="(\/assets\/[^"]+\/tabler\.css)"/.exec(page.text)?.[1] ?? ""
        const ask = (coding: string) => send(`${origin}${path}`, { headers: { "accept-encoding": coding } })
        const [plain, ...encoded] = yield* Effect.forEach(["identity", "br", "br", "gzip", "gzip"], ask, {
          concurrency: "unbounded"
        })
        assert.deepStrictEqual(encoded.map(({ headers }) => headers["content-encoding"]), ["br", "br", "gzip", "gzip"])
        assert.isAbove(plain?.text.length ?? 0, 500_000)
        assert.strictEqual((yield* send(`${origin}${path.replace(/[0-9a-f]{16}/, "0".repeat(16))}`, {})).status, 404)
      }))
  }
)

describe("turns of pages", () => {
  it.live("one user's pages are bounded, and give their places back however they end", () =>
    Effect.gen(function*() {
      const turns = yield* PageTurns
      const gate = yield* Deferred.make<void>()
      const page = turns.take(UserId.make(1n), Deferred.await(gate))
      const open = yield* Effect.forEach(
        Array.from({ length: PAGES_OF_USER_MAX }),
        () => Effect.forkChild(page, { startImmediately: true })
      )
      assert.strictEqual((yield* Effect.flip(page))._tag, "TooManyPages")
      const [first, ...others] = open
      if (first !== undefined) yield* Fiber.interrupt(first)
      yield* Deferred.succeed(gate, undefined)
      yield* Effect.forEach(others, Fiber.join, { discard: true })
      yield* Effect.forEach(Array.from({ length: PAGES_OF_USER_MAX }), () => page, {
        concurrency: "unbounded",
        discard: true
      })
    }).pipe(Effect.provide(PageTurns.layer)))

  it.live("rows of a file are read in the turns of pages, too", () =>
    Effect.gen(function*() {
      const turns = yield* PageTurns
      const gate = yield* Deferred.make<void>()
      yield* Effect.forEach(
        Array.from({ length: PAGES_OF_USER_MAX }),
        () => Effect.forkChild(turns.take(UserId.make(1n), Deferred.await(gate)), { startImmediately: true })
      )
      let read = 0
      const rows = yield* inTurns(UserId.make(2n), Stream.fromEffectRepeat(Effect.sync(() => ++read)))
      const file = yield* Effect.forkChild(Stream.runCollect(Stream.take(rows, 3)), { startImmediately: true })
      yield* Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))
      assert.strictEqual(read, 0)
      yield* Deferred.succeed(gate, undefined)
      assert.deepStrictEqual(yield* Fiber.join(file), [1, 2, 3])
    }).pipe(Effect.provide(PageTurns.layer)))
})

describe("the client's address", () => {
  it("knows who is near", () => {
    for (const address of ["127.0.0.1", "10.1.2.3", "172.31.0.1", "192.168.1.1", "::1", "fd00::1", "fe80::1"]) {
      assert.isTrue(isNear(address), address)
    }
    for (const address of ["8.8.8.8", "172.32.0.1", "2001:db8::1", ""]) assert.isFalse(isNear(address), address)
  })

  it.effect("is none behind a proxy that nobody named, and what it is elsewhere", () =>
    Effect.gen(function*() {
      const request = (peer: string, forwarded: string | undefined, address = peer) => ({
        headers: Headers.fromInput(forwarded === undefined ? {} : { "x-forwarded-for": forwarded }),
        peerAddress: Option.some(peer),
        remoteAddress: Option.some(address)
      })
      assert.strictEqual(yield* clientAddress(request("127.0.0.1", undefined)), "127.0.0.1")
      assert.strictEqual(yield* clientAddress(request("127.0.0.1", "203.0.113.9")), "")
      // A client from the internet writes what it likes, and is counted by where it comes from.
      assert.strictEqual(yield* clientAddress(request("198.51.100.7", "203.0.113.9")), "198.51.100.7")
      assert.strictEqual(yield* clientAddress(request("10.0.0.1", "203.0.113.9", "203.0.113.9")), "203.0.113.9")
    }))
})
