/**
 * Watches the clients for which something waits, and breaks off those that are gone. One look serves all of them, and there is none
 * while nothing waits.
 *
 * @internal
 */
import type { Socket } from "node:net"
import { ClientProgress, type Look, type ProgressRules } from "./ClientProgress.ts"
import { namesOf, readSocketQueues, type SocketQueues } from "./SocketQueues.ts"

export interface WatchRules extends ProgressRules {
  /** Between two looks, in ms. */
  readonly stallCheckMs: number
}

/** A client for which something waits. */
export interface Watched {
  readonly socket: Socket
  /** It takes nothing any more. Called once. */
  onStalled(): void
}

/** A number of a socket's handle, which knows what Node itself has not counted. */
const handleNumber = (socket: Socket, name: "bytesWritten" | "writeQueueSize"): number | undefined => {
  const handle: unknown = Reflect.get(socket, "_handle")
  if (typeof handle !== "object" || handle === null) return undefined
  const value: unknown = Reflect.get(handle, name)
  return typeof value === "number" ? value : undefined
}

/** Bytes that the kernel has accepted from this process. */
const acceptedBytes = (socket: Socket): number => {
  const written = handleNumber(socket, "bytesWritten")
  const queued = handleNumber(socket, "writeQueueSize")
  return written === undefined || queued === undefined ? socket.bytesWritten - socket.writableLength : written - queued
}

/** What a client has taken: what the kernel accepted, less what lies in the kernel here and, on this machine, at the peer. */
export const lookAt = (socket: Socket, queues: SocketQueues | undefined): Look => {
  const accepted = acceptedBytes(socket)
  const names = namesOf(socket)
  const own = names === undefined ? undefined : queues?.get(names.own)
  if (names === undefined || own === undefined) return { takenBytes: accepted, isExact: false }
  return { takenBytes: accepted - own.sendBytes - (queues?.get(names.peer)?.receiveBytes ?? 0), isExact: true }
}

export class ClientWatch {
  private readonly rules: WatchRules
  private readonly nowMs: () => number
  private readonly read: typeof readSocketQueues
  private readonly watched = new Map<Watched, ClientProgress>()
  private timer: ReturnType<typeof setTimeout> | undefined

  constructor(rules: WatchRules, nowMs: () => number = () => performance.now(), read = readSocketQueues) {
    this.rules = rules
    this.nowMs = nowMs
    this.read = read
  }

  /** Clients watched now. */
  get size(): number {
    return this.watched.size
  }

  /** Something waits for the client from now on. Repeating it changes nothing. */
  add(client: Watched): void {
    if (this.watched.has(client)) return
    this.watched.set(client, new ClientProgress(this.rules, this.nowMs()))
    this.schedule()
  }

  /** Nothing waits any more. The timer is left to end by itself: clients fill up and drain many times a second. */
  remove(client: Watched): void {
    this.watched.delete(client)
  }

  private schedule(): void {
    this.timer ??= setTimeout(() => void this.look(), this.rules.stallCheckMs).unref()
  }

  private async look(): Promise<void> {
    const clients = [...this.watched]
    const names = clients.flatMap(([{ socket }]) => namesOf(socket) ?? [])
    const queues = clients.length === 0
      ? undefined
      : await this.read(new Set(names.flatMap(({ own, peer }) => [own, peer])))
    const now = this.nowMs()
    for (const [client, progress] of clients) {
      if (this.watched.get(client) !== progress) continue
      progress.look(lookAt(client.socket, queues), now)
      if (!progress.isGone(now)) continue
      this.watched.delete(client)
      client.onStalled()
    }
    this.timer = undefined
    if (this.watched.size > 0) this.schedule()
  }
}
