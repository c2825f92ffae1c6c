/**
 * A folder for what a test writes, removed with the scope. It is in memory where there is room: a run makes and drops hundreds of
 * databases, thousands of small files each, which a file system of a disk takes ten times as long for.
 */
import { Effect } from "effect"
import { access, chmod, constants, mkdtemp, rm, statfs } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** The file system in memory that Linux has, of at most half the machine's. */
const MEMORY = "/dev/shm"

/** Bytes that have to be free, in it and of the machine's memory. A run uses a tenth of that. */
const MEMORY_BYTES_MIN = 4 * 2 ** 30

const hasRoom = async (): Promise<boolean> => {
  try {
    await access(MEMORY, constants.W_OK)
    const { bavail, bsize } = await statfs(MEMORY)
    return Math.min(bavail * bsize, process.availableMemory()) >= MEMORY_BYTES_MIN
  } catch {
    // Another system, or a container without it.
    return false
  }
}

export const scratchFolder = Effect.acquireRelease(
  Effect.promise(async () => {
    const folder = await mkdtemp(join(await hasRoom() ? MEMORY : tmpdir(), "realms-test-"))
    // PostgreSQL may run as another user, who has to get through.
    await chmod(folder, 0o711)
    return folder
  }),
  (folder) => Effect.promise(() => rm(folder, { recursive: true, force: true }))
)
