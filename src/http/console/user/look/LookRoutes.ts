/**
 * The choice of language and theme: remembered by cookies, for visitors and users alike.
 */
import { Effect } from "effect"
import { redirect } from "../../Answer.ts"
import { visitorForm } from "../../ConsoleRoute.ts"
import { localPath } from "../../LocalPath.ts"
import { LANGUAGE_COOKIE, THEME_COOKIE, themes } from "../../PageContext.ts"
import { languages } from "../../text/Messages.ts"

const known = (values: ReadonlyArray<string>, text: string | null): text is string =>
  text !== null && values.includes(text)

/** Leads back to the page that it was made on. */
export const LookRoutes = visitorForm("/look", {
  run: (_visit, fields) => {
    const language = fields.get("language")
    const theme = fields.get("theme")
    return Effect.succeed(redirect(localPath(fields.get("next")) ?? "/", {
      choices: {
        ...(known(languages, language) ? { [LANGUAGE_COOKIE]: language } : {}),
        ...(known(themes, theme) ? { [THEME_COOKIE]: theme } : {})
      }
    }))
  }
})
