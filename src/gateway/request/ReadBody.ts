/**
 * Reads a whole body by the table of its dialect: its top-level members as byte ranges, and everything that was counted.
 *
 * @internal
 */
import type { Fields } from "./Admission.ts"
import type { Dialect, Refused } from "./Call.ts"
import { dialectTables } from "./DialectTables.ts"
import { OPEN_BRACE, skipSpace } from "./JsonBytes.ts"
import { encodingFault, type JsonField } from "./JsonFields.ts"
import { LOWER_N } from "./JsonScan.ts"
import { checkName, readField, readMembers } from "./ReadMembers.ts"
import { type Member, Reading } from "./Reading.ts"
import { readValue } from "./ReadValue.ts"
import { invalid } from "./Refusal.ts"

/** Most top-level fields that the table does not name. */
export const UNKNOWN_FIELDS_MAX = 64

export interface ReadBody {
  readonly _tag: "ReadBody"
  readonly reading: Reading
  readonly fields: ReadonlyArray<JsonField>
  readonly unknownFields: ReadonlyArray<string>
}

/** `texts` is filled with what reaches the model as text, in order. */
export function readBody(dialect: Dialect, body: Uint8Array, texts?: Array<string>): ReadBody | Refused {
  const fault = encodingFault(body)
  if (fault !== undefined) return invalid(null, fault)
  const start = skipSpace(body, 0)
  if (body[start] !== OPEN_BRACE) return invalid(null, "The request body must be a JSON object.")
  const table = dialectTables[dialect].fields
  const reading = new Reading(body, readValue, texts)
  const fields: Array<JsonField> = []
  const unknownFields: Array<string> = []
  const end = readMembers(reading, start, 1, (member) => {
    const valueEnd = readTopMember(reading, table, member, unknownFields)
    fields.push({ key: member.key, keyStart: member.keyStart, valueStart: member.at, valueEnd })
    return valueEnd
  })
  if (end < 0) return reading.refusal ?? invalid(null, reading.scan.fault ?? "The request body is not valid JSON.")
  if (skipSpace(body, end) !== body.length) return invalid(null, "The request body is not valid JSON.")
  return { _tag: "ReadBody", reading, fields, unknownFields }
}

function readTopMember(reading: Reading, table: Fields, member: Member, unknownFields: Array<string>): number {
  const rule = table.get(member.key)
  if (rule !== undefined) return readField(reading, rule, member.at, 2)
  if (checkName(reading, member.key, table) < 0) return -1
  const { scan } = reading
  const { saved } = scan
  const end = scan.value(member.at, 2)
  if (end < 0 || scan.view[member.at] === LOWER_N) return end
  unknownFields.push(member.key)
  if (unknownFields.length > UNKNOWN_FIELDS_MAX) {
    return reading.unsupported(`Unknown parameter: %. A call may have at most ${UNKNOWN_FIELDS_MAX} unknown fields.`)
  }
  // Most channels are not sent it, so the upstream's count says nothing of it.
  reading.addUnsent(() => reading.addMember(member, end, saved))
  return end
}
