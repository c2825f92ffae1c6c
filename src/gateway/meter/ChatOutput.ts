/**
 * The answers of a chat stream: what each frame adds to the output, and when the last of them has ended.
 *
 * @internal
 */
import { ChoiceTally } from "./ChoiceTally.ts"
import { Finish } from "./FinishReason.ts"
import type { FrameScanner } from "./FrameScanner.ts"
import { Output } from "./FrameStrings.ts"
import type { OutputText } from "./OutputText.ts"

/** Answers that have a tally of their own, at most; the others share one. A call cannot ask for more. */
export const CHOICES_MAX = 128

export class ChatOutput {
  /** Some answer has had a `finish_reason` other than a failure. */
  hasFinish = false
  private readonly choices: Array<ChoiceTally | undefined> = []
  private readonly asked: number
  private readonly text: OutputText
  private finished = 0

  constructor(asked: number, text: OutputText) {
    this.asked = asked
    this.text = text
  }

  /** All answers have ended, and no output came since. */
  get isFinished(): boolean {
    return this.finished >= this.asked
  }

  /** Some answer has ended, and none that began has not: an upstream may make fewer than it was asked for. */
  get isWhole(): boolean {
    return this.hasFinish && this.choices.every((choice) => choice === undefined || choice.finished || choice.isEmpty)
  }

  /** The output tokens that the frame adds, at most. */
  output(data: Uint8Array, frame: FrameScanner): number {
    const { strings } = frame
    const { count, kinds } = strings
    const countsLoose = !frame.hasChoices && !frame.hasError
    let tokens = 0
    let hasLate = false
    for (let index = 0; index < count; index++) {
      const kind = kinds[index]
      if (kind === Output.late) hasLate = true
      else if (kind === Output.delta || countsLoose) {
        const size = strings.sizes[index] ?? 0
        this.choiceWithOutput(frame, index).addDelta(size)
        tokens += this.text.add(data, strings.starts[index] ?? 0, strings.ends[index] ?? 0, size)
      }
    }
    return hasLate ? tokens + this.late(data, frame) : tokens
  }

  /** True when the frame ends the last answer. */
  finish(frame: FrameScanner): boolean {
    const before = this.isFinished
    for (let owner = 0; owner < frame.choiceCount; owner++) {
      const how = frame.finishes[owner]
      if (how !== Finish.ended && how !== Finish.brokeOff) continue
      this.hasFinish = true
      const choice = this.choice(frame, owner)
      if (!choice.finished) this.finished++
      choice.finished = true
    }
    return !before && this.isFinished
  }

  /** What comes as a whole: the late strings of each choice, which lie together unless its keys are mixed. */
  private late(data: Uint8Array, frame: FrameScanner): number {
    const { count, kinds, owners } = frame.strings
    let tokens = 0
    let first = 0
    while (first < count) {
      let last = first + 1
      if (kinds[first] === Output.late) {
        while (last < count && kinds[last] === Output.late && owners[last] === owners[first]) last++
        tokens += this.whole(data, frame, first, last)
      }
      first = last
    }
    return tokens
  }

  private whole(data: Uint8Array, frame: FrameScanner, first: number, last: number): number {
    const { strings } = frame
    const size = strings.sizeOf(first, last)
    const choice = this.choice(frame, strings.owners[first] ?? 0)
    const lacking = choice.addLate(data, strings.starts[first] ?? 0, strings.ends[first] ?? 0, size)
    if (lacking === 0) return 0
    this.choiceWithOutput(frame, first)
    return this.text.addBehind(data, strings, first, last, size - lacking)
  }

  /** The choice of a string that is output: it has not ended. */
  private choiceWithOutput(frame: FrameScanner, index: number): ChoiceTally {
    const choice = this.choice(frame, frame.strings.owners[index] ?? 0)
    if (choice.finished) {
      choice.finished = false
      this.finished--
    }
    return choice
  }

  private choice(frame: FrameScanner, owner: number): ChoiceTally {
    const index = frame.choiceCount === 0 ? 0 : Math.min(frame.choiceIndexes[owner] ?? 0, CHOICES_MAX)
    const known = this.choices[index]
    if (known !== undefined) return known
    const choice = new ChoiceTally()
    this.choices[index] = choice
    return choice
  }
}
