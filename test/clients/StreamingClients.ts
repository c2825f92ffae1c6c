/**
 * Every client that reads a stream, by what it reads. What happens to a stream midway has to reach each of them as an error.
 */
import * as Agents from "./Agents.ts"
import * as AiSdk from "./AiSdk.ts"
import * as LangChain from "./LangChain.ts"
import * as OpenAiNode from "./OpenAiNode.ts"
import type { Target } from "./Target.ts"

export interface StreamingClient {
  readonly name: string
  readonly read: (target: Target, prompt: string) => Promise<unknown>
}

export const responsesClients: ReadonlyArray<StreamingClient> = [
  { name: "openai-node's stream helper", read: OpenAiNode.responsesStream },
  { name: "openai-node's iterator", read: OpenAiNode.responsesEvents },
  { name: "the AI SDK", read: AiSdk.stream },
  { name: "LangChain", read: LangChain.responsesStream },
  { name: "the Agents SDK", read: Agents.stream }
]

export const chatClients: ReadonlyArray<StreamingClient> = [
  { name: "openai-node's stream helper", read: OpenAiNode.chatStream },
  { name: "openai-node's iterator", read: OpenAiNode.chatStreamWithUsage },
  { name: "the AI SDK's compatible provider", read: AiSdk.compatibleStream },
  { name: "LangChain", read: LangChain.chatStream }
]
