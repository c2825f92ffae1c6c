/**
 * Looks through the messages or input items of a call: counts its images and refuses what cannot be priced or what
 * points at input the gateway does not see, which may be another user's.
 */
import { Buffer } from "node:buffer"
import { invalid, type Refused, type Rule, unsupported } from "./CallRequest.ts"
import { isObject, type JsonObject } from "./JsonValue.ts"

export interface InputTally {
  images: number
  /** UTF-8 bytes of the image URLs, unescaped: never more than they take in the body. */
  imageBytes: number
}

const imageTypes = new Set<unknown>(["image_url", "input_image", "computer_screenshot"])
const mediaTypes = new Set<unknown>(["input_audio", "audio", "audio_url", "input_video", "video", "video_url"])
const pictureUrl = /^(https?:\/\/|data:image\/)/i

/** Only tools that the client runs itself: a hosted tool costs more than its tokens. */
export const clientTools: Rule = (value, param) => {
  if (!Array.isArray(value)) return invalid(param, `Invalid type for '${param}': expected an array.`)
  for (const [index, tool] of value.entries()) {
    const type = isObject(tool) ? tool.type : undefined
    if (typeof type !== "string") {
      return invalid(`${param}[${index}].type`, `Missing required parameter: '${param}[${index}].type'.`)
    }
    if (type !== "function" && type !== "custom") {
      return unsupported(
        `${param}[${index}].type`,
        `Unsupported tool '${type.slice(0, 64)}': only 'function' and 'custom' tools can be metered.`
      )
    }
  }
  return undefined
}

/** Adds the images under `value` to `tally`; the refusal names the offending place below `param`. */
export function inspectInput(value: unknown, param: string, tally: InputTally): Refused | undefined {
  const refused = walk(value, tally)
  return refused === undefined ? undefined : { ...refused, param: `${param}${refused.param ?? ""}` }
}

function walk(value: unknown, tally: InputTally): Refused | undefined {
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      const refused = walk(value[index], tally)
      if (refused !== undefined) return { ...refused, param: `[${index}]${refused.param ?? ""}` }
    }
    return undefined
  }
  if (!isObject(value)) return undefined
  const refused = inspect(value)
  if (refused !== undefined) return refused
  countImage(value, tally)
  for (const [key, member] of Object.entries(value)) {
    // Annotations cite files in an answer; they bring nothing in.
    if (typeof member !== "object" || member === null || key === "annotations") continue
    const inner = walk(member, tally)
    if (inner !== undefined) return { ...inner, param: `.${key}${inner.param ?? ""}` }
  }
  return undefined
}

function inspect(part: JsonObject): Refused | undefined {
  if (typeof part.file_id === "string") return unseen(".file_id", "file ids")
  if (typeof part.file_url === "string") return unseen(".file_url", "files by URL")
  if (typeof part.file_data === "string" && /^https?:/i.test(part.file_data)) {
    return unseen(".file_data", "files by URL")
  }
  if (part.type === "item_reference") return unseen(".id", "item references")
  if (isObject(part.audio) && typeof part.audio.id === "string") return unseen(".audio.id", "earlier audio answers")
  if (mediaTypes.has(part.type)) return unseen(".type", "audio and video")
  if (part.type === "additional_tools" && part.tools !== undefined) return clientTools(part.tools, ".tools")
  return undefined
}

/** The refusal of input that is not in the body; `param` is relative to the part. */
export const unseen = (param: string, what: string): Refused =>
  unsupported(param, `Unsupported input: ${what} cannot be seen or priced by this gateway; send the content inline.`)

function countImage(part: JsonObject, tally: InputTally): void {
  if (!imageTypes.has(part.type)) return
  const image = part.image_url
  const url = isObject(image) ? image.url : image
  tally.images++
  // A URL of another kind stays counted as text: it is unknown what an upstream makes of it.
  if (typeof url === "string" && pictureUrl.test(url.slice(0, 16))) tally.imageBytes += Buffer.byteLength(url)
}
