/**
 * The upstream of the benchmarks: answers a chat completion at once, as JSON or as a short stream. Run as a process of its
 * own; prints its port.
 */
import { createServer } from "node:http"

const usage = { prompt_tokens: 12, completion_tokens: 20, total_tokens: 32 }
const answer = Buffer.from(JSON.stringify({
  id: "chatcmpl-bench",
  object: "chat.completion",
  created: 1,
  model: "bench",
  choices: [{ index: 0, message: { role: "assistant", content: "word ".repeat(20) }, finish_reason: "stop" }],
  usage
}))

const frame = (delta: unknown, finish: string | null): string =>
  `data: ${
    JSON.stringify({
      id: "chatcmpl-bench",
      object: "chat.completion.chunk",
      created: 1,
      model: "bench",
      choices: [{ index: 0, delta, finish_reason: finish }]
    })
  }\n\n`

const frames = [
  frame({ role: "assistant", content: "" }, null),
  ...Array.from({ length: 20 }, () => frame({ content: "word " }, null)),
  frame({}, "stop"),
  `data: ${
    JSON.stringify({
      id: "chatcmpl-bench",
      object: "chat.completion.chunk",
      created: 1,
      model: "bench",
      choices: [],
      usage
    })
  }\n\n`,
  "data: [DONE]\n\n"
]

const server = createServer({ noDelay: true }, (request, response) => {
  const chunks: Array<Buffer> = []
  request.on("data", (chunk: Buffer) => chunks.push(chunk))
  request.on("end", () => {
    if (!Buffer.concat(chunks).includes('"stream":true')) {
      response.writeHead(200, { "content-type": "application/json", "content-length": answer.length })
      return response.end(answer)
    }
    response.writeHead(200, { "content-type": "text/event-stream" })
    let next = 0
    const send = (): void => {
      const text = frames[next++]
      if (text === undefined) return void response.end()
      response.write(text)
      setImmediate(send)
    }
    send()
  })
})

server.listen(0, "127.0.0.1", () => {
  const address = server.address()
  process.stdout.write(`${typeof address === "object" && address !== null ? address.port : 0}\n`)
})
