/**
 * Which addresses this server may be told to call. Where root says so, http(s) is allowed anywhere, also on this machine and in private
 * networks, because people run their own upstreams there. Link-local and metadata addresses, from which a cloud gives credentials away,
 * are refused unless the configuration names the host. Where users say so, only public addresses are called. An address is checked when it
 * is saved, and again when its name is resolved to connect to it: what a name resolves to can change in between.
 */
import { Context } from "effect"
import { lookup as dnsLookup } from "node:dns"
import { BlockList, isIP, type LookupFunction } from "node:net"

/** Longer than any address in use, in characters. */
export const OUTBOUND_URL_LENGTH_MAX = 2_000

/**
 * What is wrong with a base URL: no http(s) URL, a user or password in it, a parameter of its query that looks like a credential,
 * a fragment, or a host that is not called.
 */
export type OutboundProblem = "url" | "credentials" | "secret" | "fragment" | "forbidden"

/** The code of {@link OutboundRefused}. */
export const OUTBOUND_REFUSED = "ERR_OUTBOUND_REFUSED"

/** Why a connection was not made, as Node and Undici tell of it. */
export class OutboundRefused extends Error {
  readonly code = OUTBOUND_REFUSED
}

/** How names that root chooses are resolved. Replaced in tests. */
export const HostLookup = Context.Reference<LookupFunction>("realms/config/OutboundUrl/HostLookup", {
  defaultValue: () => dnsLookup
})

export interface OutboundGuard {
  /** What is wrong with a base URL as a person typed it; undefined: it is fine. Names are not resolved for that. */
  problemOf(text: string): OutboundProblem | undefined
  /** Whether a host as a URL has it, a name or an address, is not to be connected to. */
  isForbidden(hostname: string): boolean
  /** For sockets: resolves a name to those of its addresses that may be connected to; fails when there is none. */
  readonly lookup: LookupFunction
}

/** Unspecified, link-local, multicast and broadcast, and the addresses at which clouds serve metadata. */
const ipv4Forbidden: ReadonlyArray<readonly [network: string, bits: number]> = [
  ["0.0.0.0", 8],
  ["169.254.0.0", 16],
  ["224.0.0.0", 4],
  ["255.255.255.255", 32],
  ["100.100.100.200", 32],
  ["168.63.129.16", 32],
  ["192.0.0.192", 32]
]

const ipv6Forbidden: ReadonlyArray<readonly [network: string, bits: number]> = [
  ["::", 128],
  ["fe80::", 10],
  ["ff00::", 8],
  ["fd00:ec2::254", 128],
  ["fd20:ce::254", 128]
]

/** What is not on the public internet: loopback, private, shared and reserved networks. */
const ipv4NotPublic: ReadonlyArray<readonly [network: string, bits: number]> = [
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["240.0.0.0", 4]
]

/**
 * What stands for an IPv4 address, of this machine's network too; what is given out for special use; and all that is outside `2000::/3`,
 * from which public addresses are given. `::/3` cannot be one of them: a list that has mapped addresses has every IPv4 address.
 */
const ipv6NotPublic: ReadonlyArray<readonly [network: string, bits: number]> = [
  ["::", 96],
  ["::ffff:0:0:0", 96],
  ["64:ff9b:1::", 48],
  ["2001::", 23],
  ["2001:db8::", 32],
  ["3fff::", 20],
  ["100::", 8],
  ["200::", 7],
  ["400::", 6],
  ["800::", 5],
  ["1000::", 4],
  ["4000::", 2],
  ["8000::", 1]
]

/** Names under which clouds serve metadata. */
const namesForbidden: ReadonlySet<string> = new Set([
  "metadata",
  "metadata.google.internal",
  "metadata.goog",
  "metadata.azure.internal",
  "instance-data",
  "instance-data.ec2.internal"
])

/** The prefixes of IPv6 addresses whose last 32 bits are an IPv4 address: mapped, translated (NAT64), and compatible. */
const embeddings = ["::ffff:", "64:ff9b::", "::"] as const
const EMBEDDED_AT_BIT = 96

/** In 6to4 the IPv4 address stands after the first 16 bits. */
const sixToFour = (network: string): string => {
  const hex = network.split(".").map((part) => Number(part).toString(16).padStart(2, "0")).join("")
  return `2002:${hex.slice(0, 4)}:${hex.slice(4)}::`
}

const SIX_TO_FOUR_AT_BIT = 16

const blockListOf = (ipv4: typeof ipv4Forbidden, ipv6: typeof ipv6Forbidden): BlockList => {
  const blocked = new BlockList()
  for (const [network, bits] of ipv6) blocked.addSubnet(network, bits, "ipv6")
  for (const [network, bits] of ipv4) {
    blocked.addSubnet(network, bits, "ipv4")
    blocked.addSubnet(sixToFour(network), bits + SIX_TO_FOUR_AT_BIT, "ipv6")
    for (const prefix of embeddings) {
      // Among the compatible addresses of 0.0.0.0/8 is the loopback address.
      if (prefix === "::" && network === "0.0.0.0") continue
      blocked.addSubnet(`${prefix}${network}`, bits + EMBEDDED_AT_BIT, "ipv6")
    }
  }
  return blocked
}

