/**
 * Where people and payment providers reach this installation: the address that the administrator set, else the configuration's,
 * and where that leaves the port to the system, the port that the server was given. It is never taken from the `Host` header of a
 * request, which any client can write.
 */
import { Context, Effect, Layer } from "effect"
import { AppConfig, publicUrlFor } from "../config/Config.ts"

export class PublicAddress extends Context.Service<PublicAddress, {
  /** Without a trailing slash. */
  url(): string
  /** What the administrator set counts from now on; undefined: the configuration does. */
  isSetTo(url: string | undefined): void
  /** The server listens on this port. */
  listensOn(port: number): void
}>()("realms/platform/PublicAddress") {
  static readonly layer = Layer.effect(
    PublicAddress,
    Effect.map(AppConfig, ({ server }) => {
      let { port } = server
      let set: string | undefined
      return PublicAddress.of({
        url: () => set ?? publicUrlFor(server, port),
        isSetTo: (url) => {
          set = url
        },
        listensOn: (bound) => {
          port = bound
        }
      })
    })
  )
}
