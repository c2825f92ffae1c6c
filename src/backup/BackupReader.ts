/**
 * Reads a backup and writes its files into a folder, each synced to disk, and checks every one of them against the backup's manifests. The
 * first file, which says what the backup is, can be looked at before anything is written.
 * @internal
 */
import { type FileHandle, mkdir, open } from "node:fs/promises"
import { dirname, join } from "node:path"
import { type TarEntry, TarReader } from "../postgres/Tar.ts"
import { type BackupDocument, decodeDocument, DOCUMENT_PATH, FILES_PATH, MANIFEST_PATH } from "./BackupDocument.ts"
import { failed } from "./BackupFailed.ts"
import { checkFiles, FileSums } from "./FileSums.ts"

const READ_BYTES = 1_048_576

/** What is read of a file to find the document in it: one header and the document. */
const DOCUMENT_BYTES_MAX = 262_144

/** Manifests are held in memory. */
const MANIFEST_BYTES_MAX = 268_435_456

const decoder = new TextDecoder()

/** The document at the beginning of a backup. */
export const readDocument = async (path: string): Promise<BackupDocument> => {
  const handle = await open(path, "r")
  const buffer = new Uint8Array(DOCUMENT_BYTES_MAX)
  const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0).finally(() => handle.close())
  const found: Array<Uint8Array> = []
  for (const event of new TarReader().push(buffer.subarray(0, bytesRead))) {
    if (event._tag === "Entry" && event.entry.path !== DOCUMENT_PATH) break
    if (event._tag === "Closed") return documentOf(decoder.decode(Buffer.concat(found)))
    if (event._tag === "Data") found.push(event.bytes)
  }
  throw failed("this is not a backup of realms, or it is cut short")
}

const FORMAT_FOUND = /^\{"format":(\d+),/

const documentOf = (text: string): BackupDocument => {
  const format = FORMAT_FOUND.exec(text)?.[1]
  if (format === undefined) throw failed("this is not a backup of realms")
  if (format !== "1") throw failed("a newer version of realms made this backup: restore it with that version")
  return decodeDocument(text)
}

/** The file that is being written. */
interface OpenFile {
  readonly handle: FileHandle
  /** Its bytes, of a file that is needed again at the end. */
  readonly kept: Array<Uint8Array> | undefined
}

class Extraction {
  private readonly files = new FileSums()
  private readonly folders: Array<string>
  private readonly folder: string
  private readonly texts = new Map<string, string>()
  private current: OpenFile | undefined

  constructor(folder: string) {
    this.folder = folder
    this.folders = [folder]
  }

  async begin(entry: TarEntry): Promise<void> {
    const path = join(this.folder, entry.path)
    if (entry.kind === "folder") return this.makeFolder(path)
    await this.makeFolder(dirname(path))
    const isKept = entry.path === MANIFEST_PATH || entry.path === FILES_PATH
    if (isKept && entry.bytes > MANIFEST_BYTES_MAX) throw failed(`${entry.path} is too large`)
    this.current = { handle: await open(path, "wx", 0o600), kept: isKept ? [] : undefined }
  }

  async data(bytes: Uint8Array): Promise<void> {
    if (this.current === undefined) return
    this.files.update(bytes)
    this.current.kept?.push(Uint8Array.from(bytes))
    // On a handle this goes on where the last one ended.
    await this.current.handle.writeFile(bytes)
  }

  async close(entry: TarEntry): Promise<void> {
    if (this.current === undefined || entry.kind === "folder") return
    const { handle, kept } = this.current
    await handle.sync().finally(() => handle.close())
    this.current = undefined
    this.files.close(entry.path)
    if (kept !== undefined) this.texts.set(entry.path, decoder.decode(Buffer.concat(kept)))
  }

  /** Everything has been read: checks it. */
  async finish(): Promise<void> {
    const manifest = this.texts.get(MANIFEST_PATH)
    const list = this.texts.get(FILES_PATH)
    if (manifest === undefined || list === undefined) throw failed("the backup has no manifest")
    checkFiles(this.files.sums, { manifest, list })
    await Promise.all(this.folders.map(async (folder) => {
      const handle = await open(folder, "r")
      await handle.sync().finally(() => handle.close())
    }))
  }

  /** Lets go of the file that was being written when something went wrong. */
  async abandon(): Promise<void> {
    await this.current?.handle.close().catch(() => undefined)
  }

  private async makeFolder(path: string): Promise<void> {
    if (await mkdir(path, { recursive: true, mode: 0o700 }) !== undefined) this.folders.push(path)
  }
}

/** Writes the files of the backup below a folder that is empty. Throws where the backup is damaged or cut short. */
export const extract = async (
  path: string,
  { folder, onProgress, signal }: {
    readonly folder: string
    readonly signal: AbortSignal
    readonly onProgress: (done: number, total: number) => void
  }
): Promise<void> => {
  const handle = await open(path, "r")
  const extraction = new Extraction(folder)
  try {
    const { size } = await handle.stat()
    const reader = new TarReader()
    let done = 0
    for await (const chunk of handle.createReadStream({ highWaterMark: READ_BYTES, autoClose: false, signal })) {
      done += chunk.length
      for await (const event of reader.push(chunk)) {
        if (event._tag === "Entry") await extraction.begin(event.entry)
        else if (event._tag === "Data") await extraction.data(event.bytes)
        else if (event._tag === "Closed") await extraction.close(event.entry)
      }
      onProgress(done, size)
    }
    reader.finish()
    await extraction.finish()
  } finally {
    await extraction.abandon()
    await handle.close()
  }
}
