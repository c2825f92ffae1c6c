import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger, Redacted } from "effect"
import { TestConsole } from "effect/testing"
import { jsonLine, terminalLine } from "../../src/config/LogFormats.ts"

type Line = Parameters<typeof jsonLine>[0]

const logged = (format: (line: Line) => string, effect: Effect.Effect<void>) =>
  Effect.gen(function*() {
    yield* effect.pipe(
      Effect.provide(Logger.layer([Logger.withConsoleLog(Logger.map(Logger.formatStructured, format))]))
    )
    return (yield* TestConsole.logLines).map(String)
  }).pipe(Effect.provide(TestConsole.layer))

describe("lines of the log", () => {
  it.effect("have no empty fields as JSON", () =>
    Effect.gen(function*() {
      const [plain, full] = yield* logged(
        jsonLine,
        Effect.andThen(
          Effect.logInfo("listening"),
          Effect.logWarning("a channel failed", { channel: "one" }, Redacted.make("sk-secret")).pipe(
            Effect.annotateLogs({ request: "7" })
          )
        )
      )
      assert.deepStrictEqual(Object.keys(JSON.parse(plain ?? "")), ["timestamp", "level", "message"])
      const { annotations, message } = JSON.parse(full ?? "")
      assert.deepStrictEqual(annotations, { request: "7" })
      assert.strictEqual(message[0], "a channel failed")
      assert.notInclude(full, "sk-secret")
    }))

  it.effect("are one readable line on a terminal, with what was said, then the facts", () =>
    Effect.gen(function*() {
      const [line] = yield* logged(
        terminalLine(false),
        Effect.logWarning("a channel failed", { channel: "one", why: "no answer" }, Redacted.make("sk-secret")).pipe(
          Effect.annotateLogs({ request: "7" })
        )
      )
      assert.match(
        line ?? "",
        /^\d\d:\d\d:\d\d WARN {2}a channel failed <redacted> {2}channel=one why="no answer" request=7$/
      )
    }))

  it.effect("do nothing to a terminal, whatever they say", () =>
    Effect.gen(function*() {
      const [line] = yield* logged(terminalLine(false), Effect.logInfo("model \u001B[2J\u0007 gone"))
      assert.include(line, "model \uFFFD[2J\uFFFD gone")
    }))
})
