/**
 * The outbox files of this process in `data_dir`: settlements that had to wait for the next start (`unsettled.jsonl`), and those that
 * PostgreSQL refused for good (`set-aside.jsonl`). Processes that share the folder have a place each, which they hold by a lock of the
 * operating system: the first has these names, the next `unsettled-1.jsonl`, and so on. A place whose lock is free
 * belongs to no living process; another one replays its files within seconds. The files of a living process are left alone: a line that
 * it is writing could be lost.
 *
 * @internal
 */
import { Effect, Exit, FileSystem, Scope } from "effect"
import { inRounds } from "../platform/Rounds.ts"
import { makeSparingLog } from "../platform/SparingLog.ts"
import { openFileLock } from "../postgres/FileLock.ts"
import type { AccountError } from "./AccountError.ts"
import type { Answer } from "./AccountState.ts"
import { appendToOutbox, type OutboxItem } from "./OutboxFile.ts"
import { outboxFileName } from "./OutboxNames.ts"
import { replayFiles } from "./Replay.ts"

/** Processes that share a folder, at most. One more has the files of the first, without a lock. */
const PLACES_MAX = 128

/** What ended processes left is looked for so often. */
const ADOPT_EVERY_MS = 2_000

const NOT_ADOPTED = "settlements that ended processes left could not be replayed"

/** Gives a settlement to its account. */
export type Submit = (item: OutboxItem) => Effect.Effect<Answer, AccountError>

export interface Outbox {
  /** Where settlements wait for the next start. */
  readonly unsettledPath: Effect.Effect<string>
  /** Keeps settlements for the next start. */
  keep(items: ReadonlyArray<OutboxItem>): Effect.Effect<void>
  /** Keeps settlements that PostgreSQL refuses for good. */
  setAside(items: ReadonlyArray<OutboxItem>): Effect.Effect<void>
  /** Replays what this place has, and what ended processes left. */
  replay(submit: Submit): Effect.Effect<void>
  /** Replays what ended processes left, now and again and again until it is interrupted. */
  adopt(submit: Submit): Effect.Effect<void>
}

interface Place {
  readonly unsettled: string
  readonly setAside: string
}

const placeAt = (dataDir: string, place: number): Place => {
  const suffix = place === 0 ? "" : `-${place}`
  return { unsettled: `${dataDir}/unsettled${suffix}.jsonl`, setAside: `${dataDir}/set-aside${suffix}.jsonl` }
}

/** The places that have files, by the names in a folder. */
export const placesOf = (names: ReadonlyArray<string>): ReadonlyArray<number> => {
  const found = names.flatMap((name) => {
    const match = outboxFileName.exec(name)
    return match === null ? [] : [Number(match[1] ?? "0")]
  })
  return [...new Set(found)].filter((place) => place < PLACES_MAX).toSorted((a, b) => a - b)
}

/** The outbox of a data folder. A place is taken when the first file is needed, and held until the scope closes. */
export const makeOutbox = Effect.fn("Outbox.make")(function*(dataDir: string) {
  const fs = yield* FileSystem.FileSystem
  const scope = yield* Scope.Scope
  const warn = yield* makeSparingLog<"lock">("an outbox file cannot be locked, and is left alone")
  /** Takes a place until the scope closes; false when another process has it, or when it cannot be locked. */
  const tryToTake = (place: number) =>
    openFileLock(`${dataDir}/outbox-${place}.lock`).pipe(
      Effect.flatMap((lock) => lock.tryToTake),
      Effect.catchTag("FileLockFailed", (error) => Effect.as(warn("lock", { place, error: error.message }), false))
    )

  /** Takes the first free place. */
  const take = Effect.gen(function*() {
    // With a database elsewhere nothing else may have needed the folder before.
    yield* Effect.ignore(fs.makeDirectory(dataDir, { recursive: true, mode: 0o711 }))
    for (let place = 0; place < PLACES_MAX; place++) {
      const attempt = yield* Scope.fork(scope)
      if (yield* Scope.provide(tryToTake(place), attempt)) return place
      yield* Scope.close(attempt, Exit.void)
    }
    yield* Effect.logError("no outbox file could be locked; this process writes those of the first without a lock", {
      dataDir
    })
    return 0
  })
  const place = yield* Effect.cached(take)
  const files = Effect.map(place, (own) => placeAt(dataDir, own))

  const append = (pathOf: (files: Place) => string, items: ReadonlyArray<OutboxItem>) =>
    Effect.flatMap(files, (own) => appendToOutbox(pathOf(own), items)).pipe(
      Effect.provideService(FileSystem.FileSystem, fs),
      Effect.catch((error) => Effect.logFatal("settlements could not be written to the outbox file", error, items))
    )

  const replayPlace = Effect.fnUntraced(function*(from: number, submit: Submit) {
    const { setAside, unsettled } = placeAt(dataDir, from)
    const keepAt = (yield* files).setAside
    yield* replayFiles({ paths: [unsettled, setAside], keepAt, submit })
  }, Effect.provideService(FileSystem.FileSystem, fs))

  /** Places that this process is replaying for others. */
  const adopting = new Set<number>()
  const adoptPlace = (other: number, submit: Submit) =>
    Effect.scoped(
      Effect.flatMap(tryToTake(other), (taken) => taken ? replayPlace(other, submit) : Effect.void)
    ).pipe(
      Effect.ensuring(Effect.sync(() => adopting.delete(other)))
    )
  /** What ended processes left, a replay for each. */
  const leftovers = Effect.fnUntraced(function*(submit: Submit) {
    const own = yield* place
    const others = placesOf(yield* fs.readDirectory(dataDir)).filter((other) => other !== own && !adopting.has(other))
    for (const other of others) adopting.add(other)
    return others.map((other) => adoptPlace(other, submit))
  })

  return {
    unsettledPath: Effect.map(files, ({ unsettled }) => unsettled),
    keep: (items) => append(({ unsettled }) => unsettled, items),
    setAside: (items) => append(({ setAside }) => setAside, items),
    replay: (submit) => {
      const own = Effect.flatMap(place, (mine) => replayPlace(mine, submit))
      const others = Effect.flatMap(
        leftovers(submit),
        (replays) => Effect.all(replays, { concurrency: "unbounded", discard: true })
      ).pipe(
        Effect.catch((error) => Effect.logError(NOT_ADOPTED, error))
      )
      return Effect.all([own, others], { concurrency: "unbounded", discard: true })
    },
    // A replay may wait for an account that is stuck. The others do not wait for it.
    adopt: (submit) =>
      Effect.asVoid(inRounds(
        Effect.flatMap(leftovers(submit), (others) =>
          Effect.forEach(others, (other) => Effect.forkIn(other, scope), { discard: true })),
        { failure: NOT_ADOPTED, everyMs: ADOPT_EVERY_MS }
      ))
  } satisfies Outbox
})
