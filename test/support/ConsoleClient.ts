/**
 * A browser without eyes: keeps cookies, follows no redirect, fills in the token of the form that it was shown last, and fails on a
 * page in which labels and notes do not find their elements.
 */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { send, type TestAnswer } from "./TestHttp.ts"

export interface ClientOptions {
  /** A session's token to begin with. */
  readonly session?: string
  /** Sent along with everything. */
  readonly headers?: Readonly<Record<string, string>>
}

/** Ids that two elements have, and references to ids that none has. */
const wrongIds = (html: string): ReadonlyArray<string> => {
  const ids = Array.from(html.matchAll(/ id="([^"]+)"/g), ([, id]) => id ?? "")
  const twice = ids.filter((id, at) => ids.indexOf(id) !== at)
  const named = Array.from(
    html.matchAll(/ (?:for|aria-describedby|aria-labelledby|aria-controls)="([^"]+)"/g),
    ([, list]) => list?.split(" ") ?? []
  )
  return [...twice, ...named.flat().filter((id) => !ids.includes(id))]
}

export class ConsoleClient {
  readonly cookies = new Map<string, string>()
  /** Of the page shown last. */
  token = ""
  private readonly origin: string
  private readonly headers: Readonly<Record<string, string>>

  constructor(origin: string, options: ClientOptions = {}) {
    this.origin = origin
    this.headers = { "accept-language": "en", ...options.headers }
    if (options.session !== undefined) this.cookies.set("realms_session", options.session)
  }

  get(path: string, headers: Readonly<Record<string, string>> = {}): Effect.Effect<TestAnswer> {
    return Effect.map(
      send(`${this.origin}${path}`, { method: "GET", headers: { ...this.common, ...headers } }),
      (answer) => this.remember(answer)
    )
  }

  /** Sends a form, with the token of the page shown last unless another is given. */
  post(
    path: string,
    fields: Readonly<Record<string, string>>,
    headers: Readonly<Record<string, string>> = {}
  ): Effect.Effect<TestAnswer> {
    return this.postText(path, new URLSearchParams({ csrf_token: this.token, ...fields }).toString(), headers)
  }

  /** Sends a body as it is. */
  postText(
    path: string,
    body: string,
    headers: Readonly<Record<string, string>> = {}
  ): Effect.Effect<TestAnswer> {
    return Effect.map(
      send(`${this.origin}${path}`, {
        method: "POST",
        body,
        headers: { ...this.common, "content-type": "application/x-www-form-urlencoded", ...headers }
      }),
      (answer) => this.remember(answer)
    )
  }

  private get common(): Record<string, string> {
    return { ...this.headers, cookie: Array.from(this.cookies, ([name, value]) => `${name}=${value}`).join("; ") }
  }

  private remember(answer: TestAnswer): TestAnswer {
    for (const cookie of answer.headers["set-cookie"] ?? []) {
      const [pair = "", ...attributes] = cookie.split(";")
      const [name = "", value = ""] = pair.split("=")
      if (attributes.some((attribute) => /^\s*max-age=0/i.test(attribute))) this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
    if (/<!doctype html/i.test(answer.text)) assert.deepStrictEqual(wrongIds(answer.text), [])
    this.token = /name="csrf_token" value="([^"]+)"/.exec(answer.text)?.[1] ?? this.token
    return answer
  }
}
