import { assert, describe, it } from "@effect/vitest"
import { normalizeEmail } from "../../src/domain/EmailAddress.ts"

describe("normalizeEmail", () => {
  it("lowers and trims", () => {
    assert.strictEqual(normalizeEmail(" Ada@Example.COM \n"), "ada@example.com")
    assert.strictEqual(normalizeEmail("a.b+c@mail.example.co"), "a.b+c@mail.example.co")
    assert.strictEqual(normalizeEmail("root@localhost"), "root@localhost")
  })

  it("takes nothing else", () => {
    const wrong = ["", "a", "@b", "a@", "a@b@c", "a b@c.d", "a@b..c", "a@-b.c", "a@b.c\nx", "ä@b.c", "a@İ.com"]
    for (const text of wrong) assert.isUndefined(normalizeEmail(text), text)
    assert.isUndefined(normalizeEmail(`${"a".repeat(250)}@b.cd`))
  })
})
