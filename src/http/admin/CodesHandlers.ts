/**
 * Answers `/api/admin/redemption-batches` by the same use cases as the pages.
 */
import { DateTime, Effect, Option, Redacted } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { type CodeWithText, RedemptionAdmin } from "../../redemption/RedemptionAdmin.ts"
import type { NewBatch, Redemption, RedemptionBatch, RedemptionCode } from "../../redemption/RedemptionBatch.ts"
import type { BatchRefused, CodesUnreadable } from "../../redemption/RedemptionError.ts"
import { CurrentAdmin } from "./AdminAccess.ts"
import { AdminApi } from "./AdminApi.ts"
import {
  ApiConflict,
  ApiNotFound,
  ApiRefused,
  ApiUnavailable,
  orApiAnswer,
  orApiUnavailable,
  refusedField
} from "./ApiError.ts"
import { momentOf, momentOrNull } from "./ApiSchema.ts"

const batchJson = (batch: RedemptionBatch) => ({
  id: batch.id.toString(),
  name: batch.name,
  note: batch.note,
  usd_micros: batch.gift.kind === "balance" ? batch.gift.usdMicros.toString() : null,
  plan: batch.gift.kind === "balance" ? null : {
    code: batch.gift.terms.code,
    name: batch.gift.terms.name,
    duration_days: batch.gift.terms.durationDays
  },
  codes: batch.codes,
  uses_max: batch.usesMax,
  uses: batch.uses,
  state: batch.state,
  expires_at: momentOrNull(batch.expiresAt),
  disabled_at: momentOrNull(batch.disabledAt),
  revision: batch.revision.toString(),
  created_at: momentOf(batch.createdAt),
  created_by: batch.createdBy
})

const codeJson = (code: RedemptionCode) => ({
  id: code.id.toString(),
  hint: code.hint,
  uses: code.uses,
  uses_max: code.usesMax,
  state: code.state
})

const exportedJson = (code: CodeWithText) => ({ ...codeJson(code), code: Redacted.value(code.text) })

const redemptionJson = (redemption: Redemption) => ({
  id: redemption.id.toString(),
  code_id: redemption.codeId.toString(),
  hint: redemption.hint,
  user_id: redemption.userId.toString(),
  email: redemption.email,
  at: momentOf(redemption.at)
})

/** Of lists where nothing else is asked for. */
const LIMIT_DEFAULT = 50

const pageOf = ({ before, limit }: { readonly before?: string; readonly limit?: number }) => ({
  limit: limit ?? LIMIT_DEFAULT,
  before: before === undefined ? undefined : BigInt(before)
})

const fieldNames: Readonly<Record<BatchRefused["fields"][number], readonly [field: string, text: string]>> = {
  name: ["name", "has 1 to 100 characters"],
  note: ["note", "has at most 500 characters, in one line"],
  amount: ["usd_micros", "is more than 0 and at most 10000000000"],
  plan: ["plan_code", "is the code of a plan that is not disabled"],
  codes: ["codes", "is a whole number from 1 to 1000"],
  uses: ["uses_max", "is a whole number from 1 to 100000"],
  expiry: ["expires_at", "is a moment to come"]
}

const refusal = ({ fields, message }: BatchRefused) =>
  new ApiRefused({ message, problems: Object.fromEntries(fields.map((field) => fieldNames[field])) })

interface Asked {
  readonly name: string
  readonly note?: string
  readonly usd_micros?: string
  readonly plan_code?: string
  readonly codes: number
  readonly uses_max?: number
  readonly expires_at?: string
}

const giftOf = ({ plan_code, usd_micros }: Asked): Effect.Effect<NewBatch["gift"], ApiRefused> => {
  if (usd_micros !== undefined && plan_code === undefined) {
    return Effect.succeed({ kind: "balance", usdMicros: BigInt(usd_micros) })
  }
  return plan_code !== undefined && usd_micros === undefined
    ? Effect.succeed({ kind: "plan", planCode: plan_code })
    : Effect.fail(refusedField("usd_micros", "give either this or plan_code"))
}

