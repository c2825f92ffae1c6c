/**
 * The version of this package, as its manifest says it: the same file whether the source runs or what was built of it.
 */
import { Schema } from "effect"
import { readFileSync } from "node:fs"

const decodeManifest = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Struct({ version: Schema.String })))

/** Reads the version. */
export const readVersion = (): string =>
  decodeManifest(readFileSync(new URL("../../package.json", import.meta.url), "utf8")).version
