/**
 * A client of a call that keeps what it gets.
 */
import { Buffer } from "node:buffer"
import type { CallClient } from "../../src/gateway/CallClient.ts"

export class ScriptedClient implements CallClient {
  isGone = false
  onDrain: () => void = () => undefined
  onGone: () => void = () => undefined
  onDone: () => void = () => undefined
  status: number | undefined
  text = ""
  writes = 0
  /** Whether it takes more at once. */
  takes = true
  start(status: number): void {
    this.status = status
  }
  write(bytes: Uint8Array | string): boolean {
    this.text += Buffer.from(bytes).toString()
    this.writes++
    return this.takes
  }
  end(bytes?: Uint8Array | string): void {
    if (bytes !== undefined) this.write(bytes)
    this.onDone()
  }
  destroy(): void {}
}
