/**
 * A browser as far as benches need one: it signs in, asks for pages on connections that are kept, and times them.
 */
import { request } from "node:http"
import { gunzipSync } from "node:zlib"
import { quantile } from "./statistics.ts"

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
  readonly body: Buffer
  readonly ms: number
}

/** One request on a connection that is kept. */
export const ask = (url: string, options: { readonly cookie?: string; readonly form?: string } = {}): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const started = performance.now()
    const outgoing = request(url, {
      method: options.form === undefined ? "GET" : "POST",
      headers: {
        "accept-encoding": "gzip",
        cookie: options.cookie ?? "",
        ...(options.form === undefined ? {} : { "content-type": "application/x-www-form-urlencoded" })
      }
    }, (response) => {
      const pieces: Array<Buffer> = []
      response.on("data", (piece: Buffer) => pieces.push(piece))
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(pieces),
          ms: performance.now() - started
        }))
    })
    outgoing.on("error", reject)
    outgoing.end(options.form)
  })

const cookiesOf = (answer: Answer): string => {
  const set = answer.headers["set-cookie"]
  return (Array.isArray(set) ? set : []).map((cookie: string) => cookie.split(";")[0]).join("; ")
}

/** Signs in; the cookies of the session. */
export const signIn = async (
  origin: string,
  { email, password }: { readonly email: string; readonly password: string }
): Promise<string> => {
  const first = await ask(`${origin}/login`)
  const token = /name="csrf_token" value="([^"]+)"/.exec(gunzipSync(first.body).toString())?.[1] ?? ""
  const form = new URLSearchParams({ csrf_token: token, email, password }).toString()
  return cookiesOf(await ask(`${origin}/login`, { cookie: cookiesOf(first), form }))
}

/** Requests before those that count. */
const WARM_UP_ROUNDS = 10

/** Asks for a page again and again; how long it takes, in ms, and what it is. */
export const measurePage = async (
  url: string,
  { cookie, rounds, warmUps = WARM_UP_ROUNDS }: {
    readonly cookie: string
    readonly rounds: number
    readonly warmUps?: number
  }
) => {
  for (let warm = 0; warm < warmUps; warm++) await ask(url, { cookie })
  const times: Array<number> = []
  let last: Answer | undefined
  for (let round = 0; round < rounds; round++) {
    last = await ask(url, { cookie })
    times.push(last.ms)
  }
  return {
    status: last?.status ?? 0,
    bytes: last?.body.length ?? 0,
    p50: quantile(times, 0.5),
    p95: quantile(times, 0.95)
  }
}