const newBatch = (asked: Asked): Effect.Effect<NewBatch, ApiRefused> =>
  Effect.gen(function*() {
    const expires = asked.expires_at === undefined ? null : Option.getOrUndefined(DateTime.make(asked.expires_at))
    if (expires === undefined) return yield* refusedField("expires_at", "is a moment in ISO 8601")
    return {
      name: asked.name,
      note: asked.note ?? "",
      gift: yield* giftOf(asked),
      codes: asked.codes,
      usesMax: asked.uses_max ?? 1,
      expiresAt: expires === null ? null : DateTime.toDateUtc(expires)
    }
  })

const noBatch = () => Effect.fail(new ApiNotFound({ message: "There is no such batch." }))
const unreadable = ({ reason }: CodesUnreadable) => Effect.fail(new ApiUnavailable({ message: reason }))

export const CodesHandlers = HttpApiBuilder.group(
  AdminApi,
  "redemption codes",
  Effect.fn(function*(handlers) {
    const admin = yield* RedemptionAdmin
    const found = (id: string) => Effect.catchTag(admin.batch(BigInt(id)), "BatchNotFound", noBatch)
    const setDisabled = Effect.fnUntraced(
      function*(id: string, revision: string, isDisabled: boolean) {
        yield* admin.setDisabled(yield* CurrentAdmin, { id: BigInt(id), revision: BigInt(revision) }, isDisabled)
        return batchJson(yield* admin.batch(BigInt(id)))
      },
      Effect.catchTags({
        BatchNotFound: noBatch,
        ChangedMeanwhile: ({ message }) => Effect.fail(new ApiConflict({ message }))
      }),
      orApiUnavailable
    )
    return handlers.handleAll({
      listBatches: ({ query }) =>
        Effect.map(admin.list({ ...pageOf(query), state: query.state }), (rows) => ({ items: rows.map(batchJson) }))
          .pipe(orApiUnavailable),
      createBatch: Effect.fnUntraced(
        function*({ payload }) {
          const id = yield* admin.create(yield* CurrentAdmin, yield* newBatch(payload))
          return batchJson(yield* Effect.catchTag(admin.batch(id), "BatchNotFound", Effect.die))
        },
        Effect.catchTags({ BatchRefused: (error) => Effect.fail(refusal(error)), CodesUnreadable: unreadable }),
        orApiAnswer
      ),
      getBatch: ({ params }) => Effect.map(found(params.id), batchJson).pipe(orApiUnavailable),
      listCodes: Effect.fnUntraced(function*({ params, query }) {
        const { id } = yield* found(params.id)
        return { items: (yield* admin.codes(id, pageOf(query))).map(codeJson) }
      }, orApiUnavailable),
      listRedemptions: Effect.fnUntraced(function*({ params, query }) {
        const { id } = yield* found(params.id)
        return { items: (yield* admin.redemptions(id, pageOf(query))).map(redemptionJson) }
      }, orApiUnavailable),
      exportCodes: Effect.fnUntraced(
        function*({ params }) {
          const codes = yield* admin.texts(yield* CurrentAdmin, BigInt(params.id))
          return { items: codes.map(exportedJson) }
        },
        Effect.catchTags({ BatchNotFound: noBatch, CodesUnreadable: unreadable }),
        orApiUnavailable
      ),
      disableBatch: ({ params, payload }) => setDisabled(params.id, payload.revision, true),
      enableBatch: ({ params, payload }) => setDisabled(params.id, payload.revision, false),
      disableCode: ({ params }) =>
        Effect.flatMap(
          CurrentAdmin,
          (actor) => admin.disableCode(actor, BigInt(params.id), BigInt(params.code_id))
        ).pipe(
          Effect.catchTag("CodeNotFound", () => Effect.fail(new ApiNotFound({ message: "There is no such code." }))),
          orApiUnavailable
        )
    })
  })
)
