/**
 * Providers that sign people in: one of OpenID Connect, and GitHub, as the settings say. What comes of a login there is an identity: an
 * issuer and a subject, and an e-mail address only where the provider says that it is verified. Connections are held to the rules of all
 * that this server calls.
 */
import { Context, Effect, Layer, Option, Redacted, Schema, Semaphore } from "effect"
import type { Configuration, CustomFetch } from "openid-client"
import type * as undici from "undici"
import { isHttpsOrLoopback } from "../config/Config.ts"
import { makeOutboundGuard } from "../config/OutboundGuard.ts"
import { normalizeEmail } from "../domain/EmailAddress.ts"
import { PublicAddress } from "../platform/PublicAddress.ts"
import { SecretBox } from "../platform/SecretBox.ts"
import { type DatabaseUnavailable, databaseUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { Settings } from "../settings/Settings.ts"
import { ProviderLoginFailed, ProviderUnavailable } from "./IdentityError.ts"
import { derivedOf, keyOfState, makeState, type SignInPurpose } from "./SignInState.ts"

/** Whose answer is waited for in which browser; what the settings say of the provider is added here. */
type AskedPurpose = Pick<SignInPurpose, "purpose" | "visitor">

/** Each answer of a provider is waited for so long, in seconds. */
const ANSWER_SECONDS_MAX = 10

/** A larger one is given up. */
const ANSWER_BYTES_MAX = 1_048_576

export const providerIds = ["oidc", "github"] as const
export type ProviderId = typeof providerIds[number]

/** A provider that is set up. */
export interface OfferedProvider {
  readonly id: ProviderId
  readonly name: string
}

/** Who somebody is at a provider. */
export interface ExternalIdentity {
  readonly issuer: string
  readonly subject: string
  /** Verified by the provider, normalised; undefined: there is none. */
  readonly email: string | undefined
  /** Good once: for the transaction that uses the identity. */
  readonly state: string
}

type Undici = typeof undici
type Agent = undici.Agent

interface Client {
  readonly issuer: string
  readonly clientId: string
  readonly secret: Redacted.Redacted<string>
}

const Claims = Schema.Struct({
  sub: Schema.String,
  email: Schema.optional(Schema.String),
  // Some providers say it as a text.
  email_verified: Schema.optional(Schema.Union([Schema.Boolean, Schema.String]))
})
const readClaims = Schema.decodeUnknownEffect(Claims)

const GitHubUser = Schema.Struct({ id: Schema.Int })
const GitHubEmails = Schema.Array(
  Schema.Struct({ email: Schema.String, primary: Schema.Boolean, verified: Schema.Boolean })
)
const readUser = Schema.decodeUnknownEffect(GitHubUser)
const readEmails = Schema.decodeUnknownEffect(GitHubEmails)

type FinishError = ProviderLoginFailed | ProviderUnavailable | DatabaseUnavailable

export class SignInProviders extends Context.Service<SignInProviders, {
  offered(): ReadonlyArray<OfferedProvider>
  /** Where the browser goes to sign in there; fails where the provider is not set up or does not answer. */
  start(
    provider: ProviderId,
    about: AskedPurpose
  ): Effect.Effect<string, ProviderUnavailable | DatabaseUnavailable>
  /** Who came back, by the query of the address that the provider sent the browser to. */
  finish(
    provider: ProviderId,
    about: AskedPurpose,
    query: URLSearchParams
  ): Effect.Effect<ExternalIdentity, FinishError>
}>()("realms/identity/SignInProviders") {
  static readonly layer = Layer.effect(SignInProviders)(Effect.gen(function*() {
    const settings = yield* Settings
    const address = yield* PublicAddress
    const box = yield* SecretBox
    const guard = yield* makeOutboundGuard
    const keys = box.derived("sign-in states").pipe(Effect.mapError(databaseUnavailable))
    const redirectUri = (provider: ProviderId): string => `${address.url()}/login/callback/${provider}`
    let made: Agent | undefined
    yield* Effect.addFinalizer(() => Effect.promise(async () => made?.destroy()))
    /** Made when somebody first signs in so: no start waits for the client's modules. */
    const agentOf = (undici: Undici): Agent =>
      made ??= new undici.Agent({
        connect: { lookup: guard.lookup },
        pipelining: 0,
        maxResponseSize: ANSWER_BYTES_MAX
      })

    const offered = (): ReadonlyArray<OfferedProvider> => {
      const { github, oidc } = settings.current().signIn
      return [
        ...oidc.issuer === "" || oidc.clientId === ""
          ? []
          : [{ id: "oidc" as const, name: oidc.name || "OpenID Connect" }],
        ...github.clientId === "" ? [] : [{ id: "github" as const, name: "GitHub" }]
      ]
    }

    const clientOf = Effect.fnUntraced(
      function*(provider: ProviderId): Effect.fn.Return<Client, ProviderUnavailable | DatabaseUnavailable> {
        const { signIn } = yield* settings.get
        const { clientId, clientSecret: secret } = signIn[provider]
        const issuer = provider === "oidc" ? signIn.oidc.issuer : signIn.github.url
        if (clientId === "" || issuer === "" || !isHttpsOrLoopback(issuer)) {
          return yield* unavailable("it is not set up")
        }
        return { issuer, clientId, secret }
      }
    )

    /** Asks as root allows: no address that is forbidden, by no redirect. */
    const fetching = Effect.map(
      Effect.promise(() => import("undici")),
      (undici): CustomFetch => async (url, { body, headers, method, signal }) => {
        const { hostname } = new URL(url)
        if (guard.isForbidden(hostname) || !isHttpsOrLoopback(url)) {
          throw new Error("it is an address that is not called")
        }
        const answer = await undici.fetch(url, {
          method,
          headers,
          body: body instanceof URLSearchParams ? body.toString() : typeof body === "string" ? body : null,
          redirect: "manual",
          dispatcher: agentOf(undici),
          ...(signal === undefined ? {} : { signal })
        })
        return new Response(await answer.arrayBuffer(), { status: answer.status, headers: [...answer.headers] })
      }
    )

    const configured = Effect.fnUntraced(function*(provider: ProviderId, client: Client) {
      const library = yield* Effect.promise(() => import("openid-client"))
      const customFetch = yield* fetching
      const secret = Redacted.value(client.secret)
      const isPlain = client.issuer.startsWith("http:")
      const config = provider === "github"
        ? new library.Configuration(
          {
            issuer: client.issuer,
            authorization_endpoint: `${client.issuer}/login/oauth/authorize`,
            token_endpoint: `${client.issuer}/login/oauth/access_token`
          },
          client.clientId,
          secret
        )
        : yield* discovered(
          client.issuer,
          (issuer) =>
            library.discovery(new URL(issuer), client.clientId, secret, undefined, {
              [library.customFetch]: customFetch,
              timeout: ANSWER_SECONDS_MAX,
              execute: isPlain ? [library.allowInsecureRequests] : []
            })
        )
      if (provider === "github") {
        config[library.customFetch] = customFetch
        config.timeout = ANSWER_SECONDS_MAX
        if (isPlain) library.allowInsecureRequests(config)
      }
      return { config, library }
    })

    const start: SignInProviders["Service"]["start"] = Effect.fn("SignInProviders.start")(function*(provider, about) {
      const client = yield* clientOf(provider)
      const { config, library } = yield* configured(provider, client)
      const [key] = yield* keys
      if (key === undefined) return yield* Effect.die(new Error("there is no master key"))
      const state = yield* makeState(key, { ...about, ...client, provider })
      const { nonce, verifier } = derivedOf(key, state)
      const challenge = yield* Effect.promise(() => library.calculatePKCECodeChallenge(verifier))
      return library.buildAuthorizationUrl(config, {
        redirect_uri: redirectUri(provider),
        scope: provider === "github" ? "read:user user:email" : "openid email",
        state,
        code_challenge: challenge,
        code_challenge_method: "S256",
        ...(provider === "github" ? {} : { nonce })
      }).href
    })

    const finish: SignInProviders["Service"]["finish"] = Effect.fn("SignInProviders.finish")(
      function*(provider, about, query) {
        const state = query.get("state") ?? ""
        const client = yield* clientOf(provider)
        const key = yield* keyOfState(yield* keys, state, { ...about, ...client, provider })
        if (key === undefined || query.get("code") === null) return yield* new ProviderLoginFailed()
        const { config, library } = yield* configured(provider, client)
        const { nonce, verifier } = derivedOf(key, state)
        const current = new URL(`${redirectUri(provider)}?${query}`)
        const tokens = yield* Effect.tryPromise({
          try: () =>
            library.authorizationCodeGrant(config, current, {
              expectedState: state,
              pkceCodeVerifier: verifier,
              ...(provider === "github" ? {} : { expectedNonce: nonce, idTokenExpected: true })
            }),
          catch: () => new ProviderLoginFailed()
        })
        /** Asks for more with the token that was just given. */
        const ask = (url: string) =>
          calling(async () => {
            const headers = new Headers({ accept: "application/json", "user-agent": "realms" })
            const answer = await library.fetchProtectedResource(
              config,
              tokens.access_token,
              new URL(url),
              "GET",
              null,
              headers
            )
            return answer.ok ? await answer.json() : undefined
          })
        if (provider === "github") {
          const api = client.issuer === "https://github.com" ? "https://api.github.com" : `${client.issuer}/api/v3`
          const { id } = yield* readUser(yield* ask(`${api}/user`)).pipe(
            Effect.mapError(() => new ProviderLoginFailed())
          )
          const emails = yield* readEmails(yield* ask(`${api}/user/emails`)).pipe(
            Effect.catch(() => Effect.succeed([]))
          )
          const email = emails.find(({ primary, verified }) => primary && verified)?.email
          return { issuer: client.issuer, subject: String(id), email: email && normalizeEmail(email), state }
        }
        const claims = tokens.claims()
        if (claims === undefined) return yield* new ProviderLoginFailed()
        const endpoint = config.serverMetadata().userinfo_endpoint
        const said = claims["email"] !== undefined || endpoint === undefined
          ? claims
          : { ...(yield* userInfo(library, config, tokens.access_token, claims.sub)), sub: claims.sub }
        const { email, email_verified: verified, sub } = yield* readClaims(said).pipe(
          Effect.mapError(() => new ProviderLoginFailed())
        )
        const isVerified = verified === true || verified === "true"
        return {
          issuer: claims.iss,
          subject: sub,
          email: isVerified && email !== undefined ? normalizeEmail(email) : undefined,
          state
        }
      }
    )

    const asking = yield* Semaphore.make(ASKING_MAX)
    /** Of more at once the others are told to come back: visitors ask for this, and providers may hang. */
    const bounded = <A, E>(ask: Effect.Effect<A, E>): Effect.Effect<A, E | ProviderUnavailable> =>
      Effect.flatMap(
        asking.withPermitsIfAvailable(1)(ask),
        Option.match({
          onNone: () => unavailable("too many ask it at once"),
          onSome: (answer) => Effect.succeed(answer)
        })
      )

    return SignInProviders.of({
      offered,
      start: (provider, about) => bounded(start(provider, about)),
      finish: (provider, about, query) => bounded(finish(provider, about, query))
    })
  }))
}

/** Requests to providers at once. */
const ASKING_MAX = 8

/** A setting has no slash at its end, and an issuer may have one. */
const discovered = <A>(issuer: string, ask: (issuer: string) => Promise<A>): Effect.Effect<A, ProviderUnavailable> =>
  calling(() => ask(issuer)).pipe(
    Effect.catch((error) => new URL(issuer).pathname === "/" ? Effect.fail(error) : calling(() => ask(`${issuer}/`)))
  )

const unavailable = (reason: string) => Effect.fail(new ProviderUnavailable({ reason }))

const calling = <A>(call: () => Promise<A>): Effect.Effect<A, ProviderUnavailable> =>
  Effect.tryPromise({
    try: call,
    catch: (error) => new ProviderUnavailable({ reason: error instanceof Error ? error.message : "no answer" })
  })

interface UserInfoLibrary {
  fetchUserInfo(config: Configuration, accessToken: string, subject: string): Promise<object>
}

/** What the provider says of somebody beyond the token; it has to be of the same subject. */
const userInfo = (library: UserInfoLibrary, config: Configuration, accessToken: string, subject: string) =>
  calling(() => library.fetchUserInfo(config, accessToken, subject))
