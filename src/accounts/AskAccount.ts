/**
 * A command to an account's actor as an effect that waits for the reply.
 *
 * @internal
 */
import { Effect } from "effect"
import type { AccountActor } from "./AccountActor.ts"
import type { AccountError } from "./AccountError.ts"
import type { Answer, Command } from "./AccountState.ts"
import type { Standing } from "./Standing.ts"

/** Asks an actor and waits for its reply. Interrupting the wait does not take the command back. */
export const ask = (actor: AccountActor, command: Command): Effect.Effect<Answer, AccountError> =>
  Effect.callback((resume) => {
    actor.tell(command, (result) => {
      resume(isAnswer(result) ? Effect.succeed(result) : Effect.fail(result))
    })
  })

const isAnswer = (result: Answer | AccountError): result is Answer =>
  result._tag === "Reservation" || result._tag === "Settlement"

/** Asks an actor whether its account has anything to pay a call with. */
export const askStanding = (actor: AccountActor): Effect.Effect<Standing, AccountError> =>
  Effect.callback((resume) => {
    actor.standing((answer) => resume(typeof answer === "string" ? Effect.succeed(answer) : Effect.fail(answer)))
  })
