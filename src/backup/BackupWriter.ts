/**
 * Writes a backup: a tar archive under a temporary name beside its place, of mode 0600, which is synced to disk before it gets its name.
 * So a file of that name is always a whole backup. What is written is summed on the way.
 * @internal
 */
import { type FileHandle, open, readdir, rename, rm, stat } from "node:fs/promises"
import { randomBytes } from "node:crypto"
import { dirname, join } from "node:path"
import { END, fileHeader, paddingOf, type TarEvent, TarReader } from "../postgres/Tar.ts"
import { failed } from "./BackupFailed.ts"
import { FileSums } from "./FileSums.ts"

/** Bytes that are gathered before they are written. */
const BUFFER_BYTES = 1_048_576

/** Written bytes are synced this often, so that the end does not wait for all of them at once. */
const SYNC_BYTES = 268_435_456

const NAME_BYTES = 4

export class BackupWriter {
  readonly files = new FileSums()
  /** Bytes written, or about to be. */
  bytes = 0
  private readonly handle: FileHandle
  private readonly temporary: string
  private readonly path: string
  private readonly archive = new TarReader()
  private held: Array<Uint8Array> = []
  private heldBytes = 0
  private unsyncedBytes = 0

  static async open(path: string): Promise<BackupWriter> {
    const temporary = `${path}.${randomBytes(NAME_BYTES).toString("hex")}.unfinished`
    return new BackupWriter(await open(temporary, "wx", 0o600), { temporary, path })
  }

  private constructor(handle: FileHandle, { path, temporary }: { readonly temporary: string; readonly path: string }) {
    this.handle = handle
    this.temporary = temporary
    this.path = path
  }

  /** A file of ours. */
  async file(path: string, content: string | Uint8Array, modifiedMs: number): Promise<void> {
    const bytes = Buffer.from(content)
    await this.write(fileHeader({ path, bytes: bytes.length, modifiedMs }))
    this.files.update(bytes)
    await this.write(bytes)
    await this.write(new Uint8Array(paddingOf(bytes.length)))
    this.files.close(path)
  }

  /** A piece of PostgreSQL's archive, whose entries become entries of this one. */
  async archived(bytes: Uint8Array): Promise<void> {
    for await (const event of this.archive.push(bytes)) await this.copy(event)
  }

  /** All of PostgreSQL's archive has come. */
  archiveEnded(): void {
    this.archive.finish()
  }

  /** Ends the archive and gives it its name. */
  async finish(force: boolean): Promise<void> {
    await this.write(END)
    await this.flush()
    await this.handle.sync()
    await this.handle.close()
    if (!force && await isThere(this.path)) throw failed(`${this.path} has been made meanwhile`)
    await rename(this.temporary, this.path)
    const folder = await open(dirname(this.path), "r")
    await folder.sync().finally(() => folder.close())
  }

  /** Takes away what was written. */
  async drop(): Promise<void> {
    await this.handle.close().catch(() => undefined)
    await rm(this.temporary, { force: true })
  }

  private async copy(event: TarEvent): Promise<void> {
    if (event._tag === "Entry") return this.write(event.header)
    if (event._tag === "Data") {
      this.files.update(event.bytes)
      return this.write(event.bytes)
    }
    if (event._tag === "End" || event.entry.kind === "folder") return
    this.files.close(event.entry.path)
    return this.write(new Uint8Array(paddingOf(event.entry.bytes)))
  }

  private async write(bytes: Uint8Array): Promise<void> {
    // What comes from a connection is a view into a buffer that is gone by the time of the write.
    this.held.push(Uint8Array.from(bytes))
    this.heldBytes += bytes.length
    this.bytes += bytes.length
    if (this.heldBytes >= BUFFER_BYTES) await this.flush()
  }

  private async flush(): Promise<void> {
    const bytes = Buffer.concat(this.held)
    this.held = []
    this.heldBytes = 0
    // On a handle this goes on where the last one ended.
    await this.handle.writeFile(bytes)
    this.unsyncedBytes += bytes.length
    if (this.unsyncedBytes < SYNC_BYTES) return
    await this.handle.datasync()
    this.unsyncedBytes = 0
  }
}

const UNFINISHED = new RegExp(`\\.[0-9a-f]{${NAME_BYTES * 2}}\\.unfinished$`)

/** Files beside a backup's place that a backup left which was killed, or that one which runs is writing. */
export const unfinishedBeside = async (path: string): Promise<ReadonlyArray<string>> => {
  const folder = dirname(path)
  const names = await readdir(folder).catch((): ReadonlyArray<string> => [])
  return names.filter((name) => UNFINISHED.test(name)).map((name) => join(folder, name)).toSorted()
}

export const isThere = (path: string): Promise<boolean> => stat(path).then(() => true, () => false)
