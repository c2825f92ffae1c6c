/**
 * A line of the log for each request, where `log.access` is on: who asked for which page or call, what was answered, and how long it
 * took. No query and no body is in it, and no link that is as good as a password.
 */
import { Effect } from "effect"
import type { IncomingMessage, ServerResponse } from "node:http"

/** A token has 43 characters, the id of a request 36. The router takes other spellings of a path, too: a token is left out of any. */
const tokenPattern = /[\w-]{40,}/g

/** A path as it may be logged: links that are as good as a password end in one. */
export const loggedPath = (pathname: string): string =>
  pathname.replace(/^(\/+(?:setup|reset|invite|register|account\/+email\/+(?:verify|change))\/).*/is, "$1…").replace(
    tokenPattern,
    "…"
  )

/** Characters of a path that are logged, at most. */
const PATH_CHARACTERS_MAX = 200

const pathOf = ({ url = "" }: IncomingMessage): string =>
  loggedPath(url.split("?", 1)[0] ?? "").slice(0, PATH_CHARACTERS_MAX)

/** Notes a request; its line is written when its answer has ended, or its client has left. */
export type NoteRequest = (request: IncomingMessage, response: ServerResponse) => void

export const makeAccessLog: Effect.Effect<NoteRequest> = Effect.map(Effect.context<never>(), (context) => {
  const run = Effect.runForkWith(context)
  return (request, response) => {
    const startedMs = performance.now()
    response.once("close", () => {
      run(Effect.logInfo("request", {
        method: request.method,
        path: pathOf(request),
        status: response.statusCode,
        ms: Math.round(performance.now() - startedMs),
        client: request.socket.remoteAddress,
        ...(response.writableFinished ? {} : { ended: "the client left" })
      }))
    })
  }
})
