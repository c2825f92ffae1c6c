import { assert, describe, it } from "@effect/vitest"
import { ApiKeyId, UserId } from "../../src/domain/Ids.ts"
import { ApiKeyCache } from "../../src/identity/ApiKeyCache.ts"
import type { ApiKeyIdentity } from "../../src/identity/ApiKeys.ts"

const key = ApiKeyId.make(1n)

const identity = (keyId: ApiKeyId, expiresAtMs: number | null = null): ApiKeyIdentity => ({
  keyId,
  userId: UserId.make(1n),
  expiresAtMs,
  limits: null,
  allowedModels: null,
  networks: null
})

describe("ApiKeyCache", () => {
  it("answers what was put in, until it is dropped", () => {
    const cache = new ApiKeyCache()
    cache.put(cache.ticket(), "a", identity(key))
    cache.put(cache.ticket(), "b", "paused")
    assert.strictEqual(cache.identity("a", 0)?.keyId, 1n)
    assert.strictEqual(cache.refusal("b"), "paused")
    cache.drop()
    assert.isUndefined(cache.identity("a", 0))
    assert.isUndefined(cache.refusal("b"))
  })

  it("does not take in what was being looked up when it was dropped", () => {
    const cache = new ApiKeyCache()
    const ticket = cache.ticket()
    cache.drop()
    cache.put(ticket, "a", identity(key))
    cache.put(ticket, "b", "paused")
    assert.isUndefined(cache.identity("a", 0))
    assert.isUndefined(cache.refusal("b"))
  })

  it("answers no key from the moment it expires", () => {
    const cache = new ApiKeyCache()
    cache.put(cache.ticket(), "a", identity(key, 1_000))
    assert.isDefined(cache.identity("a", 999))
    assert.isUndefined(cache.identity("a", 1_000))
  })

  it("forgets the least recently used beyond its bounds", () => {
    const cache = new ApiKeyCache(2, 1)
    for (const [hash, id] of [["a", 1n], ["b", 2n]] as const) {
      cache.put(cache.ticket(), hash, identity(ApiKeyId.make(id)))
    }
    assert.isDefined(cache.identity("a", 0))
    cache.put(cache.ticket(), "c", identity(ApiKeyId.make(3n)))
    assert.isUndefined(cache.identity("b", 0))
    assert.isDefined(cache.identity("a", 0))
    for (const hash of ["x", "y"]) cache.put(cache.ticket(), hash, "unknown")
    assert.deepStrictEqual([cache.refusal("x"), cache.refusal("y")], [undefined, "unknown"])
    assert.isDefined(cache.identity("c", 0), "wrong keys push out no valid one")
  })
})
