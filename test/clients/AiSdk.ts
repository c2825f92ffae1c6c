/**
 * The Vercel AI SDK: its default OpenAI provider, which speaks to `/v1/responses` and refers to earlier items by id, and the
 * provider for compatible servers, which speaks to `/v1/chat/completions`.
 */
import { createOpenAI } from "@ai-sdk/openai"
import { createOpenAICompatible } from "@ai-sdk/openai-compatible"
import { generateText, isStepCount, type ModelMessage, streamText, tool } from "ai"
import { z } from "zod"
import type { Target } from "./Target.ts"

const STEPS_MAX = 5

const defaultModel = (target: Target) => createOpenAI({ apiKey: target.apiKey, baseURL: target.baseUrl })(target.model)

const compatibleModel = (target: Target) =>
  createOpenAICompatible({ name: "realms", apiKey: target.apiKey, baseURL: target.baseUrl })(target.model)

const weather = tool({
  description: "The weather of a city",
  inputSchema: z.object({ city: z.string() }),
  execute: ({ city }) => ({ city, weather: "sunny" })
})

/** A conversation of as many turns as there are prompts, each with tools, carried on with the SDK's own messages. */
export const conversation = async (target: Target, prompts: ReadonlyArray<string>) => {
  const messages: Array<ModelMessage> = []
  const texts: Array<string> = []
  for (const prompt of prompts) {
    messages.push({ role: "user", content: prompt })
    const answer = await generateText({
      model: defaultModel(target),
      messages,
      tools: { get_weather: weather },
      stopWhen: isStepCount(STEPS_MAX)
    })
    messages.push(...answer.responseMessages)
    texts.push(answer.text)
  }
  return texts
}

/** One streamed answer with tools; what the SDK reports as an error is thrown, as an application does. */
export const stream = async (target: Target, prompt: string) => {
  let failure: unknown
  const answer = streamText({
    model: defaultModel(target),
    prompt,
    tools: { get_weather: weather },
    stopWhen: isStepCount(STEPS_MAX),
    onError: ({ error }) => {
      failure = error
    }
  })
  let text = ""
  for await (const piece of answer.textStream) text += piece
  if (failure !== undefined) throw failure
  return { text, usage: await answer.totalUsage, finishReason: await answer.finishReason }
}

export const compatible = async (target: Target, prompt: string) => {
  const answer = await generateText({
    model: compatibleModel(target),
    prompt,
    tools: { get_weather: weather },
    stopWhen: isStepCount(STEPS_MAX)
  })
  return { text: answer.text, usage: answer.totalUsage }
}

export const compatibleStream = async (target: Target, prompt: string) => {
  let failure: unknown
  const answer = streamText({
    model: compatibleModel(target),
    prompt,
    onError: ({ error }) => {
      failure = error
    }
  })
  let text = ""
  for await (const piece of answer.textStream) text += piece
  if (failure !== undefined) throw failure
  return { text, usage: await answer.totalUsage }
}
