/** Which addresses this process may call where root says so, as its configuration says; and where users say so. */
import { Effect } from "effect"
import { AppConfig } from "./AppConfig.ts"
import { HostLookup, outboundGuard } from "./OutboundUrl.ts"
import { PublicHostLookup } from "./PublicLookup.ts"

export const makeOutboundGuard = Effect.gen(function*() {
  const { server } = yield* AppConfig
  return outboundGuard(server.linkLocalHostsAllowed, yield* HostLookup)
})

/** Only public addresses, and hosts that the configuration names: the system may know those by its own files. */
export const makeUserOutboundGuard = Effect.gen(function*() {
  const { server } = yield* AppConfig
  return outboundGuard(server.linkLocalHostsAllowed, yield* PublicHostLookup, {
    by: "user",
    lookupAllowed: yield* HostLookup
  })
})
