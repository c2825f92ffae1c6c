/**
 * An installation without limits, where one person may do everything alone: for tests of parts that are about something else.
 */
import { Effect, Layer } from "effect"
import { SecondPerson } from "../../src/platform/SecondPerson.ts"

export const onePerson = Layer.succeed(
  SecondPerson,
  SecondPerson.of({
    check: () => Effect.void,
    asking: (_, transaction) => Effect.catchTag(transaction, "ConfirmationNeeded", Effect.die)
  })
)
