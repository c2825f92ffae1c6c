/**
 * One writer of the journal: a connection of its own and a loop that turns what accounts have queued into batches.
 * While a batch is being written the next one fills; there is no timer. One that is well filled is sent before the answers of
 * those ahead of it: PostgreSQL writes them in their order, each a transaction of its own. What goes as in nearly all calls is
 * sent apart from the rest, by a cheaper statement. A batch that PostgreSQL refuses is written again once nothing is on its way, by
 * the statement that takes everything, and split until only the account at fault is told. When a connection dies, every account
 * in its batches reads and decides again.
 *
 * @internal
 */
import type { PgConnection } from "@effect/sql-pg"
import { Context, Effect, Exit, Fiber, Scope } from "effect"
import type { SqlError } from "effect/sql"
import type { UserId } from "../domain/Ids.ts"
import { type BackOff, backOff } from "../platform/BackOff.ts"
import { type DatabaseUnavailable, withinDatabaseWait } from "../postgres/DatabaseUnavailable.ts"
import { classifySqlError } from "../postgres/SqlFailure.ts"
import { AccountUnavailable } from "./AccountError.ts"
import { type BatchStatement, type GroupResult, isPlain, plainBatch, wholeBatch } from "./JournalBatch.ts"
import { halves, type JournalAccount, type LaneName, type TakenGroup } from "./JournalEntry.ts"
import { batchSize, observeLane, plainRefused } from "./JournalMetrics.ts"
import { JournalQueue, type QueueOptions } from "./JournalQueue.ts"
import { type Renewal, renewSql } from "./JournalRenewal.ts"
import { ANSWER_MS_MAX } from "./Silent.ts"

/** Entries written in one transaction, at most. */
const BATCH_ENTRIES_MAX = 512

/** Entries that a batch needs to be sent while others are on their way. */
const PIPELINED_ENTRIES_MIN = 32

/** Tries of a batch that met a deadlock, at most; then it is split like one that met a lock. */
const DEADLOCK_TRIES_MAX = 5

/**
 * A batch without an answer for so long is given up and its connection closed. Settlements wait as long; nobody else does
 * (see `isSilent`).
 */
const BATCH_TIMEOUT_MS = 10_000

const RECONNECT: BackOff = { msMin: 50, msMax: 2_000 }

/** What the writers differ in. */
interface LaneKind extends QueueOptions {
  /** Batches on their way at once, at most. */
  readonly batchesMax: number
  /** Connect again at once after a loss, even without work, so that the return of the database is noticed. */
  readonly eager: boolean
}

/** The writer of everybody, and that of accounts whose writes were refused, which writes their entries one by one. */
export const lanes: Readonly<Record<LaneName, LaneKind>> = {
  main: { name: "main", accountEntriesMax: 256, batchesMax: 4, eager: true },
  slow: { name: "slow", accountEntriesMax: 1, batchesMax: 1, eager: false }
}

export interface LaneOptions extends LaneKind {
  readonly connect: Effect.Effect<PgConnection.PgConnection, SqlError.SqlError, Scope.Scope>
  /** Starts a query that the loop waits for later. */
  readonly fork: <A, E>(effect: Effect.Effect<A, E>) => Fiber.Fiber<A, E>
  /** The time in ms. */
  readonly now: () => number
}

interface Batch {
  readonly groups: ReadonlyArray<TakenGroup>
  readonly statement: BatchStatement
}

/** A batch on its way. */
interface SentBatch extends Batch {
  readonly answer: Fiber.Fiber<ReadonlyArray<ReadonlyArray<unknown>>, SqlError.SqlError>
}

/** A batch that PostgreSQL has refused, to be written again. */
interface RefusedBatch extends Batch {
  readonly error: SqlError.SqlError
}

export class JournalLane {
  /** False from the loss of the connection until it is back. */
  connected = false
  /** Called each time the connection is back. */
  readonly onConnected = new Set<() => void>()
  private readonly options: LaneOptions
  private readonly queue: JournalQueue
  /** On their way, the oldest first. */
  private sent: Array<SentBatch> = []
  /** Refused, the oldest first; while there are any, nothing more is sent. */
  private refusals: Array<RefusedBatch> = []
  /** Being answered, or written again after a refusal. */
  private atHand: ReadonlyArray<TakenGroup> = []
  private renewals: Array<Renewal> = []
  private wake: (() => void) | undefined
  private connection: PgConnection.PgConnection | undefined
  private scope: Scope.Closeable | undefined
  /** Since when the oldest query on its way is waited for. */
  private askedMs: number | undefined

