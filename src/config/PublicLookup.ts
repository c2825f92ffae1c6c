/**
 * How names that users choose are resolved: by queries of our own to the system's DNS servers. `dns.lookup` would take a thread of the
 * pool that all look-ups of this process share, for as long as somebody's DNS server likes, and upstreams would wait for it.
 */
import { Context } from "effect"
import { type LookupAddress, NOTFOUND, Resolver } from "node:dns"
import type { LookupFunction } from "node:net"

/** A server is asked twice, and has so many milliseconds for the first answer. */
const ANSWER_MS_MAX = 2_000
const TRIES_MAX = 2

/** `servers`: instead of the system's. */
export const publicLookup =
  (servers?: ReadonlyArray<string>): LookupFunction => (hostname, { all, family: wanted }, callback) => {
    // Made for each look-up: it reads the system's servers when it is made.
    const resolver = new Resolver({ timeout: ANSWER_MS_MAX, tries: TRIES_MAX })
    if (servers !== undefined) resolver.setServers(servers)
    const found: Record<4 | 6, ReadonlyArray<string>> = { 4: [], 6: [] }
    const families = ([4, 6] as const).filter((family) => !wanted || wanted === family || wanted === `IPv${family}`)
    let waiting = families.length
    const answered = (family: 4 | 6) => (failure: NodeJS.ErrnoException | null, addresses: ReadonlyArray<string>) => {
      if (failure === null) found[family] = addresses
      waiting -= 1
      if (waiting > 0) return
      const both = families.flatMap((of) => found[of].map((address): LookupAddress => ({ address, family: of })))
      const [first] = both
      if (first === undefined) callback(failure ?? Object.assign(new Error(hostname), { code: NOTFOUND }), "", 0)
      else if (all === true) callback(null, both)
      else callback(null, first.address, first.family)
    }
    if (families.includes(4)) resolver.resolve4(hostname, answered(4))
    if (families.includes(6)) resolver.resolve6(hostname, answered(6))
  }

/** How names that users choose are resolved. Replaced in tests. */
export const PublicHostLookup = Context.Reference<LookupFunction>("realms/config/PublicLookup/PublicHostLookup", {
  defaultValue: () => publicLookup()
})
