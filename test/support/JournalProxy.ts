/**
 * A TCP proxy before PostgreSQL that can be told what to do to the connection of the journal's main writer: hold a batch,
 * lose it, or lose only its answer after the server has committed. Of any connection it can lose the answer to a COMMIT. It can
 * also be cut altogether, as a network is, or fall silent, as a server does that hangs: connections stay, and nothing comes.
 */
import { Effect } from "effect"
import { connect as connectTo, createServer, type Server, type Socket } from "node:net"

const JOURNAL = "realms-journal-main"

/** ReadyForQuery, with the state of the transaction behind it. */
const READY = Buffer.from([0x5a, 0, 0, 0, 5])

/** The tag of a transaction that has been committed. */
const COMMITTED = Buffer.from("COMMIT\0")

interface Pair {
  readonly client: Socket
  readonly server: Socket
  journal: boolean
  held: Array<Buffer>
  answer: Buffer | undefined
  /** Batches whose answers are lost together. */
  losing: number
  /** Whether its transaction has named what a lost commit must name. */
  named: boolean
}

type Fault = "none" | "hold" | "lose-request" | "lose-answer" | "lose-commit"

export class JournalProxy {
  private readonly target: URL
  private readonly listener: Server
  private readonly pairs = new Set<Pair>()
  private fault: Fault = "none"
  private isCut = false
  private silenced: Array<() => void> | undefined
  private struck: () => void = () => undefined
  private naming = ""

  constructor(target: string) {
    this.target = new URL(target)
    this.listener = createServer((client) => this.accept(client))
  }

  listen(): Promise<void> {
    return new Promise((resolve) => this.listener.listen(0, "127.0.0.1", resolve))
  }

  close(): Promise<void> {
    this.cut()
    return new Promise((resolve) => this.listener.close(() => resolve()))
  }

  get url(): string {
    const address = this.listener.address()
    if (address === null || typeof address === "string") throw new Error("the proxy does not listen")
    const url = new URL(this.target)
    url.hostname = "127.0.0.1"
    url.port = String(address.port)
    return url.href
  }

  /** Keeps what the journal sends next, and all after it. Resolves when something is kept. */
  hold(): Promise<void> {
    return this.arm("hold")
  }

  /** Sends on what was kept. */
  release(): void {
    this.fault = "none"
    for (const pair of this.pairs) {
      for (const chunk of pair.held.splice(0)) pair.server.write(chunk)
    }
  }

  /** What is kept, each piece as it was sent. */
  get kept(): number {
    return Array.from(this.pairs).reduce((sum, { held }) => sum + held.length, 0)
  }

  /** Sends on what was kept, lets the server commit that many batches of it, and resets the connection instead of telling. */
  releaseAndLose(batches: number): Promise<void> {
    const lost = this.arm("lose-answer")
    for (const pair of this.pairs) {
      if (pair.held.length === 0) continue
      pair.answer = Buffer.alloc(0)
      pair.losing = batches
      for (const chunk of pair.held.splice(0)) pair.server.write(chunk)
    }
    return lost
  }

  /** Drops the journal's next batch and its connection. Resolves when it did. */
  loseRequest(): Promise<void> {
    return this.arm("lose-request")
  }

  /** Lets the next batch through, waits until the server has committed it, and resets the connection instead of telling. */
  loseAnswer(): Promise<void> {
    return this.arm("lose-answer")
  }

  /**
   * Resets the next connection whose server says that it has committed a transaction that named `naming`, before the client
   * hears of it. Resolves then. Other transactions go on: a server has work of its own in the background.
   */
  loseCommit(naming: string): Promise<void> {
    this.naming = naming
    return this.arm("lose-commit")
  }

  /** Ends every connection and lets none in. */
  cut(): void {
    this.isCut = true
    for (const pair of this.pairs) this.end(pair)
  }

  mend(): void {
    this.isCut = false
  }

  /** Passes on nothing from here on, in either direction, of any connection. */
  silence(): void {
    this.silenced ??= []
  }

  /** Passes on what was kept, and all that follows. */
  speak(): void {
    const silenced = this.silenced ?? []
    this.silenced = undefined
    for (const pass of silenced) pass()
  }

  private arm(fault: Fault): Promise<void> {
    this.fault = fault
    return new Promise((resolve) => {
      this.struck = resolve
    })
  }

  private accept(client: Socket): void {
    client.on("error", () => undefined)
    if (this.isCut) return void client.resetAndDestroy()
    const server = connectTo(Number(this.target.port), this.target.hostname)
    const pair: Pair = { client, server, journal: false, held: [], answer: undefined, losing: 1, named: false }
    this.pairs.add(pair)
    for (const socket of [client, server]) {
      socket.setNoDelay(true)
      socket.on("error", () => undefined)
      socket.on("close", () => this.end(pair))
    }
    client.on("data", (chunk: Buffer) => this.unlessSilent(pair, () => this.onRequest(pair, chunk)))
    server.on("data", (chunk: Buffer) => this.unlessSilent(pair, () => this.onAnswer(pair, chunk)))
  }

  private unlessSilent(pair: Pair, pass: () => void): void {
    if (this.silenced === undefined) pass()
    else this.silenced.push(() => this.pairs.has(pair) ? pass() : undefined)
  }

  private end(pair: Pair): void {
    if (!this.pairs.delete(pair)) return
    pair.client.resetAndDestroy()
    pair.server.destroy()
  }

  private onRequest(pair: Pair, chunk: Buffer): void {
    if (this.fault === "lose-commit" && chunk.includes(this.naming)) pair.named = true
    if (!pair.journal) {
      if (chunk.includes(JOURNAL)) pair.journal = true
      return void pair.server.write(chunk)
    }
    if (this.fault === "hold") {
      pair.held.push(chunk)
      return this.struck()
    }
    if (this.fault === "lose-request") {
      this.fault = "none"
      this.end(pair)
      return this.struck()
    }
    if (this.fault === "lose-answer" && pair.answer === undefined) pair.answer = Buffer.alloc(0)
    pair.server.write(chunk)
  }

  private onAnswer(pair: Pair, chunk: Buffer): void {
    if (this.fault === "lose-commit" && pair.named && chunk.includes(COMMITTED)) {
      this.fault = "none"
      this.end(pair)
      return this.struck()
    }
    if (pair.answer === undefined) return void pair.client.write(chunk)
    const answer = Buffer.concat([pair.answer, chunk])
    pair.answer = answer
    if (!answer.subarray(-6, -1).equals(READY)) return
    pair.answer = undefined
    if (answer.toString("latin1").split("SELECT ").length - 1 < pair.losing && pair.losing > 1) {
      pair.answer = answer
      return
    }
    // An answer without a completed statement is that to a Parse: the batch is still to come.
    if (!answer.includes("SELECT ")) return void pair.client.write(answer)
    this.fault = "none"
    this.end(pair)
    this.struck()
  }
}

/** A proxy before the server of `url`, closed with the scope. */
export const makeProxy = (url: string) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const proxy = new JournalProxy(url)
      await proxy.listen()
      return proxy
    }),
    (proxy) => Effect.promise(() => proxy.close())
  )
