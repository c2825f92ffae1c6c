/**
 * Whom passkeys are for: the host name that this installation is reached at. Browsers know none for an IP address, and offer none
 * where the page came by plain http from another machine.
 */
import { isIP } from "node:net"

export type RelyingParty =
  | { readonly _tag: "Party"; readonly id: string; readonly origin: string }
  | { readonly _tag: "NoParty"; readonly why: "address" | "http" }

export const relyingPartyOf = (publicUrl: string): RelyingParty => {
  const { hostname, origin, protocol } = new URL(publicUrl)
  if (isIP(hostname.replace(/^\[|\]$/g, "")) !== 0) return { _tag: "NoParty", why: "address" }
  const isLocal = hostname === "localhost" || hostname.endsWith(".localhost")
  return protocol === "https:" || isLocal
    ? { _tag: "Party", id: hostname, origin }
    : { _tag: "NoParty", why: "http" }
}
