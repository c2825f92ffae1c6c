/**
 * The entry. What was compiled before is taken from a cache beside the packages: a command starts in half the time. Where the folder
 * cannot be written nothing is kept, and nothing fails. What is built is run from the few files into which it was joined, in a quarter
 * of the time; the demo is not, because its simulators are loaded beside it and have to share its one copy of Effect.
 */
import { existsSync } from "node:fs"
import { enableCompileCache } from "node:module"
import { join } from "node:path"
import { pathToFileURL } from "node:url"

enableCompileCache(join(import.meta.dirname, "../node_modules/.cache/realms"))

const bundle = join(import.meta.dirname, "bundle/CommandLine.js")

await (existsSync(bundle) && !process.argv.includes("demo")
  ? import(pathToFileURL(bundle).href)
  : import("./CommandLine.ts"))
