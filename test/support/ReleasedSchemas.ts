/**
 * What was released: the migrations of each version with their checksums, which never change again (`test/postgres/schemas/released.json`),
 * and the rows that a database of that version had (`test/postgres/schemas/<version>`). `npm run release:schema` writes both.
 */
import { Schema } from "effect"
import { createHash } from "node:crypto"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"

const root = join(import.meta.dirname, "../..")

export const migrationsFolder = join(root, "migrations")
export const schemasFolder = join(root, "test/postgres/schemas")
export const releasedPath = join(schemasFolder, "released.json")

/** Of each released version, the name of every migration that it had and the SHA-256 of its text. */
const Released = Schema.fromJsonString(Schema.Record(Schema.String, Schema.Record(Schema.String, Schema.String)))

export const readReleased = () => Schema.decodeUnknownSync(Released)(readFileSync(releasedPath, "utf8"))

/** The migrations as they are now. */
export const checksumsNow = (folder = migrationsFolder): Readonly<Record<string, string>> =>
  Object.fromEntries(
    readdirSync(folder).filter((name) => name.endsWith(".sql")).toSorted().map((name) => {
      const text = readFileSync(join(folder, name), "utf8").replaceAll("\r\n", "\n")
      return [name, createHash("sha256").update(text).digest("hex")]
    })
  )

/** What is wrong with the migrations of a released version, in words. */
export const changesSince = (
  released: Readonly<Record<string, string>>,
  now: Readonly<Record<string, string>>
): ReadonlyArray<string> => {
  const last = Object.keys(released).toSorted().at(-1) ?? ""
  return [
    ...Object.entries(released).flatMap(([name, checksum]) =>
      now[name] === checksum ? [] : [`${name} was ${now[name] === undefined ? "removed" : "changed"} after its release`]
    ),
    ...Object.keys(now).filter((name) => name <= last && released[name] === undefined).map((name) =>
      `${name} comes before ${last}, which is released`
    )
  ]
}

/** The files with rows of a version. */
export const rowFilesOf = (version: string): ReadonlyArray<string> => {
  const folder = join(schemasFolder, version)
  return existsSync(folder) ? readdirSync(folder).toSorted().map((name) => join(folder, name)) : []
}

/** Rows are at rest: what they say of calls that a server has yet to end is no fault of a migration, and comes with time. */
export const isOfMigration = (problem: string): boolean => !problem.includes("is open past its lease")
