/**
 * Where a request has its key: `Authorization: Bearer`, else `x-api-key`, else `api-key`.
 *
 * @internal
 */
import type { IncomingMessage } from "node:http"

const bearer = /^Bearer\s+(\S+)\s*$/i

const keyHeaders = ["x-api-key", "api-key"] as const

/** The key as it was sent; undefined when there is none. A scheme other than `Bearer` is a proxy's and says nothing of the key. */
export const tokenOf = ({ headers }: IncomingMessage): string | undefined => {
  const token = headers.authorization === undefined ? undefined : bearer.exec(headers.authorization)?.[1]
  if (token !== undefined) return token
  for (const name of keyHeaders) {
    const key = headers[name]
    if (typeof key === "string" && key !== "") return key
  }
  return undefined
}
