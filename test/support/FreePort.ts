/** A port of loopback that nobody listens on now: for what has to be named before its server runs. */
import { Effect } from "effect"
import { randomInt } from "node:crypto"
import { createServer } from "node:net"

export const freePort = Effect.callback<number>((resume) => {
  const probe = createServer().listen(0, "127.0.0.1", () => {
    const address = probe.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    probe.close(() => resume(Effect.succeed(port)))
  })
})

/**
 * Ports for several listeners one behind the other lie below those that systems give out by themselves, so that nobody takes one meanwhile.
 */
const ROW_FROM = 20_000
const ROW_UPTO = 30_000
const ROW_TRIES_MAX = 100

const listens = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = createServer()
    probe.once("error", () => resolve(false))
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)))
  })

/** The first of so many ports in a row that nobody listens on now. */
export const freePorts = (count: number): Effect.Effect<number> =>
  Effect.promise(async () => {
    for (let tried = 0; tried < ROW_TRIES_MAX; tried++) {
      const first = randomInt(ROW_FROM, ROW_UPTO)
      const row = await Promise.all(Array.from({ length: count }, (_, place) => listens(first + place)))
      if (row.every((isFree) => isFree)) return first
    }
    throw new Error(`there are no ${count} free ports in a row`)
  })
