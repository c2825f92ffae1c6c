/**
 * A page without navigation that is one card, such as signing in; and the same where all there is to do is to sign in.
 */
import type { ComponentChildren } from "preact"
import { type Page, page } from "../Answer.ts"
import type { PageContext } from "../PageContext.ts"
import { Sheet } from "../ui/Sheet.tsx"

interface SheetPageProps {
  readonly title: string
  readonly lead: ComponentChildren
  readonly children?: ComponentChildren
  /** Below the card. */
  readonly below?: ComponentChildren
  readonly status?: number
}

export const sheetPage = ({ below, children, lead, status = 200, title }: SheetPageProps): Page =>
  page(
    title,
    <>
      <Sheet title={title} lead={lead}>{children}</Sheet>
      {below === undefined ? null : <p class="text-center text-secondary mt-3">{below}</p>}
    </>,
    { bare: true, status }
  )

/** Says what has happened, and leads to signing in. */
export const loginSheet = (context: PageContext, { children, ...props }: SheetPageProps): Page =>
  sheetPage({
    ...props,
    children: (
      <>
        {children}
        <a class="btn btn-primary w-100" href="/login">{context.say("action.login")}</a>
      </>
    )
  })
