/**
 * `/announcements`: everything that users are told today, dismissed or not; and the form that puts one of it away.
 */
import { Effect } from "effect"
import { AnnouncementId } from "../../../domain/Ids.ts"
import { Announcements } from "../../../settings/Announcements.ts"
import { redirect } from "../Answer.ts"
import { routes, userForm, userPage } from "../ConsoleRoute.ts"
import { AnnouncementText } from "../kit/Announcements.tsx"
import { headedPage } from "../kit/Forms.tsx"
import { Card, Nothing, Panel } from "../kit/Parts.tsx"
import { sayOf, type UserContext } from "../PageContext.ts"
import { localPath, pathId } from "../Params.ts"

const show = Effect.fnUntraced(function*(context: UserContext) {
  const announcements = yield* (yield* Announcements).running(context.now)
  const say = sayOf(context, "announcements")
  return headedPage({
    context,
    title: say("title"),
    children: announcements.length === 0
      ? (
        <Card>
          <Nothing icon="info" title={say("empty")} />
        </Card>
      )
      : announcements.map((announcement) => (
        <Panel key={announcement.id} class="mb-3">
          <AnnouncementText context={context} announcement={announcement} />
        </Panel>
      ))
  })
})

const dismissForm = userForm("/announcements/:id/dismiss", {
  run: (context, fields) =>
    Effect.gen(function*() {
      yield* (yield* Announcements).dismiss(context.user.id, yield* pathId("id", AnnouncementId))
      return redirect(localPath(fields.get("next")) ?? "/")
    })
})

export const AnnouncementRoutes = routes(userPage("/announcements", show), dismissForm)
