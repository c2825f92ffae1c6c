/**
 * How forms ask for a group of users: one of those that there are, each with its multiplier, or none.
 */
import type { GroupChoice } from "../../../../accounts/UserGroups.ts"
import { formatDecimal, MICROS_SCALE } from "../../../../domain/Money.ts"
import type { Choice } from "../../kit/Inputs.tsx"

/** A multiplier, such as `× 0.8`. */
export const timesText = (multiplierMicros: bigint): string =>
  `× ${formatDecimal(multiplierMicros, { scale: MICROS_SCALE })}`

/** `none`: what it means to choose none of them. */
export const groupChoice = (
  groups: ReadonlyArray<GroupChoice>,
  { hint, initial = "", label, name = "group", none }: {
    readonly label: string
    readonly hint: string
    readonly none: string
    readonly name?: string
    readonly initial?: string
  }
): Choice => ({
  is: "select",
  name,
  label,
  hint,
  initial,
  options: [
    ["", none],
    ...groups.map(({ code, multiplierMicros, name: title }) =>
      [code, `${title} (${timesText(multiplierMicros)})`] as const
    )
  ]
})
