/**
 * Starts the Chromium of a test run, which every browser test connects to. Where there is none it says in one line that the
 * browser tests are left out, or refuses to go on where there has to be one.
 */
import { chromium } from "playwright-core"
import type { TestProject } from "vitest/node"
import { chromiumPath } from "./Browser.ts"

declare module "vitest" {
  interface ProvidedContext {
    /** Where the run's Chromium is connected to. */
    readonly browserEndpoint: string
  }
}

const advice = "no Chromium found: install one (Debian: apt-get install chromium) or set CHROMIUM_PATH to its path"

export const setup = async (project: TestProject): Promise<(() => Promise<void>) | undefined> => {
  if (chromiumPath === undefined) {
    if (process.env["REALMS_REQUIRE_BROWSER"] !== undefined) throw new Error(advice)
    process.stdout.write(`browser tests are left out, ${advice}\n`)
    return undefined
  }
  const server = await chromium.launchServer({
    executablePath: chromiumPath,
    args: ["--disable-dev-shm-usage", ...(process.getuid?.() === 0 ? ["--no-sandbox"] : [])]
  })
  project.provide("browserEndpoint", server.wsEndpoint())
  return () => server.close()
}
