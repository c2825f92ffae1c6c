/**
 * What a supervisor and its runners tell each other over the channel between the two processes.
 *
 * @internal
 */

/** From a runner. `ready`: it takes connections. `taken`: it has the connection of that number. `leaving`: it wants no new ones. */
export type RunnerMessage =
  | { readonly realms: "ready" }
  | { readonly realms: "taken"; readonly number: number }
  | { readonly realms: "leaving" }

/**
 * From a supervisor. `connection`: comes with one. `last`: no connection comes after this. `replaced`: another runner is there, so stop,
 * and leave open calls time.
 */
export type SupervisorMessage =
  | { readonly realms: "connection"; readonly number: number }
  | { readonly realms: "last" }
  | { readonly realms: "replaced" }

interface AnyMessage {
  readonly realms: unknown
  readonly number?: unknown
}

const isMessage = (message: unknown): message is AnyMessage =>
  typeof message === "object" && message !== null && "realms" in message

/** What a runner said; undefined for what no runner of this version says. */
export const readRunnerMessage = (message: unknown): RunnerMessage | undefined => {
  if (!isMessage(message)) return undefined
  if (message.realms === "ready" || message.realms === "leaving") return { realms: message.realms }
  return message.realms === "taken" && typeof message.number === "number"
    ? { realms: "taken", number: message.number }
    : undefined
}

/** What a supervisor said; undefined for what no supervisor of this version says. */
export const readSupervisorMessage = (message: unknown): SupervisorMessage | undefined => {
  if (!isMessage(message)) return undefined
  if (message.realms === "last" || message.realms === "replaced") return { realms: message.realms }
  return message.realms === "connection" && typeof message.number === "number"
    ? { realms: "connection", number: message.number }
    : undefined
}

/** The environment variables that tell a runner its place, and where its supervisor listens: `<port> <host>`. */
export const PLACE_VARIABLE = "REALMS_RUNNER"
export const ADDRESS_VARIABLE = "REALMS_RUNNER_ADDRESS"
