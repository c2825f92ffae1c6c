/**
 * Rounds of measuring several targets in turn, in an order that turns round each time, so that what the machine does meanwhile favours
 * none of them.
 */

export interface Rounds<Target, Round> {
  readonly targets: ReadonlyArray<Target>
  readonly count: number
  /** Measures a target once before the rounds; what it finds is dropped. */
  readonly warmUp: (target: Target) => Promise<unknown>
  readonly measure: (target: Target) => Promise<Round>
  /** Hears the number of each round, from 1. */
  readonly onRound: (round: number) => void
}

/** Answers a function that gives the rounds of one target. */
export const inTurns = async <Target extends { readonly name: string }, Round>(
  { count, measure, onRound, targets, warmUp }: Rounds<Target, Round>
) => {
  const rounds = new Map<string, Array<Round>>(targets.map(({ name }) => [name, []]))
  for (const target of targets) await warmUp(target)
  for (let round = 0; round < count; round++) {
    onRound(round + 1)
    for (const target of round % 2 === 0 ? targets : targets.toReversed()) {
      rounds.get(target.name)?.push(await measure(target))
    }
  }
  return (name: string): ReadonlyArray<Round> => rounds.get(name) ?? []
}
