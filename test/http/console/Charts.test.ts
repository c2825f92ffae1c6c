/**
 * Charts as their readers get them: everything in them is text, and whatever happens to the drawing thread, the next chart is
 * drawn.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import {
  axisLabel,
  chartBounds,
  type ChartSpec,
  colorAt,
  othersColor,
  POINTS_MAX,
  SERIES_MAX
} from "../../../src/http/console/charts/ChartOption.ts"
import { ChartMsMax, Charts, CHARTS_WAITING_MAX } from "../../../src/http/console/charts/Charts.ts"

/** On a busy machine the thread takes its time to start. */
const Drawing = Charts.layer.pipe(Layer.provide(Layer.succeed(ChartMsMax, 25_000)))

const days: ChartSpec = {
  kind: "days",
  labels: ["Nov 1", "Nov 2", "Nov 3"],
  series: [{ color: colorAt(0), values: [0.5, 0, 12.25] }, { color: othersColor, values: [0, 0, 1] }],
  unit: "usd",
  emptyText: "Nothing spent",
  width: 720,
  height: 240
}

const hostile = `</text><script>alert(1)</script><image href="http://x.invalid/" onload="alert(1)"/>`

describe("Charts", () => {
  it.live("draws bars with their labels, in either theme, and keeps what it has drawn", () =>
    Effect.gen(function*() {
      const charts = yield* Charts
      const light = yield* charts.render(days, "light")
      assert.match(light, /^<svg[^>]+width="720" height="240"/)
      for (const text of [...days.labels, "$0"]) assert.include(light, `>${text}</text>`)
      assert.strictEqual(yield* charts.render(days, "light"), light)
      const dark = yield* charts.render(days, "dark")
      for (const svg of [light, dark]) for (const color of [colorAt(0), othersColor]) assert.include(svg, color)
      assert.notStrictEqual(light, dark)
    }).pipe(Effect.provide(Drawing)))

  it.live("lets nothing out of its texts", () =>
    Effect.gen(function*() {
      const charts = yield* Charts
      for (const kind of ["days", "names"] as const) {
        const svg = yield* charts.render({ ...days, kind, labels: [hostile, "b", "c"] }, "light")
        assert.notMatch(svg, /<script|<image|<[^>]*\son\w+\s*=/)
        assert.notMatch(svg, /<[^>]*\s(?:href|src)\s*=/)
      }
      const none = yield* charts.render(
        { ...days, series: [{ color: "#000", values: [0, 0, 0] }], emptyText: hostile },
        "light"
      )
      assert.notMatch(none, /<script|<image/)
      assert.include(none, "alert(1)")
    }).pipe(Effect.provide(Drawing)))

  it.live("draws so many at once and no more, and goes on after that", () =>
    Effect.gen(function*() {
      const charts = yield* Charts
      const specs = Array.from({ length: CHARTS_WAITING_MAX + 40 }, (_, index) => ({ ...days, emptyText: `${index}` }))
      const results = yield* Effect.forEach(specs, (spec) => Effect.result(charts.render(spec, "light")), {
        concurrency: "unbounded"
      })
      assert.strictEqual(results.filter(({ _tag }) => _tag === "Failure").length, 40)
      assert.match(yield* charts.render({ ...days, emptyText: "after" }, "light"), /^<svg/)
    }).pipe(Effect.provide(Drawing)))

  it.live("refuses more points than there is room for", () =>
    Effect.gen(function*() {
      const many = Array.from({ length: POINTS_MAX + 1 }, () => 1)
      const charts = yield* Charts
      const error = yield* Effect.flip(charts.render({ ...days, labels: many.map(String) }, "light"))
      assert.strictEqual(error._tag, "ChartFailed")
      const series = Array.from({ length: SERIES_MAX + 1 }, () => ({ color: "#000", values: [1, 2, 3] }))
      assert.strictEqual((yield* Effect.flip(charts.render({ ...days, series }, "light")))._tag, "ChartFailed")
    }).pipe(Effect.provide(Drawing)))

  it.live("has its bars where those who point at them are told, one on top of the other", () =>
    Effect.gen(function*() {
      const charts = yield* Charts
      const values = Array.from({ length: 10 }, () => 1)
      const spec: ChartSpec = {
        ...days,
        labels: values.map(String),
        series: [{ color: "#123456", values }, { color: "#654321", values }]
      }
      const svg = yield* charts.render(spec, "light")
      const barsOf = (color: string) =>
        Array.from(
          svg.matchAll(new RegExp(`<path d="M([\\d.]+) ([\\d.]+)l([\\d.]+) 0l0 (-?[\\d.]+)[^>]*fill="${color}"`, "g")),
          (found) => found.slice(1).map(Number)
        )
      const { left, right } = chartBounds.days
      const step = (720 - left - right) / values.length
      const [lower, upper] = [barsOf("#123456"), barsOf("#654321")]
      assert.lengthOf(lower, values.length)
      for (const [index, [x = 0, y = 0, width = 0, height = 0]] of lower.entries()) {
        assert.approximately(x + width / 2, left + (index + 0.5) * step, 1)
        assert.strictEqual(upper[index]?.[1], y + height)
      }
    }).pipe(Effect.provide(Drawing)))

  it("writes amounts on the axis as short as they are", () => {
    const table: ReadonlyArray<readonly [value: number, text: string]> = [
      [0, "$0"],
      [0.000002, "$0.000002"],
      [0.5, "$0.5"],
      [0.25, "$0.25"],
      [2, "$2"],
      [10, "$10"],
      [1500, "$1500"]
    ]
    for (const [value, text] of table) assert.strictEqual(axisLabel(value), text)
    const counts: ReadonlyArray<readonly [value: number, text: string]> = [
      [0, "0"],
      [7, "7"],
      [1_500, "1.5k"],
      [2_000_000, "2M"],
      [3_000_000_000, "3B"]
    ]
    for (const [value, text] of counts) assert.strictEqual(axisLabel(value, "count"), text)
  })
})
