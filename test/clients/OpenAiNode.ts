/**
 * The `openai` package as its README shows it: chat completions and responses, whole, streamed, parsed and with tools.
 */
import OpenAI from "openai"
import { zodResponseFormat, zodTextFormat } from "openai/helpers/zod"
import { z } from "zod"
import type { Target } from "./Target.ts"

export const clientOf = (target: Target): OpenAI => new OpenAI({ apiKey: target.apiKey, baseURL: target.baseUrl })

const City = z.object({ city: z.string(), population: z.number() })

const question = (content: string) => [{ role: "user" as const, content }]

const weatherTool = {
  type: "function" as const,
  function: {
    name: "get_weather",
    description: "The weather of a city",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
    parse: JSON.parse,
    function: (place: { readonly city: string }) => `Sunny in ${place.city}`
  }
}

export const chat = async (target: Target, prompt: string) => {
  const answer = await clientOf(target).chat.completions.create({ model: target.model, messages: question(prompt) })
  return { text: answer.choices[0]?.message.content, usage: answer.usage }
}

/** The stream helper, which asks for no usage. */
export const chatStream = async (target: Target, prompt: string) => {
  const stream = clientOf(target).chat.completions.stream({ model: target.model, messages: question(prompt) })
  let streamed = ""
  stream.on("content", (delta) => {
    streamed += delta
  })
  const answer = await stream.finalChatCompletion()
  return { streamed, text: answer.choices[0]?.message.content, usage: answer.usage ?? undefined }
}

export const chatStreamWithUsage = async (target: Target, prompt: string) => {
  const stream = await clientOf(target).chat.completions.create({
    model: target.model,
    messages: question(prompt),
    stream: true,
    stream_options: { include_usage: true }
  })
  let text = ""
  let usage: OpenAI.CompletionUsage | null | undefined
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta.content ?? ""
    usage = chunk.usage ?? usage
  }
  return { text, usage }
}

export const chatParse = async (target: Target, prompt: string) => {
  const answer = await clientOf(target).chat.completions.parse({
    model: target.model,
    messages: question(prompt),
    response_format: zodResponseFormat(City, "city")
  })
  return answer.choices[0]?.message.parsed
}

export const runTools = async (target: Target, prompt: string) => {
  const runner = clientOf(target).chat.completions.runTools({
    model: target.model,
    messages: question(prompt),
    tools: [weatherTool]
  })
  return { text: await runner.finalContent(), usage: await runner.totalUsage() }
}

/** Two turns, the second by the id of the first. */
export const responses = async (target: Target, prompts: readonly [string, string]) => {
  const client = clientOf(target)
  const first = await client.responses.create({ model: target.model, input: prompts[0] })
  const second = await client.responses.create({
    model: target.model,
    input: prompts[1],
    previous_response_id: first.id
  })
  return { ids: [first.id, second.id], texts: [first.output_text, second.output_text], usage: second.usage }
}

export const responsesStream = async (target: Target, prompt: string) => {
  const stream = clientOf(target).responses.stream({ model: target.model, input: prompt })
  let streamed = ""
  stream.on("response.output_text.delta", (event) => {
    streamed += event.delta
  })
  const answer = await stream.finalResponse()
  return { streamed, text: answer.output_text, usage: answer.usage, status: answer.status }
}

/** The plain iterator, which many use: an error has to be raised there too. */
export const responsesEvents = async (target: Target, prompt: string) => {
  const stream = await clientOf(target).responses.create({ model: target.model, input: prompt, stream: true })
  const types: Array<string> = []
  for await (const event of stream) types.push(event.type)
  return types
}

export const responsesParse = async (target: Target, prompt: string) => {
  const answer = await clientOf(target).responses.parse({
    model: target.model,
    input: prompt,
    text: { format: zodTextFormat(City, "city") }
  })
  return answer.output_parsed
}
