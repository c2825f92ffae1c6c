/**
 * Connections that another process has accepted and gives to this one: those of a runner, whose supervisor listens.
 */
import { Context } from "effect"
import type { Socket } from "node:net"

/** Open calls of a process that was replaced have so long to end. */
export const REPLACED_GRACE_SECONDS = 600

export interface GivenConnections {
  /** The place of this process among those that it serves with, from 0, as text. */
  readonly place: string
  /** Where the other process listens. */
  readonly host: string
  readonly port: number
  /** Has every connection from now on given to `accept`. Called once. */
  take(accept: (connection: Socket) => void): void
  /** Asks for no more; those that are on their way still come. */
  leave(): void
  /** After `leave`: no connection comes any more. */
  isOver(): boolean
  /** Another process has taken the place of this one: nobody waits for its end, and open calls have time. */
  isReplaced(): boolean
}

/** Undefined: this process listens by itself. */
export const GivenConnections = Context.Reference<GivenConnections | undefined>("realms/platform/GivenConnections", {
  defaultValue: () => undefined
})
