/**
 * LangChain's `ChatOpenAI` on both of OpenAI's APIs, with a tool loop written by hand as its documentation shows it.
 */
import { type BaseMessage, HumanMessage, ToolMessage } from "@langchain/core/messages"
import { tool } from "@langchain/core/tools"
import { ChatOpenAI } from "@langchain/openai"
import { z } from "zod"
import type { Target } from "./Target.ts"

const Usage = z.object({ input_tokens: z.number(), output_tokens: z.number() })

const modelOf = (target: Target, useResponsesApi: boolean) =>
  new ChatOpenAI({
    model: target.model,
    apiKey: target.apiKey,
    useResponsesApi,
    configuration: { baseURL: target.baseUrl }
  })

const weather = tool(({ city }: { readonly city: string }) => `Sunny in ${city}`, {
  name: "get_weather",
  description: "The weather of a city",
  schema: z.object({ city: z.string() })
})

/** One question, one round of tools, one answer. */
const toolLoop = async (target: Target, useResponsesApi: boolean, prompt: string) => {
  const model = modelOf(target, useResponsesApi).bindTools([weather])
  const messages: Array<BaseMessage> = [new HumanMessage(prompt)]
  const asked = await model.invoke(messages)
  messages.push(asked)
  for (const call of asked.tool_calls ?? []) {
    const { city } = z.object({ city: z.string() }).parse(call.args)
    const content = await weather.invoke({ city })
    messages.push(new ToolMessage({ content, tool_call_id: call.id ?? "" }))
  }
  const answer = await model.invoke(messages)
  return { text: answer.text, usage: Usage.parse(answer.usage_metadata) }
}

export const chatTools = (target: Target, prompt: string) => toolLoop(target, false, prompt)

export const responsesTools = (target: Target, prompt: string) => toolLoop(target, true, prompt)

const streamed = async (target: Target, useResponsesApi: boolean, prompt: string) => {
  let text = ""
  for await (const chunk of await modelOf(target, useResponsesApi).stream(prompt)) text += chunk.text
  return text
}

export const chatStream = (target: Target, prompt: string) => streamed(target, false, prompt)

export const responsesStream = (target: Target, prompt: string) => streamed(target, true, prompt)

/** Two turns, the second by the id of the first. */
export const previousResponse = async (target: Target, prompts: readonly [string, string]) => {
  const model = modelOf(target, true)
  const first = await model.invoke(prompts[0])
  const id = z.string().parse(first.response_metadata["id"])
  const second = await model.invoke(prompts[1], { previous_response_id: id })
  return { id, texts: [first.text, second.text] }
}
