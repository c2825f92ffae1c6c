/**
 * The signature of EPay V1 (MD5): parameters decoded, without `sign`, `sign_type` and empty values, sorted by name, joined as
 * `name=value` with `&`, followed by the merchant key. `sign` is here beside `verify` so that tests can use it.
 */
import { Buffer } from "node:buffer"
import { createHash, timingSafeEqual } from "node:crypto"

/** Names and values, decoded, in the order in which they came; a name may come twice. */
export type EpayParams = ReadonlyArray<readonly [name: string, value: string]>

const SIGN_CHARACTERS = 32

const isSigned = ([name, value]: readonly [string, string]): boolean =>
  name !== "sign" && name !== "sign_type" && value !== ""

/** By byte of UTF-8, which is not the order of UTF-16 units. */
const byName = ([a]: readonly [string, string], [b]: readonly [string, string]): number =>
  Buffer.compare(Buffer.from(a), Buffer.from(b))

/** The signature of the parameters: lower-case hex. What is signed already is signed as if it were not. */
export const sign = (params: EpayParams, key: string): string => {
  const text = params.filter(isSigned).toSorted(byName).map(([name, value]) => `${name}=${value}`).join("&")
  return createHash("md5").update(`${text}${key}`, "utf8").digest("hex")
}

/**
 * Whether the parameters carry exactly one `sign` and it is theirs, over all of them. Takes the same time whatever is
 * wrong with a signature of the right length. With an empty key anyone could sign: it verifies nothing.
 */
export const verify = (params: EpayParams, key: string): boolean => {
  const [given, ...more] = params.filter(([name]) => name === "sign")
  if (key === "" || given === undefined || more.length > 0) return false
  const told = Buffer.from(given[1].toLowerCase())
  return told.length === SIGN_CHARACTERS && timingSafeEqual(told, Buffer.from(sign(params, key)))
}
