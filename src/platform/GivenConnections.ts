/**
 * Connections that another process has accepted and gives to this one: those of a runner, whose supervisor listens.
 */
import { Context } from "effect"
import type { Socket } from "node:net"

export interface GivenConnections {
  /** Where the other process listens. */
  readonly host: string
  readonly port: number
  /** Has every connection from now on given to `accept`. Called once. */
  take(accept: (connection: Socket) => void): void
  /** Asks for no more; a few may come all the same. */
  leave(): void
}

/** Undefined: this process listens by itself. */
export const GivenConnections = Context.Reference<GivenConnections | undefined>("realms/platform/GivenConnections", {
  defaultValue: () => undefined
})
