/**
 * What a server has in memory: the product, and nothing of the stand-ins for the outside world.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFile } from "node:child_process"
import { pathToFileURL } from "node:url"
import { promisify } from "node:util"
import { built, builtModule } from "../support/SpawnRealms.ts"

/** Prints the address of every module that loading one brings. */
const script = `
  import { registerHooks } from "node:module"
  const loaded = []
  registerHooks({
    resolve: (specifier, context, next) => {
      const found = next(specifier, context)
      loaded.push(found.url)
      return found
    }
  })
  await import(process.argv[1])
  process.stdout.write(JSON.stringify(loaded))`

const loadedBy = (url: string) =>
  Effect.promise(async (): Promise<ReadonlyArray<string>> => {
    const args = ["--input-type=module", "--eval", script, url]
    const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 16 * 1024 * 1024 })
    return JSON.parse(stdout)
  })

describe("the graph of modules", () => {
  it.live("of a server and its commands has no simulator in it", () =>
    Effect.gen(function*() {
      yield* built
      const loaded = yield* loadedBy(pathToFileURL(builtModule("App.js")).href)
      for (const module of ["http/HttpServer.js", "cli/DemoCommand.js", "cli/DemoSimulators.js"]) {
        assert.isTrue(loaded.some((url) => url.endsWith(`/dist/${module}`)), module)
      }
      assert.deepStrictEqual(loaded.filter((url) => /simulat(?:ors|ed)\/|Simulator\b/.test(url)), [])
    }))
})
