/**
 * The question before something that is not undone by a click: asked on a page of its own, so that nothing happens by a slip where no
 * script runs either.
 */
import type { ComponentChildren } from "preact"
import type { Problems } from "../Answer.ts"
import type { PageContext } from "../PageContext.ts"
import { FormAlert, PostForm } from "../ui/Forms.tsx"
import { Card, PageHeading } from "../ui/Parts.tsx"

export interface ConfirmProps {
  readonly context: PageContext
  readonly title: string
  /** What will happen. */
  readonly text: string
  /** What the button says, and the link that leaves everything as it is. */
  readonly submit: string
  readonly cancel: string
  /** Where the form is sent, and where the link leads. */
  readonly action: string
  readonly back: string
  /** Of the row as it was shown. */
  readonly revision?: bigint
  readonly problems?: Problems
  /** Above the question: what is at stake. */
  readonly children?: ComponentChildren
}

export const ConfirmPage = (
  { action, back, cancel, children, problems = {}, revision, submit, text, title, context }: ConfirmProps
) => (
  <>
    <PageHeading title={title} />
    <FormAlert state={{ values: new URLSearchParams(), problems }} />
    {children}
    <Card>
      <div class="card-body">
        <p class="break-anywhere">{text}</p>
        <PostForm context={context} action={action} class="btn-list">
          {revision === undefined ? null : <input type="hidden" name="revision" value={revision.toString()} />}
          <button type="submit" class="btn btn-danger">{submit}</button>
          <a class="btn" href={back}>{cancel}</a>
        </PostForm>
      </div>
    </Card>
  </>
)
