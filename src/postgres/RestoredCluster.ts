/**
 * Makes the cluster of a data folder out of the files of a base backup: a folder of its own while it is made, PostgreSQL's recovery by its
 * log, a new password for its role, and the name that a cluster has at the very end.
 */
import { Effect, Option, Redacted } from "effect"
import { randomBytes } from "node:crypto"
import { constants } from "node:fs"
import { chown, copyFile, link, mkdir, open, readdir, rename, rm, unlink } from "node:fs/promises"
import { join } from "node:path"
import { CONNECTIONS_MIN } from "./EmbeddedPostgres.ts"
import { EmbeddedPostgresError } from "./EmbeddedPostgresError.ts"
import {
  freePort,
  install,
  openHome,
  PASSWORD_BYTES,
  type PostgresInstallation,
  syncFolder,
  unfinishedDir,
  writeFacts
} from "./PostgresCluster.ts"
import { fileWork, runCommand } from "./RunUser.ts"
import { withStartLock } from "./StartLock.ts"

const LOCK_WAIT_MS = 5_000

/** What may be in the folder before: the key file that somebody put there, and what a disk or this program has by itself. */
const allowedBefore = new Set(["master.key", "lost+found", "postgres.lock", "postgres.lock-journal"])

const refuseFull = (dataDir: string, names: ReadonlyArray<string>) =>
  new EmbeddedPostgresError({
    dataDir,
    message: names.includes("postgres.unfinished")
      ? `${dataDir} has a restore that was not finished: remove what is in it (but for master.key) and run it again.`
      : `${dataDir} is not empty (${names.slice(0, 3).join(", ")}${
        names.length > 3 ? ", …" : ""
      }): restore into a data_dir ` +
        "that is new. Nothing was changed."
  })

/** The programs of PostgreSQL for a data folder, which is made. */
export const openInstallation = Effect.fn("RestoredCluster.open")(function*(dataDir: string) {
  const home = yield* openHome(dataDir)
  return yield* install(home, CONNECTIONS_MIN)
})

/** Runs a restore alone in the data folder, which has to be empty. `make` is given the folder for the files. */
export const restoreInto = <A, E, R>(
  installation: PostgresInstallation,
  make: (folder: string) => Effect.Effect<A, E, R>
) => {
  const { home } = installation
  const folder = unfinishedDir(home)
  return Effect.gen(function*() {
    const names = yield* fileWork(home.dataDir, `${home.dataDir} cannot be read`, () => readdir(home.dataDir))
    const other = names.filter((name) => !allowedBefore.has(name))
    if (other.length > 0) return yield* refuseFull(home.dataDir, other)
    yield* fileWork(home.dataDir, `${folder} cannot be made`, () => mkdir(folder, { mode: 0o700 }))
    return yield* make(folder)
  }).pipe(withStartLock(home, LOCK_WAIT_MS))
}

/** What a backup has besides PostgreSQL's files. */
const OWN_FOLDER = "realms"

/** Whatever single-user PostgreSQL says when something goes wrong. */
const complaint = /^.*\b(?:ERROR|FATAL|PANIC):.*$/m

/** Runs statements, one a line, without taking connections. PostgreSQL recovers the cluster first where it has to. */
const runAlone = Effect.fnUntraced(function*(
  { binaries, home, user }: PostgresInstallation,
  { database, folder, statements }: {
    readonly folder: string
    readonly database: string
    readonly statements: ReadonlyArray<string>
  }
) {
  const { output, succeeded } = yield* runCommand(
    join(binaries.nativeDir, "bin", "postgres"),
    ["--single", "-D", folder, "-c", "log_destination=stderr", "-c", "logging_collector=off", database],
    user,
    `${statements.join("\n")}\n`
  )
  const [problem] = complaint.exec(output) ?? []
  if (succeeded && problem === undefined) return
  return yield* new EmbeddedPostgresError({
    dataDir: home.dataDir,
    message: `PostgreSQL could not recover the backup's files in ${folder}: ${problem ?? output.slice(-2_000)}`
  })
})

export interface Recovery {
  readonly folder: string
  readonly role: string
  readonly database: string
  /** What is changed in the database before anybody uses it: statements of one line each. */
  readonly statements: ReadonlyArray<string>
}

/**
 * Recovers the cluster in the folder by its log, and gives its role a new password: PostgreSQL does both without taking connections.
 * Recovery takes as long as the log is.
 */
export const recover = Effect.fn("RestoredCluster.recover")(function*(
  installation: PostgresInstallation,
  { database, folder, role, statements }: Recovery
) {
  const { home, user } = installation
  if (Option.isSome(user)) {
    // What is ours in the folder - the master key, the outbox - is never theirs.
    const owner = `${user.value.uid}:${user.value.gid}`
    const owned = ["-path", join(folder, OWN_FOLDER), "-prune", "-o", "-exec", "chown", "-h", owner, "{}", "+"]
    yield* runCommand("find", [folder, ...owned], Option.none())
  }
  const password = randomBytes(PASSWORD_BYTES).toString("base64url")
  yield* runAlone(installation, {
    folder,
    database: "postgres",
    statements: [`ALTER ROLE "${role.replaceAll('"', '""')}" PASSWORD '${password}';`]
  })
  yield* runAlone(installation, { folder, database, statements })
  const facts = { port: yield* freePort(0), user: role, password: Redacted.make(password), database }
  yield* writeFacts(home, facts)
})

/** What file systems without hard links say. */
const noLinks: ReadonlySet<string> = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "EXDEV", "ENOSYS"])

/** A copy that is on disk; a file that is there is not replaced, and half a copy does not stay. */
const copyWhole = async (from: string, to: string): Promise<void> => {
  // Refuses a file that is there before anything of it could be touched.
  await (await open(to, "wx", 0o600)).close()
  try {
    await copyFile(from, to, constants.COPYFILE_FICLONE)
    const copy = await open(to, "r+")
    await copy.sync().finally(() => copy.close())
  } catch (error) {
    await rm(to, { force: true })
    throw error
  }
}

/** Moves files out of the folder to places in the data folder, as ours again. A file that is there is never replaced. */
export const moveOut = (
  dataDir: string,
  files: ReadonlyArray<{ readonly from: string; readonly name: string }>
) =>
  fileWork(dataDir, "The files of the backup cannot be put into the data folder", async () => {
    const [uid, gid] = [process.getuid?.(), process.getgid?.()]
    await Promise.all(files.map(async ({ from, name }) => {
      const to = join(dataDir, name)
      await link(from, to).catch((error: NodeJS.ErrnoException) => {
        if (!noLinks.has(error.code ?? "")) throw error
        return copyWhole(from, to)
      })
      await unlink(from)
      if (uid !== undefined && gid !== undefined) await chown(to, uid, gid)
    }))
    await syncFolder(dataDir)
  })

/** Gives the folder the name of a cluster: from now on it is one. */
export const finish = ({ home }: PostgresInstallation, folder: string, extra: string) =>
  fileWork(home.dataDir, `${folder} cannot be put in place`, async () => {
    await rm(join(folder, extra), { recursive: true, force: true })
    await syncFolder(folder)
    await rename(folder, home.clusterDir)
    await syncFolder(home.dataDir)
  })
