/**
 * The text of an answer that came in one piece, for an estimate of its tokens when the upstream sent no usage.
 */
import type { Dialect } from "./CallRequest.ts"
import { isObject, type JsonObject } from "./JsonValue.ts"

const chatKeys = ["content", "reasoning_content", "reasoning", "refusal"]

/** All output text of a chat completion or a response, concatenated: answers, reasoning that is shown, tool calls. */
export function outputTextOf(json: unknown, dialect: Dialect): string {
  if (!isObject(json)) return ""
  const texts: Array<string> = []
  if (dialect === "chat") {
    for (const choice of objects(json.choices)) if (isObject(choice.message)) addMessage(choice.message, texts)
  } else {
    for (const item of objects(json.output)) addItem(item, texts)
  }
  return texts.join("\n")
}

const objects = (value: unknown): ReadonlyArray<JsonObject> => Array.isArray(value) ? value.filter(isObject) : []

const add = (value: unknown, texts: Array<string>): void => {
  if (typeof value === "string" && value !== "") texts.push(value)
}

function addMessage(message: JsonObject, texts: Array<string>): void {
  let last: unknown
  for (const key of chatKeys) {
    // The same reasoning may come under its old and its new name.
    if (message[key] !== last) add(message[key], texts)
    last = message[key]
  }
  for (const part of objects(message.content)) add(part.text, texts)
  const calls = objects(message.tool_calls)
  for (const call of isObject(message.function_call) ? [...calls, { function: message.function_call }] : calls) {
    if (isObject(call.function)) {
      add(call.function.name, texts)
      add(call.function.arguments, texts)
    }
    if (isObject(call.custom)) add(call.custom.input, texts)
  }
}

function addItem(item: JsonObject, texts: Array<string>): void {
  for (const part of objects(item.content)) {
    add(part.text, texts)
    add(part.refusal, texts)
  }
  for (const part of objects(item.summary)) add(part.text, texts)
  if (item.type === "function_call") {
    add(item.name, texts)
    add(item.arguments, texts)
  }
  if (item.type === "custom_tool_call") add(item.input, texts)
}
