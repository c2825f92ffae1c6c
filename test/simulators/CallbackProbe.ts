/**
 * Somebody who is called back by a simulated payment provider: a server that keeps what it was sent, byte for byte, and
 * answers what the test says.
 */
import { Buffer } from "node:buffer"
import type { IncomingHttpHeaders } from "node:http"
import { listen } from "../../simulators/http/SimulatorServer.ts"

export interface Callback {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface CallbackProbe {
  readonly url: string
  readonly received: ReadonlyArray<Callback>
  /** The answers to come; after them `200 success`. */
  readonly answers: Array<readonly [status: number, body: string]>
  readonly close: () => Promise<void>
}

export async function startCallbackProbe(): Promise<CallbackProbe> {
  const received: Array<Callback> = []
  const answers: Array<readonly [status: number, body: string]> = []
  const { close, url } = await listen({}, () => (incoming, response) => {
    const chunks: Array<Buffer> = []
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk))
    incoming.on("end", () => {
      const [path = "", query = ""] = (incoming.url ?? "").split("?")
      const { headers, method = "" } = incoming
      received.push({ method, path, query, headers, body: Buffer.concat(chunks).toString() })
      const [status, body] = answers.shift() ?? [200, "success"]
      response.writeHead(status)
      response.end(body)
    })
  })
  return { url: `${url}/notify`, received, answers, close }
}