  constructor(options: LaneOptions) {
    this.options = options
    this.queue = new JournalQueue(options)
    observeLane(options.name, { queued: () => this.queue.waiting, sent: () => this.sent.length })
  }

  /** True while the server owes an answer for longer than callers wait: what is given to the writer now waits behind it. */
  get isSilent(): boolean {
    return this.askedMs !== undefined && this.options.now() - this.askedMs > ANSWER_MS_MAX
  }

  private bounded<A>(
    query: Effect.Effect<A, SqlError.SqlError>
  ): Effect.Effect<A, SqlError.SqlError | DatabaseUnavailable> {
    return Effect.suspend(() => {
      this.askedMs = this.options.now()
      return withinDatabaseWait(query, BATCH_TIMEOUT_MS)
    }).pipe(Effect.onExit(() =>
      Effect.sync(() => {
        this.askedMs = undefined
      })
    ))
  }

  /** Announces that an account has queued entries. */
  enqueue(account: JournalAccount): void {
    this.queue.add(account)
    if (this.sent.length === 0) this.rouse()
    else if (this.mayPipeline) this.send()
  }

  private get mayPipeline(): boolean {
    return this.queue.entriesMax >= PIPELINED_ENTRIES_MIN && this.sent.length < this.options.batchesMax &&
      this.refusals.length === 0 && this.renewals.length === 0
  }

  /** Pushes the leases of the open reservations `ids()` (asked when it is written); answers those that are not open. */
  renew(
    ids: () => ReadonlyArray<string>,
    leaseSeconds: number
  ): Effect.Effect<ReadonlyArray<string>, AccountUnavailable> {
    return Effect.callback((resume) => {
      const renewal: Renewal = { ids, leaseSeconds, resume }
      this.renewals.push(renewal)
      this.rouse()
      return Effect.sync(() => {
        this.renewals = this.renewals.filter((other) => other !== renewal)
      })
    })
  }

  private rouse(): void {
    const wake = this.wake
    this.wake = undefined
    if (wake !== undefined) wake()
  }

  private get hasWork(): boolean {
    return !this.queue.isEmpty || this.renewals.length > 0
  }

  private readonly untilWork: Effect.Effect<void> = Effect.callback((resume) => {
    if (this.hasWork) return resume(Effect.void)
    this.wake = () => resume(Effect.void)
  })

  /** The writer. Runs until interrupted, which is done after everything queued is in the database or in the outbox file. */
  readonly run: Effect.Effect<never> = Effect.suspend(() => Effect.forever(this.safeTurn)).pipe(
    Effect.onExit(() => this.disconnect)
  )

  /** Tries until it is connected, and waits longer each time. A lane that connects only for work stops when it has none any more. */
  private readonly reconnect: Effect.Effect<void> = Effect.suspend(() => {
    let tries = 0
    const once = Effect.suspend(() =>
      tries++ > 0 && !this.options.eager && !this.hasWork ? Effect.succeed(true) : this.tryToConnect
    )
    return Effect.asVoid(Effect.repeat(once, { until: (isDone) => isDone, schedule: backOff(RECONNECT) }))
  })

  private readonly turn: Effect.Effect<void> = Effect.gen({ self: this }, function*() {
    if (this.connection === undefined) {
      if (!this.options.eager) yield* this.untilWork
      yield* this.reconnect
      return
    }
    if (this.sent.length > 0) return yield* this.hear(this.connection)
    yield* this.untilWork
    const renewal = this.renewals.shift()
    if (renewal !== undefined) return yield* this.writeRenewal(this.connection, renewal)
    this.send()
  })

  /** A defect of ours ends neither the writer nor the accounts it writes for: they read and decide again. */
  private readonly safeTurn: Effect.Effect<void> = Effect.suspend(() => this.turn).pipe(
    Effect.catchDefect((defect) =>
      Effect.logError("the journal met a defect", defect).pipe(
        Effect.andThen(Effect.suspend(() => this.lose(this.atHand)))
      )
    )
  )

