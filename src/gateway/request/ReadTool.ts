/**
 * Reads tools: who runs each one, also inside namespaces. All JSON of a tool is counted. Fields that the table does not know may
 * be objects only where the upstream runs the tool, for then the tool is taken out, refused or priced as a whole.
 *
 * @internal
 */
import { OPEN_BRACE, OPEN_BRACKET, QUOTE } from "./JsonBytes.ts"
import { decodeString } from "./JsonFields.ts"
import { LOWER_N } from "./JsonScan.ts"
import { checkName, readField, readMembers, readUnknown } from "./ReadMembers.ts"
import type { Member, Reading } from "./Reading.ts"
import {
  clientRuns,
  HOSTED_KINDS_MAX,
  NAMESPACES_DEEP_MAX,
  TOOL_TYPE_CHARS_MAX,
  toolFields,
  type ToolPlace
} from "./ToolTable.ts"

/** What is known of a tool while it is read. */
interface Seen {
  type: string | undefined
  execution: string | undefined
  environment: string | undefined
  /** The first field that only a tool of the upstream may have. */
  unknown: string | undefined
}

export function readTool(reading: Reading, at: number, depth: number): number {
  const { scan } = reading
  const { counting } = reading
  if (reading.path.filter((step) => step === "tools").length > NAMESPACES_DEEP_MAX + 1) {
    return reading.invalid(`Invalid value for %: namespaces may be at most ${NAMESPACES_DEEP_MAX} deep.`)
  }
  const saved = scan.saved
  const seen: Seen = { type: undefined, execution: undefined, environment: undefined, unknown: undefined }
  reading.counting = false
  reading.unit("tool")
  const end = readMembers(reading, at, depth, (member) => readToolMember(reading, seen, member, depth))
  reading.counting = counting
  if (end < 0) return -1
  if (seen.type === undefined || clientRuns(placeOf(seen, seen.type))) reading.addJson(at, end, saved)
  else reading.addUnsent(() => reading.addJson(at, end, saved))
  return judge(reading, seen, end)
}

function readToolMember(reading: Reading, seen: Seen, member: Member, depth: number): number {
  const { scan } = reading
  const rule = toolFields.get(member.key)
  const first = scan.view[member.at]
  if (rule === undefined) {
    if (first !== OPEN_BRACE && first !== OPEN_BRACKET) return readUnknown(reading, member, depth, toolFields)
    if (checkName(reading, member.key, toolFields) < 0) return -1
    seen.unknown ??= reading.param()
    return scan.value(member.at, depth + 1)
  }
  if (member.key === "environment") return readEnvironment(reading, seen, member.at, depth + 1)
  const end = readField(reading, rule, member.at, depth + 1)
  if (end < 0 || first !== QUOTE) return end
  if (member.key === "type") seen.type = decodeString(scan.view, member.at, end)
  if (member.key === "execution") seen.execution = decodeString(scan.view, member.at, end)
  return end
}

/** Only where a tool runs is read; a place that is not understood is not the client's. */
function readEnvironment(reading: Reading, seen: Seen, at: number, depth: number): number {
  const { scan } = reading
  const first = scan.view[at]
  if (first === LOWER_N) return scan.value(at, depth)
  seen.environment = ""
  if (first !== OPEN_BRACE) return scan.value(at, depth)
  return readMembers(reading, at, depth, (member) => {
    if (checkName(reading, member.key, toolFields) < 0) return -1
    const end = scan.value(member.at, depth + 1)
    if (end >= 0 && member.key === "type" && scan.view[member.at] === QUOTE) {
      seen.environment = decodeString(scan.view, member.at, end) ?? ""
    }
    return end
  })
}

const placeOf = ({ environment, execution }: Seen, type: string): ToolPlace => ({ type, execution, environment })

function judge(reading: Reading, seen: Seen, end: number): number {
  const { type } = seen
  if (type === undefined) return reading.invalid("Missing required parameter: %.", "type")
  if (type === "" || type.length > TOOL_TYPE_CHARS_MAX) {
    return reading.invalid(`Invalid value for %: expected 1 to ${TOOL_TYPE_CHARS_MAX} characters.`, "type")
  }
  if (!clientRuns(placeOf(seen, type))) {
    reading.hosted(type, reading.param("type"))
    return reading.hostedTools.size <= HOSTED_KINDS_MAX
      ? end
      : reading.invalid(
        `Invalid value for %: at most ${HOSTED_KINDS_MAX} kinds of tools that the upstream runs.`,
        "type"
      )
  }
  if (seen.unknown === undefined) return end
  return reading.unsupportedAt(
    seen.unknown,
    "Unknown parameter: %. The gateway cannot bound an object or array that it does not know."
  )
}
