/**
 * The gateways that Realms is measured against. They are installed from their registry into `bench/peers`, and nowhere else.
 */
import { execFileSync } from "node:child_process"
import { existsSync } from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"
import { root, start, type Started } from "./servers.ts"

const folder = join(root, "bench/peers")
const portkey = join(folder, "node_modules/@portkey-ai/gateway/build/start-server.js")

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0))
    })
  })

export interface Peer {
  readonly origin: string
  readonly pid: number
  /** What a call of it has to carry. */
  readonly headers: Readonly<Record<string, string>>
}

/** Portkey before an upstream; undefined where it cannot be installed. */
export const startPortkey = async (upstreamOrigin: string, say: (text: string) => void): Promise<Peer | undefined> => {
  if (!existsSync(portkey)) {
    say("installing Portkey into bench/peers ...")
    try {
      execFileSync("npm", ["install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"], {
        cwd: folder,
        stdio: "ignore"
      })
    } catch {
      say("Portkey could not be installed: the rows that compare with it are left out")
      return undefined
    }
  }
  const port = await freePort()
  const { child }: Started = await start(
    [portkey, `--port=${port}`, "--headless"],
    (line) => line.includes("Ready for connections") ? line : undefined
  )
  return {
    origin: `http://127.0.0.1:${port}`,
    pid: child.pid ?? 0,
    headers: { "x-portkey-provider": "openai", "x-portkey-custom-host": `${upstreamOrigin}/v1` }
  }
}
