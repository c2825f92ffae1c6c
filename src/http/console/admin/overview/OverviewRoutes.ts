/**
 * `/admin`: where the administration begins, for root alone.
 */
import { Effect } from "effect"
import { page } from "../../Answer.ts"
import { rootPage } from "../../ConsoleRoute.ts"
import { OverviewView } from "./OverviewView.tsx"

export const OverviewRoutes = rootPage(
  "/admin",
  (visit) => Effect.succeed(page(visit.say("nav.admin"), OverviewView({ visit })))
)
