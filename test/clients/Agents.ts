/**
 * OpenAI's Agents SDK: a run with a tool, runs that follow each other by the response's id, and a streamed run.
 */
import { Agent, OpenAIProvider, Runner, tool } from "@openai/agents"
import { z } from "zod"
import type { Target } from "./Target.ts"

const weather = tool({
  name: "get_weather",
  description: "The weather of a city",
  parameters: z.object({ city: z.string() }),
  execute: ({ city }) => `Sunny in ${city}`
})

/** Tracing would speak to OpenAI itself. */
const runnerOf = (target: Target, useResponses = true) =>
  new Runner({
    modelProvider: new OpenAIProvider({ apiKey: target.apiKey, baseURL: target.baseUrl, useResponses }),
    tracingDisabled: true
  })

const agentOf = (target: Target) =>
  new Agent({ name: "Assistant", instructions: "Answer in one line.", model: target.model, tools: [weather] })

export const toolLoop = async (target: Target, prompt: string) => {
  const { finalOutput, state } = await runnerOf(target).run(agentOf(target), prompt)
  return { text: finalOutput, requests: state.usage.requests, totalTokens: state.usage.totalTokens }
}

export const chatToolLoop = async (target: Target, prompt: string) => {
  const { finalOutput } = await runnerOf(target, false).run(agentOf(target), prompt)
  return finalOutput
}

/** Two runs, the second by the id of the first. */
export const previousResponse = async (target: Target, prompts: readonly [string, string]) => {
  const runner = runnerOf(target)
  const first = await runner.run(agentOf(target), prompts[0])
  const previousResponseId = z.string().parse(first.lastResponseId)
  const second = await runner.run(agentOf(target), prompts[1], { previousResponseId })
  return { id: previousResponseId, texts: [first.finalOutput, second.finalOutput] }
}

export const stream = async (target: Target, prompt: string) => {
  const answer = await runnerOf(target).run(agentOf(target), prompt, { stream: true })
  let text = ""
  for await (const piece of answer.toTextStream()) text += piece
  await answer.completed
  return text
}
