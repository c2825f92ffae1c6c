/**
 * How a thing is switched off and on: disabling is asked for on a page of its own, enabling is done at once.
 */
import type { PageContext } from "../PageContext.ts"
import { PostForm } from "../ui/Forms.tsx"

/** Where a thing with a page of its own is switched off and on. */
export const switchOf = (path: string) => ({ disable: `${path}/disable`, enable: `${path}/enable` })

interface EnabledActionProps {
  readonly context: PageContext
  /** Of the page that asks, and where the form that enables is sent. */
  readonly paths: { readonly disable: string; readonly enable: string }
  readonly row: { readonly disabledAt: Date | null; readonly revision?: bigint }
  readonly say: (key: "disable" | "enable") => string
}

export const EnabledAction = ({ paths, row, say, context }: EnabledActionProps) =>
  row.disabledAt === null
    ? <a class="btn" href={paths.disable}>{say("disable")}</a>
    : (
      <PostForm context={context} action={paths.enable}>
        {row.revision === undefined ? null : <input type="hidden" name="revision" value={row.revision.toString()} />}
        <button type="submit" class="btn">{say("enable")}</button>
      </PostForm>
    )
