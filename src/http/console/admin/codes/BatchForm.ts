/**
 * The forms of a new batch of codes and of what may be changed of one, and what is said of one that was refused.
 */
import type { GroupChoice } from "../../../../accounts/UserGroups.ts"
import { expiryText, GIVES_BALANCE, givesPlan } from "../../../../redemption/BatchForm.ts"
import { CODES_MAX, GIFT_MICROS_MAX, type RedemptionBatch, USES_MAX } from "../../../../redemption/RedemptionBatch.ts"
import type { BatchRefused } from "../../../../redemption/RedemptionError.ts"
import type { GivablePlan } from "../../../../subscriptions/GivablePlans.ts"
import type { FormState, Page, Problems } from "../../Answer.ts"
import { askPage } from "../../kit/Forms.tsx"
import type { Input } from "../../kit/Inputs.tsx"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { groupChoice } from "../groups/GroupParts.ts"

const NAME_LENGTH_MAX = 100
const NOTE_LENGTH_MAX = 500

const nameInput = (context: UserContext): Input => {
  const say = sayOf(context, "codes")
  return {
    name: "name",
    label: say("name"),
    hint: say("name.hint"),
    maxlength: NAME_LENGTH_MAX,
    required: true,
    autofocus: true
  }
}

const expiryInput = (context: UserContext): Input => {
  const say = sayOf(context, "codes")
  const hint = say("expiry.hint", { zone: context.formats.timeZone })
  return { is: "date", name: "expiry", label: say("expiry"), hint }
}

const batchNoteInput = (context: UserContext): Input => {
  const say = sayOf(context, "codes")
  return { name: "note", label: say("note"), hint: say("note.hint"), maxlength: NOTE_LENGTH_MAX }
}

export const newBatchPage = (
  context: UserContext,
  state: FormState,
  { groups, plans }: { readonly plans: ReadonlyArray<GivablePlan>; readonly groups: ReadonlyArray<GroupChoice> }
): Page => {
  const say = sayOf(context, "codes")
  const gifts = plans.map(({ code, durationDays, name }) =>
    [givesPlan(code), say("gift.plan", { name, days: durationDays })] as const
  )
  const one = { is: "integer", initial: "1", required: true } as const
  return askPage({
    context,
    state,
    title: say("new"),
    action: "/admin/codes/new",
    submit: say("submit"),
    back: "/admin/codes",
    once: true,
    inputs: [
      nameInput(context),
      [
        {
          is: "select",
          name: "gives",
          label: say("gift"),
          hint: say("gift.hint"),
          options: [[GIVES_BALANCE, say("gift.balance")], ...gifts]
        },
        { is: "usd", name: "amount", label: say("amount"), hint: say("amount.hint") },
        ...groups.length === 0
          ? []
          : [groupChoice(groups, { label: say("group"), hint: say("group.hint"), none: say("group.none") })],
        {
          ...one,
          name: "codes",
          label: say("count"),
          hint: say("count.hint", { max: context.formats.count(CODES_MAX) })
        },
        { ...one, name: "uses", label: say("uses"), hint: say("uses.hint") },
        expiryInput(context),
        batchNoteInput(context)
      ]
    ]
  })
}

/** What of a batch may be changed, and what it has now. */
export const editBatchPage = (context: UserContext, state: FormState, batch: RedemptionBatch): Page => {
  const say = sayOf(context, "codes")
  const path = `/admin/codes/${batch.id}`
  const expiry = expiryText(batch.expiresAt, context.formats.timeZone)
  return askPage({
    context,
    state,
    title: say("edit.title"),
    lead: batch.name,
    action: `${path}/edit`,
    submit: context.say("action.save"),
    back: path,
    revision: batch.revision,
    text: say("edit.text"),
    inputs: [
      { ...nameInput(context), initial: batch.name },
      { ...expiryInput(context), initial: expiry },
      { ...batchNoteInput(context), initial: batch.note }
    ]
  })
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
    group: ["group", say("problem.choice")],
    codes: ["codes", say("count.problem", { max: count(CODES_MAX) })],
    uses: ["uses", say("uses.problem", { max: count(USES_MAX) })],
    expiry: ["expiry", say("problem.day")],
    // A form without its key was not made by this site.
    key: ["form", context.say("form.malformed")]
  }
  return Object.fromEntries(fields.map((field) => texts[field]))
}
