/**
 * Providers that sign people in, on loopback: a real implementation of OpenID Connect (`oidc-provider`), whose accounts are whatever a test
 * says, and the endpoints of GitHub, which check what they are sent. And a browser that follows from one to the next.
 */
import { afterAll } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { createHash, randomUUID } from "node:crypto"
import { createServer, type IncomingMessage, type RequestListener } from "node:http"
import { Provider } from "oidc-provider"
import { freePort } from "./FreePort.ts"
import { send, type TestAnswer } from "./TestHttp.ts"

const CLIENT = { id: "realms", secret: "a secret of the client that is long enough" }

/** What a provider says of somebody, by the name that they sign in there with. */
export interface Account {
  readonly email?: string
  readonly email_verified?: boolean
}

const listening = (handlerOf: (origin: string) => RequestListener) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly origin: string; readonly close: () => void }>((resume) => {
      const server = createServer((request, response) => handler(request, response))
      let handler: RequestListener = () => undefined
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const origin = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`
        handler = handlerOf(origin)
        resume(Effect.succeed({
          origin,
          close: () => {
            server.closeAllConnections()
            server.close()
          }
        }))
      })
    }),
    ({ close }) => Effect.sync(close)
  )

/** A provider of OpenID Connect, for the callback of this site. */
const makeOidcProvider = Effect.fnUntraced(function*(publicUrl: string) {
  const accounts = new Map<string, Account>()
  const { origin } = yield* listening((issuer) =>
    new Provider(issuer, {
      clients: [{
        client_id: CLIENT.id,
        client_secret: CLIENT.secret,
        redirect_uris: [`${publicUrl}/login/callback/oidc`],
        token_endpoint_auth_method: "client_secret_post"
      }],
      pkce: { required: () => true },
      claims: { openid: ["sub"], email: ["email", "email_verified"] },
      cookies: { keys: [randomUUID()] },
      findAccount: (_: unknown, sub: string) => ({
        accountId: sub,
        claims: () => ({ sub, ...accounts.get(sub) })
      })
    }).callback()
  )
  return { issuer: origin, accounts }
})

const bodyOf = async (request: IncomingMessage): Promise<URLSearchParams> => {
  const chunks: Array<Buffer> = []
  for await (const chunk of request) chunks.push(Buffer.from(chunk))
  return new URLSearchParams(Buffer.concat(chunks).toString())
}

interface GitHubAccount {
  readonly id: number
  readonly emails: ReadonlyArray<{ readonly email: string; readonly primary: boolean; readonly verified: boolean }>
}

/** GitHub, at which the one who is set signs in without a question. */
const makeGitHub = Effect.fnUntraced(function*() {
  const state: { account: GitHubAccount } = { account: { id: 1, emails: [] } }
  const codes = new Map<string, string>()
  const token = randomUUID()
  const { origin } = yield* listening((base) => async (request, response) => {
    const url = new URL(request.url ?? "/", base)
    const json = (status: number, value: unknown) => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value))
    }
    if (url.pathname === "/login/oauth/authorize") {
      const code = randomUUID()
      codes.set(code, url.searchParams.get("code_challenge") ?? "")
      const to = new URL(url.searchParams.get("redirect_uri") ?? "")
      to.searchParams.set("code", code)
      to.searchParams.set("state", url.searchParams.get("state") ?? "")
      return response.writeHead(302, { location: to.href }).end()
    }
    if (url.pathname === "/login/oauth/access_token") {
      const asked = await bodyOf(request)
      const challenge = codes.get(asked.get("code") ?? "")
      codes.delete(asked.get("code") ?? "")
      const proved = createHash("sha256").update(asked.get("code_verifier") ?? "").digest("base64url")
      const isRight = asked.get("client_id") === CLIENT.id && asked.get("client_secret") === CLIENT.secret &&
        challenge === proved
      return isRight
        ? json(200, { access_token: token, token_type: "bearer", scope: "read:user,user:email" })
        : json(400, { error: "bad_verification_code" })
    }
    if (request.headers.authorization?.replace(/^bearer /i, "") !== token) return json(401, {})
    if (url.pathname === "/api/v3/user") return json(200, { id: state.account.id, login: "octocat" })
    return url.pathname === "/api/v3/user/emails" ? json(200, state.account.emails) : json(404, {})
  })
  return { url: origin, as: (account: GitHubAccount) => void (state.account = account) }
})

/** Both providers until a test file ends, the site that they lead back to, and the configuration of its server. */
export const makeProviders = async () => {
  const scope = Effect.runSync(Scope.make())
  afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))
  const port = await Effect.runPromise(freePort)
  const origin = `http://127.0.0.1:${port}`
  const scoped = <A>(effect: Effect.Effect<A, never, Scope.Scope>) => Effect.runPromise(Scope.provide(effect, scope))
  const oidc = await scoped(makeOidcProvider(origin))
  const github = await scoped(makeGitHub())
  const config = {
    server: { host: "127.0.0.1", port },
    sign_in: {
      oidc: { name: "Company", issuer: oidc.issuer, client_id: CLIENT.id, client_secret: CLIENT.secret },
      github: { client_id: CLIENT.id, client_secret: CLIENT.secret, url: github.url }
    }
  }
  return { config, github, oidc, origin }
}

/** Signs in at the provider of OpenID Connect; answers the address that it sends the browser back to. */
export const signInThere = (authorization: string, login: string): Effect.Effect<string> =>
  Effect.gen(function*() {
    const cookies = new Map<string, string>()
    const ask = (url: string, body?: Readonly<Record<string, string>>): Effect.Effect<TestAnswer> =>
      Effect.map(
        send(url, {
          method: body === undefined ? "GET" : "POST",
          ...(body === undefined ? {} : { body: new URLSearchParams(body).toString() }),
          headers: {
            "content-type": "application/x-www-form-urlencoded",
            cookie: Array.from(cookies, ([name, value]) => `${name}=${value}`).join("; ")
          }
        }),
        (answer) => {
          for (const cookie of answer.headers["set-cookie"] ?? []) {
            const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
            if (value === "") cookies.delete(name)
            else cookies.set(name, value)
          }
          return answer
        }
      )
    let url = authorization
    for (let step = 0; step < 12; step++) {
      const { origin } = new URL(authorization)
      if (!url.startsWith(origin)) return url
      const answer = yield* ask(url)
      if (answer.status === 200) {
        const prompt = /name="prompt" value="(\w+)"/.exec(answer.text)?.[1] ?? ""
        const sent = yield* ask(url, { prompt, login, password: "x" })
        url = new URL(sent.headers.location ?? "", url).href
      } else url = new URL(answer.headers.location ?? "", url).href
    }
    return yield* Effect.die(new Error("the provider leads in a circle"))
  })
