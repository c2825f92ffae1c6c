/**
 * The life of a call as states with their data, and the only transitions there are. Pure. An event that a state does not know
 * is a defect of ours: it throws, and the call is settled as failed.
 */
import type { Reservation } from "../accounts/AccountState.ts"
import type { Channel } from "../channels/Channels.ts"

/** One try to reach an upstream. */
export interface Attempt {
  readonly channel: Channel
  /** From 1. */
  readonly number: number
}

export type CallState =
  /** Parsed, bounded, allowed; nothing is held. */
  | { readonly _tag: "Admitted" }
  /** The hold is durable; no upstream attempt is under way. */
  | { readonly _tag: "Held"; readonly reservation: Reservation; readonly attempts: number }
  /** Waits for a connection of a channel. */
  | { readonly _tag: "Queued"; readonly reservation: Reservation; readonly attempt: Attempt }
  /** The request is with the upstream; no output has come. */
  | { readonly _tag: "Sent"; readonly reservation: Reservation; readonly attempt: Attempt; readonly sentAtMs: number }
  /** Output has come, and goes to the client. */
  | {
    readonly _tag: "Relaying"
    readonly reservation: Reservation
    readonly attempt: Attempt
    readonly sentAtMs: number
    readonly firstOutputAtMs: number
  }
  /** How it ended is decided; the settlement is on its way. */
  | {
    readonly _tag: "Settling"
    readonly reservation: Reservation
    readonly attempt: Attempt | undefined
    readonly firstOutputAtMs: number | null
  }
  | { readonly _tag: "Ended" }

export type CallEvent =
  | { readonly _tag: "WasHeld"; readonly reservation: Reservation }
  | { readonly _tag: "WasQueued"; readonly channel: Channel }
  | { readonly _tag: "WasSent"; readonly atMs: number }
  | { readonly _tag: "GaveOutput"; readonly atMs: number }
  /** Before any output: the next channel may be tried. */
  | { readonly _tag: "AttemptFailed" }
  /** The hold was raised. */
  | { readonly _tag: "WasExtended"; readonly reservation: Reservation }
  | { readonly _tag: "WasDecided" }
  | { readonly _tag: "WasSettled" }

export const admitted: CallState = { _tag: "Admitted" }

const illegal = (state: CallState, event: CallEvent): never => {
  throw new Error(`a call that is ${state._tag} met ${event._tag}`)
}

/** The state after an event. */
export const evolve = (state: CallState, event: CallEvent): CallState => {
  switch (event._tag) {
    case "WasHeld":
      return state._tag === "Admitted"
        ? { _tag: "Held", reservation: event.reservation, attempts: 0 }
        : illegal(state, event)
    case "WasQueued":
      return state._tag === "Held"
        ? {
          _tag: "Queued",
          reservation: state.reservation,
          attempt: { channel: event.channel, number: state.attempts + 1 }
        }
        : illegal(state, event)
    case "WasSent":
      return state._tag === "Queued"
        ? { _tag: "Sent", reservation: state.reservation, attempt: state.attempt, sentAtMs: event.atMs }
        : illegal(state, event)
    case "GaveOutput":
      return state._tag === "Sent"
        ? {
          _tag: "Relaying",
          reservation: state.reservation,
          attempt: state.attempt,
          sentAtMs: state.sentAtMs,
          firstOutputAtMs: event.atMs
        }
        : illegal(state, event)
    case "AttemptFailed":
      return state._tag === "Queued" || state._tag === "Sent"
        ? { _tag: "Held", reservation: state.reservation, attempts: state.attempt.number }
        : illegal(state, event)
    case "WasExtended":
      return state._tag === "Sent" || state._tag === "Relaying"
        ? { ...state, reservation: event.reservation }
        : state._tag === "Settling" || state._tag === "Ended"
        ? state
        : illegal(state, event)
    case "WasDecided":
      return decided(state, event)
    case "WasSettled":
      return state._tag === "Settling" ? { _tag: "Ended" } : illegal(state, event)
  }
}

const decided = (state: CallState, event: CallEvent): CallState => {
  switch (state._tag) {
    case "Held":
      return { _tag: "Settling", reservation: state.reservation, attempt: undefined, firstOutputAtMs: null }
    case "Queued":
    case "Sent":
      return { _tag: "Settling", reservation: state.reservation, attempt: state.attempt, firstOutputAtMs: null }
    case "Relaying":
      return {
        _tag: "Settling",
        reservation: state.reservation,
        attempt: state.attempt,
        firstOutputAtMs: state.firstOutputAtMs
      }
    default:
      return illegal(state, event)
  }
}
