/**
 * The choice of language and theme: remembered by cookies, for visitors and users alike.
 */
import { Effect } from "effect"
import { redirect } from "../../Answer.ts"
import { visitorForm } from "../../ConsoleRoute.ts"
import { localPath } from "../../LocalPath.ts"
import { LANGUAGE_COOKIE, THEME_COOKIE, themes } from "../../PageContext.ts"
import { languages } from "../../text/Messages.ts"

/** Leads back to the page that it was made on. */
export const LookRoutes = visitorForm("/look", {
  run: (_context, fields) => {
    const language = languages.find((known) => known === fields.get("language"))
    const theme = themes.find((known) => known === fields.get("theme"))
    return Effect.succeed(redirect(localPath(fields.get("next")) ?? "/", {
      choices: {
        ...(language === undefined ? {} : { [LANGUAGE_COOKIE]: language }),
        ...(theme === undefined ? {} : { [THEME_COOKIE]: theme })
      }
    }))
  }
})
