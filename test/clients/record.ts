/**
 * Writes down what each client sends: runs all of them against a scripted upstream and keeps their requests in `recorded/`,
 * without what differs from run to run or machine to machine, and with long texts cut. `node test/clients/record.ts`.
 */
import { mkdir, writeFile } from "node:fs/promises"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { join } from "node:path"
import { UpstreamCall } from "../support/TestUpstream.ts"
import * as Agents from "./Agents.ts"
import * as AiSdk from "./AiSdk.ts"
import type { Answer, Item } from "./Answers.ts"
import { answerChat } from "./ChatAnswer.ts"
import { Codex } from "./Codex.ts"
import * as LangChain from "./LangChain.ts"
import * as OpenAiNode from "./OpenAiNode.ts"
import { cherryStudioBody, clineBody, opencodeBody } from "./PlainBodies.ts"
import { Cleaner } from "./Cleaner.ts"
import { answerResponses } from "./ResponsesAnswer.ts"
import type { Target } from "./Target.ts"

const folder = join(import.meta.dirname, "recorded")

/** A longer conversation repeats itself: its first and its last request say it all. */
const REQUESTS_KEPT_MAX = 3

/** Headers that a gateway may look at. */
const headersKept = [
  "content-type",
  "content-encoding",
  "accept",
  "accept-encoding",
  "openai-beta",
  "x-stainless-helper-method"
]

const weatherCall: Item = { type: "function_call", name: "get_weather", arguments: JSON.stringify({ city: "Paris" }) }
const shellCall: Item = {
  type: "function_call",
  name: "exec_command",
  arguments: JSON.stringify({ cmd: "echo hello" })
}
const scriptCall: Item = {
  type: "custom_tool_call",
  name: "exec",
  namespace: "functions",
  input: 'text(await tools.exec_command({ cmd: "echo hello" }))'
}
const text = (value: string): Item => ({ type: "text", text: value })
const reasoning: Item = { type: "reasoning", summary: "" }

interface Recording {
  readonly name: string
  readonly model: string
  /** One answer for each request, in their order; the last for all further ones. */
  readonly answers: ReadonlyArray<ReadonlyArray<Item>>
  readonly run: (target: Target) => Promise<unknown>
}

const codex = (name: string, model: string, call: Item): Recording => ({
  name,
  model,
  answers: [[reasoning, call], [text("Done.")], [reasoning, call], [text("Done again.")]],
  run: async (target) => {
    const codex = await Codex.make(target)
    const first = await codex.exec("Say hello with the shell")
    await codex.resume(first.threadId, "Once more")
    await codex.remove()
  }
})

const post = (path: string, bodyOf: (model: string) => object) => async (target: Target) => {
  const answer = await fetch(`${target.baseUrl}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${target.apiKey}`, "content-type": "application/json" },
    body: JSON.stringify(bodyOf(target.model))
  })
  await answer.text()
}

const hello = [[text("Hello there.")]]
const json = [[text(JSON.stringify({ city: "Paris", population: 2_100_000 }))]]
const tools = [[weatherCall], [text("It is sunny.")]]
const reasoned = [
  [reasoning, weatherCall],
  [reasoning, text("It is sunny.")],
  [reasoning, weatherCall],
  [reasoning, text("Sunny there too.")]
]
const prompts: readonly [string, string] = ["How is the weather in Paris?", "And tomorrow?"]

