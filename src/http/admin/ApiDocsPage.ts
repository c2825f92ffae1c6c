/**
 * The page at `/api/docs`, which a package makes with its script and style inline: it gets the policy of every page, and the
 * hashes of these two besides.
 */
import { Effect } from "effect"
import { HttpRouter, HttpServerResponse } from "effect/http"
import { hash } from "node:crypto"
import { securityHeaders } from "../console/SecurityHeaders.ts"

const hashesOf = (html: string, element: "script" | "style"): ReadonlyArray<string> =>
  Array.from(
    html.matchAll(new RegExp(`<${element}>([\\s\\S]*?)</${element}`, "g")),
    ([, content = ""]) => `'sha256-${hash("sha256", content, "base64")}'`
  )

const withPolicy = (response: HttpServerResponse.HttpServerResponse) => {
  const { body } = response
  const html = body._tag === "Uint8Array" ? new TextDecoder().decode(body.body) : ""
  const inline = { scripts: hashesOf(html, "script"), styles: hashesOf(html, "style") }
  return HttpServerResponse.setHeaders(response, securityHeaders([], inline))
}

/** The page is the same each time: it is made and hashed once. */
export const docsPolicy = HttpRouter.middleware(
  Effect.sync(() => {
    let known: HttpServerResponse.HttpServerResponse | undefined
    return (page: Effect.Effect<HttpServerResponse.HttpServerResponse, unknown>) =>
      Effect.suspend(() =>
        known === undefined
          ? Effect.map(page, (response) => known = withPolicy(response))
          : Effect.succeed(known)
      )
  })
)
