/**
 * Builds refusals of a request body: the two kinds of 400 that the request side gives, in OpenAI's words.
 */
import type { Refused } from "./Call.ts"

/** Something is malformed, missing or of a wrong type. */
export const invalid = (param: string | null, message: string): Refused => ({
  _tag: "Refused",
  status: 400,
  code: "invalid_request_error",
  param,
  message
})

/** Something is understood, but cannot be metered or is not offered. */
export const unsupported = (param: string | null, message: string): Refused => ({
  _tag: "Refused",
  status: 400,
  code: "unsupported_parameter",
  param,
  message
})
