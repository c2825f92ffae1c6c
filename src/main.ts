/**
 * The entry. What was compiled before is taken from a cache beside the packages: a command starts in half the time. Where the folder
 * cannot be written nothing is kept, and nothing fails.
 */
import { enableCompileCache } from "node:module"
import { join } from "node:path"

enableCompileCache(join(import.meta.dirname, "../node_modules/.cache/realms"))

await import("./CommandLine.ts")
