/**
 * Loads `simulators/` when a demo starts, and only then: a server has none of their code in memory, and an image for production does
 * not contain them. They are run from their source, which Node.js reads as it is.
 */
import { Effect, type Scope } from "effect"
import { type CliFailure, failed } from "./CliFailure.ts"

/** What the demo needs of them; each lives as long as its scope. */
export interface Simulators {
  readonly acquireUpstream: (options: { readonly apiKey: string; readonly record: boolean }) => Acquired<{
    /** With the path that an OpenAI SDK expects, `/v1`. */
    readonly baseUrl: string
  }>
  readonly acquireStripe: () => Acquired<{
    readonly url: string
    readonly secretKey: string
    readonly webhookSecret: string
    readonly setWebhookUrl: (url: string) => void
  }>
  readonly acquireEpay: () => Acquired<{ readonly url: string; readonly pid: string; readonly key: string }>
}

type Acquired<A> = Effect.Effect<A, { readonly _tag: "SimulatorNotStarted"; readonly message: string }, Scope.Scope>

/** From the source and from a build alike, which lie as deep. */
const entry = new URL("../../simulators/index.ts", import.meta.url)

export const loadSimulators: Effect.Effect<Simulators, CliFailure> = Effect.tryPromise({
  try: (): Promise<Simulators> => import(entry.href),
  catch: (cause) =>
    failed(
      `the demo needs the folder simulators/ of the source, which cannot be loaded here: ${
        cause instanceof Error ? cause.message : String(cause)
      }`
    )
})
