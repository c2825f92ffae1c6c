/**
 * What every page about codes shows of them: what they give, their state, and the way to the next page of a list.
 */
import type { CodeState, Gift } from "../../../../redemption/RedemptionBatch.ts"
import { Pager } from "../../ui/Pager.tsx"
import { Badge, type Tone } from "../../ui/Parts.tsx"
import { sayOf, type UserVisit } from "../../Visit.ts"
import { codesText } from "./CodesText.ts"

const tones: Readonly<Record<CodeState, Tone>> = {
  active: "green",
  used: "blue",
  expired: "yellow",
  disabled: "secondary"
}

export const stateName = (visit: UserVisit, state: CodeState): string => {
  const say = sayOf(visit, codesText)
  return ({
    active: say("state.active"),
    used: say("state.used"),
    expired: say("state.expired"),
    disabled: say("state.disabled")
  })[state]
}

export const StateBadge = ({ state, visit }: { readonly visit: UserVisit; readonly state: CodeState }) => (
  <Badge tone={tones[state]}>{stateName(visit, state)}</Badge>
)

/** What one use of a code gives, in words. */
export const giftName = (visit: UserVisit, gift: Gift): string => {
  const say = sayOf(visit, codesText)
  return gift.kind === "balance"
    ? say("gives.balance", { amount: visit.formats.usd(gift.usdMicros) })
    : say("gives.plan", { name: gift.terms.name, days: visit.formats.count(gift.terms.durationDays) })
}

/** How many uses there have been of how many there may be. */
export const usesText = (visit: UserVisit, uses: number, max: number): string =>
  sayOf(visit, codesText)("redeemed.of", { uses: visit.formats.count(uses), max: visit.formats.count(max) })

/** The page's address with one list's part of its query changed, the others kept; what a notice left is not. */
const linkWith = (visit: UserVisit, path: string, name: string, before: bigint | undefined): string => {
  const query = new URLSearchParams(visit.isForm ? "" : visit.query)
  query.delete("done")
  query.delete(name)
  if (before !== undefined) query.set(name, before.toString())
  return query.size === 0 ? path : `${path}?${query}`
}

/** To older rows, and back to the newest. `name` is the list's own part of the query. */
export const ListPager = (
  { name, older, path, visit }: {
    readonly visit: UserVisit
    readonly path: string
    readonly name: string
    /** The last row shown, where there are older ones. */
    readonly older: bigint | undefined
  }
) => {
  const say = sayOf(visit, codesText)
  const isFirst = visit.isForm || !visit.query.has(name)
  return (
    <Pager
      newest={isFirst ? undefined : { href: linkWith(visit, path, name, undefined), text: say("newest") }}
      older={older === undefined ? undefined : { href: linkWith(visit, path, name, older), text: say("older") }}
    />
  )
}
