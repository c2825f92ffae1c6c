/**
 * The address that limits are counted by. Behind a proxy that `server.trusted_proxies` does not name, every client would have the
 * proxy's address, and one stranger could use up the limits of all. Such an address counts as unknown; the log says so once.
 */
import { Effect, Option } from "effect"
import type { HttpServerRequest } from "effect/http"
import { BlockList, isIPv6 } from "node:net"

/** Networks of proxies. A client from the internet has no such address. */
const near = new BlockList()
for (const [network, prefix] of [["127.0.0.0", 8], ["10.0.0.0", 8], ["172.16.0.0", 12], ["192.168.0.0", 16]] as const) {
  near.addSubnet(network, prefix, "ipv4")
}
near.addAddress("::1", "ipv6")
near.addSubnet("fc00::", 7, "ipv6")
near.addSubnet("fe80::", 10, "ipv6")

/** True for an address on this machine or in this network. */
export const isNear = (address: string): boolean => near.check(address, isIPv6(address) ? "ipv6" : "ipv4")

let isSaid = false

const warnOnce = Effect.suspend(() => {
  if (isSaid) return Effect.void
  isSaid = true
  return Effect.logWarning(
    "requests come through a proxy that server.trusted_proxies does not name: clients cannot be told apart, and limits " +
      "by address do not count"
  )
})

/** The client's address as text; empty where it is not known. */
export const clientAddress = (
  request: Pick<HttpServerRequest.HttpServerRequest, "headers" | "peerAddress" | "remoteAddress">
): Effect.Effect<string> => {
  const address = Option.getOrElse(request.remoteAddress, () => "")
  const isForwarded = request.headers["x-forwarded-for"] !== undefined
  const isPeer = Option.getOrElse(request.peerAddress, () => "") === address
  return isForwarded && isPeer && isNear(address) ? Effect.as(warnOnce, "") : Effect.succeed(address)
}
