/**
 * The page that shows the API's document, in a real browser: it works under its policy, and breaks none of it.
 */
import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import { chromiumPath, connect, desktop, visit } from "../../support/Browser.ts"
import { ConsoleWorld } from "../../support/ConsoleWorld.ts"

describe.skipIf(chromiumPath === undefined)("/api/docs", () => {
  layer(ConsoleWorld.layerOf(), { excludeTestServices: true, timeout: 120_000 })((it) => {
    it.effect("shows the endpoints, with nothing that its policy forbids", () =>
      Effect.gen(function*() {
        const { origin } = yield* ConsoleWorld
        const visitor = yield* visit(yield* connect, { viewport: desktop })
        yield* Effect.promise(async () => {
          await visitor.page.goto(`${origin}/api/docs`)
          await visitor.page.waitForSelector(".opblock >> nth=20")
          await visitor.page.click(".opblock button >> nth=0")
          await visitor.page.waitForSelector(".opblock.is-open .opblock-body")
          assert.include(await visitor.page.textContent(".opblock.is-open"), "/api/admin/")
          visitor.assertSilent()
        })
      }).pipe(Effect.scoped))
  })
})
