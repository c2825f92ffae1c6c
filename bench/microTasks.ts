/**
 * What the micro-benchmarks run: the pieces of our own that every call passes, each on input as it comes in the plain case.
 */
import { Effect } from "effect"
import { Buffer } from "node:buffer"
import { decide } from "../src/accounts/AccountMachine.ts"
import type { Event } from "../src/accounts/Decision.ts"
import type { Command } from "../src/accounts/AccountState.ts"
import { type JournalGroup, plainBatch } from "../src/accounts/JournalBatch.ts"
import { ApiKeyId, makeReservationId, UserId } from "../src/domain/Ids.ts"
import { defaultTerms } from "../src/domain/ModelTerms.ts"
import { CallMetrics } from "../src/gateway/CallMetrics.ts"
import { CallNotes } from "../src/gateway/CallNotes.ts"
import { boundsOf } from "../src/gateway/meter/Bounds.ts"
import { SseScanner } from "../src/gateway/meter/SseScanner.ts"
import { StreamMeter } from "../src/gateway/meter/StreamMeter.ts"
import { type AdmissionRules, admit } from "../src/gateway/request/Admit.ts"
import type { Admitted } from "../src/gateway/request/Call.ts"
import { parseCall } from "../src/gateway/request/ParseCall.ts"
import { accountState, microPrice, reserveCommand, START_MS, usedTokens } from "../test/support/MachineAccount.ts"
import { accepted } from "./accepted.ts"

export interface MicroTask {
  readonly name: string
  /** What one operation is. */
  readonly unit: string
  /** Operations that one run makes. */
  readonly operations: number
  /** Answers something that depends on all of its work, so that none of it is left out. */
  readonly run: () => number
}

/** So many that what the clock takes does not count. */
const REPEATS = 100

const repeated = (work: () => number) => (): number => {
  let sum = 0
  for (let index = 0; index < REPEATS; index++) sum += work()
  return sum
}

const MICROS = 1_000n
const BALANCE = 1_000_000_000n

const reserves = Array.from({ length: 64 }, () =>
  reserveCommand(makeReservationId(), MICROS, {
    keyId: ApiKeyId.make(1n),
    model: "gpt-4o-mini",
    openHoldsMax: 2_000
  }))
const commitOf = (id: string): Command => ({
  _tag: "Commit",
  id,
  outcome: { ...usedTokens(500n), channel: "one", upstreamModel: "gpt-4o-mini", latencyMs: 900 },
  atMs: START_MS
})

const empty = accountState(BALANCE)
const [first = reserveCommand(makeReservationId(), MICROS)] = reserves
const firstCommit = commitOf(first.id)
const poor = accountState(MICROS / 2n)

/** 63 of 64 calls of an account are open. */
const busy = reserves.slice(1).reduce((state, command) => accepted(state, command).state, empty)

const machine: ReadonlyArray<MicroTask> = [
  {
    name: "account: a reserve and its commit, no other call open",
    unit: "call",
    operations: REPEATS,
    run: repeated(() => accepted(accepted(empty, first).state, firstCommit).state.openHolds + 1)
  },
  {
    name: "account: a reserve and its commit, 63 other calls open",
    unit: "call",
    operations: REPEATS,
    run: repeated(() => accepted(accepted(busy, first).state, firstCommit).state.openHolds)
  },
  {
    name: "account: a refusal for want of funds",
    unit: "decision",
    operations: REPEATS,
    run: repeated(() => decide(poor, first)._tag.length)
  }
]

/** Users with one event each: half reserve, half commit. */
const groupsOf = (count: number): ReadonlyArray<JournalGroup> =>
  Array.from({ length: count }, (_, index) => {
    const command = reserveCommand(makeReservationId(), MICROS, { keyId: ApiKeyId.make(1n), model: "gpt-4o-mini" })
    const held = accepted(empty, command)
    const event: Event = index % 2 === 0 ? held.event : accepted(held.state, commitOf(command.id)).event
    return { userId: UserId.make(BigInt(index + 1)), events: [event], fences: [] }
  })

/** As many rows as the answer to such a batch has. */
const answerOf = (count: number): ReadonlyArray<ReadonlyArray<unknown>> =>
  Array.from({ length: count }, (_, index) => [UserId.make(BigInt(index + 1)), BALANCE])

const batches: ReadonlyArray<MicroTask> = [1, 16, 128].flatMap((count) => {
  const groups = groupsOf(count)
  const rows = answerOf(count)
  const repeats = Math.ceil(REPEATS / count)
  const times = (work: () => number) => (): number => {
    let sum = 0
    for (let index = 0; index < repeats; index++) sum += work()
    return sum
  }
  return [
    {
      name: `batch encoding, entries: ${count}`,
      unit: "entry",
      operations: repeats * count,
      run: times(() => plainBatch.parameters(groups).length)
    },
    {
      name: `batch decoding, users: ${count}`,
      unit: "user",
      operations: repeats * count,
      run: times(() => plainBatch.decode(rows).size)
    }
  ]
})

