/**
 * The client of a call with an idempotency key: what is answered goes to the client and is kept beside. When the client leaves, the call
 * goes on, as long as its answer can be kept: the next request with the key gets it.
 *
 * @internal
 */
import type { KeptAnswer } from "../../accounts/CallClaims.ts"
import type { CallClient } from "../../gateway/CallClient.ts"
import type { ByteShare } from "../../platform/ByteBudget.ts"

interface KeptClientOptions {
  readonly bytesMax: number
  /** What the answer takes of the memory for such answers. */
  readonly share: ByteShare
  /** Called with the whole answer, or undefined where it is too large; the end goes to the client when it calls back. */
  readonly keep: (answer: KeptAnswer | undefined, done: () => void) => void
}

/** Headers that are for one connection, or for one answer. */
const ownHeaders: ReadonlySet<string> = new Set(["content-length"])

export class KeptClient implements CallClient {
  onDrain: () => void = () => undefined
  onGone: () => void = () => undefined
  private readonly inner: CallClient
  private readonly options: KeptClientOptions
  private parts: Array<Buffer> | undefined = []
  private bytes = 0
  private headers: Readonly<Record<string, string>> = {}
  private isEnding = false
  private isDone = false
  private whenDone: () => void = () => undefined

  constructor(inner: CallClient, options: KeptClientOptions) {
    this.inner = inner
    this.options = options
    inner.onDrain = () => this.onDrain()
    inner.onGone = () => this.left()
    // A refusal is written past this one, and its client is done without an end.
    inner.onDone = () => this.done()
  }

  /** What is set once it is done is called at once. */
  set onDone(call: () => void) {
    this.whenDone = call
    if (this.isDone) call()
  }

  get onDone(): () => void {
    return this.whenDone
  }

  private done(): void {
    if (this.isDone) return
    this.isDone = true
    this.whenDone()
  }

  /** The client has left, and its answer is too large to be kept for another. */
  get isGone(): boolean {
    return this.inner.isGone && this.parts === undefined
  }

  private left(): void {
    // What waits for the client waits no more.
    if (this.parts === undefined) this.onGone()
    else this.onDrain()
  }

  private take(bytes: Uint8Array | string): void {
    if (this.parts === undefined) return
    const part = Buffer.from(bytes)
    const { bytesMax, share } = this.options
    this.bytes += part.length
    if (this.bytes <= bytesMax && share.add(part.length) === undefined) return void this.parts.push(part)
    this.parts = undefined
    share.release()
    if (this.inner.isGone && !this.isEnding) this.onGone()
  }

  start(status: number, headers: Readonly<Record<string, string>>): void {
    this.headers = Object.fromEntries(Object.entries(headers).filter(([name]) => !ownHeaders.has(name)))
    this.inner.start(status, headers)
  }

  write(bytes: Uint8Array | string): boolean {
    this.take(bytes)
    return this.inner.isGone || this.inner.write(bytes)
  }

  end(bytes?: Uint8Array | string): void {
    if (this.isEnding) return
    this.isEnding = true
    if (bytes !== undefined) this.take(bytes)
    const answer = this.parts === undefined
      ? undefined
      : { headers: this.headers, body: Buffer.concat(this.parts).toString("base64") }
    this.options.keep(answer, () => {
      this.inner.end(bytes)
      // One that has left says nothing more.
      if (this.inner.isGone) this.done()
    })
  }

  destroy(): void {
    this.inner.destroy()
  }
}
