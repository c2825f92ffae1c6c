/**
 * A form on a page of its own: its heading, what is wrong with it, its fields, what it does, and the way back.
 */
import type { ComponentChildren } from "preact"
import type { FormState } from "../Answer.ts"
import type { PageContext } from "../PageContext.ts"
import { FormAlert, PostForm } from "../ui/Forms.tsx"
import { Card, PageHeading } from "../ui/Parts.tsx"

export interface FormPageProps {
  readonly context: PageContext
  readonly state: FormState
  readonly title: string
  readonly lead?: ComponentChildren
  /** Where it is sent. */
  readonly action: string
  readonly submit: string
  /** What it does is not easily undone. */
  readonly danger?: boolean
  readonly back: string
  /** "Back" by default. */
  readonly backText?: string | undefined
  readonly children: ComponentChildren
}

export const FormPage = (
  { action, back, backText, children, danger, lead, state, submit, title, context }: FormPageProps
) => (
  <>
    <PageHeading title={title} {...lead === undefined ? {} : { lead }} />
    <Card>
      <PostForm context={context} action={action} class="card-body">
        <FormAlert state={state} />
        {children}
        <div class="btn-list mt-4">
          <button type="submit" class={`btn ${danger === true ? "btn-danger" : "btn-primary"}`}>{submit}</button>
          <a class="btn btn-ghost-secondary" href={back}>{backText ?? context.say("action.back")}</a>
        </div>
      </PostForm>
    </Card>
  </>
)
