/**
 * An OpenTelemetry collector for tests: takes traces by OTLP over HTTP, as JSON, and keeps what came.
 */
import { Effect, Schema } from "effect"
import { listening } from "./Listening.ts"

const Value = Schema.Struct({
  stringValue: Schema.optionalKey(Schema.String),
  intValue: Schema.optionalKey(Schema.Union([Schema.String, Schema.Number])),
  doubleValue: Schema.optionalKey(Schema.Number),
  boolValue: Schema.optionalKey(Schema.Boolean)
})

const Span = Schema.Struct({
  traceId: Schema.String,
  spanId: Schema.String,
  parentSpanId: Schema.optionalKey(Schema.String),
  name: Schema.String,
  startTimeUnixNano: Schema.String,
  endTimeUnixNano: Schema.String,
  attributes: Schema.Array(Schema.Struct({ key: Schema.String, value: Value })),
  status: Schema.Struct({ code: Schema.Number })
})
export type ReceivedSpan = typeof Span.Type

const decode = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Struct({
  resourceSpans: Schema.Array(Schema.Struct({
    scopeSpans: Schema.Array(Schema.Struct({ spans: Schema.Array(Span) }))
  }))
})))

export interface OtlpReceiver {
  /** For `telemetry.traces.url`. */
  readonly url: string
  /** Bodies and headers of all requests, as they came. */
  readonly raw: ReadonlyArray<string>
  readonly spans: ReadonlyArray<ReceivedSpan>
  /** Answers nothing from now on. */
  hang(): void
}

export const makeOtlpReceiver = Effect.gen(function*() {
  const raw: Array<string> = []
  const spans: Array<ReceivedSpan> = []
  let hangs = false
  const { url } = yield* listening((request, response) => {
    if (hangs) return
    const chunks: Array<Buffer> = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString("utf8")
      raw.push(`${request.url} ${JSON.stringify(request.headers)}\n${body}`)
      for (const { scopeSpans } of decode(body).resourceSpans) spans.push(...scopeSpans.flatMap((scope) => scope.spans))
      response.writeHead(200, { "content-type": "application/json" })
      response.end("{}")
    })
  })
  return {
    url: `${url}/v1/traces`,
    raw,
    spans,
    hang: () => {
      hangs = true
    }
  } satisfies OtlpReceiver
})

export const attributeOf = ({ attributes }: ReceivedSpan, key: string): unknown => {
  const value = attributes.find((attribute) => attribute.key === key)?.value
  const whole = value?.intValue === undefined ? undefined : Number(value.intValue)
  return value?.stringValue ?? whole ?? value?.doubleValue ?? value?.boolValue
}
