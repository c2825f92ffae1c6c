/**
 * The mails that the page at hand may ask for, with the name and the address of this site.
 */
import { Effect } from "effect"
import { PublicAddress } from "../../../platform/PublicAddress.ts"
import { Settings } from "../../../settings/Settings.ts"
import type { PageContext } from "../PageContext.ts"
import { mailsIn } from "../text/Mails.ts"

export const mailsOf = (context: PageContext) =>
  Effect.gen(function*() {
    const url = (yield* PublicAddress).url()
    const { name } = (yield* Settings).current().site
    return mailsIn(context, { name, url })
  })
