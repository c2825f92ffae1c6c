/**
 * Limits of calls on pages: how they are asked for, what is said of one that is wrong, and how they are shown.
 */
import { type RateKind, rateKinds, type RateLimits, rateMaxOf, rateNames } from "../../../domain/CallLimits.ts"
import type { Problems } from "../Answer.ts"
import { type PageContext, sayOf } from "../PageContext.ts"
import type { Input } from "./Inputs.tsx"

/** What each limit is called, what it is for, and how one is said. */
const labels = {
  requestsPerMinute: ["requestsPerMinute", "requestsPerMinute.hint", "requestsPerMinute.value"],
  tokensPerMinute: ["tokensPerMinute", "tokensPerMinute.hint", "tokensPerMinute.value"],
  concurrentCalls: ["concurrentCalls", "concurrentCalls.hint", "concurrentCalls.value"]
} as const

/** What limits are asked for; `initial` are those that there are. */
export const rateInputs = (context: PageContext, initial?: RateLimits): ReadonlyArray<Input> => {
  const say = sayOf(context, "limits")
  return rateKinds.map((kind) => {
    const value = initial === undefined ? null : initial[kind]
    const [label, hint] = labels[kind]
    const input: Input = { is: "integer", name: rateNames[kind], label: say(label), hint: say(hint) }
    return value === null ? input : { ...input, initial: String(value) }
  })
}

export const rateProblems = (context: PageContext, wrong: ReadonlyArray<RateKind>): Problems => {
  const say = sayOf(context, "limits")
  return Object.fromEntries(
    wrong.map((kind) => [rateNames[kind], say("problem", { max: context.formats.count(rateMaxOf(kind)) })])
  )
}

/** A limit as the audit log has it; undefined for anything else. */
export const recordedRate = (context: PageContext, field: string, value: unknown) => {
  const kind = rateKinds.find((one) => rateNames[one] === field)
  return kind === undefined ? undefined : {
    label: sayOf(context, "limits")(labels[kind][0]),
    text: typeof value === "number" ? context.formats.count(value) : "–"
  }
}

interface RateFactsProps {
  readonly context: PageContext
  readonly limits: RateLimits
  /** Said where there is none. */
  readonly none: string
}

/** The limits that there are. */
export const RateFacts = ({ context, limits, none }: RateFactsProps) => {
  const say = sayOf(context, "limits")
  const set = rateKinds.flatMap((kind) => limits[kind] === null ? [] : [[kind, limits[kind]] as const])
  return set.length === 0 ? <>{none}</> : (
    <ul class="list-unstyled mb-0">
      {set.map(([kind, max]) => <li key={kind}>{say(labels[kind][2], { max: context.formats.count(max) })}</li>)}
    </ul>
  )
}
