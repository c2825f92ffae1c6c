/**
 * The upstream of the benchmarks: answers a chat completion at once, as JSON or as a short stream; for the models `large` and `five`
 * JSON of 20 and 5 MB, for `paced` a frame every 50 ms, for `slow` one every 500 ms, for `long` 500 frames at once, for `frame256` 100
 * frames with a text of 256 bytes. Run as a process of its own; prints its port.
 */
import { createServer } from "node:http"
import { FRAMES_PER_STREAM, tokensOf } from "./frameModels.ts"

const usage = { prompt_tokens: 12, completion_tokens: 20, total_tokens: 32 }
const answer = Buffer.from(JSON.stringify({
  id: "chatcmpl-bench",
  object: "chat.completion",
  created: 1,
  model: "bench",
  choices: [{ index: 0, message: { role: "assistant", content: "word ".repeat(20) }, finish_reason: "stop" }],
  usage
}))

/** Most of a large answer is the probabilities of tokens. */
const probability = `{"token":"word","logprob":-0.1,"bytes":[119,111,114,100],"top_logprobs":[]},`
const largeAnswer = (bytes: number): Buffer =>
  Buffer.from(
    answer.toString().replace(
      '"finish_reason"',
      `"logprobs":{"content":[${probability.repeat(Math.floor(bytes / probability.length))}{}]},"finish_reason"`
    )
  )

const answers = new Map([["large", largeAnswer(20_000_000)], ["five", largeAnswer(5_000_000)]])

const chunk = (fields: object): string => {
  const data = { id: "chatcmpl-bench", object: "chat.completion.chunk", created: 1, model: "bench", ...fields }
  return `data: ${JSON.stringify(data)}\n\n`
}

const frame = (delta: unknown, finish: string | null): string =>
  chunk({ choices: [{ index: 0, delta, finish_reason: finish }] })

const framesOf = (count: number, text = "word ", reported = usage) => [
  frame({ role: "assistant", content: "" }, null),
  ...Array.from({ length: count }, () => frame({ content: text }, null)),
  frame({}, "stop"),
  chunk({ choices: [], usage: reported }),
  "data: [DONE]\n\n"
]

const shortFrames = framesOf(20)
const longFrames = framesOf(500)
const sizedFrames = new Map<number, ReadonlyArray<string>>()

/** Frames with so many bytes of text each. */
const framesOfSize = (bytes: number): ReadonlyArray<string> => {
  const made = sizedFrames.get(bytes)
  if (made !== undefined) return made
  const completion = tokensOf(bytes) * FRAMES_PER_STREAM
  const reported = { ...usage, completion_tokens: completion, total_tokens: usage.prompt_tokens + completion }
  const frames = framesOf(FRAMES_PER_STREAM, "word ".repeat(Math.ceil(bytes / 5)).slice(0, bytes), reported)
  sizedFrames.set(bytes, frames)
  return frames
}

const server = createServer({ noDelay: true }, (request, response) => {
  const chunks: Array<Buffer> = []
  request.on("data", (chunk: Buffer) => chunks.push(chunk))
  request.on("end", () => {
    const body = Buffer.concat(chunks).toString("latin1")
    if (!body.includes('"stream":true')) {
      const sent = answers.get(/"model":"(\w+)"/.exec(body.slice(0, 1_000))?.[1] ?? "") ?? answer
      response.writeHead(200, { "content-type": "application/json", "content-length": sent.length })
      return response.end(sent)
    }
    response.writeHead(200, { "content-type": "text/event-stream" })
    const paceMs = body.includes('"model":"paced"') ? 50 : body.includes('"model":"slow"') ? 500 : 0
    const size = /"model":"frame(\d+)"/.exec(body)?.[1]
    const frames = size !== undefined
      ? framesOfSize(Number(size))
      : body.includes('"model":"long"')
      ? longFrames
      : shortFrames
    let next = 0
    const send = (): void => {
      const text = frames[next++]
      if (text === undefined) return void response.end()
      response.write(text)
      if (paceMs === 0) setImmediate(send)
      else setTimeout(send, paceMs)
    }
    send()
  })
})

server.listen(0, "127.0.0.1", () => {
  const address = server.address()
  process.stdout.write(`${typeof address === "object" && address !== null ? address.port : 0}\n`)
})
