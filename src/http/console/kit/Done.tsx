/**
 * What has just been done, as the address says after a form: `?done=created`.
 */
import type { PageContext } from "../PageContext.ts"
import { Notice } from "../ui/Forms.tsx"

interface DoneProps {
  readonly context: PageContext
  /** What is said, by what the address says. A kind is given where it has not simply gone right. */
  readonly texts: Readonly<Record<string, string | readonly [kind: "warning" | "danger", text: string]>>
}

export const Done = ({ texts, context }: DoneProps) => {
  const done = context.query.get("done")
  const said = done === null || context.isForm || !Object.hasOwn(texts, done) ? undefined : texts[done]
  if (said === undefined) return null
  const [kind, text] = typeof said === "string" ? ["success" as const, said] : said
  return <Notice kind={kind}>{text}</Notice>
}
