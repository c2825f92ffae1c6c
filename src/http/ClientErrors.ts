/**
 * Answers connections whose bytes are no request, or come too slowly to be one. A connection on which nothing was ever sent, such
 * as one that a browser opened in advance, is closed without a word: it has asked for nothing.
 *
 * @internal
 */
import type { Duplex } from "node:stream"
import { makeReservationId } from "../domain/Ids.ts"
import { openAiError, openAiErrorBody, type OpenAiErrorCode, openAiErrors } from "../gateway/OpenAiError.ts"

interface Answer {
  readonly status: number
  readonly reason: string
  readonly code: OpenAiErrorCode
  readonly message: string
}

const malformed: Answer = {
  status: 400,
  reason: "Bad Request",
  code: "invalid_request_error",
  message: "This is not a valid HTTP request."
}

/** By the code of Node's error; everything else is malformed. */
const answers: Readonly<Record<string, Answer>> = {
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: openAiErrors.request_timeout.status,
    reason: "Request Timeout",
    code: "request_timeout",
    message: "The request came too slowly."
  },
  HPE_HEADER_OVERFLOW: {
    status: 431,
    reason: "Request Header Fields Too Large",
    code: "invalid_request_error",
    message: "The request's headers are too large."
  },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: {
    status: openAiErrors.request_too_large.status,
    reason: "Payload Too Large",
    code: "request_too_large",
    message: "The request's chunk extensions are too large."
  }
}

const headOf = ({ reason, status }: Answer, bodyBytes: number): string =>
  [
    `HTTP/1.1 ${status} ${reason}`,
    "connection: close",
    "content-type: application/json",
    `content-length: ${bodyBytes}`,
    `x-request-id: ${makeReservationId()}`,
    "access-control-allow-origin: *",
    "",
    ""
  ].join("\r\n")

/** What a connection says of its traffic; a socket does. */
interface Connection extends Duplex {
  readonly bytesRead?: number
  readonly bytesWritten?: number
}

/** For the server's event `clientError`. */
export const answerClientError = (error: NodeJS.ErrnoException, connection: Connection): void => {
  // An answer that has begun can only be broken off.
  if (!connection.writable || connection.bytesRead === 0 || connection.bytesWritten !== 0) {
    connection.destroy()
    return
  }
  const answer = answers[error.code ?? ""] ?? malformed
  const body = openAiErrorBody(openAiError(answer.code, answer.message))
  connection.end(`${headOf(answer, Buffer.byteLength(body))}${body}`, () => connection.destroy())
}
