/**
 * How long hostile request bodies, and a large answer, hold the event loop of a running server: `npx node bench/eventloop.ts`, after a
 * build. Each body is sent several times, alone, over HTTP; the server's process measures its own longest delay meanwhile. The target is 50
 * ms for every body. `BENCH_BODY_BYTES` and `BENCH_ROUNDS` change its size.
 */
import type { ChildProcess } from "node:child_process"
import { request } from "node:http"
import { join } from "node:path"
import { brotliCompressSync, constants, gzipSync } from "node:zlib"
import { endAll, keyOf, root, startRealms, startScript } from "./servers.ts"

const BODY_BYTES = Number(process.env.BENCH_BODY_BYTES ?? "20000000")
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? "3")
const TARGET_MS = 50

interface Hostile {
  readonly name: string
  readonly bytes: Uint8Array
  readonly encoding?: string
  /** Bytes of each piece that is sent; else all at once. */
  readonly pieceBytes?: number
  /** The user has no money. */
  readonly isPoor?: boolean
}

/** A body of the wanted size: a start, something repeated, an end. */
const filled = (start: string, repeated: string, end: string): Buffer => {
  const room = BODY_BYTES - Buffer.byteLength(start) - Buffer.byteLength(end)
  return Buffer.from(`${start}${repeated.repeat(Math.floor(room / Buffer.byteLength(repeated)))}${end}`)
}

const message = (content: string): string => `{"model":"bench","messages":[{"role":"user","content":${content}}]}`
const [before = "", after = ""] = message("@").split("@")
const objects = filled('{"model":"bench","messages":[', "{},", "{}]}")
const text = filled(`${before}"`, "a", `"${after}`)

const hostile: ReadonlyArray<Hostile> = [
  { name: "empty messages", bytes: objects },
  { name: "empty messages, no money", bytes: objects, isPoor: true },
  {
    name: "messages",
    bytes: filled('{"model":"bench","messages":[', '{"role":"user","content":"x"},', '{"role":"user","content":"x"}]}')
  },
  {
    name: "messages whose type comes last",
    bytes: filled(
      '{"model":"bench","messages":[',
      `{"role":"user","content":[{"text":"${"x".repeat(440)}","type":"text"}]},`,
      '{"role":"user","content":"x"}]}'
    )
  },
  { name: "one string", bytes: text },
  { name: "one string of escapes", bytes: filled(`${before}"`, "\\u0041", `"${after}`) },
  { name: "one string of Chinese", bytes: filled(`${before}"`, "\u6c49", `"${after}`) },
  { name: "deep nesting", bytes: filled(before, "[", after) },
  { name: "keys", bytes: filled('{"model":"bench","messages":[],"metadata":{', '"a":1,', '"a":1}}') },
  { name: "numbers", bytes: filled('{"model":"bench","messages":[],"input":[', "1,", "1]}") },
  { name: "spaces", bytes: filled(before, " ", `"x"${after}`) },
  { name: "no JSON", bytes: filled("", "\u0000", "") },
  { name: "gzip bomb", bytes: gzipSync(Buffer.alloc(50 * BODY_BYTES)), encoding: "gzip" },
  {
    name: "brotli bomb",
    bytes: brotliCompressSync(Buffer.alloc(10 * BODY_BYTES), { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } }),
    encoding: "br"
  },
  { name: "gzip of empty messages", bytes: gzipSync(objects), encoding: "gzip" },
  { name: "an answer of 20 MB", bytes: Buffer.from(message('"Hi"').replace("bench", "large")) },
  { name: "chunks of 16 bytes", bytes: text.subarray(0, BODY_BYTES / 10), pieceBytes: 16 }
]

/** The server's longest delay since the last question, in ms. */
const longestMs = (server: ChildProcess): Promise<number> =>
  new Promise((resolve) => {
    server.once("message", (answer: { readonly longestMs: number }) => resolve(answer.longestMs))
    server.send("longest")
  })

/** Sends a body as the bench's user; its status. */
const post = (origin: string, key: string, { bytes, encoding, pieceBytes }: Hostile): Promise<number> =>
  new Promise((resolve) => {
    const outgoing = request(`${origin}/v1/chat/completions`, {
      method: "POST",
      agent: false,
      headers: {
        "content-type": "application/json",
        authorization: `Bearer ${key}`,
        ...(encoding === undefined ? {} : { "content-encoding": encoding }),
        ...(pieceBytes === undefined ? { "content-length": bytes.length } : { "transfer-encoding": "chunked" })
      }
    }, (response) => {
      response.resume().on("close", () => resolve(response.statusCode ?? 0))
    })
    outgoing.on("error", () => resolve(0))
    if (pieceBytes === undefined) return void outgoing.end(bytes)
    let sent = 0
    const send = (): void => {
      while (sent < bytes.length && !outgoing.destroyed) {
        const piece = bytes.subarray(sent, sent + pieceBytes)
        sent += piece.length
        if (!outgoing.write(piece)) return void outgoing.once("drain", send)
      }
      outgoing.end()
    }
    send()
  })

try {
  const server = await startRealms((await startScript("upstream.ts")).origin, {
    nodeArgs: ["--import", join(root, "bench/loopProbe.ts")]
  })
  const rich = keyOf(server, "rich@example.com", "100000")
  const poor = keyOf(server, "poor@example.com")
  const { origin } = server
  // The first calls compile the way of a call.
  const plain: Hostile = { name: "plain", bytes: Buffer.from(message('"Hi"')) }
  for (let round = 0; round < 200; round++) await post(origin, rich, plain)
  let worstMs = 0
  for (const body of hostile) {
    let bodyMs = 0
    let status = 0
    for (let round = 0; round < ROUNDS; round++) {
      await longestMs(server.child)
      status = await post(origin, body.isPoor === true ? poor : rich, body)
      bodyMs = Math.max(bodyMs, await longestMs(server.child))
    }
    worstMs = Math.max(worstMs, bodyMs)
    process.stdout.write(
      `${
        JSON.stringify({
          body: body.name,
          "sent bytes": body.bytes.length,
          status,
          "longest delay ms": Number(bodyMs.toFixed(1)),
          "within target": bodyMs <= TARGET_MS
        })
      }\n`
    )
  }
  process.stdout.write(
    `${
      JSON.stringify({
        "longest delay ms": Number(worstMs.toFixed(1)),
        "target ms": TARGET_MS,
        met: worstMs <= TARGET_MS
      })
    }\n`
  )
} finally {
  await endAll()
}
