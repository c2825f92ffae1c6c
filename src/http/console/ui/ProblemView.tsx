/**
 * The page for what could not be shown or done: what happened, and where to go on from there.
 */
import type { PageContext } from "../PageContext.ts"
import { Icon } from "./Icon.tsx"

export const ProblemView = (
  { again, text, title, context }: {
    readonly context: PageContext
    readonly title: string
    readonly text: string
    /** Where to try again, when that is all there is to do. */
    readonly again?: string
  }
) => (
  <div class="empty">
    <div class="empty-icon text-secondary">
      <Icon name="alert" class="icon-lg" />
    </div>
    <h1 class="empty-title h2">{title}</h1>
    <p class="empty-subtitle text-secondary">{text}</p>
    <div class="empty-action">
      {again !== undefined
        ? <a class="btn btn-primary" href={again}>{context.say("problem.again")}</a>
        : context.user === undefined
        ? <a class="btn btn-primary" href="/login">{context.say("action.login")}</a>
        : <a class="btn btn-primary" href="/">{context.say("action.home")}</a>}
    </div>
  </div>
)
