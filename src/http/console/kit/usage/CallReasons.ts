/**
 * Why a call was refused or did not end as it should, in words: of the code that its client saw, or of the reason that its row has.
 */
import type { PageContext } from "../../PageContext.ts"
import { sayNamed } from "../../text/Texts.ts"

/** A code without words, such as one that an upstream made up, is said as it is. */
export const callReason = ({ language }: Pick<PageContext, "language">, code: string): string =>
  sayNamed(language, "callReason", code)
