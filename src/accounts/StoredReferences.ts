/**
 * Which ids of a response are kept for later references. What an upstream may send as an id has no bounds of its own, and a
 * row that PostgreSQL refuses would take its commit with it: an id that cannot be kept is left out, and then nothing refers
 * to it.
 *
 * @internal
 */
import type { ResponseReferences } from "./AccountState.ts"

/** Characters of an id, at most. */
const ID_LENGTH_MAX = 256

/** Items of one response, at most; those beyond are not kept. */
const ITEMS_MAX = 1_024

const idPattern = /^[\x21-\x7e]+$/

/** Whether an id may be kept, and so asked for. */
export const isReferenceId = (id: string): boolean => id.length <= ID_LENGTH_MAX && idPattern.test(id)

const isCount = (tokens: number): boolean => Number.isSafeInteger(tokens) && tokens >= 0

/** What is kept of a response; undefined when it cannot be referred to. */
export const storedReferences = (references: ResponseReferences): ResponseReferences | undefined => {
  const { inputTokens, outputTokens, responseId } = references
  if (!isReferenceId(responseId) || !isCount(inputTokens) || !isCount(outputTokens)) return undefined
  const itemIds = Array.from(new Set(references.itemIds)).filter((id) => id !== responseId && isReferenceId(id))
  return { ...references, itemIds: itemIds.slice(0, ITEMS_MAX) }
}
