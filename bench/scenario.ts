/**
 * What a scenario of the benchmark is, and what it says: figures, each with its target where it has one.
 */

/** One figure. */
export interface Figure {
  /** What was measured. */
  readonly what: string
  readonly value: number
  readonly unit: string
  /** What it should be, at most or at least. */
  readonly target?: { readonly atMost: number } | { readonly atLeast: number }
  /** The values of the rounds that the figure is the median of. */
  readonly rounds?: ReadonlyArray<number>
  readonly note?: string
}

export interface Scenario {
  readonly name: string
  /** What it does, in a sentence. */
  readonly about: string
  /** It takes long: it runs only where it is named, and keeps results of its own. */
  readonly isLong?: boolean
  /** Measures; tells each figure as soon as it has it. */
  readonly run: (bench: Bench) => Promise<void>
}

/** What a scenario is given. */
export interface Bench {
  /** Smaller in every way, for a first look. */
  readonly isQuick: boolean
  /** What was asked for by a flag; else the scenario has its own. */
  readonly rowsMax: number | undefined
  readonly minutes: number | undefined
  readonly figure: (figure: Figure) => void
  /** Prints a line among the figures. */
  readonly print: (line: string) => void
  /** Says what goes on. */
  readonly say: (text: string) => void
}

/** Whether a figure meets its target; undefined without one. */
export const isMet = ({ target, value }: Figure): boolean | undefined => {
  if (target === undefined) return undefined
  return "atMost" in target ? value <= target.atMost : value >= target.atLeast
}
