/**
 * Large bodies that never end, many at once, against the server as a process of its own: what it keeps of them is bounded by its
 * resident memory, and others are served.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { chatBody, chatPath, document } from "../support/ProcessCalls.ts"
import { RawConnection } from "../support/RawConnection.ts"
import { ResidentMemory } from "../support/ResidentMemory.ts"
import { makeInstallation } from "../support/SpawnRealms.ts"
import { makeDatabase } from "../support/TestDatabase.ts"
import { errorOf, send } from "../support/TestHttp.ts"
import { chatUsage, completion, TestUpstream } from "../support/TestUpstream.ts"
import { until } from "../support/Until.ts"

const TEST_TIMEOUT_MS = 180_000
const LEASE_SECONDS = 60
const BODIES = 150
/** Together they may want more than the process keeps. */
const USERS = 5
const MEGABYTE = 1_048_576
const BODY_BYTES = 20_000_000
/** What the server may take beside the bodies that it has to keep. */
const SLACK_BYTES = 64 * MEGABYTE
const PROCESS_BYTES_MAX = 512 * MEGABYTE
const USER_BYTES_MAX = PROCESS_BYTES_MAX / 4

/** V8's garbage is no memory of bodies: its young generation is kept small, in MiB. */
const NODE_OPTIONS = "--max-semi-space-size=2"

const piece = Buffer.alloc(MEGABYTE, "[{},{},{},{}],")

/** A client that announces a body and sends all of it but its end, whatever it is answered. */
class Unfinished extends RawConnection {
  /** It has sent all that it will. */
  isDone = false

  constructor(origin: string, key: string) {
    super(origin)
    this.write(
      `POST ${chatPath} HTTP/1.1\r\nhost: realms\r\nauthorization: Bearer ${key}\r\n` +
        `content-type: application/json\r\ncontent-length: ${BODY_BYTES}\r\n\r\n`
    )
    void this.pour()
  }

  private async pour(): Promise<void> {
    for (let left = BODY_BYTES - 1; left > 0 && !this.closed; left -= piece.length) {
      await this.taken(piece.subarray(0, Math.min(left, piece.length)))
    }
    this.isDone = true
  }
}

const bodiesOf = (origin: string, keys: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.sync(() =>
      Array.from({ length: BODIES }, (_, index) => new Unfinished(origin, keys[index % keys.length] ?? ""))
    ),
    (all) => Effect.sync(() => all.forEach((client) => client.end()))
  )

const started = Effect.gen(function*() {
  const upstream = yield* TestUpstream.acquire
  upstream.on("quick", (call) => call.json(completion("word", chatUsage(10, 5))))
  const realms = yield* makeInstallation(
    document(upstream, LEASE_SECONDS, { database: { url: yield* makeDatabase() } }),
    { NODE_OPTIONS }
  )
  const { child, origin } = yield* realms.start
  const other = yield* realms.user("other@example.com", "1.00")
  const isServed = Effect.map(
    send(`${origin}${chatPath}`, { key: other.key, body: chatBody("quick", false) }),
    (answer) => assert.strictEqual(answer.status, 200, answer.text)
  )
  yield* isServed
  return { realms, origin, isServed, memory: new ResidentMemory(child.pid ?? 0) }
})

/** Bytes of bodies that wait for their end: of those who have no answer. */
const keptBytes = (clients: ReadonlyArray<Unfinished>): number =>
  clients.filter((client) => client.status === 0).length * (BODY_BYTES - 1)

/** Waits until all clients have sent what they send and no more is kept than may be, with an eye on the memory. */
const allSent = (clients: ReadonlyArray<Unfinished>, memory: ResidentMemory, keptBytesMax: number) =>
  until("all have sent theirs, and who is one too many is refused", () => {
    memory.look()
    return clients.every((client) => client.isDone) && keptBytes(clients) <= keptBytesMax
  })

describe.skipIf(process.platform !== "linux")("150 unfinished bodies of 20 MB", { timeout: TEST_TIMEOUT_MS }, () => {
  it.live("of a user without funds are refused at their headers, and take next to no memory", () =>
    Effect.gen(function*() {
      const { isServed, memory, origin, realms } = yield* started
      const poor = yield* realms.user("poor@example.com", "1.00")
      yield* realms.cli("balance", "adjust", "--user", poor.email, "--usd=-1.00", "--note", "all of it")
      const clients = yield* bodiesOf(origin, [poor.key])
      yield* allSent(clients, memory, 0)
      for (const { body, status } of clients) {
        assert.deepStrictEqual([status, errorOf(body).code], [402, "insufficient_quota"])
      }
      yield* isServed
      memory.look()
      assert.isAtMost(memory.grownBytes, SLACK_BYTES)
    }))

  it.live("of funded users are kept within a quarter of the bound for one user, and within the bound for all", () =>
    Effect.gen(function*() {
      const { isServed, memory, origin, realms } = yield* started
      const users = yield* Effect.forEach(
        Array.from({ length: USERS }, (_, index) => `user${index}@example.com`),
        (email) => realms.user(email, "1.00"),
        { concurrency: "unbounded" }
      )
      const [first = "", ...others] = users.map(({ key }) => key)
      const ofOne = yield* bodiesOf(origin, [first])
      yield* allSent(ofOne, memory, USER_BYTES_MAX)
      yield* isServed
      for (const { body, status } of ofOne.filter((client) => client.status !== 0)) {
        assert.deepStrictEqual([status, errorOf(body).code], [429, "rate_limit_exceeded"])
      }
      assert.isAbove(keptBytes(ofOne), 0)
      assert.isAtMost(memory.grownBytes, USER_BYTES_MAX + SLACK_BYTES)

      const ofOthers = yield* bodiesOf(origin, others)
      yield* allSent([...ofOne, ...ofOthers], memory, PROCESS_BYTES_MAX)
      yield* isServed
      for (const { body, status } of ofOthers.filter((client) => client.status !== 0)) {
        assert.include(["429 rate_limit_exceeded", "503 service_unavailable"], `${status} ${errorOf(body).code}`)
      }
      assert.isTrue(ofOthers.some((client) => client.status === 503), "the process's bound is reached")
      assert.isAbove(keptBytes(ofOthers), USER_BYTES_MAX)
      assert.isAtMost(memory.grownBytes, PROCESS_BYTES_MAX + SLACK_BYTES)
    }))
})