const recordings: ReadonlyArray<Recording> = [
  { name: "openai-chat", model: "gpt-4.1-mini", answers: hello, run: (to) => OpenAiNode.chat(to, "Hi") },
  { name: "openai-chat-stream", model: "gpt-4.1-mini", answers: hello, run: (to) => OpenAiNode.chatStream(to, "Hi") },
  {
    name: "openai-chat-usage",
    model: "gpt-4.1-mini",
    answers: hello,
    run: (to) => OpenAiNode.chatStreamWithUsage(to, "Hi")
  },
  { name: "openai-chat-parse", model: "gpt-4.1-mini", answers: json, run: (to) => OpenAiNode.chatParse(to, "Paris") },
  { name: "openai-run-tools", model: "gpt-4.1-mini", answers: tools, run: (to) => OpenAiNode.runTools(to, prompts[0]) },
  { name: "openai-responses", model: "gpt-4.1-mini", answers: hello, run: (to) => OpenAiNode.responses(to, prompts) },
  {
    name: "openai-responses-stream",
    model: "gpt-4.1-mini",
    answers: hello,
    run: (to) => OpenAiNode.responsesStream(to, "Hi")
  },
  {
    name: "openai-responses-parse",
    model: "gpt-4.1-mini",
    answers: json,
    run: (to) => OpenAiNode.responsesParse(to, "Paris")
  },
  {
    name: "ai-sdk-conversation",
    model: "gpt-4.1-mini",
    answers: [[weatherCall], [text("It is sunny.")]],
    run: (to) => AiSdk.conversation(to, prompts)
  },
  { name: "ai-sdk-reasoning", model: "gpt-5.5", answers: reasoned, run: (to) => AiSdk.conversation(to, prompts) },
  { name: "ai-sdk-stream", model: "gpt-5.5", answers: tools, run: (to) => AiSdk.stream(to, prompts[0]) },
  { name: "ai-sdk-compatible", model: "gpt-4.1-mini", answers: tools, run: (to) => AiSdk.compatible(to, prompts[0]) },
  {
    name: "ai-sdk-compatible-stream",
    model: "gpt-4.1-mini",
    answers: hello,
    run: (to) => AiSdk.compatibleStream(to, "Hi")
  },
  { name: "langchain-chat", model: "gpt-4.1-mini", answers: tools, run: (to) => LangChain.chatTools(to, prompts[0]) },
  { name: "langchain-chat-stream", model: "gpt-4.1-mini", answers: hello, run: (to) => LangChain.chatStream(to, "Hi") },
  {
    name: "langchain-responses",
    model: "gpt-5.5",
    answers: [[reasoning, weatherCall], [text("It is sunny.")]],
    run: (to) => LangChain.responsesTools(to, prompts[0])
  },
  {
    name: "langchain-responses-stream",
    model: "gpt-4.1-mini",
    answers: hello,
    run: (to) => LangChain.responsesStream(to, "Hi")
  },
  {
    name: "langchain-previous-response",
    model: "gpt-4.1-mini",
    answers: hello,
    run: (to) => LangChain.previousResponse(to, prompts)
  },
  {
    name: "agents-tools",
    model: "gpt-5.5",
    answers: [[reasoning, weatherCall], [text("It is sunny.")]],
    run: (to) => Agents.toolLoop(to, prompts[0])
  },
  {
    name: "agents-chat-tools",
    model: "gpt-4.1-mini",
    answers: tools,
    run: (to) => Agents.chatToolLoop(to, prompts[0])
  },
  {
    name: "agents-previous-response",
    model: "gpt-4.1-mini",
    answers: hello,
    run: (to) => Agents.previousResponse(to, prompts)
  },
  { name: "agents-stream", model: "gpt-4.1-mini", answers: hello, run: (to) => Agents.stream(to, "Hi") },
  codex("codex", "gpt-6.2-sol", scriptCall),
  codex("codex-gpt-5.5", "gpt-5.5", shellCall),
  codex("codex-unknown-model", "my-model", shellCall),
  { name: "cline", model: "gpt-5.5", answers: hello, run: post("/responses", clineBody) },
  { name: "cherry-studio", model: "gpt-4.1-mini", answers: hello, run: post("/chat/completions", cherryStudioBody) },
  { name: "opencode", model: "gpt-4.1-mini", answers: hello, run: post("/chat/completions", opencodeBody) }
]

const readAll = async (request: IncomingMessage): Promise<string> => {
  const pieces: Array<Uint8Array> = []
  for await (const piece of request) pieces.push(piece)
  return Buffer.concat(pieces).toString("utf8")
}

const record = async (recording: Recording): Promise<void> => {
  const cleaner = new Cleaner()
  const requests: Array<object> = []
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await readAll(request)
    const headers = Object.fromEntries(headersKept.flatMap((name) => {
      const value = request.headers[name]
      return value === undefined ? [] : [[name, value]]
    }))
    const items = recording.answers[requests.length % recording.answers.length] ?? []
    requests.push({
      method: request.method,
      path: request.url,
      headers,
      ...(body === "" ? {} : { body: cleaner.clean(JSON.parse(body)) })
    })
    const call = new UpstreamCall(request, body === "" ? "{}" : body, response)
    const whole: Answer = { items, usage: { input: 20, output: 10 } }
    if (request.url === "/v1/responses") answerResponses(call, whole)
    else if (request.url === "/v1/chat/completions") answerChat(call, whole)
    else call.error(404)
  }
  const server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  try {
    await recording.run({ baseUrl: `http://127.0.0.1:${port}/v1`, apiKey: "sk-test", model: recording.model })
  } finally {
    server.close()
    server.closeAllConnections()
  }
  const kept = requests.length > REQUESTS_KEPT_MAX ? [requests[0], requests.at(-1)] : requests
  await writeFile(join(folder, `${recording.name}.json`), `${JSON.stringify({ requests: kept }, null, 2)}\n`)
}

const wanted = process.argv.slice(2)
await mkdir(folder, { recursive: true })
for (const recording of recordings) {
  if (wanted.length === 0 || wanted.includes(recording.name)) await record(recording)
}
