/**
 * What a server has in memory: the product, and nothing of the stand-ins for the outside world.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import type { Sheet } from "../../src/platform/Sheet.ts"
import { makeWorkerThread } from "../../src/platform/WorkerThread.ts"
import { built, builtModule } from "../support/SpawnRealms.ts"

/** The thread has to start on a machine that is busy with other tests. */
const THREAD_MS_MAX = 30_000

/** Each module that was joined begins with its path. */
const modules = /^\/\/ (\S+\.[jt]s)$/gm

const joinedModules = Effect.promise(async (): Promise<ReadonlyArray<string>> => {
  const folder = builtModule("bundle")
  const files = (await readdir(folder)).filter((name) => name.endsWith(".js"))
  const texts = await Promise.all(files.map((name) => readFile(join(folder, name), "utf8")))
  return texts.flatMap((text) => Array.from(text.matchAll(modules), ([, path]) => path ?? ""))
})

describe("the graph of modules", () => {
  it.live("of a server and its commands has no simulator in it, and each module once", () =>
    Effect.gen(function*() {
      yield* built
      const joined = yield* joinedModules
      for (
        const module of [
          "http/HttpServer.js",
          "cli/DemoCommand.js",
          "cli/DemoSimulators.js",
          "accounts/AccountsLayer.js"
        ]
      ) {
        assert.include(joined, `dist/${module}`)
      }
      assert.deepStrictEqual(joined.filter((path) => /simulat(?:ors|ed)\/|Simulator\b/.test(path)), [])
      assert.strictEqual(new Set(joined).size, joined.length)
    }))

  it.live("has the thread that prints receipts, with its font", () =>
    Effect.gen(function*() {
      yield* built
      const url = pathToFileURL(builtModule("bundle/PdfWorker.js"))
      const thread = yield* makeWorkerThread<Sheet, ArrayBuffer | null>({ url, answerMsMax: THREAD_MS_MAX })
      const printed = yield* thread.ask({
        title: "收据",
        parties: [],
        facts: [],
        columns: ["Item", "Amount"],
        lines: [],
        total: ["Total", "¥0.00"],
        footer: ""
      })
      assert.include(Buffer.from(printed ?? new ArrayBuffer(0)).toString("latin1"), "NotoSansSC")
    }))
})
