/**
 * The embedded PostgreSQL's cluster on disk and the facts that are needed to use it: `<dataDir>/postgres` and
 * `<dataDir>/postgres.json` (mode 0600). A cluster is made in a scratch folder and renamed into place after its facts
 * were written, so that a crash at any moment leaves either nothing or a complete one.
 * @internal
 */
import { Effect, Option, Redacted, Schema } from "effect"
import { randomBytes, randomUUID } from "node:crypto"
import { chmod, chown, lstat, mkdir, open, readdir, readFile, realpath, rename, rm, writeFile } from "node:fs/promises"
import { createServer } from "node:net"
import { join } from "node:path"
import { causeText, EmbeddedPostgresError, USE_OWN_DATABASE } from "./EmbeddedPostgresError.ts"
import { findPostgresBinaries, type PostgresBinaries } from "./PostgresBinaries.ts"
import { chooseRunUser, fileWork, requireReachable, runCommand, type RunUser } from "./RunUser.ts"

export const PASSWORD_BYTES = 24
const INIT_PREFIX = "postgres.init-"

/** Where everything of one embedded PostgreSQL is, and who runs it. */
export interface PostgresHome {
  readonly dataDir: string
  readonly clusterDir: string
  readonly factsPath: string
  readonly logPath: string
  readonly lockPath: string
}

/** A home that has been made fit to run PostgreSQL. */
export interface PostgresInstallation {
  readonly home: PostgresHome
  readonly user: Option.Option<RunUser>
  readonly binaries: PostgresBinaries
  /** Connections that the server takes, when it is started here. */
  readonly connectionsMax: number
}

/** Where a restore makes its cluster. What is there is no cluster yet. */
export const unfinishedDir = (home: PostgresHome): string => join(home.dataDir, "postgres.unfinished")

const Facts = Schema.Struct({
  port: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 65_535 })),
  user: Schema.NonEmptyString,
  password: Schema.NonEmptyString,
  database: Schema.NonEmptyString
})

/** How to connect to the server. */
export interface PostgresFacts {
  readonly port: number
  readonly user: string
  readonly password: Redacted.Redacted<string>
  readonly database: string
}

const FactsFile = Schema.fromJsonString(Facts)
const decodeFacts = Schema.decodeUnknownEffect(FactsFile)
const encodeFacts = Schema.encodeSync(FactsFile)

/** Makes the data folder, which stays ours: others may pass through it to the cluster but not look into it. */
export const openHome = Effect.fnUntraced(function*(dataDir: string) {
  const folder = yield* fileWork(dataDir, `The data folder ${dataDir} cannot be made`, async () => {
    const created = await mkdir(dataDir, { recursive: true })
    if (created !== undefined) await chmod(dataDir, process.getuid?.() === 0 ? 0o711 : 0o700)
    return realpath(dataDir)
  })
  const home: PostgresHome = {
    dataDir: folder,
    clusterDir: join(folder, "postgres"),
    factsPath: join(folder, "postgres.json"),
    logPath: join(folder, "postgres.log"),
    lockPath: join(folder, "postgres.lock")
  }
  return home
})

/** Chooses the user and the programs, and checks that the one can reach the other. */
export const install = Effect.fnUntraced(function*(home: PostgresHome, connectionsMax: number) {
  const user = yield* chooseRunUser(home.dataDir, home.clusterDir)
  yield* requireReachable(home.dataDir, user)
  const binaries = yield* findPostgresBinaries(home.dataDir, user)
  return { home, user, binaries, connectionsMax } satisfies PostgresInstallation
})

/** A port of 127.0.0.1 that was free a moment ago: `preferred` if it can be had. */
export const freePort = (preferred: number): Effect.Effect<number> =>
  Effect.callback<number>((resume) => {
    const server = createServer()
    server.once("error", () => resume(preferred === 0 ? Effect.die(new Error("no free port")) : freePort(0)))
    server.listen({ host: "127.0.0.1", port: preferred, exclusive: true }, () => {
      const address = server.address()
      const port = typeof address === "object" && address !== null ? address.port : preferred
      server.close(() => resume(Effect.succeed(port)))
    })
  })

export const syncFolder = async (folder: string): Promise<void> => {
  const handle = await open(folder, "r")
  await handle.sync().finally(() => handle.close())
}

/** Replaces postgres.json as a whole. */
export const writeFacts = (home: PostgresHome, facts: PostgresFacts) =>
  fileWork(home.dataDir, `${home.factsPath} cannot be written`, async () => {
    const scratch = `${home.factsPath}.${randomUUID()}`
    const text = encodeFacts({ ...facts, password: Redacted.value(facts.password) })
    await writeFile(scratch, text, { mode: 0o600, flush: true })
    await rename(scratch, home.factsPath)
    await syncFolder(home.dataDir)
  })

const readFacts = Effect.fnUntraced(function*(home: PostgresHome) {
  const unusable = (cause: unknown) =>
    new EmbeddedPostgresError({
      dataDir: home.dataDir,
      message:
        `${home.factsPath}, which has the password of the cluster beside it, cannot be used (${causeText(cause)}): ` +
        `restore it from a backup, remove both to start empty, or ${USE_OWN_DATABASE}.`
    })
  const text = yield* Effect.tryPromise({ try: () => readFile(home.factsPath, "utf8"), catch: unusable })
  // What a failed decode says may quote the file.
  const facts = yield* Effect.mapError(decodeFacts(text), () => unusable("it is not what was written"))
  return { ...facts, password: Redacted.make(facts.password) } satisfies PostgresFacts
})

