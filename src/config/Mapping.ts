/**
 * Mappings of a parsed document: what YAML has as `key: value`.
 *
 * @internal
 */
export const isMapping = (raw: unknown): raw is Readonly<Record<string, unknown>> =>
  typeof raw === "object" && raw !== null && !Array.isArray(raw)
