/**
 * Requests that wait for a second person: listed, confirmed and rejected. Confirming a request carries its action out at once, in the
 * name of the requester. If the action fails, the request keeps waiting.
 */
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { UserId } from "../domain/Ids.ts"
import { type Actor, recordChange } from "../platform/AuditLog.ts"
import { NOTE_CHARACTERS_MAX } from "../platform/Notes.ts"
import { ConfirmationRefused } from "../platform/SecondPerson.ts"
import { DatabaseUnavailable, databaseUnavailable, orUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { inTransaction } from "../postgres/Transaction.ts"
import { makeActions } from "./Actions.ts"
import {
  closeConfirmation,
  type Confirmation,
  type ConfirmationPage,
  countPending,
  findConfirmation,
  listConfirmations
} from "./ConfirmationStore.ts"
import { checkRequester, checkRole, checkWaiting } from "./SecondPersonRule.ts"

export { Confirmation, type ConfirmationState, confirmationStates } from "./ConfirmationStore.ts"

/** There is no such request. */
export class ConfirmationNotFound
  extends Schema.TaggedError<ConfirmationNotFound>()("ConfirmationNotFound", { id: Schema.BigInt })
{
  override readonly message = `there is no confirmation ${this.id}`
}

/** The action failed, so its request keeps waiting. */
export class ActionRefused extends Schema.TaggedError<ActionRefused>()("ActionRefused", {
  /** The `_tag` of the refusal. */
  code: Schema.String,
  reason: Schema.String
}) {
  override readonly message = `this cannot be done now: ${this.reason}`
}

/** The person who confirms or rejects. */
export type Confirmer = Actor & { readonly userId: UserId }

export class Confirmations extends Context.Service<Confirmations, {
  list(page: ConfirmationPage): Effect.Effect<ReadonlyArray<Confirmation>, DatabaseUnavailable>
  find(id: bigint): Effect.Effect<Confirmation, ConfirmationNotFound | DatabaseUnavailable>
  /** Those that wait now. */
  readonly pending: Effect.Effect<number, DatabaseUnavailable>
  /** Carries the action out. The same again by the same person changes nothing. */
  confirm(
    actor: Confirmer,
    id: bigint
  ): Effect.Effect<Confirmation, ConfirmationNotFound | ConfirmationRefused | ActionRefused | DatabaseUnavailable>
  /** By a second person, or withdrawn by the requester. The same again by the same person changes nothing. */
  reject(
    actor: Confirmer,
    id: bigint,
    note: string
  ): Effect.Effect<Confirmation, ConfirmationNotFound | ConfirmationRefused | DatabaseUnavailable>
}>()("realms/confirmations/Confirmations") {
  static readonly layer = Layer.effect(Confirmations)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const actions = yield* makeActions

    const find = (id: bigint) =>
      Effect.flatMap(
        orUnavailable(findConfirmation(sql, id)),
        (found) => found === undefined ? Effect.fail(new ConfirmationNotFound({ id })) : Effect.succeed(found)
      )

    /** What the use case refuses with, as one error. */
    const carryOut = (actor: Actor, { action, asked, note }: Confirmation) =>
      actions[action](actor, asked, note).pipe(
        Effect.mapError((error) => {
          if (error instanceof ConfirmationRefused || error instanceof DatabaseUnavailable) return error
          if (unavailableTags.has(error._tag)) return databaseUnavailable(error)
          return new ActionRefused({ code: error._tag, reason: error.message === "" ? error._tag : error.message })
        })
      )

    const confirm = Effect.fn("Confirmations.confirm")(function*(by: Confirmer, id: bigint) {
      const found = yield* find(id)
      if (found.state === "confirmed" && found.closedBy === by.userId) return found
      yield* checkWaiting(found)
      if (found.requestedBy === by.userId) return yield* new ConfirmationRefused({ reason: "same" })
      const confirming = { id, by: { name: by.name, userId: by.userId, address: by.address } }
      const actor: Actor = {
        name: found.requestedAs,
        userId: found.requestedBy,
        address: found.address,
        confirming
      }
      yield* orUnavailable(inTransaction(
        sql,
        Effect.andThen(checkRequester(sql, found), checkRole(sql, by.userId, found.action))
      ))
      yield* carryOut(actor, found)
      const now = yield* find(id)
      if (now.state === "confirmed") return now
      yield* checkWaiting(now)
      // The action was carried out without this request, so the request still waits: no second person agreed to it.
      return yield* new ActionRefused({ code: "DoneBefore", reason: "it has been done already; reject it" })
    })

    const reject = Effect.fn("Confirmations.reject")(function*(by: Confirmer, id: bigint, text: string) {
      const note = [...text.replace(/\p{Cc}/gu, " ").trim().toWellFormed()].slice(0, NOTE_CHARACTERS_MAX).join("")
      yield* orUnavailable(inTransaction(
        sql,
        Effect.gen(function*() {
          const found = yield* findConfirmation(sql, id, { lock: true })
          if (found === undefined) return yield* new ConfirmationNotFound({ id })
          if (found.state === "rejected" && found.closedBy === by.userId) return
          yield* checkWaiting(found)
          yield* checkRole(sql, by.userId, found.action)
          yield* closeConfirmation(sql, id, { state: "rejected", by: by.userId, note })
          yield* recordChange(sql, by, {
            action: "confirmation.rejected",
            target: `confirmation:${id}`,
            before: null,
            after: { action: found.action, requested_by: found.requestedBy, note }
          })
        })
      ))
      return yield* find(id)
    })

    return Confirmations.of({
      list: (page) => orUnavailable(listConfirmations(sql, { ...page, limit: Math.min(page.limit, LISTED_MAX) })),
      find,
      pending: orUnavailable(countPending(sql)),
      confirm,
      reject
    })
  }))
}

/** Rows answered at once, at most. */
export const LISTED_MAX = 200

const unavailableTags: ReadonlySet<string> = new Set(["SqlError", "DatabaseUnavailable", "AccountUnavailable"])
