/**
 * What a dispute is and has taken, as a pure fold over everything its provider has said of it. The fold looks at the whole set each
 * time, so neither the order of arrival nor a repetition changes its result.
 */

/** One event about a dispute. */
export interface DisputeEvent {
  /** The provider's name of the event. */
  readonly kind: string
  /** The dispute's status in it. */
  readonly status: string
  /** What is disputed, in the payment's minor unit. */
  readonly amountMinor: bigint
  /** What the provider's balance says was taken; null where it does not say. */
  readonly takenMinor: bigint | null
  /** When the event was made, seconds since the epoch. */
  readonly atSeconds: bigint
}

/**
 * `open`: it is decided on. `inquiry`: the payer's bank asks, or the matter was settled before it began; no money has moved. `closed`:
 * it is over. `unknown`: its status is not in the table of this file.
 */
export type DisputeStanding = "open" | "inquiry" | "closed" | "unknown"

export interface DisputeFold<Event extends DisputeEvent> {
  /** The event that says what it is now. */
  readonly newest: Event
  readonly standing: DisputeStanding
  /** What it has taken; undefined: that is not known, what was taken before stays so. */
  readonly takenMinor: bigint | undefined
}

interface Status {
  readonly standing: DisputeStanding
  /** The money is gone, where no balance and no movement says more; undefined: that is not known. */
  readonly takes: boolean | undefined
  /** `answer`: people have to answer it at the provider. `look`: they have to know of it. */
  readonly asks: "answer" | "look" | "nothing"
}

const statuses: ReadonlyMap<string, Status> = new Map<string, Status>([
  ["needs_response", { standing: "open", takes: true, asks: "answer" }],
  ["under_review", { standing: "open", takes: true, asks: "nothing" }],
  ["lost", { standing: "closed", takes: true, asks: "nothing" }],
  ["won", { standing: "closed", takes: false, asks: "nothing" }],
  ["warning_needs_response", { standing: "inquiry", takes: false, asks: "answer" }],
  ["warning_under_review", { standing: "inquiry", takes: false, asks: "look" }],
  ["warning_closed", { standing: "inquiry", takes: false, asks: "nothing" }],
  ["prevented", { standing: "inquiry", takes: false, asks: "look" }]
])

/** The decision on a dispute is appealed against. */
const appealOf = (status: string): Status => ({
  standing: "open",
  takes: true,
  asks: status.endsWith("needs_response") ? "answer" : "nothing"
})

const unknown: Status = { standing: "unknown", takes: undefined, asks: "look" }

const readStatus = (status: string): Status =>
  statuses.get(status) ?? (status.startsWith("appeal_") ? appealOf(status) : unknown)

export const standingOf = (status: string): DisputeStanding => readStatus(status).standing

/** What people have to do about a dispute of that status. */
export const askedOf = (status: string): Status["asks"] => readStatus(status).asks

const WITHDRAWN = "charge.dispute.funds_withdrawn"
const REINSTATED = "charge.dispute.funds_reinstated"

/** Of events of one second, the later of these is the newer. */
const ranks = ["charge.dispute.updated", WITHDRAWN, REINSTATED, "charge.dispute.closed"]

const isNewer = (event: DisputeEvent, than: DisputeEvent): boolean => {
  if (event.atSeconds !== than.atSeconds) return event.atSeconds > than.atSeconds
  const byKind = ranks.indexOf(event.kind) - ranks.indexOf(than.kind)
  if (byKind !== 0) return byKind > 0
  if (event.status !== than.status) return event.status > than.status
  if (event.amountMinor !== than.amountMinor) return event.amountMinor > than.amountMinor
  return (event.takenMinor ?? -1n) > (than.takenMinor ?? -1n)
}

const newestOf = <Event extends DisputeEvent>(events: ReadonlyArray<Event>): Event | undefined =>
  events.reduce<Event | undefined>(
    (newest, event) => newest === undefined || isNewer(event, newest) ? event : newest,
    undefined
  )

/** Folds the events of one dispute; undefined for an empty list. */
export const foldDispute = <Event extends DisputeEvent>(
  events: ReadonlyArray<Event>
): DisputeFold<Event> | undefined => {
  const newest = newestOf(events)
  if (newest === undefined) return undefined
  const { standing, takes } = readStatus(newest.status)
  const moved = newestOf(events.filter(({ kind }) => kind === WITHDRAWN || kind === REINSTATED))
  // Of one second, what moved the money knows the balance better than what closed the dispute.
  const balance = moved !== undefined && moved.atSeconds === newest.atSeconds ? moved.takenMinor : null
  const takenMinor = balance ?? newest.takenMinor ??
    (moved === undefined
      ? takes === undefined ? undefined : takes ? newest.amountMinor : 0n
      : moved.kind === WITHDRAWN
      ? newest.amountMinor
      : 0n)
  return { newest, standing, takenMinor }
}
