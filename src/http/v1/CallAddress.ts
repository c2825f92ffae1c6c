/**
 * The address that a call comes from, for keys that are bound to networks: that of the connection, and behind proxies that
 * `server.trusted_proxies` names the last address of `X-Forwarded-For` besides theirs. The same rule as for pages.
 *
 * @internal
 */
import type { BlockList } from "node:net"
import type { IncomingMessage } from "node:http"
import { isIpIn } from "../../domain/IpRange.ts"

/** Addresses of one header that are looked at, at most. */
const HOPS_MAX = 32

const bare = (text: string): string => {
  const address = text.trim()
  const bracketed = /^\[([^\]]+)\](:\d+)?$/.exec(address)?.[1]
  if (bracketed !== undefined) return bracketed
  return /^[\d.]+:\d+$/.test(address) ? address.slice(0, address.indexOf(":")) : address
}

/** Empty where it is not known. */
export const callAddress = (request: IncomingMessage, trusted: BlockList): string => {
  const peer = request.socket.remoteAddress ?? ""
  const header = request.headers["x-forwarded-for"]
  if (header === undefined || !isIpIn(trusted, peer)) return peer
  const hops = (typeof header === "string" ? header : header.join(",")).split(",").map(bare)
  if (hops.length > HOPS_MAX) return ""
  const client = hops.findLastIndex((address) => !isIpIn(trusted, address))
  return hops[Math.max(client, 0)] ?? ""
}
