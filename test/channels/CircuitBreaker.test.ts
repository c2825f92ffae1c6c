/**
 * The rules of one circuit breaker as tables: what happens to it at which second, and what state it is in then.
 */
import { assert, describe, it } from "@effect/vitest"
import {
  afterFailures,
  afterProbe,
  afterProbeLost,
  CHANNEL_FAILURES_TO_OPEN,
  type CircuitBreaker,
  closedBreaker,
  FAILURES_TO_OPEN,
  isProbed,
  stateOf
} from "../../src/channels/CircuitBreaker.ts"
import { UserId } from "../../src/domain/Ids.ts"

const ada = UserId.make(7n)
const bob = UserId.make(8n)

/** What happens: `look`, `probe`, `lost`, or `fail` with how many failures. */
const apply = (breaker: CircuitBreaker, what: string, nowMs: number, toOpen: number): CircuitBreaker => {
  if (what === "look") return breaker
  if (what === "probe") return afterProbe(breaker, ada, nowMs)
  if (what === "lost") return afterProbeLost(breaker, ada)
  const [failed, count = "1"] = what.split(" ")
  assert.strictEqual(failed, "fail")
  return afterFailures(breaker, { count: Number(count), toOpen, nowMs })
}

const run = (steps: ReadonlyArray<string>, toOpen: number): void => {
  let breaker = closedBreaker
  for (const step of steps.flatMap((line) => line.split("; "))) {
    const [, seconds = "", what = "", then] = /^([\d.]+) ([^:]+): (.+)$/.exec(step) ?? assert.fail(step)
    const nowMs = Number(seconds) * 1_000
    breaker = apply(breaker, what, nowMs, toOpen)
    assert.strictEqual(`${stateOf(breaker, nowMs)}${isProbed(breaker, nowMs) ? ", probed" : ""}`, then, step)
  }
}

/** In order: at which second what happens, and what state the breaker is in then. */
const tables: ReadonlyArray<readonly [what: string, toOpen: number, steps: ReadonlyArray<string>]> = [
  ["opens at the fifth failure and is half-open after 30 s", FAILURES_TO_OPEN, [
    "0 fail: closed; 100 fail: closed; 200 fail: closed; 300 fail: closed; 400 fail: open",
    "429.999 look: open; 430 look: half_open"
  ]],
  ["of a whole channel opens at the first failure", CHANNEL_FAILURES_TO_OPEN, [
    "0 fail: open; 30 look: half_open"
  ]],
  ["counts several failures at once", FAILURES_TO_OPEN, [
    "0 fail 0: closed; 0 fail 3: closed; 1 fail 3: open"
  ]],
  ["stays as it is by failures while it is open", FAILURES_TO_OPEN, [
    "0 fail 5: open; 29 fail 5: open; 30 look: half_open"
  ]],
  ["takes one probe at a time, and another when the first tells nothing for 30 s", FAILURES_TO_OPEN, [
    "0 fail 5: open; 10 probe: open; 30 probe: half_open, probed; 59.999 probe: half_open, probed",
    "60 look: half_open; 61 probe: half_open, probed"
  ]],
  ["takes another probe when the first ended without telling anything", FAILURES_TO_OPEN, [
    "0 fail 5: open; 30 probe: half_open, probed; 31 lost: half_open; 31 probe: half_open, probed"
  ]],
  ["doubles at each failed probe, up to 15 minutes", FAILURES_TO_OPEN, [
    "0 fail 5: open; 30 probe: half_open, probed; 40 fail: open; 99.999 look: open; 100 fail: open",
    "219.999 look: open; 220 fail 9: open; 459.999 look: open; 460 fail: open; 939.999 look: open",
    "940 fail: open; 1839.999 look: open; 1840 fail: open; 2739.999 look: open",
    "2740 look: half_open"
  ]],
  ["takes no probe while it is closed", FAILURES_TO_OPEN, [
    "0 fail 4: closed; 1 probe: closed"
  ]]
]

describe("a circuit breaker", () => {
  for (const [what, toOpen, steps] of tables) it(what, () => run(steps, toOpen))

  it("loses only the probe of the user who had it", () => {
    const probed = afterProbe(afterFailures(closedBreaker, { count: 5, toOpen: 5, nowMs: 0 }), ada, 30_000)
    assert.isTrue(isProbed(afterProbeLost(probed, bob), 30_000))
    assert.isFalse(isProbed(afterProbeLost(probed, ada), 30_000))
  })
})
