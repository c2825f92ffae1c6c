/**
 * What administrators do to one thing: each action is asked for on a page of its own, below the thing's page, which says what follows
 * from it. Done, it leads back to the thing's page.
 */
import { Effect } from "effect"
import { MICROS_SCALE, parseDecimal } from "../../../domain/Money.ts"
import {
  emptyForm,
  type FormRefused,
  type NotThere,
  type PageProblem,
  type Problems,
  redirect,
  refuse
} from "../Answer.ts"
import { adminFormPage, type AdminPath, pageForm } from "../ConsoleRoute.ts"
import { askPage, type AskProps } from "../kit/Forms.tsx"
import { proveStaff, withStaffProof } from "../kit/ProofForms.tsx"
import { type PageContext, sayOf, type UserContext } from "../PageContext.ts"
import type { SayOf, TextSection } from "../text/Texts.ts"

interface Acting<S extends TextSection, Subject> {
  readonly context: UserContext
  readonly say: SayOf<S>
  readonly subject: Subject
}

export interface AdminAction<S extends TextSection, Subject, R1, R2> {
  /** The section of its texts. */
  readonly texts: S
  /** The thing that the address names, and what the form says of it. */
  readonly find: Effect.Effect<Subject, PageProblem | NotThere, R1>
  /** The page of the thing. */
  hrefOf(subject: Subject): string
  /** Absent: always. What is not possible is not asked for; a form that was sent is shown again in any case. */
  readonly isPossible?: (subject: Subject) => boolean
  /** The password, and a code, are asked for and judged before anything is done; absent: never. */
  readonly needsProof?: (subject: Subject) => boolean
  /** What is asked; undefined where there is nothing to ask. */
  ask(acting: Acting<S, Subject>): Omit<AskProps, "context" | "state" | "action" | "back"> | undefined
  /** Does it, and says what has been done, for the address. */
  run(
    acting: Acting<S, Subject> & { readonly fields: URLSearchParams }
  ): Effect.Effect<string, FormRefused | PageProblem | NotThere, R2>
}

export const adminAction = <S extends TextSection, Subject, R1, R2>(
  path: AdminPath,
  { ask, find, hrefOf, isPossible = () => true, needsProof = () => false, run, texts }: AdminAction<S, Subject, R1, R2>
) =>
  adminFormPage(
    path,
    pageForm({
      show: Effect.fnUntraced(function*(context, state) {
        const subject = yield* find
        const back = hrefOf(subject)
        const acting = { context, say: sayOf(context, texts), subject }
        const asked = state !== emptyForm || isPossible(subject) ? ask(acting) : undefined
        if (asked === undefined) return redirect(back)
        const form = { context, state, action: context.pathname, back, backText: context.say("cancel"), ...asked }
        return askPage(needsProof(subject) ? { ...form, ...yield* withStaffProof(context, asked.inputs) } : form)
      }),
      run: Effect.fnUntraced(function*(context, fields) {
        const subject = yield* find
        if (needsProof(subject)) yield* proveStaff(context, fields)
        const done = yield* run({ context, say: sayOf(context, texts), subject, fields })
        return redirect(`${hrefOf(subject)}?done=${done}`)
      })
    })
  )

/** The amount that a form asks for, `$5` and `-$5` too; 0, which nothing takes, for what is no amount. */
export const usdIn = (fields: URLSearchParams): bigint =>
  parseDecimal((fields.get("amount") ?? "").trim().replace(/^([+-]?)\$/, "$1"), MICROS_SCALE) ?? 0n

/** Says what is wrong, by the reason that a use case gives: of most forms a note or its key, of each its `own` and all `others`. */
export const refuseFor = (
  { say }: PageContext,
  reason: string,
  own: Readonly<Record<string, Problems>>,
  others: Problems = { form: say("form.malformed") }
): FormRefused => {
  // A form without its key was not made by this site.
  const common: Readonly<Record<string, Problems>> = {
    note: { note: say("note.problem") },
    key: { form: say("form.malformed") }
  }
  return refuse(own[reason] ?? common[reason] ?? others)
}
