/**
 * IP addresses and ranges such as 10.0.0.0/8, and lists of them that an address is looked up in.
 */
import { BlockList, isIP } from "node:net"

/** The range as it is written; undefined for any other text. */
export const parseIpRange = (text: string): string | undefined => {
  const [address = "", prefix, ...rest] = text.split("/")
  const bits = isIP(address) === 4 ? 32 : 128
  if (isIP(address) === 0 || rest.length > 0) return undefined
  if (prefix === undefined) return address
  return /^\d{1,3}$/.test(prefix) && Number(prefix) <= bits ? `${address}/${prefix}` : undefined
}

const familyOf = (address: string): "ipv4" | "ipv6" => isIP(address) === 6 ? "ipv6" : "ipv4"

/** The list of ranges, each as {@link parseIpRange} has it. An IPv4 address is also found as the IPv6 address that stands for it. */
export const ipRanges = (ranges: ReadonlyArray<string>): BlockList => {
  const list = new BlockList()
  for (const range of ranges) {
    const [address = "", prefix] = range.split("/")
    if (prefix === undefined) list.addAddress(address, familyOf(address))
    else list.addSubnet(address, Number(prefix), familyOf(address))
  }
  return list
}

/** False also for what is no IP address. */
export const isIpIn = (list: BlockList, address: string): boolean =>
  isIP(address) !== 0 && list.check(address, familyOf(address))
