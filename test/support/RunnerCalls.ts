/**
 * Calls to several runners of one database, and what they have left in it.
 */
import { assert } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { chatBody, chatPath } from "./ProcessCalls.ts"
import { queryAt } from "./TestDatabase.ts"
import { send } from "./TestHttp.ts"
import { chatUsage, chunk, type Gate, type UpstreamScript } from "./TestUpstream.ts"
import { until } from "./Until.ts"

/** What an answered call has used. */
export const USAGE = chatUsage(100, 5)
/** What it costs, in micros. */
export const COST = 105n
/** A stream of two words; the second is sent once the gate is open. */
export const streamBehind = (gate: Gate): UpstreamScript => async (call) => {
  call.frame(chunk("word "))
  await gate.opened
  call.chatStream(["word "], USAGE)
}

/** The most that a call of `callsAtOnce` holds, in micros: its bytes as tokens of its prompt, and five tokens of output. */
export const HOLD_MAX = 2_000n

/**
 * Calls in a loop from many clients, each of one origin after the other. `answers` counts whole answers by status, `broken` connections
 * that ended without one. With `retries` a client whose connection ends sends the call once more, to the next origin.
 */
export const load = Effect.fnUntraced(function*(
  origins: ReadonlyArray<string>,
  keys: ReadonlyArray<string>,
  { clients, retries = false }: { readonly clients: number; readonly retries?: boolean }
) {
  const seen = { answers: new Map<number, number>(), broken: 0, stopped: false }
  const at = <A>(values: ReadonlyArray<A>, index: number): A => values[index % values.length] ?? assert.fail("none")
  const client = (number: number) => {
    let sent = number
    const once = Effect.suspend(() =>
      send(`${at(origins, sent++)}${chatPath}`, { key: at(keys, number), body: chatBody("quick", false) })
    )
    const call = once.pipe(
      retries ? Effect.catchDefect(() => once) : (effect) => effect,
      Effect.map(({ status }) => void seen.answers.set(status, (seen.answers.get(status) ?? 0) + 1)),
      Effect.catchDefect(() =>
        Effect.sync(() => {
          seen.broken++
        })
      )
    )
    return Effect.repeat(call, { while: () => !seen.stopped })
  }
  const fiber = yield* Effect.forkScoped(
    Effect.forEach(Array.from({ length: clients }, (_, number) => number), client, {
      concurrency: "unbounded",
      discard: true
    })
  )
  const stop = Effect.andThen(
    Effect.sync(() => {
      seen.stopped = true
    }),
    Fiber.join(fiber)
  )
  return { seen, stop, answered: () => seen.answers.get(200) ?? 0 }
})

/** Many calls at once, to all origins; answers how many were answered. A refusal says that the money does not cover it. */
export const callsAtOnce = Effect.fnUntraced(function*(origins: ReadonlyArray<string>, key: string) {
  const answers = yield* Effect.forEach(
    Array.from({ length: 60 }, (_, index) => origins[index % origins.length] ?? ""),
    (origin) => send(`${origin}${chatPath}`, { key, body: { ...chatBody("quick", false), max_tokens: 5 } }),
    { concurrency: "unbounded" }
  )
  const answered = answers.filter(({ status }) => status === 200)
  const failed = answers.filter(({ status }) => ![200, 402, 429].includes(status))
  assert.deepStrictEqual(failed.map(({ status, text }) => `${status} ${text}`), [])
  return answered.length
})

/** The same until no call is answered any more: what is held and not used comes back, and is waited for. Answers how many were. */
export const callsWhileThereIsMoney = Effect.fnUntraced(
  function*(
    url: string,
    origins: ReadonlyArray<string>,
    { email, key }: { readonly email: string; readonly key: string }
  ) {
    const round = Effect.andThen(
      until("every hold of theirs has ended", noneOpen(url, email)),
      callsAtOnce(origins, key)
    )
    let answered = 0
    yield* Effect.repeat(
      Effect.tap(round, (more) =>
        Effect.sync(() => {
          answered += more
        })),
      { while: (more) => more > 0 }
    )
    return answered
  }
)

/** A plan that pays every call of a user, up to a limit in five hours. */
export const subscribe = (url: string, email: string, limitMicros: bigint) =>
  queryAt(
    url,
    `INSERT INTO user_subscriptions (user_id, plan_code, plan_name, limit_5h_micros, limit_1d_micros, limit_7d_micros,
       limit_30d_micros, starts_at, ends_at, fence)
     SELECT id, 'p', 'P', ${limitMicros}, 1000000, 1000000, 1000000, now(), now() + interval '30 days', 7
     FROM users WHERE email = '${email}'`
  )

/** Whether no call is open: of anybody, or of this user. */
export const noneOpen = (url: string, email?: string) =>
  Effect.map(
    queryAt(
      url,
      email === undefined
        ? "SELECT 1 FROM open_holds LIMIT 1"
        : `SELECT 1 FROM open_holds WHERE user_id = (SELECT id FROM users WHERE email = '${email}') LIMIT 1`
    ),
    (rows) => rows.length === 0
  )

/** Calls that were committed: of everybody, or of these users. */
export const chargedOf = (url: string, emails?: ReadonlyArray<string>) =>
  Effect.map(
    queryAt(
      url,
      `SELECT count(*)::int AS calls FROM usage_events WHERE state = 'committed'${
        emails === undefined
          ? ""
          : ` AND user_id IN (SELECT id FROM users WHERE email IN (${emails.map((email) => `'${email}'`).join(", ")}))`
      }`
    ),
    (rows) => Number(rows[0]?.["calls"])
  )
