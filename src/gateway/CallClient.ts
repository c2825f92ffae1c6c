/**
 * The client of a call as the gateway sees it: where an answer is written, with back-pressure, and word of its leaving.
 * The HTTP edge implements it; nothing here knows Node's server.
 */
import type { ByteShare } from "../platform/ByteBudget.ts"

export interface CallClient {
  /** True once the connection is gone or the answer has ended. */
  readonly isGone: boolean
  /** Sends status and headers. Once. */
  start(status: number, headers: Readonly<Record<string, string>>): void
  /** Writes a piece of the body; false: wait for `onDrain`. */
  write(bytes: Uint8Array | string): boolean
  /** Ends the answer, with a last piece. */
  end(bytes?: Uint8Array | string): void
  /** Breaks the connection off. */
  destroy(): void
  /** Called when more may be written. */
  onDrain: () => void
  /** Called once when the client leaves before the end. */
  onGone: () => void
  /** Called once when the client has taken the whole answer, or left. */
  onDone: () => void
}

/**
 * Holds the memory of an answer until its client has taken it. A client that is slow loses the rest of it when others need the memory:
 * the answer was made, and stays charged.
 */
export const holdUntilTaken = (client: CallClient, share: ByteShare): void => {
  if (client.isGone) return share.release()
  share.mayYield(() => client.destroy())
  client.onDone = share.release
}
