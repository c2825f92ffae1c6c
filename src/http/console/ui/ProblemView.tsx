/**
 * The page for what could not be shown or done: what happened, and where to go on from there.
 */
import type { Visit } from "../Visit.ts"
import { Icon } from "./Icon.tsx"

export const ProblemView = (
  { again, text, title, visit }: {
    readonly visit: Visit
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
        ? <a class="btn btn-primary" href={again}>{visit.say("problem.again")}</a>
        : visit.user === undefined
        ? <a class="btn btn-primary" href="/login">{visit.say("action.login")}</a>
        : <a class="btn btn-primary" href="/">{visit.say("action.home")}</a>}
    </div>
  </div>
)
