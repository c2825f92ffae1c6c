/**
 * The gateways that Realms is measured against. They are installed from their registry into `bench/peers`, and nowhere else.
 */
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import { existsSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { freePort } from "../test/support/FreePort.ts"
import { folder as scratch, root, start, type Started, startProgram } from "./servers.ts"

const folder = join(root, "bench/peers")
const portkey = join(folder, "node_modules/@portkey-ai/gateway/build/start-server.js")

/** A version whose dependencies can all be installed. */
const LITELLM = "litellm[proxy]==1.108.0"
const python = join(folder, "python")
const litellm = join(python, "bin/litellm")

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
  const port = await Effect.runPromise(freePort)
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

/**
 * LiteLLM's proxy before an upstream, with nothing that it could keep, and the key that it wants; undefined where there is no Python, or
 * no package.
 */
export const startLitellm = async (
  upstreamOrigin: string,
  say: (text: string) => void
): Promise<Peer & { readonly key: string } | undefined> => {
  if (!existsSync(litellm)) {
    say("installing LiteLLM into bench/peers ...")
    try {
      execFileSync("python3", ["-m", "venv", python], { stdio: "ignore" })
      execFileSync(join(python, "bin/pip"), ["install", "--quiet", LITELLM], { stdio: "ignore" })
    } catch {
      say("LiteLLM could not be installed: its row is left out")
      return undefined
    }
  }
  const config = join(scratch, "litellm.yaml")
  writeFileSync(
    config,
    `model_list:
  - model_name: bench
    litellm_params: { model: openai/bench, api_base: "${upstreamOrigin}/v1", api_key: x }
`
  )
  const port = await Effect.runPromise(freePort)
  const key = `sk-${randomBytes(32).toString("hex")}`
  const { child }: Started = await startProgram(
    litellm,
    ["--config", config, "--host", "127.0.0.1", "--port", String(port)],
    (line) => line.includes("Uvicorn running on") ? line : undefined,
    { ...process.env, LITELLM_LOCAL_MODEL_COST_MAP: "True", LITELLM_MASTER_KEY: key }
  )
  return { origin: `http://127.0.0.1:${port}`, pid: child.pid ?? 0, headers: {}, key }
}
