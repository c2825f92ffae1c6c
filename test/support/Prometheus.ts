/**
 * A Prometheus of a test's own (Debian: `apt-get install prometheus`), which reads the metrics of one server every half second.
 */
import { Effect, Schema } from "effect"
import { execFile, spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { writeFile } from "node:fs/promises"
import { delimiter, join } from "node:path"
import { freePort } from "./FreePort.ts"
import { scratchFolder } from "./ScratchFolder.ts"
import { send } from "./TestHttp.ts"
import { until } from "./Until.ts"

const found = (program: string): string | undefined =>
  (process.env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, program)).find((path) => existsSync(path))

const [prometheus, promtool] = [found("prometheus"), found("promtool")]

/** Both programs are here. */
export const hasPrometheus = prometheus !== undefined && promtool !== undefined

/** What `promtool` says; fails where it finds something wrong. */
export const runPromtool = (...args: ReadonlyArray<string>): Effect.Effect<string> =>
  Effect.callback((resume) => {
    execFile(
      promtool ?? "promtool",
      [...args],
      (error, stdout, stderr) =>
        resume(error === null ? Effect.succeed(stdout) : Effect.die(new Error(stdout + stderr)))
    )
  })

const Queried = Schema.fromJsonString(Schema.Struct({
  status: Schema.Literal("success"),
  data: Schema.Struct({ result: Schema.Array(Schema.Struct({ value: Schema.Tuple([Schema.Number, Schema.String]) })) })
}))

const Rules = Schema.fromJsonString(Schema.Struct({
  data: Schema.Struct({
    groups: Schema.Array(Schema.Struct({
      rules: Schema.Array(Schema.Struct({ name: Schema.String, health: Schema.String, type: Schema.String }))
    }))
  })
}))

export const makePrometheus = Effect.fnUntraced(function*(origin: string, rules: string) {
  const folder = yield* scratchFolder
  const port = yield* freePort
  const config = join(folder, "prometheus.yml")
  yield* Effect.promise(() =>
    writeFile(
      config,
      `global: { scrape_interval: 500ms, scrape_timeout: 400ms, evaluation_interval: 1s }
rule_files: [${rules}]
scrape_configs: [{ job_name: realms, static_configs: [{ targets: ["${new URL(origin).host}"] }] }]
`
    )
  )
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      spawn(prometheus ?? "prometheus", [
        `--config.file=${config}`,
        `--storage.tsdb.path=${join(folder, "data")}`,
        `--web.listen-address=127.0.0.1:${port}`
      ], { stdio: "ignore" })
    ),
    (running) =>
      Effect.callback<void>((resume) => {
        if (running.exitCode !== null || running.signalCode !== null) return resume(Effect.void)
        running.once("exit", () => resume(Effect.void))
        running.kill("SIGKILL")
      })
  )
  const base = `http://127.0.0.1:${port}`
  yield* until(
    "Prometheus is ready",
    Effect.suspend(() =>
      child.exitCode === null
        ? Effect.catchDefect(Effect.map(send(`${base}/-/ready`, {}), ({ status }) => status === 200), () =>
          Effect.succeed(false))
        : Effect.die(new Error("Prometheus has ended"))
    )
  )
  return {
    /** The values of an instant query. */
    query: (expression: string) =>
      Effect.map(
        send(`${base}/api/v1/query?query=${encodeURIComponent(expression)}`, {}),
        ({ text }) => Schema.decodeUnknownSync(Queried)(text).data.result.map(({ value: [, value] }) => Number(value))
      ),
    /** Every rule, once it has been evaluated. */
    rules: Effect.map(
      send(`${base}/api/v1/rules`, {}),
      ({ text }) => Schema.decodeUnknownSync(Rules)(text).data.groups.flatMap((group) => group.rules)
    )
  }
})
