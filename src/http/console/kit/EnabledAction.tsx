/**
 * How a thing is switched off and on: disabling is asked for on a page of its own, enabling is done at once.
 */
import type { PageContext } from "../PageContext.ts"
import { PostForm } from "../ui/Forms.tsx"

interface EnabledActionProps {
  readonly context: PageContext
  /** Of the thing's own page. */
  readonly path: string
  readonly row: { readonly disabledAt: Date | null; readonly revision?: bigint }
  readonly say: (key: "disable" | "enable") => string
}

export const EnabledAction = ({ path, row, say, context }: EnabledActionProps) =>
  row.disabledAt === null
    ? <a class="btn" href={`${path}/disable`}>{say("disable")}</a>
    : (
      <PostForm context={context} action={`${path}/enable`}>
        {row.revision === undefined ? null : <input type="hidden" name="revision" value={row.revision.toString()} />}
        <button type="submit" class="btn">{say("enable")}</button>
      </PostForm>
    )
