/**
 * What counts as one client when attempts are limited by address: an IPv4 address, or the /64 of an IPv6 address, since a client
 * that has one address of a /64 has them all.
 */
import { isIPv4, isIPv6 } from "node:net"

const GROUPS = 8
const GROUPS_OF_NETWORK = 4
const GROUPS_OF_SITE = 3
const MAPPED_PREFIX = "0:0:0:0:0:ffff"

/** Groups of one side of `::`, each in its shortest form; an IPv4 address at the end is two of them. */
const groupsOf = (text: string): ReadonlyArray<string> =>
  text === "" ? [] : text.split(":").flatMap((group) => {
    if (!group.includes(".")) return [Number.parseInt(group, 16).toString(16)]
    const [a = 0, b = 0, c = 0, d = 0] = group.split(".").map(Number)
    return [(a * 256 + b).toString(16), (c * 256 + d).toString(16)]
  })

/** The eight groups of an IPv6 address. */
const expand = (address: string): ReadonlyArray<string> => {
  const [head = "", tail = ""] = address.split("::")
  const [before, after] = [groupsOf(head), groupsOf(tail)]
  return [...before, ...Array<string>(GROUPS - before.length - after.length).fill("0"), ...after]
}

const toIPv4 = (groups: ReadonlyArray<string>): string =>
  groups.slice(-2).map((group) => Number.parseInt(group, 16))
    .flatMap((value) => [Math.floor(value / 256), value % 256]).join(".")

/** The client's network as text: equal for equal clients. What is no IP address stands for itself. */
export const networkOf = (address: string): string => {
  const text = address.trim().replace(/%.*$/, "")
  if (isIPv4(text) || !isIPv6(text)) return text
  const groups = expand(text)
  if (groups.slice(0, 6).join(":") === MAPPED_PREFIX) return toIPv4(groups)
  return `${groups.slice(0, GROUPS_OF_NETWORK).join(":")}::/64`
}

/** How the networks of the client's /48 begin, which many have whole; undefined for IPv4, and for what is no IP address. */
export const sitePrefixOf = (address: string): string | undefined => {
  const network = networkOf(address)
  return network.endsWith("::/64") ? `${network.split(":").slice(0, GROUPS_OF_SITE).join(":")}:` : undefined
}