  /** Sends what is queued, as one batch or two. The answers are heard after those of the batches before them. */
  private send(): void {
    const { connection } = this
    if (connection === undefined) return
    const groups = this.queue.take(BATCH_ENTRIES_MAX)
    const plain = groups.filter(isPlain)
    const others = groups.filter((group) => !isPlain(group))
    const isRoomForTwo = this.options.batchesMax - this.sent.length >= 2
    if (plain.length > 0 && (others.length === 0 || isRoomForTwo)) {
      this.sendBatch(connection, { groups: plain, statement: plainBatch })
      if (others.length > 0) this.sendBatch(connection, { groups: others, statement: wholeBatch })
    } else if (groups.length > 0) this.sendBatch(connection, { groups, statement: wholeBatch })
  }

  private sendBatch(connection: PgConnection.PgConnection, { groups, statement }: Batch): void {
    this.askedMs ??= this.options.now()
    const answer = this.options.fork(
      Effect.suspend(() => connection.queryValues(statement.sql, statement.parameters(groups)))
    )
    this.sent.push({ groups, statement, answer })
  }

  /** Waits for the answer to the oldest batch. */
  private readonly hear = (connection: PgConnection.PgConnection): Effect.Effect<void> =>
    Effect.gen({ self: this }, function*() {
      const [oldest] = this.sent
      if (oldest === undefined) return
      const result = yield* Effect.result(withinDatabaseWait(Fiber.join(oldest.answer), BATCH_TIMEOUT_MS))
      if (result._tag === "Failure") {
        const error = result.failure
        if (error._tag === "DatabaseUnavailable" || classifySqlError(error) === "connection") {
          return yield* this.lose([])
        }
        this.refusals.push({ ...oldest, error })
      }
      this.sent.shift()
      this.askedMs = this.sent.length === 0 ? undefined : this.options.now()
      if (result._tag === "Success") {
        this.atHand = oldest.groups
        this.settle(oldest.groups, oldest.statement.decode(result.success))
        this.atHand = []
        // Only now: what one account answers must not send what another has not heard of.
        this.queue.release(oldest.groups)
        if (this.sent.length > 0 && this.mayPipeline) this.send()
      }
      if (this.sent.length === 0 && this.refusals.length > 0) yield* this.rewriteRefused(connection)
    })

  /** Writes again what was refused, in its order, while nothing else is on its way. */
  private readonly rewriteRefused = (connection: PgConnection.PgConnection): Effect.Effect<void> =>
    Effect.gen({ self: this }, function*() {
      for (let batch = this.refusals.shift(); batch !== undefined; batch = this.refusals.shift()) {
        this.atHand = batch.groups
        if (batch.statement === plainBatch && classifySqlError(batch.error) === "data") {
          plainRefused.updateUnsafe(1, Context.empty())
          yield* this.write(connection, batch.groups, 1)
        } else yield* this.refused(connection, batch.groups, 1, batch.error)
        this.queue.release(batch.groups)
        this.atHand = []
      }
    })

  private readonly write = (
    connection: PgConnection.PgConnection,
    groups: ReadonlyArray<TakenGroup>,
    tries: number
  ): Effect.Effect<void> => {
    if (groups.length === 0) return Effect.void
    return this.bounded(connection.queryValues(wholeBatch.sql, wholeBatch.parameters(groups))).pipe(
      Effect.matchEffect({
        onSuccess: (rows) => {
          this.settle(groups, wholeBatch.decode(rows))
          return Effect.void
        },
        onFailure: (error) =>
          error._tag === "DatabaseUnavailable" ? this.lose(groups) : this.refused(connection, groups, tries, error)
      })
    )
  }

  private settle(groups: ReadonlyArray<TakenGroup>, results: ReadonlyMap<UserId, GroupResult>): void {
    batchSize.updateUnsafe(groups.reduce((sum, { entries }) => sum + entries.length, 0), Context.empty())
    for (const { account, entries } of groups) {
      const result = results.get(account.userId)
      if (result !== undefined) account.onWritten(entries, result)
    }
  }

  private readonly refused = (
    connection: PgConnection.PgConnection,
    groups: ReadonlyArray<TakenGroup>,
    tries: number,
    error: SqlError.SqlError
  ): Effect.Effect<void> =>
    Effect.gen({ self: this }, function*() {
      const refusal = classifySqlError(error)
      if (refusal === "connection") return yield* this.lose(groups)
      if (refusal === "deadlock" && tries < DEADLOCK_TRIES_MAX) return yield* this.write(connection, groups, tries + 1)
      const [first] = groups
      if (groups.length === 1 && first !== undefined) return yield* this.refuse(first, refusal !== "data", error)
      const parts = refusal === "data" ? halves(groups) : yield* this.withoutLocked(connection, groups, error)
      for (const part of parts) {
        if (this.connection !== connection) yield* this.lose(part)
        else yield* this.write(connection, part, 1)
      }
    })

