/**
 * Clients over real sockets that read slowly, not at all, or not any more. The system takes megabytes before Node sees anything of
 * it, so an answer has some.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { ServerResponse } from "node:http"
import { connect, type Socket } from "node:net"
import { setTimeout as pause } from "node:timers/promises"
import { ClientWatch } from "../../../src/http/v1/ClientWatch.ts"
import { NodeCallClient } from "../../../src/http/v1/NodeCallClient.ts"
import { readSocketQueues } from "../../../src/http/v1/SocketQueues.ts"
import { listening } from "../../support/Listening.ts"
import { until } from "../../support/Until.ts"

const STALLED_MS = 400
const READ_EVERY_MS = 50
const READ_BYTES = 500
const ANSWER_BYTES = 12_000_000

const rules = {
  stalledMs: STALLED_MS,
  blindStalledMs: 600_000,
  stallCheckMs: 100,
  slowBytesPerSecond: 1e9,
  aheadBytesMax: 65_536
}

/** Reads 500 bytes from the system at a time, as often as it is told to. */
class SlowReader {
  reads = 0
  closed = false
  private readonly socket: Socket
  private next: (() => void) | undefined

  constructor(port: number) {
    this.socket = connect({
      port,
      host: "127.0.0.1",
      onread: {
        buffer: Buffer.alloc(READ_BYTES),
        callback: () => {
          this.reads++
          this.next?.()
          return false
        }
      }
    })
    this.socket.on("error", () => undefined).on("close", () => {
      this.closed = true
      this.next?.()
    })
    this.socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n")
  }

  /** Reads so often, with pauses. */
  async read(times: number): Promise<void> {
    for (let left = times; left > 0 && !this.closed; left--) {
      await new Promise<void>((resolve) => {
        this.next = resolve
        this.socket.resume()
      })
      await pause(READ_EVERY_MS)
    }
  }

  end(): void {
    this.socket.destroy()
  }
}

/** A server that answers the one request it gets by `answer`. */
const serve = (watch: ClientWatch, answer: (client: NodeCallClient) => void) =>
  Effect.gen(function*() {
    const seen: { client?: NodeCallClient; response?: ServerResponse; gone: boolean } = { gone: false }
    const { port } = yield* listening((_, response) => {
      const client = new NodeCallClient(response, watch)
      client.onGone = () => {
        seen.gone = true
      }
      seen.client = client
      seen.response = response
      client.start(200, {})
      answer(client)
    })
    const reader = yield* Effect.acquireRelease(
      Effect.sync(() => new SlowReader(port)),
      (made) => Effect.sync(() => made.end())
    )
    return { reader, seen }
  })

const answers: ReadonlyArray<readonly [what: string, answer: (client: NodeCallClient) => void]> = [
  ["the end of its answer", (client) => client.end(Buffer.alloc(ANSWER_BYTES))],
  ["a stream's next piece", (client) => {
    const write = () => {
      while (client.write(Buffer.alloc(2_000))) continue
    }
    client.onDrain = write
    write()
  }]
]

describe.skipIf(process.platform !== "linux")("a client that is sent", () => {
  it.live.each(answers)(
    "%s, and reads slowly, is kept; once it stops it is gone",
    ([, answer]) =>
      Effect.gen(function*() {
        const watch = new ClientWatch(rules)
        const { reader, seen } = yield* serve(watch, answer)
        yield* until("something waits for it", () => watch.size === 1)
        // Five times as long as a client may take nothing.
        yield* Effect.promise(() => reader.read((5 * STALLED_MS) / READ_EVERY_MS))
        assert.isFalse(seen.gone)
        assert.isFalse(reader.closed)
        yield* until("it is gone", () => seen.gone)
        assert.isTrue(seen.client?.isGone)
        assert.strictEqual(watch.size, 0)
      })
  )

  it.live("nothing at first and reads nothing ever is gone", () =>
    Effect.gen(function*() {
      const watch = new ClientWatch(rules)
      const { seen } = yield* serve(watch, (client) => client.end(Buffer.alloc(ANSWER_BYTES)))
      yield* until("it is gone", () => seen.gone)
      assert.strictEqual(watch.size, 0)
    }))

  it.live("less than the system takes is not watched", () =>
    Effect.gen(function*() {
      const watch = new ClientWatch(rules)
      const { reader, seen } = yield* serve(watch, (client) => client.end("hello"))
      yield* Effect.promise(() => reader.read(1))
      assert.isTrue(seen.response?.writableFinished)
      assert.strictEqual(watch.size, 0)
      assert.isFalse(seen.gone)
    }))

  it.live("is kept where the system does not say what was taken, until a longer bound", () =>
    Effect.gen(function*() {
      const blind = { ...rules, blindStalledMs: 2 * STALLED_MS }
      let looks = 0
      const watch = new ClientWatch(blind, () => performance.now(), () => {
        looks++
        return Promise.resolve(undefined)
      })
      const { seen } = yield* serve(watch, (client) => client.end(Buffer.alloc(ANSWER_BYTES)))
      yield* until("it is gone", () => seen.gone)
      assert.isAtLeast(looks, 2 * STALLED_MS / rules.stallCheckMs - 1)
    }))

  it.live("reads the system's tables once for all clients", () =>
    Effect.gen(function*() {
      let reads = 0
      const watch = new ClientWatch(rules, () => performance.now(), (wanted) => {
        reads++
        return readSocketQueues(wanted)
      })
      const first = yield* serve(watch, (client) => client.end(Buffer.alloc(ANSWER_BYTES)))
      const second = yield* serve(watch, (client) => client.end(Buffer.alloc(ANSWER_BYTES)))
      yield* until("both are gone", () => first.seen.gone && second.seen.gone)
      assert.isAtMost(reads, 1 + (2 * STALLED_MS) / rules.stallCheckMs)
    }))
})
