/**
 * Addresses that browsers and search engines ask for without being told.
 */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { ConsoleWorld } from "../../support/ConsoleWorld.ts"
import { send } from "../../support/TestHttp.ts"

layer(ConsoleWorld.layerOf(), { excludeTestServices: true })("well-known addresses", (it) => {
  it.effect("ask search engines to stay away", () =>
    Effect.gen(function*() {
      const { origin } = yield* ConsoleWorld
      const { status, text } = yield* send(`${origin}/robots.txt`, {})
      assert.deepStrictEqual([status, text], [200, "User-agent: *\nDisallow: /\n"])
    }))

  it.effect("lead to the icon", () =>
    Effect.gen(function*() {
      const { origin } = yield* ConsoleWorld
      const { headers, status } = yield* send(`${origin}/favicon.ico`, {})
      assert.strictEqual(status, 302)
      const icon = yield* send(`${origin}${headers["location"]}`, {})
      assert.deepStrictEqual([icon.status, icon.headers["content-type"]], [200, "image/svg+xml"])
    }))
})
