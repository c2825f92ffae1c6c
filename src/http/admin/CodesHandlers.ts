/**
 * Answers `/api/admin/redemption-batches` by the same use cases as the pages.
 */
import { Effect } from "effect"
import { RedemptionAdmin } from "../../redemption/RedemptionAdmin.ts"
import type { NewBatch, RedemptionBatch } from "../../redemption/RedemptionBatch.ts"
import type { BatchRefused } from "../../redemption/RedemptionError.ts"
import { CurrentAdmin } from "./AdminAccess.ts"
import { ApiRefused, dateOf, refusedField } from "./ApiError.ts"
import { answersOf, listed } from "./ApiHandlers.ts"
import { rangeOf } from "./ApiSchema.ts"

const shownBatch = ({ gift, ...batch }: RedemptionBatch) => ({
  ...batch,
  usdMicros: gift.kind === "balance" ? gift.usdMicros : null,
  plan: gift.kind === "balance" ? null : gift.terms
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
  readonly usdMicros?: bigint
  readonly planCode?: string
  readonly codes: number
  readonly usesMax?: number
  readonly expiresAt?: string
}

const giftOf = ({ planCode, usdMicros }: Asked): Effect.Effect<NewBatch["gift"], ApiRefused> => {
  if (usdMicros !== undefined && planCode === undefined) return Effect.succeed({ kind: "balance", usdMicros })
  return planCode !== undefined && usdMicros === undefined
    ? Effect.succeed({ kind: "plan", planCode })
    : Effect.fail(refusedField("usd_micros", "give either this or plan_code"))
}

const newBatch = (asked: Asked): Effect.Effect<NewBatch, ApiRefused> =>
  Effect.gen(function*() {
    const expiresAt = yield* dateOf("expires_at", asked.expiresAt)
    return {
      name: asked.name,
      note: asked.note ?? "",
      gift: yield* giftOf(asked),
      codes: asked.codes,
      usesMax: asked.usesMax ?? 1,
      expiresAt: expiresAt ?? null
    }
  })

export const CodesHandlers = answersOf(
  "redemption codes",
  Effect.gen(function*() {
    const admin = yield* RedemptionAdmin
    const setDisabled = Effect.fnUntraced(function*(id: bigint, revision: bigint, isDisabled: boolean) {
      yield* admin.setDisabled(yield* CurrentAdmin, { id, revision }, isDisabled)
      return shownBatch(yield* admin.batch(id))
    })
    return {
      listBatches: ({ query: { state, ...range } }) =>
        listed(Effect.map(admin.list({ ...rangeOf(range), state }), (batches) => batches.map(shownBatch))),
      createBatch: Effect.fnUntraced(
        function*({ payload }) {
          const id = yield* admin.create(yield* CurrentAdmin, yield* newBatch(payload))
          return shownBatch(yield* Effect.catchTag(admin.batch(id), "BatchNotFound", Effect.die))
        },
        Effect.catchTag("BatchRefused", (error) => Effect.fail(refusal(error)))
      ),
      getBatch: ({ params }) => Effect.map(admin.batch(params.id), shownBatch),
      listCodes: ({ params, query }) =>
        listed(Effect.flatMap(admin.batch(params.id), ({ id }) => admin.codes(id, rangeOf(query)))),
      listRedemptions: ({ params, query }) =>
        listed(Effect.flatMap(admin.batch(params.id), ({ id }) => admin.redemptions(id, rangeOf(query)))),
      exportCodes: ({ params }) => listed(Effect.flatMap(CurrentAdmin, (actor) => admin.texts(actor, params.id))),
      disableBatch: ({ params, payload }) => setDisabled(params.id, payload.revision, true),
      enableBatch: ({ params, payload }) => setDisabled(params.id, payload.revision, false),
      disableCode: ({ params }) =>
        Effect.flatMap(
          CurrentAdmin,
          (actor) => admin.disableCode(actor, { batchId: params.id, codeId: params.code_id })
        )
    }
  })
)
