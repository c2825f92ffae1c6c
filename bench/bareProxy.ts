/**
 * The floor: a pass-through proxy of node:http and Undici that bills nothing. Run as a process of its own with the upstream's
 * origin as its argument; prints its port.
 */
import { createServer } from "node:http"
import { Pool } from "undici"

const pool = new Pool(process.argv[2] ?? "", { connections: 512, pipelining: 1, allowH2: false })

const server = createServer({ noDelay: true }, (request, response) => {
  const chunks: Array<Buffer> = []
  request.on("data", (chunk: Buffer) => chunks.push(chunk))
  request.on("end", () => {
    pool.dispatch({
      method: "POST",
      path: request.url ?? "/",
      headers: { "content-type": "application/json", authorization: "Bearer bench" },
      body: Buffer.concat(chunks)
    }, {
      onRequestStart: () => undefined,
      onResponseStart: (_, status, headers) => {
        response.writeHead(status, { "content-type": String(headers["content-type"]) })
      },
      onResponseData: (controller, chunk) => {
        if (response.write(chunk)) return
        controller.pause()
        response.once("drain", () => controller.resume())
      },
      onResponseEnd: () => void response.end(),
      onResponseError: () => void response.destroy()
    })
  })
})

server.listen(0, "127.0.0.1", () => {
  const address = server.address()
  process.stdout.write(`${typeof address === "object" && address !== null ? address.port : 0}\n`)
})
