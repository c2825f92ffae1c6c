import { assert, describe, it } from "@effect/vitest"
import { OwnerHealth, SILENT_MS } from "../../src/cluster/OwnerHealth.ts"

describe("The health of owners", () => {
  it("lets everybody ask an owner that answers", () => {
    const health = new OwnerHealth()
    health.sent("1", "a")
    assert.isTrue(health.mayAsk("1", 0))
    assert.isTrue(health.mayAsk("1", 0))
  })

  it("lets nobody ask a silent runner about any of its shards for a while, and others about theirs", () => {
    const health = new OwnerHealth()
    health.sent("1", "a")
    health.sent("2", "a")
    health.sent("3", "b")
    health.silent("1", 100)
    assert.isFalse(health.mayAsk("1", 100 + SILENT_MS - 1))
    assert.isFalse(health.mayAsk("2", 100 + SILENT_MS - 1))
    assert.isTrue(health.mayAsk("3", 100))
  })

  it("lets one question probe a silent runner; its answer lets everybody ask again", () => {
    const health = new OwnerHealth()
    health.sent("1", "a")
    health.sent("2", "a")
    health.silent("1", 0)
    assert.isTrue(health.mayAsk("2", SILENT_MS))
    assert.isFalse(health.mayAsk("1", SILENT_MS))
    health.answered("2")
    assert.isTrue(health.mayAsk("1", SILENT_MS))
    assert.isTrue(health.mayAsk("1", SILENT_MS))
  })

  it("waits again when the probe is not answered", () => {
    const health = new OwnerHealth()
    health.sent("1", "a")
    health.silent("1", 0)
    assert.isTrue(health.mayAsk("1", SILENT_MS))
    health.silent("1", SILENT_MS)
    assert.isFalse(health.mayAsk("1", 2 * SILENT_MS - 1))
    assert.isTrue(health.mayAsk("1", 2 * SILENT_MS))
  })

  it("asks the new owner of a shard at once", () => {
    const health = new OwnerHealth()
    health.sent("1", "a")
    health.silent("1", 0)
    health.sent("1", "b")
    assert.isTrue(health.mayAsk("1", 1))
  })

  it("asks about the other shards of a runner that has lost one: it may be gone", () => {
    const health = new OwnerHealth()
    for (const shard of ["1", "2", "3"]) health.sent(shard, "a")
    health.silent("1", 0)
    assert.isTrue(health.mayAsk("1", SILENT_MS))
    health.sent("1", "b")
    health.answered("1")
    assert.isTrue(health.mayAsk("2", SILENT_MS))
    assert.isTrue(health.mayAsk("3", SILENT_MS))
  })

  it("remembers a shard that nobody owns, until somebody answers for it", () => {
    const health = new OwnerHealth()
    health.silent("1", 0)
    assert.isFalse(health.mayAsk("1", 1))
    health.sent("1", "a")
    health.answered("1")
    assert.isTrue(health.mayAsk("1", 1))
  })
})
