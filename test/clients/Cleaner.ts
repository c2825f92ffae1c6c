/**
 * A request body without what differs from run to run: ids, dates, folders; and with long texts cut. Every field name and
 * the whole structure stay.
 */
const TEXT_MAX = 200

const id = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{50}/g
const folder = /\/(?:tmp|home|root|work|Users|var)\/[\w./-]+/g
const date = /\b20\d\d-\d\d-\d\d\b/g
const clock = /\b1[67]\d{11}\b/g

/** Cleans the requests of one recording: the same id becomes the same number in all of them. */
export class Cleaner {
  private readonly ids = new Map<string, string>()

  private idFor(found: string): string {
    const known = this.ids.get(found)
    if (known !== undefined) return known
    const number = String(this.ids.size + 1)
    const made = found.includes("-") ? `00000000-0000-7000-8000-${number.padStart(12, "0")}` : number.padStart(50, "0")
    this.ids.set(found, made)
    return made
  }

  private cleanText(text: string): string {
    const short = text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}… (${text.length} characters)` : text
    return short
      .replace(id, (found) => this.idFor(found))
      .replace(folder, "/srv/project")
      .replace(date, "2026-11-28")
      .replace(clock, "1764000000000")
  }

  /** The body with the same fields in the same places. */
  clean(value: unknown): unknown {
    if (typeof value === "string") return this.cleanText(value)
    if (Array.isArray(value)) return value.map((inner) => this.clean(inner))
    if (typeof value === "object" && value !== null) {
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, this.clean(inner)]))
    }
    return value
  }
}
