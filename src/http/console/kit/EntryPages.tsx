/**
 * Pages without navigation that are one card: signing in and what belongs to it.
 */
import type { ComponentChildren } from "preact"
import { type Page, page } from "../Answer.ts"
import type { PageContext } from "../PageContext.ts"

export interface SheetProps {
  readonly title: string
  readonly lead: ComponentChildren
  readonly children?: ComponentChildren
  /** Below the card. */
  readonly below?: ComponentChildren
  readonly status?: number
}

export const sheetPage = ({ below, children, lead, status = 200, title }: SheetProps): Page =>
  page(
    title,
    <>
      <section class="card card-md mt-sm-4">
        <div class="card-body">
          <h1 class="h2 mb-1">{title}</h1>
          <p class="text-secondary mb-4">{lead}</p>
          {children}
        </div>
      </section>
      {below === undefined ? null : <p class="text-center text-secondary mt-3">{below}</p>}
    </>,
    { bare: true, status }
  )

/** Says what has happened, and leads to signing in. */
export const endPage = (context: PageContext, { children, ...sheet }: SheetProps): Page =>
  sheetPage({
    ...sheet,
    children: [children, <a class="btn btn-primary w-100" href="/login">{context.say("action.login")}</a>]
  })
