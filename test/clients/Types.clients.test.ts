/**
 * The compiler over this folder. The project's own check leaves it out, because the clients' types are there only once they
 * are installed.
 */
import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { join } from "node:path"

/** A busy machine takes its time. */
const COMPILE_MS_MAX = 240_000

const root = join(import.meta.dirname, "../..")

describe("the client tests", () => {
  it("have no type errors", () => {
    const compiled = spawnSync(
      process.execPath,
      [join(root, "node_modules/typescript/bin/tsc"), "-p", import.meta.dirname],
      { encoding: "utf8", timeout: COMPILE_MS_MAX }
    )
    assert.deepStrictEqual([compiled.status, compiled.stdout], [0, ""])
  }, COMPILE_MS_MAX + 10_000)
})
