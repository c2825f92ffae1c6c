/**
 * The codes of a batch as a file, with their texts.
 */
import { Redacted } from "effect"
import { formatUsd } from "../domain/Money.ts"
import type { CsvColumns } from "../platform/Csv.ts"
import type { CodeWithText } from "./RedemptionAdmin.ts"
import type { RedemptionBatch } from "./RedemptionBatch.ts"

export const codeColumns = ({ expiresAt, gift, name }: RedemptionBatch): CsvColumns<CodeWithText> => [
  ["code", ({ text }) => Redacted.value(text)],
  ["code_id", ({ id }) => id.toString()],
  ["batch", () => name],
  ["credit_usd", () => gift.kind === "balance" ? formatUsd(gift.usdMicros) : ""],
  ["plan", () => gift.kind === "plan" ? gift.terms.code : ""],
  ["state", ({ state }) => state],
  ["uses", ({ uses }) => uses.toString()],
  ["uses_max", ({ usesMax }) => usesMax.toString()],
  ["expires_at", () => expiresAt?.toISOString() ?? ""]
]
