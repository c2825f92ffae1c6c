import { assert, describe, it } from "@effect/vitest"
import { openAiErrors } from "../../../src/gateway/OpenAiError.ts"
import { admissionMarkdown } from "../../../src/gateway/request/AdmissionMarkdown.ts"
import { API_DOCS_PATH, printApiDocs } from "../../../src/gateway/request/ApiDocs.ts"
import { dialectTables } from "../../../src/gateway/request/DialectTables.ts"
import { readText } from "../../tidy/SourceFiles.ts"

const docs = readText(API_DOCS_PATH)

describe("docs/api.md", () => {
  it("is what the admission tables print; `npm run docs` writes it", () => {
    assert.strictEqual(docs, printApiDocs(docs))
  })

  it("has a region for each dialect, which printing fills", () => {
    for (const dialect of ["chat", "responses", "embeddings"] as const) {
      assert.include(docs, admissionMarkdown(dialect))
      const emptied = docs.replace(admissionMarkdown(dialect), "")
      assert.notStrictEqual(emptied, docs)
      assert.strictEqual(printApiDocs(emptied), docs)
    }
  })

  it("names every field of every table once", () => {
    for (const dialect of ["chat", "responses", "embeddings"] as const) {
      const rows = admissionMarkdown(dialect).split("#### Messages")[0]?.split("#### Input items")[0]?.split("\n") ?? []
      for (const field of dialectTables[dialect].fields.keys()) {
        assert.strictEqual(rows.filter((row) => row.startsWith(`| \`${field}\` |`)).length, 1, `${dialect}: ${field}`)
      }
    }
  })

  it("lists every error that the gateway makes, with its status", () => {
    for (const [code, { status }] of Object.entries(openAiErrors)) assert.include(docs, `| ${status} | \`${code}\` |`)
  })
})
