/**
 * The server as a process says how to make the first administrator, for as long as there is none; no other command does.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { makeInstallation } from "../support/SpawnRealms.ts"
import { makeDatabase, queryAt } from "../support/TestDatabase.ts"
import { until } from "../support/Until.ts"

/** Each starts processes, which a busy machine takes its time for. */
const TEST_TIMEOUT_MS = 300_000

describe("a new installation", { timeout: TEST_TIMEOUT_MS }, () => {
  it.live("names a setup link when it serves, which is void once a command has made an administrator", () =>
    Effect.gen(function*() {
      const url = yield* makeDatabase()
      const realms = yield* makeInstallation({ database: { url } })
      const link = /no administrator yet: open http:\/\/[\w.:]+\/setup\/[\w-]{43} to make the account/
      const first = yield* realms.start
      yield* until("the link is named", () => link.test(first.log))
      assert.include(first.log, `open ${first.origin}/setup/`)
      first.signal("SIGTERM")
      assert.strictEqual(yield* first.exit, 0)

      const created = realms.begin("user", "create", "--email", "root@example.com", "--role", "root")
      assert.strictEqual(yield* created.exit, 0, created.log)
      assert.notInclude(created.log, "/setup/")
      const [links] = yield* queryAt(url, "SELECT count(*) FROM setup_links")
      assert.deepStrictEqual(links, { count: 0n })
    }))
})
