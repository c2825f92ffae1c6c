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
 * it is over. `unknown`: its status is none that is known.
 */
export type DisputeStanding = "open" | "inquiry" | "closed" | "unknown"

export interface DisputeFold<Event extends DisputeEvent> {
  /** The event that says what it is now. */
  readonly newest: Event
  readonly standing: DisputeStanding
  /** What it has taken; undefined: that is not known, what was taken before stays so. */
  readonly takenMinor: bigint | undefined
}

/** Statuses with what they say where nothing says more: whether it is over, and whether the money is gone. */
const statuses: ReadonlyMap<string, { readonly standing: DisputeStanding; readonly takes: boolean }> = new Map([
  ["needs_response", { standing: "open", takes: true }],
  ["under_review", { standing: "open", takes: true }],
  ["lost", { standing: "closed", takes: true }],
  ["won", { standing: "closed", takes: false }],
  ["warning_needs_response", { standing: "inquiry", takes: false }],
  ["warning_under_review", { standing: "inquiry", takes: false }],
  ["warning_closed", { standing: "inquiry", takes: false }],
  ["prevented", { standing: "inquiry", takes: false }]
])

const unknown = { standing: "unknown", takes: undefined } as const

const readStatus = (status: string) =>
  statuses.get(status) ??
    (status.startsWith("appeal_") ? { standing: "open", takes: true } as const : unknown)

export const standingOf = (status: string): DisputeStanding => readStatus(status).standing

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

/** Folds the events of one dispute; undefined when there are none. */
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
