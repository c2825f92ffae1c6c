/**
 * Two people edit one row: the second is told, and nothing of the first one's work is overwritten unseen. A form carries the
 * row's revision that it was filled in on; a change of another revision fails with this, and has changed nothing.
 */
import { Schema } from "effect"

/** The row, such as `model:gpt-4o`, is not as it was when its form was filled in. */
export class ChangedMeanwhile extends Schema.TaggedError<ChangedMeanwhile>()("ChangedMeanwhile", {
  target: Schema.String
}) {
  override get message(): string {
    return `${this.target} has been changed by somebody else meanwhile; read it again`
  }
}
