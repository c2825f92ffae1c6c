/**
 * How many calls out of all, in percent with one decimal.
 */
import type { PageContext } from "../../PageContext.ts"

export const percentText = ({ formats }: Pick<PageContext, "formats">, part: number, whole: number): string =>
  formats.count(Math.round((part / whole) * 1_000) / 10)
