/**
 * Usage as providers really write it: a file for each form, with where it is documented and what it must be read as, from a body
 * and from a stream. Counts are the provider's where the source says that they were captured or reported; elsewhere the shape is
 * the provider's and the counts are chosen.
 */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { Buffer } from "node:buffer"
import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { readAnswer } from "../../../src/gateway/meter/Answer.ts"
import type { ReportedUsage } from "../../../src/gateway/meter/Reported.ts"
import { StreamMeter } from "../../../src/gateway/meter/StreamMeter.ts"

const folder = fileURLToPath(new URL("usage/", import.meta.url))

const Input = Schema.Struct({ uncached: Schema.Number, cached: Schema.Number, written: Schema.Number })
const Fixture = Schema.fromJsonString(Schema.Struct({
  source: Schema.String,
  note: Schema.optionalKey(Schema.String),
  dialect: Schema.Literals(["chat", "responses", "embeddings"]),
  body: Schema.optionalKey(Schema.Json),
  frames: Schema.optionalKey(Schema.Array(Schema.Json)),
  expected: Schema.Struct({
    input: Schema.NullOr(Input),
    output: Schema.NullOr(Schema.Number),
    reasoning: Schema.Number,
    reasoningOutside: Schema.Number,
    unexplained: Schema.Number,
    tools: Schema.NullOr(Schema.Struct({ webSearch: Schema.Number, fileSearch: Schema.Number }))
  })
}))

const decode = Schema.decodeUnknownSync(Fixture)
const fixtures = readdirSync(folder).filter((file) => file.endsWith(".json")).map((file) => {
  const { body, dialect, expected, frames, source } = decode(readFileSync(`${folder}${file}`, "utf8"))
  return { name: file.replace(".json", ""), body, dialect, expected, frames, source }
})

const written = (usage: ReportedUsage) => ({
  input: usage.input ?? null,
  output: usage.output ?? null,
  reasoning: usage.reasoning,
  reasoningOutside: usage.reasoningOutside,
  unexplained: usage.unexplained,
  tools: usage.tools ?? null
})

const frame = (json: unknown) => {
  const data = Buffer.from(JSON.stringify(json))
  return { raw: data, data }
}

describe("usage of providers", () => {
  it("has a fixture for each of many providers, and says where each is from", () => {
    assert.isAbove(fixtures.length, 40)
    assert.deepStrictEqual(fixtures.filter(({ source }) => source.length < 20).map(({ name }) => name), [])
  })

  it.each(fixtures.filter(({ body }) => body !== undefined))("reads the body of $name", (fixture) => {
    const answer = readAnswer(fixture.body, fixture.dialect)
    assert.deepStrictEqual(written(answer.reported), fixture.expected)
    assert.isUndefined(answer.failure)
    const bytes = readAnswer(Buffer.from(JSON.stringify(fixture.body)), fixture.dialect)
    assert.deepStrictEqual(written(bytes.reported), fixture.expected)
  })

  it.each(fixtures.filter(({ frames }) => frames !== undefined))("reads the stream of $name", (fixture) => {
    const meter = new StreamMeter({ dialect: fixture.dialect === "responses" ? "responses" : "chat", choices: 1 })
    for (const one of fixture.frames ?? []) assert.isUndefined(meter.observe(frame(one)).failure)
    assert.deepStrictEqual(written(meter.reported()), fixture.expected)
    assert.isTrue(meter.hasOutput)
    assert.strictEqual(meter.usageIsLast, fixture.expected.output !== null)
  })
})
