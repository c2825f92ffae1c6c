/**
 * Recovery codes as they are shown once: in the answer of the form that made them, and nowhere else.
 */
import { Redacted } from "effect"
import type { AddedFactor } from "../../../identity/SecondFactors.ts"
import { redirect } from "../Answer.ts"
import { SECOND_FACTOR_PATH } from "../ConsoleRoute.ts"
import { headedPage } from "../kit/Forms.tsx"
import { Copyable, Notice, Panel } from "../kit/Parts.tsx"
import { sayOf, type UserContext } from "../PageContext.ts"

export const codesPage = (context: UserContext, codes: Redacted.Redacted<ReadonlyArray<string>>, title: string) => {
  const say = sayOf(context, "secondFactor")
  return headedPage({
    context,
    title,
    children: (
      <>
        <Notice kind="warning">{say("codes.once")}</Notice>
        <Panel title={say("codes")} class="mb-3">
          <Copyable
            id="recovery-codes"
            text={Redacted.value(codes).join("\n")}
            label={say("copy")}
            copied={say("copied")}
          />
        </Panel>
        <a class="btn btn-primary" href="/account">{say("done")}</a>
      </>
    )
  })
}

/** What is answered when a second factor was added: recovery codes with the first, and the page that lists them otherwise. */
export const addedAnswer = (
  context: UserContext,
  { codes, session }: AddedFactor,
  { done, title }: { readonly done: string; readonly title: string }
) =>
  codes === undefined
    ? redirect(`${SECOND_FACTOR_PATH}?done=${done}`, { session })
    : { ...codesPage(context, codes, title), session }
