import { assert, describe, it } from "@effect/vitest"
import { Console, Effect, Layer, Redacted } from "effect"
import { AppConfig, testConfig } from "../../src/config/Config.ts"
import { Telemetry } from "../../src/platform/Telemetry.ts"

/** What these log statements print, by stream. */
const printed = Effect.fnUntraced(function*(log: unknown, program: Effect.Effect<void>) {
  const streams = { out: [] as Array<string>, error: [] as Array<string> }
  const print = (lines: Array<string>) => (...parts: ReadonlyArray<unknown>) =>
    void lines.push(parts.map(String).join(" "))
  const captured: Console.Console = {
    ...globalThis.console,
    log: print(streams.out),
    info: print(streams.out),
    error: print(streams.error),
    group: print(streams.out),
    groupCollapsed: print(streams.out)
  }
  const telemetry = Telemetry.layer.pipe(Layer.provide(AppConfig.layerOf(testConfig({ log }))))
  yield* program.pipe(Effect.provide(telemetry), Effect.provideService(Console.Console, captured))
  return { out: streams.out.join("\n"), error: streams.error.join("\n") }
})

const secret = Redacted.make("hunter2")

describe("Telemetry", () => {
  for (const format of ["json", "pretty"]) {
    it.effect(`${format}: goes to standard error and shows no secret`, () =>
      Effect.gen(function*() {
        const program = Effect.logInfo("started", { secret }).pipe(Effect.annotateLogs({ secret, port: 8080 }))
        const { error, out } = yield* printed({ format }, program)
        assert.strictEqual(out, "")
        assert.include(error, "started")
        assert.include(error, "8080")
        assert.notInclude(error, "hunter2")
      }))
  }

  it.effect("json is one object a line", () =>
    Effect.gen(function*() {
      const { error } = yield* printed(
        { format: "json" },
        Effect.andThen(Effect.logInfo("a\nb"), Effect.logWarning("c"))
      )
      const levels = error.split("\n").map((line) => JSON.parse(line).level)
      assert.deepStrictEqual(levels, ["INFO", "WARN"])
    }))

  it.effect("logs from the configured level up", () =>
    Effect.gen(function*() {
      const program = Effect.andThen(Effect.logInfo("quiet"), Effect.logWarning("loud"))
      const { error } = yield* printed({ format: "json", level: "warn" }, program)
      assert.notInclude(error, "quiet")
      assert.include(error, "loud")
    }))
})
