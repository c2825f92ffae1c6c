/**
 * A process as one of several runners. Connections come from its supervisor. It hears no hang-up (that is for its supervisor), and when
 * the supervisor is gone it stops like one that was told to: open calls are finished and settled first.
 */
import { Effect } from "effect"
import { Socket } from "node:net"
import type { GivenConnections } from "../platform/GivenConnections.ts"
import { ADDRESS_VARIABLE, PLACE_VARIABLE, readSupervisorMessage, type RunnerMessage } from "./RunnerMessage.ts"

/** What makes a process a runner. */
export interface RunnerPlace {
  /** From 0, as text. */
  readonly place: string
  readonly host: string
  readonly port: number
}

/** The place of this process among the runners of its supervisor; undefined for one that serves alone. */
export const placeOfRunner = (): RunnerPlace | undefined => {
  const place = process.env[PLACE_VARIABLE]
  const [port = "", host = ""] = (process.env[ADDRESS_VARIABLE] ?? "").split(" ")
  return place === undefined || process.send === undefined ? undefined : { place, host, port: Number(port) }
}

const tell = (message: RunnerMessage): void => {
  // A supervisor that is gone hears nothing, and this process learns of that by itself.
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined)
}

/** The connections that the supervisor gives. */
export const givenTo = ({ host, place, port }: RunnerPlace): GivenConnections => {
  let isOver = false
  let isReplaced = false
  // A stop of the whole server ends the long grace of one that was replaced.
  process.on("SIGTERM", () => {
    isReplaced = false
  })
  return {
    host,
    place,
    port,
    take: (accept) => {
      process.on("message", (received, connection) => {
        const message = readSupervisorMessage(received)
        if (message?.realms === "last") isOver = true
        if (message?.realms === "replaced") {
          isReplaced = true
          process.kill(process.pid, "SIGINT")
        }
        if (message?.realms !== "connection") return
        tell({ realms: "taken", number: message.number })
        // None comes for a connection that has ended on its way.
        if (connection instanceof Socket) accept(connection)
      })
      tell({ realms: "ready" })
    },
    leave: () => tell({ realms: "leaving" }),
    isOver: () => isOver || !process.connected,
    isReplaced: () => isReplaced
  }
}

/** Runs a server as a runner; its place is in every line that it logs. */
export const asRunner = <A, E, R>(server: Effect.Effect<A, E, R>, { place }: RunnerPlace): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    const stop = (): void => void process.kill(process.pid, "SIGTERM")
    process.on("SIGHUP", () => undefined)
    process.once("disconnect", stop)
    // It was gone before this could be heard.
    if (!process.connected) stop()
    return Effect.annotateLogs(server, { runner: place })
  })
