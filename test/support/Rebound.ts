/** A name that resolves to an address that is never called: what a rebound name looks like to the one who asks. */
import type { LookupFunction } from "node:net"

const ADDRESS = "169.254.169.254"

export const rebound: LookupFunction = (_host, options, callback) =>
  options.all === true ? callback(null, [{ address: ADDRESS, family: 4 }]) : callback(null, ADDRESS, 4)
