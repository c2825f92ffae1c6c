/**
 * Says in one line that the browser tests are left out where there is no browser, or refuses to go on where there has to be
 * one.
 */
import { chromiumPath } from "./Browser.ts"

const advice = "no Chromium found: install one (Debian: apt-get install chromium) or set CHROMIUM_PATH to its path"

export const setup = (): void => {
  if (chromiumPath !== undefined) return
  if (process.env["REALMS_REQUIRE_BROWSER"] !== undefined) throw new Error(advice)
  process.stdout.write(`browser tests are left out, ${advice}\n`)
}
