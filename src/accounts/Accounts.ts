/**
 * The accounts of all users, as everyone else sees them: reserve before a call, settle after it.
 * A hold is durable before `reserve` answers; a settlement, once given, is kept and retried until it lands, whether or
 * not its caller waits. Leases are renewed here, and expired holds of other processes are swept.
 */
import { Clock, Context, Duration, Effect, Layer, Metric, Schema, Semaphore } from "effect"
import { SqlClient } from "effect/sql"
import { AppConfig } from "../config/Config.ts"
import { makeReservationId, UserId } from "../domain/Ids.ts"
import { Row } from "../domain/Row.ts"
import { deadlineIn } from "../platform/Deadline.ts"
import { Notifications } from "../platform/Notifications.ts"
import { inRounds } from "../platform/Rounds.ts"
import { Database } from "../postgres/Database.ts"
import { withinDatabaseWait } from "../postgres/DatabaseUnavailable.ts"
import { rowsOf } from "../postgres/Rows.ts"
import {
  type AccountError,
  AccountUnavailable,
  ReservationLost,
  stillSettling,
  unanswered,
  type UnknownAccount
} from "./AccountError.ts"
import { AccountPeers, type DecideForPeer } from "./AccountPeers.ts"
import { AccountPolicy } from "./AccountPolicy.ts"
import { AccountIdleMs, AccountResidents } from "./AccountResidents.ts"
import {
  type Answer,
  type Command,
  type Commit,
  emptyOutcome,
  type Extend,
  type Reservation,
  type Reserve,
  type Settlement,
  type Void
} from "./AccountState.ts"
import { loadAccount } from "./AccountStore.ts"
import { EVERY_ACCOUNT } from "./Ledger.ts"
import type { ActorHost } from "./ActorHost.ts"
import { ask, askFor, askStanding } from "./AskAccount.ts"
import { CommandRoutes } from "./CommandRoutes.ts"
import { JournalLane, lanes } from "./JournalLane.ts"
import { journalSession } from "./JournalSession.ts"
import { Leases } from "./Leases.ts"
import { makeOutbox } from "./Outbox.ts"
import { ANSWER_MS_MAX, READ_MS_MAX } from "./Silent.ts"
import type { OutboxItem } from "./OutboxFile.ts"
import type { Standing } from "./Standing.ts"

/** Open reservations of one process, at most. Each owns the room for its own settlement. */
export const OPEN_RESERVATIONS_MAX = 20_000

/** A transaction waits for another's row lock no longer: on the writer of everybody, and on that of stuck accounts. */
const MAIN_LOCK_TIMEOUT_MS = 250
const SLOW_LOCK_TIMEOUT_MS = 2_000

const RETRY_MS_MIN = 50
const RETRY_MS_MAX = 2_000

const LEASE_TICK_MS = 300

/** Expired holds ended in one sweep, at most; the next sweep goes on. */
const SWEEP_MAX = 500

const setAsideTotal = Metric.counter("realms_settlements_set_aside_total", {
  description: "Settlements that PostgreSQL refused for good and that wait in data_dir/set-aside.jsonl",
  incremental: true
})

const OverdueCall = Row({ id: Schema.String, userId: UserId })

/** What a reserve can meet. */
export type ReserveError = AccountError

