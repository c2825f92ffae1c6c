/**
 * How a test steers the simulated upstream and what it learns of it: behaviours for the next or for every request,
 * gates that hold answers back, and a record of each request. One can wait for all of it; nothing needs a sleep.
 */
import type { Buffer } from "node:buffer"
import type { IncomingHttpHeaders } from "node:http"
import { SimulatorGates } from "../http/SimulatorGates.ts"
import type { Behaviour } from "./UpstreamBehaviour.ts"

/** A behaviour, for all models or for one, with all keys or with one. */
export interface BehaviourRule extends Behaviour {
  readonly model?: string
  readonly key?: string
}

/** What the upstream saw of one request to `/v1/*`. It goes on changing until `closed` is resolved. */
export interface UpstreamRequest {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  /** The parsed body; undefined when it was not JSON. */
  readonly json: unknown
  status: number
  framesSent: number
  /** Output tokens of the frames sent. */
  tokensSent: number
  /** The client closed the connection before the answer had ended. */
  aborted: boolean
  /** The answer has ended, or the connection is closed. */
  ended: boolean
  readonly closed: Promise<void>
}

/** Requests kept in the record; the oldest are forgotten. */
export const RECORDED_REQUESTS_MAX = 10_000

export class UpstreamControl extends SimulatorGates {
  readonly requests: Array<UpstreamRequest> = []
  /** All requests to `/v1/*`, recorded or not. */
  seen = 0
  active = 0
  aborted = 0
  private readonly once: Array<BehaviourRule> = []
  private standing: ReadonlyArray<BehaviourRule> = []

  /** The next request, of the rule's model if it names one, behaves so. Rules are used in the order they came. */
  next(rule: BehaviourRule): void {
    this.once.push(rule)
  }

  /** Every request behaves so, of the rule's model and key if it names them; takes the place of the earlier rule for them. */
  always(rule: BehaviourRule): void {
    const others = this.standing.filter((other) => other.model !== rule.model || other.key !== rule.key)
    this.standing = [...others, rule]
  }

  /** Forgets all rules. */
  reset(): void {
    this.once.length = 0
    this.standing = []
  }

  get isIdle(): boolean {
    return this.once.length === 0 && this.standing.length === 0
  }

  /** What the rules say about a request for `model` with `key`; uses up a rule for the next one. */
  take(model: string, key: string): Behaviour {
    if (this.isIdle) return {}
    const matches = (rule: BehaviourRule): boolean =>
      (rule.model === undefined || rule.model === model) && (rule.key === undefined || rule.key === key)
    const index = this.once.findIndex(matches)
    const behaviour: Behaviour = {}
    return Object.assign(
      behaviour,
      ...this.standing.filter(matches),
      ...(index < 0 ? [] : this.once.splice(index, 1))
    )
  }

  record(request: UpstreamRequest): void {
    if (this.requests.length === RECORDED_REQUESTS_MAX) this.requests.shift()
    this.requests.push(request)
  }
}
