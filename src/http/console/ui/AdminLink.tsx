/**
 * A link within the administration, for those who may follow it. For others it is its plain text, or nothing.
 */
import type { ComponentChildren } from "preact"
import { mayOpen, type PageContext } from "../PageContext.ts"

interface AdminLinkProps {
  readonly context: PageContext
  readonly href: string
  readonly class?: string
  readonly "aria-label"?: string
  /** Whether the text is shown to those who may not follow it. */
  readonly isText?: boolean
  readonly children: ComponentChildren
}

export const AdminLink = ({ children, isText = false, context, ...link }: AdminLinkProps) => {
  if (mayOpen(context, link.href)) return <a {...link}>{children}</a>
  return isText ? <>{children}</> : null
}
