/**
 * The files of a backup and their checksums: SHA-256 of what was written or read, against PostgreSQL's manifest and our list of the files
 * that it leaves out. Every file is in exactly one of the two, so a file that was changed, lost or added is found.
 */
import { Schema } from "effect"
import { createHash, type Hash } from "node:crypto"
import { failed } from "./BackupFailed.ts"
import { FILES_PATH, MANIFEST_PATH } from "./BackupDocument.ts"

const FileSum = Schema.Struct({ path: Schema.String, bytes: Schema.Number, sha256: Schema.String })
export interface FileSum extends Schema.Schema.Type<typeof FileSum> {}

const FileList = Schema.fromJsonString(Schema.Struct({ files: Schema.Array(FileSum) }))
const encodeList = Schema.encodeSync(FileList)
const decodeList = Schema.decodeUnknownSync(FileList)

/** Of PostgreSQL's manifest, what is read here. Paths that are not UTF-8 do not occur in a cluster of ours. */
const PostgresManifest = Schema.fromJsonString(Schema.Struct({
  Files: Schema.Array(Schema.Struct({
    Path: Schema.String,
    Size: Schema.Number,
    "Checksum-Algorithm": Schema.Literal("SHA256"),
    Checksum: Schema.String
  })),
  "Manifest-Checksum": Schema.String
}))
const decodeManifest = Schema.decodeUnknownSync(PostgresManifest)

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex")

/** Sums files as their bytes pass by. */
export class FileSums {
  readonly sums = new Map<string, FileSum>()
  private hash: Hash = createHash("sha256")
  private bytes = 0

  update(bytes: Uint8Array): void {
    this.hash.update(bytes)
    this.bytes += bytes.length
  }

  /** The file whose bytes were summed has ended. */
  close(path: string): void {
    if (this.sums.has(path)) throw failed(`the backup has ${path} twice`)
    this.sums.set(path, { path, bytes: this.bytes, sha256: this.hash.digest("hex") })
    this.hash = createHash("sha256")
    this.bytes = 0
  }
}

/** What PostgreSQL's manifest lists. Throws where the manifest itself was changed. */
const listedByPostgres = (manifest: string): ReadonlyArray<FileSum> => {
  const read = decodeManifest(manifest)
  const summed = manifest.slice(0, manifest.lastIndexOf('"Manifest-Checksum"'))
  if (sha256(summed) !== read["Manifest-Checksum"]) throw failed("the manifest of PostgreSQL is damaged")
  return read.Files.map((file) => ({ path: file.Path, bytes: file.Size, sha256: file.Checksum }))
}

const compare = (sums: ReadonlyMap<string, FileSum>, listed: ReadonlyArray<FileSum>): void => {
  for (const { bytes, path, sha256: expected } of listed) {
    const found = sums.get(path)
    if (found === undefined) throw failed(`${path} is missing`)
    if (found.bytes !== bytes || found.sha256 !== expected) {
      throw failed(`${path} is damaged: its checksum is not the one in the manifest`)
    }
  }
}

/** Checks the files against PostgreSQL's manifest; answers the text of our list of the others. */
export const listOthers = (sums: ReadonlyMap<string, FileSum>, manifest: string): string => {
  const listed = listedByPostgres(manifest)
  compare(sums, listed)
  const known = new Set(listed.map(({ path }) => path))
  return encodeList({ files: [...sums.values()].filter(({ path }) => !known.has(path)) })
}

/** Checks all files against both lists. Throws where one was changed, is missing, or is in no list. */
export const checkFiles = (
  sums: ReadonlyMap<string, FileSum>,
  { list, manifest }: { readonly manifest: string; readonly list: string }
): void => {
  const listed = [...listedByPostgres(manifest), ...decodeList(list).files]
  compare(sums, listed)
  const known = new Set([...listed.map(({ path }) => path), FILES_PATH])
  const other = [...sums.keys()].find((path) => !known.has(path))
  if (other !== undefined) throw failed(`${other} is in no list of the backup`)
  if (!known.has(MANIFEST_PATH)) throw failed("the list of files does not have the manifest of PostgreSQL")
}
