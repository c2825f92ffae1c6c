/** Why a change of a row is refused, whatever is in it. Nothing has changed then. */
import { Schema } from "effect"

/**
 * An edit conflict: two people edit one row, and the second is told, so that the work of the first is not overwritten unseen. A
 * form carries the revision of the row, such as `model:gpt-4o`, that it was filled in on.
 */
export class ChangedMeanwhile extends Schema.TaggedError<ChangedMeanwhile>()("ChangedMeanwhile", {
  target: Schema.String
}) {
  override readonly message =
    `${this.target} was changed by somebody else in the meantime: read it again, then repeat your change`
}

/** The row of this id, name or code is managed in config.yaml. */
export class ConfigManaged extends Schema.TaggedError<ConfigManaged>()("ConfigManaged", { name: Schema.String }) {
  override readonly message = `${this.name} is managed in config.yaml: change it there`
}
