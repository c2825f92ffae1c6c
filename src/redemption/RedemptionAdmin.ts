/**
 * Batches of redemption codes as administrators manage them: create, look at and disable them, and get their texts again. Every
 * change, and every reading of the texts, is in the audit log; no text is.
 */
import { Clock, Context, Effect, Layer, Redacted, Schema } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { type GroupChoice, groupChoices, mayName } from "../accounts/UserGroups.ts"
import { planTexts, type SoldPlan } from "../domain/Plan.ts"
import { Row } from "../domain/Row.ts"
import { type Actor, type AuditFacts, changesBetween, recordChange } from "../platform/AuditLog.ts"
import { ChangedMeanwhile } from "../platform/ChangedMeanwhile.ts"
import { type AskedAction, type NotConfirmed, SecondPerson } from "../platform/SecondPerson.ts"
import { SecretBox } from "../platform/SecretBox.ts"
import { type DatabaseUnavailable, orUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { type IdPage, oneRowOf, recordsetOf, rowOf } from "../postgres/Rows.ts"
import { inTransaction } from "../postgres/Transaction.ts"
import { type GivablePlan, givablePlans } from "../subscriptions/GivablePlans.ts"
import { findPlanNow, soldPlanJson } from "../subscriptions/PlanNow.ts"
import { hashOfCode, hintOfCode, makeCode } from "./CodeText.ts"
import {
  type BatchEdit,
  checkBatchEdit,
  checkNewBatch,
  CODES_MAX,
  type CodeState,
  type NewBatch,
  type Redemption,
  type RedemptionBatch,
  type RedemptionCode
} from "./RedemptionBatch.ts"
import { BatchNotFound, BatchRefused, BatchReused, CodeNotFound, CodesUnreadable } from "./RedemptionError.ts"
import { batchesOf, batchMadeWith, codesOf, redemptionsOf } from "./RedemptionStore.ts"

/** A code with its text: money for anyone who reads it. */
export interface CodeWithText extends RedemptionCode {
  readonly text: Redacted.Redacted<string>
}

/** A batch that is to be disabled or enabled, as somebody has seen it. */
export interface SeenBatch {
  readonly id: bigint
  readonly revision: bigint
}

/** Rows answered at once, at most. */
export const LISTED_MAX = 200

const NextBatch = Row({ id: Schema.BigInt })

const SeenState = Row({ revision: Schema.BigInt, isDisabled: Schema.Boolean }, { isDisabled: "disabled" })

const EditedBatch = Row({
  revision: Schema.BigInt,
  name: Schema.String,
  note: Schema.String,
  expiresAt: Schema.NullOr(Schema.Date)
})

const SeenCode = Row({ hint: Schema.String, isDisabled: Schema.Boolean }, { isDisabled: "disabled" })

const SealedCodes = Row({ bytes: Schema.Uint8Array, keyId: Schema.String }, { bytes: "codes_sealed" })

export class RedemptionAdmin extends Context.Service<RedemptionAdmin, {
  readonly plans: Effect.Effect<ReadonlyArray<GivablePlan>, DatabaseUnavailable>
  readonly groups: Effect.Effect<ReadonlyArray<GroupChoice>, DatabaseUnavailable>
  /**
   * Makes a batch with all its codes; answers its id. A plan's terms are those of this moment. The same with the same key again
   * answers the batch that was made.
   */
  create(
    actor: Actor,
    batch: NewBatch
  ): Effect.Effect<bigint, BatchRefused | BatchReused | CodesUnreadable | NotConfirmed | DatabaseUnavailable>
  /** Changes what may be changed of a batch. What has been redeemed stays. */
  edit(
    actor: Actor,
    batch: SeenBatch,
    edit: BatchEdit
  ): Effect.Effect<void, BatchRefused | BatchNotFound | ChangedMeanwhile | DatabaseUnavailable>
  /** Batches, newest first, at most {@link LISTED_MAX}. */
  list(
    page: IdPage & { readonly state?: CodeState | undefined }
  ): Effect.Effect<ReadonlyArray<RedemptionBatch>, DatabaseUnavailable>
  batch(id: bigint): Effect.Effect<RedemptionBatch, BatchNotFound | DatabaseUnavailable>
  /** A batch's codes, newest first, at most {@link LISTED_MAX}. */
  codes(id: bigint, page: IdPage): Effect.Effect<ReadonlyArray<RedemptionCode>, DatabaseUnavailable>
  /** Who has redeemed a batch's codes, the latest first, at most {@link LISTED_MAX}. */
  redemptions(id: bigint, page: IdPage): Effect.Effect<ReadonlyArray<Redemption>, DatabaseUnavailable>
  /** Disables a batch, or enables it again. One that is so already stays as it is. */
  setDisabled(
    actor: Actor,
    batch: SeenBatch,
    isDisabled: boolean
  ): Effect.Effect<void, BatchNotFound | ChangedMeanwhile | DatabaseUnavailable>
  /** Disables one code of a batch, for good. */
  disableCode(
    actor: Actor,
    code: { readonly batchId: bigint; readonly codeId: bigint }
  ): Effect.Effect<void, CodeNotFound | DatabaseUnavailable>
  /** All codes of a batch with their texts, in the order in which they were made. */
  texts(
    actor: Actor,
    id: bigint
  ): Effect.Effect<ReadonlyArray<CodeWithText>, BatchNotFound | CodesUnreadable | DatabaseUnavailable>
}>()("realms/redemption/RedemptionAdmin") {
  static readonly layer = Layer.effect(RedemptionAdmin)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const box = yield* SecretBox
    const secondPerson = yield* SecondPerson

    const planOf = Effect.fnUntraced(function*({ gift }: NewBatch) {
      if (gift.kind === "balance") return undefined
      return (yield* findPlanNow(sql, gift.planCode)) ?? (yield* new BatchRefused({ fields: ["plan"] }))
    })

    const insertBatch = Effect.fnUntraced(function*(
      actor: Actor,
      batch: NewBatch,
      plan: SoldPlan | undefined,
      texts: ReadonlyArray<Redacted.Redacted<string>>
    ) {
      // A rotation of the master key under way is waited for: it would not see this secret. What is sealed names its row.
      yield* sql`LOCK TABLE redemption_batches IN ROW EXCLUSIVE MODE`
      const { id } = yield* oneRowOf(
        NextBatch,
        sql`
      SELECT nextval(pg_get_serial_sequence('redemption_batches', 'id')) AS id`
      )
      const sealed = yield* box.seal(Redacted.make(texts.map(Redacted.value).join("\n")), placeOf(id))
      yield* sql`
      INSERT INTO redemption_batches (id, name, note, kind, usd_micros, terms, group_code, codes, uses_max, expires_at,
          codes_sealed, key_id, request_key, created_by) OVERRIDING SYSTEM VALUE
        VALUES (${id}, ${batch.name}, ${batch.note}, ${batch.gift.kind},
          ${batch.gift.kind === "balance" ? batch.gift.usdMicros : null}::bigint,
          ${
        plan === undefined ? null : soldPlanJson(plan)
      }::jsonb, ${batch.groupCode}::text, ${batch.codes}, ${batch.usesMax},
          ${batch.expiresAt}::timestamptz, ${sealed.bytes}, ${sealed.keyId}, ${
        batch.key ?? null
      }, ${actor.userId}::bigint)`
      return id
    })

    const insertCodes = (batchId: bigint, usesMax: number, texts: ReadonlyArray<Redacted.Redacted<string>>) => {
      const rows = recordsetOf(
        texts.map((text, place) => ({
          place,
          hash: hashOfCode(text)?.toString("hex") ?? null,
          hint: hintOfCode(text)
        }))
      )
      return sql`
      INSERT INTO redemption_codes (batch_id, code_hash, hint, uses_max)
        SELECT ${batchId}::bigint, decode(d.hash, 'hex'), d.hint, ${usesMax}::integer
          FROM jsonb_to_recordset(${rows}::jsonb) AS d (place integer, hash text, hint text) ORDER BY d.place`
    }

    const create = Effect.fn("RedemptionAdmin.create")(
      function*(actor: Actor, asked: NewBatch) {
        const batch = { ...asked, name: asked.name.trim(), note: asked.note.trim() }
        yield* checkNewBatch(batch, yield* Clock.currentTimeMillis)
        const texts = Array.from({ length: batch.codes }, makeCode)
        return yield* inTransaction(
          sql,
          Effect.gen(function*() {
            const made = batch.key === undefined
              ? undefined
              : yield* batchMadeWith(sql, batch.key, batch, actor.userId)
            if (made !== undefined) return made.isSame ? made.id : yield* new BatchReused()
            const plan = yield* planOf(batch)
            if (!(yield* mayName(sql, batch.groupCode))) return yield* new BatchRefused({ fields: ["group"] })
            const id = yield* insertBatch(actor, batch, plan, texts)
            yield* insertCodes(id, batch.usesMax, texts)
            yield* recordChange(sql, actor, {
              action: "redemption_batch.created",
              target: targetOf(id),
              before: null,
              after: factsOf(batch)
            })
            yield* secondPerson.check(actor, actionOf(batch, plan))
            return id
          })
        ).pipe((made) => secondPerson.asking(actor, made))
      },
      orUnreadable,
      orUnavailable
    )

    /** Changes a row that a statement locks; `missing`: there is none. */
    const changeLocked = <S extends Schema.ConstraintDecoder<unknown>, Missing, E>(
      row: S,
      locking: Effect.Effect<ReadonlyArray<unknown>, SqlError.SqlError>,
      missing: Missing,
      change: (found: S["Type"]) => Effect.Effect<void, E>
    ) =>
      inTransaction(
        sql,
        Effect.flatMap(
          rowOf(row, locking),
          (found): Effect.Effect<void, Missing | E> => found === undefined ? Effect.fail(missing) : change(found)
        )
      )

    const edit = Effect.fn("RedemptionAdmin.edit")(
      function*(actor: Actor, { id, revision }: SeenBatch, asked: BatchEdit) {
        const next = { name: asked.name.trim(), note: asked.note.trim(), expiresAt: asked.expiresAt }
        const nowMs = yield* Clock.currentTimeMillis
        yield* changeLocked(
          EditedBatch,
          sql`SELECT revision, name, note, expires_at FROM redemption_batches WHERE id = ${id} FOR UPDATE`,
          new BatchNotFound({ batchId: id }),
          Effect.fnUntraced(function*(was) {
            yield* checkBatchEdit(next, was.expiresAt, nowMs)
            const { after, before } = changesBetween(editFacts(was), editFacts(next))
            if (Object.keys(after).length === 0) return
            if (was.revision !== revision) return yield* new ChangedMeanwhile({ target: targetOf(id) })
            yield* sql`UPDATE redemption_batches SET name = ${next.name}, note = ${next.note},
              expires_at = ${next.expiresAt}::timestamptz WHERE id = ${id}`
            yield* recordChange(sql, actor, { action: "redemption_batch.edited", target: targetOf(id), before, after })
          })
        )
      },
      orUnavailable
    )

    const setDisabled = Effect.fn("RedemptionAdmin.setDisabled")(
      function*(actor: Actor, { id, revision }: SeenBatch, isDisabled: boolean) {
        yield* changeLocked(
          SeenState,
          sql`SELECT revision, disabled_at IS NOT NULL AS disabled FROM redemption_batches WHERE id = ${id} FOR UPDATE`,
          new BatchNotFound({ batchId: id }),
          Effect.fnUntraced(function*(batch) {
            if (batch.isDisabled === isDisabled) return
            if (batch.revision !== revision) return yield* new ChangedMeanwhile({ target: targetOf(id) })
            yield* sql`UPDATE redemption_batches
            SET disabled_at = CASE WHEN ${isDisabled}::boolean THEN now() END WHERE id = ${id}`
            yield* recordChange(sql, actor, {
              action: `redemption_batch.${isDisabled ? "disabled" : "enabled"}`,
              target: targetOf(id),
              before: { disabled: batch.isDisabled },
              after: { disabled: isDisabled }
            })
          })
        )
      },
      orUnavailable
    )

    const disableCode = Effect.fn("RedemptionAdmin.disableCode")(
      function*(actor: Actor, { batchId, codeId }: { readonly batchId: bigint; readonly codeId: bigint }) {
        yield* changeLocked(
          SeenCode,
          sql`SELECT hint, disabled_at IS NOT NULL AS disabled FROM redemption_codes
            WHERE id = ${codeId} AND batch_id = ${batchId} FOR UPDATE`,
          new CodeNotFound({ codeId }),
          Effect.fnUntraced(function*(code) {
            if (code.isDisabled) return
            yield* sql`UPDATE redemption_codes SET disabled_at = now() WHERE id = ${codeId}`
            yield* recordChange(sql, actor, {
              action: "redemption_code.disabled",
              target: `redemption_code:${codeId}`,
              before: { disabled: false },
              after: { disabled: true, batch_id: batchId, hint: code.hint }
            })
          })
        )
      },
      orUnavailable
    )

    const texts = Effect.fn("RedemptionAdmin.texts")(
      function*(actor: Actor, id: bigint) {
        return yield* inTransaction(
          sql,
          Effect.gen(function*() {
            const sealed = yield* rowOf(
              SealedCodes,
              sql`
          SELECT codes_sealed, key_id FROM redemption_batches WHERE id = ${id}`
            )
            if (sealed === undefined) return yield* new BatchNotFound({ batchId: id })
            const opened = yield* box.open(sealed, placeOf(id))
            const codes = yield* codesOf(sql, id, { limit: CODES_MAX })
            const byHash = new Map(codes.map(({ hash, ...code }) => [Buffer.from(hash).toString("hex"), code]))
            yield* recordChange(sql, actor, {
              action: "redemption_batch.exported",
              target: targetOf(id),
              before: null,
              after: { codes: codes.length }
            })
            return Redacted.value(opened).split("\n").flatMap((line): ReadonlyArray<CodeWithText> => {
              const text = Redacted.make(line)
              const code = byHash.get(hashOfCode(text)?.toString("hex") ?? "")
              return code === undefined ? [] : [{ ...code, text }]
            })
          })
        )
      },
      orUnreadable,
      orUnavailable
    )

    return RedemptionAdmin.of({
      plans: orUnavailable(givablePlans(sql)),
      groups: orUnavailable(groupChoices(sql, null)),
      create,
      edit,
      list: Effect.fn("RedemptionAdmin.list")(
        (page: IdPage & { readonly state?: CodeState | undefined }) =>
          batchesOf(sql, { ...bounded(page), state: page.state ?? null }),
        orUnavailable
      ),
      batch: Effect.fn("RedemptionAdmin.batch")(function*(id: bigint) {
        const [batch] = yield* batchesOf(sql, { id, limit: 1 })
        return batch ?? (yield* new BatchNotFound({ batchId: id }))
      }, orUnavailable),
      codes: Effect.fn("RedemptionAdmin.codes")(
        (id: bigint, page: IdPage) =>
          Effect.map(
            codesOf(sql, id, bounded(page)),
            (rows) => rows.map(({ hash: _, ...code }): RedemptionCode => code)
          ),
        orUnavailable
      ),
      redemptions: Effect.fn("RedemptionAdmin.redemptions")(
        (id: bigint, page: IdPage) => redemptionsOf(sql, id, bounded(page)),
        orUnavailable
      ),
      setDisabled,
      disableCode,
      texts
    })
  }))
}

