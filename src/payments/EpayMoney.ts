/**
 * Money as EPay writes it: yuan in plain decimals, counted in fen. Gateways write 20 yuan as `20`, `20.0` or `20.00`; what
 * is written in any other way is no amount.
 */
import { FEN_SCALE } from "../domain/Money.ts"

const plainYuan = /^(0|[1-9]\d{0,9})(?:\.(\d{1,2}))?$/

/** Fen; undefined for a sign, an exponent, a space, a third decimal or more than ten digits of yuan. */
export const parseFen = (yuan: string): bigint | undefined => {
  const [, whole, decimals = ""] = plainYuan.exec(yuan) ?? []
  return whole === undefined ? undefined : BigInt(`${whole}${decimals.padEnd(FEN_SCALE, "0")}`)
}
