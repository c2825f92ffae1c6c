/**
 * The dashboard and the alert rules of `docs/grafana` against a real Prometheus that reads a real server: every query of every panel
 * returns data, and every rule is evaluated. Left out where there is no Prometheus: Debian's package has one.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { hasPrometheus, makePrometheus, runPromtool } from "../../support/Prometheus.ts"
import { microPriced, TestGateway } from "../../support/TestGateway.ts"
import { send } from "../../support/TestHttp.ts"
import { chatUsage, completion } from "../../support/TestUpstream.ts"
import { until } from "../../support/Until.ts"

const folder = join(import.meta.dirname, "../../../docs/grafana")
const rules = join(folder, "alerts.yml")

const Dashboard = Schema.fromJsonString(Schema.Struct({
  panels: Schema.Array(Schema.Struct({
    title: Schema.String,
    targets: Schema.optionalKey(Schema.Array(Schema.Struct({ expr: Schema.String })))
  }))
}))

const queries = Schema.decodeUnknownSync(Dashboard)(readFileSync(join(folder, "dashboard.json"), "utf8")).panels
  .flatMap(
    ({ targets = [], title }) => targets.map(({ expr }) => ({ title, expr }))
  )

if (!hasPrometheus) process.stderr.write("the dashboard is not tested: no prometheus (apt-get install prometheus)\n")

describe.skipIf(!hasPrometheus)("docs/grafana", () => {
  it.live("has rules that promtool takes", () => runPromtool("check", "rules", rules))

  it.live("has no query without data, and no rule that fails", () =>
    Effect.gen(function*() {
      const gateway = yield* TestGateway.make((origin) => microPriced(origin))
      const prometheus = yield* makePrometheus(gateway.origin, rules)
      const user = yield* gateway.user(10_000_000n)
      let count = 0
      gateway.upstream.on("up", (call) => {
        if (count % 7 === 6) return call.error(500)
        if (call.body["stream"] === true) return call.chatStream(["one ", "two "], chatUsage(10, 2))
        call.json(completion("word", chatUsage(10, 5)))
      })
      const traffic = Effect.suspend(() =>
        send(`${gateway.origin}/v1/chat/completions`, {
          key: user.key,
          body: {
            model: "m",
            messages: [{ role: "user", content: "Hi" }],
            max_tokens: 50,
            ...count++ % 2 === 0 ? { stream: true } : {}
          }
        })
      )
      let left = queries
      const ask = Effect.gen(function*() {
        yield* traffic
        const without: Array<typeof queries[number]> = []
        for (const query of left) {
          const values = yield* prometheus.query(query.expr)
          if (values.every(Number.isNaN)) without.push(query)
        }
        left = without
        return left.length === 0
      })
      yield* until("every query has data", ask).pipe(
        Effect.catchDefect((defect) =>
          Effect.die(new Error(`without data: ${JSON.stringify(left)}: ${String(defect)}`))
        )
      )
      const evaluated = yield* until(
        "every rule was evaluated",
        Effect.map(prometheus.rules, (all) => all.length > 0 && all.every(({ health }) => health !== "unknown"))
      ).pipe(Effect.andThen(prometheus.rules))
      assert.deepStrictEqual(evaluated.filter(({ health }) => health !== "ok"), [])
      assert.isAbove(queries.length, 40)
    }).pipe(Effect.scoped))
})