  private readonly refuse = (group: TakenGroup, retryable: boolean, error: SqlError.SqlError): Effect.Effect<void> =>
    Effect.logWarning("a journal write was refused; only its account waits", error).pipe(
      Effect.annotateLogs({ userId: String(group.userId), lane: this.options.name }),
      Effect.andThen(Effect.sync(() => group.account.onRefused(group.entries, retryable, error)))
    )

  /**
   * Refuses what another transaction has locked: it has waited for that already. Answers what is left to write; halves, where the lock
   * is on something else.
   */
  private readonly withoutLocked = (
    connection: PgConnection.PgConnection,
    groups: ReadonlyArray<TakenGroup>,
    error: SqlError.SqlError
  ): Effect.Effect<ReadonlyArray<ReadonlyArray<TakenGroup>>> =>
    this.bounded(connection.queryValues(
      "SELECT user_id FROM user_balances WHERE user_id = ANY ($1::bigint[]) FOR UPDATE SKIP LOCKED",
      [`{${groups.map((group) => group.userId).join(",")}}`]
    )).pipe(
      Effect.flatMap((rows) => {
        const free = new Set(rows.map((row) => row[0]))
        const locked = groups.filter((group) => !free.has(group.userId))
        if (locked.length === 0) return Effect.succeed(halves(groups))
        const open = groups.filter((group) => free.has(group.userId))
        const parts = open.length === 0 ? [] : [open]
        return Effect.as(Effect.forEach(locked, (group) => this.refuse(group, true, error)), parts)
      }),
      Effect.catch(() => Effect.succeed(halves(groups)))
    )

  /** Closes the connection; every account that has something of `groups`, on its way or queued here decides again. */
  private readonly lose = (groups: ReadonlyArray<TakenGroup>): Effect.Effect<void> =>
    Effect.gen({ self: this }, function*() {
      const batches = [groups, ...this.refusals.map((batch) => batch.groups), ...this.sent.map((batch) => batch.groups)]
      this.refusals = []
      this.sent = []
      this.atHand = []
      this.askedMs = undefined
      yield* this.disconnect
      for (const { account, entries } of batches.flat()) account.onUnknown(entries)
      this.bounce()
    })

  private bounce(): void {
    for (const account of this.queue.clear()) account.onUnknown([])
  }

  private readonly disconnect: Effect.Effect<void> = Effect.suspend(() => {
    const scope = this.scope
    this.connected = false
    this.connection = undefined
    this.scope = undefined
    return scope === undefined ? Effect.void : Scope.close(scope, Exit.void)
  })

  /** One try to connect, and whether it has succeeded. A failure bounces what is queued. */
  readonly tryToConnect: Effect.Effect<boolean> = Effect.gen({ self: this }, function*() {
    const scope = yield* Scope.make()
    const exit = yield* Effect.exit(Scope.provide(this.options.connect, scope))
    if (Exit.isSuccess(exit)) {
      this.scope = scope
      this.connection = exit.value
      this.connected = true
      for (const listener of this.onConnected) listener()
      return true
    }
    yield* Scope.close(scope, exit)
    this.bounce()
    const renewals = this.renewals
    this.renewals = []
    for (const renewal of renewals) renewal.resume(Effect.fail(away))
    return false
  })

  private readonly writeRenewal = (connection: PgConnection.PgConnection, renewal: Renewal): Effect.Effect<void> => {
    const ids = renewal.ids()
    if (ids.length === 0) return Effect.sync(() => renewal.resume(Effect.succeed([])))
    return this.bounded(connection.queryValues(renewSql, [`{${ids.join(",")}}`, String(renewal.leaseSeconds)])).pipe(
      Effect.matchEffect({
        onSuccess: (rows) => Effect.sync(() => renewal.resume(Effect.succeed(rows.map((row) => String(row[0]))))),
        onFailure: (error) =>
          Effect.gen({ self: this }, function*() {
            if (error._tag === "DatabaseUnavailable" || classifySqlError(error) === "connection") yield* this.lose([])
            renewal.resume(Effect.fail(away))
          })
      })
    )
  }
}

const away = new AccountUnavailable({ reason: "the database is away" })
