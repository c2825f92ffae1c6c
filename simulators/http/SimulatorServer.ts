/**
 * The HTTP server under every simulator. It closes with every connection, and listens on loopback, on a free port, unless told
 * otherwise. Payment providers have it read whole requests of bounded size and answer what their handler says.
 */
import { Clock, Effect } from "effect"
import { Buffer } from "node:buffer"
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http"
import { SimulatorNotStarted } from "./SimulatorNotStarted.ts"

const BODY_BYTES_MAX = 1024 * 1024

export interface ListenOptions {
  readonly host?: string
  /** 0 takes a free one. */
  readonly port?: number
}

export interface SimulatorRequest {
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly query: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface SimulatorReply {
  readonly status: number
  readonly headers: { readonly [name: string]: string }
  readonly body: string
}

/** Undefined closes the connection without an answer. */
export type SimulatorHandler = (request: SimulatorRequest) => Promise<SimulatorReply | undefined>

export interface SimulatorServer {
  readonly host: string
  readonly port: number
  /** `http://host:port` */
  readonly url: string
  readonly close: () => Promise<void>
}

const text = { "content-type": "text/plain; charset=utf-8" }

/** Sends a browser on with a GET. */
export const redirect = (location: string): SimulatorReply => ({ status: 303, headers: { location }, body: "" })

function send(response: ServerResponse, reply: SimulatorReply | undefined): void {
  if (reply === undefined) return void response.destroy()
  if (response.destroyed) return
  response.writeHead(reply.status, { ...reply.headers, "content-length": Buffer.byteLength(reply.body) })
  response.end(reply.body)
}

function receive(incoming: IncomingMessage, response: ServerResponse, handler: SimulatorHandler): void {
  const chunks: Array<Buffer> = []
  let bytes = 0
  incoming.on("data", (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes <= BODY_BYTES_MAX) chunks.push(chunk)
  })
  incoming.on("error", () => response.destroy())
  incoming.on("end", () => {
    if (bytes > BODY_BYTES_MAX) return send(response, { status: 413, headers: text, body: "The request is too large." })
    const [path = "", query = ""] = (incoming.url ?? "").split(/\?(.*)/s)
    const { headers, method = "" } = incoming
    void handler({ method, path, query, headers, body: Buffer.concat(chunks).toString() }).then(
      (reply) => send(response, reply),
      (cause: unknown) => send(response, { status: 500, headers: text, body: String(cause) })
    )
  })
}

/** What answers a request, as Node.js gives it. */
export type Listener = (incoming: IncomingMessage, response: ServerResponse) => void

/** How long a connection without a request stays open, in ms, where a load test would otherwise race with its end. */
const KEEP_ALIVE_MS = 60_000

/** Listens when the promise resolves. `listenerAt` is told where. */
export async function listen(options: ListenOptions, listenerAt: (url: string) => Listener): Promise<SimulatorServer> {
  const server = createServer({ noDelay: true, keepAlive: true, keepAliveTimeout: KEEP_ALIVE_MS })
  const host = options.host ?? "127.0.0.1"
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject)
    server.listen(options.port ?? 0, host, () => {
      server.off("error", reject)
      resolve()
    })
  })
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  const url = `http://${host}:${port}`
  server.on("request", listenerAt(url))
  return {
    host,
    port,
    url,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
  }
}

/** Starts a server that reads whole requests of bounded size. `handlerAt` is told where it listens. */
export function startServer(
  options: ListenOptions,
  handlerAt: (url: string) => SimulatorHandler
): Promise<SimulatorServer> {
  return listen(options, (url) => {
    const handler = handlerAt(url)
    return (incoming, response) => receive(incoming, response, handler)
  })
}

/** Milliseconds since 1970. */
export type Now = () => number

const nowOf = (clock: Clock.Clock): Now => () => clock.currentTimeMillisUnsafe()

/** The time of the machine. */
export const machineTime: Now = nowOf(Clock.Clock.defaultValue())

/** A simulator for the length of a scope, on the caller's clock. Fails when its port is taken. */
export const acquireSimulator = <A extends { readonly close: () => Promise<void> }>(start: (now: Now) => Promise<A>) =>
  Effect.acquireRelease(
    Effect.flatMap(Clock.Clock, (clock) =>
      Effect.tryPromise({
        try: () => start(nowOf(clock)),
        catch: (cause) => new SimulatorNotStarted({ message: String(cause) })
      })),
    (simulator) => Effect.promise(simulator.close)
  )
