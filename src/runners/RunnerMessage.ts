/**
 * What a supervisor and its runners tell each other over the channel between the two processes.
 *
 * @internal
 */

/** From a runner. `ready`: it takes connections. `taken`: it has the connection of that number. `leaving`: it takes no new ones. */
export type RunnerMessage =
  | { readonly realms: "ready" }
  | { readonly realms: "taken"; readonly number: number }
  | { readonly realms: "leaving" }

/** From a supervisor, together with a connection. */
export interface GivenConnection {
  readonly realms: "connection"
  readonly number: number
}

const hasKind = (message: unknown): message is { readonly realms: unknown; readonly number?: unknown } =>
  typeof message === "object" && message !== null && "realms" in message

/** What a runner said; undefined for what no runner of this version says. */
export const readRunnerMessage = (message: unknown): RunnerMessage | undefined => {
  if (!hasKind(message)) return undefined
  if (message.realms === "ready" || message.realms === "leaving") return { realms: message.realms }
  return message.realms === "taken" && typeof message.number === "number"
    ? { realms: "taken", number: message.number }
    : undefined
}

/** The number of a given connection; undefined for anything else. */
export const readGivenConnection = (message: unknown): number | undefined =>
  hasKind(message) && message.realms === "connection" && typeof message.number === "number" ? message.number : undefined

/** The environment variables that tell a runner its place, and where its supervisor listens: `<port> <host>`. */
export const PLACE_VARIABLE = "REALMS_RUNNER"
export const ADDRESS_VARIABLE = "REALMS_RUNNER_ADDRESS"
