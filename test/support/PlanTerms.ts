/** The terms of a plan that limits nothing. */
export const unlimited = {
  durationDays: 30,
  limit5hMicros: 0n,
  limit1dMicros: 0n,
  limit7dMicros: 0n,
  limit30dMicros: 0n,
  multiplierMicros: 1_000_000n
} as const
