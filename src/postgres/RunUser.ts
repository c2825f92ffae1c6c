/**
 * The system user that PostgreSQL runs as. PostgreSQL refuses to run as root, so a root process hands it to an
 * unprivileged user and checks, as that user, that every folder on the way can be entered; anyone else runs it
 * themselves.
 * @internal
 */
import { Effect, Option } from "effect"
import { execFile } from "node:child_process"
import { lstat } from "node:fs/promises"
import { dirname } from "node:path"
import { causeText, EmbeddedPostgresError, USE_OWN_DATABASE } from "./EmbeddedPostgresError.ts"

export interface RunUser {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

const OUTPUT_BYTES_MAX = 4_194_304

/** The environment of PostgreSQL and its tools: nothing of ours, which holds secrets. */
export const bareEnvironment = (): NodeJS.ProcessEnv => ({
  PATH: process.env["PATH"] ?? "/usr/bin:/bin",
  LC_ALL: "C",
  TZ: "UTC"
})

/** The options that make a child process run as `user`, in a folder that everyone may enter. */
export const asUser = (user: Option.Option<RunUser>) => ({
  cwd: "/",
  env: bareEnvironment(),
  ...Option.match(user, { onNone: () => ({}), onSome: ({ gid, uid }) => ({ uid, gid }) })
})

/**
 * Runs a program to its end, with `input` on its standard input; a program that cannot be started counts as one that failed.
 */
export const runCommand = (file: string, args: ReadonlyArray<string>, user: Option.Option<RunUser>, input = "") =>
  Effect.callback<{ readonly succeeded: boolean; readonly stdout: string; readonly output: string }>((resume) => {
    const child = execFile(file, args, { ...asUser(user), maxBuffer: OUTPUT_BYTES_MAX }, (error, stdout, stderr) => {
      const output = `${stdout}${stderr}`.trim()
      const text = output === "" && error !== null ? error.message : output
      resume(Effect.succeed({ succeeded: error === null, stdout, output: text }))
    })
    // A program that reads nothing may be gone before it is written to.
    child.stdin?.on("error", () => undefined).end(input)
    return Effect.sync(() => child.kill("SIGKILL"))
  })

const idOf = Effect.fnUntraced(function*(flag: "-u" | "-g", name: string) {
  const { stdout, succeeded } = yield* runCommand("id", [flag, name], Option.none())
  return succeeded && /^\d+\s*$/.test(stdout) ? Option.some(Number(stdout)) : Option.none()
})

/** A user of the system by name, if it exists and is not root. */
const lookUp = Effect.fnUntraced(function*(name: string) {
  const uid = yield* idOf("-u", name)
  const gid = yield* idOf("-g", name)
  return Option.all({ uid, gid }).pipe(
    Option.filter((ids) => ids.uid !== 0),
    Option.map((ids): RunUser => ({ name, ...ids }))
  )
})

/**
 * Who runs PostgreSQL: None means this process's own user. For root it is the owner of an existing cluster, else
 * `postgres`, else `nobody`.
 */
export const chooseRunUser = Effect.fnUntraced(function*(dataDir: string, clusterDir: string) {
  const fail = (message: string) => new EmbeddedPostgresError({ dataDir, message })
  const owner = yield* Effect.promise(() => lstat(clusterDir).catch(() => undefined))
  const ownUid = process.getuid?.()
  if (ownUid !== 0) {
    if (owner === undefined || owner.uid === ownUid) return Option.none<RunUser>()
    return yield* fail(
      `${clusterDir} belongs to another user (uid ${owner.uid}): start Realms as the user who first did, give it to ` +
        `this user (chown -R), choose another data_dir, or ${USE_OWN_DATABASE}.`
    )
  }
  if (owner !== undefined && owner.uid !== 0) {
    return Option.some<RunUser>({ name: `uid ${owner.uid}`, uid: owner.uid, gid: owner.gid })
  }
  for (const name of ["postgres", "nobody"]) {
    const user = yield* lookUp(name)
    if (Option.isSome(user)) return user
  }
  return yield* fail(
    "PostgreSQL does not run as root, and this system has neither a user `postgres` nor `nobody`: start Realms as an " +
      `ordinary user, or ${USE_OWN_DATABASE}.`
  )
})

const ancestors = (path: string): ReadonlyArray<string> => {
  const parent = dirname(path)
  return parent === path ? [path] : [...ancestors(parent), path]
}

/** The first folder or program on the way to `path` that the user may not enter or run. */
export const firstUnreachable = Effect.fnUntraced(function*(path: string, user: Option.Option<RunUser>) {
  if (Option.isNone(user)) return Option.none<string>()
  const script = 'for d do [ -x "$d" ] || { printf %s "$d"; exit 1; }; done'
  const { output, succeeded } = yield* runCommand("/bin/sh", ["-c", script, "sh", ...ancestors(path)], user)
  return succeeded ? Option.none<string>() : Option.some(output)
})

/** Fails when the user cannot enter `dataDir`, saying which folder stops it and what to do. */
export const requireReachable = Effect.fnUntraced(function*(dataDir: string, user: Option.Option<RunUser>) {
  const blocked = yield* firstUnreachable(dataDir, user)
  if (Option.isNone(blocked) || Option.isNone(user)) return
  return yield* new EmbeddedPostgresError({
    dataDir,
    message: `PostgreSQL does not run as root, so it runs as ${user.value.name}, who cannot enter ${blocked.value}.\n` +
      "Do one of these:\n" +
      "  - move this folder to where that user can go, for example under /opt or /srv, or point data_dir there;\n" +
      `  - let others pass through it: chmod o+x ${blocked.value}\n` +
      "  - start Realms as an ordinary user;\n" +
      `  - ${USE_OWN_DATABASE}.`
  })
})

/** Wraps a promise of file work whose failure nobody can do much about but see. */
export const fileWork = <A>(dataDir: string, what: string, work: () => Promise<A>) =>
  Effect.tryPromise({
    try: work,
    catch: (cause) => new EmbeddedPostgresError({ dataDir, message: `${what}: ${causeText(cause)}` })
  })
