/**
 * The metrics of several runners: each has a listener of its own, says which runner it is, and hands its port on when it is replaced.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { freePorts } from "../support/FreePort.ts"
import { samplesOf } from "../support/MetricsText.ts"
import { document } from "../support/ProcessCalls.ts"
import { makeInstallation } from "../support/SpawnRealms.ts"
import { makeDatabase } from "../support/TestDatabase.ts"
import { send } from "../support/TestHttp.ts"
import { TestUpstream } from "../support/TestUpstream.ts"
import { until } from "../support/Until.ts"

/** Each starts processes, which a busy machine takes its time for. */
const TEST_TIMEOUT_MS = 240_000
const RUNNERS = 2

describe("metrics of runners", () => {
  it.live("are read from each, also after all were replaced", () =>
    Effect.gen(function*() {
      const upstream = yield* TestUpstream.acquire
      const port = yield* freePorts(RUNNERS)
      const realms = yield* makeInstallation(
        document(upstream, 2, {
          server: { port: 0, runners: RUNNERS },
          database: { url: yield* makeDatabase() },
          telemetry: { metrics: { port } }
        })
      )
      const server = yield* realms.start
      /** When the runner of a place was started; undefined: it does not answer. */
      const startOf = (place: number) =>
        send(`http://127.0.0.1:${port + place}/metrics`, {}).pipe(
          Effect.map(({ text }) => {
            const samples = samplesOf(text)
            assert.isTrue(samples.every(({ labels }) => labels["runner"] === String(place)))
            return samples.find(({ name }) => name === "process_start_time_seconds")?.value
          }),
          Effect.catchDefect(() => Effect.succeed(undefined))
        )
      const starts = Effect.forEach(Array.from({ length: RUNNERS }, (_, place) => place), startOf)
      yield* until("each runner answers", Effect.map(starts, (all) => all.every((at) => at !== undefined)))
      const before = yield* starts
      server.signal("SIGHUP")
      yield* until(
        "each new runner answers",
        Effect.map(starts, (all) => all.every((at, place) => at !== undefined && at > (before[place] ?? Infinity)))
      )
      server.signal("SIGTERM")
      assert.strictEqual(yield* server.exit, 0)
    }).pipe(Effect.scoped), TEST_TIMEOUT_MS)
})
