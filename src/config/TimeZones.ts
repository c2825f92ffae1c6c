/**
 * Names of time zones, as IANA and browsers write them. An offset such as `+08:00` is not accepted: it says nothing of daylight
 * saving, and PostgreSQL reads its sign the other way round.
 */

export const UTC = "UTC"

/** No zone has a longer name, in characters. */
const NAME_LENGTH_MAX = 64

const zones = new Set([UTC, ...Intl.supportedValuesOf("timeZone")])

const zonePattern = /^[A-Za-z][\w+-]*(?:\/[\w+-]+){0,2}$/

/** `Asia/Kolkata` and `Asia/Calcutta` are one zone, of which the runtime lists one name; undefined for what is no zone. */
const canonical = (name: string): string | undefined => {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone
  } catch {
    return undefined
  }
}

/** The name under which a zone is known here; undefined for what is no zone. */
export const zoneNamed = (name: string): string | undefined => {
  if (name.length > NAME_LENGTH_MAX || !zonePattern.test(name)) return undefined
  if (zones.has(name)) return name
  const known = canonical(name)
  return known !== undefined && zones.has(known) ? known : undefined
}
