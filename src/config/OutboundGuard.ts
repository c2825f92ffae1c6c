/** Which addresses this process may call, as its configuration says. */
import { Effect } from "effect"
import { AppConfig } from "./AppConfig.ts"
import { HostLookup, outboundGuard } from "./OutboundUrl.ts"

export const makeOutboundGuard = Effect.gen(function*() {
  const { server } = yield* AppConfig
  return outboundGuard(server.linkLocalHostsAllowed, yield* HostLookup)
})
