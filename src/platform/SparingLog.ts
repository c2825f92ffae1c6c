/**
 * A warning that strangers can cause as often as they like: one line a minute for each kind at most, with how many there were, so that
 * it fills no disk and is seen.
 */
import { Clock, Effect } from "effect"
import { makePerSecond } from "./PerSecond.ts"

/** Between two lines of one kind, at least. */
const LINE_MS_MIN = 60_000

/** Notes one case with its facts. Equal kinds share their minute; the kinds are bounded by their type. */
export type SparingLog<Kind extends string> = (
  kind: Kind,
  facts: Readonly<Record<string, unknown>>
) => Effect.Effect<void>

export const makeSparingLog = <Kind extends string>(message: string): Effect.Effect<SparingLog<Kind>> =>
  Effect.sync(() => {
    /** When the last line was written, and how many there were since without a line. */
    const lines = new Map<Kind, { readonly atMs: number; readonly silent: number }>()
    return Effect.fnUntraced(function*(kind, facts) {
      const nowMs = yield* Clock.currentTimeMillis
      const last = lines.get(kind)
      const count = (last?.silent ?? 0) + 1
      if (last !== undefined && nowMs - last.atMs < LINE_MS_MIN) {
        lines.set(kind, { atMs: last.atMs, silent: count })
        return
      }
      lines.set(kind, { atMs: nowMs, silent: 0 })
      yield* Effect.logWarning(message, { ...facts, count })
    })
  })

/** Writes a line, unless there were too many in this second: then its facts are not even made. */
export type BoundedLog = (message: string, facts: () => Readonly<Record<string, unknown>>) => void

/**
 * A log of what happens as often as others like, such as a line for each call: so many lines a second at most. The next line that is
 * written says how many before it were left out.
 */
export const makeBoundedLog = (
  log: (message: string, facts: Readonly<Record<string, unknown>>) => Effect.Effect<void>,
  { linesPerSecondMax }: { readonly linesPerSecondMax: number }
): Effect.Effect<BoundedLog> =>
  Effect.gen(function*() {
    const clock = yield* Clock.Clock
    const run = Effect.runForkWith(yield* Effect.context<never>())
    const isRoom = makePerSecond(linesPerSecondMax, () => clock.currentTimeMillisUnsafe())
    let leftOut = 0
    return (message, facts) => {
      if (!isRoom()) {
        leftOut++
        return
      }
      run(log(message, leftOut === 0 ? facts() : { ...facts(), left_out: leftOut }))
      leftOut = 0
    }
  })
