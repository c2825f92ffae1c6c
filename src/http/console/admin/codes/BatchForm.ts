/**
 * The form of a new batch of codes, and what it means. A field that cannot be read is taken for a value that no batch may have, so
 * that `RedemptionAdmin` refuses all wrong fields at once.
 */
import { DateTime } from "effect"
import { MICROS_SCALE, parseDecimal } from "../../../../domain/Money.ts"
import { CODES_MAX, GIFT_MICROS_MAX, type NewBatch, USES_MAX } from "../../../../redemption/RedemptionBatch.ts"
import type { BatchRefused } from "../../../../redemption/RedemptionError.ts"
import type { GivablePlan } from "../../../../subscriptions/GivablePlans.ts"
import type { FormState, Page, Problems } from "../../Answer.ts"
import { askPage } from "../../kit/Forms.tsx"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { endOfDay } from "../../Params.ts"

/** Of the choice what codes give; a plan is `plan:` and its code. */
const GIVES_BALANCE = "balance"
const GIVES_PLAN = "plan:"

const NAME_LENGTH_MAX = 100
const NOTE_LENGTH_MAX = 500

export const newBatchPage = (context: UserContext, state: FormState, plans: ReadonlyArray<GivablePlan>): Page => {
  const say = sayOf(context, "codes")
  const gifts = plans.map(({ code, durationDays, name }) =>
    [`${GIVES_PLAN}${code}`, say("gift.plan", { name, days: durationDays })] as const
  )
  const one = { is: "integer", initial: "1", required: true } as const
  return askPage({
    context,
    state,
    title: say("new"),
    action: "/admin/codes/new",
    submit: say("submit"),
    back: "/admin/codes",
    inputs: [
      {
        name: "name",
        label: say("name"),
        hint: say("name.hint"),
        maxlength: NAME_LENGTH_MAX,
        required: true,
        autofocus: true
      },
      [
        {
          is: "select",
          name: "gives",
          label: say("gift"),
          hint: say("gift.hint"),
          options: [[GIVES_BALANCE, say("gift.balance")], ...gifts]
        },
        { is: "usd", name: "amount", label: say("amount"), hint: say("amount.hint") },
        {
          ...one,
          name: "codes",
          label: say("count"),
          hint: say("count.hint", { max: context.formats.count(CODES_MAX) })
        },
        { ...one, name: "uses", label: say("uses"), hint: say("uses.hint") },
        {
          is: "date",
          name: "expiry",
          label: say("expiry"),
          hint: say("expiry.hint", { zone: context.formats.timeZone })
        },
        { name: "note", label: say("note"), hint: say("note.hint"), maxlength: NOTE_LENGTH_MAX }
      ]
    ]
  })
}

const countOf = (text: string | null): number => /^\s*\d{1,9}\s*$/.test(text ?? "") ? Number(text) : 0

const expiryOf = (text: string, timeZone: string): Date | null =>
  text === "" ? null : endOfDay(text, timeZone) ?? DateTime.toDateUtc(DateTime.makeUnsafe(0))

export const readBatchForm = (context: UserContext, fields: URLSearchParams): NewBatch => {
  const gives = fields.get("gives") ?? ""
  return {
    name: fields.get("name") ?? "",
    note: fields.get("note") ?? "",
    gift: gives === GIVES_BALANCE
      ? { kind: "balance", usdMicros: parseDecimal(fields.get("amount") ?? "", MICROS_SCALE) ?? 0n }
      : { kind: "plan", planCode: gives.startsWith(GIVES_PLAN) ? gives.slice(GIVES_PLAN.length) : "" },
    codes: countOf(fields.get("codes")),
    usesMax: countOf(fields.get("uses")),
    expiresAt: expiryOf((fields.get("expiry") ?? "").trim(), context.formats.timeZone)
  }
}

/** Why there is no such batch, beside each field. */
export const batchProblems = (context: UserContext, { fields }: BatchRefused): Problems => {
  const say = sayOf(context, "codes")
  const { count, usd } = context.formats
  const texts: Readonly<Record<BatchRefused["fields"][number], readonly [field: string, text: string]>> = {
    name: ["name", say("problem.name")],
    note: ["note", say("note.problem")],
    amount: ["amount", say("amount.problem", { max: usd(GIFT_MICROS_MAX) })],
    plan: ["gives", say("gift.problem")],
    codes: ["codes", say("count.problem", { max: count(CODES_MAX) })],
    uses: ["uses", say("uses.problem", { max: count(USES_MAX) })],
    expiry: ["expiry", say("problem.day")]
  }
  return Object.fromEntries(fields.map((field) => texts[field]))
}
