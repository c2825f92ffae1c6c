/**
 * An edit conflict: two people edit one row, and the second is told, so that the work of the first is not overwritten unseen. A
 * form carries the revision of the row that it was filled in on. A change of another revision fails with this, and changes
 * nothing.
 */
import { Schema } from "effect"

/** The row, such as `model:gpt-4o`, is not as it was when its form was filled in. */
export class ChangedMeanwhile extends Schema.TaggedError<ChangedMeanwhile>()("ChangedMeanwhile", {
  target: Schema.String
}) {
  override get message(): string {
    return `${this.target} was changed by somebody else in the meantime: read it again, then repeat your change`
  }
}
