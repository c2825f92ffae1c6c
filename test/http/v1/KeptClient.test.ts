import { assert, describe, it } from "@effect/vitest"
import type { KeptAnswer } from "../../../src/accounts/CallClaims.ts"
import { UserId } from "../../../src/domain/Ids.ts"
import { KeptClient } from "../../../src/http/v1/KeptClient.ts"
import { ByteBudget } from "../../../src/platform/ByteBudget.ts"
import { ScriptedClient } from "../../support/ScriptedClient.ts"

const user = UserId.make(1n)

const makeKept = (bytesMax = 100, userBytesMax = 1_000) => {
  const budget = new ByteBudget({ processBytesMax: 1_000, userBytesMax, freeBytes: 0 })
  const inner = new ScriptedClient()
  const kept: Array<KeptAnswer | undefined> = []
  const client = new KeptClient(inner, {
    bytesMax,
    share: budget.open(user),
    keep: (answer, done) => {
      kept.push(answer)
      done()
    }
  })
  return { budget, inner, kept, client }
}

describe("The client of a call with an idempotency key", () => {
  it("keeps what is written to the client", () => {
    const { budget, client, inner, kept } = makeKept()
    client.start(200, { "x-request-id": "a", "content-length": "9" })
    client.write("one ")
    client.end("two")
    assert.strictEqual(inner.text, "one two")
    assert.deepStrictEqual(kept, [{
      headers: { "x-request-id": "a" },
      body: Buffer.from("one two").toString("base64")
    }])
    assert.strictEqual(budget.usedBytes, 7)
  })

  it("keeps nothing above its bound, or beyond the memory for such answers, and takes none of it then", () => {
    for (const { budget, client, inner, kept } of [makeKept(5), makeKept(100, 5)]) {
      client.start(200, {})
      client.write("one ")
      client.write("two ")
      client.end("three")
      assert.strictEqual(inner.text, "one two three")
      assert.deepStrictEqual(kept, [undefined])
      assert.strictEqual(budget.usedBytes, 0)
    }
  })

  it("is there for a client that left, until its answer is none to keep", () => {
    const { client, inner } = makeKept(5)
    let gone = 0
    client.onGone = () => gone++
    client.write("one ")
    inner.isGone = true
    inner.onGone()
    assert.deepStrictEqual([client.isGone, gone, client.write("!")], [false, 0, true])
    client.write("too much")
    assert.deepStrictEqual([client.isGone, gone], [true, 1])
  })

  it("is done when its client is, also of an answer that is written past it", () => {
    const { client, inner } = makeKept()
    let done = 0
    client.onDone = () => done++
    inner.onDone()
    assert.strictEqual(done, 1)
    const late = makeKept()
    late.inner.isGone = true
    late.inner.onDone()
    late.client.onDone = () => done++
    assert.strictEqual(done, 2)
  })
})