const frameOf = (content: string): string =>
  `data: ${
    JSON.stringify({
      id: "chatcmpl-bench",
      object: "chat.completion.chunk",
      created: 1,
      model: "bench",
      choices: [{ index: 0, delta: { content }, finish_reason: null }]
    })
  }\n\n`

const FRAMES = 100
const wordFrame = frameOf("word ")
const wordStream = Buffer.from(wordFrame.repeat(FRAMES))
/** As the network may cut it: in the middle of frames. */
const cutStream = Array.from(
  { length: Math.ceil(wordStream.length / 100) },
  (_, index) => wordStream.subarray(index * 100, (index + 1) * 100)
)
const longFrame = Buffer.from(frameOf("word ".repeat(3_200)))

const framesIn = (chunks: ReadonlyArray<Uint8Array>, meter?: StreamMeter): number => {
  const scanner = new SseScanner()
  let frames = 0
  for (const chunk of chunks) {
    const found = scanner.push(chunk)
    if (found === "overflow") throw new Error("the stream is too long")
    frames += found.length
    if (meter !== undefined) { for (const frame of found) meter.observe(frame) }
  }
  return frames
}

const scanner: ReadonlyArray<MicroTask> = [
  {
    name: "SSE scanner, a frame a chunk",
    unit: "frame",
    operations: FRAMES,
    run: () => framesIn(Array.from({ length: FRAMES }, () => wordStream.subarray(0, wordFrame.length)))
  },
  {
    name: "SSE scanner, all frames in one chunk",
    unit: "frame",
    operations: FRAMES,
    run: () => framesIn([wordStream])
  },
  { name: "SSE scanner, chunks of 100 bytes", unit: "frame", operations: FRAMES, run: () => framesIn(cutStream) },
  {
    name: "SSE scanner, a frame of 16 kB",
    unit: "frame",
    operations: REPEATS,
    run: repeated(() => framesIn([longFrame]))
  },
  {
    name: "SSE scanner and meter, all frames in one chunk",
    unit: "frame",
    operations: FRAMES,
    run: () => framesIn([wordStream], new StreamMeter({ dialect: "chat", choices: 1 }))
  }
]

const rules: AdmissionRules = {
  hostedTools: "drop",
  toolCallsMax: 5,
  contextTokens: 128_000,
  maxOutputTokens: 16_384,
  toolPrices: undefined,
  cacheTtlPriced: false
}

const admittedOf = (body: Uint8Array): Admitted => {
  const call = parseCall("chat", body)
  const admitted = call._tag === "Refused" ? call : admit(call, rules)
  if (admitted._tag === "Refused") throw new Error(admitted.message)
  return admitted
}

const bodyOf = (words: number, messages: number): Buffer =>
  Buffer.from(JSON.stringify({
    model: "gpt-4o-mini",
    stream: true,
    max_tokens: 64,
    messages: Array.from({ length: messages }, (_, index) => ({
      role: index % 2 === 0 ? "user" : "assistant",
      content: "many words ".repeat(words)
    }))
  }))

const terms = {
  model: { ...defaultTerms, price: microPrice, contextTokens: 128_000 },
  channelOverheadTokens: 0,
  referenceTokens: 0
}

const admission: ReadonlyArray<MicroTask> = ([
  ["a short chat body", bodyOf(2, 1)],
  ["a chat of 20 messages, 5 kB", bodyOf(20, 20)],
  ["a chat of 200 messages, 200 kB", bodyOf(90, 200)]
] as const).flatMap(([name, body]): ReadonlyArray<MicroTask> => {
  const admitted = admittedOf(body)
  return [
    {
      name: `admission (parse and admit), ${name}`,
      unit: "body",
      operations: body.length > 10_000 ? 1 : REPEATS,
      run: body.length > 10_000
        ? () => admittedOf(body).call.fields.length
        : repeated(() => admittedOf(body).call.fields.length)
    },
    {
      name: `bounds, ${name}`,
      unit: "call",
      operations: REPEATS,
      run: repeated(() => boundsOf(admitted, terms).input.held)
    }
  ]
})

const { count } = Effect.runSync(Effect.provide(CallMetrics, CallMetrics.layer))

/** What is noted of a plain call, and counted when it has ended. */
const noted = (): number => {
  const notes = new CallNotes(first.id, "chat")
  notes.model = "gpt-4o-mini"
  for (const stage of ["body", "gateway", "hold", "gateway", "queue", "upstream", "gateway", "commit"] as const) {
    notes.enter(stage)
    if (stage === "queue") notes.channel = "one"
  }
  notes.outcome = { ...usedTokens(500n), channel: "one", upstreamModel: "gpt-4o-mini", latencyMs: 900 }
  notes.settlement = { state: "committed", costMicros: 500n, chargedMicros: 500n, late: false }
  notes.enter("gateway")
  count(notes, "ok")
  return notes.totalMs
}

const telemetry: ReadonlyArray<MicroTask> = [
  { name: "metrics of a call: noted and counted", unit: "call", operations: REPEATS, run: repeated(noted) }
]

export const microTasks: ReadonlyArray<MicroTask> = [...machine, ...batches, ...scanner, ...admission, ...telemetry]
