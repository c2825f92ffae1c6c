/**
 * A command to an account's actor as an effect that waits for the reply.
 *
 * @internal
 */
import { Effect } from "effect"
import { type Deadline, deadlineIn } from "../platform/Deadline.ts"
import type { AccountActor } from "./AccountActor.ts"
import { type AccountError, unanswered } from "./AccountError.ts"
import type { Answer, Command } from "./AccountState.ts"
import type { Reply } from "./ActorHost.ts"
import type { Standing } from "./Standing.ts"

/**
 * Puts a question and waits for its one answer, at most `waitMs`; then fails with {@link unanswered}. The wait is a plain deadline,
 * and none where the answer is there at once: a race of fibers would cost every call more than its decision does.
 */
const answered = <A>(
  waitMs: number,
  put: (reply: (answer: Effect.Effect<A, AccountError>) => void) => void
): Effect.Effect<A, AccountError> =>
  Effect.callback((resume) => {
    let isAnswered = false
    let deadline: Deadline | undefined
    put((answer) => {
      isAnswered = true
      deadline?.cancel()
      resume(answer)
    })
    if (!isAnswered && waitMs !== Infinity) deadline = deadlineIn(waitMs, () => resume(Effect.fail(unanswered)))
  })

/** Gives a command away by `tell` and waits for the reply, at most `waitMs`. Interrupting does not take the command back. */
export const askFor = (tell: (reply: Reply) => void, waitMs: number): Effect.Effect<Answer, AccountError> =>
  answered(waitMs, (reply) => tell((result) => reply(isAnswer(result) ? Effect.succeed(result) : Effect.fail(result))))

/** The same for a command of an actor. */
export const ask = (actor: AccountActor, command: Command, waitMs = Infinity): Effect.Effect<Answer, AccountError> =>
  askFor((reply) => actor.tell(command, reply), waitMs)

const isAnswer = (result: Answer | AccountError): result is Answer =>
  result._tag === "Reservation" || result._tag === "Settlement"

/** Asks an actor, within `waitMs`, whether its account has anything to pay a call with. */
export const askStanding = (actor: AccountActor, waitMs: number): Effect.Effect<Standing, AccountError> =>
  answered(waitMs, (reply) => {
    actor.standing((answer) => reply(typeof answer === "string" ? Effect.succeed(answer) : Effect.fail(answer)))
  })
