/**
 * Steers the simulated upstream from another process: `GET /_sim/state`, `GET /_sim/requests`, `POST /_sim/open {name}`,
 * `POST /_sim/next` and `/_sim/always` `{directive, model?}`, where a directive reads as it does in a prompt.
 */
import { parseBehaviour } from "./UpstreamBehaviour.ts"
import type { UpstreamControl } from "./UpstreamControl.ts"

export const isObject = (value: unknown): value is { readonly [key: string]: unknown } =>
  typeof value === "object" && value !== null && !Array.isArray(value)

export interface SteeringReply {
  readonly status: number
  readonly body: object
}

const stateOf = (control: UpstreamControl): SteeringReply => ({
  status: 200,
  body: { seen: control.seen, active: control.active, aborted: control.aborted, waiting: control.gateCounts() }
})

/** Does what is asked for at `path` with the JSON `asked`. */
export function steer(control: UpstreamControl, path: string, asked: unknown): SteeringReply {
  if (path === "/_sim/state") return stateOf(control)
  if (path === "/_sim/requests") {
    const requests = control.requests.map(({ aborted, ended, framesSent, json, method, path, status, tokensSent }) => ({
      method,
      path,
      status,
      json,
      framesSent,
      tokensSent,
      aborted,
      ended
    }))
    return { status: 200, body: requests }
  }
  const { directive = "", model, name } = isObject(asked) ? asked : {}
  if (path === "/_sim/open" && typeof name === "string") {
    control.open(name)
    return stateOf(control)
  }
  const behaviour = parseBehaviour(String(directive))
  if ("complaint" in behaviour) return { status: 400, body: behaviour }
  const rule = typeof model === "string" ? { ...behaviour, model } : behaviour
  if (path === "/_sim/next") control.next(rule)
  else if (path === "/_sim/always") control.always(rule)
  else return { status: 404, body: {} }
  return stateOf(control)
}
