/**
 * What every page about codes shows of them: what they give, their state, and the way to the next page of a list.
 */
import type { CodeState, Gift } from "../../../../redemption/RedemptionBatch.ts"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { Pager } from "../../ui/Pager.tsx"
import { Badge, type Tone } from "../../ui/Parts.tsx"

const tones: Readonly<Record<CodeState, Tone>> = {
  active: "green",
  used: "blue",
  expired: "yellow",
  disabled: "secondary"
}

export const stateName = (context: UserContext, state: CodeState): string => {
  const say = sayOf(context, "codes")
  return ({
    active: say("active"),
    used: say("state.used"),
    expired: say("expired"),
    disabled: say("state.disabled")
  })[state]
}

export const StateBadge = ({ state, context }: { readonly context: UserContext; readonly state: CodeState }) => (
  <Badge tone={tones[state]}>{stateName(context, state)}</Badge>
)

/** What one use of a code gives, in words. */
export const giftName = (context: UserContext, gift: Gift): string => {
  const say = sayOf(context, "codes")
  return gift.kind === "balance"
    ? say("gives.balance", { amount: context.formats.usd(gift.usdMicros) })
    : say("gives.plan", { name: gift.terms.name, days: gift.terms.durationDays })
}

/** How many uses there have been of how many there may be. */
export const usesText = (context: UserContext, uses: number, max: number): string =>
  sayOf(context, "codes")("redeemed.of", { uses: context.formats.count(uses), max: context.formats.count(max) })

/** The page's address with one list's part of its query changed, the others kept; what a notice left is not. */
const linkWith = (context: UserContext, path: string, name: string, before: bigint | undefined): string => {
  const query = new URLSearchParams(context.isForm ? "" : context.query)
  query.delete("done")
  query.delete(name)
  if (before !== undefined) query.set(name, before.toString())
  return query.size === 0 ? path : `${path}?${query}`
}

/** To older rows, and back to the newest. `name` is the list's own part of the query. */
export const ListPager = (
  { name, older, path, context }: {
    readonly context: UserContext
    readonly path: string
    readonly name: string
    /** The last row shown, where there are older ones. */
    readonly older: bigint | undefined
  }
) => {
  const say = sayOf(context, "codes")
  const isFirst = context.isForm || !context.query.has(name)
  return (
    <Pager
      newest={isFirst ? undefined : { href: linkWith(context, path, name, undefined), text: say("newest") }}
      older={older === undefined ? undefined : { href: linkWith(context, path, name, older), text: say("older") }}
    />
  )
}
