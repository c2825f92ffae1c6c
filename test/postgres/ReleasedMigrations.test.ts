import { assert, describe, it } from "@effect/vitest"
import { changesSince, checksumsNow, readReleased, rowFilesOf } from "../support/ReleasedSchemas.ts"

describe("released migrations", () => {
  it("are never edited, removed or preceded by new ones", () => {
    const now = checksumsNow()
    for (const [version, released] of Object.entries(readReleased())) {
      assert.deepStrictEqual(changesSince(released, now), [], version)
      assert.isNotEmpty(rowFilesOf(version), `rows of ${version} to migrate: npm run release:schema`)
    }
  })

  it("an edit, a removal and a late one are seen", () => {
    const released = { "0001_a.sql": "1", "0003_c.sql": "3" }
    assert.deepStrictEqual(changesSince(released, { ...released, "0004_d.sql": "4" }), [])
    assert.deepStrictEqual(changesSince(released, { "0001_a.sql": "x", "0002_b.sql": "2" }), [
      "0001_a.sql was changed after its release",
      "0003_c.sql was removed after its release",
      "0002_b.sql comes before 0003_c.sql, which is released"
    ])
  })
})