/** By who says what is called. */
const blocked = {
  root: blockListOf(ipv4Forbidden, ipv6Forbidden),
  user: blockListOf([...ipv4Forbidden, ...ipv4NotPublic], [...ipv6Forbidden, ...ipv6NotPublic])
} as const

/** A host as URLs have it, without brackets, a zone or the dot at the end. */
const normalHost = (host: string): string => {
  const bare = host.toLowerCase().replace(/^\[|\]$/g, "").replace(/%.*$/, "").replace(/\.$/, "")
  const url = `http://${isIP(bare) === 6 ? `[${bare}]` : bare}/`
  return URL.canParse(url) ? new URL(url).hostname.replace(/^\[|\]$/g, "") : bare
}

const isBlocked = (host: string, by: keyof typeof blocked): boolean => {
  const version = isIP(host)
  return version === 0 ? namesForbidden.has(host) : blocked[by].check(host, version === 4 ? "ipv4" : "ipv6")
}

/** Names of parameters that carry credentials at the APIs there are: `key`, `api_key`, `accessToken`, `X-Amz-Signature`. */
const CREDENTIAL_NAME = /(^|[^a-z0-9])(key|sig)$|(apikey|token|secret|password|signature)$/

const isCredentialName = (name: string): boolean =>
  CREDENTIAL_NAME.test(name.trim().replace(/([a-z0-9])([A-Z])/g, "$1_$2").toLowerCase())

/** Whether a parameter of a query, `name=value`, looks like a credential. */
const isCredential = (parameter: string): boolean =>
  Array.from(new URLSearchParams(parameter).keys()).some(isCredentialName)

/** A base URL as it is kept: without slashes at the end of its path, and without a question mark that nothing follows. */
export const baseUrlOf = (text: string): string => {
  const at = text.indexOf("?")
  const path = (at === -1 ? text : text.slice(0, at)).replace(/\/+$/, "")
  return at === -1 || at === text.length - 1 ? path : path + text.slice(at)
}

/** What a person typed as a base URL without its user, its password, and the parameters of its query that look like credentials. */
export const withoutCredentials = (text: string): string => {
  const [address = "", ...rest] = text.split("?")
  const parameters = rest.join("?").split("&").filter((parameter) => !isCredential(parameter)).join("&")
  const open = address.replace(/^(\s*https?:[\\/]*)[^\\/]*@/i, "$1")
  return parameters === "" ? open : `${open}?${parameters}`
}

/** A base URL that is kept, as people may see it. Empty for what is no URL. */
export const shownUrl = (text: string): string => {
  if (!URL.canParse(text)) return ""
  const { origin, pathname, search } = new URL(withoutCredentials(text))
  return baseUrlOf(`${origin}${pathname}${search}`)
}

/**
 * The guard of a configuration: `allowed` are its `server.link_local_hosts_allowed`, which are resolved by `lookupAllowed`. `by`: who says
 * what is called.
 */
export const outboundGuard = (
  allowed: ReadonlyArray<string>,
  lookup: LookupFunction = dnsLookup,
  { by = "root", lookupAllowed = lookup }: {
    readonly by?: "root" | "user"
    readonly lookupAllowed?: LookupFunction
  } = {}
): OutboundGuard => {
  const exempt = new Set(allowed.map(normalHost))
  const isForbidden = (hostname: string): boolean => {
    const host = normalHost(hostname)
    return !exempt.has(host) && isBlocked(host, by)
  }

  const problemOf = (text: string): OutboundProblem | undefined => {
    if (text.length > OUTBOUND_URL_LENGTH_MAX || !/^https?:\/\//i.test(text) || !URL.canParse(text)) return "url"
    const url = new URL(text)
    if (url.username !== "" || url.password !== "") return "credentials"
    if (text.includes("#")) return "fragment"
    if (isCredential(url.search)) return "secret"
    return isForbidden(url.hostname) ? "forbidden" : undefined
  }

  const guarded: LookupFunction = (hostname, options, callback) => {
    if (exempt.has(normalHost(hostname))) return lookupAllowed(hostname, options, callback)
    lookup(hostname, options, (error, found, family) => {
      if (error !== null) return callback(error, found, family)
      const addresses = typeof found === "string" ? [{ address: found, family: family ?? 0 }] : found
      const passing = isForbidden(hostname) ? [] : addresses.filter(({ address }) => !isForbidden(address))
      const [first] = passing
      if (first === undefined) {
        return callback(new OutboundRefused(`${hostname} resolves to an address that this server does not call`), "", 0)
      }
      if (typeof found === "string") callback(null, first.address, first.family)
      else callback(null, passing)
    })
  }

  return { problemOf, isForbidden, lookup: guarded }
}
