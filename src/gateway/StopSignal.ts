/**
 * The one signal that ends a call from outside, with its reason; the first reason counts. Whatever a call waits for at that moment
 * listens. A listener that comes later hears the signal at once.
 *
 * @internal
 */

/**
 * `client_gone`: the client left. `lease_lost`: the hold ended elsewhere. `service_unavailable`: the server is stopping.
 */
export type StopReason = "client_gone" | "lease_lost" | "service_unavailable"

export class StopSignal {
  private stoppedBy: StopReason | undefined
  private listener: ((reason: StopReason) => void) | undefined

  /** Why the call was stopped; undefined while it goes on. */
  get reason(): StopReason | undefined {
    return this.stoppedBy
  }

  stop(reason: StopReason): void {
    if (this.stoppedBy !== undefined) return
    this.stoppedBy = reason
    this.listener?.(reason)
  }

  /** Takes the place of the listener before: a call waits for one thing at a time. */
  listen(listener: (reason: StopReason) => void): void {
    this.listener = listener
    if (this.stoppedBy !== undefined) listener(this.stoppedBy)
  }

  /** Nobody listens until the next `listen`. */
  unlisten(): void {
    this.listener = undefined
  }
}
