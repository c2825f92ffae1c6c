/**
 * The page of a row that administrators change: its form, or what it is where config.yaml has it; what has been done to it; and how it
 * is switched off and on. A form that was overtaken shows what the row is now beside what was typed.
 */
import type { ComponentChildren } from "preact"
import type { FormState } from "../Answer.ts"
import type { PageContext } from "../PageContext.ts"
import { FormAlert, Notice, PostForm } from "../ui/Forms.tsx"
import { Card, PageHeading } from "../ui/Parts.tsx"
import { EnabledAction } from "./EnabledAction.tsx"

const doneKeys = ["done.created", "done.changed", "done.enabled", "done.disabled"] as const

/**
 * The page's own texts. `declared.text` is said of a row that config.yaml has, `now` above what the row is now, and `done.*` by what
 * has just been done, as the address says.
 */
type EditKey = "disable" | "enable" | "declared.text" | "now" | typeof doneKeys[number]

export interface EditPageProps {
  readonly context: PageContext
  readonly state: FormState
  readonly title: string
  readonly lead?: ComponentChildren
  readonly row: { readonly revision: bigint; readonly disabledAt: Date | null; readonly declared: boolean }
  /** The revision that the form is filled in on. */
  readonly revision: string
  readonly paths: { readonly list: string; readonly edit: string; readonly disable: string; readonly enable: string }
  readonly say: (key: EditKey) => string
  /** What the row is, to be read. */
  readonly facts: ComponentChildren
  /** Above the form, whatever it is. */
  readonly above?: ComponentChildren
  /** The inputs of the form. */
  readonly children: ComponentChildren
}

const Done = ({ say, context }: EditPageProps) => {
  const key = doneKeys.find((known) => known === `done.${context.query.get("done")}`)
  return context.isForm || key === undefined ? null : <Notice kind="success">{say(key)}</Notice>
}

export const EditPage = (props: EditPageProps) => {
  const { above, children, facts, lead, paths, revision, row, say, state, title, context } = props
  const isOvertaken = state.problems["meanwhile"] !== undefined
  const back = context.say("action.back")
  return (
    <>
      <PageHeading title={title} {...lead === undefined ? {} : { lead }}>
        {row.declared ? undefined : <EnabledAction {...props} />}
      </PageHeading>
      <Done {...props} />
      <FormAlert state={state} />
      {row.declared && state.problems["form"] === undefined
        ? <Notice kind="info">{say("declared.text")}</Notice>
        : null}
      {above}
      {row.declared || isOvertaken
        ? <Card class="mb-3" {...isOvertaken ? { title: say("now") } : {}}>{facts}</Card>
        : null}
      {row.declared
        ? <a class="btn" href={paths.list}>{back}</a>
        : (
          <Card>
            <PostForm context={context} action={paths.edit} class="card-body">
              <input type="hidden" name="revision" value={revision} />
              {children}
              <div class="btn-list mt-4">
                <button type="submit" class="btn btn-primary">{context.say("action.save")}</button>
                <a class="btn btn-ghost-secondary" href={paths.list}>{back}</a>
              </div>
            </PostForm>
          </Card>
        )}
    </>
  )
}
