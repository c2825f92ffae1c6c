/** `/terms`: the terms of use, as root wrote them. */
import { Effect } from "effect"
import { Settings } from "../../../settings/Settings.ts"
import { notFound } from "../Answer.ts"
import { visitorPage } from "../ConsoleRoute.ts"
import { headedPage } from "../kit/Forms.tsx"
import { Linked, Panel } from "../kit/Parts.tsx"
import { sayOf } from "../PageContext.ts"

export const TermsRoutes = visitorPage(
  "/terms",
  Effect.fnUntraced(function*(context) {
    const { terms } = (yield* Settings).current().site
    if (terms === "") return yield* notFound()
    return headedPage({
      context,
      title: sayOf(context, "terms")("title"),
      children: (
        <Panel>
          <div class="lines break-anywhere">
            <Linked text={terms} />
          </div>
        </Panel>
      )
    })
  })
)
