/**
 * How a simulated payment provider calls back: one HTTP request at a time or many, again after a short while when the
 * answer is not what it should be, a bounded number of times, and never after it was closed.
 */
/* oxlint-disable no-await-in-loop -- one try after the other */
import { Buffer } from "node:buffer"
import { Agent, request } from "undici"
import { pause } from "./SimulatorFaults.ts"
import type { SimulatorGates } from "./SimulatorGates.ts"

const CONNECTIONS_MAX = 32
const ANSWER_TIMEOUT_MS = 30_000
const ANSWER_BYTES_MAX = 64 * 1024
/** Deliveries kept in the record; the oldest are forgotten. */
const DELIVERIES_MAX = 100_000
/** Between one try and the next; there is one try more than there are delays. */
const RETRY_DELAYS_MS: ReadonlyArray<number> = [50, 200, 800]

export interface Message {
  readonly method: "GET" | "POST"
  readonly url: string
  readonly headers: { readonly [name: string]: string }
  readonly body?: string
}

/** One try, and what was answered to it. */
export interface Delivery {
  /** What the message was about: an event's or an order's id. */
  readonly about: string
  readonly attempt: number
  readonly url: string
  /** 0 when there was no answer. */
  readonly status: number
  readonly body: string
}

/** How often and how a message is sent by hand. */
export interface Repeat {
  readonly times?: number
  /** All at once, not one after the other. */
  readonly concurrent?: boolean
}

export class SimulatorSender {
  readonly deliveries: Array<Delivery> = []
  private readonly agent = new Agent({ connections: CONNECTIONS_MAX })
  private readonly closing: AbortSignal
  private readonly gates: SimulatorGates
  private readonly retryDelaysMs: ReadonlyArray<number>
  private underWay = 0

  constructor(gates: SimulatorGates, closing: AbortSignal, retryDelaysMs = RETRY_DELAYS_MS) {
    this.gates = gates
    this.closing = closing
    this.retryDelaysMs = retryDelaysMs
  }

  /** Resolves when nothing is being sent and no retry is due. */
  idle(): Promise<void> {
    return this.gates.until(() => this.underWay === 0)
  }

  /** Sends what `make` makes, as often as asked. */
  async send(about: string, make: () => Message, { concurrent = false, times = 1 }: Repeat): Promise<Array<Delivery>> {
    if (concurrent) return Promise.all(Array.from({ length: times }, () => this.attempt(about, make(), 1)))
    const sent: Array<Delivery> = []
    for (let index = 0; index < times; index++) sent.push(await this.attempt(about, make(), 1))
    return sent
  }

  /** Sends until it is accepted or the tries are used up. Resolves with the first try; the others follow it. */
  persist(about: string, make: () => Message, accepts: (delivery: Delivery) => boolean): Promise<Delivery> {
    const { promise, resolve } = Promise.withResolvers<Delivery>()
    void this.counted(async () => {
      let delivery = await this.attempt(about, make(), 1)
      resolve(delivery)
      for (const [index, delayMs] of this.retryDelaysMs.entries()) {
        if (accepts(delivery)) return
        await pause(delayMs, this.closing)
        if (this.closing.aborted) return
        delivery = await this.attempt(about, make(), index + 2)
      }
    })
    return promise
  }

  /** To be called when `closing` is aborted. */
  close(): Promise<void> {
    return this.agent.destroy()
  }

  private async counted<A>(work: () => Promise<A>): Promise<A> {
    this.underWay++
    try {
      return await work()
    } finally {
      this.underWay--
      this.gates.changed()
    }
  }

  private attempt(about: string, message: Message, attempt: number): Promise<Delivery> {
    return this.counted(async () => {
      const { body, status } = await this.exchange(message).catch(() => ({ status: 0, body: "" }))
      const delivery: Delivery = { about, attempt, url: message.url, status, body }
      if (this.deliveries.length === DELIVERIES_MAX) this.deliveries.shift()
      this.deliveries.push(delivery)
      return delivery
    })
  }

  private async exchange({ body, headers, method, url }: Message): Promise<{ status: number; body: string }> {
    const answer = await request(url, {
      dispatcher: this.agent,
      method,
      headers,
      ...(body === undefined ? {} : { body }),
      signal: AbortSignal.any([this.closing, AbortSignal.timeout(ANSWER_TIMEOUT_MS)])
    })
    const chunks: Array<Buffer> = []
    let bytes = 0
    for await (const chunk of answer.body) {
      const piece = Buffer.from(chunk)
      chunks.push(piece)
      bytes += piece.length
      if (bytes > ANSWER_BYTES_MAX) break
    }
    return { status: answer.statusCode, body: Buffer.concat(chunks).toString("utf8") }
  }
}
