/**
 * A bound on how often something is done: answers true so many times in one second. `nowMs` is the time in milliseconds.
 */
export const makePerSecond = (max: number, nowMs: () => number): () => boolean => {
  let secondMs = 0
  let count = 0
  return () => {
    const atMs = nowMs()
    if (atMs - secondMs >= MS_PER_SECOND) {
      secondMs = atMs
      count = 0
    }
    if (count >= max) return false
    count++
    return true
  }
}

const MS_PER_SECOND = 1_000