const initdbArguments = ({ folder, passwordFile, user }: {
  readonly folder: string
  readonly user: string
  readonly passwordFile: string
}): ReadonlyArray<string> => [
  `--pgdata=${folder}`,
  `--username=${user}`,
  `--pwfile=${passwordFile}`,
  "--auth=scram-sha-256",
  "--encoding=UTF8",
  "--locale=C",
  "--locale-provider=builtin",
  "--builtin-locale=C.UTF-8",
  "--no-instructions"
]

const initdb = Effect.fnUntraced(function*(installation: PostgresInstallation, facts: PostgresFacts) {
  const { binaries, home, user } = installation
  const scratch = join(home.dataDir, `${INIT_PREFIX}${randomUUID()}`)
  const fresh = join(scratch, "data")
  const passwordFile = join(scratch, "password")
  const own = async (path: string) => Option.isSome(user) ? chown(path, user.value.uid, user.value.gid) : undefined
  yield* fileWork(home.dataDir, `${scratch} cannot be made`, async () => {
    await mkdir(scratch, { mode: 0o700 })
    await writeFile(passwordFile, Redacted.value(facts.password), { mode: 0o600 })
    await own(passwordFile)
    await own(scratch)
  })
  const { output, succeeded } = yield* runCommand(
    join(binaries.nativeDir, "bin", "initdb"),
    initdbArguments({ folder: fresh, user: facts.user, passwordFile }),
    user
  )
  if (!succeeded) {
    return yield* new EmbeddedPostgresError({
      dataDir: home.dataDir,
      message:
        `PostgreSQL could not make its database in ${home.clusterDir}:\n${output}\nPut that right, or ${USE_OWN_DATABASE}.`
    })
  }
  yield* fileWork(home.dataDir, `The new database cannot be put at ${home.clusterDir}`, async () => {
    await rename(fresh, home.clusterDir)
    await syncFolder(home.dataDir)
    await rm(scratch, { recursive: true, force: true })
  })
})

const removeScratch = (home: PostgresHome) =>
  fileWork(home.dataDir, "Left-over folders cannot be removed", async () => {
    const left = (await readdir(home.dataDir)).filter((name) => name.startsWith(INIT_PREFIX))
    await Promise.all(left.map((name) => rm(join(home.dataDir, name), { recursive: true, force: true })))
  })

/** What others may not do with a cluster's folder: PostgreSQL refuses one that they may enter, or its group may write to. */
const FORBIDDEN_MODE = 0o027

/** An existing cluster that root owns (restored from a backup, say) is given to the user that runs PostgreSQL, and closed to others. */
const giveToUser = Effect.fnUntraced(function*({ home, user }: PostgresInstallation) {
  const folder = yield* fileWork(home.dataDir, `${home.clusterDir} cannot be read`, () => lstat(home.clusterDir))
  if ((folder.mode & FORBIDDEN_MODE) !== 0) {
    yield* fileWork(home.dataDir, `${home.clusterDir} cannot be closed to others`, () => chmod(home.clusterDir, 0o700))
  }
  if (Option.isNone(user) || folder.uid === user.value.uid) return
  yield* runCommand("chown", ["-R", `${user.value.uid}:${user.value.gid}`, home.clusterDir], Option.none())
})

const requireSameMajor = Effect.fnUntraced(function*({ binaries, home }: PostgresInstallation) {
  const path = join(home.clusterDir, "PG_VERSION")
  const major = (yield* Effect.promise(() => readFile(path, "utf8").catch(() => ""))).trim()
  if (major === binaries.major) return
  if (major === "") {
    return yield* new EmbeddedPostgresError({
      dataDir: home.dataDir,
      message:
        `${home.clusterDir} is there and is no database of PostgreSQL (PG_VERSION is missing or empty): restore it from a ` +
        `backup, remove it together with ${home.factsPath} to start empty, or ${USE_OWN_DATABASE}.`
    })
  }
  return yield* new EmbeddedPostgresError({
    dataDir: home.dataDir,
    message:
      `${home.clusterDir} was made by PostgreSQL ${major}, and this is ${binaries.major}: dump it with the version ` +
      `of Realms that made it and load it into a new data_dir, or ${USE_OWN_DATABASE}.`
  })
})

const isThere = (path: string) => Effect.promise(() => lstat(path).then(() => true, () => false))

/** The data folder has a cluster, running or not. */
export const hasCluster = (dataDir: string): Effect.Effect<boolean> => isThere(join(dataDir, "postgres"))

/** The facts of the cluster, which is made first if there is none. To be called under the start lock. */
export const ensureCluster = Effect.fnUntraced(function*(installation: PostgresInstallation) {
  const { home } = installation
  const exists = yield* isThere(home.clusterDir)
  if (exists) {
    yield* requireSameMajor(installation)
    yield* giveToUser(installation)
    return yield* readFacts(home)
  }
  if (yield* isThere(unfinishedDir(home))) {
    return yield* new EmbeddedPostgresError({
      dataDir: home.dataDir,
      message:
        `${home.dataDir} has a restore that was not finished: remove what is in it (but for master.key) and run ` +
        "`realms restore` again."
    })
  }
  yield* removeScratch(home)
  const facts: PostgresFacts = {
    port: yield* freePort(0),
    user: "realms",
    password: Redacted.make(randomBytes(PASSWORD_BYTES).toString("base64url")),
    database: "realms"
  }
  yield* writeFacts(home, facts)
  yield* initdb(installation, facts)
  return facts
})