const placeOf = (id: bigint): string => `codes:${id}`
const targetOf = (id: bigint): string => `redemption_batch:${id}`

const bounded = (page: IdPage): IdPage => ({ ...page, limit: Math.min(page.limit, LISTED_MAX) })

const editFacts = ({ expiresAt, name, note }: BatchEdit): AuditFacts => ({
  name,
  note,
  expires_at: expiresAt?.toISOString() ?? null
})

const factsOf = (batch: NewBatch): AuditFacts => ({
  ...editFacts(batch),
  ...(batch.gift.kind === "balance" ? { usd_micros: batch.gift.usdMicros } : { plan: batch.gift.planCode }),
  ...(batch.groupCode === null ? {} : { group_code: batch.groupCode }),
  codes: batch.codes,
  uses_max: batch.usesMax
})

/** What a batch is worth: all that its codes give. */
const actionOf = (batch: NewBatch, plan: SoldPlan | undefined): AskedAction => {
  const { codes, expiresAt, gift, groupCode, key, name, note, usesMax } = batch
  const times = BigInt(codes) * BigInt(usesMax)
  const said = {
    name,
    codes,
    uses_max: usesMax,
    expires_at: expiresAt?.toISOString() ?? null,
    ...(groupCode === null ? {} : { group_code: groupCode }),
    ...(gift.kind === "balance" ? { usd_micros: gift.usdMicros.toString() } : { plan_code: gift.planCode })
  }
  return {
    action: "codes.create",
    worth: {
      usd: gift.kind === "balance" || plan === undefined
        ? { usdMicros: (gift.kind === "balance" ? gift.usdMicros : 0n) * times }
        : { plan, times }
    },
    asked: key === undefined ? said : { ...said, key },
    facts: plan === undefined ? said : { ...said, ...planTexts(plan), name },
    note
  }
}

/** Failures of the box as one that says why. */
const orUnreadable = <A, E extends { readonly _tag: string }, R>(effect: Effect.Effect<A, E, R>) =>
  effect.pipe(
    Effect.catchIf(
      (
        error
      ): error is Extract<E, { readonly _tag: "MasterKeyInvalid" | "SecretUnreadable"; readonly message: string }> =>
        error._tag === "MasterKeyInvalid" || error._tag === "SecretUnreadable",
      ({ message }) => Effect.fail(new CodesUnreadable({ reason: message }))
    )
  )