export class Accounts extends Context.Service<Accounts, {
  /**
   * Holds funds for a call; repeating an id answers the first hold. A caller that is interrupted, or that waits longer
   * than {@link ANSWER_MS_MAX}, leaves a void behind. `onLost` is called once if the hold is later found to have ended
   * elsewhere.
   */
  reserve(userId: UserId, command: Reserve, onLost: () => void): Effect.Effect<Reservation, ReserveError>
  /** Raises an open hold to at least a cost, from the same funding. */
  extend(userId: UserId, command: Extend): Effect.Effect<Reservation, ReserveError>
  /**
   * Settles at the cost of what was used. Interrupting stops the waiting, not the settlement; so does `waitMs`, after which
   * it fails with {@link stillSettling}.
   */
  commit(
    userId: UserId,
    command: Commit,
    waitMs?: number
  ): Effect.Effect<Settlement, ReservationLost | AccountUnavailable>
  /** Returns the whole hold. Interrupting, or `waitMs`, stops the waiting, not the settlement. */
  void(userId: UserId, command: Void, waitMs?: number): Effect.Effect<Settlement, AccountUnavailable>
  /**
   * Whether the account has a balance, an open call or a running subscription (`funded`), or nothing to pay a call with
   * (`empty`). `funded` is said at once from memory; `empty` only on a state that was read after the question.
   */
  standing(userId: UserId): Effect.Effect<Standing, AccountUnavailable | UnknownAccount>
  /** Whether memory says `funded`, at once; false says only that `standing` must be asked. */
  isKnownFunded(userId: UserId): boolean
  /** Ends up to 500 holds whose lease has passed; answers how many. */
  readonly sweep: Effect.Effect<number, AccountUnavailable>
  /** Drops the cached state of one account; it is read again before its next decision. */
  invalidate(userId: UserId): void
  /** Drops every cached state. */
  readonly invalidateAll: Effect.Effect<void>
  /** Reservations that this process holds open. */
  openCount(): number
  /** Whether the account lives in this process. */
  isResident(userId: UserId): boolean
  /** The resident accounts of which something was asked at `sinceMs` (ms since the epoch) or later. */
  usedSince(sinceMs: number): ReadonlyArray<UserId>
  /** False while the database is away. */
  isAvailable(): boolean
  /** Takes no more reserves and waits for settlements to land; what has not landed after `graceMs` goes to the outbox file. */
  drain(graceMs: number): Effect.Effect<void>
  /** Replays settlements of the outbox file and those that were set aside. For the start of a server. */
  readonly replay: Effect.Effect<void>
  /** Replays what ended processes left in the same folder, again and again. */
  readonly adopt: Effect.Effect<void>
}>()("realms/accounts/Accounts") {
  static readonly layer = Layer.effect(Accounts)(Effect.gen(function*() {
    const database = yield* Database
    const sql = yield* SqlClient.SqlClient
    const config = yield* AppConfig
    const policy = yield* AccountPolicy
    const idleMs = yield* AccountIdleMs
    const notifications = yield* Notifications
    const clock = yield* Clock.Clock
    const run = Effect.runForkWith(yield* Effect.context<never>())
    const now = () => clock.currentTimeMillisUnsafe()
    const outbox = yield* makeOutbox(config.dataDir)
    // There from the start, so that the first one is seen as an increase.
    yield* Metric.update(setAsideTotal, 0)

    const connect = (name: string, lockTimeoutMs: number) =>
      database.connect({
        applicationName: `realms-journal-${name}`,
        multiplex: true,
        startupParameters: journalSession(lockTimeoutMs)
      })
    const main = new JournalLane({
      ...lanes.main,
      connect: connect("main", MAIN_LOCK_TIMEOUT_MS),
      fork: run,
      now
    })
    const slow = new JournalLane({
      ...lanes.slow,
      connect: connect("slow", SLOW_LOCK_TIMEOUT_MS),
      fork: run,
      now
    })

    const leases = new Leases()
    let [opening, settingAside] = [0, 0]
    let closing = false

    const host: ActorHost = {
      enqueue: (actor) => (actor.lane === "slow" ? slow : main).enqueue(actor),
      now,
      load: (read, done) => {
        if (!main.connected || main.isSilent) return void run(Effect.sync(() => done(main.connected ? silent : away)))
        run(
          withinDatabaseWait(loadAccount(sql, read, now()), READ_MS_MAX).pipe(
            Effect.catchTag("DatabaseUnavailable", () => Effect.fail(silent)),
            Effect.match({ onSuccess: done, onFailure: done }),
            Effect.catchDefect((defect) =>
              Effect.logError("an account could not be read", defect).pipe(
                Effect.andThen(
                  Effect.sync(() => done(new AccountUnavailable({ reason: "the account cannot be read" })))
                )
              )
            )
          )
        )
      },
      later: (_, failures, callback) => {
        const delayMs = Math.min(RETRY_MS_MIN * 2 ** Math.min(failures, 10), RETRY_MS_MAX)
        run(Effect.sync(callback).pipe(Effect.delay(Duration.millis(delayMs))))
      },
      divert: (userId, envelope) => routes.divert(userId, envelope),
      setAside: (userId, command, cause, done) => {
        leases.close(command.id)
        settingAside++
        run(
          Effect.logError("a settlement can not be written and is set aside", cause).pipe(
            Effect.annotateLogs({ userId: String(userId) }),
            Effect.andThen(Metric.update(setAsideTotal, 1)),
            Effect.andThen(outbox.setAside([{ userId, command }])),
            Effect.ensuring(Effect.sync(() => {
              settingAside--
              done()
            }))
          )
        )
      }
    }

    const residents = new AccountResidents(host, now)
    const peers = yield* AccountPeers
    const routes = new CommandRoutes((userId) => residents.of(userId), peers)
    /** Asks the actor of this process, also where another runner owns the account. */
    const askAccount = (userId: UserId, command: Command, waitMs = Infinity) =>
      Effect.suspend(() => ask(residents.of(userId), command, waitMs))

    /**
     * Gives a settlement to its actor; the lease is kept alive until it has landed. The wait is a plain timer: a race of fibers
     * would cost every call more than its decision does.
     */
    const settle = (
      userId: UserId,
      command: Commit | Void,
      waitMs: number
    ): Effect.Effect<Settlement, AccountError> =>
      Effect.callback((resume) => {
        const deadline = waitMs === Infinity ? undefined : deadlineIn(waitMs, () => resume(Effect.fail(stillSettling)))
        routes.tell(userId, command, (result) => {
          deadline?.cancel()
          leases.close(command.id)
          resume(result._tag === "Settlement" ? Effect.succeed(result.settlement) : failed(result))
        })
      })

    const reserve = (userId: UserId, command: Reserve, onLost: () => void) =>
      Effect.callback<Reservation, AccountError>((resume) => {
        if (closing) return resume(Effect.fail(new AccountUnavailable({ reason: "shutting down" })))
        // What is given to a writer that waits for an answer waits with it.
        if (main.isSilent) return resume(Effect.fail(silent))
        if (!isCanonical.test(command.id)) return resume(Effect.fail(new ReservationLost({ id: command.id })))
        if (leases.size + opening >= OPEN_RESERVATIONS_MAX) {
          return resume(Effect.fail(new AccountUnavailable({ reason: "too many open reservations" })))
        }
        // Without messages a change of the groups or of their multipliers is not heard, and no guard in SQL knows prices.
        if (!notifications.isUp()) residents.invalidate(userId)
        let waiting = true
        opening++
        const giveUp = () => {
          if (!waiting) return
          waiting = false
          deadline.cancel()
          const outcome = { ...emptyOutcome, reason: "abandoned" }
          routes.tell(userId, { _tag: "Void", id: command.id, outcome }, () => leases.close(command.id))
        }
        const deadline = deadlineIn(ANSWER_MS_MAX, () => {
          giveUp()
          resume(Effect.fail(unanswered))
        })
        routes.tell(userId, command, (result) => {
          opening--
          if (result._tag === "Reservation" && waiting) {
            leases.open(command.id, { leaseSeconds: command.leaseSeconds, nowMs: now(), onLost })
          }
          waiting = false
          deadline.cancel()
          resume(result._tag === "Reservation" ? Effect.succeed(result.reservation) : failed(result))
        })
        return Effect.sync(giveUp)
      })

    const renewLengths = (lengths: ReadonlySet<number>) =>
      Effect.forEach(
        lengths,
        (leaseSeconds) =>
          Effect.map(
            main.renew(() => leases.ids(leaseSeconds), leaseSeconds),
            (lost) => leases.renewed(leaseSeconds, lost, now())
          ),
        { discard: true }
      )

    const sweepLock = yield* Semaphore.make(1)
    let mustRenewAll = false
    main.onConnected.add(() => {
      mustRenewAll = true
    })
    const sweep = Effect.gen(function*() {
      // What is due is renewed before anything is judged by its lease; after an outage everything this process holds.
      yield* renewLengths(mustRenewAll ? leases.lengths() : leases.due(now()))
      mustRenewAll = false
      const overdue = rowsOf(
        OverdueCall,
        sql`SELECT id, user_id FROM open_holds WHERE lease_expires_at < now() ORDER BY id LIMIT ${SWEEP_MAX}`
      )
      const rows = yield* withinDatabaseWait(overdue, READ_MS_MAX).pipe(
        Effect.mapError((error) =>
          error._tag === "DatabaseUnavailable" ? silent : new AccountUnavailable({ reason: error.message })
        )
      )
      const mode = policy.expiredReservation()
      // One account that cannot be written does not keep the others' holds.
      const answers = yield* Effect.forEach(
        rows,
        (row) => Effect.result(askAccount(row.userId, { _tag: "Expire", id: row.id, mode })),
        { concurrency: "unbounded" }
      )
      return answers.filter((answer) =>
        answer._tag === "Success" && answer.success._tag === "Settlement" &&
        answer.success.settlement.state === "expired"
      ).length
    }).pipe(sweepLock.withPermits(1))

    const submit = ({ command, userId }: OutboxItem) => askAccount(userId, command)

    const drain = (graceMs: number) =>
      Effect.gen(function*() {
        closing = true
        routes.undoAll()
        const deadline = now() + graceMs
        const unsettled = () =>
          residents.all().flatMap((actor) => actor.unsettled.map((command) => ({ userId: actor.userId, command })))
            .concat(routes.unsettled)
        const isBusy = () => opening + settingAside > 0 || unsettled().length > 0
        while (isBusy() && now() < deadline) {
          yield* Effect.sleep(Duration.millis(20))
        }
        const left = unsettled()
        if (left.length === 0) return
        yield* Effect.logWarning("settlements are kept in the outbox file, and replayed at the next start", {
          count: left.length,
          path: yield* outbox.unsettledPath
        })
        yield* outbox.keep(left)
      })

    yield* notifications.subscribe({
      onMessage: (topic, key) => {
        if (topic !== "account") return
        if (key === EVERY_ACCOUNT) residents.invalidateAll()
        else if (/^\d+$/.test(key)) residents.invalidate(UserId.make(BigInt(key)))
      },
      // What ended the listener's connection may have ended an idle journal's: it finds out by asking, not at the next call.
      onDown: () => void run(Effect.ignore(main.renew(() => [makeReservationId()], 1))),
      onUp: () => residents.invalidateAll()
    })
    yield* main.tryToConnect
    yield* Effect.forkScoped(main.run)
    yield* Effect.forkScoped(slow.run)
    const renewDue = Effect.suspend(() => renewLengths(leases.due(now())))
    yield* Effect.forkScoped(inRounds(renewDue, { failure: "leases could not be renewed", everyMs: LEASE_TICK_MS }))
    const forgetIdle = Effect.sync(() => residents.forgetIdle(idleMs))
    yield* Effect.forkScoped(inRounds(forgetIdle, { failure: "idle accounts stay in memory", everyMs: idleMs / 10 }))
    const decideForPeer: DecideForPeer = (userId, command) =>
      closing || main.isSilent || !isCanonical.test(command.id)
        ? undefined
        : askFor((reply) => residents.of(userId).tell(command, reply, "peer"), Infinity)
    if (peers !== undefined) yield* peers.serve(decideForPeer)

    return Accounts.of({
      reserve,
      extend: (userId, command) =>
        Effect.suspend(() =>
          main.isSilent ? Effect.fail(silent) : askFor((reply) => routes.tell(userId, command, reply), ANSWER_MS_MAX)
        ).pipe(
          Effect.flatMap((answer) => answer._tag === "Reservation" ? Effect.succeed(answer.reservation) : unexpected)
        ),
      commit: (userId, command, waitMs = Infinity) => Effect.mapError(settle(userId, command, waitMs), otherwise),
      void: (userId, command, waitMs = Infinity) => Effect.mapError(settle(userId, command, waitMs), asUnavailable),
      standing: (userId) =>
        Effect.mapError(
          Effect.suspend(() => askStanding(residents.of(userId), ANSWER_MS_MAX)),
          (error) => error._tag === "UnknownAccount" ? error : asUnavailable(error)
        ),
      isKnownFunded: (userId) => residents.of(userId).isKnownFunded,
      sweep,
      invalidate: (userId) => residents.invalidate(userId),
      invalidateAll: Effect.sync(() => residents.invalidateAll()),
      openCount: () => leases.size,
      isResident: (userId) => residents.has(userId),
      usedSince: (sinceMs) => residents.usedSince(sinceMs),
      isAvailable: () => main.connected,
      drain,
      replay: outbox.replay(submit),
      adopt: outbox.adopt(submit)
    })
  }))
}

const otherwise = (error: AccountError): AccountUnavailable | ReservationLost =>
  error._tag === "ReservationLost" || error._tag === "AccountUnavailable"
    ? error
    : new AccountUnavailable({ reason: error.message })

const asUnavailable = (error: AccountError): AccountUnavailable =>
  error._tag === "AccountUnavailable" ? error : new AccountUnavailable({ reason: error._tag })

const isCanonical = /^[0-9a-f-]{36}$/

const away = new AccountUnavailable({ reason: "the database is away" })

const silent = new AccountUnavailable({ reason: "the database does not answer" })

const failed = (result: Exclude<Answer | AccountError, never>): Effect.Effect<never, AccountError> =>
  "settlement" in result || "reservation" in result ? unexpected : Effect.fail(result)

/** An answer of another kind than its question: a defect of ours. */
const unexpected: Effect.Effect<never> = Effect.die(new Error("an account answered another question"))
