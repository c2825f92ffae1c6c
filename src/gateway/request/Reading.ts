/**
 * The state of one walk through a body: where it is, what it has counted, and why it refused. The functions that read shapes
 * share it.
 *
 * @internal
 */
import type { Shape, Unit } from "./Admission.ts"
import { type CallPlaces, emptyTally, type InputTally, type Reference, type Refused } from "./Call.ts"
import { decodeString } from "./JsonFields.ts"
import { JsonScan } from "./JsonScan.ts"
import { invalid, unsupported } from "./Refusal.ts"

/** Most references in one call. */
export const REFERENCES_MAX = 4_096

/** Settings of a call up to this, in bytes, are no text; what goes beyond it is counted, as an upstream may print it for the model. */
export const SETTING_BYTES_FREE = 1_024

/** A key in a place is cut to this many characters. */
const PLACE_KEY_CHARS_MAX = 64

/** Reads the value at `at` as `shape`; a container there is at nesting level `depth`. Gives the offset behind it, or -1. */
export type ReadShape = (reading: Reading, shape: Shape, at: number, depth: number) => number

/** One member of an object; offsets in bytes. */
export interface Member {
  readonly key: string
  readonly keyStart: number
  readonly keyEnd: number
  readonly at: number
}

type Writable<A> = { -readonly [K in keyof A]: A[K] }

export class Reading {
  readonly scan: JsonScan
  readonly path: Array<string | number> = []
  refusal: Refused | undefined
  /** Off inside what does not reach the model as text, or is counted as a whole. */
  counting = true
  /** On inside settings: they are no text, but where they are long they may be meant to become some. */
  settings = false
  /** On inside reasoning fields. */
  reasoning = false
  readonly tally: Writable<InputTally> = { ...emptyTally }
  readonly references: Array<Reference> = []
  readonly hostedTools = new Set<string>()
  readonly hostedFields = new Set<string>()
  readonly places: Writable<CallPlaces> = {}

  /** Bytes of the call's settings. */
  private settingBytes = 0
  private readonly readShape: ReadShape
  /** Where counted texts are kept, if they are wanted. */
  private readonly texts: Array<string> | undefined

  constructor(body: Uint8Array, readShape: ReadShape, texts?: Array<string>) {
    this.scan = new JsonScan(body)
    this.readShape = readShape
    this.texts = texts
  }

  value(shape: Shape, at: number, depth: number): number {
    return this.readShape(this, shape, at, depth)
  }

  /** The place as OpenAI writes it: `messages[0].content[1].type`. */
  param(...below: ReadonlyArray<string>): string {
    let place = ""
    for (const step of [...this.path, ...below]) {
      if (typeof step === "number") place += `[${step}]`
      else place += `${place === "" ? "" : "."}${step.slice(0, PLACE_KEY_CHARS_MAX)}`
    }
    return place
  }

  /** Refuses the value here; `%` in `what` stands for its place, `below` for steps from here to it. */
  invalid(what: string, ...below: ReadonlyArray<string>): number {
    const param = this.param(...below)
    this.refusal ??= invalid(param, what.replace("%", `'${param}'`))
    return -1
  }

  unsupported(what: string, ...below: ReadonlyArray<string>): number {
    return this.unsupportedAt(this.param(...below), what)
  }

  unsupportedAt(param: string, what: string): number {
    this.refusal ??= unsupported(param, what.replace("%", `'${param}'`))
    return -1
  }

  ambiguous(key: string): number {
    const shown = JSON.stringify(key.slice(0, PLACE_KEY_CHARS_MAX))
    const place = this.path.length === 0 ? "The request body" : `The object at '${this.param()}'`
    this.refusal ??= invalid(null, `${place} repeats the key ${shown}.`)
    return -1
  }

  tooManyMembers(most: number): number {
    const place = this.path.length === 0 ? "The request body" : `The object at '${this.param()}'`
    this.refusal ??= invalid(null, `${place} has more than ${most} fields.`)
    return -1
  }

  unit(unit: Unit): void {
    if (unit === "message") this.tally.messages++
    else if (unit === "part") this.tally.parts++
    else this.tally.tools++
  }

  /** Whether bytes count as text of the call; counts them then. */
  private add(bytes: number): boolean {
    if (!this.counting && !this.addSetting(bytes)) return false
    this.tally.textBytes += bytes
    // Settings are in no lower bound either.
    if (this.reasoning || !this.counting) this.tally.reasoningBytes += bytes
    return true
  }

  /** Counts bytes of a setting; true when there are more of them than a call needs. */
  private addSetting(bytes: number): boolean {
    if (this.settings) this.settingBytes += bytes
    return this.settings && this.settingBytes > SETTING_BYTES_FREE
  }

  /** Counts the string `[start, end)`, quotes left out. `savedBefore`: what the scan had saved in front of it. */
  addString(start: number, end: number, savedBefore: number): void {
    const counts = this.add(end - start - 2 - (this.scan.saved - savedBefore))
    if (counts) this.texts?.push(decodeString(this.scan.view, start, end) ?? "")
  }

  /** Counts the JSON text `[start, end)` without the spaces between its tokens. */
  addJson(start: number, end: number, savedBefore: number): void {
    const counts = this.add(end - start - (this.scan.saved - savedBefore))
    if (counts) this.texts?.push(this.scan.view.toString("utf8", start, end))
  }

  /** Counts a member that no table names: its key, as written, and its value. */
  addMember(member: Member, end: number, savedBefore: number): void {
    const counts = this.add(member.keyEnd - member.keyStart + 1 + end - member.at - (this.scan.saved - savedBefore))
    if (counts) this.texts?.push(this.scan.view.toString("utf8", member.keyStart, end))
  }

  /** Counts, by `add`, what most upstreams are not sent: it is in no lower bound and no estimate. */
  addUnsent(add: () => void): void {
    const { reasoning } = this
    const { textBytes } = this.tally
    this.reasoning = true
    add()
    this.reasoning = reasoning
    this.tally.unsentBytes += this.tally.textBytes - textBytes
  }

  refer(kind: Reference["kind"], id: string, param: string): boolean {
    if (this.references.length >= REFERENCES_MAX) {
      this.refusal ??= invalid(param, `A call may refer to at most ${REFERENCES_MAX} stored items.`)
      return false
    }
    this.references.push({ kind, id, param })
    return true
  }

  /** Notes a tool that the upstream would run. */
  hosted(type: string, param: string): void {
    this.hostedTools.add(type)
    this.hostedFields.add(String(this.path[0]))
    this.places.hostedTool ??= param
  }
}
