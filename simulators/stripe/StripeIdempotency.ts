/**
 * Stripe's idempotency keys: the first answer to a key is kept, and repeated for the same request; another request under
 * the same key is refused. A request that was refused for its parameters has not begun, and keeps nothing.
 */
import { createHash } from "node:crypto"
import type { SimulatorReply, SimulatorRequest } from "../http/SimulatorServer.ts"
import { idempotencyConflict, StripeRefused } from "./StripeRefused.ts"

/** Keys kept; the oldest are forgotten. */
const KEYS_MAX = 10_000

interface Kept {
  readonly fingerprint: string
  readonly reply: SimulatorReply
}

const fingerprintOf = ({ body, method, path }: SimulatorRequest): string =>
  createHash("sha256").update(`${method} ${path}\n${body}`).digest("hex")

export class StripeIdempotency {
  private readonly kept = new Map<string, Kept>()

  /** The answer kept for the key; throws `StripeRefused` when the key belongs to another request. */
  replay(key: string, request: SimulatorRequest): SimulatorReply | undefined {
    const kept = this.kept.get(key)
    if (kept === undefined) return undefined
    if (kept.fingerprint !== fingerprintOf(request)) throw new StripeRefused(idempotencyConflict(key))
    const original = kept.reply.headers["request-id"]
    return {
      ...kept.reply,
      headers: {
        ...kept.reply.headers,
        "idempotent-replayed": "true",
        ...(original === undefined ? {} : { "original-request": original })
      }
    }
  }

  keep(key: string, request: SimulatorRequest, reply: SimulatorReply): void {
    const [oldest] = this.kept.keys()
    if (this.kept.size === KEYS_MAX && oldest !== undefined) this.kept.delete(oldest)
    this.kept.set(key, { fingerprint: fingerprintOf(request), reply })
  }
}
