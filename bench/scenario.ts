/**
 * What a scenario of the benchmark is, and what it says: figures, each with its target where it has one.
 */

/** One figure. */
export interface Figure {
  /** What was measured. */
  readonly what: string
  readonly value: number
  readonly unit: string
  /** What it should be: at most, or at least, so much. */
  readonly target?: { readonly atMost: number } | { readonly atLeast: number }
  /** The values of the rounds that the figure is the median of. */
  readonly rounds?: ReadonlyArray<number>
  readonly note?: string
}

export interface Scenario {
  readonly name: string
  /** What it does, in a sentence. */
  readonly about: string
  /** Measures; tells each figure as soon as it has it. */
  readonly run: (bench: Bench) => Promise<void>
}

/** What a scenario is given. */
export interface Bench {
  /** Smaller in every way, for a first look. */
  readonly isQuick: boolean
  readonly figure: (figure: Figure) => void
  /** Says what goes on. */
  readonly say: (text: string) => void
}

/** Whether a figure meets its target; undefined without one. */
export const isMet = ({ target, value }: Figure): boolean | undefined => {
  if (target === undefined) return undefined
  return "atMost" in target ? value <= target.atMost : value >= target.atLeast
}
