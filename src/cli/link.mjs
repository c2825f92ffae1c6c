/**
 * Puts `realms` into `node_modules/.bin`, so that `npx realms` runs at once and offline. A `bin` entry in package.json
 * would not do: for a package's own command npx installs the whole folder into its cache, which asks the registry.
 * Runs from the `prepare` script on any Node.js from version 20 on.
 */
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

const bin = fileURLToPath(new URL("../../node_modules/.bin/", import.meta.url))
mkdirSync(bin, { recursive: true })
if (process.platform === "win32") {
  writeFileSync(`${bin}realms.cmd`, '@node "%~dp0\\..\\..\\src\\cli\\realms.mjs" %*\r\n')
} else {
  rmSync(`${bin}realms`, { force: true })
  symlinkSync("../../src/cli/realms.mjs", `${bin}realms`)
}
