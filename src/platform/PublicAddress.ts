/**
 * Where people and payment providers reach this installation. Follows the configuration, and where that leaves the port to
 * the system, the port that the server has been given. Never a request's `Host` header: whoever sends one may write it.
 */
import { Context, Effect, Layer } from "effect"
import { AppConfig, publicUrlFor } from "./Config.ts"

export class PublicAddress extends Context.Service<PublicAddress, {
  /** Without a trailing slash. */
  url(): string
  /** The server listens on this port. */
  listensOn(port: number): void
}>()("realms/platform/PublicAddress") {
  static readonly layer = Layer.effect(
    PublicAddress,
    Effect.map(AppConfig, ({ server }) => {
      let { port } = server
      return PublicAddress.of({
        url: () => publicUrlFor(server, port),
        listensOn: (bound) => {
          port = bound
        }
      })
    })
  )
}
